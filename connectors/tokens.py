"""Service tokens: what LTI Advantage services want to see, one for each platform and scopes.

Shared by all workers (``connectors.shared_tokens``), because Canvas fetches our key set at every
token request and both LMSs refuse whoever asks for a token with every call.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

import jwt
import msgspec

from connectors.errors import ConnectorError, Unauthorized
from connectors.http import HttpClient, Reply, Request
from connectors.lms_clock import ahead_of_us
from connectors.platform import PlatformAccess, PlatformKind
from connectors.shared_tokens import (
    Granted,
    Seal,
    SharedTokens,
    TokenCache,
    error_word,
    kept_seconds,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

TOTAL_SECONDS = 10.0
LARGEST_BYTES = 256 * 1024

_BACKDATED_SECONDS = 10  # Moodle refuses an "iat" in the future without any leeway.
_ASSERTION_LIFE_SECONDS = 60
# So far an LMS's clock may be behind or ahead before what was signed is not valid there.
_EARLIEST = timedelta(seconds=-_BACKDATED_SECONDS)
_LATEST = timedelta(seconds=_ASSERTION_LIFE_SECONDS)
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
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
        self._shared = SharedTokens(cache=cache, seal=seal, sleep=sleep)
        self._key = key
        self._now = now

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
        return self._shared.get(key, lambda: self._fetch(http, access, scopes))

    def drop(self, access: PlatformAccess, scopes: Sequence[str], *, refused: str) -> None:
        """Forget a token that the platform has refused, unless there is a newer one already.

        Many workers may hear of the refusal; the first one renews the token for all.
        """
        self._shared.drop(_cache_key(access, scopes), refused=refused)

    def _fetch(self, http: HttpClient, access: PlatformAccess, scopes: Sequence[str]) -> Granted:
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
            raise _refusal(access, reply, ahead_of_us(reply, self._now()))
        grant = reply.decode(_Grant)
        _compare_scopes(access, scopes, grant.scope)
        return Granted(token=grant.access_token, life_seconds=kept_seconds(grant.expires_in))

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


def _refusal(access: PlatformAccess, reply: Reply, ahead: timedelta) -> ConnectorError:
    if not _EARLIEST <= ahead <= _LATEST:
        seconds = round(abs(ahead.total_seconds()))
        return Unauthorized(
            f"{access.name} gave no service token, because its clock and Waymark's are {seconds} "
            "seconds apart: what Waymark signs is good for a minute. Set both by a time server.",
            cause="clocks_apart",
            platform=access.name,
        )
    if reply.status == HTTPStatus.NOT_FOUND and access.kind is PlatformKind.MOODLE:
        return Unauthorized(
            f"{access.name} gave no service token (404). Moodle answers so when it may not fetch "
            "Waymark's keys: its HTTP security blocks private addresses and ports other than 80 "
            "and 443. Allow Waymark's address there.",
            cause="keys_unreachable",
            platform=access.name,
        )
    return Unauthorized(
        f"{access.name} gave no service token ({error_word(reply)}). Check the client id and that "
        "the platform knows Waymark's key set address.",
        cause="no_service_token",
        platform=access.name,
    )
