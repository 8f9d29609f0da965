"""Access tokens that all workers share: kept sealed, and asked for by one worker at a time.

What a token is for, and how a new one is had, belongs to whoever asks: ``connectors.tokens`` for
the services of LTI Advantage, ``connectors.canvas.oauth`` for Canvas's own API.
"""

import math
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

from connectors.http import Reply
from connectors.limiter import redis_errors

if TYPE_CHECKING:
    from redis import Redis

SKEW_SECONDS = 60
"""A token is renewed so long before it expires; a short-lived one at half of its life."""
LEAST_SKEW_SECONDS = 30
LONGEST_LIFE_SECONDS = 86_400
UNSAID_LIFE_SECONDS = 300
"""How long a token is believed to live where the platform does not say."""

_LOCK_SECONDS = 15
_TURNS = 50
_TURN_SECONDS = 0.2
_ERROR_WORD = re.compile(rb'"error"\s*:\s*"([a-z_]{1,40})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """How tokens are kept from whoever reads the cache.

    Attributes:
        seal: Encrypts a text.
        open: Decrypts what ``seal`` made; None where that cannot be done any more.
    """

    seal: Callable[[str], str]
    open: Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A new token, and for how many seconds it may be kept; 0 for not at all."""

    token: str = field(repr=False)
    life_seconds: int


class TokenCache(Protocol):
    """Keeps sealed tokens and lets one worker at a time ask for a new one."""

    def get(self, key: str) -> str | None:
        """The sealed text under a key, unless its life is over."""
        ...

    def put(self, key: str, sealed: str, *, life_seconds: int) -> None:
        """Keep a sealed text for some seconds."""
        ...

    def drop(self, key: str) -> None:
        """Forget a key."""
        ...

    def may_fetch(self, key: str) -> bool:
        """Take the right to ask for a new token; False while another worker has it."""
        ...

    def has_fetched(self, key: str) -> None:
        """Give the right back."""
        ...


class RedisTokenCache:
    """The cache that all workers share. A lost right ends by itself after 15 seconds."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    def get(self, key: str) -> str | None:
        """See ``TokenCache``."""
        with redis_errors():
            kept = cast("bytes | None", self._redis.get(f"waymark:token:{key}"))
        return None if kept is None else kept.decode()

    def put(self, key: str, sealed: str, *, life_seconds: int) -> None:
        """See ``TokenCache``."""
        with redis_errors():
            self._redis.set(f"waymark:token:{key}", sealed, ex=life_seconds)

    def drop(self, key: str) -> None:
        """See ``TokenCache``."""
        with redis_errors():
            self._redis.delete(f"waymark:token:{key}")

    def may_fetch(self, key: str) -> bool:
        """See ``TokenCache``."""
        with redis_errors():
            return bool(self._redis.set(f"waymark:fetch:{key}", "1", nx=True, ex=_LOCK_SECONDS))

    def has_fetched(self, key: str) -> None:
        """See ``TokenCache``."""
        with redis_errors():
            self._redis.delete(f"waymark:fetch:{key}")


class SharedTokens:
    """Gets tokens from the cache, or has one worker fetch a new one for all."""

    def __init__(self, *, cache: TokenCache, seal: Seal, sleep: Callable[[float], None]) -> None:
        """Take what is needed; nothing is asked yet.

        Args:
            cache: Where tokens are kept.
            seal: Encrypts what the cache keeps.
            sleep: Waits for seconds while another worker fetches the token.
        """
        self._cache = cache
        self._seal = seal
        self._sleep = sleep

    def get(self, key: str, fetch: Callable[[], Granted]) -> str:
        """A token that lives for another half minute at least.

        Fifty workers that need the same token at once send one request: the others wait for
        it, ten seconds at most, and then ask themselves.

        Args:
            key: Says which token it is.
            fetch: Asks the platform for a new one.
        """
        for _ in range(_TURNS):
            token = self._kept(key)
            if token is not None:
                return token
            if self._cache.may_fetch(key):
                try:
                    # Another worker may have finished since the cache was asked.
                    return self._kept(key) or self._fetched(key, fetch)
                finally:
                    self._cache.has_fetched(key)
            self._sleep(_TURN_SECONDS)
        return self._fetched(key, fetch)

    def drop(self, key: str, *, refused: str) -> None:
        """Forget a token that the platform has refused, unless there is a newer one already.

        Many workers may hear of the refusal; the first one renews the token for all.
        """
        if self._kept(key) in (None, refused):
            self._cache.drop(key)

    def _kept(self, key: str) -> str | None:
        sealed = self._cache.get(key)
        return None if sealed is None else self._seal.open(sealed)

    def _fetched(self, key: str, fetch: Callable[[], Granted]) -> str:
        granted = fetch()
        if granted.life_seconds > 0:
            sealed = self._seal.seal(granted.token)
            self._cache.put(key, sealed, life_seconds=granted.life_seconds)
        return granted.token


def kept_seconds(said: float | str | None) -> int:
    """How long a token is kept, by what the platform says of its life; 0 for not at all."""
    life = float(UNSAID_LIFE_SECONDS)
    with suppress(ValueError):
        life = life if said is None else float(said)
    life = min(life, LONGEST_LIFE_SECONDS) if math.isfinite(life) else UNSAID_LIFE_SECONDS
    skew = min(SKEW_SECONDS, max(LEAST_SKEW_SECONDS, life / 2))
    return max(int(life - skew), 0)


def error_word(reply: Reply) -> str:
    """The error code of a token endpoint's refusal, or the status where it has none.

    Source: RFC 6749 section 5.2.
    """
    found = _ERROR_WORD.search(reply.body)
    return found.group(1).decode() if found else f"status {reply.status}"
