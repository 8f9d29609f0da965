"""The site's competencies: frameworks, what courses name of them, ratings and their evidence.

A site is given the district's two frameworks once, when its state file is first opened: strands
above competencies, and in each course the competencies of its syllabus. A rating belongs to a
learner, a competency and a course; an empty one is made by whoever merely looks.

Source: moodle.md, section 2.3; shapes as recorded from Moodle 4.5.6.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from simulators.catalogue import SYLLABI
from simulators.frameworks import bncc_package, transferable_package
from simulators.gradebooks import SCALE
from simulators.state import open_state

SCALE_ID = 3
"""The scale that frameworks are rated on; its words are those of the district's scale items."""
SCALES: Mapping[int, tuple[str, ...]] = {
    1: (
        "Mostly separate knowing",
        "Separate and connected",
        "Mostly connected knowing",
    ),
    2: ("Not yet competent", "Competent"),
    SCALE_ID: SCALE,
}
PROFICIENT = frozenset({3, 4})
"""Values of the scale that count as proficient."""
SERVICE_USER = 2

_FRAMEWORKS = {1: "BNCC", 2: "TRANSFERABLE"}
_IN_EVERY_COURSE = ("CRT3", "COM1")
_TABLES = """
CREATE TABLE IF NOT EXISTS competency_frameworks (
    id INTEGER PRIMARY KEY, shortname TEXT NOT NULL, idnumber TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS competencies (
    id INTEGER PRIMARY KEY, framework_id INTEGER NOT NULL, parent_id INTEGER NOT NULL,
    shortname TEXT NOT NULL, idnumber TEXT NOT NULL, description TEXT NOT NULL,
    sortorder INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS course_competencies (
    id INTEGER PRIMARY KEY, course_id INTEGER NOT NULL, competency_id INTEGER NOT NULL,
    sortorder INTEGER NOT NULL, UNIQUE (course_id, competency_id)
);
CREATE TABLE IF NOT EXISTS competency_ratings (
    id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, course_id INTEGER NOT NULL,
    competency_id INTEGER NOT NULL, grade INTEGER, proficiency INTEGER,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, updated_by INTEGER NOT NULL,
    UNIQUE (course_id, user_id, competency_id)
);
CREATE TABLE IF NOT EXISTS competency_evidence (
    id INTEGER PRIMARY KEY, rating_id INTEGER NOT NULL, actor_id INTEGER NOT NULL,
    grade INTEGER NOT NULL, note TEXT, created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS competency_evidence_rating ON competency_evidence (rating_id);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a rating stands."""

    course: int
    user: int
    competency: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A rating as somebody gives it: the index of the scale, from 1, and a note."""

    grade: int
    actor: int
    note: str | None = None


def prepare(path: Path) -> None:
    """Give a state file its competencies, unless it has them."""
    with closing(open_state(path)) as connection, connection:
        connection.executescript(_TABLES)
        if connection.execute("SELECT 1 FROM competency_frameworks").fetchone() is None:
            _fill(connection)


def _fill(connection: sqlite3.Connection) -> None:
    frameworks, competencies = _plan()
    connection.executemany("INSERT INTO competency_frameworks VALUES (?, ?, ?, ?)", frameworks)
    connection.executemany("INSERT INTO competencies VALUES (?, ?, ?, ?, ?, ?, ?)", competencies)
    numbers = {row[4]: row[0] for row in competencies}
    courses = connection.execute("SELECT id, title FROM courses ORDER BY id").fetchall()
    connection.executemany(
        "INSERT INTO course_competencies (course_id, competency_id, sortorder) VALUES (?, ?, ?)",
        [
            (course["id"], numbers[code], position)
            for course in courses
            for position, code in enumerate(_codes_of(course["title"]))
        ],
    )


def _codes_of(title: str) -> tuple[str, ...]:
    """The competencies of a course: its syllabus's, then those of every project."""
    codes = [
        topic.code
        for syllabus in SYLLABI.values()
        if fnmatchcase(title, syllabus.course)
        for topic in syllabus.topics
    ]
    return tuple(dict.fromkeys([*codes, *_IN_EVERY_COURSE])) if codes else ()


@cache
def _plan() -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Rows of both frameworks; the competencies are numbered through."""
    frameworks: list[tuple[Any, ...]] = []
    competencies: list[tuple[Any, ...]] = []
    for number, package in enumerate((bncc_package(), transferable_package()), 1):
        document = package["CFDocument"]
        name = f"FW-{_FRAMEWORKS[number]}"
        text = f"<p>{document['notes']}</p>"
        frameworks.append((number, document["title"], name, text))
        competencies += _rows(number, package, first=len(competencies) + 1)
    return frameworks, competencies


def _rows(framework: int, package: Mapping[str, Any], *, first: int) -> Iterator[tuple[Any, ...]]:
    numbers = {item["identifier"]: n for n, item in enumerate(package["CFItems"], first)}
    parents = {
        link["originNodeURI"]["identifier"]: link["destinationNodeURI"]["identifier"]
        for link in package["CFAssociations"]
    }
    for position, item in enumerate(package["CFItems"]):
        code = item.get("humanCodingScheme", "")
        above = numbers.get(parents[item["identifier"]], 0)
        statement = item["fullStatement"]
        yield (
            numbers[item["identifier"]],
            framework,
            above,
            code or statement,
            code or f"STRAND-{numbers[item['identifier']]}",
            f"<p>{statement}</p>" if code else "",
            position,
        )


def rating_of(connection: sqlite3.Connection, place: Place, *, now: int) -> sqlite3.Row:
    """A rating; looking at one that is not there makes an empty one."""
    connection.execute(
        "INSERT OR IGNORE INTO competency_ratings (course_id, user_id, competency_id, "
        "created_at, updated_at, updated_by) VALUES (?, ?, ?, ?, ?, ?)",
        (place.course, place.user, place.competency, now, now, SERVICE_USER),
    )
    found: sqlite3.Row = connection.execute(
        "SELECT * FROM competency_ratings WHERE course_id = ? AND user_id = ? "
        "AND competency_id = ?",
        (place.course, place.user, place.competency),
    ).fetchone()
    return found


def rate(connection: sqlite3.Connection, place: Place, given: Given, *, now: int) -> int:
    """Rate a learner and keep the evidence.

    Args:
        connection: The state.
        place: Which rating.
        given: The rating, known to be in the scale.
        now: Seconds since 1970.

    Returns:
        The evidence's id.
    """
    rating = rating_of(connection, place, now=now)
    connection.execute(
        "UPDATE competency_ratings SET grade = ?, proficiency = ?, updated_at = ?, "
        "updated_by = ? WHERE id = ?",
        (given.grade, given.grade in PROFICIENT, now, given.actor, rating["id"]),
    )
    made = connection.execute(
        "INSERT INTO competency_evidence (rating_id, actor_id, grade, note, created_at) "
        "VALUES (?, ?, ?, ?, ?)",
        (rating["id"], given.actor, given.grade, given.note, now),
    )
    return int(made.lastrowid or 0)


def competencies_in(connection: sqlite3.Connection, course: int) -> list[sqlite3.Row]:
    """The competencies of a course, in its order."""
    return connection.execute(
        "SELECT c.*, l.course_id, l.id AS link_id, l.sortorder AS place FROM competencies c "
        "JOIN course_competencies l ON l.competency_id = c.id WHERE l.course_id = ? "
        "ORDER BY l.sortorder",
        (course,),
    ).fetchall()
