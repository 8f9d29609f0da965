"""Acts on the cells of a Moodle gradebook.

Source: moodle.md 2.3: overridden, excluded, hidden and locked grades; scales.
"""

import json
import sqlite3

from simulators.changes import Acts, Change, ImpossibleError
from simulators.course_changes import enrolment_of, item_of, set_course, set_item
from simulators.moodle.teacher import EXCUSED, UnknownCellError, enter_score

acts = Acts()


@acts
def grade(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher gives the value as points; above the maximum Moodle warns and takes that."""
    points = min(change.number, float(item_of(connection, change)["maximum"]))
    _enter(connection, change, points)
    connection.execute(
        "UPDATE attempts SET points = ?, graded_at = ? WHERE assignment_id = ? "
        "AND learner_id = ? AND number = (SELECT attempt FROM grades "
        "WHERE assignment_id = attempts.assignment_id AND learner_id = attempts.learner_id)",
        (points, change.now, change.item, change.learner),
    )


@acts
def clear(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher takes the grade away."""
    _enter(connection, change, None)


@acts
def exclude(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher excludes the grade from the totals; it stays where it is."""
    _enter(connection, change, EXCUSED)


@acts
def take_back_exclusion(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher lets the grade count again."""
    _set(
        connection,
        change,
        "excused = 0, state = CASE WHEN COALESCE(override_points, points) IS NULL "
        "THEN 'none' ELSE 'graded' END",
    )


@acts
def override(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher puts the value over the activity's own grade, in the gradebook."""
    _set(
        connection,
        change,
        "state = 'graded', excused = 0, overridden = 1, override_points = :points, "
        "graded_at = :now",
        points=change.number,
    )


@acts
def remove_override(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher takes the override back: the activity's own grade counts again."""
    _set(
        connection,
        change,
        "overridden = 0, override_points = NULL, "
        "state = CASE WHEN points IS NULL THEN 'none' ELSE state END",
    )


@acts
def hide_cell(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher hides this one grade from its learner."""
    _set(connection, change, "hidden = 1")


@acts
def show_cell(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher shows this one grade to its learner."""
    _set(connection, change, "hidden = 0")


@acts
def lock(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher locks the grade: nobody may change it."""
    _set(connection, change, "locked = 1")


@acts
def unlock(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher unlocks the grade."""
    _set(connection, change, "locked = 0")


@acts
def hand_in(connection: sqlite3.Connection, change: Change) -> None:
    """The learner hands something in: a new attempt, and the grade is of the old one."""
    _set(
        connection,
        change,
        "submitted_at = :now, attempt = attempt + 1, "
        "state = CASE WHEN state = 'none' THEN 'submitted' ELSE state END",
    )
    connection.execute(
        "INSERT INTO attempts (assignment_id, learner_id, number, submitted_at) "
        "SELECT assignment_id, learner_id, attempt, submitted_at FROM grades "
        "WHERE assignment_id = ? AND learner_id = ?",
        (change.item, change.learner),
    )


@acts
def comment(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher writes the value as feedback; the grade stays as it is."""
    _set(connection, change, "comment = :words", words=change.value)


@acts
def hide_scores(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher hides the column from the learners."""
    set_item(connection, change, "is_posted", value=False)


@acts
def show_scores(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher shows the column to the learners."""
    set_item(connection, change, "is_posted", value=True)


@acts
def unpublish_item(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher hides the activity, and its column with it."""
    set_item(connection, change, "is_published", value=False)


@acts
def publish_item(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher shows the activity."""
    set_item(connection, change, "is_published", value=True)


@acts
def change_due(connection: sqlite3.Connection, change: Change) -> None:
    """The due date becomes the value."""
    set_item(connection, change, "due_at", value=change.moment)


@acts
def change_scale(connection: sqlite3.Connection, change: Change) -> None:
    """The column is marked on another scale: the value's words, lowest first, with commas."""
    words = [word.strip() for word in change.value.split(",") if word.strip()]
    if not item_of(connection, change)["scale"].startswith('["'):
        raise ImpossibleError("the column is not marked on a scale")
    set_item(connection, change, "scale", value=json.dumps(words, ensure_ascii=False))
    set_item(connection, change, "maximum", value=float(len(words)))


@acts
def unpublish_course(connection: sqlite3.Connection, change: Change) -> None:
    """The course is hidden from its learners."""
    set_course(connection, change, "unpublished")


@acts
def move_group(connection: sqlite3.Connection, change: Change) -> None:
    """The learner moves to the course's group with the value as its name."""
    enrolment_of(connection, change)
    sql = "SELECT id FROM course_groups WHERE course_id = ? AND name = ?"
    group = connection.execute(sql, (change.course, change.value)).fetchone()
    if group is None:
        raise ImpossibleError(f"there is no group {change.value!r} in this course")
    connection.execute(
        "DELETE FROM group_members WHERE person_id = ? AND group_id IN "
        "(SELECT id FROM course_groups WHERE course_id = ?)",
        (change.learner, change.course),
    )
    connection.execute("INSERT INTO group_members VALUES (?, ?)", (group["id"], change.learner))


@acts
def edit_own_column(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher writes the value over what a tool wrote about the learner, as feedback."""
    enrolment_of(connection, change)
    connection.execute(
        "UPDATE ags_scores SET comment = ?, timestamp = ?, by_tool = 0 WHERE user_id = ? "
        "AND line_item_id IN (SELECT id FROM line_items WHERE course_id = ?)",
        (change.value, change.now, change.learner, change.course),
    )


def _enter(connection: sqlite3.Connection, change: Change, points: float | str | None) -> None:
    _refuse_locked(connection, change)
    cell = (change.course, change.learner, change.item)
    try:
        enter_score(connection, cell, points, now=change.now)
    except UnknownCellError as error:
        raise ImpossibleError(str(error)) from None


def _set(connection: sqlite3.Connection, change: Change, what: str, **values: object) -> None:
    enrolment_of(connection, change)
    item_of(connection, change)
    if not what.startswith("locked"):
        _refuse_locked(connection, change)
    place = {
        "course": change.course,
        "item": change.item,
        "learner": change.learner,
        "now": change.now,
    }
    connection.execute(
        "INSERT OR IGNORE INTO grades (course_id, assignment_id, learner_id, state, updated_at) "
        "VALUES (:course, :item, :learner, 'none', :now)",
        place,
    )
    connection.execute(
        f"UPDATE grades SET {what}, updated_at = :now "  # noqa: S608 - own words
        "WHERE assignment_id = :item AND learner_id = :learner",
        {**place, **values},
    )


def _refuse_locked(connection: sqlite3.Connection, change: Change) -> None:
    sql = "SELECT 1 FROM grades WHERE assignment_id = ? AND learner_id = ? AND locked"
    if connection.execute(sql, (change.item, change.learner)).fetchone() is not None:
        raise ImpossibleError("the grade is locked")
