"""What nights could not do and no later run did, with what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, case, func, or_, select

from mapping.records import CourseId, CourseState, PlatformId, RunId, TenantId
from store.advice import advice_for
from store.refreshes import RefreshCause, request_refreshes
from store.run_records import ItemState, Phase
from store.tables import courses, runs, work_items

_LOOKED_BACK = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadItem:
    """A piece of work whose last try failed; ``course`` is None where it is about none."""

    run: RunId
    phase: Phase
    course: CourseId | None
    title: str
    platform: PlatformId | None
    message: str
    failed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadGroup:
    """What failed for one cause, and what a person can do about it."""

    cause: str
    advice: str
    items: Sequence[DeadItem]


def dead_groups(
    connection: Connection, tenant: TenantId, *, now: datetime
) -> tuple[DeadGroup, ...]:
    """What failed within two weeks and was not done since, the most frequent cause first."""
    by_cause: dict[str, list[DeadItem]] = {}
    for cause, item in _dead(connection, tenant, now=now):
        by_cause.setdefault(cause, []).append(item)
    groups = (
        DeadGroup(cause=cause, advice=advice_for(cause), items=tuple(items))
        for cause, items in by_cause.items()
    )
    return tuple(sorted(groups, key=lambda one: (-len(one.items), one.cause)))


def try_again(
    connection: Connection, tenant: TenantId, *, cause: str | None = None, by: str, now: datetime
) -> frozenset[CourseId]:
    """Ask for everything to be read again that failed, as soon as no run is under way.

    Where a whole platform could not be planned, that is every active course of it.

    Args:
        connection: A writing transaction.
        tenant: Whose.
        cause: Only what failed for this cause; None for all.
        by: Who asks.
        now: When.

    Returns:
        The courses asked for. Learners that could not be computed are so in any run.
    """
    found = [item for one, item in _dead(connection, tenant, now=now) if cause in (None, one)]
    wanted = {item.course for item in found if item.course is not None}
    unplanned = {item.platform for item in found if item.phase is Phase.PLAN}
    wanted |= _active_courses(connection, unplanned - {None})
    request_refreshes(connection, wanted, cause=RefreshCause.RETRY, by=by, now=now)
    return frozenset(wanted)


def _dead(connection: Connection, tenant: TenantId, *, now: datetime) -> list[tuple[str, DeadItem]]:
    """Failed items that are the last of their place, with their causes, the newest last."""
    newest = (
        select(func.max(work_items.c.id).label("id"))
        .join(runs, runs.c.id == work_items.c.run_id)
        .where(runs.c.tenant_id == tenant, runs.c.started_at >= now - _LOOKED_BACK)
        .group_by(
            work_items.c.phase,
            work_items.c.course_id,
            work_items.c.platform_id,
            case((work_items.c.phase == Phase.COMPUTE.value, work_items.c.part), else_=0),
        )
        .subquery("newest")
    )
    rows = connection.execute(
        select(work_items, func.coalesce(courses.c.title, "").label("title"))
        .join(newest, newest.c.id == work_items.c.id)
        .outerjoin(courses, courses.c.id == work_items.c.course_id)
        .where(work_items.c.state == ItemState.FAILED.value, _is_of_now(tenant))
        .order_by(work_items.c.id)
    )
    return [
        (
            row.cause,
            DeadItem(
                run=RunId(row.run_id),
                phase=Phase(row.phase),
                course=None if row.course_id is None else CourseId(row.course_id),
                title=row.title,
                platform=None if row.platform_id is None else PlatformId(row.platform_id),
                message=row.message,
                failed_at=row.finished_at,
            ),
        )
        for row in rows
    ]


def _is_of_now(tenant: TenantId) -> ColumnElement[bool]:
    """A share of the learners is another one each night: a later computing covers it."""
    last = (
        select(func.max(work_items.c.run_id))
        .join(runs, runs.c.id == work_items.c.run_id)
        .where(runs.c.tenant_id == tenant, work_items.c.phase == Phase.COMPUTE.value)
        .scalar_subquery()
    )
    return or_(work_items.c.phase != Phase.COMPUTE.value, work_items.c.run_id == last)


def _active_courses(connection: Connection, platforms: set[PlatformId | None]) -> set[CourseId]:
    rows = connection.execute(
        select(courses.c.id).where(
            courses.c.platform_id.in_(platforms),
            courses.c.state == CourseState.ACTIVE.value,
            courses.c.gone_at.is_(None),
        )
    )
    return {CourseId(row[0]) for row in rows}
