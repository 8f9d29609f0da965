"""How far a run is while it goes on, how fast it goes, and when its step will be over."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, func, select

from mapping.records import RunId, TenantId
from store.sync_state import UNFINISHED, ItemState, Phase
from store.tables import run_alarms, runs, work_items

_TOLD_AFTER_PARTS = 5
_TOLD_AFTER_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun:
    """A run at a moment.

    Attributes:
        phase: The step it is in.
        finished: Parts of this step that are over, however they ended.
        total: Parts of this step.
        courses_read: Courses that were read or need no reading.
        courses: Courses that are to be read, those that need no reading included.
        rate_per_second: Parts of this step a second; None while it cannot be told.
        seconds_left: Of this step, at this rate; None while it cannot be told.
        seconds: Since the run began, until now or its end.
        failed: Parts that failed.
        left_out: Parts that were left out on purpose.
        alarms: What should be looked at although nothing failed.
        scores_pulled: So far, as the counts below.
        statuses_changed: So far.
        pushed: Marks written.
        refused: Marks not written.
        api_calls: Requests sent to LMSs.
    """

    run: RunId
    phase: Phase
    finished: int
    total: int
    courses_read: int
    courses: int
    rate_per_second: float | None
    seconds_left: float | None
    seconds: float
    failed: int
    left_out: int
    alarms: int
    scores_pulled: int
    statuses_changed: int
    pushed: int
    refused: int
    api_calls: int

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left."""
        return self.phase is Phase.DONE

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values, seconds in whole ones: nobody watches closer."""
        return {
            **asdict(self),
            "phase": self.phase.value,
            "seconds": round(self.seconds),
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left),
            "rate_per_second": None
            if self.rate_per_second is None
            else round(self.rate_per_second, 2),
        }


def live_run(
    connection: Connection, tenant: TenantId, run_id: RunId, *, now: datetime
) -> LiveRun | None:
    """A run of a tenant as it is now, None where the tenant has none of this id."""
    found = connection.execute(
        select(runs).where(runs.c.id == run_id, runs.c.tenant_id == tenant)
    ).one_or_none()
    if found is None:
        return None
    phase = Phase(found.phase)
    sums = connection.execute(_sums(run_id, phase)).one()
    rate = _rate(sums, now)
    return LiveRun(
        run=RunId(run_id),
        phase=phase,
        finished=sums.finished,
        total=sums.total,
        courses_read=sums.courses_read,
        courses=sums.courses,
        rate_per_second=rate,
        seconds_left=None if rate is None else (sums.total - sums.finished) / rate,
        seconds=((found.finished_at or now) - found.started_at).total_seconds(),
        failed=sums.failed,
        left_out=sums.left_out,
        alarms=connection.execute(
            select(func.count()).select_from(run_alarms).where(run_alarms.c.run_id == run_id)
        ).scalar_one(),
        scores_pulled=sums.scores_pulled,
        statuses_changed=sums.statuses_changed,
        pushed=sums.pushed,
        refused=sums.refused,
        api_calls=sums.api_calls,
    )


def _sums(run_id: RunId, phase: Phase) -> Any:  # noqa: ANN401 - a select of named sums
    state, step = work_items.c.state, work_items.c.phase
    is_here = step == phase.value
    is_over = state.not_in(UNFINISHED)
    is_course = (step == Phase.PULL.value) & state.not_in(
        (ItemState.SKIPPED.value, ItemState.FAILED.value)
    )
    is_known = state.in_((ItemState.DONE.value, ItemState.UNCHANGED.value))
    counted = ("scores_pulled", "statuses_changed", "pushed", "refused", "api_calls")
    return select(
        _count(is_here & is_over).label("finished"),
        _count(is_here).label("total"),
        _count(is_course & is_known).label("courses_read"),
        _count(is_course).label("courses"),
        _count(state == ItemState.FAILED.value).label("failed"),
        _count(state == ItemState.SKIPPED.value).label("left_out"),
        func.min(case((is_here, work_items.c.started_at))).label("begun_at"),
        # What was put down as done at once says nothing of how fast the work goes.
        _count(is_here & is_over & work_items.c.started_at.is_not(None)).label("worked"),
        *(func.coalesce(func.sum(work_items.c[name]), 0).label(name) for name in counted),
    ).where(work_items.c.run_id == run_id)


def _count(condition: Any) -> Any:  # noqa: ANN401 - SQL in, SQL out
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _rate(sums: "Row[Any]", now: datetime) -> float | None:
    """Parts a second since the step began; None where too little happened to tell."""
    if sums.begun_at is None or sums.worked < _TOLD_AFTER_PARTS:
        return None
    seconds = (now - sums.begun_at).total_seconds()
    return sums.worked / seconds if seconds >= _TOLD_AFTER_SECONDS else None
