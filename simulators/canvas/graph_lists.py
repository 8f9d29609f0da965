"""GraphQL: the lists of a course besides its submissions.

Whole lists are short here, so each is read at once and cut into pages.

Source: canvas.md 2.5; Canvas GraphQL schema, Course and its connections.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from simulators.canvas.accounts import ENROLLMENT_STATES, ENROLLMENT_TYPES, enrolment_rows
from simulators.canvas.graph_pages import page_info, window
from simulators.canvas.graph_rows import global_id
from simulators.canvas.sections import groups_of, sections_of
from simulators.canvas.world import db, full_name, iso

Row = dict[str, object]


def list_fields(course: sqlite3.Row) -> Mapping[str, Callable[..., object]]:
    """The connections of a course, each a function of its arguments."""
    return {
        "assignmentsConnection": lambda **wanted: _page(_assignments(course), wanted),
        "enrollmentsConnection": lambda **wanted: _page(
            _enrolments(course, wanted.get("filter") or {}), wanted
        ),
        "sectionsConnection": lambda **wanted: _page(_sections(course), wanted),
        "groupsConnection": lambda **wanted: _page(_groups(course), wanted),
        "assignmentGroupsConnection": lambda **wanted: _page(_categories(course), wanted),
    }


def _page(rows: Sequence[Row], wanted: Mapping[str, Any]) -> Row:
    size, offset = window(wanted)
    shown = rows[offset : offset + size]
    info = page_info(offset, len(shown), has_more=len(rows) > offset + size)
    return {"nodes": shown, "pageInfo": info | {"totalCount": len(rows)}}


def _assignments(course: sqlite3.Row) -> Sequence[Row]:
    sql = "SELECT * FROM assignments WHERE course_id = ? ORDER BY category_id, position, id"
    return [
        {
            "id": global_id("Assignment", row["id"]),
            "_id": str(row["id"]),
            "name": row["title"],
            "pointsPossible": row["maximum"],
            "dueAt": iso(row["due_at"]),
            "state": "published" if row["is_published"] else "unpublished",
            "createdAt": iso(row["created_at"]),
            "updatedAt": iso(row["updated_at"]),
        }
        for row in db().execute(sql, (course["id"],))
    ]


def _enrolments(course: sqlite3.Row, chosen: Mapping[str, Any]) -> Sequence[Row]:
    """Without states all but the deleted; nobody is deleted here."""
    types, states = chosen.get("types"), chosen.get("states")
    return [
        row
        for row in _enrolment_nodes(course)
        if (not types or row["type"] in types) and (not states or row["state"] in states)
    ]


def _enrolment_nodes(course: sqlite3.Row) -> Iterator[Row]:
    for row in enrolment_rows(course["id"]):
        state = ENROLLMENT_STATES[row["state"]]
        yield {
            "id": global_id("Enrollment", row["enrolment_id"]),
            "_id": str(row["enrolment_id"]),
            "userId": str(row["person_id"]),
            "courseSectionId": str(row["section_id"]),
            "type": ENROLLMENT_TYPES[row["role"]],
            "state": state,
            "enrollmentState": state,
            "createdAt": iso(row["created_at"]),
            "updatedAt": iso(row["created_at"]),
            "user": {"_id": str(row["person_id"]), "name": full_name(row)},
        }


def _sections(course: sqlite3.Row) -> Sequence[Row]:
    return [
        {
            "id": global_id("Section", section.id),
            "_id": str(section.id),
            "name": section.name,
            "sisId": section.sis_id,
            "updatedAt": iso(course["created_at"]),
        }
        for section in sections_of(db(), course)
    ]


def _groups(course: sqlite3.Row) -> Sequence[Row]:
    return [
        {
            "id": global_id("Group", group.id),
            "_id": str(group.id),
            "name": group.name,
            "membersCount": group.members,
            "updatedAt": iso(course["created_at"]),
        }
        for group in groups_of(db(), course["id"])
    ]


def _categories(course: sqlite3.Row) -> Sequence[Row]:
    sql = "SELECT * FROM categories WHERE course_id = ? AND NOT is_top ORDER BY position, id"
    return [
        {
            "id": global_id("AssignmentGroup", row["id"]),
            "_id": str(row["id"]),
            "name": row["title"],
            "groupWeight": row["weight"],
            "updatedAt": iso(course["created_at"]),
        }
        for row in db().execute(sql, (course["id"],))
    ]
