"""Access to Canvas's own API that an administrator authorised in the browser.

A developer key and a refresh token give access tokens of an hour, which all workers share. Canvas
gives a new one for the old refresh token any number of times, until somebody takes it back.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import urlencode

import msgspec

from connectors.canvas.scopes import SCOPES
from connectors.errors import GiveUp, Unauthorized
from connectors.http import HttpClient, Reply, Request
from connectors.shared_tokens import Granted, SharedTokens, error_word, kept_seconds
from connectors.verdicts import refusal

_TOTAL_SECONDS = 10.0
_LARGEST_BYTES = 64 * 1024
_HELD = timedelta(seconds=20)
"""How long a thread goes on with a token before it asks the cache again."""
_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeveloperKey:
    """A developer key for Canvas's API, not for LTI.

    Attributes:
        platform: The platform's name, for messages.
        api_url: The address of Canvas, without a slash at the end.
        client_id: The key's number.
        client_secret: What Canvas shows under "Show key".
    """

    platform: str
    api_url: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What an administrator's consent brought: who they are, and what renews the access."""

    user: str
    refresh_token: str = field(repr=False)


class _User(msgspec.Struct):
    name: str = ""


class _Grant(msgspec.Struct):
    access_token: str
    refresh_token: str = ""
    expires_in: float | str | None = None
    user: _User | None = None


class AuthorizedTokens:
    """The access tokens of one authorisation; see ``connectors.platform.UserTokens``.

    Threads may share one.
    """

    def __init__(
        self,
        key: DeveloperKey,
        refresh_token: str,
        *,
        shared: SharedTokens,
        now: Callable[[], datetime],
        on_revoked: Callable[[], None],
        is_revoked: bool = False,
    ) -> None:
        """Take what is needed; nothing is asked before the first token.

        Args:
            key: The developer key.
            refresh_token: Of the authorisation.
            shared: Keeps tokens for all workers.
            now: The clock.
            on_revoked: Told once when Canvas does not know the refresh token any more.
            is_revoked: Whether that is known already; then Canvas is not asked.
        """
        self._key = key
        self._refresh_token = refresh_token
        self._shared = shared
        self._now = now
        self._on_revoked = on_revoked
        self._is_revoked = is_revoked
        self._held: tuple[str, datetime] | None = None
        parts = (key.api_url, key.client_id, refresh_token)
        self._cache_key = "user:" + hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def get(self, http: HttpClient) -> str:
        """A token that may be used now; one worker asks for it and all have it.

        Args:
            http: The platform's client; its calls count the request.

        Returns:
            The bearer token.

        Raises:
            Unauthorized: The access was taken back, or the key is refused.

        Source: Canvas, OAuth2 endpoints, POST login/oauth2/token (refresh_token).
        """  # noqa: DOC502 - raised by the parts
        if self._is_revoked:
            _refuse_revoked(self._key)
        held = self._held
        if held is not None and self._now() < held[1]:
            return held[0]
        token = self._shared.get(self._cache_key, lambda: self._refresh(http))
        self._held = (token, self._now() + _HELD)
        return token

    def renewed(self, http: HttpClient, *, refused: str) -> str:
        """Another token than the one that Canvas refused.

        Args:
            http: The platform's client.
            refused: The token that was refused; where another worker has renewed it already,
                Canvas is not asked.

        Returns:
            The bearer token.

        Raises:
            Unauthorized: The access was taken back, or the key is refused.
        """  # noqa: DOC502 - raised by get()
        self._held = None
        self._shared.drop(self._cache_key, refused=refused)
        return self.get(http)

    def _refresh(self, http: HttpClient) -> Granted:
        form = [("grant_type", "refresh_token"), ("refresh_token", self._refresh_token)]
        reply = _ask_for_token(http, self._key, form)
        if _is_unknown_refresh_token(reply):
            self._is_revoked = True
            self._on_revoked()
            _refuse_revoked(self._key)
        grant = _granted(self._key, reply)
        return Granted(token=grant.access_token, life_seconds=kept_seconds(grant.expires_in))


def authorization_url(api_url: str, *, client_id: str, redirect_uri: str, state: str) -> str:
    """Where the administrator's browser goes to consent.

    Source: Canvas, OAuth2 endpoints, GET login/oauth2/auth.
    """
    query = urlencode(
        {
            "client_id": client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "state": state,
            "scope": " ".join(SCOPES),
        }
    )
    return f"{api_url}/login/oauth2/auth?{query}"


def exchange_code(
    http: HttpClient, key: DeveloperKey, *, code: str, redirect_uri: str
) -> Authorization:
    """Trade the code that came with the browser for the authorisation.

    Args:
        http: The platform's client.
        key: The developer key.
        code: Good once, for ten minutes.
        redirect_uri: The same as in the browser's address.

    Returns:
        Who authorised, and the refresh token.

    Raises:
        Unauthorized: Canvas knows neither the code nor the key.
        GiveUp: It gave no refresh token.

    Source: Canvas, OAuth2 endpoints, POST login/oauth2/token (authorization_code).
    """  # noqa: DOC502 - the first is raised by _granted()
    form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)]
    grant = _granted(key, _ask_for_token(http, key, form))
    if not grant.refresh_token:
        raise GiveUp(
            f"{key.platform} gave access for an hour only, without a token to renew it. Make an "
            "API key under Developer Keys there, not an LTI key, and enter its id and secret.",
            cause="no_refresh_token",
            platform=key.platform,
        )
    user = grant.user.name if grant.user else ""
    return Authorization(user=user, refresh_token=grant.refresh_token)


def is_token_refused(reply: Reply) -> bool:
    """Whether Canvas refuses the token itself, which renewing it may mend.

    Without the challenge a 401 means that the token's scope or its user's right is missing.

    Source: Canvas, OAuth2, Storing tokens; contracts/canvas.md 1.4.
    """
    return reply.status == HTTPStatus.UNAUTHORIZED and "WWW-Authenticate" in reply.headers


def refused_user(request: Request, reply: Reply) -> Exception:
    """The error that a 401 stands for where a person authorised the access."""
    if b"Insufficient scopes" not in reply.body:
        return refusal(request, reply)
    return Unauthorized(
        f"{reply.platform} does not let Waymark ask {request.method} {_path(reply.url)}: the "
        "developer key lacks its scope. Add the scopes that waymark platform access prints to the "
        "key, then authorise it anew.",
        cause="missing_scope",
        platform=reply.platform,
    )


def _ask_for_token(http: HttpClient, key: DeveloperKey, form: list[tuple[str, str]]) -> Reply:
    own = [("client_id", key.client_id), ("client_secret", key.client_secret)]
    return http.send(
        Request(
            method="POST",
            url=f"{key.api_url}/login/oauth2/token",
            headers={"Accept": "application/json"},
            form=[*form, *own],
            passes=_REFUSED,
            read_seconds=_TOTAL_SECONDS,
            total_seconds=_TOTAL_SECONDS,
            most_bytes=_LARGEST_BYTES,
        )
    )


def _granted(key: DeveloperKey, reply: Reply) -> _Grant:
    if reply.status in _REFUSED:
        raise Unauthorized(
            f"{key.platform} gave no access token ({error_word(reply)}). Check that the developer "
            f"key {key.client_id} is on there and that Waymark has its present secret: waymark "
            f'platform access "{key.platform}" --client-id {key.client_id}',
            cause="no_access_token",
            platform=key.platform,
        )
    return reply.decode(_Grant)


def _is_unknown_refresh_token(reply: Reply) -> bool:
    # Canvas's versions differ in the code; the older one says the same of a malformed request.
    word = error_word(reply)
    is_old = word == "invalid_request" and b"refresh_token" in reply.body
    return reply.status in _REFUSED and (word == "invalid_grant" or is_old)


def _refuse_revoked(key: DeveloperKey) -> NoReturn:
    raise Unauthorized(
        f"{key.platform} does not know Waymark's authorisation any more: the person who gave it "
        "took it back or is gone, or the developer key was changed. Its gradebooks are not read "
        f'or written until somebody authorises anew: waymark platform access "{key.platform}"',
        cause="access_revoked",
        platform=key.platform,
    )


def _path(url: str) -> str:
    return url.partition("://")[2].partition("?")[0].partition("/")[2]
