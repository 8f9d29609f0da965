"""Access to an LMS's own API that an administrator authorises: who asks, with what, and the end.

An authorisation goes before a pasted API token. One that was taken back does not fall back to the
token: a person said that Waymark shall not read, and a person has to say otherwise.
"""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.canvas.oauth import (
    Authorization,
    AuthorizedTokens,
    DeveloperKey,
    authorization_url,
    exchange_code,
)
from connectors.canvas.scopes import RIGHTS, SCOPES, ApiRight
from connectors.errors import ConnectorError
from connectors.http import HttpClient
from connectors.limiter import UnpacedLimiter
from connectors.moodle.rights import CAPABILITIES, NEEDED, USEFUL
from connectors.platform import UserTokens
from connectors.shared_tokens import RedisTokenCache, Seal, SharedTokens
from store import api_access
from store.secrets import SealBroken
from store.session import writing

if TYPE_CHECKING:
    from bootstrap.container import Container
    from store.registrations import Platform

__all__ = [
    "CAPABILITIES",
    "NEEDED",
    "RIGHTS",
    "SCOPES",
    "USEFUL",
    "AccessRefused",
    "ApiRight",
    "Authorization",
    "authorize",
    "consent_url",
    "has_token",
    "is_readable",
    "user_tokens",
]

_LOG = logging.getLogger(__name__)


class AccessRefused(OSError):  # noqa: N818 - named as its case is: no access came of it
    """The LMS gave no access for a consent; the message is for a person.

    Attributes:
        cause: A short fixed word for the log.
    """

    def __init__(self, message: str, *, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class _Remembering:
    """Notes in the database that a consent was taken back, so that nights do not ask again."""

    container: "Container"
    platform: "Platform"

    def __call__(self) -> None:
        box, platform = self.container, self.platform
        with writing(box.engine) as connection:
            is_news = api_access.note_revoked(
                connection, platform.id, platform.api_access, now=box.now()
            )
        if is_news:
            _LOG.warning("the access to the API of platform %s was taken back", platform.id)


def user_tokens(container: "Container", platform: "Platform") -> UserTokens | None:
    """The tokens of what somebody authorised.

    Args:
        container: What to work with.
        platform: Whose API.

    Returns:
        None where nobody has authorised Waymark: a pasted token then counts, if there is one.

    Raises:
        SealBroken: A secret was sealed under another secret key.
    """  # noqa: DOC502 - raised by open()
    access = platform.api_access
    if not access.is_authorized:
        return None
    seal = Seal(seal=container.secrets.seal, open=lambda sealed: _opened(container, sealed))
    return AuthorizedTokens(
        _key(container, platform),
        container.secrets.open(access.sealed_refresh_token),
        shared=SharedTokens(
            cache=RedisTokenCache(container.redis), seal=seal, sleep=container.sleep
        ),
        now=container.now,
        on_revoked=_Remembering(container, platform),
        is_revoked=access.revoked_at is not None,
    )


def has_token(container: "Container", platform: "Platform") -> bool:
    """Whether a platform has an API token; one that cannot be opened any more is none."""
    return bool(_opened(container, platform.sealed_api_token))


def is_readable(container: "Container", platform: "Platform") -> bool:
    """Whether there is something to read a platform's gradebooks with."""
    access = platform.api_access
    is_authorized = access.is_authorized and access.revoked_at is None
    return is_authorized or has_token(container, platform)


def consent_url(platform: "Platform", *, redirect_uri: str, state: str) -> str:
    """Where an administrator's browser goes to consent."""
    return authorization_url(
        platform.api_url,
        client_id=platform.api_access.client_id,
        redirect_uri=redirect_uri,
        state=state,
    )


def authorize(
    container: "Container", platform: "Platform", *, code: str, redirect_uri: str
) -> Authorization:
    """Trade the code of a consent for an authorisation.

    Args:
        container: What to work with.
        platform: Whose API.
        code: From the browser.
        redirect_uri: Where the browser was sent back to.

    Returns:
        Who authorised, and the refresh token in the clear.

    Raises:
        AccessRefused: In words for the administrator.
    """
    http = HttpClient(
        platform=platform.name,
        addresses=(platform.api_url,),
        limiter=UnpacedLimiter(),
        public_url=container.settings.public_url,
        private_networks=container.settings.private_networks,
    )
    try:
        return exchange_code(http, _key(container, platform), code=code, redirect_uri=redirect_uri)
    except ConnectorError as error:
        raise AccessRefused(str(error), cause=error.cause) from error


def _key(container: "Container", platform: "Platform") -> DeveloperKey:
    access = platform.api_access
    return DeveloperKey(
        platform=platform.name,
        api_url=platform.api_url,
        client_id=access.client_id,
        client_secret=container.secrets.open(access.sealed_client_secret),
    )


def _opened(container: "Container", sealed: str) -> str | None:
    try:
        return container.secrets.open(sealed)
    except SealBroken:
        return None
