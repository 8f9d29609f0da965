"""Live Events over HTTPS: every change of a grade is told to one address, as a signed token.

Events are signed with keys of the event service, not with those of LTI; ids are global. Which
address, an administrator says: ``POST /_control/live_events {url}``.

Source: canvas.md 6.
"""

import sqlite3
import uuid
from typing import Any

from flask import Blueprint, Response, request

from simulators.canvas.outgoing import post_soon
from simulators.canvas.wire import answer, refuse
from simulators.canvas.world import config, db, iso, world

blueprint = Blueprint("live_events", __name__)

SHARD = 2107 * 10**13
_LAST = "live_events_last"
_URL = "live_events_url"


@blueprint.get("/_events/jwks")
def jwks() -> Response:
    """The keys of the event service."""
    return answer(world().event_key.jwks())


@blueprint.post("/_control/live_events")
def stream() -> Response:
    """Tell an address of what happens from now on; the empty text ends it."""
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict) or not isinstance(sent.get("url"), str):
        refuse(400, {"error": "a JSON object with url is needed"})
    _set(_URL, sent["url"])
    _set(_LAST, str(_newest()))
    return answer({"ok": True})


@blueprint.after_app_request
def tell(response: Response) -> Response:
    """Tell of the grades that this request changed."""
    url = config().get(_URL) if request.method != "GET" else None
    if not url or request.endpoint == "live_events.stream":
        return response
    sql = "SELECT * FROM grade_changes WHERE id > ? ORDER BY id"
    changes = db().execute(sql, (int(config()[_LAST]),)).fetchall()
    for change in changes:
        signed = world().event_key.sign(_grade_change(change))
        post_soon(url, data=signed, headers={"Content-Type": "application/jwt"})
    if changes:
        _set(_LAST, str(changes[-1]["id"]))
    return response


def _grade_change(change: sqlite3.Row) -> dict[str, Any]:
    return {
        "metadata": {
            "event_name": "grade_change",
            "event_time": iso(change["created_at"]),
            "event_id": str(uuid.uuid4()),
            "context_type": "Course",
            "context_id": _global(change["course_id"]),
            "producer": "canvas",
            "hostname": config()["base_url"].partition("://")[2],
        },
        "body": {
            "assignment_id": _global(change["assignment_id"]),
            "student_id": _global(change["learner_id"]),
            "grader_id": _global(change["grader_id"] or 0),
            "score": change["score_after"],
            "old_score": change["score_before"],
            "muted": False,
            "grading_complete": True,
        },
    }


def _global(number: int) -> str:
    return str(SHARD + int(number))


def _newest() -> int:
    return int(db().execute("SELECT COALESCE(MAX(id), 0) FROM grade_changes").fetchone()[0])


def _set(name: str, value: str) -> None:
    db().execute("INSERT OR REPLACE INTO config (key, value) VALUES (?, ?)", (name, value))
