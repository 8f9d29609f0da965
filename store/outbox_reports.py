"""Marks that a run could not write: in which courses, for whom, and why."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, func, select

from mapping.records import CourseId, LearnerId, RunId, TenantId
from store.outbox import OutboxState
from store.tables import competencies, courses, learners, outbox, runs

NOT_WRITTEN = (OutboxState.REFUSED.value, OutboxState.CONFLICT.value)
MOST = 500
_RUNS = 14
"""A mark that nobody tried to write for so many runs is not wanted any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwritten:
    """How many marks of a course were not written for one reason."""

    course: str
    state: OutboxState
    reason: str
    marks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnwrittenMark:
    """A mark that was not written: refused by the LMS, or a person's mark stands there."""

    course: CourseId
    title: str
    learner: LearnerId
    name: str
    competency: str
    words: str
    state: OutboxState
    reason: str
    settled_at: datetime | None


def not_written(connection: Connection, run: RunId) -> tuple[Unwritten, ...]:
    """What a run did not write, by course and reason, the most first."""
    count = func.count().label("marks")
    rows = connection.execute(
        select(courses.c.title, outbox.c.state, outbox.c.reason, count)
        .join(courses, courses.c.id == outbox.c.course_id)
        .where(outbox.c.run_id == run, outbox.c.state.in_(NOT_WRITTEN))
        .group_by(courses.c.title, outbox.c.state, outbox.c.reason)
        .order_by(count.desc(), courses.c.title)
    )
    return tuple(
        Unwritten(
            course=row.title, state=OutboxState(row.state), reason=row.reason, marks=row.marks
        )
        for row in rows
    )


def depth(connection: Connection, run: RunId) -> dict[OutboxState, int]:
    """How many marks of a run are in each state."""
    rows = connection.execute(
        select(outbox.c.state, func.count()).where(outbox.c.run_id == run).group_by(outbox.c.state)
    )
    found: dict[str, int] = dict(rows.all())
    return {state: found.get(state.value, 0) for state in OutboxState}


def unwritten_marks(connection: Connection, tenant: TenantId) -> tuple[UnwrittenMark, ...]:
    """Marks that stay unwritten, by the newest try of each; at most 500, the newest first.

    A mark that a later run wrote, or found to be no longer wanted, is not among them.
    """
    newest = (
        select(func.max(outbox.c.id))
        .join(courses, courses.c.id == outbox.c.course_id)
        .join(runs, runs.c.id == outbox.c.run_id)
        .where(
            courses.c.tenant_id == tenant,
            outbox.c.run_id.in_(_last_runs_of(tenant)),
        )
        .group_by(outbox.c.course_id, outbox.c.competency_id, outbox.c.way, outbox.c.learner_id)
    )
    rows = connection.execute(
        select(
            outbox,
            courses.c.title,
            learners.c.name,
            competencies.c.code,
            competencies.c.statement,
        )
        .join(courses, courses.c.id == outbox.c.course_id)
        .join(learners, learners.c.id == outbox.c.learner_id)
        .join(competencies, competencies.c.id == outbox.c.competency_id)
        .where(outbox.c.id.in_(newest), outbox.c.state.in_(NOT_WRITTEN))
        .order_by(outbox.c.id.desc())
        .limit(MOST)
    )
    return tuple(
        UnwrittenMark(
            course=CourseId(row.course_id),
            title=row.title,
            learner=LearnerId(row.learner_id),
            name=row.name,
            competency=row.code or row.statement,
            words=row.words,
            state=OutboxState(row.state),
            reason=row.reason,
            settled_at=row.settled_at,
        )
        for row in rows
    )


def _last_runs_of(tenant: TenantId) -> Select[tuple[int]]:
    return (
        select(runs.c.id).where(runs.c.tenant_id == tenant).order_by(runs.c.id.desc()).limit(_RUNS)
    )
