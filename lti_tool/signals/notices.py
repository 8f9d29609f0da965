"""LTI notices: an LMS tells Waymark of something by itself, each in a signed token.

A notice is no launch and a launch is no notice: a notice names no message and opens nothing, and
an id_token names no notice.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from bootstrap.container import NOTICES_PATH
from lti_tool.launch import doors, tokens
from lti_tool.launch.claim_values import identifier, object_of, optional_identifier, required_object
from lti_tool.launch.claims import LTI, VERSION, deployment_of, require_audience, require_times
from lti_tool.launch.refusals import (
    ClaimsRefused,
    DeploymentUnapproved,
    LoginRefused,
    ProofRefused,
    RequestRefused,
    RequestTooLarge,
)
from lti_tool.launch.registry import KnownRegistration
from lti_tool.launch.services import Services, services
from lti_tool.launch.tokens import UnverifiedToken, VerifiedToken
from lti_tool.signals.bodies import body_of
from store import notice_handlers, signals
from store.registrations import Platform
from store.session import writing

MOST_BYTES = 1_048_576
MOST_NOTICES = 200
CONTEXT_COPY = "LtiContextCopyNotice"
_LOG = logging.getLogger(__name__)
_MOST_AUDIENCES = 10

blueprint = Blueprint("notices", __name__)


class _Notice(msgspec.Struct):
    jwt: str


class _Notices(msgspec.Struct):
    notices: list[_Notice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a proven notice says; ``context`` is the course that it is about, if it is."""

    platform: Platform
    type: str
    context: str | None


@blueprint.post(NOTICES_PATH)
def receive() -> Response:
    """Believe the notices that are proven, and drop the others.

    Raises:
        ProofRefused: There are some, and none of them is proven.

    Source: LTI Platform Notification Service 1.0, 5; contracts/lti.md B01 to B11.
    """
    at = services()
    at.doors.enter(doors.NOTICES, request.remote_addr or "")
    sent = _sent()
    at.registry.note(at.logins.version())
    found = [notice for one in sent if (notice := _proven_or_dropped(one.jwt, at)) is not None]
    if sent and not found:
        raise ProofRefused("no_notice_proven")
    for notice in found:
        if notice.type == CONTEXT_COPY and notice.context is not None:
            _note_news(notice.platform, notice.context, at)
    return Response(status=HTTPStatus.OK)


def _sent() -> list[_Notice]:
    """The notices of this request.

    Raises:
        RequestRefused: It is no list of them.
        RequestTooLarge: They are more than an LMS sends at once.
    """
    data = body_of(request, types=("application/json",), most_bytes=MOST_BYTES)
    try:
        found = msgspec.json.decode(data, type=_Notices).notices
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RequestRefused("notices_form") from error
    if len(found) > MOST_NOTICES:
        raise RequestTooLarge("too_many_notices")
    return found


def _proven_or_dropped(text: str, at: Services) -> Notice | None:
    try:
        return proven(text, at)
    except (ProofRefused, LoginRefused, ClaimsRefused, DeploymentUnapproved) as error:
        _LOG.info("dropped a notice reason=%s", error.reason)
        return None


def proven(text: str, at: Services) -> Notice:
    """What a notice says, if it is from a platform, for Waymark, valid now, and no launch.

    Args:
        text: A token as posted.
        at: The services.

    Returns:
        Of an active platform and an approved deployment.

    Raises:
        ProofRefused: It is not proven, or is a launch.
        ClaimsRefused: A claim that every notice has is absent or wrong.
        LoginRefused: No active platform sent it.
        DeploymentUnapproved: Its installation was not approved.
        KeySetUnavailable: The platform's keys cannot be had now.
    """  # noqa: DOC502 - raised by the steps
    token = tokens.parse_token(text)
    registration = _registration(token.body, at)
    verified = _verified(token, registration, at)
    require_audience(verified.body, registration.platform.client_id)
    require_times(verified, at.now())
    kind = _kind(verified.body)
    at.registry.require_deployment(registration.platform.id, deployment_of(verified))
    context = object_of(verified.body.get(LTI + "context"))
    return Notice(
        platform=registration.platform,
        type=kind,
        context=optional_identifier(context.get("id")),
    )


def _registration(body: Mapping[str, Any], at: Services) -> KnownRegistration:
    """The platform that a token says it is from, unproven.

    Raises:
        LoginRefused: There is none.
    """
    issuer, audience = body.get("iss"), body.get("aud")
    clients = audience[:_MOST_AUDIENCES] if isinstance(audience, list) else [audience]
    for client in clients:
        if isinstance(issuer, str) and isinstance(client, str) and client:
            try:
                return at.registry.find_registration_by_params(issuer, client)
            except LoginRefused:
                continue
    raise LoginRefused("platform_unknown")


def _verified(
    token: UnverifiedToken, registration: KnownRegistration, at: Services
) -> VerifiedToken:
    """The token, signed by the platform.

    Raises:
        ProofRefused: It is not.
    """
    url = registration.platform.jwks_url
    verified = tokens.verify(token, at.platform_keys.find(url, token.kid))
    if verified is None:
        verified = tokens.verify(token, at.platform_keys.find_again(url, token.kid))
    if verified is None:
        raise ProofRefused("notice_signature")
    return verified


def _kind(body: Mapping[str, Any]) -> str:
    """The kind of a notice.

    Raises:
        ProofRefused: It is a message for a browser.
        ClaimsRefused: It is no notice, or of another version.
    """
    if LTI + "message_type" in body:
        raise ProofRefused("message_as_notice")
    if body.get(LTI + "version") != VERSION:
        raise ClaimsRefused("version")
    notice = required_object(body.get(LTI + "notice"), "notice")
    return identifier(notice.get("type"), "notice_type")


def _note_news(platform: Platform, context: str, at: Services) -> None:
    """What was copied into a course is news of it; a course that is new comes with the night."""
    with writing(at.engine) as connection:
        course = notice_handlers.course_called(connection, platform.id, context)
        if course is not None:
            signals.note(connection, platform.id, [course[1]], now=at.now())
