"""REST: the log of grade changes of a course.

Canvas logs a change of grade, score or excuse and a first grading, each with its moment. What is
written past the model, without moving ``updated_at``, is not logged, and so it is not here.

Setting ``audit_days``: how long events are kept, 365 unless told.

Source: canvas.md 2.6.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from uuid import UUID

from flask import Blueprint, Response, request

from simulators.canvas.accounts import course_payload, graded_course
from simulators.canvas.assignments import assignment_payload
from simulators.canvas.paging import (
    bookmark_links,
    bookmark_of,
    current_bookmark,
    link_header,
    page_size,
)
from simulators.canvas.rights import refuse_denied
from simulators.canvas.submissions import grade_text
from simulators.canvas.wire import answer, moment
from simulators.canvas.world import config, db, full_name, iso, now
from simulators.state import open_state

blueprint = Blueprint("audit", __name__)

KEPT_DAYS = 365
DAY_SECONDS = 86_400
_TABLES = """
CREATE TABLE IF NOT EXISTS grade_changes (
    id INTEGER PRIMARY KEY, course_id INTEGER NOT NULL, assignment_id INTEGER NOT NULL,
    learner_id INTEGER NOT NULL, grader_id INTEGER, created_at INTEGER NOT NULL,
    score_before REAL, score_after REAL, excused_before INTEGER, excused_after INTEGER
);
CREATE INDEX IF NOT EXISTS grade_changes_course ON grade_changes (course_id, created_at);
CREATE TRIGGER IF NOT EXISTS grade_changed AFTER UPDATE OF updated_at ON grades
WHEN NEW.points IS NOT OLD.points OR NEW.points_deducted IS NOT OLD.points_deducted
    OR NEW.excused IS NOT OLD.excused OR (NEW.state = 'graded' AND OLD.state != 'graded')
BEGIN
    INSERT INTO grade_changes (
        course_id, assignment_id, learner_id, grader_id, created_at,
        score_before, score_after, excused_before, excused_after
    ) VALUES (
        NEW.course_id, NEW.assignment_id, NEW.learner_id, NEW.grader_id, NEW.updated_at,
        OLD.points - OLD.points_deducted, NEW.points - NEW.points_deducted,
        OLD.excused, NEW.excused
    );
END;
"""


def prepare(path: Path) -> None:
    """Let a state file log the changes of its grades from now on."""
    with closing(open_state(path)) as connection, connection:
        connection.executescript(_TABLES)


@blueprint.get("/api/v1/audit/grade_change/courses/<course_id>")
def for_course(course_id: str) -> Response:
    """The changes of a course's grades, the newest first, as a compound document."""
    course = graded_course(course_id)
    refuse_denied("audit")
    per_page = page_size()
    rows = _rows(course["id"], limit=per_page + 1)
    shown = rows[:per_page]
    last = shown[-1] if len(rows) > per_page else None
    token = None if last is None else bookmark_of([last["created_at"], last["id"]])
    link = link_header(bookmark_links(token), per_page)
    payload = {
        "links": {"events.course": f"{config()['base_url']}/api/v1/courses/{{events.course}}"},
        "events": [_event(row) for row in shown],
        "linked": _linked(course, shown),
    }
    return answer(payload, headers={"Link": link})


def _rows(course: int, *, limit: int) -> Sequence[sqlite3.Row]:
    start, end = request.args.get("start_time"), request.args.get("end_time")
    oldest = now() - int(config().get("audit_days", KEPT_DAYS)) * DAY_SECONDS
    after = current_bookmark(2) or [None, None]
    sql = (
        "SELECT * FROM grade_changes WHERE course_id = :course AND created_at >= :start "
        "AND created_at >= :oldest AND (:end IS NULL OR created_at <= :end) "
        "AND (:at IS NULL OR (created_at, id) < (:at, :id)) "
        "ORDER BY created_at DESC, id DESC LIMIT :limit"
    )
    values = {
        "course": course,
        "start": moment(start, "start_time") if start else 0,
        "end": moment(end, "end_time") if end else None,
        "oldest": oldest,
        "at": after[0],
        "id": after[1],
        "limit": limit,
    }
    return db().execute(sql, values).fetchall()


def _event(row: sqlite3.Row) -> dict[str, object]:
    return {
        "id": str(UUID(int=row["id"])),
        "created_at": iso(row["created_at"]),
        "event_type": "grade_change",
        "grade_before": grade_text(row["score_before"]),
        "grade_after": grade_text(row["score_after"]),
        "excused_before": bool(row["excused_before"]),
        "excused_after": bool(row["excused_after"]),
        "graded_anonymously": False,
        "version_number": str(row["id"]),
        "request_id": str(UUID(int=row["id"])),
        "links": {
            "assignment": row["assignment_id"],
            "course": row["course_id"],
            "student": row["learner_id"],
            "grader": row["grader_id"],
            "page_view": None,
        },
    }


def _linked(course: sqlite3.Row, rows: Sequence[sqlite3.Row]) -> dict[str, object]:
    assignments = {row["assignment_id"] for row in rows}
    people = {row["learner_id"] for row in rows}
    return {
        "courses": [course_payload(course)] if rows else [],
        "assignments": [assignment_payload(row) for row in _of("assignments", assignments)],
        "students": [{"id": row["id"], "name": full_name(row)} for row in _of("people", people)],
        "graders": [],
        "page_views": [],
    }


def _of(table: str, ids: set[int]) -> Sequence[sqlite3.Row]:
    marks = ", ".join("?" * len(ids))
    sql = f"SELECT * FROM {table} WHERE id IN ({marks}) ORDER BY id"  # noqa: S608 - own words
    return db().execute(sql, sorted(ids)).fetchall()
