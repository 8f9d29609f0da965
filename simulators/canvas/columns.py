"""REST: custom gradebook columns, their bulk update and its progress.

Bulk work waits as a row of ``progress`` and is done by the first request that looks at it or
at a column after its time has come.

Source: canvas.md 4.2 (Progress) and 4.3.
"""

import json
import sqlite3
from typing import Any

from flask import Blueprint, Response, g

from simulators.canvas.accounts import graded_course
from simulators.canvas.paging import paged
from simulators.canvas.rights import refuse_denied
from simulators.canvas.wire import (
    NOT_FOUND,
    answer,
    is_true,
    json_body,
    nested,
    parameter,
    refuse,
)
from simulators.canvas.world import config, db, iso, now, world

blueprint = Blueprint("columns", __name__)

LONGEST_TEXT = 255
TAG = "custom_columns_submissions_update"
DEFAULT_DELAY_SECONDS = 1.0


@blueprint.get("/api/v1/courses/<course_id>/custom_gradebook_columns")
def columns(course_id: str) -> Response:
    """The columns of a course in their order, hidden ones only when asked for."""
    course = graded_course(course_id)
    refuse_denied("columns")
    with_hidden = is_true(parameter("include_hidden") or "")
    sql = (
        "SELECT * FROM columns WHERE course_id = ? AND state = 'active' "
        "AND (? OR NOT hidden) ORDER BY position, id"
    )
    rows = db().execute(sql, (course["id"], with_hidden)).fetchall()
    return paged(rows, column_payload)


@blueprint.post("/api/v1/courses/<course_id>/custom_gradebook_columns")
def create_column(course_id: str) -> Response:
    """Add a column."""
    course = graded_course(course_id)
    asked = nested("column")
    _refuse_title(asked.get("title"))
    _refuse_second_notes(course["id"], asked)
    last = "SELECT COALESCE(MAX(position), 0) + 1 FROM columns WHERE course_id = ?"
    position = asked.get("position") or db().execute(last, (course["id"],)).fetchone()[0]
    cursor = db().execute(
        "INSERT INTO columns (course_id, title, position, hidden, read_only, teacher_notes) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (course["id"], asked["title"], int(position), *_flags(asked, {})),
    )
    world().counters["columns_created"] += 1
    return answer(column_payload(_column(course["id"], str(cursor.lastrowid))), 201)


@blueprint.put("/api/v1/courses/<course_id>/custom_gradebook_columns/<column_id>")
def change_column(course_id: str, column_id: str) -> Response:
    """Rename, move, hide or show a column."""
    course = graded_course(course_id)
    row = _column(course["id"], column_id)
    asked = nested("column")
    title = asked.get("title", row["title"])
    _refuse_title(title)
    db().execute(
        "UPDATE columns SET title = ?, position = ?, hidden = ?, read_only = ?, "
        "teacher_notes = ? WHERE id = ?",
        (title, int(asked.get("position", row["position"])), *_flags(asked, row), row["id"]),
    )
    return answer(column_payload(_column(course["id"], column_id)))


@blueprint.delete("/api/v1/courses/<course_id>/custom_gradebook_columns/<column_id>")
def delete_column(course_id: str, column_id: str) -> Response:
    """Take a column away."""
    course = graded_course(course_id)
    row = _column(course["id"], column_id)
    db().execute("UPDATE columns SET state = 'deleted' WHERE id = ?", (row["id"],))
    return answer(column_payload(row))


@blueprint.get("/api/v1/courses/<course_id>/custom_gradebook_columns/<column_id>/data")
def column_data(course_id: str, column_id: str) -> Response:
    """What a column says, only where it says something."""
    course = graded_course(course_id)
    row = _column(course["id"], column_id)
    settle_progress()
    sql = "SELECT * FROM column_data WHERE column_id = ? ORDER BY user_id"
    rows = db().execute(sql, (row["id"],)).fetchall()
    return paged(rows, lambda data: {"user_id": data["user_id"], "content": data["content"]})


@blueprint.put("/api/v1/courses/<course_id>/custom_gradebook_columns/<column_id>/data/<user_id>")
def write_datum(course_id: str, column_id: str, user_id: str) -> Response:
    """Write one cell; nothing in it takes it away."""
    course = graded_course(course_id)
    row = _column(course["id"], column_id)
    if not user_id.isdigit():
        refuse(404, NOT_FOUND)
    content = str(nested("column_data").get("content", ""))
    if len(content) > LONGEST_TEXT:
        error = {"attribute": "content", "type": "too_long", "message": "too_long"}
        refuse(400, {"errors": {"content": [error]}})
    world().counters["column_cells_written"] += 1
    _write(db(), (row["id"], int(user_id)), content)
    return answer({"user_id": int(user_id), "content": content})


@blueprint.put("/api/v1/courses/<course_id>/custom_gradebook_column_data")
def write_data(course_id: str) -> Response:
    """Write many cells later; the answer is the progress of it."""
    course = graded_course(course_id)
    rows = json_body().get("column_data")
    if not isinstance(rows, list) or not rows:
        refuse(400, {"errors": [{"message": "column_data is missing"}]})
    delay = float(config().get("progress_seconds", DEFAULT_DELAY_SECONDS))
    world().counters["column_cells_written"] += len(rows)
    cursor = db().execute(
        "INSERT INTO progress (tag, state, completion, created_at, ready_at, context_id, work, "
        "results) VALUES (?, 'queued', 0, ?, ?, ?, ?, ?)",
        (
            TAG,
            now(),
            world().clock() + delay,
            course["id"],
            json.dumps(rows),
            json.dumps({"user_id": g.person["id"]}),
        ),
    )
    return answer(_progress_payload(_progress(str(cursor.lastrowid))))


@blueprint.get("/api/v1/progress/<progress_id>")
def progress(progress_id: str) -> Response:
    """How far some work in the background is."""
    settle_progress()
    return answer(_progress_payload(_progress(progress_id)))


def settle_progress() -> None:
    """Do the work whose time has come, once."""
    due = db().execute(
        "SELECT * FROM progress WHERE state IN ('queued', 'running') AND ready_at <= ?",
        (world().clock(),),
    )
    for row in due.fetchall():
        taken = db().execute(
            "UPDATE progress SET state = 'completed', completion = 100 "
            "WHERE id = ? AND state IN ('queued', 'running')",
            (row["id"],),
        )
        if taken.rowcount == 1:
            _work(row)


def column_payload(row: sqlite3.Row) -> dict[str, object]:
    """A column as REST shows it."""
    return {
        "id": row["id"],
        "title": row["title"],
        "position": row["position"],
        "hidden": bool(row["hidden"]),
        "teacher_notes": bool(row["teacher_notes"]),
        "read_only": bool(row["read_only"]),
    }


def _work(row: sqlite3.Row) -> None:
    """Write cell by cell; the first text that is too long fails the rest, not what was done."""
    sql = "SELECT id FROM columns WHERE course_id = ? AND state = 'active'"
    known = {str(column["id"]) for column in db().execute(sql, (row["context_id"],))}
    for cell in json.loads(row["work"]):
        if str(cell.get("column_id")) not in known:
            continue
        content = str(cell.get("content") or "")
        if len(content) > LONGEST_TEXT:
            _fail(row["id"], "Validation failed: Content is too long (maximum is 255 characters)")
            return
        _write(db(), (int(cell["column_id"]), int(cell["user_id"])), content)


def _fail(progress_id: int, message: str) -> None:
    sql = "UPDATE progress SET state = 'failed', completion = 0, message = ? WHERE id = ?"
    db().execute(sql, (message, progress_id))


def _write(connection: sqlite3.Connection, place: tuple[int, int], content: str) -> None:
    if content.strip():
        connection.execute(
            "INSERT OR REPLACE INTO column_data (column_id, user_id, content, updated_at) "
            "VALUES (?, ?, ?, ?)",
            (*place, content, now()),
        )
    else:
        connection.execute("DELETE FROM column_data WHERE column_id = ? AND user_id = ?", place)


def _column(course_id: int, column_id: str) -> sqlite3.Row:
    sql = "SELECT * FROM columns WHERE course_id = ? AND id = ? AND state = 'active'"
    row = db().execute(sql, (course_id, column_id)).fetchone()
    if row is None:
        refuse(404, NOT_FOUND)
    found: sqlite3.Row = row
    return found


def _progress(progress_id: str) -> sqlite3.Row:
    row = db().execute("SELECT * FROM progress WHERE id = ?", (progress_id,)).fetchone()
    if row is None:
        refuse(404, NOT_FOUND)
    found: sqlite3.Row = row
    return found


def _progress_payload(row: sqlite3.Row) -> dict[str, object]:
    is_begun = row["state"] == "queued" and now() > row["created_at"]
    return {
        "id": row["id"],
        "context_id": row["context_id"],
        "context_type": "Course",
        "user_id": json.loads(row["results"]).get("user_id"),
        "tag": row["tag"],
        "completion": row["completion"],
        "workflow_state": "running" if is_begun else row["state"],
        "message": row["message"],
        "results": None,
        "url": f"{config()['base_url']}/api/v1/progress/{row['id']}",
        "created_at": iso(row["created_at"]),
        "updated_at": iso(now()),
    }


def _flags(asked: dict[str, Any], row: Any) -> tuple[bool, bool, bool]:  # noqa: ANN401 - a row or nothing
    def flag(name: str) -> bool:
        if name in asked:
            return is_true(asked[name])
        return bool(row[name]) if row else False

    return flag("hidden"), flag("read_only"), flag("teacher_notes")


def _refuse_title(title: object) -> None:
    if not title:
        error = {"attribute": "title", "type": "blank", "message": "blank"}
        refuse(400, {"errors": {"title": [error]}})
    if len(str(title)) > LONGEST_TEXT:
        error = {"attribute": "title", "type": "too_long", "message": "too_long"}
        refuse(400, {"errors": {"title": [error]}})


def _refuse_second_notes(course_id: int, asked: dict[str, Any]) -> None:
    if not is_true(asked.get("teacher_notes", "")):
        return
    sql = "SELECT 1 FROM columns WHERE course_id = ? AND teacher_notes AND state = 'active'"
    if db().execute(sql, (course_id,)).fetchone():
        error = {"attribute": "teacher_notes", "type": "taken", "message": "taken"}
        refuse(400, {"errors": {"teacher_notes": [error]}})
