"""Acts that every LMS has: on columns, people and courses.

What becomes of the cells' own moments is each LMS's own affair and is not here.
"""

import sqlite3

from simulators.changes import Acts, Change, ImpossibleError

acts = Acts()

_NEXT_ITEM = """
    SELECT max(i) + 1 FROM (
        SELECT max(id) AS i FROM assignments UNION SELECT max(item_id) FROM categories
        UNION SELECT max(id) FROM line_items
        UNION SELECT seq FROM sqlite_sequence WHERE name = 'line_items')
"""
_OF_AN_ITEM = ("grades", "attempts", "criteria", "criterion_points", "unassigned")


@acts
def change_maximum(connection: sqlite3.Connection, change: Change) -> None:
    """The column's maximum becomes the value; no score changes."""
    set_item(connection, change, "maximum", value=change.number)


@acts
def rename_item(connection: sqlite3.Connection, change: Change) -> None:
    """The column's title becomes the value."""
    set_item(connection, change, "title", value=change.value)


@acts
def move_item(connection: sqlite3.Connection, change: Change) -> None:
    """The column moves to the category that has the value as its title."""
    category = category_of(connection, change, change.value)
    set_item(connection, change, "category_id", value=category)


@acts
def add_item(connection: sqlite3.Connection, change: Change) -> dict[str, object]:
    """A new column beside the given one, like it, with the value as its title."""
    row = item_of(connection, change)
    number = connection.execute(_NEXT_ITEM).fetchone()[0]
    connection.execute(
        "INSERT INTO assignments (id, course_id, category_id, title, maximum, due_at, kind, "
        "position, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, 'manual', ?, ?, ?)",
        (
            *(number, change.course, row["category_id"], change.value, row["maximum"]),
            *(row["due_at"], row["position"] + 1, change.now, change.now),
        ),
    )
    return {"item": number}


@acts
def delete_item(connection: sqlite3.Connection, change: Change) -> None:
    """The column is deleted, with everything in it."""
    item_of(connection, change)
    for table in _OF_AN_ITEM:
        sql = f"DELETE FROM {table} WHERE assignment_id = ?"  # noqa: S608 - own words
        connection.execute(sql, (change.item,))
    connection.execute("DELETE FROM assignments WHERE id = ?", (change.item,))


@acts
def suspend_learner(connection: sqlite3.Connection, change: Change) -> None:
    """The learner's enrolment is suspended (Canvas: inactive)."""
    set_enrolment(connection, change, "suspended")


@acts
def restore_learner(connection: sqlite3.Connection, change: Change) -> None:
    """The learner takes part again, suspended, concluded or removed before."""
    add_learner(connection, change)
    set_enrolment(connection, change, "active")
    connection.execute(
        "UPDATE grades SET updated_at = ? WHERE course_id = ? AND learner_id = ?",
        (change.now, change.course, change.learner),
    )


@acts
def add_learner(connection: sqlite3.Connection, change: Change) -> None:
    """Somebody of the district becomes a learner of the course."""
    _enrol(connection, change, change.course)


@acts
def remove_learner(connection: sqlite3.Connection, change: Change) -> None:
    """The learner is taken out of the course; the grades are not shown any more."""
    enrolment_of(connection, change)
    connection.execute(
        "DELETE FROM enrolments WHERE course_id = ? AND person_id = ? AND role = 'learner'",
        (change.course, change.learner),
    )


@acts
def move_to_course(connection: sqlite3.Connection, change: Change) -> None:
    """The learner leaves the course and enters the one with the value as its id."""
    remove_learner(connection, change)
    _enrol(connection, change, change.whole_number)


@acts
def correct_sis_id(connection: sqlite3.Connection, change: Change) -> None:
    """The learner's id in the district becomes the value."""
    _set_person(connection, change, "sis_id")


@acts
def rename_learner(connection: sqlite3.Connection, change: Change) -> None:
    """The learner's family name becomes the value."""
    _set_person(connection, change, "family_name")


@acts
def rename_course(connection: sqlite3.Connection, change: Change) -> None:
    """The course's title becomes the value."""
    connection.execute("UPDATE courses SET title = ? WHERE id = ?", (change.value, change.course))


def set_course(connection: sqlite3.Connection, change: Change, state: str) -> None:
    """Set a course's state: active, unpublished or concluded."""
    connection.execute("UPDATE courses SET state = ? WHERE id = ?", (state, change.course))


def set_item(connection: sqlite3.Connection, change: Change, name: str, *, value: object) -> None:
    """Set one field of a column.

    Raises:
        ImpossibleError: The column is not in the course.
    """
    item_of(connection, change)
    connection.execute(
        f"UPDATE assignments SET {name} = ?, updated_at = ? WHERE id = ?",  # noqa: S608 - own words
        (value, change.now, change.item),
    )


def set_enrolment(connection: sqlite3.Connection, change: Change, state: str) -> None:
    """Set the state of a learner's enrolment.

    Raises:
        ImpossibleError: The learner is not in the course.
    """
    enrolment_of(connection, change)
    connection.execute(
        "UPDATE enrolments SET state = ? "
        "WHERE course_id = ? AND person_id = ? AND role = 'learner'",
        (state, change.course, change.learner),
    )


def item_of(connection: sqlite3.Connection, change: Change) -> sqlite3.Row:
    """The column that a change is about.

    Raises:
        ImpossibleError: It is not in the course.
    """
    sql = "SELECT * FROM assignments WHERE id = ? AND course_id = ?"
    return _one(connection.execute(sql, (change.item, change.course)), f"column {change.item}")


def enrolment_of(connection: sqlite3.Connection, change: Change) -> sqlite3.Row:
    """The place of the learner that a change is about.

    Raises:
        ImpossibleError: They are not in the course.
    """
    sql = "SELECT * FROM enrolments WHERE course_id = ? AND person_id = ? AND role = 'learner'"
    found = connection.execute(sql, (change.course, change.learner))
    return _one(found, f"learner {change.learner}")


def category_of(connection: sqlite3.Connection, change: Change, title: str) -> int:
    """The id of a category of the course.

    Raises:
        ImpossibleError: There is none of this title.
    """
    sql = "SELECT id FROM categories WHERE course_id = ? AND title = ?"
    found = connection.execute(sql, (change.course, title))
    return int(_one(found, f"category {title!r}")["id"])


def _one(found: sqlite3.Cursor, what: str) -> sqlite3.Row:
    row: sqlite3.Row | None = found.fetchone()
    if row is None:
        raise ImpossibleError(f"there is no {what} in this course")
    return row


def _enrol(connection: sqlite3.Connection, change: Change, course: int) -> None:
    known = "SELECT * FROM people WHERE id = ?"
    _one(connection.execute(known, (change.learner,)), f"person {change.learner}")
    connection.execute(
        "INSERT OR IGNORE INTO enrolments (course_id, person_id, role, state, created_at) "
        "VALUES (?, ?, 'learner', 'active', ?)",
        (course, change.learner, change.now),
    )


def _set_person(connection: sqlite3.Connection, change: Change, name: str) -> None:
    enrolment_of(connection, change)
    sql = f"UPDATE people SET {name} = ? WHERE id = ?"  # noqa: S608 - own words
    connection.execute(sql, (change.value, change.learner))
