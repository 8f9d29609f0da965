"""Service tokens: what LTI Advantage services want to see, one for each platform and scopes.

Shared by all workers through a cache, because Canvas fetches our key set at every token request
and both LMSs refuse whoever asks for a token with every call. The cache holds tokens sealed.
"""

import hashlib
import math
import re
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, cast

import jwt
import msgspec

from connectors.errors import ConnectorError, Unauthorized
from connectors.http import HttpClient, Reply, Request
from connectors.limiter import redis_errors
from connectors.platform import PlatformAccess, PlatformKind

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from redis import Redis

SKEW_SECONDS = 60
"""A token is renewed so long before it expires; a short-lived one at half of its life."""
LEAST_SKEW_SECONDS = 30
LONGEST_LIFE_SECONDS = 86_400
UNSAID_LIFE_SECONDS = 300
"""How long a token is believed to live where the platform does not say."""
TOTAL_SECONDS = 10.0
LARGEST_BYTES = 256 * 1024

_BACKDATED_SECONDS = 10  # Moodle refuses an "iat" in the future without any leeway.
_ASSERTION_LIFE_SECONDS = 60
_LOCK_SECONDS = 15
_TURNS = 50
_TURN_SECONDS = 0.2
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ERROR_WORD = re.compile(rb'"error"\s*:\s*"([a-z_]{1,40})"')
_REFUSED = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """Waymark's own key, loaded: reading a key from PEM costs a hundred signatures.

    ``kid`` must be in the key set that the platform can fetch.
    """

    kid: str
    private_key: "RSAPrivateKey" = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """How tokens are kept from whoever reads the cache.

    Attributes:
        seal: Encrypts a text.
        open: Decrypts what ``seal`` made; None where that cannot be done any more.
    """

    seal: Callable[[str], str]
    open: Callable[[str], str | None]


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


class _Grant(msgspec.Struct):
    access_token: str
    expires_in: float | str | None = None
    scope: str | None = None


class ServiceTokens:
    """Gets, keeps and renews the service tokens of all platforms."""

    def __init__(
        self,
        *,
        cache: TokenCache,
        key: Callable[[], SigningKey],
        seal: Seal,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        """Take what is needed; nothing is asked before the first token.

        Args:
            cache: Where tokens are kept.
            key: Loads what signs the requests; asked only when a token is to be had, since
                loading a key costs more than a hundred signatures.
            seal: Encrypts what the cache keeps.
            now: The clock.
            sleep: Waits for seconds while another worker fetches the token.
        """
        self._cache = cache
        self._key = key
        self._seal = seal
        self._now = now
        self._sleep = sleep

    def get(self, http: HttpClient, access: PlatformAccess, scopes: Sequence[str]) -> str:
        """A token that lives for another half minute at least.

        Fifty workers that need the same token at once send one request: the others wait for
        it, ten seconds at most, and then ask themselves.

        Args:
            http: The platform's client; its calls count the request.
            access: The platform.
            scopes: Every scope that the token must carry, and no more.

        Returns:
            The bearer token.

        Source: RFC 7523 section 2.2; 1EdTech Security Framework 1.0 section 4.1.
        """
        key = _cache_key(access, scopes)
        for _ in range(_TURNS):
            token = self._kept(key)
            if token is not None:
                return token
            if self._cache.may_fetch(key):
                try:
                    # Another worker may have finished since the cache was asked.
                    return self._kept(key) or self._fetch(http, access, scopes)
                finally:
                    self._cache.has_fetched(key)
            self._sleep(_TURN_SECONDS)
        return self._fetch(http, access, scopes)

    def _kept(self, key: str) -> str | None:
        sealed = self._cache.get(key)
        return None if sealed is None else self._seal.open(sealed)

    def drop(self, access: PlatformAccess, scopes: Sequence[str], *, refused: str) -> None:
        """Forget a token that the platform has refused, unless there is a newer one already.

        Many workers may hear of the refusal; the first one renews the token for all.
        """
        key = _cache_key(access, scopes)
        if self._kept(key) in (None, refused):
            self._cache.drop(key)

    def _fetch(self, http: HttpClient, access: PlatformAccess, scopes: Sequence[str]) -> str:
        reply = http.send(
            Request(
                method="POST",
                url=access.token_url,
                headers={"Accept": "application/json"},
                form=[
                    ("grant_type", "client_credentials"),
                    ("client_assertion_type", _ASSERTION_TYPE),
                    ("client_assertion", self._assertion(access)),
                    ("scope", " ".join(scopes)),
                ],
                passes=_REFUSED,
                read_seconds=TOTAL_SECONDS,
                total_seconds=TOTAL_SECONDS,
                most_bytes=LARGEST_BYTES,
            )
        )
        if reply.status in _REFUSED:
            raise _refusal(access, reply)
        grant = reply.decode(_Grant)
        _compare_scopes(access, scopes, grant.scope)
        life_seconds = _kept_seconds(grant.expires_in)
        if life_seconds > 0:
            sealed = self._seal.seal(grant.access_token)
            self._cache.put(_cache_key(access, scopes), sealed, life_seconds=life_seconds)
        return grant.access_token

    def _assertion(self, access: PlatformAccess) -> str:
        issued = int(self._now().timestamp()) - _BACKDATED_SECONDS
        claims = {
            "iss": access.client_id,
            "sub": access.client_id,
            "aud": access.audience or access.token_url,
            "iat": issued,
            "exp": issued + _BACKDATED_SECONDS + _ASSERTION_LIFE_SECONDS,
            "jti": secrets.token_urlsafe(24),
        }
        key = self._key()
        return jwt.encode(claims, key.private_key, algorithm="RS256", headers={"kid": key.kid})


def _kept_seconds(said: float | str | None) -> int:
    """How long a token is kept, by what the platform says of its life; 0 for not at all."""
    life = float(UNSAID_LIFE_SECONDS)
    with suppress(ValueError):
        life = life if said is None else float(said)
    life = min(life, LONGEST_LIFE_SECONDS) if math.isfinite(life) else UNSAID_LIFE_SECONDS
    skew = min(SKEW_SECONDS, max(LEAST_SKEW_SECONDS, life / 2))
    return max(int(life - skew), 0)


def _cache_key(access: PlatformAccess, scopes: Sequence[str]) -> str:
    # The issuer alone is not enough: all hosted Canvas schools share one.
    parts = (access.issuer, access.client_id, access.token_url, *sorted(scopes))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _compare_scopes(access: PlatformAccess, asked: Sequence[str], granted: str | None) -> None:
    # Both LMSs leave out of the answer what they do not grant, and answer 200.
    missing = set(asked) - set(asked if granted is None else granted.split())
    if missing:
        names = ", ".join(sorted(scope.rpartition("/")[2] for scope in missing))
        raise Unauthorized(
            f"{access.name} does not let Waymark use: {names}. Allow it in the tool's settings "
            "there (Moodle: grade sync and column management; Canvas: the developer key's scopes).",
            cause="missing_scope",
            platform=access.name,
        )


def _refusal(access: PlatformAccess, reply: Reply) -> ConnectorError:
    if reply.status == HTTPStatus.NOT_FOUND and access.kind is PlatformKind.MOODLE:
        return Unauthorized(
            f"{access.name} gave no service token (404). Moodle answers so when it may not fetch "
            "Waymark's keys: its HTTP security blocks private addresses and ports other than 80 "
            "and 443. Allow Waymark's address there.",
            cause="keys_unreachable",
            platform=access.name,
        )
    found = _ERROR_WORD.search(reply.body)
    word = found.group(1).decode() if found else f"status {reply.status}"
    return Unauthorized(
        f"{access.name} gave no service token ({word}). Check the client id and that the platform "
        "knows Waymark's key set address.",
        cause="no_service_token",
        platform=access.name,
    )
