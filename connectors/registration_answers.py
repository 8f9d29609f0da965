"""What a platform answered to a registration: taken, changed or refused.

Its words are turned into sentences for the administrator who stands before the LMS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from connectors.errors import GiveUp
from connectors.http import Reply

_TOOL_CLAIM = "https://purl.imsglobal.org/spec/lti-tool-configuration"
_LONGEST_WORDS = 2048

_REFUSALS = {
    "missing_registration_token": "it misses the registration token. Start again from the LMS, "
    "and paste the address exactly as Waymark showed it",
    "token_already_used": "this registration link was used before. Start again from the LMS",
    "domain_targetlinkuri_mismatch": "it does not accept the address of Waymark. Check the "
    "setting WAYMARK_PUBLIC_URL, port included",
    "missing required attribute": "it wants something that Waymark did not send. Its version "
    "may be newer than this Waymark; register by hand instead",
}
"""Moodle's words (``mod/lti/openid-registration.php``) and what they mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationAnswer:
    """What a platform made of a registration.

    Attributes:
        client_id: Waymark's client id there.
        deployment_id: None where the platform makes deployments later.
        scopes: Granted; those asked for where the platform does not repeat them.
        redirect_uris: As registered.
        warnings: What differs from what was asked, one sentence each.
    """

    client_id: str
    deployment_id: str | None
    scopes: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def refusal(reply: Reply) -> GiveUp:
    """The error that a refused registration stands for, in the administrator's words."""
    words = reply.body[:_LONGEST_WORDS].decode(errors="replace")
    for known, meaning in _REFUSALS.items():
        if known in words:
            return GiveUp(
                f"The LMS refused the registration: {meaning}.", cause="registration_refused"
            )
    if reply.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        return GiveUp(stale(), cause="registration_refused")
    return GiveUp(
        f"The LMS refused the registration (status {reply.status}). Register Waymark there by "
        "hand, or ask the LMS's administrator for its log.",
        cause="registration_refused",
    )


def answer_of(document: Mapping[str, Any], body: Mapping[str, Any]) -> RegistrationAnswer:
    """What a platform made of a registration, compared with what was asked.

    Args:
        document: The platform's answer.
        body: What was handed in.

    Returns:
        The answer; scopes and claims that are missing become warnings.

    Raises:
        GiveUp: There is no client id, or other redirect URIs were registered.

    Source: RFC 7591 section 3.2.1; LTI Dynamic Registration 1.0 section 3.6.
    """
    claim = document.get(_TOOL_CLAIM)
    tool: Mapping[str, Any] = claim if isinstance(claim, dict) else {}
    client_id = _id(document.get("client_id"))
    if client_id is None:
        raise GiveUp(
            "The LMS answered without a client id, so nothing was registered here. Look whether "
            "it made a tool nevertheless, delete that one, and start again.",
            cause="no_client_id",
        )
    asked_scopes = texts(body.get("scope"))
    scopes = document.get("scope", tool.get("scope"))
    granted = asked_scopes if scopes is None else texts(scopes)
    return RegistrationAnswer(
        client_id=client_id,
        deployment_id=_id(tool.get("deployment_id", document.get("deployment_id"))),
        scopes=granted,
        redirect_uris=_same_uris(document, body),
        warnings=(
            *_missing("scope", asked_scopes, granted),
            *_missing("claim", _claims(body.get(_TOOL_CLAIM)), _claims(tool)),
        ),
    )


def _id(value: object) -> str | None:
    """An id as text; some platforms send a number. None for nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def _same_uris(document: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[str, ...]:
    asked = texts(body.get("redirect_uris"))
    registered = texts(document.get("redirect_uris", list(asked)))
    if set(registered) != set(asked):
        raise GiveUp(
            "The LMS registered other redirect addresses than Waymark's, so launches would go "
            "astray. Nothing was registered here; delete the tool in the LMS and start again.",
            cause="redirect_uris_changed",
        )
    return registered


def _claims(tool: object) -> tuple[str, ...] | None:
    """What a tool configuration says of claims; None where it says nothing."""
    found = tool.get("claims") if isinstance(tool, dict) else None
    return None if found is None else texts(found)


def _missing(
    word: str, asked: Sequence[str] | None, granted: Sequence[str] | None
) -> tuple[str, ...]:
    if asked is None or granted is None:
        return ()
    return tuple(f"The LMS did not grant the {word} {one}." for one in asked if one not in granted)


def stale() -> str:
    """What to say where the registration token is too old or used."""
    return (
        "The LMS does not accept the registration link any more: it is too old, or it was used "
        "before. Nothing was registered. Start again from the LMS."
    )


def texts(value: object) -> tuple[str, ...]:
    """Texts of a list; of one text its words, as OAuth writes scopes."""
    if isinstance(value, str):
        return tuple(value.split())
    listed = value if isinstance(value, list) else []
    return tuple(one for one in listed if isinstance(one, str))
