"""By when competencies are meant to be mastered: learners' own plans, and their courses'."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from mapping.progressions.pace import PlanTable
from mapping.records import CompetencyId, CourseId, LearnerId
from store.session import chunks
from store.tables import pace_targets, to_micros

Dates = Mapping[CompetencyId, datetime]


def save_course_plan(
    connection: Connection, course_id: CourseId, dates: Dates, *, author: str = ""
) -> None:
    """Have a course mean these competencies to be mastered by these dates, and no others."""
    _replace(connection, "course_id", course_id, dates=dates, author=author)


def save_own_plan(
    connection: Connection, learner: LearnerId, dates: Dates, *, author: str = ""
) -> None:
    """Have a learner mean to master these competencies by these dates, and no others."""
    _replace(connection, "learner_id", learner, dates=dates, author=author)


def course_plans(connection: Connection, course_ids: Sequence[CourseId]) -> PlanTable:
    """The dates of courses; the owners are courses."""
    return _plans(connection, pace_targets.c.course_id, course_ids)


def own_plans(connection: Connection, learner_ids: Sequence[LearnerId]) -> PlanTable:
    """The dates of learners' own plans; the owners are learners."""
    return _plans(connection, pace_targets.c.learner_id, learner_ids)


def _replace(connection: Connection, owner: str, number: int, *, dates: Dates, author: str) -> None:
    connection.execute(delete(pace_targets).where(pace_targets.c[owner] == number))
    rows = [
        {owner: number, "competency_id": competency, "by": by, "author": author}
        for competency, by in dates.items()
    ]
    if rows:
        connection.execute(insert(pace_targets), rows)


def _plans(
    connection: Connection, owner: ColumnElement[int | None], numbers: Sequence[int]
) -> PlanTable:
    found: list[tuple[int, int, int]] = []
    for part in chunks(numbers):
        rows = connection.execute(
            select(owner, pace_targets.c.competency_id, pace_targets.c.by)
            .where(owner.in_(part))
            .order_by(pace_targets.c.id)
        )
        found.extend((row[0], row[1], to_micros(row[2])) for row in rows)
    if not found:
        return PlanTable.none()
    columns = zip(*found, strict=True)
    return PlanTable.of(dict(zip(("owner", "competency", "by"), columns, strict=True)))
