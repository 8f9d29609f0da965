"""When runs before the present one began, and when standings were last brought up to date."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, func, or_, select

from mapping.records import CourseId, RunId, TenantId
from store.sync_state import ItemState, Phase, Run
from store.sync_state import run as one_run
from store.tables import courses, runs, work_items


def started_before(connection: Connection, run: Run) -> datetime | None:
    """When the run before a run of its tenant began."""
    return connection.execute(
        select(runs.c.started_at)
        .where(runs.c.tenant_id == run.tenant, runs.c.id < run.id)
        .order_by(runs.c.id.desc())
        .limit(1)
    ).scalar()


def newest_of_all(connection: Connection, tenant: TenantId) -> Run | None:
    """The newest run of a tenant, dry ones included; None where there is none."""
    found = connection.execute(select(func.max(runs.c.id)).where(runs.c.tenant_id == tenant))
    run = found.scalar()
    return None if run is None else one_run(connection, RunId(run))


def newest(connection: Connection, tenant: TenantId, *, cause: str | None = None) -> Run | None:
    """The newest run that went over a whole district and wrote, of one cause or of any.

    Courses that were read out of turn, and dry runs, say little of how nights go.

    Returns:
        None where there is none yet.
    """
    wanted = select(runs.c.id).where(runs.c.tenant_id == tenant, *_is_whole())
    if cause is not None:
        wanted = wanted.where(runs.c.cause == cause)
    found = connection.execute(wanted.order_by(runs.c.id.desc()).limit(1)).scalar()
    return None if found is None else one_run(connection, RunId(found))


def last_good_night(connection: Connection, tenant: TenantId) -> datetime | None:
    """When the newest run of a whole district ended in which nothing failed, None for never."""
    has_failed = (
        select(work_items.c.id)
        .where(work_items.c.run_id == runs.c.id, work_items.c.state == ItemState.FAILED.value)
        .correlate(runs)
        .exists()
    )
    return connection.execute(
        select(runs.c.finished_at)
        .where(
            runs.c.tenant_id == tenant,
            *_is_whole(),
            runs.c.finished_at.is_not(None),
            ~has_failed,
        )
        .order_by(runs.c.id.desc())
        .limit(1)
    ).scalar()


def _is_whole() -> tuple[ColumnElement[bool], ...]:
    """What sets apart runs of a whole district that write: they began with a plan."""
    plan = select(work_items.c.id).where(
        work_items.c.run_id == runs.c.id, work_items.c.phase == Phase.PLAN.value
    )
    return runs.c.is_dry.is_(False), plan.correlate(runs).exists()


def was_read_since(connection: Connection, course: CourseId, moment: datetime) -> bool:
    """Whether a run that began to read a course after a moment read it to the end."""
    found = connection.execute(
        select(work_items.c.id)
        .join(runs, runs.c.id == work_items.c.run_id)
        .where(
            # Runs that were over by then are passed over by their own index.
            runs.c.tenant_id == _tenant_of(course),
            or_(runs.c.finished_at.is_(None), runs.c.finished_at >= moment),
            work_items.c.course_id == course,
            work_items.c.phase == Phase.PULL.value,
            work_items.c.state == ItemState.DONE.value,
            work_items.c.started_at > moment,
        )
        .limit(1)
    )
    return found.first() is not None


def _tenant_of(course: CourseId) -> ScalarSelect[Any]:
    return select(courses.c.tenant_id).where(courses.c.id == course).scalar_subquery()


def last_computed(connection: Connection, tenant: TenantId) -> datetime | None:
    """When standings of a tenant were last brought up to date, None for never."""
    return connection.execute(
        select(func.max(work_items.c.finished_at))
        .join(runs, runs.c.id == work_items.c.run_id)
        .where(
            runs.c.tenant_id == tenant,
            work_items.c.phase == Phase.COMPUTE.value,
            work_items.c.state == ItemState.DONE.value,
        )
    ).scalar()
