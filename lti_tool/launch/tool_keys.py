"""Waymark's own public keys, as platforms fetch them."""

from collections.abc import Callable
from datetime import datetime
from threading import Lock

from sqlalchemy import Engine

from store.registrations import ToolKey, tool_key
from store.secrets import SecretBox
from store.session import writing

MAX_AGE_SECONDS = 3600


class ToolKeys:
    """The key of this installation, loaded at most once for each process.

    Canvas fetches the key set at every token request, so it must cost nothing.
    """

    def __init__(self, engine: Engine, secrets: SecretBox, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._secrets = secrets
        self._now = now
        self._lock = Lock()
        self._current: ToolKey | None = None

    def current(self) -> ToolKey:
        """The key that Waymark signs with."""
        with self._lock:
            if self._current is None:
                with writing(self._engine) as connection:
                    self._current = tool_key(connection, self._secrets, self._now())
            return self._current

    def key_set(self) -> dict[str, list[dict[str, str]]]:
        """The public halves, as RFC 7517 writes a set."""
        return {"keys": [self.current().public_jwk()]}
