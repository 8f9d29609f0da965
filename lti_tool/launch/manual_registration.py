"""Registering by hand: the values to paste into an LMS's form, and those it shows in return."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bootstrap.presets import CANVAS, MOODLE, endpoints_of
from lti_tool.launch.form import Parameters, is_plain
from lti_tool.launch.new_platforms import (
    NewPlatform,
    Registered,
    find_invitation,
    save_platform,
)
from lti_tool.launch.services import Services
from lti_tool.launch.tool_configuration import (
    CANVAS_KEY_PATH,
    DESCRIPTION,
    KEY_SET_PATH,
    LAUNCH_PATH,
    LOGIN_PATH,
    NAME,
)
from store.invitations import Invitation

_LONGEST = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One line of an LMS's form: its label there, and what goes into it.

    ``is_choice`` says that it is chosen there, and not pasted.
    """

    label: str
    text: str
    is_choice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field of our form; ``label`` is the LMS's own, ``problem`` says what is wrong."""

    name: str
    label: str
    hint: str
    text: str
    is_needed: bool = True
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupForm:
    """The page for a registration by hand."""

    invite: str = field(repr=False)
    invitation: Invitation
    values: Sequence[Value]
    entries: Sequence[Entry]

    @property
    def problems(self) -> Sequence[Entry]:
        """The fields that must be mended."""
        return [entry for entry in self.entries if entry.problem]


def setup_form(invite: str, at: Services, sent: Mapping[str, str] | None = None) -> SetupForm:
    """The page for an invitation, empty or with what was typed.

    Args:
        invite: The invitation's token.
        at: The services.
        sent: What was typed; None for an empty form.

    Returns:
        The form, each wrong field with its problem.

    Raises:
        InvitationRefused: It is not good.
    """  # noqa: DOC502 - raised by find_invitation()
    invitation = find_invitation(invite, at)
    return SetupForm(
        invite=invite,
        invitation=invitation,
        values=_VALUES[invitation.kind](at.origin),
        entries=_entries(invitation, sent),
    )


def register_by_hand(parameters: Parameters, at: Services) -> Registered | SetupForm:
    """Keep the platform that the form describes, or give the form back with what is wrong.

    Args:
        parameters: ``invite`` and the fields of the form.
        at: The services.

    Returns:
        A platform that waits for approval, or the form.

    Raises:
        InvitationRefused: The invitation is not good.
        RegistrationFailed: The platform is registered already, by whomever.
    """  # noqa: DOC502 - raised by the parts
    form = setup_form(parameters.get("invite"), at, parameters.values)
    if form.problems:
        return form
    invitation = form.invitation
    typed = {entry.name: entry.text for entry in form.entries}
    issuer, api_url = invitation.issuer, invitation.api_url or typed.get(_API_URL, "").rstrip("/")
    endpoints = endpoints_of(invitation.kind, issuer=issuer, api_url=api_url or issuer)
    platform = NewPlatform(
        issuer=issuer,
        client_id=typed["client_id"],
        deployment=typed["deployment_id"],
        auth_url=endpoints.auth_url,
        token_url=endpoints.token_url,
        jwks_url=endpoints.jwks_url,
        api_url=api_url or issuer,
    )
    return Registered(
        name=save_platform(platform, invitation, at),
        kind=invitation.kind,
        client_id=platform.client_id,
        deployment=platform.deployment,
    )


def _entries(invitation: Invitation, sent: Mapping[str, str] | None) -> tuple[Entry, ...]:
    wanted = _MOODLE_ENTRIES if invitation.kind == MOODLE else _CANVAS_ENTRIES
    known = {"issuer": invitation.issuer, _API_URL: invitation.api_url}
    return tuple(_filled(entry, known.get(entry.name, ""), sent) for entry in wanted)


def _filled(entry: Entry, known: str, sent: Mapping[str, str] | None) -> Entry:
    if sent is None:
        return replace(entry, text=known)
    text = sent.get(entry.name, "").strip()
    return replace(entry, text=text, problem=_problem(entry, text, known))


def _problem(entry: Entry, text: str, known: str) -> str:
    if not text:
        return f"Enter the {entry.label}." if entry.is_needed else ""
    if len(text) > _LONGEST or not is_plain(text):
        return f"Copy the {entry.label} from the LMS again: this is longer than any LMS's."
    if known and text.rstrip("/") != known:
        return f"The invitation is for {known}. For another LMS ask for another invitation."
    if entry.name == _API_URL and not known and not _SECURE_SITE.fullmatch(text):
        return "Enter the address as https:// and the host, with nothing behind it."
    if entry.name in _IDS and any(character.isspace() for character in text):
        return f"Copy the {entry.label} from the LMS again: it has no spaces."
    return ""


_IDS = ("client_id", "deployment_id")
_API_URL = "api_url"
_SECURE_SITE = re.compile(r"https://[a-z0-9.-]+(?::\d{1,5})?/?", re.IGNORECASE)
_CANVAS_ENTRIES = (
    Entry(
        name="client_id",
        label="Client ID",
        hint="The number under Details of the developer key, for example 10000000000068.",
        text="",
    ),
    Entry(
        name="deployment_id",
        label="Deployment ID",
        hint="In the menu of the installed app. Left empty, it waits for its first launch.",
        text="",
        is_needed=False,
    ),
    Entry(
        name=_API_URL,
        label="address of your Canvas",
        hint="Where you log in to Canvas, for example https://school.instructure.com.",
        text="",
    ),
)
_MOODLE_ENTRIES = (
    Entry(name="issuer", label="Platform ID", hint="The address of your Moodle.", text=""),
    Entry(name="client_id", label="Client ID", hint="Fifteen letters and digits.", text=""),
    Entry(name="deployment_id", label="Deployment ID", hint="A number, for example 3.", text=""),
)


def _moodle_values(origin: str) -> tuple[Value, ...]:
    """In the order of Moodle's form.

    Source: contracts/moodle.md 3.2.
    """
    target = origin + LAUNCH_PATH
    return (
        Value(label="Tool name", text=NAME),
        Value(label="Tool URL", text=target),
        Value(label="Tool description", text=DESCRIPTION),
        Value(label="LTI version", text="LTI 1.3", is_choice=True),
        Value(label="Public key type", text="Keyset URL", is_choice=True),
        Value(label="Public keyset", text=origin + KEY_SET_PATH),
        Value(label="Initiate login URL", text=origin + LOGIN_PATH),
        Value(label="Redirection URI(s)", text=target),
        Value(label="Default launch container", text="Embed, without blocks", is_choice=True),
        Value(label="Supports Deep Linking (Content-Item Message)", text="Yes", is_choice=True),
        Value(label="Content Selection URL", text=target),
        Value(
            label="IMS LTI Assignment and Grade Services",
            text="Use this service for grade sync and column management",
            is_choice=True,
        ),
        Value(
            label="IMS LTI Names and Role Provisioning",
            text="Use this service to retrieve members' information as per privacy settings",
            is_choice=True,
        ),
        Value(label="Share launcher's name with tool", text="Always", is_choice=True),
        Value(label="Share launcher's email with tool", text="Never", is_choice=True),
        Value(label="Accept grades from the tool", text="Delegate to teacher", is_choice=True),
    )


def _canvas_values(origin: str) -> tuple[Value, ...]:
    """In the order of Canvas's form.

    Source: contracts/canvas.md 5.4.
    """
    return (
        Value(label="Key Name", text=NAME),
        Value(label="Redirect URIs", text=origin + LAUNCH_PATH),
        Value(label="Method", text="Enter URL", is_choice=True),
        Value(label="JSON URL", text=origin + CANVAS_KEY_PATH),
    )


_VALUES = {CANVAS: _canvas_values, MOODLE: _moodle_values}
