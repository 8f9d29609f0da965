"""What is taken out of the database after a time, and what never is.

Taken out: the parts of old runs with their notes and alarms, old messages, letters that a newer
letter for the same mark replaced, and requests that nobody took up. Never: evidence, standings
and their history, what persons decided, what stands in gradebooks, who changed a policy. The
line of a run itself stays as well: evidence names it, and it is small.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Column, Connection, Engine, Select, Table, delete, exists, func, select

from store.outbox import OutboxState
from store.session import reading, writing
from store.tables import (
    course_signals,
    notices,
    outbox,
    refresh_requests,
    run_alarms,
    runs,
    work_items,
    work_notes,
)

BATCH = 2_000
"""Rows of one transaction, so that no lock is held for long."""
STALE = timedelta(days=7)
"""How long a request or a signal waits that nobody takes up, as those of a course that is gone."""
_SETTLED = (
    OutboxState.CONFIRMED.value,
    OutboxState.REFUSED.value,
    OutboxState.CONFLICT.value,
    OutboxState.SUPERSEDED.value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Rows of a table that are to go: ``chosen`` selects their keys."""

    name: str
    table: Table
    key: "Column[int]"
    chosen: Callable[[datetime], Select[tuple[int]]]


def purge(engine: Engine, *, before: datetime, now: datetime) -> Mapping[str, int]:
    """Take out what is older than a moment, a batch at a time.

    Args:
        engine: The database. Runs may be under way: nothing of theirs is touched.
        before: What ended earlier goes.
        now: The moment.

    Returns:
        How many rows went, by what they are.
    """
    return {
        part.name: _purge_part(engine, part, _limit(part, before=before, now=now))
        for part in _PARTS
    }


def count_old(engine: Engine, *, before: datetime, now: datetime) -> Mapping[str, int]:
    """How many rows ``purge`` would take out, by what they are."""
    with reading(engine) as connection:
        return {
            part.name: _count(connection, part.chosen(_limit(part, before=before, now=now)))
            for part in _PARTS
        }


def _limit(part: _Part, *, before: datetime, now: datetime) -> datetime:
    return now - STALE if part.table in {refresh_requests, course_signals} else before


def _count(connection: Connection, chosen: Select[tuple[int]]) -> int:
    return connection.execute(select(func.count()).select_from(chosen.subquery())).scalar_one()


def _purge_part(engine: Engine, part: _Part, before: datetime) -> int:
    gone = 0
    while True:
        with writing(engine) as connection:
            keys = connection.execute(part.chosen(before).limit(BATCH)).scalars().all()
            if keys:
                connection.execute(delete(part.table).where(part.key.in_(keys)))
        gone += len(keys)
        if len(keys) < BATCH:
            return gone


def _old_runs(before: datetime) -> Select[tuple[int]]:
    """Runs that ended, but for the newest of each kind: what comes next looks back at it."""
    newest = select(func.max(runs.c.id)).group_by(runs.c.tenant_id, runs.c.cause)
    return select(runs.c.id).where(runs.c.finished_at < before, runs.c.id.not_in(newest))


def _noted_items(before: datetime) -> Select[tuple[int]]:
    return (
        select(work_notes.c.work_item_id)
        .join(work_items, work_items.c.id == work_notes.c.work_item_id)
        .where(work_items.c.run_id.in_(_old_runs(before)))
        .distinct()
    )


def _items(before: datetime) -> Select[tuple[int]]:
    return select(work_items.c.id).where(work_items.c.run_id.in_(_old_runs(before)))


def _alarms(before: datetime) -> Select[tuple[int]]:
    return select(run_alarms.c.id).where(run_alarms.c.run_id.in_(_old_runs(before)))


def _letters(before: datetime) -> Select[tuple[int]]:
    """Letters that are settled and not the last word on their mark."""
    newer = outbox.alias("newer")
    has_newer = exists().where(
        newer.c.course_id == outbox.c.course_id,
        newer.c.learner_id == outbox.c.learner_id,
        newer.c.competency_id == outbox.c.competency_id,
        newer.c.way == outbox.c.way,
        newer.c.id > outbox.c.id,
    )
    return select(outbox.c.id).where(
        outbox.c.state.in_(_SETTLED), outbox.c.settled_at < before, has_newer
    )


def _messages(before: datetime) -> Select[tuple[int]]:
    return select(notices.c.id).where(notices.c.created_at < before)


def _asked(table: Table, moment: str, before: datetime) -> Select[tuple[int]]:
    return select(table.c.course_id).where(table.c[moment] < before)


_PARTS = (
    _Part(
        name="notes of old runs",
        table=work_notes,
        key=work_notes.c.work_item_id,
        chosen=_noted_items,
    ),
    _Part(name="parts of old runs", table=work_items, key=work_items.c.id, chosen=_items),
    _Part(name="alarms of old runs", table=run_alarms, key=run_alarms.c.id, chosen=_alarms),
    _Part(name="old messages", table=notices, key=notices.c.id, chosen=_messages),
    _Part(name="replaced marks", table=outbox, key=outbox.c.id, chosen=_letters),
    _Part(
        name="requests nobody took up",
        table=refresh_requests,
        key=refresh_requests.c.course_id,
        chosen=partial(_asked, refresh_requests, "requested_at"),
    ),
    _Part(
        name="signals nobody took up",
        table=course_signals,
        key=course_signals.c.course_id,
        chosen=partial(_asked, course_signals, "last_at"),
    ),
)
