"""The state of one simulated LMS: a SQLite file that both simulators read and write.

The schema (``simulators.schema``) is neutral: what Canvas and Moodle call differently has one
name here. Each LMS has a file of its own and numbers people, courses and gradebook columns in
its own way, as real ones do: the same number means different people in the two files, only
``sis_id`` joins them. All moments are integer seconds since 1970 (UTC). Nothing here knows
HTTP.
"""

import hashlib
import json
import sqlite3
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from simulators.district import Assignment, Attempt, Course, District, Grade, Person
from simulators.schema import SCHEMA

FIRST_PERSON = {"canvas": 1, "moodle": 2}
"""Moodle's first real account has id 2 (1 is the guest)."""


def open_state(path: Path | str, *, is_lent: bool = False) -> sqlite3.Connection:
    """Open a state file; one connection a request or thread.

    Args:
        path: The file; it need not exist yet.
        is_lent: Threads may use it one after the other.

    Returns:
        A connection in WAL mode with ``sqlite3.Row`` rows. Writers wait up to 30 seconds.
    """
    connection = sqlite3.connect(path, timeout=30, check_same_thread=not is_lent)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    # A simulator's state outlives its process; it need not outlive a power cut.
    connection.execute("PRAGMA synchronous = OFF")
    return connection


class StatePool:
    """Open connections of one state file, lent to one request after the other.

    Opening and closing cost more than most requests: the schema is read anew, and the last
    one out writes the log back into the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        weakref.finalize(self, _close_all, self._idle)

    def take(self) -> sqlite3.Connection:
        """Lend a connection; safe to call from several threads."""
        try:
            return self._idle.pop()
        except IndexError:
            return open_state(self._path, is_lent=True)

    def give(self, connection: sqlite3.Connection) -> None:
        """Take a connection back; what was not committed is lost."""
        connection.rollback()
        self._idle.append(connection)


def _close_all(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def epoch(moment: datetime) -> int:
    """Seconds since 1970 of an aware datetime."""
    return int(moment.timestamp())


def config_of(connection: sqlite3.Connection) -> dict[str, str]:
    """All settings of the LMS; ``fill`` says which there are."""
    return {row["key"]: row["value"] for row in connection.execute("SELECT * FROM config")}


def refresh(path: Path | str, config: Mapping[str, str]) -> None:
    """Set some settings of an existing state (addresses, mostly) and keep everything else."""
    with closing(open_state(path)) as connection, connection:
        _set_config(connection, config)


def fill(path: Path | str, district: District, lms: str, *, config: Mapping[str, str]) -> None:
    """Make a state file from the district's plan.

    Args:
        path: A file that does not exist yet.
        district: The whole plan; only what belongs to ``lms`` is taken from it. Courses and
            assignments keep their ids, people are numbered anew (see ``numbered``).
        lms: canvas or moodle.
        config: Settings, kept as text: ``lms``, ``base_url`` (no trailing slash), ``tool_url``,
            ``issuer``, ``client_id``, ``api_token`` (also put into ``tokens``), ``timezone``,
            ``district``, and for each school ``deployment:<school id>``.
    """
    with closing(open_state(path)) as connection, connection:
        connection.executescript(SCHEMA)
        _set_config(connection, config)
        connection.execute(
            "INSERT INTO tokens (token, kind, person_id) VALUES (?, 'rest', ?)",
            (config["api_token"], FIRST_PERSON[lms]),
        )
        _Filling(connection, district, lms).run(config)


def courses_in(district: District, lms: str) -> Sequence[Course]:
    """The courses that live in an LMS."""
    schools = {school.id for school in district.schools if school.lms == lms}
    return [course for course in district.courses if course.school in schools]


def numbered(district: District, lms: str) -> dict[int, int]:
    """The number that an LMS gives to each of its people, by the plan's id.

    People come in the plan's order; the administrator, first in every plan, gets the first
    number. Who has no course in the LMS, and no child there, has no account.
    """
    wanted = {
        person
        for course in courses_in(district, lms)
        for person in (*course.teachers, *course.learners, *course.suspended)
    }
    here = [person.id for person in district.people if _has_account(person, wanted)]
    return {person: number for number, person in enumerate(here, FIRST_PERSON[lms])}


def _has_account(person: Person, wanted: set[int]) -> bool:
    if person.role == "administrator":
        return True
    return person.id in wanted or not wanted.isdisjoint(person.children)


def _set_config(connection: sqlite3.Connection, config: Mapping[str, str]) -> None:
    connection.executemany("INSERT OR REPLACE INTO config VALUES (?, ?)", config.items())


def _guid(*parts: object) -> str:
    """An opaque id that never changes, as an LMS would have drawn it once."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:40]


class _Filling:
    """Writes one LMS's part of the plan, once."""

    def __init__(self, connection: sqlite3.Connection, district: District, lms: str) -> None:
        self._connection = connection
        self._district = district
        self._lms = lms
        self._numbers = numbered(district, lms)
        self._courses = courses_in(district, lms)
        self._next_item = 1 + max(
            (item.id for course in self._courses for item in course.assignments), default=0
        )
        self._next_category = 1
        self._next_module = dict.fromkeys(("assignment", "quiz", "cmid"), 1)

    def run(self, config: Mapping[str, str]) -> None:
        self._people()
        self._schools(config)
        for course in self._courses:
            self._course(course)
            self._enrolments(course)
            self._assignments(course)
            self._grades(course)

    def _insert(self, table: str, rows: Sequence[tuple[object, ...]], columns: str) -> None:
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            sql = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 - own words
            self._connection.executemany(sql, rows)

    def _people(self) -> None:
        here = [person for person in self._district.people if person.id in self._numbers]
        rows = [
            (
                self._numbers[person.id],
                person.given_name,
                person.family_name,
                person.email,
                person.sis_id,
                person.role,
                _guid(self._lms, "person", person.sis_id),
            )
            for person in here
        ]
        self._insert("people", rows, "id, given_name, family_name, email, sis_id, role, guid")
        pairs = [
            (self._numbers[person.id], self._numbers[child])
            for person in here
            for child in person.children
            if child in self._numbers
        ]
        self._insert("guardians", pairs, "guardian_id, child_id")

    def _schools(self, config: Mapping[str, str]) -> None:
        rows = [
            (school.id, school.name, school.passback, config[f"deployment:{school.id}"])
            for school in self._district.schools
            if school.lms == self._lms
        ]
        self._insert("schools", rows, "id, name, passback, deployment")

    def _course(self, course: Course) -> None:
        starts_at = epoch(course.starts_at)
        row = (
            course.id,
            course.title,
            course.code,
            course.sis_id,
            course.school,
            course.state,
            starts_at,
            epoch(course.ends_at),
            starts_at - 14 * 86400,
            _guid(self._lms, "course", course.id),
        )
        columns = "id, title, code, sis_id, school_id, state, starts_at, ends_at, created_at, guid"
        self._insert("courses", [row], columns)

    def _enrolments(self, course: Course) -> None:
        created_at = epoch(course.starts_at) - 7 * 86400
        rows = [
            (course.id, self._numbers[person], role, state, observed, created_at)
            for person, role, state, observed in self._places(course)
        ]
        columns = "course_id, person_id, role, state, observes, created_at"
        self._insert("enrolments", rows, columns)

    def _places(self, course: Course) -> Iterator[tuple[int, str, str, int | None]]:
        is_over = course.state == "concluded" and self._lms == "canvas"
        state = "concluded" if is_over else "active"
        for person in course.teachers:
            yield person, "teacher", state, None
        for person in course.learners:
            yield person, "learner", "suspended" if person in course.suspended else state, None
        if self._lms == "canvas":
            yield from self._observers(course, state)

    def _observers(self, course: Course, state: str) -> Iterator[tuple[int, str, str, int | None]]:
        learners = set(course.learners)
        for person in self._district.people:
            for child in person.children:
                if child in learners:
                    yield person.id, "guardian", state, self._numbers[child]

    def _assignments(self, course: Course) -> None:
        categories = self._categories(course)
        rows = [
            self._assignment(course, assignment, (position, categories[assignment.category]))
            for position, assignment in enumerate(course.assignments, 1)
        ]
        columns = (
            "id, course_id, category_id, title, maximum, due_at, kind, scale, is_published, "
            "is_posted, position, module_id, cmid, created_at, updated_at"
        )
        self._insert("assignments", rows, columns)
        criteria = [
            (criterion.id, assignment.id, criterion.title, criterion.maximum, position)
            for assignment in course.assignments
            for position, criterion in enumerate(assignment.criteria, 1)
        ]
        self._insert("criteria", criteria, "id, assignment_id, title, maximum, position")

    def _categories(self, course: Course) -> dict[str, int]:
        titles = list(dict.fromkeys(item.category for item in course.assignments))
        top = [""] if self._lms == "moodle" else []
        ids = {}
        for position, title in enumerate(top + [title for title in titles if title]):
            ids[title] = self._next_category
            is_top = int(not title)
            row = (self._next_category, course.id, title, position, is_top, self._next_item)
            self._insert("categories", [row], "id, course_id, title, position, is_top, item_id")
            self._next_category += 1
            self._next_item += 1
        return ids

    def _assignment(
        self, course: Course, item: Assignment, place: tuple[int, int]
    ) -> tuple[object, ...]:
        position, category = place
        created_at = epoch(course.starts_at)
        return (
            item.id,
            course.id,
            category,
            item.title,
            item.maximum,
            epoch(item.due_at),
            item.kind,
            json.dumps(list(item.scale), ensure_ascii=False),
            item.is_published,
            item.is_posted,
            position,
            self._module_number(item.kind),
            None if item.kind == "manual" else self._module_number("cmid"),
            created_at,
            created_at,
        )

    def _module_number(self, kind: str) -> int | None:
        if kind not in self._next_module:
            return None
        self._next_module[kind] += 1
        return self._next_module[kind] - 1

    def _grades(self, course: Course) -> None:
        items = {item.id: item for item in course.assignments}
        grader = self._numbers[course.teachers[0]]
        rows = [
            self._grade(course, items[grade.assignment], (grade, grader)) for grade in course.grades
        ]
        columns = (
            "course_id, assignment_id, learner_id, state, points, points_deducted, attempt, "
            "submitted_at, graded_at, is_posted, posted_at, excused, overridden, "
            "override_points, hidden, grader_id, updated_at"
        )
        self._insert("grades", rows, columns)
        self._insert(
            "attempts",
            list(self._attempts(course, {key for key in items if items[key].kind != "manual"})),
            "assignment_id, learner_id, number, submitted_at, points, graded_at",
        )
        self._insert(
            "criterion_points",
            list(self._criterion_points(course)),
            "assignment_id, learner_id, criterion_id, points",
        )

    def _grade(
        self, course: Course, item: Assignment, what: tuple[Grade, int]
    ) -> tuple[object, ...]:
        grade, grader = what
        last = grade.attempts[-1] if grade.attempts else None
        is_graded = grade.state == "graded"
        holds_points = is_graded or (grade.state == "excused" and self._lms == "moodle")
        graded_at = epoch(last.graded_at) if last and holds_points else None
        submitted_at = epoch(last.submitted_at) if last and item.kind != "manual" else None
        updated_at = graded_at or submitted_at or epoch(item.due_at)
        return (
            course.id,
            item.id,
            self._numbers[grade.learner],
            grade.state,
            last.points if last and holds_points else None,
            grade.points_deducted,
            len(grade.attempts) if item.kind != "manual" else 0,
            submitted_at,
            graded_at,
            item.is_posted,
            graded_at if item.is_posted else None,
            grade.state == "excused",
            grade.overridden is not None,
            grade.overridden,
            grade.is_hidden,
            grader if is_graded and item.kind != "quiz" else None,
            updated_at,
        )

    def _attempts(self, course: Course, handed_in: set[int]) -> Iterator[tuple[object, ...]]:
        for grade, number, attempt in _tries(course):
            if grade.assignment not in handed_in:
                continue
            is_waiting = grade.state == "submitted" and number == len(grade.attempts)
            yield (
                grade.assignment,
                self._numbers[grade.learner],
                number,
                epoch(attempt.submitted_at),
                None if is_waiting else attempt.points,
                None if is_waiting else epoch(attempt.graded_at),
            )

    def _criterion_points(self, course: Course) -> Iterator[tuple[object, ...]]:
        for grade, number, attempt in _tries(course):
            if number == len(grade.attempts) and grade.state == "graded":
                for criterion, points in attempt.criteria.items():
                    yield grade.assignment, self._numbers[grade.learner], criterion, points


def _tries(course: Course) -> Iterator[tuple[Grade, int, Attempt]]:
    for grade in course.grades:
        for number, attempt in enumerate(grade.attempts, 1):
            yield grade, number, attempt
