"""Authorising access to Canvas's own API: from a one-time address to a consent that is kept.

Whoever runs Waymark makes the address, for one platform; the administrator of that Canvas opens
it. Between leaving for Canvas and coming back, a record binds the state, the browser, the platform
and the developer key to one another. The address is used up when access came of it.
"""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from bootstrap.access import AccessRefused, Authorization, authorize, consent_url
from lti_tool.launch.cookies import ACCESS_PREFIX, cookie_name, digest, is_secret, new_secret
from lti_tool.launch.form import Parameters
from lti_tool.launch.refusals import AccessFailed, AccessLinkRefused, AccessOver
from lti_tool.launch.services import Services
from mapping.records import PlatformId, TenantId
from store import api_access, registrations
from store.registrations import Platform
from store.secrets import SealBroken
from store.session import reading, writing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bootstrap.container import Container

T = TypeVar("T")

CALLBACK_PATH = "/lti/access/callback"
LINK_LIFE = timedelta(hours=72)
CONSENT_SECONDS = 600
_LINK_KEY = "waymark:access-link:"
_CONSENT_KEY = "waymark:access-consent:"
_TOLD = {
    "access_denied": (
        "Somebody pressed Cancel in Canvas, so Waymark may not read or write there. If that was "
        "not meant, open the address again."
    ),
    "invalid_scope": (
        "The developer key in Canvas lacks a scope that Waymark asks for. Add every scope that "
        "waymark platform access prints to the key, and save it."
    ),
    "unauthorized_client": (
        "The developer key is switched off in Canvas, or off in this account. Switch it on under "
        "Developer Keys."
    ),
}
_OTHERWISE = (
    "Canvas answered with an error that Waymark does not know. Check the developer key in Canvas: "
    "its redirect URI, its scopes, and that it is on."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """What an address is good for."""

    tenant: TenantId
    platform: PlatformId


@dataclass(frozen=True, slots=True, kw_only=True)
class _Consent:
    """A consent that was asked for and not yet answered; digests only, and nothing secret."""

    link: _Link
    link_digest: str
    client_id: str
    browser_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Where the browser goes, and the cookie with which it has to come back."""

    address: str = field(repr=False)
    cookie: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorized:
    """Access that was kept: whose it is, and the cookie that has done its work."""

    platform: Platform
    user: str
    cookie: str


def make_link(container: "Container", platform: Platform) -> str:
    """An address with which the administrator of one Canvas authorises Waymark, once.

    Args:
        container: What to work with.
        platform: With a developer key.

    Returns:
        The whole address, good for 72 hours; it can be had only here and now.
    """
    token = secrets.token_urlsafe(32)
    link = _Link(tenant=platform.tenant, platform=platform.id)
    container.redis.set(_LINK_KEY + digest(token), msgspec.json.encode(link), ex=LINK_LIFE)
    return f"{container.settings.public_url}/lti/access/{token}"


def find_platform(token: str, at: Services) -> Platform:
    """The platform that an address is for.

    Raises:
        AccessLinkRefused: The address is unknown, used or over: which of these is not said.
    """  # noqa: DOC502 - raised by _link_of() and _platform_of()
    return _platform_of(_link_of(token, at), at)


def leave(token: str, at: Services) -> Leaving:
    """Begin a consent: where to send the browser.

    Args:
        token: Of the address.
        at: The services.

    Returns:
        An address of that Canvas and no other.

    Raises:
        AccessLinkRefused: The address is not good.

    Source: RFC 6749, 4.1.1 and 10.12 (``state`` bound to the browser).
    """  # noqa: DOC502 - raised by _link_of() and _platform_of()
    link = _link_of(token, at)
    platform = _platform_of(link, at)
    state, secret = secrets.token_urlsafe(32), new_secret(at.now())
    consent = _Consent(
        link=link,
        link_digest=digest(token),
        client_id=platform.api_access.client_id,
        browser_digest=digest(secret),
    )
    key = _CONSENT_KEY + digest(state)
    at.container.redis.set(key, msgspec.json.encode(consent), ex=CONSENT_SECONDS)
    return Leaving(
        address=consent_url(platform, redirect_uri=at.origin + CALLBACK_PATH, state=state),
        cookie=cookie_name(ACCESS_PREFIX, state),
        secret=secret,
    )


def come_back(parameters: Parameters, cookies: "Mapping[str, str]", at: Services) -> Authorized:
    """End a consent: keep the access that came of it.

    Args:
        parameters: ``state``, and ``code`` or ``error``.
        cookies: Of the browser.
        at: The services.

    Returns:
        Who authorised what.

    Raises:
        AccessOver: Nothing of the kind was begun in this browser, or it was ended already.
        AccessLinkRefused: The address was used meanwhile.
        AccessFailed: Canvas or the person said no.

    Source: RFC 6749, 4.1.2.
    """  # noqa: DOC502 - some are raised by the parts
    state = parameters.get("state")
    cookie = cookie_name(ACCESS_PREFIX, state)
    consent = _taken(state, cookies.get(cookie, ""), at)
    if not at.container.redis.exists(_LINK_KEY + consent.link_digest):
        raise AccessLinkRefused("access_link_used")
    platform = _platform_of(consent.link, at)
    _require_consent(parameters.get("error"))
    if platform.api_access.client_id != consent.client_id:
        raise AccessOver("access_key_changed")
    authorization = _authorization(parameters.get("code"), platform, at)
    _keep(authorization, platform, at)
    at.container.redis.delete(_LINK_KEY + consent.link_digest)
    return Authorized(platform=platform, user=authorization.user, cookie=cookie)


def _taken(state: str, secret: str, at: Services) -> _Consent:
    """The consent of a state, which is used up; a wrong browser learns no more than a late one.

    Raises:
        AccessOver: There is none, or it began in another browser.
    """
    found = at.container.redis.getdel(_CONSENT_KEY + digest(state))
    consent = _parsed(found, _Consent)
    if consent is None:
        raise AccessOver("access_state_unknown")
    if not is_secret(secret, consent.browser_digest):
        raise AccessOver("access_browser_other")
    return consent


def _require_consent(error: str) -> None:
    """Stop where Canvas sent an error; what the browser brought is shown and logged nowhere.

    Raises:
        AccessFailed: It did.
    """
    if error:
        known = error if error in _TOLD else "error_unknown"
        raise AccessFailed(f"access_{known}", _TOLD.get(error, _OTHERWISE))


def _authorization(code: str, platform: Platform, at: Services) -> Authorization:
    if not code:
        raise AccessFailed("access_no_code", _OTHERWISE)
    try:
        return authorize(at.container, platform, code=code, redirect_uri=at.origin + CALLBACK_PATH)
    except AccessRefused as error:
        raise AccessFailed(f"access_{error.cause}", str(error)) from error
    except SealBroken as error:
        raise AccessFailed("access_key_sealed_otherwise", str(error)) from error


def _keep(authorization: Authorization, platform: Platform, at: Services) -> None:
    with writing(at.engine) as connection:
        is_kept = api_access.save_authorization(
            connection,
            platform.tenant,
            platform.id,
            client_id=platform.api_access.client_id,
            user=authorization.user,
            refresh_token=authorization.refresh_token,
            secrets=at.container.secrets,
            now=at.now(),
        )
    if not is_kept:
        raise AccessOver("access_key_changed")


def _link_of(token: str, at: Services) -> _Link:
    link = _parsed(at.container.redis.get(_LINK_KEY + digest(token)), _Link)
    if link is None:
        raise AccessLinkRefused("access_link_unknown")
    return link


def _platform_of(link: _Link, at: Services) -> Platform:
    with reading(at.engine) as connection:
        platform = registrations.platform_of(connection, link.platform)
    if platform is None or platform.tenant != link.tenant or not platform.api_access.client_id:
        raise AccessLinkRefused("access_platform_gone")
    return platform


def _parsed(stored: object, kind: type[T]) -> T | None:
    if stored is None:
        return None
    return msgspec.json.decode(cast("bytes", stored), type=kind)
