"""What Waymark says of itself to an LMS: the one place for addresses, rights and placements.

The same facts go out in three forms: the body of a dynamic registration, the JSON of a Canvas
developer key, and single values for a form that is filled in by hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from bootstrap.presets import CANVAS, MOODLE
from bootstrap.registering import PlatformConfiguration, SupportedMessage
from lti_tool.launch.claims import CONTRAST_PARAMETER, DEEP_LINKING_MESSAGE, RESOURCE_LINK_MESSAGE

NAME = "Waymark"
DESCRIPTION = "Shows which competencies each learner has mastered, and on what evidence."
TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
LOGIN_PATH = "/lti/login"
LAUNCH_PATH = "/lti/launch"
KEY_SET_PATH = "/lti/jwks"
CANVAS_KEY_PATH = "/lti/canvas.json"

_AGS = "https://purl.imsglobal.org/spec/lti-ags/scope"
_NRPS = "https://purl.imsglobal.org/spec/lti-nrps/scope"
_NOTICES = "https://purl.imsglobal.org/spec/lti/scope/noticehandlers"
_CANVAS = "https://canvas.instructure.com/lti"
_CANVAS_PLATFORM = "canvas.instructure.com"
_TOOL_ID = "waymark"
_PRIVACY = "public"
# Who a person is, and no more: neither e-mail nor picture is of use to Waymark.
_CLAIMS = ("iss", "sub", "name", "given_name", "family_name")
_SELECTION_PIXELS = 800


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """A scope, and what Waymark does with it; nothing is lost without an optional one."""

    scope: str
    purpose: str
    is_optional: bool = False


RIGHTS = (
    Right(scope=f"{_AGS}/lineitem", purpose="Make and name the gradebook columns for mastery"),
    # Moodle takes no other scope for reading columns where only marks are to be written.
    Right(scope=f"{_AGS}/lineitem.readonly", purpose="See which gradebook columns there are"),
    Right(scope=f"{_AGS}/result.readonly", purpose="Read back what stands in those columns"),
    Right(scope=f"{_AGS}/score", purpose="Write the mastery status into those columns"),
    Right(scope=f"{_NRPS}/contextmembership.readonly", purpose="See who belongs to a course"),
    Right(
        scope=_NOTICES,
        purpose="Be told when a course is copied, and read it sooner",
        is_optional=True,
    ),
)
SCOPES = tuple(right.scope for right in RIGHTS)
CUSTOM_PARAMETERS: Mapping[str, Mapping[str, str]] = {
    CANVAS: {
        "canvas_course_id": "$Canvas.course.id",
        "canvas_user_id": "$Canvas.user.id",
        "canvas_account_id": "$Canvas.account.id",
        "canvas_api_base": "$Canvas.api.baseUrl",
        CONTRAST_PARAMETER: "$Canvas.user.prefersHighContrast",
        "sis_user_id": "$Canvas.user.sisSourceId",
        "sis_course_id": "$Canvas.course.sisSourceId",
    },
    # Moodle's launches carry the ids of its web services as they are.
    MOODLE: {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A place in the LMS where Waymark can be opened; ``label`` is in the LMS's own words."""

    name: str
    message: str
    label: str
    visibility: str = ""


PLACEMENTS: Mapping[str, Sequence[Placement]] = {
    CANVAS: (
        Placement(
            name="course_navigation",
            message=RESOURCE_LINK_MESSAGE,
            label="Course navigation",
            visibility="members",
        ),
        Placement(
            name="account_navigation",
            message=RESOURCE_LINK_MESSAGE,
            label="Account navigation, for administrators",
            visibility="admins",
        ),
        Placement(
            name="assignment_selection",
            message=DEEP_LINKING_MESSAGE,
            label="Assignments, as external tool",
        ),
        Placement(
            name="link_selection", message=DEEP_LINKING_MESSAGE, label="Modules, as external tool"
        ),
    ),
    MOODLE: (
        Placement(
            name="", message=RESOURCE_LINK_MESSAGE, label="Activities of the type External tool"
        ),
        Placement(
            name="ContentArea",
            message=DEEP_LINKING_MESSAGE,
            label="Select content, when an activity is added",
        ),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What Waymark asks of one LMS; ``unavailable`` are the things it cannot give."""

    kind: str
    rights: Sequence[Right]
    placements: Sequence[Placement]
    unavailable: Sequence[str] = ()


def asked_of(kind: str, configuration: PlatformConfiguration) -> Asked:
    """What to ask of an LMS: all that Waymark uses, as far as the LMS says it can give it.

    An LMS that refuses what it does not know would otherwise refuse the whole registration.

    Args:
        kind: ``canvas`` or ``moodle``.
        configuration: What the LMS says of itself; where it lists nothing, all is asked for.
    """
    offered = configuration.scopes
    rights = [one for one in RIGHTS if not offered or one.scope in offered]
    found = [(one, _as_offered(one, configuration.messages)) for one in PLACEMENTS[kind]]
    return Asked(
        kind=kind,
        rights=rights,
        placements=[placement for _, placement in found if placement is not None],
        unavailable=(
            *(one.purpose for one in RIGHTS if one not in rights and not one.is_optional),
            *(one.label for one, placement in found if placement is None),
        ),
    )


def _as_offered(placement: Placement, messages: Sequence[SupportedMessage]) -> Placement | None:
    """The placement under the LMS's own name of it: Canvas writes some with a prefix."""
    if not messages:
        return placement
    of_its_kind = [message for message in messages if message.type == placement.message]
    names = [name for message in of_its_kind for name in message.placements]
    if not of_its_kind:
        return None
    if not placement.name or not names:
        return placement
    known = (name for name in names if name.rpartition("/")[2] == placement.name)
    return next((replace(placement, name=name) for name in known), None)


def domain_of(origin: str) -> str:
    """The host with its port, where it has one: Moodle compares both with the target's.

    Source: contracts/moodle.md 3.3.
    """
    return urlsplit(origin).netloc


def registration_request(origin: str, asked: Asked) -> dict[str, Any]:
    """The body of a dynamic registration.

    Args:
        origin: Where browsers and LMSs reach Waymark.
        asked: What is wanted of the LMS.

    Returns:
        A JSON object.

    Source: LTI Dynamic Registration 1.0, 3.5; contracts/canvas.md 5.5; contracts/moodle.md 3.3.
    """
    target = origin + LAUNCH_PATH
    tool = {
        "domain": domain_of(origin),
        "description": DESCRIPTION,
        "target_link_uri": target,
        "custom_parameters": dict(CUSTOM_PARAMETERS[asked.kind]),
        "claims": list(_CLAIMS),
        "messages": [_message(placement, target) for placement in asked.placements],
    }
    if asked.kind == CANVAS:
        tool |= {f"{_CANVAS}/privacy_level": _PRIVACY, f"{_CANVAS}/tool_id": _TOOL_ID}
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": origin + LOGIN_PATH,
        "redirect_uris": [target],
        "client_name": NAME,
        "jwks_uri": origin + KEY_SET_PATH,
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(right.scope for right in asked.rights),
        TOOL_CONFIGURATION: tool,
    }


def _message(placement: Placement, target: str) -> dict[str, Any]:
    message: dict[str, Any] = {
        "type": placement.message,
        "target_link_uri": target,
        "label": NAME,
    }
    if placement.name:
        message["placements"] = [placement.name]
    if placement.visibility:
        message[f"{_CANVAS}/visibility"] = placement.visibility
    return message


def canvas_key(origin: str) -> dict[str, Any]:
    """The JSON from which Canvas makes a developer key.

    Args:
        origin: Where browsers and LMSs reach Waymark.

    Returns:
        A JSON object.

    Source: contracts/canvas.md 5.4.
    """
    target = origin + LAUNCH_PATH
    return {
        "title": NAME,
        "description": DESCRIPTION,
        "oidc_initiation_url": origin + LOGIN_PATH,
        "target_link_uri": target,
        "public_jwk_url": origin + KEY_SET_PATH,
        "scopes": list(SCOPES),
        "custom_fields": dict(CUSTOM_PARAMETERS[CANVAS]),
        "extensions": [
            {
                "platform": _CANVAS_PLATFORM,
                "domain": domain_of(origin),
                "tool_id": _TOOL_ID,
                "privacy_level": _PRIVACY,
                "settings": {
                    "text": NAME,
                    "selection_height": _SELECTION_PIXELS,
                    "selection_width": _SELECTION_PIXELS,
                    "placements": [_canvas_placement(one, target) for one in PLACEMENTS[CANVAS]],
                },
            }
        ],
    }


def _canvas_placement(placement: Placement, target: str) -> dict[str, Any]:
    found = {
        "placement": placement.name,
        "message_type": placement.message,
        "target_link_uri": target,
        "text": NAME,
    }
    return found | ({"visibility": placement.visibility} if placement.visibility else {})
