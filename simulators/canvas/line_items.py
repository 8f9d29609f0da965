"""AGS line items: each one that a tool makes is a published assignment that counts.

Source: canvas.md 4.1.
"""

import json
import sqlite3
import uuid
from typing import Any

from flask import Blueprint, Response, request

from simulators.canvas.advantage import (
    LINE_ITEM_TYPE,
    LINE_ITEMS_TYPE,
    ToolContext,
    sent_object,
    tool_context,
)
from simulators.canvas.paging import paged
from simulators.canvas.tools import LINE_ITEM, LINE_ITEM_READ
from simulators.canvas.wire import answer, refuse_lti
from simulators.canvas.world import db, now, world

blueprint = Blueprint("line_items", __name__)

SUBMISSION_TYPE = "https://canvas.instructure.com/lti/submission_type"
LAUNCH_URL = "https://canvas.instructure.com/lti/launch_url"
NEW_TYPES = {"none", "external_tool"}
LONGEST_LABEL = 255


@blueprint.get("/api/lti/courses/<course_id>/line_items")
def line_items(course_id: str) -> Response:
    """The tool's own line items of a course, oldest first."""
    context = tool_context(course_id, LINE_ITEM, LINE_ITEM_READ)
    sql = "SELECT * FROM line_items WHERE course_id = ? AND client_id = ? ORDER BY id"
    rows = db().execute(sql, (context.course["id"], context.client_id)).fetchall()
    filters = ("tag", "resource_id", "resource_link_id")
    kept = [
        row
        for row in rows
        if all(name not in request.args or request.args[name] == row[name] for name in filters)
    ]
    return paged(kept, lambda row: _payload(context, row), content_type=LINE_ITEMS_TYPE)


@blueprint.post("/api/lti/courses/<course_id>/line_items")
def create_line_item(course_id: str) -> Response:
    """Make a line item, on a new assignment or on that of a resource link."""
    context = tool_context(course_id, LINE_ITEM)
    sent = sent_object()
    label, maximum = _label(sent), _maximum(sent)
    link = str(sent.get("resourceLinkId") or "")
    if link:
        assignment, extra = _linked_assignment(context, link), "{}"
    else:
        kind = _submission_type(sent)
        extra = json.dumps({"submission_type": kind})
        assignment = new_assignment(context.course["id"], (label, maximum), extra)
        link = str(uuid.uuid4()) if kind == "external_tool" else ""
    cursor = db().execute(
        "INSERT INTO line_items (course_id, assignment_id, label, maximum, resource_id, tag, "
        "resource_link_id, client_id, created_at, updated_at, extra) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            context.course["id"],
            assignment,
            label,
            maximum,
            str(sent.get("resourceId") or ""),
            str(sent.get("tag") or ""),
            link,
            context.client_id,
            now(),
            now(),
            extra,
        ),
    )
    world().counters["line_items_created"] += 1
    row = find_line_item(context, str(cursor.lastrowid))
    return answer(_payload(context, row), 201, content_type=LINE_ITEM_TYPE)


@blueprint.get("/api/lti/courses/<course_id>/line_items/<line_item_id>")
def line_item(course_id: str, line_item_id: str) -> Response:
    """One line item."""
    context = tool_context(course_id, LINE_ITEM, LINE_ITEM_READ)
    row = own_line_item(context, line_item_id)
    return answer(_payload(context, row), content_type=LINE_ITEM_TYPE)


@blueprint.put("/api/lti/courses/<course_id>/line_items/<line_item_id>")
def change_line_item(course_id: str, line_item_id: str) -> Response:
    """Change a line item; the first of an assignment takes name and maximum along."""
    context = tool_context(course_id, LINE_ITEM)
    row = own_line_item(context, line_item_id)
    sent = sent_object()
    label = _label(sent) if "label" in sent else row["label"]
    maximum = _maximum(sent) if "scoreMaximum" in sent else row["maximum"]
    db().execute(
        "UPDATE line_items SET label = ?, maximum = ?, tag = ?, resource_id = ?, updated_at = ? "
        "WHERE id = ?",
        (
            label,
            maximum,
            str(sent.get("tag", row["tag"]) or ""),
            str(sent.get("resourceId", row["resource_id"]) or ""),
            now(),
            row["id"],
        ),
    )
    if is_first(row):
        db().execute(
            "UPDATE assignments SET title = ?, maximum = ?, updated_at = ? WHERE id = ?",
            (label, maximum, now(), row["assignment_id"]),
        )
    fresh = find_line_item(context, line_item_id)
    return answer(_payload(context, fresh), content_type=LINE_ITEM_TYPE)


@blueprint.delete("/api/lti/courses/<course_id>/line_items/<line_item_id>")
def delete_line_item(course_id: str, line_item_id: str) -> Response:
    """Take a line item away, and the assignment that was made for it."""
    context = tool_context(course_id, LINE_ITEM)
    row = own_line_item(context, line_item_id)
    if json.loads(row["extra"]).get("is_coupled"):
        refuse_lti(401, "You can not delete a coupled line item")
    if is_first(row):
        for table, key in (("grades", "assignment_id"), ("assignments", "id")):
            sql = f"DELETE FROM {table} WHERE {key} = ?"  # noqa: S608 - own words
            db().execute(sql, (row["assignment_id"],))
    db().execute("DELETE FROM line_items WHERE id = ?", (row["id"],))
    return Response(status=204)


def find_line_item(context: ToolContext, line_item_id: str) -> sqlite3.Row:
    """A line item of the course whose assignment is still there.

    Raises:
        Refused: With 404, where there is none.
    """
    sql = (
        "SELECT l.* FROM line_items l JOIN assignments a ON a.id = l.assignment_id "
        "WHERE l.course_id = ? AND l.id = ?"
    )
    row = db().execute(sql, (context.course["id"], line_item_id)).fetchone()
    if row is None:
        refuse_lti(404, "Line item not found")
    found: sqlite3.Row = row
    return found


def own_line_item(context: ToolContext, line_item_id: str) -> sqlite3.Row:
    """A line item that this tool made.

    Raises:
        Refused: With 404, or 412 where another tool made it.
    """
    row = find_line_item(context, line_item_id)
    if row["client_id"] != context.client_id:
        refuse_lti(412, "Tool does not have permission to view line_item")
    return row


def is_first(row: sqlite3.Row) -> bool:
    """Whether this is its assignment's oldest line item: only that writes to the gradebook."""
    sql = "SELECT MIN(id) FROM line_items WHERE assignment_id = ?"
    return bool(db().execute(sql, (row["assignment_id"],)).fetchone()[0] == row["id"])


def _payload(context: ToolContext, row: sqlite3.Row) -> dict[str, object]:
    payload: dict[str, object] = {
        "id": f"{context.url}/line_items/{row['id']}",
        "scoreMaximum": row["maximum"],
        "label": row["label"],
    }
    named = {"tag": "tag", "resourceId": "resource_id", "resourceLinkId": "resource_link_id"}
    payload |= {name: row[column] for name, column in named.items() if row[column]}
    kind = json.loads(row["extra"]).get("submission_type")
    if kind:
        payload[SUBMISSION_TYPE] = {"type": kind}
    if "launch_url" in request.args.getlist("include[]"):
        payload[LAUNCH_URL] = None
    return payload


def _label(sent: dict[str, Any]) -> str:
    label = sent.get("label")
    if not label:
        refuse_lti(400, "param is missing or the value is empty: label")
    if len(str(label)) > LONGEST_LABEL:
        refuse_lti(422, "Title is too long (maximum is 255 characters)")
    return str(label)


def _maximum(sent: dict[str, Any]) -> float:
    maximum = sent.get("scoreMaximum")
    if isinstance(maximum, bool) or not isinstance(maximum, int | float):
        refuse_lti(400, "param is missing or the value is empty: scoreMaximum")
    if maximum < 0:
        refuse_lti(422, "ScoreMaximum must be greater than or equal to 0")
    return float(maximum)


def _submission_type(sent: dict[str, Any]) -> str:
    asked = sent.get(SUBMISSION_TYPE)
    if asked is None:
        return "none"
    kind = asked.get("type") if isinstance(asked, dict) else None
    if kind not in NEW_TYPES:
        refuse_lti(400, "Invalid submission_type for new assignment")
    return str(kind)


def _linked_assignment(context: ToolContext, link: str) -> int:
    if link in {context.course["guid"], str(context.course["id"])}:
        refuse_lti(412, "The specified resource link has no associated line items")
    sql = "SELECT * FROM line_items WHERE resource_link_id = ? ORDER BY id"
    first = db().execute(sql, (link,)).fetchone()
    if first is None:
        refuse_lti(404, "Resource link not found")
    if first["course_id"] != context.course["id"]:
        refuse_lti(412, "The specified resource link belongs to another course")
    return int(first["assignment_id"])


def new_assignment(course_id: int, what: tuple[str, float], extra: str) -> int:
    """A published assignment in the default group: it counts from its first score on.

    Args:
        course_id: Of this course.
        what: Its name and its points.
        extra: What only a tool's assignment has, as JSON.

    Returns:
        Its id.
    """
    last = "SELECT COALESCE(MAX(position), 0) FROM assignments WHERE course_id = ?"
    position = db().execute(last, (course_id,)).fetchone()[0] + 1
    cursor = db().execute(
        "INSERT INTO assignments (course_id, category_id, title, maximum, kind, position, "
        "created_at, updated_at, extra) VALUES (?, ?, ?, ?, 'tool', ?, ?, ?, ?)",
        (course_id, _default_group(course_id), *what, position, now(), now(), extra),
    )
    return int(cursor.lastrowid or 0)


def _default_group(course_id: int) -> int:
    sql = "SELECT id FROM categories WHERE course_id = ? AND NOT is_top ORDER BY position, id"
    row = db().execute(sql, (course_id,)).fetchone()
    if row is not None:
        return int(row["id"])
    cursor = db().execute(
        "INSERT INTO categories (course_id, title, position, item_id) VALUES (?, ?, 0, 0)",
        (course_id, "Assignments"),
    )
    return int(cursor.lastrowid or 0)
