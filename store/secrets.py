"""Secrets at rest: sealed with a key that is not in the database."""

import base64
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

K = TypeVar("K")


class SealBroken(Exception):  # noqa: N818 - it names what happened, as the reader meets it
    """A sealed value was made under another secret key, or was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealed:
    """How many secrets were sealed anew, and the names of those that could not be opened."""

    count: int
    unopened: Sequence[str]


class SecretBox:
    """Seals short texts with a key derived from the installation's secret key, and opens them.

    What was sealed under a former secret key opens too, as long as that key is given.
    """

    def __init__(self, secret_key: str, former: Sequence[str] = ()) -> None:
        self._fernet = MultiFernet([_fernet(key) for key in (secret_key, *former)])

    def seal(self, text: str) -> str:
        """The text, encrypted with the present key and authenticated."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text that was sealed.

        Raises:
            SealBroken: It was sealed under a key that is not given, or changed since.
        """
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SealBroken(
                "A stored secret cannot be opened: WAYMARK_SECRET_KEY is not the one it was "
                "sealed with. Give the former key in WAYMARK_FORMER_SECRET_KEYS, or enter the "
                "platform's token anew."
            ) from error

    def reseal(self, sealed: Mapping[K, str]) -> Mapping[K, str]:
        """Seal texts anew with the present key.

        Args:
            sealed: Each by what it is known by.

        Returns:
            Those that could be opened, sealed anew.
        """
        found = {}
        for name, text in sealed.items():
            with suppress(SealBroken):
                found[name] = self.seal(self.open(text))
        return found


def _fernet(secret_key: str) -> Fernet:
    derived = HKDF(
        algorithm=hashes.SHA256(), length=32, salt=None, info=b"waymark secrets at rest"
    ).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
