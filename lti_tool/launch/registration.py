"""Registering a platform by itself: from a one-time invitation to a platform that waits.

Two requests: the first reads what the LMS says of itself and shows it, the second registers.
Between them the registration token is kept, sealed, under a random id; nothing is asked or
stored without an invitation, and nothing may launch before an administrator approved it.
"""

import logging
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import msgspec

from bootstrap.presets import CANVAS, endpoints_of
from bootstrap.registering import PlatformConfiguration, RegistrationAnswer, RegistrationRefused
from lti_tool.launch.cookies import digest
from lti_tool.launch.form import Parameters
from lti_tool.launch.new_platforms import (
    NewPlatform,
    Registered,
    find_invitation,
    save_platform,
)
from lti_tool.launch.refusals import RegistrationFailed, RegistrationOver
from lti_tool.launch.services import Services
from lti_tool.launch.tool_configuration import Asked, asked_of, registration_request
from store.invitations import Invitation
from store.secrets import SealBroken

if TYPE_CHECKING:
    from redis import Redis

BEGUN_SECONDS = 600
_BUSY_SECONDS = 60
_BEGUN_KEY = "waymark:registration:"
_BUSY_KEY = "waymark:registering:"
_PORTS = {"https": 443, "http": 80}
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?", re.IGNORECASE)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A registration that waits for the word of the person in front of it."""

    invite: str = field(repr=False)
    token: str = field(repr=False)
    configuration: PlatformConfiguration


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is asked of a person before anything is registered.

    ``origins`` are the LMS's own: they may frame the page.
    """

    begun_id: str = field(repr=False)
    invitation: Invitation
    configuration: PlatformConfiguration
    asked: Asked
    origins: Sequence[str]


class _Records:
    """Registrations that were begun, sealed in Redis for ten minutes."""

    def __init__(self, at: Services) -> None:
        self._redis: Redis = at.container.redis
        self._secrets = at.container.secrets

    def save(self, begun: Begun) -> str:
        begun_id = secrets.token_urlsafe(32)
        sealed = self._secrets.seal(msgspec.json.encode(begun).decode())
        self._redis.set(_BEGUN_KEY + digest(begun_id), sealed, ex=BEGUN_SECONDS)
        return begun_id

    def find(self, begun_id: str) -> Begun:
        return self._opened(self._redis.get(_BEGUN_KEY + digest(begun_id)))

    def take(self, begun_id: str) -> Begun:
        return self._opened(self._redis.getdel(_BEGUN_KEY + digest(begun_id)))

    def _opened(self, stored: object) -> Begun:
        if stored is None:
            raise RegistrationOver("registration_unknown")
        try:
            opened = self._secrets.open(cast("bytes", stored).decode())
        except SealBroken as error:
            raise RegistrationOver("registration_sealed_otherwise") from error
        return msgspec.json.decode(opened, type=Begun)


def begin(parameters: Parameters, at: Services) -> str:
    """Read what an LMS says of itself, and keep it for the person to confirm.

    Args:
        parameters: ``invite``, ``openid_configuration`` and perhaps ``registration_token``.
        at: The services.

    Returns:
        An id of 256 bits that stands for it, for ten minutes.

    Raises:
        InvitationRefused: Without a good invitation nothing is asked of anybody.
        RegistrationFailed: The LMS cannot be read, or is not the invited one.

    Source: LTI Dynamic Registration 1.0, 3.3 and 3.4.
    """  # noqa: DOC502 - the first is raised by find_invitation()
    invite = parameters.get("invite")
    invitation = find_invitation(invite, at)
    url = parameters.get("openid_configuration")
    token = parameters.get("registration_token")
    _require_known_site(url, invitation)
    try:
        configuration = at.container.read_registration(url, token, invited_url=invitation.api_url)
    except RegistrationRefused as error:
        raise RegistrationFailed(error.cause, str(error)) from error
    _require_invited(configuration, invitation)
    return _Records(at).save(Begun(invite=invite, token=token, configuration=configuration))


def show(begun_id: str, at: Services) -> Shown:
    """What was begun, for the person to look at; it may be looked at again.

    Raises:
        RegistrationOver: It was completed, or ten minutes are over.
        InvitationRefused: The invitation was used meanwhile.
    """  # noqa: DOC502 - raised by the parts
    begun = _Records(at).find(begun_id)
    invitation = find_invitation(begun.invite, at)
    return Shown(
        begun_id=begun_id,
        invitation=invitation,
        configuration=begun.configuration,
        asked=asked_of(invitation.kind, begun.configuration),
        origins=_origins(begun.configuration, invitation),
    )


def complete(begun_id: str, at: Services) -> Registered:
    """Register Waymark with the LMS, and keep the platform until somebody approves it.

    A registration that fails stores nothing and leaves the invitation good.

    Args:
        begun_id: From ``begin``; used up by this, whatever comes of it.
        at: The services.

    Returns:
        The platform.

    Raises:
        RegistrationOver: It was completed already, or ten minutes are over.
        InvitationRefused: The invitation is not good any more.
        RegistrationFailed: The LMS refuses, or what it answers cannot be kept.

    Source: LTI Dynamic Registration 1.0, 3.5 and 3.6.
    """  # noqa: DOC502 - some are raised by the parts
    begun = _Records(at).take(begun_id)
    invitation = find_invitation(begun.invite, at)
    configuration = begun.configuration
    with _once(invitation, at):
        body = registration_request(at.origin, asked_of(invitation.kind, configuration))
        try:
            answer = at.container.register(configuration, body, begun.token)
        except RegistrationRefused as error:
            raise RegistrationFailed(error.cause, str(error)) from error
        platform = _platform(configuration, answer, invitation)
        name = save_platform(platform, invitation, at)
    if answer.warnings:
        _LOG.info("registration of %s differs: %s", platform.issuer, "; ".join(answer.warnings))
    return Registered(
        name=name,
        kind=invitation.kind,
        client_id=platform.client_id,
        deployment=platform.deployment,
        differences=answer.warnings,
        origins=_origins(configuration, invitation),
    )


@contextmanager
def _once(invitation: Invitation, at: Services) -> Iterator[None]:
    """Keep a second registration with the same invitation out while one is under way.

    Raises:
        RegistrationOver: One is.
    """
    key = f"{_BUSY_KEY}{invitation.id}"
    if not at.container.redis.set(key, 1, nx=True, ex=_BUSY_SECONDS):
        raise RegistrationOver("registration_under_way")
    try:
        yield
    finally:
        at.container.redis.delete(key)


def _require_known_site(url: str, invitation: Invitation) -> None:
    """Refuse to ask any site but the invited LMS's own: the address came with a request.

    Raises:
        RegistrationFailed: It is another one, or none at all.
    """
    if not url:
        raise RegistrationFailed(
            "no_configuration",
            "This address is for the LMS: paste it there, where the LMS registers tools.",
        )
    issuer, api_url = invitation.issuer, invitation.api_url
    login_url = endpoints_of(invitation.kind, issuer=issuer, api_url=api_url or issuer).auth_url
    if _site(url) not in {_site(known) for known in (issuer, api_url, login_url) if known}:
        raise RegistrationFailed(
            "configuration_elsewhere",
            f"The invitation is for the LMS with the issuer {issuer}, and the request names "
            "another site. Nothing was asked there.",
        )


def _site(url: str) -> tuple[str, str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None


def _require_invited(configuration: PlatformConfiguration, invitation: Invitation) -> None:
    """Refuse an LMS that is not the invited one, letter by letter.

    Raises:
        RegistrationFailed: It is not.
    """
    if configuration.issuer != invitation.issuer:
        raise RegistrationFailed(
            "issuer_other",
            f"The invitation is for the LMS with the issuer {invitation.issuer}, and another one "
            "was registering. Nothing was registered.",
        )
    family = configuration.product_family.lower()
    if family and family != invitation.kind:
        raise RegistrationFailed(
            "product_other",
            f"The invitation is for {invitation.kind.capitalize()}, and the LMS says that it is "
            "something else. Nothing was registered.",
        )


def _platform(
    configuration: PlatformConfiguration, answer: RegistrationAnswer, invitation: Invitation
) -> NewPlatform:
    is_canvas = invitation.kind == CANVAS
    return NewPlatform(
        issuer=configuration.issuer,
        client_id=answer.client_id,
        deployment=answer.deployment_id or "",
        auth_url=configuration.authorization_endpoint,
        token_url=configuration.token_endpoint,
        jwks_url=configuration.jwks_uri,
        api_url=invitation.api_url or configuration.issuer,
        # Canvas compares the audience of a token request with its token endpoints alone.
        audience="" if is_canvas else configuration.audience,
    )


def _origins(configuration: PlatformConfiguration, invitation: Invitation) -> tuple[str, ...]:
    """Where the LMS's own pages are; what is no plain origin gets into no header."""
    addresses: Iterable[str] = (
        configuration.url,
        configuration.issuer,
        configuration.authorization_endpoint,
        invitation.api_url,
    )
    found = (urlsplit(address) for address in addresses if address)
    origins = (f"{parts.scheme}://{parts.netloc}" for parts in found)
    return tuple(dict.fromkeys(origin for origin in origins if _ORIGIN.fullmatch(origin)))
