"""What a monitoring system asks of all districts: few figures, none that grows with a district."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from mapping.records import Counts, RunId, TenantId
from store import outbox_reports, past_runs, run_reports
from store.outbox import OutboxState
from store.sync_state import UNFINISHED, ItemState, Phase, Run
from store.tables import run_alarms, runs, tenants, work_items


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The newest run of a district that writes.

    Attributes:
        run: The run.
        counts: What it did so far.
        items: Its parts by phase and state.
        failures: Parts that failed, by cause.
        alarms: By kind.
        marks: By where they are on their way.
    """

    run: Run
    counts: Counts
    items: Mapping[tuple[Phase, ItemState], int]
    failures: Mapping[str, int]
    alarms: Mapping[str, int]
    marks: Mapping[OutboxState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictFigures:
    """What is told of one district; ``last`` is None before its first run."""

    tenant: TenantId
    name: str
    is_paused: bool
    last_good: datetime | None
    last: LastRun | None


def district_figures(connection: Connection) -> tuple[DistrictFigures, ...]:
    """The figures of every district, in the order of their ids."""
    rows = connection.execute(
        select(tenants.c.id, tenants.c.name, tenants.c.paused_at).order_by(tenants.c.id)
    ).all()
    return tuple(
        DistrictFigures(
            tenant=TenantId(row.id),
            name=row.name,
            is_paused=row.paused_at is not None,
            last_good=past_runs.last_good_night(connection, TenantId(row.id)),
            last=_last_run(connection, TenantId(row.id)),
        )
        for row in rows
    )


def unfinished_items(connection: Connection) -> Mapping[ItemState, int]:
    """Parts of all runs that have not ended: those that wait and those under way."""
    rows = connection.execute(
        select(work_items.c.state, func.count())
        .join(runs, runs.c.id == work_items.c.run_id)
        .where(runs.c.finished_at.is_(None), work_items.c.state.in_(UNFINISHED))
        .group_by(work_items.c.state)
    )
    found: dict[str, int] = dict(rows.all())
    return {ItemState(state): found.get(state, 0) for state in UNFINISHED}


def silent_items(connection: Connection, *, now: datetime) -> int:
    """Parts whose worker fell silent and that nobody has taken up again."""
    return connection.execute(
        select(func.count())
        .select_from(work_items)
        .join(runs, runs.c.id == work_items.c.run_id)
        .where(
            runs.c.finished_at.is_(None),
            work_items.c.state == ItemState.WORKING.value,
            work_items.c.lease_until < now,
        )
    ).scalar_one()


def _last_run(connection: Connection, tenant: TenantId) -> LastRun | None:
    run = past_runs.newest(connection, tenant)
    if run is None:
        return None
    return LastRun(
        run=run,
        counts=run_reports.counts(connection, run.id),
        items=_items(connection, run.id),
        failures=_failures(connection, run.id),
        alarms=_alarms(connection, run.id),
        marks=outbox_reports.depth(connection, run.id),
    )


def _items(connection: Connection, run: RunId) -> dict[tuple[Phase, ItemState], int]:
    rows = connection.execute(
        select(work_items.c.phase, work_items.c.state, func.count())
        .where(work_items.c.run_id == run)
        .group_by(work_items.c.phase, work_items.c.state)
    )
    return {(Phase(phase), ItemState(state)): count for phase, state, count in rows}


def _failures(connection: Connection, run: RunId) -> dict[str, int]:
    rows = connection.execute(
        select(work_items.c.cause, func.count())
        .where(work_items.c.run_id == run, work_items.c.state == ItemState.FAILED.value)
        .group_by(work_items.c.cause)
    )
    return dict(rows.all())


def _alarms(connection: Connection, run: RunId) -> dict[str, int]:
    rows = connection.execute(
        select(run_alarms.c.kind, func.count())
        .where(run_alarms.c.run_id == run)
        .group_by(run_alarms.c.kind)
    )
    return dict(rows.all())
