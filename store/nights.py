"""The nights as a calendar shows them, and what one run did otherwise than another."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import ColumnElement, Connection, exists, func, select

from mapping.records import RunId, TenantId
from store.run_reports import Trouble, troubles
from store.sync_state import ItemState, Phase
from store.tables import run_alarms, runs, work_items

COMPARED = (
    "courses",
    "unchanged",
    "scores_pulled",
    "scores_new",
    "scores_changed",
    "scores_skipped",
    "statuses_changed",
    "pushed",
    "refused",
    "api_calls",
)
"""What of the counts of two runs is compared, in the order of a run's work."""


class Outcome(Enum):
    """How a night went; the worst thing is told."""

    DONE = "done"
    LOOK = "look"
    LEFT_OUT = "left out"
    UNDER_WAY = "under way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """A run over a whole district that wrote."""

    run: RunId
    started_at: datetime
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTroubles:
    """What went wrong in one run and not in the other."""

    came: tuple[Trouble, ...]
    gone: tuple[Trouble, ...]


def nights_since(connection: Connection, tenant: TenantId, moment: datetime) -> tuple[Night, ...]:
    """The runs over the whole district that began since a moment, the oldest first."""
    left_out = (ItemState.FAILED.value, ItemState.SKIPPED.value)
    alarmed = exists().where(run_alarms.c.run_id == runs.c.id)
    rows = connection.execute(
        select(
            runs.c.id,
            runs.c.started_at,
            runs.c.finished_at,
            _has_work(work_items.c.state.in_(left_out)).label("is_short"),
            alarmed.label("is_alarmed"),
        )
        .where(
            runs.c.tenant_id == tenant,
            runs.c.is_dry.is_(False),
            runs.c.started_at >= moment,
            _has_work(work_items.c.phase == Phase.PLAN.value),
        )
        .order_by(runs.c.started_at, runs.c.id)
    )
    return tuple(
        Night(
            run=RunId(row.id),
            started_at=row.started_at,
            outcome=_outcome(row.finished_at, is_short=row.is_short, is_alarmed=row.is_alarmed),
        )
        for row in rows
    )


def night_before(connection: Connection, tenant: TenantId, run: RunId) -> RunId | None:
    """The run over the whole district before a run, None where there is none."""
    found = connection.execute(
        select(func.max(runs.c.id)).where(
            runs.c.tenant_id == tenant,
            runs.c.is_dry.is_(False),
            runs.c.id < run,
            _has_work(work_items.c.phase == Phase.PLAN.value),
        )
    ).scalar()
    return None if found is None else RunId(found)


def new_troubles(connection: Connection, *, before: RunId, after: RunId) -> NewTroubles:
    """What went wrong in the run after and not in the run before, and the other way round.

    The same part with the same cause is the same trouble, however its message is worded.
    """
    old, new = (
        {(one.phase, one.about, one.cause): one for one in troubles(connection, run)}
        for run in (before, after)
    )
    return NewTroubles(
        came=tuple(one for key, one in new.items() if key not in old),
        gone=tuple(one for key, one in old.items() if key not in new),
    )


def _has_work(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(work_items.c.run_id == runs.c.id, condition)


def _outcome(finished_at: datetime | None, *, is_short: bool, is_alarmed: bool) -> Outcome:
    if finished_at is None:
        return Outcome.UNDER_WAY
    if is_short:
        return Outcome.LEFT_OUT
    return Outcome.LOOK if is_alarmed else Outcome.DONE
