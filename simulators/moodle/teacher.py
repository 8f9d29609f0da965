"""What a teacher does to a gradebook by hand, used by the pages and by the control API."""

import sqlite3

from simulators.moodle.site import Site

EXCUSED = "excused"


class UnknownCellError(Exception):
    """There is no such learner or item in the course."""


def enter_score(here: Site, cell: tuple[int, int, int], points: float | str | None) -> None:
    """Enter a grade as a teacher would.

    A quiz's grade becomes an override, as Moodle's gradebook makes it; assignments and manual
    items get the number itself; in a tool's column it stands where the tool's score stood.

    Args:
        here: The site.
        cell: Course, learner and grade item.
        points: The number in the item's own range, None to clear, ``excused`` to exclude the
            learner's grade from totals.

    Raises:
        UnknownCellError: The learner or the item is not in the course.
    """
    course, learner, item = cell
    if (
        here.row(
            "SELECT 1 FROM enrolments WHERE course_id = ? AND person_id = ? AND role = 'learner'",
            *(course, learner),
        )
        is None
    ):
        raise UnknownCellError(f"learner {learner} is not in course {course}")
    tool_item = here.row("SELECT * FROM line_items WHERE id = ? AND course_id = ?", *(item, course))
    if tool_item is not None:
        _enter_over_tool(here, (item, learner), points)
        return
    found = here.row("SELECT * FROM assignments WHERE id = ? AND course_id = ?", *(item, course))
    if found is None:
        raise UnknownCellError(f"item {item} is not in course {course}")
    _enter_own(here, found, (learner, points))


def _enter_over_tool(here: Site, cell: tuple[int, int], points: float | str | None) -> None:
    """A teacher's number in a tool's column carries no mark of its own, only a newer moment."""
    number = None if points is None or isinstance(points, str) else points
    here.write(
        "INSERT INTO ags_scores (line_item_id, user_id, score, timestamp, by_tool) "
        "VALUES (?, ?, ?, ?, 0) ON CONFLICT (line_item_id, user_id) DO UPDATE SET "
        "score = excluded.score, timestamp = excluded.timestamp, by_tool = 0",
        *(*cell, number, here.now),
    )


def _enter_own(here: Site, item: sqlite3.Row, what: tuple[int, float | str | None]) -> None:
    learner, points = what
    here.write(
        "INSERT OR IGNORE INTO grades (course_id, assignment_id, learner_id, state, updated_at) "
        "VALUES (?, ?, ?, 'none', ?)",
        *(item["course_id"], item["id"], learner, here.now),
    )
    change, values = _change(here.now, item["kind"], points)
    here.write(
        f"UPDATE grades SET {change}, updated_at = ? WHERE assignment_id = ? AND learner_id = ?",  # noqa: S608 - own words
        *(*values, here.now, item["id"], learner),
    )


def _change(now: int, kind: str, points: float | str | None) -> tuple[str, tuple[object, ...]]:
    """The columns of ``grades`` that change, and their values."""
    if points == EXCUSED:
        return "state = 'excused', excused = 1", ()
    if points is None:
        change = (
            "state = 'none', excused = 0, points = NULL, overridden = 0, "
            "override_points = NULL, graded_at = ?"
        )
        return change, (now,)
    own = "state = 'graded', excused = 0, graded_at = ?"
    if kind == "quiz":
        return f"{own}, overridden = 1, override_points = ?", (now, points)
    return f"{own}, overridden = 0, override_points = NULL, points = ?", (now, points)
