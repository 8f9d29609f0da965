"""Groups of a course's learners.

A site is given two groups for each course once, when its state file is first opened: the
learners in turn, the last of them in none.

Source: moodle.md, section 2.3. The shape of a group and the capabilities are from Moodle's
public source.
"""

import html
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from simulators.moodle.site import Site
from simulators.state import open_state

NAMES = ("Morning group", "Lab & field group")

_TABLES = """
CREATE TABLE IF NOT EXISTS course_groups (
    id INTEGER PRIMARY KEY, course_id INTEGER NOT NULL, name TEXT NOT NULL,
    idnumber TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS group_members (
    group_id INTEGER, person_id INTEGER, PRIMARY KEY (group_id, person_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS group_members_person ON group_members (person_id);
"""


def prepare(path: Path) -> None:
    """Give a state file its groups, unless it has them."""
    with closing(open_state(path)) as connection, connection:
        connection.executescript(_TABLES)
        if connection.execute("SELECT 1 FROM course_groups").fetchone() is None:
            _fill(connection)


def _fill(connection: sqlite3.Connection) -> None:
    for course in connection.execute("SELECT * FROM courses ORDER BY id").fetchall():
        numbers = [_make(connection, course, position) for position in range(len(NAMES))]
        learners = connection.execute(
            "SELECT person_id FROM enrolments WHERE course_id = ? AND role = 'learner' "
            "ORDER BY person_id",
            (course["id"],),
        ).fetchall()[:-1]
        connection.executemany(
            "INSERT INTO group_members VALUES (?, ?)",
            [(numbers[n % len(numbers)], row["person_id"]) for n, row in enumerate(learners)],
        )


def _make(connection: sqlite3.Connection, course: sqlite3.Row, position: int) -> int:
    cursor = connection.execute(
        "INSERT INTO course_groups (course_id, name, idnumber) VALUES (?, ?, ?)",
        (course["id"], NAMES[position], f"{course['code']}-G{position + 1}" if position else ""),
    )
    return int(cursor.lastrowid or 0)


def groups_in(site: Site, course: int) -> list[dict[str, Any]]:
    """The groups of a course, as Moodle lists them."""
    rows = site.rows("SELECT * FROM course_groups WHERE course_id = ? ORDER BY name", course)
    return [
        {
            **_named(row),
            "courseid": course,
            "enrolmentkey": "",
            "idnumber": row["idnumber"],
            "visibility": 0,
            "participation": True,
            "timecreated": 1785542400,
            "timemodified": 1785542400,
            "customfields": [],
        }
        for row in rows
    ]


def groups_of(site: Site, course: int, person: int) -> list[dict[str, Any]]:
    """The groups of a person in a course, as the list of enrolled people repeats them."""
    rows = site.rows(
        "SELECT g.* FROM course_groups g JOIN group_members m ON m.group_id = g.id "
        "WHERE g.course_id = ? AND m.person_id = ? ORDER BY g.name",
        *(course, person),
    )
    return [_named(row) for row in rows]


def _named(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": html.escape(row["name"], quote=False),
        "description": "",
        "descriptionformat": 1,
    }
