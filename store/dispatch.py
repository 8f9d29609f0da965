"""Which jobs of the queue carry which work items of a run, and what else is due."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, case, func, select, update

from mapping.records import PlatformId, RunId
from store.columns import one_of
from store.run_records import SETTLING, UNFINISHED, ItemState, Phase, WorkItem
from store.sync_state import is_due, is_held
from store.tables import work_items


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A job that was put into the queue with items that are not finished.

    ``platform`` is whose LMS it asks. ``is_sure`` says that the queue need not be asked about
    it: it was put there just now, or somebody holds an item of it.
    """

    platform: PlatformId | None
    is_sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DueItems:
    """How many items of one phase and one platform somebody should work on."""

    phase: Phase
    platform: PlatformId | None
    count: int


def jobs_in_hand(connection: Connection, run_id: RunId, *, now: datetime) -> dict[str, Carried]:
    """The jobs that carry unfinished items of a run, whatever became of them."""
    rows = connection.execute(
        select(
            work_items.c.job,
            work_items.c.platform_id,
            func.max(work_items.c.enqueued_at).label("enqueued_at"),
            func.max(case((is_held(now), 1), else_=0)).label("is_held"),
        )
        .where(
            work_items.c.run_id == run_id,
            work_items.c.state.in_(UNFINISHED),
            work_items.c.enqueued_at.is_not(None),
        )
        .group_by(work_items.c.job, work_items.c.platform_id)
    )
    return {
        row.job: Carried(
            platform=None if row.platform_id is None else PlatformId(row.platform_id),
            is_sure=bool(row.is_held) or now - SETTLING <= row.enqueued_at <= now,
        )
        for row in rows
    }


def due_by_platform(
    connection: Connection, run_id: RunId, *, alive: Collection[str], now: datetime
) -> tuple[DueItems, ...]:
    """What is due in a run, counted."""
    rows = connection.execute(
        select(work_items.c.phase, work_items.c.platform_id, func.count())
        .where(work_items.c.run_id == run_id, is_due(now, alive))
        .group_by(work_items.c.phase, work_items.c.platform_id)
        .order_by(func.min(work_items.c.id))
    )
    return tuple(
        DueItems(
            phase=Phase(row[0]),
            platform=None if row[1] is None else PlatformId(row[1]),
            count=row[2],
        )
        for row in rows
    )


def holds_lost(connection: Connection, item_ids: Collection[int]) -> bool:
    """Whether any of some due items was lost with a worker or with the queue."""
    found = connection.execute(
        select(work_items.c.id)
        .where(one_of(connection, work_items.c.id, item_ids), work_items.c.enqueued_at.is_not(None))
        .limit(1)
    )
    return found.first() is not None


def take_over(connection: Connection, run_id: RunId, job: str, *, now: datetime) -> tuple[int, ...]:
    """Record that a process works on a job's items though no queue gives it that job.

    Args:
        connection: A writing transaction.
        run_id: Of this run.
        job: The job's name.
        now: When; until the items are claimed the job is as fresh as if it were put in now.

    Returns:
        Those that nobody works on, in order; none where the job is not the run's.
    """
    found = connection.execute(
        update(work_items)
        .where(
            work_items.c.run_id == run_id,
            work_items.c.job == job,
            work_items.c.state == ItemState.PENDING.value,
        )
        .values(enqueued_at=now)
        .returning(work_items.c.id)
    )
    return tuple(sorted(found.scalars()))


def give_back(connection: Connection, item_ids: Collection[int]) -> None:
    """Take items that nobody took up out of the job that carried them."""
    connection.execute(
        update(work_items)
        .where(
            one_of(connection, work_items.c.id, item_ids),
            work_items.c.state == ItemState.PENDING.value,
        )
        .values(enqueued_at=None)
    )


def put_off_platform(
    connection: Connection, item: WorkItem, *, not_before: datetime, why: tuple[str, str]
) -> None:
    """Have everything wait that would ask the same platform in the same phase of a run.

    Args:
        connection: A writing transaction.
        item: One that met the trouble.
        not_before: When the platform may be asked again.
        why: A word that groups, a sentence for a person.
    """
    connection.execute(
        update(work_items)
        .where(_beside(item))
        .values(not_before=not_before, enqueued_at=None, cause=why[0], message=why[1])
    )


def give_up_platform(
    connection: Connection, item: WorkItem, *, now: datetime, why: tuple[str, str]
) -> None:
    """End everything for this run that would ask the same platform in the same phase."""
    connection.execute(
        update(work_items)
        .where(_beside(item))
        .values(state=ItemState.FAILED.value, finished_at=now, cause=why[0], message=why[1])
    )


def resume_waiting(connection: Connection, run_id: RunId, *, cause: str) -> None:
    """Have items that wait for one cause be due at once."""
    connection.execute(
        update(work_items)
        .where(
            work_items.c.run_id == run_id,
            work_items.c.state == ItemState.PENDING.value,
            work_items.c.cause == cause,
        )
        .values(not_before=None, enqueued_at=None, cause="", message="")
    )


def _beside(item: WorkItem) -> ColumnElement[bool]:
    return and_(
        work_items.c.run_id == item.run,
        work_items.c.phase == item.phase.value,
        work_items.c.state == ItemState.PENDING.value,
        work_items.c.platform_id.is_not_distinct_from(item.platform),
    )
