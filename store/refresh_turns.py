"""How the reading of one course out of turn stands: whose turn it is, how far it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import Connection, or_, select, update

from mapping.records import CourseId, TenantId
from store.sync_state import UNFINISHED, ItemState, Phase
from store.tables import courses, refresh_requests, runs, tenants, work_items

PAUSE = timedelta(minutes=5)
"""How long after one reading out of turn the next of the same course may begin."""


class Step(Enum):
    """How far a reading is."""

    WAITING = "waiting"
    READING = "reading"
    COMPUTING = "computing"
    WRITING = "writing"


_STEPS = {
    Phase.PLAN: Step.WAITING,
    Phase.PULL: Step.READING,
    Phase.COMPUTE: Step.COMPUTING,
    Phase.PUSH: Step.WRITING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A course's reading out of turn.

    Attributes:
        step: How far it is; None where none is under way.
        since: When it was asked for; None where it never was.
        again_at: From when it may be asked for again; None for now.
        has_failed: The newest one could not read the course.
        paused_at: Since when nothing is read, by an administrator's word.
        paused_by: Who said so.
    """

    step: Step | None = None
    since: datetime | None = None
    again_at: datetime | None = None
    has_failed: bool = False
    paused_at: datetime | None = None
    paused_by: str = ""


def take_turn(
    connection: Connection, tenant: TenantId, course_id: CourseId, *, now: datetime
) -> bool:
    """Take a course's turn, if it is free: one of many who ask at once has it.

    Args:
        connection: The writing transaction that puts the request down.
        tenant: Whose course.
        course_id: Which.
        now: When.

    Returns:
        False where the course was read out of turn within ``PAUSE``, is being so, or is none of
        the tenant's.
    """
    is_free = or_(
        courses.c.refreshed_at.is_(None),
        courses.c.refreshed_at <= now - PAUSE,
        # A clock that was set back must not hold a course for hours.
        courses.c.refreshed_at > now,
    )
    under_way = select(refresh_requests.c.course_id)
    taken = connection.execute(
        update(courses)
        .where(
            courses.c.id == course_id,
            courses.c.tenant_id == tenant,
            is_free,
            courses.c.id.not_in(under_way),
        )
        .values(refreshed_at=now)
    )
    return taken.rowcount == 1


def turn_of(
    connection: Connection, tenant: TenantId, course_id: CourseId, *, now: datetime
) -> Turn | None:
    """How a course's reading out of turn stands; None where the tenant has no such course."""
    row = connection.execute(
        select(
            courses.c.refreshed_at,
            tenants.c.paused_at,
            tenants.c.paused_by,
            refresh_requests.c.requested_at,
        )
        .join(tenants, tenants.c.id == courses.c.tenant_id)
        .outerjoin(refresh_requests, refresh_requests.c.course_id == courses.c.id)
        .where(courses.c.id == course_id, courses.c.tenant_id == tenant)
    ).first()
    if row is None:
        return None
    since = row.refreshed_at
    step: Step | None = Step.WAITING
    has_failed = False
    if row.requested_at is None:
        step, has_failed = _standing(connection, tenant, course_id, since=since)
    again_at = None if since is None or not since <= now < since + PAUSE else since + PAUSE
    return Turn(
        step=step,
        since=since or row.requested_at,
        again_at=again_at,
        has_failed=has_failed,
        paused_at=row.paused_at,
        paused_by=row.paused_by,
    )


def _standing(
    connection: Connection, tenant: TenantId, course_id: CourseId, *, since: datetime | None
) -> tuple[Step | None, bool]:
    """How far the newest reading since a moment is, and whether it failed."""
    if since is None:
        return None, False
    item = connection.execute(
        select(work_items.c.state, runs.c.phase, runs.c.finished_at)
        .join(runs, runs.c.id == work_items.c.run_id)
        .where(
            runs.c.tenant_id == tenant,
            or_(runs.c.finished_at.is_(None), runs.c.finished_at >= since),
            work_items.c.phase == Phase.PULL.value,
            work_items.c.course_id == course_id,
            or_(work_items.c.finished_at.is_(None), work_items.c.finished_at >= since),
        )
        .order_by(runs.c.started_at.desc(), work_items.c.id.desc())
        .limit(1)
    ).first()
    if item is None:
        return None, False
    if item.finished_at is None:
        return _STEPS.get(Phase.PULL if item.state in UNFINISHED else Phase(item.phase)), False
    return None, item.state == ItemState.FAILED.value
