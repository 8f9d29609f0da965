"""New platforms: kept with the invitation that allowed them, waiting for approval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lti_tool.launch.form import is_plain
from lti_tool.launch.refusals import InvitationRefused, RegistrationFailed
from lti_tool.launch.services import Services
from store import deployments, invitations, registrations
from store.invitations import Invitation
from store.registrations import PlatformEntry, PlatformTaken
from store.session import reading, writing

if TYPE_CHECKING:
    from sqlalchemy import Connection

_NAME_LENGTH = 255
_ID_LENGTH = 255
_ISSUER_LENGTH = 512
_ADDRESS_LENGTH = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlatform:
    """A platform as it comes out of a registration, by itself or by hand.

    ``deployment`` is empty where the LMS names none yet.
    """

    issuer: str
    client_id: str
    deployment: str
    auth_url: str
    token_url: str
    jwks_url: str
    api_url: str
    audience: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A platform that waits for approval, and what the LMS did otherwise than asked."""

    name: str
    kind: str
    client_id: str
    deployment: str
    differences: Sequence[str] = ()
    origins: Sequence[str] = ()


def find_invitation(token: str, at: Services) -> Invitation:
    """The invitation of a token.

    Raises:
        InvitationRefused: It is unknown, used or over: which of these is not said.
    """
    with reading(at.engine) as connection:
        found = invitations.find_invitation(connection, token, at.now())
    if found is None:
        raise InvitationRefused("invitation_unknown")
    return found


def save_platform(platform: NewPlatform, invitation: Invitation, at: Services) -> str:
    """Keep a platform that waits for approval, and use the invitation up: both or neither.

    Args:
        platform: As registered with the LMS.
        invitation: Whose tenant it will belong to.
        at: The services.

    Returns:
        What it is called from now on.

    Raises:
        RegistrationFailed: It is registered already, by whomever, or has no usable form.
        InvitationRefused: The invitation was used meanwhile.
    """  # noqa: DOC502 - the last is raised by _save()
    _require_storable(platform)
    try:
        with writing(at.engine) as connection:
            name = _save(connection, platform, invitation, at=at)
    except PlatformTaken as error:
        raise RegistrationFailed("platform_taken", str(error)) from error
    at.container.registrations_changed()
    return name


def _save(
    connection: "Connection", platform: NewPlatform, invitation: Invitation, *, at: Services
) -> str:
    own = registrations.platforms(connection, invitation.tenant)
    if any((one.issuer, one.client_id) == (platform.issuer, platform.client_id) for one in own):
        # Whoever is invited may add a platform, never change one.
        raise RegistrationFailed(
            "platform_known",
            "This issuer and client id are registered already. If the LMS is yours, there is "
            "nothing left to register.",
        )
    name = _free_name(invitation.name, {one.name for one in own})
    entry = PlatformEntry(
        kind=invitation.kind,
        name=name,
        issuer=platform.issuer,
        client_id=platform.client_id,
        auth_url=platform.auth_url,
        token_url=platform.token_url,
        jwks_url=platform.jwks_url,
        api_url=platform.api_url,
        api_token="",
        is_active=False,
        audience=platform.audience,
    )
    secret_box = at.container.secrets
    saved = registrations.save_platform(connection, invitation.tenant, entry, secrets=secret_box)
    if platform.deployment:
        deployments.save_deployments(connection, saved, [platform.deployment])
    if not invitations.use_invitation(connection, invitation.id, saved, at.now()):
        raise InvitationRefused("invitation_used")
    return name


def _free_name(wanted: str, taken: set[str]) -> str:
    numbered = (f"{wanted[: _NAME_LENGTH - 6]} ({number})" for number in range(2, len(taken) + 3))
    return next(name for name in (wanted, *numbered) if name not in taken)


def _require_storable(platform: NewPlatform) -> None:
    """Refuse what no column holds: an LMS's answer is a stranger's text.

    Raises:
        RegistrationFailed: It is such.
    """
    addresses = (platform.auth_url, platform.token_url, platform.jwks_url, platform.api_url)
    is_sound = (
        _is_text(platform.client_id, _ID_LENGTH)
        and _is_text(platform.issuer, _ISSUER_LENGTH)
        and len(platform.deployment) <= _ID_LENGTH
        and is_plain(platform.deployment)
        and all(_is_text(address, _ADDRESS_LENGTH) for address in addresses)
    )
    if not is_sound:
        raise RegistrationFailed(
            "answer_form",
            "The LMS answered with an identifier or address that is longer than any LMS's, or "
            "holds characters that none uses.",
        )


def _is_text(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and is_plain(text)
