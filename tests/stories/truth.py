"""What gradebooks hold, read from the simulators' own files, and what Waymark holds of them.

Both come in one shape, so that they can be compared. The reading of the files is written
anew here: no line of it is the connectors'.

A grade that was taken away and one that was never given are the same here: no grade.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Cells = dict[tuple[str, str, str], dict[str, Any]]


@dataclass
class Book:
    """A course's gradebook.

    ``items`` by (item, rubric row), ``people`` by SIS id, ``cells`` by (item, rubric row,
    SIS id); an empty rubric row is the item itself. ``sections`` are who is in them, empty ones
    left out. ``unread`` are learners whose grades the LMS shows to nobody now.
    """

    title: str
    state: str
    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    people: dict[str, tuple[str, str]] = field(default_factory=dict)
    cells: Cells = field(default_factory=dict)
    sections: dict[str, frozenset[str]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)

    def differences(self, held: "Book") -> list[str]:
        """What Waymark holds otherwise than this gradebook, a line each."""
        found = [
            f"course: {(self.title, self.state)} held as {(held.title, held.state)}"
            for _ in range((self.title, self.state) != (held.title, held.state))
        ]
        people = {
            who: what
            for who, what in held.people.items()
            if who in self.people or what[1] != "concluded"
        }
        seen = {who for who in self.people if who not in self.unread}
        cells = {
            key: cell
            for key, cell in held.cells.items()
            if key[2] in seen and key[:2] in self.items
        }
        return [
            *found,
            *_differences("item", self.items, held.items),
            *_differences("person", self.people, people),
            *_differences("cell", self.cells, cells),
            *_differences("section", self.sections, held.sections),
        ]


def _differences(what: str, true: Mapping[Any, Any], held: Mapping[Any, Any]) -> list[str]:
    return [
        f"{what} {key}: {true.get(key)} held as {held.get(key)}"
        for key in sorted({*true, *held}, key=str)
        if true.get(key) != held.get(key)
    ]


def canvas_book(path: Path, course: int) -> Book:
    """A course of the simulated Canvas, as its gradebook page would show it today."""
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        row = db.execute("SELECT * FROM courses WHERE id = ?", (course,)).fetchone()
        book = Book(title=row["title"], state=row["state"], people=_people(db, course))
        for item in db.execute(
            "SELECT a.*, c.title AS category FROM assignments a JOIN categories c "
            "ON c.id = a.category_id WHERE a.course_id = ? AND a.kind <> 'tool'",
            (course,),
        ):
            _add_canvas_item(db, book, item)
        book.sections = _canvas_sections(db, course)
        return book


def _canvas_sections(db: sqlite3.Connection, course: int) -> dict[str, frozenset[str]]:
    """Sections by id, groups by "group" and id; who was put into none is in the course's own."""
    rows = db.execute(
        "SELECT COALESCE(s.section_id, 50000 + e.course_id) AS ref, p.sis_id FROM enrolments e "
        "JOIN people p ON p.id = e.person_id LEFT JOIN section_places s ON s.enrolment_id = e.id "
        "WHERE e.course_id = :course AND e.role = 'learner' UNION ALL "
        "SELECT 'group ' || g.id, p.sis_id FROM course_groups g JOIN course_group_members m "
        "ON m.group_id = g.id JOIN people p ON p.id = m.person_id WHERE g.course_id = :course",
        {"course": course},
    )
    return _parts(rows)


def _parts(rows: Iterable[Any]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for ref, who in rows:
        found.setdefault(str(ref), set()).add(who)
    return {ref: frozenset(members) for ref, members in found.items()}


def _add_canvas_item(db: sqlite3.Connection, book: Book, item: sqlite3.Row) -> None:
    facts = {
        "title": item["title"],
        "category": item["category"],
        "maximum": item["maximum"],
        "is_published": bool(item["is_published"]),
        "due_at": item["due_at"],
    }
    ref = str(item["id"])
    book.items[ref, ""] = facts
    for row in db.execute("SELECT * FROM criteria WHERE assignment_id = ?", (item["id"],)):
        book.items[ref, row["id"]] = {**facts, "maximum": row["maximum"]}
    if not item["is_published"]:
        return
    for cell in db.execute(
        "SELECT e.person_id, p.sis_id, g.* FROM enrolments e JOIN people p ON p.id = e.person_id "
        "LEFT JOIN grades g ON g.learner_id = e.person_id AND g.assignment_id = :item "
        "LEFT JOIN unassigned u ON u.learner_id = e.person_id AND u.assignment_id = :item "
        "WHERE e.course_id = :course AND e.role = 'learner' AND u.learner_id IS NULL",
        {"item": item["id"], "course": item["course_id"]},
    ):
        _add_canvas_cell(db, book, item, cell)


def _add_canvas_cell(
    db: sqlite3.Connection, book: Book, item: sqlite3.Row, cell: sqlite3.Row
) -> None:
    state = _canvas_state(item, cell)
    if state == "none":
        return
    is_graded = state == "graded"
    attempt, submitted_at = _graded_attempt(db, cell)
    facts = {
        "state": state,
        "points": cell["points"] if is_graded else None,
        "deducted": cell["points_deducted"] if is_graded else 0.0,
        "is_late": _is_late(item, cell, submitted_at) if is_graded else None,
        "submitted_at": submitted_at if is_graded else None,
        "is_visible": cell["posted_at"] is not None,
        "attempt": attempt,
        "is_overridden": False,
        "earlier": [],
    }
    ref = str(item["id"])
    earlier = [
        (*row, _is_late(item, cell, row["submitted_at"]))
        for row in _tries(db, cell)
        if row["number"] < attempt
    ]
    book.cells[ref, "", cell["sis_id"]] = {**facts, "earlier": earlier}
    for row in db.execute(
        "SELECT * FROM criterion_points WHERE assignment_id = ? AND learner_id = ?",
        (item["id"], cell["person_id"]),
    ):
        if is_graded:
            book.cells[ref, row["criterion_id"], cell["sis_id"]] = {
                **facts,
                "points": row["points"],
                "deducted": 0.0,
            }


def _canvas_state(item: sqlite3.Row, cell: sqlite3.Row) -> str:
    if cell["excused"]:
        return "excused"
    if _is_missing(item, cell):
        return "missing"
    if cell["points"] is None or cell["state"] == "pending_review":
        return "none"
    return "graded"


def _graded_attempt(db: sqlite3.Connection, cell: sqlite3.Row) -> tuple[int, int | None]:
    """The newest attempt, or the last graded one where the score is of that; and its moment."""
    is_older = cell["points"] is not None and (cell["graded_at"] or 0) < (cell["submitted_at"] or 0)
    graded = _tries(db, cell)
    if is_older and graded:
        return graded[-1]["number"], graded[-1]["submitted_at"]
    return int(cell["attempt"] or 0), cell["submitted_at"]


def _tries(db: sqlite3.Connection, cell: sqlite3.Row) -> list[sqlite3.Row]:
    """The attempts that were graded, oldest first."""
    return db.execute(
        "SELECT number, points, submitted_at, graded_at FROM attempts "
        "WHERE assignment_id = ? AND learner_id = ? AND graded_at IS NOT NULL ORDER BY number",
        (cell["assignment_id"], cell["person_id"]),
    ).fetchall()


def _is_missing(item: sqlite3.Row, cell: sqlite3.Row) -> bool:
    if cell["late_policy_status"] is not None:
        return bool(cell["late_policy_status"] == "missing")
    is_expected = item["kind"] in ("assignment", "quiz") and cell["submitted_at"] is None
    is_due = item["due_at"] is not None and item["due_at"] < time.time()
    return is_expected and is_due and cell["state"] in (None, "none", "missing")


def _is_late(item: sqlite3.Row, cell: sqlite3.Row, submitted_at: int | None) -> bool:
    if cell["late_policy_status"] is not None:
        return bool(cell["late_policy_status"] == "late")
    return bool(item["due_at"] and (submitted_at or 0) > item["due_at"])


def moodle_book(path: Path, course: int) -> Book:
    """A course of the simulated Moodle, as its grader report would show it today."""
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        row = db.execute("SELECT * FROM courses WHERE id = ?", (course,)).fetchone()
        book = Book(title=row["title"], state=row["state"], people=_people(db, course))
        book.unread = {who for who, (_, state) in book.people.items() if state != "active"}
        for item in db.execute(
            "SELECT a.*, c.title AS category FROM assignments a JOIN categories c "
            "ON c.id = a.category_id WHERE a.course_id = ?",
            (course,),
        ):
            book.items[str(item["id"]), ""] = {
                "title": item["title"],
                "category": item["category"],
                "maximum": item["maximum"],
                "is_scale": bool(json.loads(item["scale"])),
                "due_at": item["due_at"] if item["kind"] == "assignment" else None,
            }
            _add_moodle_cells(db, book, item)
        book.sections = _parts(
            db.execute(
                "SELECT g.id, p.sis_id FROM course_groups g JOIN group_members m "
                "ON m.group_id = g.id JOIN people p ON p.id = m.person_id "
                "JOIN enrolments e ON e.person_id = p.id AND e.course_id = g.course_id "
                "WHERE g.course_id = ?",
                (course,),
            )
        )
        return book


def _add_moodle_cells(db: sqlite3.Connection, book: Book, item: sqlite3.Row) -> None:
    is_hidden = not item["is_posted"] or not item["is_published"]
    for cell in db.execute(
        "SELECT p.sis_id, g.* FROM grades g JOIN people p ON p.id = g.learner_id "
        "JOIN enrolments e ON e.person_id = p.id AND e.course_id = g.course_id "
        "WHERE g.assignment_id = ? AND e.state = 'active'",
        (item["id"],),
    ):
        points = cell["override_points"] if cell["overridden"] else cell["points"]
        if points is None and not cell["excused"]:
            continue
        book.cells[str(item["id"]), "", cell["sis_id"]] = {
            "state": "excused" if cell["excused"] else "graded",
            "points": None if cell["excused"] else points,
            "is_visible": not (is_hidden or cell["hidden"]),
            "is_overridden": bool(cell["overridden"]),
        }


def _people(db: sqlite3.Connection, course: int) -> dict[str, tuple[str, str]]:
    return {
        row["sis_id"]: (f"{row['given_name']} {row['family_name']}", row["state"])
        for row in db.execute(
            "SELECT p.*, e.state FROM enrolments e JOIN people p ON p.id = e.person_id "
            "WHERE e.course_id = ? AND e.role = 'learner'",
            (course,),
        )
    }


_COURSE = (
    "SELECT c.* FROM courses c JOIN platforms p ON p.id = c.platform_id "
    "WHERE c.ref = :ref AND p.kind = :lms"
)
_STATES = {1: "graded", 2: "none", 3: "missing", 4: "excused", 5: "none"}
_FACTS = {
    "canvas": ("title", "category", "maximum", "is_published", "due_at"),
    "moodle": ("title", "category", "maximum", "is_scale", "due_at"),
}
_SEEN = {
    "canvas": (
        *("state", "points", "deducted", "is_late", "submitted_at", "is_visible", "attempt"),
        *("is_overridden", "earlier"),
    ),
    "moodle": ("state", "points", "is_visible", "is_overridden"),
}


def held_book(rows: Any, lms: str, course: int) -> Book:
    """What Waymark holds of a course; ``rows`` asks its database.

    Args:
        rows: A function of a query and its values.
        lms: canvas or moodle.
        course: The LMS's own id.

    Returns:
        The course without columns that were removed.
    """
    row = rows(_COURSE, ref=str(course), lms=lms)[0]
    book = Book(title=row.title, state=row.state)
    for item in rows(
        "SELECT * FROM line_items WHERE course_id = :id AND NOT is_removed", id=row.id
    ):
        book.items[item.ref, item.criterion_ref] = _only(
            lms,
            _FACTS,
            title=item.title,
            category=item.category,
            maximum=item.maximum,
            is_published=bool(item.is_published),
            is_scale=item.grading == "scale",
            due_at=_seconds(item.due_at),
        )
    for learner in rows(
        "SELECT l.sis_id, l.name, e.state FROM enrolments e JOIN learners l "
        "ON l.id = e.learner_id WHERE e.course_id = :id",
        id=row.id,
    ):
        book.people[learner.sis_id] = (learner.name, learner.state)
    earlier = _held_attempts(rows, row.id)
    for cell in rows(
        "SELECT i.ref, i.criterion_ref, l.sis_id, s.* FROM scores s JOIN line_items i "
        "ON i.id = s.line_item_id JOIN learners l ON l.id = s.learner_id "
        "WHERE i.course_id = :id AND NOT i.is_removed AND i.is_published",
        id=row.id,
    ):
        _add_held(book, lms, cell, earlier.get((cell.line_item_id, cell.learner_id), []))
    book.sections = _parts(
        rows(
            "SELECT s.ref, l.sis_id FROM sections s JOIN section_members m "
            "ON m.section_id = s.id JOIN learners l ON l.id = m.learner_id "
            "WHERE s.course_id = :id",
            id=row.id,
        )
    )
    return book


def _held_attempts(rows: Any, course_id: int) -> dict[tuple[int, int], list[Any]]:
    found: dict[tuple[int, int], list[Any]] = {}
    for one in rows(
        "SELECT a.* FROM earlier_attempts a JOIN line_items i ON i.id = a.line_item_id "
        "WHERE i.course_id = :id ORDER BY a.number",
        id=course_id,
    ):
        found.setdefault((one.line_item_id, one.learner_id), []).append(
            (
                one.number,
                one.points,
                _since_1970(one.submitted_at),
                _since_1970(one.graded_at),
                bool(one.is_late),
            )
        )
    return found


def _seconds(micros: int | None) -> int | None:
    return None if micros is None else micros // 1_000_000


def _since_1970(second: int | None) -> int | None:
    """Of a second since 2000, as scores have them."""
    return None if second is None else second + 946_684_800


def _add_held(book: Book, lms: str, cell: Any, earlier: list[Any]) -> None:
    state = _STATES[cell.flags & 7]
    if state == "none" or (cell.criterion_ref and state != "graded"):
        return
    is_graded = state == "graded"
    book.cells[cell.ref, cell.criterion_ref, cell.sis_id] = _only(
        lms,
        _SEEN,
        state=state,
        points=cell.points,
        deducted=(cell.points_deducted or 0.0) if is_graded else 0.0,
        is_late=bool(cell.flags & 16) if is_graded else None,
        submitted_at=_since_1970(cell.submitted_at) if is_graded else None,
        is_visible=bool(cell.flags & 8),
        attempt=cell.attempt,
        is_overridden=bool(cell.flags & 32),
        earlier=earlier,
    )


def _only(lms: str, names: Mapping[str, tuple[str, ...]], **facts: Any) -> dict[str, Any]:
    return {name: facts[name] for name in names[lms]}
