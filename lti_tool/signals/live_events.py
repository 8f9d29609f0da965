"""Canvas Live Events over HTTPS: something happened in a course, so it may be read sooner.

An event is believed in one thing only: that a course has news. It changes no score, so that a
replayed, doubled, late or lost event does no harm.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, request

from lti_tool.guards import NotThere
from lti_tool.launch import doors, tokens
from lti_tool.launch.claim_values import object_of
from lti_tool.launch.refusals import ProofRefused
from lti_tool.launch.services import services
from lti_tool.launch.tokens import VerifiedToken
from lti_tool.signals.bodies import body_of
from mapping.records import CourseRef
from store import event_sources, signals
from store.event_sources import EventSource
from store.session import reading, writing

EVENTS_PATH = "/events/canvas"
MOST_BYTES = 131_072
_TYPES = ("application/jwt", "application/json")
"""Canvas called the same token JSON until July 2026. Source: contracts/canvas.md 6."""
_SHARD = 10**13
_LONGEST_NUMBER = 25
_NEWS = frozenset({"grade_change", "rubric_assessed", "sis_batch_updated"})
_NEWS_OF = (
    "assignment_",
    "enrollment_",
    "learning_outcome_result_",
    "quiz_submitted",
    "submission_",
    "course_updated",
)
_NO_NEWS = ("submission_comment_",)

blueprint = Blueprint("live_events", __name__, url_prefix=EVENTS_PATH)


@blueprint.post("/<token>")
def receive(token: str) -> Response:
    """Put down that a course has news.

    Raises:
        NotThere: No active LMS has this address.

    Source: contracts/canvas.md 6.
    """
    at = services()
    at.doors.enter(doors.EVENTS, request.remote_addr or "")
    with reading(at.engine) as connection:
        source = event_sources.find_source(connection, token)
    if source is None:
        raise NotThere
    sent = body_of(request, types=_TYPES, most_bytes=MOST_BYTES)
    course = course_with_news(_verified(sent, source).body)
    if course is not None:
        with writing(at.engine) as connection:
            signals.note(connection, source.platform, [course], now=at.now())
    return Response(status=HTTPStatus.NO_CONTENT)


def course_with_news(event: Mapping[str, Any]) -> CourseRef | None:
    """The course that an event is about, None where it tells nothing of scores.

    Args:
        event: As signed, in the format that Canvas calls its own, with metadata and a body.

    Returns:
        The course by the id that Canvas's own API uses.

    Source: contracts/canvas.md 6 (events and global ids); Canvas Live Events, metadata
    (``context_type``, ``context_id``; a global id is the shard times ten to the thirteenth plus
    the local id).
    """
    about, body = object_of(event.get("metadata")), object_of(event.get("body"))
    name = about.get("event_name")
    if not isinstance(name, str) or not _is_news(name):
        return None
    for named in (about, body):
        if named.get("context_type") == "Course":
            return _local(named.get("context_id"))
    return _local(body.get("course_id"))


def _is_news(name: str) -> bool:
    return name in _NEWS or (name.startswith(_NEWS_OF) and not name.startswith(_NO_NEWS))


def _local(number: object) -> CourseRef | None:
    sent = str(number) if isinstance(number, int | str) else ""
    if not sent.isascii() or not sent.isdigit() or len(sent) > _LONGEST_NUMBER:
        return None
    return CourseRef(str(int(sent) % _SHARD))


def _verified(sent: bytes, source: EventSource) -> VerifiedToken:
    """The event, proven to come from Canvas.

    Raises:
        ProofRefused: It does not.
    """
    # As JSON the token is a text in quotation marks.
    text = sent.decode("ascii", "replace").strip().removeprefix('"').removesuffix('"')
    token = tokens.parse_token(text)
    keys = services().platform_keys
    verified = tokens.verify(token, keys.find(source.key_url, token.kid))
    if verified is None:
        verified = tokens.verify(token, keys.find_again(source.key_url, token.kid))
    if verified is None:
        raise ProofRefused("event_signature")
    return verified
