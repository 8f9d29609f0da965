"""What people are shown of the nights: runs, their parts, how far they are, what went wrong."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, and_, case, func, select

from mapping.records import Counts, RunId, TenantId
from store.sync_state import COUNTED, UNFINISHED, ItemState, Phase
from store.sync_state import run as one_run
from store.tables import courses, run_alarms, runs, work_items

HISTORY = 60
"""How many runs the history shows: two months of nights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """A run and what it did; ``skipped`` and ``failed`` count its work items.

    ``is_dry`` runs write nothing to gradebooks.
    """

    id: RunId
    cause: str
    is_full: bool
    phase: Phase
    started_at: datetime
    finished_at: datetime | None
    counts: Counts
    skipped: int
    failed: int
    alarms: int = 0
    is_dry: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: items finished and in all, in its present phase."""

    phase: Phase
    finished: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a part of a run did not happen; ``about`` names the course, if it was one."""

    phase: Phase
    state: ItemState
    about: str
    cause: str
    message: str


def run_lines(
    connection: Connection,
    tenant: TenantId,
    *,
    run: RunId | None = None,
    before: int | None = None,
    most: int = HISTORY,
) -> tuple[RunLine, ...]:
    """The tenant's newest runs, the newest first, or the one asked for.

    Args:
        connection: A transaction.
        tenant: Whose runs.
        run: Only this one.
        before: Only runs with smaller ids.
        most: How many.
    """
    wanted = select(runs.c.id).where(runs.c.tenant_id == tenant)
    if run is not None:
        wanted = wanted.where(runs.c.id == run)
    if before is not None:
        wanted = wanted.where(runs.c.id < before)
    wanted = wanted.order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(most)
    rows = connection.execute(
        select(
            runs,
            *(func.coalesce(func.sum(work_items.c[name]), 0).label(name) for name in COUNTED),
            func.min(work_items.c.quota).label("quota"),
            _alarms_of_run().label("alarms"),
            _tally(ItemState.DONE, Phase.PULL).label("courses"),
            _tally(ItemState.UNCHANGED).label("unchanged"),
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
            counts=Counts(**_counted(row), quota=row.quota),
        )
        for row in rows
    )


def progress(connection: Connection, run_id: RunId) -> Progress:
    """How far a run is."""
    phase = one_run(connection, run_id).phase
    rows = connection.execute(
        select(work_items.c.state, func.count())
        .where(work_items.c.run_id == run_id, work_items.c.phase == phase.value)
        .group_by(work_items.c.state)
    )
    by_state: dict[str, int] = dict(rows.all())
    left = sum(by_state.get(state, 0) for state in UNFINISHED)
    total = sum(by_state.values())
    return Progress(phase=phase, finished=total - left, total=total)


def counts(connection: Connection, run_id: RunId) -> Counts:
    """What a run did, with its seconds in all and by phase (wall clock, first to last)."""
    sums = connection.execute(
        select(
            func.min(work_items.c.quota).label("quota"),
            *(func.coalesce(func.sum(work_items.c[name]), 0).label(name) for name in COUNTED),
        ).where(work_items.c.run_id == run_id)
    ).one()
    courses_in = {
        state: connection.execute(
            select(_tally(state, Phase.PULL)).where(work_items.c.run_id == run_id)
        ).scalar_one()
        for state in (ItemState.DONE, ItemState.UNCHANGED)
    }
    record = one_run(connection, run_id)
    ended = record.finished_at or record.started_at
    return Counts(
        courses=courses_in[ItemState.DONE],
        unchanged=courses_in[ItemState.UNCHANGED],
        seconds=(ended - record.started_at).total_seconds(),
        seconds_by_phase=_seconds_by_phase(connection, run_id),
        quota=sums.quota,
        **{name: int(getattr(sums, name)) for name in COUNTED},
    )


def troubles(connection: Connection, run_id: RunId) -> tuple[Trouble, ...]:
    """Everything of a run that was skipped or failed, with why."""
    rows = connection.execute(
        select(work_items, courses.c.title)
        .outerjoin(courses, courses.c.id == work_items.c.course_id)
        .where(work_items.c.run_id == run_id, work_items.c.message != "")
        .order_by(work_items.c.id)
    )
    return tuple(
        Trouble(
            phase=Phase(row.phase),
            state=ItemState(row.state),
            about=row.title or "",
            cause=row.cause,
            message=row.message,
        )
        for row in rows
        if row.state in (ItemState.SKIPPED.value, ItemState.FAILED.value)
    )


def as_dict(counted: Counts) -> dict[str, Any]:
    """Counts as plain JSON values, seconds with three decimals."""
    plain = asdict(counted)
    plain["seconds"] = round(counted.seconds, 3)
    plain["seconds_by_phase"] = {k: round(v, 3) for k, v in counted.seconds_by_phase.items()}
    return plain


def _seconds_by_phase(connection: Connection, run_id: RunId) -> dict[str, float]:
    rows = connection.execute(
        select(
            work_items.c.phase,
            func.min(work_items.c.started_at),
            func.max(work_items.c.finished_at),
        )
        .where(work_items.c.run_id == run_id)
        .group_by(work_items.c.phase)
    )
    spans = {row[0]: (row[1], row[2]) for row in rows if row[1] and row[2]}
    return {
        phase.value: (spans[phase.value][1] - spans[phase.value][0]).total_seconds()
        for phase in Phase
        if phase.value in spans
    }


def _alarms_of_run() -> ScalarSelect[int]:
    return (
        select(func.count())
        .select_from(run_alarms)
        .where(run_alarms.c.run_id == runs.c.id)
        .correlate(runs)
        .scalar_subquery()
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
            unchanged=row.unchanged,
            quota=row.quota,
            seconds=_seconds(row.started_at, row.finished_at) or 0.0,
        ),
        skipped=row.skipped,
        failed=row.failed,
        alarms=row.alarms,
        is_dry=row.is_dry,
    )


def _seconds(started_at: datetime | None, finished_at: datetime | None) -> float | None:
    if started_at is None or finished_at is None:
        return None
    return (finished_at - started_at).total_seconds()


def _counted(row: "Row[Any]") -> dict[str, Any]:
    return {name: int(getattr(row, name)) for name in COUNTED}
