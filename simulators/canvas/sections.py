"""Sections and groups of a course, and who is in them.

Every course has a section of its own, which needs no row here. Who was put into others has an
enrolment in each of them.

Source: canvas.md 2.2.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request

from simulators.canvas.wire import answer, refuse
from simulators.canvas.world import db, iso
from simulators.state import open_state

blueprint = Blueprint("sections", __name__)

SECTION_OFFSET = 50_000
"""A course's own section has the course's number and this."""
PLACE_OFFSET = 10_000_000
"""An enrolment in a further section has its place's number and this."""
_TABLES = """
CREATE TABLE IF NOT EXISTS sections (
    id INTEGER PRIMARY KEY, course_id INTEGER NOT NULL, name TEXT NOT NULL, sis_id TEXT
);
CREATE TABLE IF NOT EXISTS section_places (
    id INTEGER PRIMARY KEY, enrolment_id INTEGER NOT NULL, section_id INTEGER NOT NULL,
    state TEXT                             -- NULL: the enrolment's own
);
CREATE TABLE IF NOT EXISTS course_groups (
    id INTEGER PRIMARY KEY, course_id INTEGER NOT NULL, name TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS course_group_members (
    group_id INTEGER, person_id INTEGER, PRIMARY KEY (group_id, person_id)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of a course, or a group of it."""

    id: int
    name: str
    sis_id: str | None = None
    members: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One enrolment: ``id`` is its own; ``state`` None is that of the person in the course."""

    id: int
    section: int
    state: str | None = None


def prepare(path: Path) -> None:
    """Make room for sections and groups in a state file."""
    with closing(open_state(path)) as connection, connection:
        connection.executescript(_TABLES)


def sections_of(connection: sqlite3.Connection, course: sqlite3.Row) -> Sequence[Section]:
    """The sections of a course by name, its own among them."""
    own = Section(id=SECTION_OFFSET + course["id"], name=course["title"])
    sql = "SELECT * FROM sections WHERE course_id = ?"
    rows = connection.execute(sql, (course["id"],))
    others = [Section(id=row["id"], name=row["name"], sis_id=row["sis_id"]) for row in rows]
    return sorted([own, *others], key=lambda section: section.name)


def groups_of(connection: sqlite3.Connection, course: int) -> Sequence[Section]:
    """The groups of a course by name."""
    sql = (
        "SELECT id, name, (SELECT COUNT(*) FROM course_group_members WHERE group_id = g.id) "
        "AS members FROM course_groups g WHERE course_id = ? ORDER BY name, id"
    )
    rows = connection.execute(sql, (course,))
    return [Section(id=row["id"], name=row["name"], members=row["members"]) for row in rows]


def places_of(connection: sqlite3.Connection, course: int) -> Mapping[int, Sequence[Place]]:
    """The enrolments of whoever was put into sections, by the person's place in the course."""
    sql = (
        "SELECT p.* FROM section_places p JOIN enrolments e ON e.id = p.enrolment_id "
        "WHERE e.course_id = ? ORDER BY p.id"
    )
    found: dict[int, list[Place]] = defaultdict(list)
    for row in connection.execute(sql, (course,)):
        place = Place(id=PLACE_OFFSET + row["id"], section=row["section_id"], state=row["state"])
        found[row["enrolment_id"]].append(place)
    return found


def group_ids_of(connection: sqlite3.Connection, course: int) -> Mapping[int, Sequence[int]]:
    """The groups of each person of a course."""
    sql = (
        "SELECT m.* FROM course_group_members m JOIN course_groups g ON g.id = m.group_id "
        "WHERE g.course_id = ? ORDER BY m.group_id"
    )
    found: dict[int, list[int]] = defaultdict(list)
    for row in connection.execute(sql, (course,)):
        found[row["person_id"]].append(row["group_id"])
    return found


def section_payload(section: Section, course: sqlite3.Row) -> dict[str, object]:
    """A section as REST shows it."""
    return {
        "id": section.id,
        "course_id": course["id"],
        "name": section.name,
        "sis_section_id": section.sis_id,
        "integration_id": None,
        "start_at": None,
        "end_at": None,
        "restrict_enrollments_to_section_dates": None,
        "nonxlist_course_id": None,
        "created_at": iso(course["created_at"]),
    }


def group_payload(group: Section, course: sqlite3.Row) -> dict[str, object]:
    """A group as REST shows it."""
    return {
        "id": group.id,
        "name": group.name,
        "context_type": "Course",
        "course_id": course["id"],
        "members_count": group.members,
        "sis_group_id": None,
        "group_category_id": None,
        "concluded": False,
        "non_collaborative": False,
    }


@blueprint.post("/_control/section")
def place_in_section() -> Response:
    """Put a learner into a section, made where ``name`` is new; ``alone``: and into no other."""
    sent = _sent("course", "learner", "name")
    course, person = int(sent["course"]), int(sent["learner"])
    section = _named("sections", course, str(sent["name"]))
    enrolment = _enrolment(course, person)
    if sent.get("alone"):
        db().execute("DELETE FROM section_places WHERE enrolment_id = ?", (enrolment,))
    elif enrolment not in places_of(db(), course):
        _put(enrolment, SECTION_OFFSET + course)
    return answer({"section": section, "enrolment": _put(enrolment, section)})


@blueprint.post("/_control/group")
def place_in_group() -> Response:
    """Put a learner into a group, made where ``name`` is new."""
    sent = _sent("course", "learner", "name")
    group = _named("course_groups", int(sent["course"]), str(sent["name"]))
    _enrolment(int(sent["course"]), int(sent["learner"]))
    sql = "INSERT OR IGNORE INTO course_group_members VALUES (?, ?)"
    db().execute(sql, (group, int(sent["learner"])))
    return answer({"group": group})


def _put(enrolment: int, section: int) -> int:
    sql = "INSERT INTO section_places (enrolment_id, section_id) VALUES (?, ?)"
    return PLACE_OFFSET + int(db().execute(sql, (enrolment, section)).lastrowid or 0)


def _named(table: str, course: int, name: str) -> int:
    sql = f"SELECT id FROM {table} WHERE course_id = ? AND name = ?"  # noqa: S608 - two own words
    row = db().execute(sql, (course, name)).fetchone()
    if row is not None:
        return int(row["id"])
    sql = f"INSERT INTO {table} (course_id, name) VALUES (?, ?)"  # noqa: S608 - two own words
    return int(db().execute(sql, (course, name)).lastrowid or 0)


def _enrolment(course: int, person: int) -> int:
    sql = "SELECT id FROM enrolments WHERE course_id = ? AND person_id = ? AND role = 'learner'"
    row = db().execute(sql, (course, person)).fetchone()
    if row is None:
        refuse(404, {"error": "no such learner in this course"})
    return int(row["id"])


def _sent(*required: str) -> dict[str, Any]:
    payload = request.get_json(silent=True)
    if not isinstance(payload, dict) or not payload.keys() >= set(required):
        refuse(400, {"error": f"a JSON object with {', '.join(required)} is needed"})
    return payload
