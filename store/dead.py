"""What could not be done and was not done since, by cause, and asking for it once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, ScalarSelect, case, func, select

from mapping.records import CourseId, RunId, TenantId
from store.policy_changes import PolicyChange, PolicyKind, record_change
from store.refreshes import RefreshCause, request_refreshes
from store.remedies import Remedy, remedy_for
from store.sync_state import ItemState, Phase
from store.tables import courses, runs, work_items

RUNS = 30
"""Failures of so many runs are looked through: what failed a month ago is history."""
_SETTLED = (ItemState.DONE.value, ItemState.UNCHANGED.value, ItemState.FAILED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadPart:
    """A part that failed; ``course`` is None and ``title`` empty where it is not about one."""

    phase: Phase
    course: CourseId | None
    title: str
    message: str
    run: RunId
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadGroup:
    """Everything that failed for one cause, the newest first."""

    cause: str
    remedy: Remedy
    parts: Sequence[DeadPart]

    @property
    def courses(self) -> tuple[CourseId, ...]:
        """The courses that can be tried again, each once."""
        return tuple(dict.fromkeys(one.course for one in self.parts if one.course is not None))


def dead_groups(connection: Connection, tenant: TenantId) -> tuple[DeadGroup, ...]:
    """What failed in a tenant and did not succeed since, the largest group first.

    A part that is about no course, such as finding an LMS's courses, is cured by the next run
    in which its like succeeds.
    """
    place = case((work_items.c.phase == Phase.PLAN.value, work_items.c.part), else_=0)
    # In one pass over the runs: asked one by one, failures of a whole LMS would take minutes.
    newest = (
        select(func.max(work_items.c.id))
        .where(work_items.c.run_id.in_(_runs_of(tenant)), work_items.c.state.in_(_SETTLED))
        .group_by(work_items.c.phase, work_items.c.course_id, place)
    )
    rows = connection.execute(
        select(work_items, func.coalesce(courses.c.title, "").label("title"))
        .outerjoin(courses, courses.c.id == work_items.c.course_id)
        .where(work_items.c.id.in_(newest), work_items.c.state == ItemState.FAILED.value)
        .order_by(work_items.c.id.desc())
    )
    groups: dict[str, list[DeadPart]] = {}
    for row in rows:
        part = DeadPart(
            phase=Phase(row.phase),
            course=None if row.course_id is None else CourseId(row.course_id),
            title=row.title,
            message=row.message,
            run=RunId(row.run_id),
            at=row.finished_at,
        )
        groups.setdefault(row.cause, []).append(part)
    ordered = sorted(groups, key=lambda cause: (-len(groups[cause]), cause))
    return tuple(
        DeadGroup(cause=cause, remedy=remedy_for(cause), parts=groups[cause]) for cause in ordered
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be tried again: all of it, or what has a cause, or one course."""

    cause: str = ""
    course: CourseId | None = None

    def takes(self, group: DeadGroup, course: CourseId) -> bool:
        """Whether a course of a group is meant."""
        return self.cause in ("", group.cause) and self.course in (None, course)


def try_again(
    connection: Connection, tenant: TenantId, wish: Wish, *, by: str, now: datetime
) -> tuple[CourseId, ...]:
    """Have courses read, computed and written before the next night.

    Args:
        connection: A writing transaction.
        tenant: Whose.
        wish: Which of those that could not be done; others are not touched.
        by: Who asks.
        now: When.

    Returns:
        The courses, in ascending order; none where nothing that failed is meant.
    """
    meant = sorted(
        {
            course
            for group in dead_groups(connection, tenant)
            for course in group.courses
            if wish.takes(group, course)
        }
    )
    if not meant:
        return ()
    request_refreshes(connection, meant, cause=RefreshCause.RETRY, by=by, now=now)
    record_change(
        connection,
        tenant,
        PolicyChange(
            kind=PolicyKind.RETRY,
            before="failed",
            after=f"tried again: {len(meant)}",
            by=by,
            at=now,
            reason=wish.cause,
            course=wish.course,
        ),
    )
    return tuple(meant)


def _runs_of(tenant: TenantId) -> ScalarSelect[int]:
    return (
        select(runs.c.id)
        .where(runs.c.tenant_id == tenant, runs.c.is_dry.is_(False))
        .order_by(runs.c.id.desc())
        .limit(RUNS)
        .scalar_subquery()
    )
