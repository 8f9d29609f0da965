"""AGS scores: what a tool posts, and what Moodle makes of it.

Source: moodle.md, section 3.6; passback.md for line items with maximum 0.
"""

import json
import re
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Response

from simulators.moodle.line_items import find_item
from simulators.moodle.services import SCORE, Place, Refused, as_number, sent_object, service
from simulators.moodle.site import Site

REQUIRED = ("userId", "timestamp", "activityProgress", "gradingProgress")
_ISO = re.compile(r"^\d{4}-\d\d-\d\d([T ].*)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Posted:
    """A score that is sound; ``points`` None empties the cell. ``at`` in whole seconds."""

    user: int
    points: float | None
    comment: str
    at: int


@service("POST", "scores", media=SCORE, scope="score")
def post_score(here: Site, place: Place) -> Response:
    """Store a score; 200 with an empty body, which proves nothing."""
    item = find_item(here, place)
    sent = sent_object()
    posted = _read(here, item, sent)
    if posted is None:
        raise Refused(400, f"Incorrect score received{json.dumps(sent)}", body="[]")
    stored = here.row(
        "SELECT * FROM ags_scores WHERE line_item_id = ? AND user_id = ?",
        *(item["id"], posted.user),
    )
    if stored is not None and posted.at <= stored["timestamp"]:
        raise Refused(409, "Refusing score with an earlier timestamp", body="[]")
    if stored is None or not _is_same(stored, posted):
        _store(here, item["id"], posted)
    return Response(b"", status=200)


def _is_same(stored: sqlite3.Row, posted: _Posted) -> bool:
    """An unchanged score leaves the stored moment where it was."""
    return bool(stored["score"] == posted.points and stored["comment"] == posted.comment)


def _store(here: Site, item: int, posted: _Posted) -> None:
    here.write(
        "INSERT OR REPLACE INTO ags_scores (line_item_id, user_id, score, comment, timestamp) "
        "VALUES (?, ?, ?, ?, ?)",
        *(item, posted.user, posted.points, posted.comment, posted.at),
    )


def _read(here: Site, item: sqlite3.Row, sent: dict[str, Any]) -> _Posted | None:
    """The score, or None where Moodle calls it incorrect, a stranger's included."""
    user = _learner(here, item["course_id"], sent.get("userId"))
    at = _moment(sent.get("timestamp"))
    if user is None or at is None or not all(sent.get(name) for name in REQUIRED):
        return None
    is_emptying = sent.get("scoreGiven") is None or sent["gradingProgress"] != "FullyGraded"
    points = None if is_emptying else _points(item, sent)
    if points is None and not is_emptying:
        return None
    comment = sent.get("comment")
    return _Posted(user=user, points=points, comment=str(comment or ""), at=at)


def _learner(here: Site, course: int, user: object) -> int | None:
    """A learner of the course, suspended ones too."""
    if not str(user).isdigit():
        return None
    row = here.row(
        "SELECT person_id FROM enrolments WHERE course_id = ? AND person_id = ? "
        "AND role = 'learner'",
        *(course, int(str(user))),
    )
    return int(row["person_id"]) if row else None


def _moment(text: object) -> int | None:
    """Whole seconds of an ISO 8601 moment; without an offset it is the server's time, UTC."""
    if not isinstance(text, str) or not _ISO.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _points(item: sqlite3.Row, sent: dict[str, Any]) -> float | None:
    """Points in the item's own range, clamped to it; None where they are no numbers."""
    given, maximum = as_number(sent["scoreGiven"]), as_number(sent.get("scoreMaximum"))
    if given is None or maximum is None:
        return None
    rounded = round(given, 5)
    scaled = rounded * item["maximum"] / maximum if maximum else rounded
    highest: float = item["maximum"]
    return round(min(highest, max(0.0, scaled)), 5)
