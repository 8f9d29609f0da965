"""The claims of a launch: from a verified token's JSON to facts with types.

What LTI requires is checked and refused where wrong; what is optional and wrong counts as absent,
because real LMSs send junk there (contracts/lti.md 4.M).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import SplitResult, urlsplit

from lti_tool.launch.form import is_plain
from lti_tool.launch.refusals import ClaimsRefused, MessageUnsupported, ProofRefused
from lti_tool.launch.tokens import VerifiedToken

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
CANVAS_PLACEMENT = "https://www.instructure.com/placement"
RESOURCE_LINK_MESSAGE = "LtiResourceLinkRequest"
VERSION = "1.3.0"
LEEWAY = timedelta(seconds=60)
"""How long past its end a token is taken: Moodle's live for 60 s, and clocks differ."""
FUTURE_LEEWAY = timedelta(seconds=30)

_IDENTIFIER_LENGTH = 255
_TEXT_LENGTH = 512
_MOST_ROLES = 100
_PERSONAL = ("name", "given_name", "family_name", "email", "picture")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedClaims:
    """What a proven launch says.

    ``subject`` is None for an anonymous launch. ``context`` is where it was launched, a course or
    an account, None where the LMS does not say. ``custom`` holds texts only; variables that the
    LMS did not fill in are left out. ``target`` is on Waymark's own origin.
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
    """  # noqa: DOC502 - raised by _identifier()
    return _identifier(token.body.get(LTI + "deployment_id"), "deployment_id")


def parse_claims(token: VerifiedToken, origin: str) -> VerifiedClaims:
    """Read a resource link launch.

    Args:
        token: As signed, its audience, times and nonce checked.
        origin: Waymark's own, such as ``https://waymark.example``.

    Returns:
        Its claims.

    Raises:
        MessageUnsupported: It is another kind of LTI message.
        ClaimsRefused: A required claim is absent or wrong.

    Source: LTI Core 1.3, 5.3 (required claims), 5.4 (optional ones), 4.3 (ignore unknown ones).
    """  # noqa: DOC502 - raised by the readers of single claims
    body = token.body
    _require_message(body)
    context = _object(body.get(LTI + "context"))
    return VerifiedClaims(
        deployment=deployment_of(token),
        subject=_subject(body),
        roles=_roles(body.get(LTI + "roles")),
        target=_target(body.get(LTI + "target_link_uri"), origin),
        resource_link=_identifier(
            _required_object(body.get(LTI + "resource_link"), "resource_link").get("id"),
            "resource_link_id",
        ),
        context=_optional_identifier(context.get("id")),
        is_in_course=bool(context) and not _is_account(context.get("type")),
        context_title=_text(context.get("title")) or _text(context.get("label")),
        name=_text(body.get("name")),
        custom=_custom(body.get(LTI + "custom")),
        placement=_text(body.get(CANVAS_PLACEMENT)),
    )


def _require_message(body: Mapping[str, Any]) -> None:
    if body.get(LTI + "version") != VERSION:
        raise ClaimsRefused("version")
    message = body.get(LTI + "message_type")
    if not isinstance(message, str) or not message:
        raise ClaimsRefused("message_type")
    if message != RESOURCE_LINK_MESSAGE:
        raise MessageUnsupported("message_unsupported")


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
    return _identifier(body.get("sub"), "sub")


def _roles(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_ROLES:
        raise ClaimsRefused("roles_form")
    if not all(isinstance(role, str) for role in value):
        raise ClaimsRefused("roles_form")
    return tuple(role for role in value if len(role) <= _TEXT_LENGTH and is_plain(role))


def _target(value: object, origin: str) -> SplitResult:
    if not isinstance(value, str) or not is_own(value, origin):
        raise ClaimsRefused("target_link_uri")
    return urlsplit(value)


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


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address with a user is not ours")
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default


def _identifier(value: object, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _IDENTIFIER_LENGTH:
        raise ClaimsRefused(f"{name}_form")
    if not is_plain(value):
        raise ClaimsRefused(f"{name}_form")
    return value


def _optional_identifier(value: object) -> str | None:
    try:
        return _identifier(value, "context")
    except ClaimsRefused:
        return None


def _is_account(types: object) -> bool:
    # Canvas calls the context of an account "Account", which is no LTI context type.
    return isinstance(types, list) and "Account" in types


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _required_object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ClaimsRefused(f"{name}_form")
    return value


def _text(value: object) -> str:
    """A text for showing: shortened, and without what cannot be encoded."""
    if not isinstance(value, str):
        return ""
    return value[:_TEXT_LENGTH].encode("utf-8", "replace").decode("utf-8").strip()


def _custom(value: object) -> Mapping[str, str]:
    """Custom parameters; a variable that the LMS cannot fill in arrives as its own name."""
    found = {name: _custom_text(entry) for name, entry in _object(value).items()}
    return {name: text for name, text in found.items() if text and not text.startswith("$")}


def _custom_text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value)
    return text if len(text) <= _IDENTIFIER_LENGTH and is_plain(text) else ""
