"""Waymark's own keys as one process keeps them: loaded once, looked after every minute.

Canvas fetches the key set at every token request, so neither a database nor a seal may stand in
its way.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from store import tool_keys
from store.secrets import SecretBox
from store.session import reading, writing
from store.tool_keys import KeyState, StoredKey, ToolKey

_LOG = logging.getLogger(__name__)
_LOOKED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of one moment; replaced whole.

    Attributes:
        current: The key that signs.
        published: What LMSs are to know, in the order the keys were made.
        by_kid: Every key, those included that are kept for platforms which were given them.
    """

    current: ToolKey
    published: Sequence[ToolKey]
    by_kid: Mapping[str, ToolKey]

    def signing(self, pinned_kid: str | None) -> ToolKey:
        """The key to sign with for a platform: its pinned one, else the current."""
        return self.by_kid.get(pinned_kid or "", self.current)


class KeyRing:
    """Finds the keys of this installation; safe for threads, not handed to forked processes."""

    def __init__(self, engine: Engine, secrets: SecretBox, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._secrets = secrets
        self._now = now
        self._lock = Lock()
        self._keys: Keys | None = None
        self._look_at: datetime | None = None

    def keys(self) -> Keys:
        """The present keys, at most a minute old; the first one is made where there is none.

        Returns:
            The same object as long as nothing changed. While the database does not answer,
            what was known before.

        Raises:
            OperationalError: The database does not answer and nothing is known yet.
            SealBroken: A key was sealed under another secret key.
        """  # noqa: DOC502 - SealBroken is raised by load()
        known = self._keys
        now = self._now()
        if known is not None and self._look_at is not None and now < self._look_at:
            return known
        # One looks; the others go on with what is known, and wait only where nothing is.
        if not self._lock.acquire(blocking=known is None):
            assert known is not None  # noqa: S101 - or the lock would have been waited for
            return known
        try:
            return self._renewed(now)
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Look again at the next question: for whoever has just changed the keys."""
        self._look_at = None

    def _renewed(self, now: datetime) -> Keys:
        keys = self._keys
        if keys is None or self._look_at is None or now >= self._look_at:
            self._keys = keys = self._looked(keys, now)
            self._look_at = now + _LOOKED_EVERY
        return keys

    def _looked(self, known: Keys | None, now: datetime) -> Keys:
        try:
            stored = self._stored(now)
        except OperationalError:
            if known is None:
                raise
            _LOG.warning("the database does not answer; the keys stay as they were")
            return known
        return self._loaded(known, stored, now)

    def _stored(self, now: datetime) -> Sequence[StoredKey]:
        with reading(self._engine) as connection:
            stored = tool_keys.stored_keys(connection)
        if any(key.state is KeyState.CURRENT for key in stored):
            return stored
        with writing(self._engine) as connection:
            tool_keys.advance(connection, self._secrets, now)
            return tool_keys.stored_keys(connection)

    def _loaded(self, known: Keys | None, stored: Sequence[StoredKey], now: datetime) -> Keys:
        loaded = {} if known is None else known.by_kid
        by_kid = {
            key.kid: loaded.get(key.kid) or tool_keys.load(key, self._secrets) for key in stored
        }
        current = next(key.kid for key in stored if key.state is KeyState.CURRENT)
        keys = Keys(
            current=by_kid[current],
            published=tuple(by_kid[key.kid] for key in stored if key.is_published(now)),
            by_kid=by_kid,
        )
        return known if known == keys else keys
