"""What the administrator's pages show of the nights: runs, their parts, and what went wrong."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, select

from mapping.records import Counts, RunId, TenantId
from store.sync_state import ItemState, Phase
from store.tables import courses, runs, work_items

HISTORY = 60
"""How many runs the history shows: two months of nights."""

_COUNTED = (
    "scores_pulled",
    "scores_new",
    "scores_changed",
    "estimates",
    "statuses_changed",
    "pushed",
    "refused",
    "api_calls",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """A run and what it did; ``skipped`` and ``failed`` count its work items."""

    id: RunId
    cause: str
    is_full: bool
    phase: Phase
    started_at: datetime
    finished_at: datetime | None
    counts: Counts
    skipped: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkLine:
    """A part of a run; ``course`` is empty for parts that are not about one."""

    phase: Phase
    state: ItemState
    course: str
    attempts: int
    message: str
    seconds: float | None
    counts: Counts


def run_lines(
    connection: Connection, tenant: TenantId, *, run: RunId | None = None
) -> tuple[RunLine, ...]:
    """The tenant's newest runs, the newest first, or the one asked for; at most ``HISTORY``."""
    wanted = select(runs.c.id).where(runs.c.tenant_id == tenant)
    if run is not None:
        wanted = wanted.where(runs.c.id == run)
    wanted = wanted.order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(HISTORY)
    rows = connection.execute(
        select(
            runs,
            *(func.coalesce(func.sum(work_items.c[name]), 0).label(name) for name in _COUNTED),
            _tally(ItemState.DONE, Phase.PULL).label("courses"),
            _tally(ItemState.SKIPPED).label("skipped"),
            _tally(ItemState.FAILED).label("failed"),
        )
        .outerjoin(work_items, work_items.c.run_id == runs.c.id)
        .where(runs.c.id.in_(wanted))
        .group_by(runs.c.id)
        .order_by(runs.c.started_at.desc(), runs.c.id.desc())
    )
    return tuple(_run_line(row) for row in rows)


def work_lines(connection: Connection, tenant: TenantId, run: RunId) -> tuple[WorkLine, ...]:
    """The parts of a run of the tenant, those with a message first."""
    rows = connection.execute(
        select(work_items, func.coalesce(courses.c.title, "").label("course"))
        .join(runs, runs.c.id == work_items.c.run_id)
        .outerjoin(courses, courses.c.id == work_items.c.course_id)
        .where(runs.c.tenant_id == tenant, work_items.c.run_id == run)
        .order_by(case((work_items.c.message != "", 0), else_=1), work_items.c.id)
    )
    return tuple(
        WorkLine(
            phase=Phase(row.phase),
            state=ItemState(row.state),
            course=row.course,
            attempts=row.attempts,
            message=row.message,
            seconds=_seconds(row.started_at, row.finished_at),
            counts=Counts(**_counted(row)),
        )
        for row in rows
    )


def _tally(state: ItemState, phase: Phase | None = None) -> ColumnElement[int]:
    is_it = work_items.c.state == state.value
    if phase is not None:
        is_it = and_(is_it, work_items.c.phase == phase.value)
    return func.coalesce(func.sum(case((is_it, 1), else_=0)), 0)


def _run_line(row: "Row[Any]") -> RunLine:
    return RunLine(
        id=RunId(row.id),
        cause=row.cause,
        is_full=row.is_full,
        phase=Phase(row.phase),
        started_at=row.started_at,
        finished_at=row.finished_at,
        counts=Counts(
            **_counted(row),
            courses=row.courses,
            seconds=_seconds(row.started_at, row.finished_at) or 0.0,
        ),
        skipped=row.skipped,
        failed=row.failed,
    )


def _seconds(started_at: datetime | None, finished_at: datetime | None) -> float | None:
    if started_at is None or finished_at is None:
        return None
    return (finished_at - started_at).total_seconds()


def _counted(row: "Row[Any]") -> dict[str, Any]:
    return {name: int(getattr(row, name)) for name in _COUNTED}
