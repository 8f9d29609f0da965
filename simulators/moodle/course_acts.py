"""Acts on a Moodle course beside its gradebook: groups and ratings of competencies.

Source: moodle.md 2.3.
"""

import sqlite3

from simulators.changes import Acts, Change, ImpossibleError
from simulators.course_changes import enrolment_of
from simulators.moodle.competency_book import (
    SCALE_ID,
    SCALES,
    Given,
    Place,
    competencies_in,
    rate,
)

acts = Acts()


@acts
def rate_competency(connection: sqlite3.Connection, change: Change) -> None:
    """The teacher rates the competency whose id is the item, with the value as its level.

    Raises:
        ImpossibleError: The course has no such competency, or the scale no such level.
    """
    enrolment_of(connection, change)
    if change.item not in {row["id"] for row in competencies_in(connection, change.course)}:
        raise ImpossibleError(f"course {change.course} has no competency {change.item}")
    if not 1 <= change.whole_number <= len(SCALES[SCALE_ID]):
        raise ImpossibleError(f"the scale has no level {change.value}")
    place = Place(course=change.course, user=change.learner, competency=change.item)
    teacher = connection.execute(
        "SELECT person_id FROM enrolments WHERE course_id = ? AND role = 'teacher' ORDER BY id",
        (change.course,),
    ).fetchone()
    given = Given(grade=change.whole_number, actor=teacher["person_id"])
    rate(connection, place, given, now=change.now)


@acts
def put_in_group(connection: sqlite3.Connection, change: Change) -> None:
    """The learner is put into the group whose id is the value, and taken out of all others.

    Raises:
        ImpossibleError: The course has no such group; 0 is for none at all.
    """
    enrolment_of(connection, change)
    groups = {
        row["id"]
        for row in connection.execute(
            "SELECT id FROM course_groups WHERE course_id = ?", (change.course,)
        )
    }
    if change.whole_number not in {0, *groups}:
        raise ImpossibleError(f"course {change.course} has no group {change.value}")
    connection.executemany(
        "DELETE FROM group_members WHERE group_id = ? AND person_id = ?",
        [(group, change.learner) for group in groups],
    )
    if change.whole_number:
        row = (change.whole_number, change.learner)
        connection.execute("INSERT INTO group_members VALUES (?, ?)", row)
