"""What a teacher does to a gradebook by hand, used by the pages and by the control API."""

import sqlite3

EXCUSED = "excused"


class UnknownCellError(Exception):
    """There is no such learner or item in the course."""


def enter_score(
    connection: sqlite3.Connection,
    cell: tuple[int, int, int],
    points: float | str | None,
    *,
    now: int,
) -> None:
    """Enter a grade as a teacher would.

    A quiz's grade becomes an override, as Moodle's gradebook makes it; assignments and manual
    items get the number itself; in a tool's column it stands where the tool's score stood.

    Args:
        connection: The state.
        cell: Course, learner and grade item.
        points: The number in the item's own range, None to clear, ``excused`` to exclude the
            learner's grade from totals.
        now: Seconds since 1970.

    Raises:
        UnknownCellError: The learner or the item is not in the course.
    """
    course, learner, item = cell
    place = "SELECT 1 FROM enrolments WHERE course_id = ? AND person_id = ? AND role = 'learner'"
    if connection.execute(place, (course, learner)).fetchone() is None:
        raise UnknownCellError(f"learner {learner} is not in course {course}")
    of_a_tool = "SELECT 1 FROM line_items WHERE id = ? AND course_id = ?"
    if connection.execute(of_a_tool, (item, course)).fetchone() is not None:
        _enter_over_tool(connection, (item, learner), points, now=now)
        return
    sql = "SELECT * FROM assignments WHERE id = ? AND course_id = ?"
    found = connection.execute(sql, (item, course)).fetchone()
    if found is None:
        raise UnknownCellError(f"item {item} is not in course {course}")
    _enter_own(connection, found, (learner, points), now=now)


def _enter_over_tool(
    connection: sqlite3.Connection,
    cell: tuple[int, int],
    points: float | str | None,
    *,
    now: int,
) -> None:
    """A teacher's number in a tool's column carries no mark of its own, only a newer moment."""
    number = None if points is None or isinstance(points, str) else points
    connection.execute(
        "INSERT INTO ags_scores (line_item_id, user_id, score, timestamp, by_tool) "
        "VALUES (?, ?, ?, ?, 0) ON CONFLICT (line_item_id, user_id) DO UPDATE SET "
        "score = excluded.score, timestamp = excluded.timestamp, by_tool = 0",
        (*cell, number, now),
    )


def _enter_own(
    connection: sqlite3.Connection,
    item: sqlite3.Row,
    what: tuple[int, float | str | None],
    *,
    now: int,
) -> None:
    learner, points = what
    connection.execute(
        "INSERT OR IGNORE INTO grades (course_id, assignment_id, learner_id, state, updated_at) "
        "VALUES (?, ?, ?, 'none', ?)",
        (item["course_id"], item["id"], learner, now),
    )
    change, values = _change(now, item["kind"], points)
    connection.execute(
        f"UPDATE grades SET {change}, updated_at = ? WHERE assignment_id = ? AND learner_id = ?",  # noqa: S608 - own words
        (*values, now, item["id"], learner),
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
