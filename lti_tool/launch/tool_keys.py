"""Waymark's own public keys, as platforms fetch them."""

import hashlib
import json
from dataclasses import dataclass

from bootstrap.key_ring import KeyRing, Keys
from store.tool_keys import ToolKey

MAX_AGE_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySetDocument:
    """The key set as it is sent; ``etag`` changes when, and only when, ``body`` does."""

    body: bytes
    etag: str


class ToolKeys:
    """The keys of this installation, as the web face needs them.

    Canvas fetches the key set at every token request, so it is written once for each change.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._written: tuple[Keys, KeySetDocument] | None = None

    def current(self) -> ToolKey:
        """The key that Waymark signs with."""
        return self._ring.keys().current

    def signing_key(self, pinned_kid: str | None) -> ToolKey:
        """The key to sign with for a platform: the one that it was given by hand, if any."""
        return self._ring.keys().signing(pinned_kid)

    def key_set(self) -> dict[str, list[dict[str, str]]]:
        """The public halves, as RFC 7517 writes a set."""
        return _key_set(self._ring.keys())

    def document(self) -> KeySetDocument:
        """The key set ready to be sent."""
        keys = self._ring.keys()
        written = self._written
        # The ring gives the same object as long as nothing changed.
        if written is None or written[0] is not keys:
            body = json.dumps(_key_set(keys), separators=(",", ":")).encode()
            written = keys, KeySetDocument(body=body, etag=hashlib.sha256(body).hexdigest()[:32])
            self._written = written
        return written[1]


def _key_set(keys: Keys) -> dict[str, list[dict[str, str]]]:
    return {"keys": [key.public_jwk() for key in keys.published]}
