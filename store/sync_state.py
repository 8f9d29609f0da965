"""Runs and their work items: what a night has done, is doing and has still to do.

The database, not the queue, knows what is left. A work item is worked on under a lease with a
fencing number: whoever lost the lease can no longer commit, so an item that two processes run
at once still has one effect.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from mapping.records import Counts, CourseId, RunId, TenantId
from store.tables import Instant, runs, work_items

LEASE = timedelta(seconds=20)
"""How long a silent holder keeps an item; every transaction of the holder renews it."""
SETTLING = timedelta(seconds=5)
"""How long an item put into the queue is given before anybody asks what became of it."""

COUNTED = (
    "scores_pulled",
    "scores_new",
    "scores_changed",
    "scores_skipped",
    "estimates",
    "statuses_changed",
    "pushed",
    "refused",
    "api_calls",
)
"""The counts of a work item, as its columns and as ``mapping.records.Counts`` name them."""


class Phase(Enum):
    """The steps of a run, in order."""

    PLAN = "plan"
    PULL = "pull"
    COMPUTE = "compute"
    PUSH = "push"
    DONE = "done"


class ItemState(Enum):
    """Where a work item is."""

    PENDING = "pending"
    WORKING = "working"
    DONE = "done"
    UNCHANGED = "unchanged"
    """A course that was not read, for its LMS said that nothing happened in it."""
    SKIPPED = "skipped"
    FAILED = "failed"


UNFINISHED = (ItemState.PENDING.value, ItemState.WORKING.value)


class LeaseLostError(Exception):
    """Another process holds the work item by now: stop, and leave the work to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One night, or one run by hand. ``is_full`` reads everything, whatever the cursors say."""

    id: RunId
    tenant: TenantId
    cause: str
    is_full: bool
    phase: Phase
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """One piece of a run: a platform to plan, a course to read or write, learners to compute.

    ``part`` is a platform's id when planning, the number of a share of the learners when
    computing. ``attempts`` counts how often it was taken up.
    """

    id: int
    run: RunId
    phase: Phase
    course: CourseId | None
    part: int
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on an item until it runs out."""

    item: WorkItem
    fence: int


def start_run(
    connection: Connection, tenant: TenantId, *, cause: str, is_full: bool, now: datetime
) -> RunId:
    """Begin a run in its first phase."""
    key = connection.execute(
        insert(runs).values(
            tenant_id=tenant, cause=cause, is_full=is_full, phase=Phase.PLAN.value, started_at=now
        )
    ).inserted_primary_key
    assert key is not None  # noqa: S101 - an insert of one row has one
    return RunId(key[0])


def run(connection: Connection, run_id: RunId) -> Run:
    """One run by its id."""
    return _run(connection.execute(select(runs).where(runs.c.id == run_id)).one())


def unfinished_runs(connection: Connection, tenant: TenantId | None = None) -> tuple[Run, ...]:
    """Runs that have not ended, oldest first; of one tenant or of all."""
    condition: ColumnElement[bool] = runs.c.finished_at.is_(None)
    if tenant is not None:
        condition = and_(condition, runs.c.tenant_id == tenant)
    return tuple(_run(r) for r in connection.execute(select(runs).where(condition).order_by("id")))


def last_started(connection: Connection, tenant: TenantId, cause: str) -> datetime | None:
    """When the newest run of a cause began."""
    return connection.execute(
        select(func.max(runs.c.started_at)).where(runs.c.tenant_id == tenant, runs.c.cause == cause)
    ).scalar()


def enter_phase(connection: Connection, run_id: RunId, phase: Phase, *, now: datetime) -> None:
    """Put a run into a phase; the last one ends it."""
    finished_at = now if phase is Phase.DONE else None
    connection.execute(
        update(runs).where(runs.c.id == run_id).values(phase=phase.value, finished_at=finished_at)
    )


def hold_run(connection: Connection, run_id: RunId) -> Run:
    """The run, kept from others until the transaction ends."""
    return _run(connection.execute(select(runs).where(runs.c.id == run_id).with_for_update()).one())


def add_items(
    connection: Connection,
    run_id: RunId,
    phase: Phase,
    *,
    places: Sequence[tuple[CourseId | None, int]],
) -> None:
    """Add work items for (course, part) pairs."""
    _insert_items(
        connection,
        [
            {"run_id": run_id, "phase": phase.value, "course_id": course, "part": part}
            for course, part in places
        ],
    )


def add_unread(
    connection: Connection,
    run_id: RunId,
    reasons: Mapping[CourseId, tuple[str, str]],
    *,
    state: ItemState,
) -> None:
    """Record that courses are not read in a run, and why: a word that groups, a sentence."""
    _insert_items(
        connection,
        [
            {
                "run_id": run_id,
                "phase": Phase.PULL.value,
                "course_id": course,
                "part": 0,
                "state": state.value,
                "cause": cause,
                "message": message,
            }
            for course, (cause, message) in reasons.items()
        ],
    )


def has_unfinished_items(connection: Connection, run_id: RunId, phase: Phase) -> bool:
    """Whether a phase has work left."""
    found = connection.execute(
        select(work_items.c.id)
        .where(
            work_items.c.run_id == run_id,
            work_items.c.phase == phase.value,
            work_items.c.state.in_(UNFINISHED),
        )
        .limit(1)
    )
    return found.first() is not None


def count_items(connection: Connection, run_id: RunId, phase: Phase) -> int:
    """How many items a phase has."""
    return connection.execute(
        select(func.count())
        .select_from(work_items)
        .where(work_items.c.run_id == run_id, work_items.c.phase == phase.value)
    ).scalar_one()


def courses_known(connection: Connection, run_id: RunId) -> tuple[CourseId, ...]:
    """The courses whose gradebooks a run knows: read to the end, or surely unchanged."""
    rows = connection.execute(
        select(work_items.c.course_id).where(
            work_items.c.run_id == run_id,
            work_items.c.phase == Phase.PULL.value,
            work_items.c.state.in_((ItemState.DONE.value, ItemState.UNCHANGED.value)),
        )
    )
    return tuple(CourseId(row[0]) for row in rows)


def due_items(
    connection: Connection, run_id: RunId, *, now: datetime
) -> tuple[tuple[WorkItem, str], ...]:
    """Items that somebody should work on, each with the queue's job that carries it, if any.

    An item whose holder fell silent is carried by none, whatever the queue says of the job.
    """
    free = or_(
        and_(
            work_items.c.state == ItemState.PENDING.value,
            or_(work_items.c.not_before.is_(None), work_items.c.not_before <= now),
            or_(work_items.c.enqueued_at.is_(None), work_items.c.enqueued_at < now - SETTLING),
        ),
        and_(work_items.c.state == ItemState.WORKING.value, work_items.c.lease_until < now),
    )
    rows = connection.execute(
        select(work_items).where(work_items.c.run_id == run_id, free).order_by(work_items.c.id)
    )
    return tuple(
        (_item(row), row.job if row.state == ItemState.PENDING.value else "") for row in rows
    )


def mark_enqueued(
    connection: Connection, item_ids: Sequence[int], *, job: str, now: datetime
) -> None:
    """Record which job of the queue carries items, and free them of holders fallen silent."""
    connection.execute(
        update(work_items)
        .where(
            work_items.c.id.in_(item_ids),
            or_(
                work_items.c.state == ItemState.PENDING.value,
                and_(work_items.c.state == ItemState.WORKING.value, work_items.c.lease_until < now),
            ),
        )
        .values(state=ItemState.PENDING.value, job=job, enqueued_at=now)
    )


def claim(connection: Connection, item_id: int, *, now: datetime) -> Lease | None:
    """Take up a work item, or None where it is finished, held by another or not yet due."""
    free = or_(
        and_(
            work_items.c.state == ItemState.PENDING.value,
            or_(work_items.c.not_before.is_(None), work_items.c.not_before <= now),
        ),
        and_(work_items.c.state == ItemState.WORKING.value, work_items.c.lease_until < now),
    )
    taken = connection.execute(
        update(work_items)
        .where(work_items.c.id == item_id, free)
        .values(
            state=ItemState.WORKING.value,
            fence=work_items.c.fence + 1,
            attempts=work_items.c.attempts + 1,
            lease_until=now + LEASE,
            started_at=func.coalesce(work_items.c.started_at, literal(now, Instant())),
        )
    )
    if taken.rowcount == 0:
        return None
    row = connection.execute(select(work_items).where(work_items.c.id == item_id)).one()
    return Lease(item=_item(row), fence=row.fence)


def hold(connection: Connection, lease: Lease, *, now: datetime) -> None:
    """Renew a lease, within the transaction whose writes depend on it.

    Raises:
        LeaseLostError: Another process took the item up, so this transaction must not commit.
    """
    held = connection.execute(
        update(work_items)
        .where(
            work_items.c.id == lease.item.id,
            work_items.c.fence == lease.fence,
            work_items.c.state == ItemState.WORKING.value,
        )
        .values(lease_until=now + LEASE)
    )
    if held.rowcount == 0:
        raise LeaseLostError


def count(connection: Connection, lease: Lease, counts: Counts) -> None:
    """Add to an item's counts, in the transaction that did what is counted."""
    connection.execute(
        update(work_items)
        .where(work_items.c.id == lease.item.id)
        .values({name: work_items.c[name] + getattr(counts, name) for name in COUNTED})
    )
    if counts.quota is not None:
        _note_quota(connection, lease, counts.quota)


def _note_quota(connection: Connection, lease: Lease, quota: float) -> None:
    is_least = or_(work_items.c.quota.is_(None), work_items.c.quota > quota)
    connection.execute(
        update(work_items).where(work_items.c.id == lease.item.id, is_least).values(quota=quota)
    )


def finish(
    connection: Connection,
    lease: Lease,
    state: ItemState,
    *,
    now: datetime,
    cause: str = "",
    message: str = "",
) -> None:
    """End an item for this run; ``message`` is for a person."""
    connection.execute(
        update(work_items)
        .where(work_items.c.id == lease.item.id, work_items.c.fence == lease.fence)
        .values(state=state.value, finished_at=now, cause=cause, message=message)
    )


def put_back(
    connection: Connection, lease: Lease, *, not_before: datetime, cause: str, message: str
) -> None:
    """Give an item back to be tried again, not before a moment."""
    connection.execute(
        update(work_items)
        .where(work_items.c.id == lease.item.id, work_items.c.fence == lease.fence)
        .values(
            state=ItemState.PENDING.value,
            not_before=not_before,
            enqueued_at=None,
            job="",
            cause=cause,
            message=message,
        )
    )


def _insert_items(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    blank = {
        **dict.fromkeys(("fence", "attempts", *COUNTED), 0),
        **dict.fromkeys(("job", "cause", "message"), ""),
        "state": ItemState.PENDING.value,
    }
    connection.execute(insert(work_items), [{**blank, **row} for row in rows])


def _run(row: "Row[Any]") -> Run:
    return Run(
        id=RunId(row.id),
        tenant=TenantId(row.tenant_id),
        cause=row.cause,
        is_full=row.is_full,
        phase=Phase(row.phase),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _item(row: "Row[Any]") -> WorkItem:
    return WorkItem(
        id=row.id,
        run=RunId(row.run_id),
        phase=Phase(row.phase),
        course=None if row.course_id is None else CourseId(row.course_id),
        part=row.part,
        attempts=row.attempts,
    )
