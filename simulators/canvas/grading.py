"""What happens to a gradebook cell when somebody grades, clears, excuses or hands in.

Which of the moments move is Canvas's own logic, and not always what one expects: clearing a
grade moves ``updated_at`` only.

Source: canvas.md 2.4.
"""

import json
import math
import sqlite3
from dataclasses import dataclass

from simulators.canvas.cells import Cell, CellQuery, one_cell, select_cells

INTERVAL_SECONDS = {"hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A cell to be written, and when. ``now`` in seconds since 1970."""

    course: int
    assignment: int
    learner: int
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LatePolicy:
    """How much being late costs, in percent of the maximum for each begun interval."""

    percent: float
    interval: str = "day"
    minimum_percent: float = 0.0


def set_grade(connection: sqlite3.Connection, place: Place, *, points: float, grader: int) -> None:
    """Give points; an excused cell silently stops being excused.

    Args:
        connection: The state.
        place: Where and when.
        points: Before any late deduction.
        grader: A person, or a tool with its number negated.
    """
    deducted = _deduction(_ensured(connection, place), points, _policy(connection, place))
    _update(
        connection,
        place,
        "state = 'graded', points = :points, points_deducted = :deducted, excused = 0, "
        "overridden = 0, grader_id = :grader, graded_at = :now, updated_at = :now",
        points=points,
        deducted=deducted,
        grader=grader,
    )
    _post(connection, place)
    _update_attempt(connection, place, "points = :points, graded_at = :now", points=points)


def clear_grade(connection: sqlite3.Connection, place: Place) -> None:
    """Take the grade away: the cell stays graded and keeps its graded_at, without a score."""
    _ensured(connection, place)
    _update(
        connection,
        place,
        "state = CASE WHEN excused THEN 'graded' ELSE state END, excused = 0, "
        "graded_at = CASE WHEN excused THEN COALESCE(graded_at, updated_at) ELSE graded_at END, "
        "points = NULL, points_deducted = 0, updated_at = :now",
    )
    _update_attempt(connection, place, "points = NULL")


def excuse(connection: sqlite3.Connection, place: Place, *, grader: int) -> None:
    """Excuse the learner; any score is lost."""
    _ensured(connection, place)
    _update(
        connection,
        place,
        "state = 'excused', excused = 1, points = NULL, points_deducted = 0, "
        "grader_id = :grader, graded_at = :now, updated_at = :now",
        grader=grader,
    )
    _update_attempt(connection, place, "points = NULL, graded_at = :now")
    _post(connection, place)


def submit(connection: sqlite3.Connection, place: Place, *, submitted_at: int) -> None:
    """Hand in: a new attempt wherever ``submitted_at`` changes; the score stays for now."""
    cell = _ensured(connection, place)
    if cell.submitted_at == submitted_at:
        return
    _update(
        connection,
        place,
        "submitted_at = :submitted_at, attempt = attempt + 1, updated_at = :now, "
        "state = CASE WHEN state IN ('graded', 'excused') THEN state ELSE 'submitted' END",
        submitted_at=submitted_at,
    )
    connection.execute(
        "INSERT INTO attempts (assignment_id, learner_id, number, submitted_at) "
        "VALUES (:assignment, :learner, :number, :submitted_at)",
        {**_names(place), "number": cell.attempt + 1, "submitted_at": submitted_at},
    )
    _deduct_again(connection, place)


def await_review(connection: sqlite3.Connection, place: Place) -> None:
    """Mark the cell as waiting for a person although it may hold a score."""
    _update(connection, place, "state = 'pending_review'")


def set_late_status(
    connection: sqlite3.Connection, place: Place, *, status: str | None, seconds: int | None
) -> None:
    """Call the cell late, missing, extended or none; graded_at moves when this changes."""
    cell = _ensured(connection, place)
    moved = status != cell.late_policy_status
    _update(
        connection,
        place,
        "late_policy_status = :status, seconds_late_override = :seconds, updated_at = :now, "
        "graded_at = CASE WHEN :moved THEN :now ELSE graded_at END",
        status=status,
        seconds=seconds,
        moved=moved,
    )
    _deduct_again(connection, place)


def set_late_policy(
    connection: sqlite3.Connection, course: int, *, percent: float, interval: str = "day"
) -> None:
    """Give a course a late policy; what is graded already waits for ``apply_late_policy``."""
    policy = {"percent": percent, "interval": interval}
    connection.execute(
        "INSERT OR REPLACE INTO config VALUES (?, ?)",
        (f"late_policy:{course}", json.dumps(policy)),
    )


def apply_late_policy(connection: sqlite3.Connection, course: int, now: int) -> int:
    """Deduct anew in a whole course after its policy changed; graded_at does not move.

    Returns:
        How many cells changed.
    """
    changed = 0
    for cell in select_cells(connection, CellQuery(course=course)):
        place = Place(
            course=course, assignment=cell.assignment_id, learner=cell.learner_id, now=now
        )
        changed += _deduct_again(connection, place)
    return changed


def set_rubric(
    connection: sqlite3.Connection, place: Place, points: dict[str, float], *, grader: int
) -> None:
    """Assess by rubric: the cell's score becomes the sum of its criteria."""
    connection.executemany(
        "INSERT OR REPLACE INTO criterion_points VALUES (?, ?, ?, ?)",
        [(place.assignment, place.learner, key, value) for key, value in points.items()],
    )
    total = connection.execute(
        "SELECT SUM(points) FROM criterion_points WHERE assignment_id = ? AND learner_id = ?",
        (place.assignment, place.learner),
    ).fetchone()[0]
    if total is None:
        clear_grade(connection, place)
        return
    set_grade(connection, place, points=total, grader=grader)


def add_comment(
    connection: sqlite3.Connection,
    place: Place,
    *,
    text: str,
    author: str,
    author_id: int | None = None,
) -> None:
    """Append a comment; the same words twice are two comments. A tool's has no author's id."""
    said = _ensured(connection, place).comments()
    said.append(
        {
            "comment": text,
            "author_id": author_id,
            "author_name": author,
            "created_at": place.now,
        }
    )
    _update(
        connection,
        place,
        "comment = :comment, updated_at = :now",
        comment=json.dumps(said, ensure_ascii=False),
    )


def _names(place: Place) -> dict[str, int]:
    return {
        "course": place.course,
        "assignment": place.assignment,
        "learner": place.learner,
        "now": place.now,
    }


def _update(connection: sqlite3.Connection, place: Place, change: str, **values: object) -> None:
    connection.execute(
        f"UPDATE grades SET {change} "  # noqa: S608 - own words
        "WHERE assignment_id = :assignment AND learner_id = :learner",
        {**_names(place), **values},
    )


def _update_attempt(
    connection: sqlite3.Connection, place: Place, change: str, **values: object
) -> None:
    """Change the newest attempt, where something was handed in: it keeps its last grade only."""
    connection.execute(
        f"UPDATE attempts SET {change} "  # noqa: S608 - own words
        "WHERE assignment_id = :assignment AND learner_id = :learner "
        "AND number = (SELECT MAX(number) FROM attempts "
        "WHERE assignment_id = :assignment AND learner_id = :learner)",
        {**_names(place), **values},
    )


def _ensured(connection: sqlite3.Connection, place: Place) -> Cell:
    connection.execute(
        "INSERT OR IGNORE INTO grades (course_id, assignment_id, learner_id, state, updated_at) "
        "VALUES (:course, :assignment, :learner, 'none', :now)",
        _names(place),
    )
    cell = one_cell(connection, place.course, (place.assignment, place.learner))
    if cell is None:
        raise LookupError("no such learner and published assignment in this course")
    return cell


def _post(connection: sqlite3.Connection, place: Place) -> None:
    connection.execute(
        "UPDATE grades SET posted_at = :now, is_posted = 1 "
        "WHERE assignment_id = :assignment AND learner_id = :learner AND posted_at IS NULL "
        "AND (SELECT is_posted FROM assignments WHERE id = :assignment)",
        _names(place),
    )


def _policy(connection: sqlite3.Connection, place: Place) -> LatePolicy | None:
    row = connection.execute(
        "SELECT value FROM config WHERE key = ?", (f"late_policy:{place.course}",)
    ).fetchone()
    return LatePolicy(**json.loads(row["value"])) if row else None


def _deduction(cell: Cell, points: float, policy: LatePolicy | None) -> float:
    """Points that being late costs.

    Without a policy in the settings, what was deducted for this attempt so far still is: the
    attempt has not become later.
    """
    if not cell.is_late or cell.maximum <= 0:
        return 0.0
    if policy is None:
        return min(cell.points_deducted, max(points, 0.0))
    intervals = math.ceil(cell.seconds_late / INTERVAL_SECONDS[policy.interval])
    score_percent = points * 100 / cell.maximum
    most = max(score_percent - policy.minimum_percent, 0.0)
    return round(min(policy.percent * intervals, most) * cell.maximum / 100, 2)


def _deduct_again(connection: sqlite3.Connection, place: Place) -> int:
    cell = one_cell(connection, place.course, (place.assignment, place.learner))
    if cell is None or cell.points is None:
        return 0
    deducted = _deduction(cell, cell.points, _policy(connection, place))
    if deducted == cell.points_deducted:
        return 0
    _update(connection, place, "points_deducted = :deducted, updated_at = :now", deducted=deducted)
    return 1
