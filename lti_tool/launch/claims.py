"""The claims of a launch: from a verified token's JSON to facts with types.

Three messages are read: the launch of a resource link, the request for links to place (deep
linking), and the review of a learner's submission. What LTI requires is checked and refused where
wrong; what is optional and wrong counts as absent, because real LMSs send junk there
(contracts/lti.md 4.M).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from lti_tool.launch.claim_values import (
    ADDRESS_LENGTH,
    IDENTIFIER_LENGTH,
    TEXT_LENGTH,
    address,
    identifier,
    identifiers,
    object_of,
    opaque,
    optional_identifier,
    required_object,
    text,
    truth,
)
from lti_tool.launch.form import is_plain
from lti_tool.launch.refusals import ClaimsRefused, MessageUnsupported, ProofRefused
from lti_tool.launch.tokens import VerifiedToken

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
CANVAS_PLACEMENT = "https://www.instructure.com/placement"
RESOURCE_LINK_MESSAGE = "LtiResourceLinkRequest"
DEEP_LINKING_MESSAGE = "LtiDeepLinkingRequest"
REVIEW_MESSAGE = "LtiSubmissionReviewRequest"
MESSAGES = frozenset({RESOURCE_LINK_MESSAGE, DEEP_LINKING_MESSAGE, REVIEW_MESSAGE})
FOCUS_PARAMETER = "waymark_competencies"
"""The custom parameter of a placed link that names the competencies it is about."""
CONTRAST_PARAMETER = "canvas_high_contrast"
"""The custom parameter that says whether the person has asked the LMS for high contrast."""
MOST_FOCUSED = 100
VERSION = "1.3.0"
LEEWAY = timedelta(seconds=60)
"""How long past its end a token is taken: Moodle's live for 60 s, and clocks differ."""
FUTURE_LEEWAY = timedelta(seconds=30)

_DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
_GRADES = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
_MEMBERS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
_MOST_ROLES = 100
_MOST_MENTEES = 1000
_MOST_TYPES = 50
# Canvas was seen to encode custom parameters of placed links, and to do so twice.
_MOST_ENCODED = 3
_PERSONAL = ("name", "given_name", "family_name", "email", "picture")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepLinkingSettings:
    """What an LMS wants back when it asks for links to place in a course.

    ``return_url`` takes the answer, ``data`` goes back with it as it came, None where none came.
    ``may_have_line_items`` is False only where the LMS says that it takes none. ``placement`` is
    Canvas's word for where it was asked, empty elsewhere.

    Source: LTI Deep Linking 2.0, 4.4.1.
    """

    return_url: str
    accept_types: tuple[str, ...]
    is_multiple: bool
    may_have_line_items: bool
    data: str | None = field(repr=False)
    title: str
    text: str
    placement: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedClaims:
    """What a proven launch says.

    ``subject`` is None for an anonymous launch. ``context`` is where it was launched, a course or
    an account, None where the LMS does not say. ``custom`` holds texts only; variables that the
    LMS did not fill in are left out. ``target`` is on Waymark's own origin. ``resource_link`` is
    empty where links are still to be placed.

    ``focus`` holds the identifiers of the competencies that a placed link is about; ``mentees``
    the people whom a mentor follows, by the LMS's LTI ids, None where the LMS names no such list;
    ``review_of`` whose submission is to be reviewed. Addresses of services are empty where the
    LMS offers none; ``notice_types`` are what it can tell Waymark of by itself.
    """

    deployment: str
    subject: str | None
    roles: tuple[str, ...]
    target: SplitResult
    resource_link: str
    context: str | None
    context_title: str
    is_in_course: bool
    name: str = field(repr=False)
    custom: Mapping[str, str] = field(repr=False)
    placement: str
    message: str = RESOURCE_LINK_MESSAGE
    focus: tuple[str, ...] = ()
    mentees: tuple[str, ...] | None = None
    review_of: str | None = None
    deep_linking: DeepLinkingSettings | None = None
    lineitems_url: str = ""
    lineitem_url: str = ""
    memberships_url: str = ""
    notices_url: str = ""
    notice_types: tuple[str, ...] = ()
    locale: str = ""
    has_high_contrast: bool = False


def require_audience(body: Mapping[str, Any], client_id: str) -> None:
    """Check for whom a token was made.

    More audiences than one are taken if ``azp`` says that it was issued to this client.

    Args:
        body: A token's claims.
        client_id: Waymark's, as the login was made for.

    Raises:
        ProofRefused: It was made for somebody else.

    Source: OpenID Connect Core 1.0, 3.1.3.7, rules 3 to 5.
    """
    audience = body.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or not all(isinstance(one, str) for one in audiences):
        raise ProofRefused("audience_form")
    if client_id not in audiences:
        raise ProofRefused("audience_other")
    if "azp" not in body and len(audiences) == 1:
        return
    if body.get("azp") != client_id:
        raise ProofRefused("authorized_party_other")


def require_times(token: VerifiedToken, now: datetime) -> None:
    """Check that a token is valid at a moment.

    Args:
        token: As signed.
        now: Aware; ``exp`` may lie 60 s before it, ``iat`` and ``nbf`` 30 s behind it.

    Raises:
        ProofRefused: It expired, is from the future, or does not say.

    Source: LTI Security Framework 1.0, 5.1.2 (``exp`` and ``iat`` are required); RFC 7519, 4.1.
    """
    expires = _moment(token.body, "exp")
    issued = _moment(token.body, "iat")
    starts = _moment(token.body, "nbf") if "nbf" in token.body else issued
    if expires <= (now - LEEWAY).timestamp():
        raise ProofRefused("expired")
    if max(issued, starts) > (now + FUTURE_LEEWAY).timestamp():
        raise ProofRefused("not_yet_valid")
    if expires < issued:
        raise ProofRefused("expires_before_issued")


def deployment_of(token: VerifiedToken) -> str:
    """The deployment a launch comes from.

    Raises:
        ClaimsRefused: It is absent or no text of 1 to 255 characters.

    Source: LTI Core 1.3, 5.3.3.
    """  # noqa: DOC502 - raised by identifier()
    return identifier(token.body.get(LTI + "deployment_id"), "deployment_id")


def platform_about(token: VerifiedToken) -> str:
    """What a platform says of itself, for the administrator who approves a deployment.

    Source: LTI Core 1.3, 5.4.2 (``tool_platform``).
    """
    about = object_of(token.body.get(LTI + "tool_platform"))
    said = [text(about.get(name)) for name in ("name", "url", "guid")]
    return ", ".join(one for one in said if one)[:TEXT_LENGTH]


def parse_claims(token: VerifiedToken, origin: str) -> VerifiedClaims:
    """Read a launch.

    Args:
        token: As signed, its audience, times and nonce checked.
        origin: Waymark's own, such as ``https://waymark.example``.

    Returns:
        Its claims.

    Raises:
        MessageUnsupported: It is another kind of LTI message.
        ClaimsRefused: A required claim is absent or wrong.

    Source: LTI Core 1.3, 5.3 (required claims), 5.4 (optional ones), 4.3 (ignore unknown ones);
    LTI Deep Linking 2.0, 4.4; LTI Submission Review 1.0, 4.
    """  # noqa: DOC502 - raised by the readers of single claims
    body = token.body
    message = _message(body)
    context = object_of(body.get(LTI + "context"))
    grades = object_of(body.get(_GRADES))
    notices = object_of(body.get(LTI + "platformnotificationservice"))
    lineitem_url = address(grades.get("lineitem"), origin)
    return VerifiedClaims(
        deployment=deployment_of(token),
        subject=_subject(body),
        roles=_roles(body.get(LTI + "roles")),
        target=_target(body, origin, message),
        resource_link=_resource_link(body, message),
        context=optional_identifier(context.get("id")),
        is_in_course=bool(context) and not _is_account(context.get("type")),
        context_title=text(context.get("title")) or text(context.get("label")),
        name=text(body.get("name")),
        custom=_custom(body.get(LTI + "custom")),
        placement=text(body.get(CANVAS_PLACEMENT)),
        message=message,
        focus=_focus(body.get(LTI + "custom")),
        mentees=_mentees(body.get(LTI + "role_scope_mentor")),
        review_of=_review_of(body, lineitem_url) if message == REVIEW_MESSAGE else None,
        deep_linking=_settings(body, origin) if message == DEEP_LINKING_MESSAGE else None,
        lineitems_url=address(grades.get("lineitems"), origin),
        lineitem_url=lineitem_url,
        memberships_url=address(
            object_of(body.get(_MEMBERS)).get("context_memberships_url"), origin
        ),
        notices_url=address(notices.get("platform_notification_service_url"), origin),
        notice_types=identifiers(notices.get("notice_types_supported")),
        locale=_locale(body),
        has_high_contrast=_has_high_contrast(body.get(LTI + "custom")),
    )


def _locale(body: Mapping[str, Any]) -> str:
    """The language that the person has chosen in the LMS.

    Source: LTI Core 1.3, 5.4.4 (``launch_presentation``); contracts/canvas.md 5.3 (``locale``).
    """
    presentation = object_of(body.get(LTI + "launch_presentation"))
    return text(presentation.get("locale")) or text(body.get("locale"))


def _has_high_contrast(custom: object) -> bool:
    """Whether the person has asked Canvas for high contrast.

    Source: contracts/canvas.md 5.6 (``$Canvas.user.prefersHighContrast``).
    """
    return truth(object_of(custom).get(CONTRAST_PARAMETER), default=False)


def _message(body: Mapping[str, Any]) -> str:
    if body.get(LTI + "version") != VERSION:
        raise ClaimsRefused("version")
    message = body.get(LTI + "message_type")
    if not isinstance(message, str) or not message:
        raise ClaimsRefused("message_type")
    if message not in MESSAGES:
        raise MessageUnsupported("message_unsupported")
    return message


def _moment(body: Mapping[str, Any], name: str) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProofRefused(f"{name}_form")
    try:
        moment = float(value)
    except OverflowError as error:
        raise ProofRefused(f"{name}_form") from error
    if not math.isfinite(moment) or moment < 0:
        raise ProofRefused(f"{name}_form")
    return moment


def _subject(body: Mapping[str, Any]) -> str | None:
    """The person; anonymous only where the LMS says nothing of a person at all."""
    if "sub" not in body and not any(name in body for name in _PERSONAL):
        return None
    return identifier(body.get("sub"), "sub")


def _roles(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_ROLES:
        raise ClaimsRefused("roles_form")
    if not all(isinstance(role, str) for role in value):
        raise ClaimsRefused("roles_form")
    return tuple(role for role in value if len(role) <= TEXT_LENGTH and is_plain(role))


def _target(body: Mapping[str, Any], origin: str, message: str) -> SplitResult:
    # A request for links need not say what it opens: there is one picker.
    value = body.get(LTI + "target_link_uri")
    if value is None and message == DEEP_LINKING_MESSAGE:
        return urlsplit(origin)
    if not isinstance(value, str) or not is_own(value, origin):
        raise ClaimsRefused("target_link_uri")
    return urlsplit(value)


def _resource_link(body: Mapping[str, Any], message: str) -> str:
    if message == DEEP_LINKING_MESSAGE:
        return ""
    link = required_object(body.get(LTI + "resource_link"), "resource_link")
    return identifier(link.get("id"), "resource_link_id")


def _settings(body: Mapping[str, Any], origin: str) -> DeepLinkingSettings:
    sent = required_object(body.get(_DEEP_LINKING), "deep_linking")
    return_url = address(sent.get("deep_link_return_url"), origin)
    if not return_url:
        raise ClaimsRefused("deep_link_return_url")
    return DeepLinkingSettings(
        return_url=return_url,
        accept_types=_accept_types(sent.get("accept_types")),
        is_multiple=truth(sent.get("accept_multiple"), default=False),
        may_have_line_items=truth(sent.get("accept_lineitem"), default=True),
        data=opaque(sent.get("data")),
        title=text(sent.get("title")),
        text=text(sent.get("text")),
        placement=text(body.get(CANVAS_PLACEMENT)),
    )


def _accept_types(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= _MOST_TYPES:
        raise ClaimsRefused("accept_types")
    return tuple(identifier(one, "accept_type") for one in value)


def _review_of(body: Mapping[str, Any], lineitem_url: str) -> str:
    if not lineitem_url:
        raise ClaimsRefused("review_line_item")
    learner = required_object(body.get(LTI + "for_user"), "for_user")
    return identifier(learner.get("user_id"), "for_user_id")


def _mentees(value: object) -> tuple[str, ...] | None:
    """The people a mentor follows; a list that cannot be read names nobody, not everybody."""
    if value is None:
        return None
    named = value[:_MOST_MENTEES] if isinstance(value, list) else []
    found = (optional_identifier(one) for one in named)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _focus(custom: object) -> tuple[str, ...]:
    """Identifiers of competencies, as Waymark wrote them into the link when it was placed.

    Source: contracts/canvas.md 7.12 (values encoded twice).
    """
    sent = object_of(custom).get(FOCUS_PARAMETER)
    if not isinstance(sent, str) or len(sent) > ADDRESS_LENGTH:
        return ()
    parts = (part.strip() for part in _decoded(sent).split(","))
    found = (optional_identifier(part) for part in parts if not part.startswith("$"))
    return tuple(dict.fromkeys(one for one in found if one is not None))[:MOST_FOCUSED]


def _decoded(value: str) -> str:
    for _ in range(_MOST_ENCODED):
        value = unquote(value)
    return value


def is_own(address: str, origin: str) -> bool:
    """Whether an address lies on an origin, so that a browser would also see it there.

    Browsers read a backslash as a slash and skip control characters; both are refused.
    """
    if "\\" in address or not address.isprintable() or address != address.strip():
        return False
    try:
        return _origin(address) == _origin(origin)
    except ValueError:
        return False


def origin_of(address: str) -> str:
    """Scheme, host and port of an address, as browsers write an origin; empty where it has none."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address with a user is not ours")
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default


def _is_account(types: object) -> bool:
    # Canvas calls the context of an account "Account", which is no LTI context type.
    return isinstance(types, list) and "Account" in types


def _custom(value: object) -> Mapping[str, str]:
    """Custom parameters; a variable that the LMS cannot fill in arrives as its own name."""
    found = {name: _custom_text(entry) for name, entry in object_of(value).items()}
    return {name: one for name, one in found.items() if one and not one.startswith("$")}


def _custom_text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    said = str(value)
    return said if len(said) <= IDENTIFIER_LENGTH and is_plain(said) else ""
