"""Acts on the assignments, people and courses of a Canvas, beside those that every LMS has."""

import sqlite3

from simulators.canvas.cell_changes import teacher_of
from simulators.canvas.grading import Place, apply_late_policy, set_grade
from simulators.changes import Acts, Change, ImpossibleError, person_named
from simulators.course_changes import enrolment_of, set_course, set_enrolment, set_item

acts = Acts()

_MOVED_BY_A_MERGE = ("grades", "attempts", "criterion_points", "unassigned")


@acts
def change_due(connection: sqlite3.Connection, change: Change) -> None:
    """The due date becomes the value; every cell is looked at anew, which moves updated_at.

    Source: general knowledge of Canvas, not seen on the wire.
    """
    set_item(connection, change, "due_at", value=change.moment)
    connection.execute(
        "UPDATE grades SET updated_at = ? WHERE assignment_id = ?", (change.now, change.item)
    )
    apply_late_policy(connection, change.course, change.now)


@acts
def unpublish_item(connection: sqlite3.Connection, change: Change) -> None:
    """The assignment is unpublished; its cells are shown nowhere and keep their moments."""
    set_item(connection, change, "is_published", value=False)


@acts
def publish_item(connection: sqlite3.Connection, change: Change) -> None:
    """The assignment is published; its cells are shown again as they were."""
    set_item(connection, change, "is_published", value=True)


@acts
def conclude_learner(connection: sqlite3.Connection, change: Change) -> None:
    """The learner's enrolment is concluded."""
    set_enrolment(connection, change, "concluded")


@acts
def merge_user(connection: sqlite3.Connection, change: Change) -> None:
    """The learner's account is merged into the one with the value as its id.

    Grades and enrolments go with it, and the district's id too: the other account had only
    been made by mistake. Where both hold something, what the other holds stays.
    """
    into = _known(connection, change.value)
    moved = connection.execute("SELECT sis_id FROM people WHERE id = ?", (change.learner,))
    sis_id = moved.fetchone()["sis_id"]
    for table in _MOVED_BY_A_MERGE:
        _move(connection, (table, "learner_id"), (change.learner, into))
    _move(connection, ("enrolments", "person_id"), (change.learner, into))
    connection.execute("UPDATE grades SET updated_at = ? WHERE learner_id = ?", (change.now, into))
    connection.execute("DELETE FROM people WHERE id = ?", (change.learner,))
    connection.execute("UPDATE people SET sis_id = ? WHERE id = ?", (sis_id, into))


@acts
def move_section(connection: sqlite3.Connection, change: Change) -> None:
    """The learner moves to the section with the value as its name, made where it is new."""
    enrolment = enrolment_of(connection, change)["id"]
    section = _named(connection, "sections", change)
    connection.execute("DELETE FROM section_places WHERE enrolment_id = ?", (enrolment,))
    connection.execute(
        "INSERT INTO section_places (enrolment_id, section_id) VALUES (?, ?)", (enrolment, section)
    )


@acts
def move_group(connection: sqlite3.Connection, change: Change) -> None:
    """The learner moves to the group with the value as its name, made where it is new."""
    enrolment_of(connection, change)
    group = _named(connection, "course_groups", change)
    connection.execute(
        "DELETE FROM course_group_members WHERE person_id = ? AND group_id IN "
        "(SELECT id FROM course_groups WHERE course_id = ?)",
        (change.learner, change.course),
    )
    connection.execute("INSERT INTO course_group_members VALUES (?, ?)", (group, change.learner))


@acts
def conclude_course(connection: sqlite3.Connection, change: Change) -> None:
    """The course ends, and with it every enrolment."""
    set_course(connection, change, "concluded")
    connection.execute(
        "UPDATE enrolments SET state = 'concluded' WHERE course_id = ? AND state = 'active'",
        (change.course,),
    )


@acts
def unpublish_course(connection: sqlite3.Connection, change: Change) -> None:
    """The course is taken back to unpublished."""
    set_course(connection, change, "unpublished")


@acts
def edit_own_column(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher writes the value over what a tool wrote about the learner.

    Where the tool made an assignment it is a grade, otherwise the words of a column.
    """
    enrolment_of(connection, change)
    made = connection.execute(
        "SELECT assignment_id FROM line_items WHERE course_id = ? ORDER BY id", (change.course,)
    ).fetchone()
    if made is not None:
        place = Place(
            course=change.course,
            assignment=made["assignment_id"],
            learner=change.learner,
            now=change.now,
        )
        teacher = teacher_of(connection, change)
        set_grade(connection, place, points=change.number, grader=teacher)
        return
    connection.execute(
        "UPDATE column_data SET content = ?, updated_at = ? WHERE user_id = ? AND column_id IN "
        "(SELECT id FROM columns WHERE course_id = ? AND NOT teacher_notes)",
        (change.value, change.now, change.learner, change.course),
    )


def _named(connection: sqlite3.Connection, table: str, change: Change) -> int:
    sql = f"SELECT id FROM {table} WHERE course_id = ? AND name = ?"  # noqa: S608 - own words
    row = connection.execute(sql, (change.course, change.value)).fetchone()
    if row is not None:
        return int(row["id"])
    sql = f"INSERT INTO {table} (course_id, name) VALUES (?, ?)"  # noqa: S608 - own words
    return int(connection.execute(sql, (change.course, change.value)).lastrowid or 0)


def _known(connection: sqlite3.Connection, text: str) -> int:
    person = person_named(connection, text) if text else 0
    if connection.execute("SELECT 1 FROM people WHERE id = ?", (person,)).fetchone() is None:
        raise ImpossibleError(f"there is no person {text!r}")
    return person


def _move(connection: sqlite3.Connection, what: tuple[str, str], people: tuple[int, int]) -> None:
    """Let the rows of one person in a table be another's, but where the other has their own."""
    table, name = what
    source, into = people
    sql = f"UPDATE OR IGNORE {table} SET {name} = ? WHERE {name} = ?"  # noqa: S608 - own words
    connection.execute(sql, (into, source))
    connection.execute(f"DELETE FROM {table} WHERE {name} = ?", (source,))  # noqa: S608 - own words
