"""When runs before the present one began, and when standings were last brought up to date."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ScalarSelect, func, or_, select

from mapping.records import CourseId, TenantId
from store.sync_state import ItemState, Phase, Run
from store.tables import courses, runs, work_items


def started_before(connection: Connection, run: Run) -> datetime | None:
    """When the run before a run of its tenant began."""
    return connection.execute(
        select(runs.c.started_at)
        .where(runs.c.tenant_id == run.tenant, runs.c.id < run.id)
        .order_by(runs.c.id.desc())
        .limit(1)
    ).scalar()


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
