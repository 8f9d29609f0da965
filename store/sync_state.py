"""Runs and their work items: what a night has done, is doing and has still to do.

The database, not the queue, knows what is left. A work item is worked on under a lease with a
fencing number: whoever lost the lease can no longer commit, so an item that two processes run
at once still has one effect.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    between,
    case,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    update,
)

from mapping.records import Counts, CourseId, PlatformId, RunId, TenantId
from store.columns import one_of
from store.run_records import (
    COUNTED,
    LEASE,
    LONGEST_PAUSE,
    SETTLING,
    UNFINISHED,
    ItemState,
    Lease,
    LeaseLostError,
    Phase,
    Run,
    WorkItem,
)
from store.tables import Instant, runs, work_items
from store.work_places import add_items, add_unread

NOTHING_COUNTED = Counts()

__all__ = [
    "COUNTED",
    "LEASE",
    "LONGEST_PAUSE",
    "SETTLING",
    "UNFINISHED",
    "ItemState",
    "Lease",
    "LeaseLostError",
    "Phase",
    "Run",
    "WorkItem",
    "add_items",
    "add_unread",
]


def start_run(  # noqa: PLR0913 - what a run is
    connection: Connection,
    tenant: TenantId,
    *,
    cause: str,
    is_full: bool,
    now: datetime,
    is_dry: bool = False,
    phase: Phase = Phase.PLAN,
) -> RunId:
    """Begin a run, in its first phase or in a later one."""
    key = connection.execute(
        insert(runs).values(
            tenant_id=tenant,
            cause=cause,
            is_full=is_full,
            is_dry=is_dry,
            phase=phase.value,
            started_at=now,
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
    # Not from those who only name it: a worker that keeps a score of this run has its item's row,
    # and who holds the run may be about to wait for that.
    found = select(runs).where(runs.c.id == run_id).with_for_update(key_share=True)
    return _run(connection.execute(found).one())


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


def item_of(connection: Connection, item_id: int) -> WorkItem:
    """One item by its id."""
    return _item(connection.execute(select(work_items).where(work_items.c.id == item_id)).one())


def due_items(
    connection: Connection,
    run_id: RunId,
    *,
    now: datetime,
    alive: Collection[str] = (),
    of: tuple[Phase, PlatformId | None] | None = None,
    most: int | None = None,
) -> tuple[tuple[WorkItem, str], ...]:
    """Items that somebody should work on, each with the job that carried it last, if any.

    Args:
        connection: A transaction.
        run_id: Whose items.
        now: When.
        alive: Jobs of the queue that will still come to the items they carry. An item whose
            holder fell silent is due, whatever the queue says of its job.
        of: Only those of a phase and a platform.
        most: So many, the first ones.
    """
    query = (
        select(work_items)
        .where(work_items.c.run_id == run_id, is_due(now, alive))
        # What was lost with a worker, or with the queue, first: it has waited already.
        .order_by(work_items.c.enqueued_at.is_(None), work_items.c.id)
        .limit(most)
    )
    if of is not None:
        phase, platform = of
        query = query.where(
            work_items.c.phase == phase.value,
            work_items.c.platform_id.is_not_distinct_from(platform),
        )
    return tuple((_item(row), row.job) for row in connection.execute(query))


def mark_enqueued(
    connection: Connection, item_ids: Sequence[int], *, job: str, now: datetime
) -> None:
    """Record which job of the queue carries items, and free them of holders fallen silent."""
    connection.execute(
        update(work_items)
        .where(
            one_of(connection, work_items.c.id, item_ids),
            or_(work_items.c.state == ItemState.PENDING.value, _is_silent(now)),
        )
        .values(state=ItemState.PENDING.value, job=job, enqueued_at=now)
    )


def claim(connection: Connection, item_id: int, *, now: datetime) -> Lease | None:
    """Take up a work item, or None where it is finished, held by another or not yet due."""
    taken = connection.execute(
        update(work_items)
        .where(work_items.c.id == item_id, or_(_is_ready(now), _is_silent(now)))
        .values(
            state=ItemState.WORKING.value,
            fence=work_items.c.fence + 1,
            attempts=work_items.c.attempts + 1,
            lease_until=now + LEASE,
            started_at=func.coalesce(work_items.c.started_at, literal(now, Instant())),
        )
        .returning(work_items)
    )
    row = taken.one_or_none()
    return None if row is None else Lease(item=_item(row), fence=row.fence)


def is_due(now: datetime, alive: Collection[str] = ()) -> ColumnElement[bool]:
    """The condition of ``due_items``."""
    is_carried = work_items.c.job.in_(alive)
    is_fresh = between(work_items.c.enqueued_at, now - SETTLING, now)
    is_free = or_(work_items.c.enqueued_at.is_(None), not_(or_(is_fresh, is_carried)))
    return or_(and_(_is_ready(now), is_free), _is_silent(now))


def is_held(now: datetime) -> ColumnElement[bool]:
    """The condition of items that somebody works on, as far as their lease says."""
    return and_(work_items.c.state == ItemState.WORKING.value, not_(_is_silent(now)))


def _is_ready(now: datetime) -> ColumnElement[bool]:
    return and_(
        work_items.c.state == ItemState.PENDING.value,
        or_(
            work_items.c.not_before.is_(None),
            work_items.c.not_before <= now,
            work_items.c.not_before > now + 2 * LONGEST_PAUSE,
        ),
    )


def _is_silent(now: datetime) -> ColumnElement[bool]:
    """The holder let its lease run out, or took it before the clock was set back."""
    return and_(
        work_items.c.state == ItemState.WORKING.value,
        or_(work_items.c.lease_until < now, work_items.c.lease_until > now + 2 * LEASE),
    )


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
        update(work_items).where(work_items.c.id == lease.item.id).values(_counted(counts))
    )


def _counted(counts: Counts) -> dict[str, ColumnElement[Any]]:
    """What an item's columns say with some counts more, and with the least quota that was left."""
    values: dict[str, ColumnElement[Any]] = {
        name: work_items.c[name] + getattr(counts, name) for name in COUNTED
    }
    if counts.quota is not None:
        least = literal(counts.quota, work_items.c.quota.type)
        is_less = or_(work_items.c.quota.is_(None), work_items.c.quota > least)
        values["quota"] = case((is_less, least), else_=work_items.c.quota)
    return values


def finish(  # noqa: PLR0913 - what an item's end is
    connection: Connection,
    lease: Lease,
    state: ItemState,
    *,
    now: datetime,
    cause: str = "",
    message: str = "",
    counts: Counts = NOTHING_COUNTED,
) -> None:
    """End an item for this run; ``message`` is for a person, ``counts`` are added to its own."""
    connection.execute(
        update(work_items)
        .where(work_items.c.id == lease.item.id, work_items.c.fence == lease.fence)
        .values(
            state=state.value, finished_at=now, cause=cause, message=message, **_counted(counts)
        )
    )


def put_back(
    connection: Connection,
    lease: Lease,
    *,
    not_before: datetime,
    cause: str,
    message: str,
    is_counted: bool = True,
) -> None:
    """Give an item back to be tried again, not before a moment.

    Args:
        connection: The transaction that holds the lease.
        lease: The item.
        not_before: At most ``LONGEST_PAUSE`` from now.
        cause: A word that groups.
        message: For a person.
        is_counted: Whether this was one of its tries.
    """
    tried = work_items.c.attempts - (0 if is_counted else 1)
    connection.execute(
        update(work_items)
        .where(work_items.c.id == lease.item.id, work_items.c.fence == lease.fence)
        .values(
            state=ItemState.PENDING.value,
            not_before=not_before,
            enqueued_at=None,
            attempts=tried,
            cause=cause,
            message=message,
        )
    )


def _run(row: "Row[Any]") -> Run:
    return Run(
        id=RunId(row.id),
        tenant=TenantId(row.tenant_id),
        cause=row.cause,
        is_full=row.is_full,
        phase=Phase(row.phase),
        started_at=row.started_at,
        finished_at=row.finished_at,
        is_dry=row.is_dry,
    )


def _item(row: "Row[Any]") -> WorkItem:
    return WorkItem(
        id=row.id,
        run=RunId(row.run_id),
        phase=Phase(row.phase),
        course=None if row.course_id is None else CourseId(row.course_id),
        part=row.part,
        attempts=row.attempts,
        platform=None if row.platform_id is None else PlatformId(row.platform_id),
    )
