"""Acts on the cells of a Canvas gradebook; which moments move is ``grading``'s affair.

Source: canvas.md 2.4.
"""

import sqlite3

from simulators.canvas.grading import (
    Place,
    add_comment,
    apply_late_policy,
    await_review,
    clear_grade,
    excuse,
    set_grade,
    set_late_policy,
    set_late_status,
    set_rubric,
    submit,
)
from simulators.changes import Acts, Change, ImpossibleError
from simulators.course_changes import enrolment_of, item_of, set_item

acts = Acts()

_LATE_SECONDS = 86400 * 3 // 2


@acts
def grade(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher gives the value as points; an excuse is gone with it."""
    place = place_of(connection, change)
    set_grade(connection, place, points=change.number, grader=teacher_of(connection, change))


@acts
def clear(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher takes the grade away."""
    clear_grade(connection, place_of(connection, change))


@acts
def excuse_learner(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher excuses the learner from the assignment."""
    place = place_of(connection, change)
    excuse(connection, place, grader=teacher_of(connection, change))


@acts
def take_back_excuse(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher takes the excuse back and gives no grade."""
    clear_grade(connection, place_of(connection, change))


@acts
def hand_in(connection: sqlite3.Connection, change: Change) -> None:
    """The learner hands something in: a new attempt, and the grade is of the old one."""
    submit(connection, place_of(connection, change), submitted_at=change.now)


@acts
def hand_in_for_review(connection: sqlite3.Connection, change: Change) -> None:
    """The learner ends a quiz of which a part needs a person to grade it; the rest is scored."""
    place = place_of(connection, change)
    submit(connection, place, submitted_at=change.now)
    set_grade(connection, place, points=change.number, grader=-change.item)
    await_review(connection, place)


@acts
def mark_late(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher marks the cell late, by the value in seconds or a day and a half."""
    seconds = change.whole_number if change.value else _LATE_SECONDS
    place = place_of(connection, change)
    set_late_status(connection, place, status="late", seconds=seconds)


@acts
def mark_missing(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher marks the cell missing."""
    set_late_status(connection, place_of(connection, change), status="missing", seconds=None)


@acts
def take_back_status(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher marks the cell neither late nor missing."""
    set_late_status(connection, place_of(connection, change), status="none", seconds=None)


@acts
def change_late_policy(connection: sqlite3.Connection, change: Change) -> dict[str, object]:
    """The course's late policy takes the value in percent a day; old work is deducted anew."""
    set_late_policy(connection, change.course, percent=change.number)
    return {"changed": apply_late_policy(connection, change.course, change.now)}


@acts
def let_due_pass(connection: sqlite3.Connection, change: Change) -> None:
    """The due date goes by. Canvas writes nothing: missing is worked out when it is asked."""
    item_of(connection, change)
    sql = "UPDATE assignments SET due_at = ? WHERE id = ?"
    connection.execute(sql, (change.now - 60, change.item))


@acts
def fill_missing(connection: sqlite3.Connection, change: Change) -> None:
    """The missing policy gives 0 to who handed nothing in, and touches no moment at all."""
    let_due_pass(connection, change)
    connection.execute(
        "INSERT INTO grades (course_id, assignment_id, learner_id, state, points, updated_at) "
        "SELECT a.course_id, a.id, e.person_id, 'none', 0, a.created_at FROM assignments a "
        "JOIN enrolments e ON e.course_id = a.course_id AND e.role = 'learner' WHERE a.id = ? "
        "ON CONFLICT DO UPDATE SET points = 0 WHERE state = 'none' AND submitted_at IS NULL",
        (change.item,),
    )


@acts
def hide_scores(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher hides the assignment's grades from the learners, and later ones too."""
    set_item(connection, change, "is_posted", value=False)
    connection.execute(
        "UPDATE grades SET posted_at = NULL, is_posted = 0, updated_at = ? "
        "WHERE assignment_id = ? AND posted_at IS NOT NULL",
        (change.now, change.item),
    )


@acts
def show_scores(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher posts the assignment's grades to the learners."""
    set_item(connection, change, "is_posted", value=True)
    connection.execute(
        "UPDATE grades SET posted_at = ?, is_posted = 1, updated_at = ? "
        "WHERE assignment_id = ? AND posted_at IS NULL AND state <> 'none'",
        (change.now, change.now, change.item),
    )


@acts
def grade_rubric_row(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher gives the value as points of one rubric row; the score is their sum."""
    place = place_of(connection, change)
    points = {_criterion(connection, change): change.number}
    set_rubric(connection, place, points, grader=teacher_of(connection, change))


@acts
def clear_rubric_row(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher empties one rubric row; the score is the sum of the others."""
    place = place_of(connection, change)
    connection.execute(
        "DELETE FROM criterion_points "
        "WHERE assignment_id = ? AND learner_id = ? AND criterion_id = ?",
        (change.item, change.learner, _criterion(connection, change)),
    )
    set_rubric(connection, place, {}, grader=teacher_of(connection, change))


@acts
def change_rubric(connection: sqlite3.Connection, change: Change) -> None:
    """The value becomes the most that a rubric row is worth; the assignment stays as it is."""
    item_of(connection, change)
    sql = "UPDATE criteria SET maximum = ? WHERE assignment_id = ? AND id = ?"
    connection.execute(sql, (change.number, change.item, _criterion(connection, change)))


@acts
def comment(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher writes the value as a comment; the grade stays as it is."""
    add_comment(connection, place_of(connection, change), text=change.value, author="Teacher")


@acts
def unassign(connection: sqlite3.Connection, change: Change) -> None:
    """The assignment is no longer the learner's; the row disappears everywhere."""
    place_of(connection, change)
    sql = "INSERT OR IGNORE INTO unassigned VALUES (?, ?)"
    connection.execute(sql, (change.item, change.learner))


@acts
def assign(connection: sqlite3.Connection, change: Change) -> None:
    """The assignment is the learner's again."""
    sql = "DELETE FROM unassigned WHERE assignment_id = ? AND learner_id = ?"
    connection.execute(sql, (change.item, change.learner))
    connection.execute(
        "UPDATE grades SET updated_at = ? WHERE assignment_id = ? AND learner_id = ?",
        (change.now, change.item, change.learner),
    )


def place_of(connection: sqlite3.Connection, change: Change) -> Place:
    """The cell that a change is about.

    Raises:
        ImpossibleError: There is no such learner and published assignment in the course.
    """
    enrolment_of(connection, change)
    if not item_of(connection, change)["is_published"]:
        raise ImpossibleError("the assignment is not published")
    return Place(
        course=change.course, assignment=change.item, learner=change.learner, now=change.now
    )


def teacher_of(connection: sqlite3.Connection, change: Change) -> int:
    """The first teacher of the change's course.

    Raises:
        ImpossibleError: There is none.
    """
    sql = "SELECT person_id FROM enrolments WHERE course_id = ? AND role = 'teacher' ORDER BY id"
    row = connection.execute(sql, (change.course,)).fetchone()
    if row is None:
        raise ImpossibleError("the course has no teacher")
    return int(row["person_id"])


def _criterion(connection: sqlite3.Connection, change: Change) -> str:
    """The rubric row that is meant; the first where none is named."""
    rows = connection.execute(
        "SELECT id FROM criteria WHERE assignment_id = ? ORDER BY position", (change.item,)
    )
    known = [str(row["id"]) for row in rows]
    wanted = change.criterion or next(iter(known), "")
    if wanted not in known:
        raise ImpossibleError(f"the assignment has no rubric row {wanted!r}")
    return wanted
