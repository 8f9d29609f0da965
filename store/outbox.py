"""Marks on their way to gradebooks: wanted, sent, confirmed by reading back.

A mark is wanted in the transaction that decides on it, sent once, and recorded as standing only
when the gradebook was read and says so. What was sent and not seen is settled by reading.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update

from mapping.records import (
    ColumnId,
    ColumnRef,
    CompetencyId,
    CourseId,
    LearnerId,
    PassbackWay,
    RunId,
    TenantId,
)
from store import due
from store.columns import one_of
from store.session import chunks, upsert, write_rows
from store.tables import (
    OPEN_LETTERS,
    courses,
    outbox,
    passback_columns,
    passback_marks,
    to_micros,
)


class OutboxState(Enum):
    """Where a mark is on its way."""

    WANTED = "wanted"
    SENT = "sent"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    CONFLICT = "conflict"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mark on its way. ``points`` is None where words alone are written."""

    id: int
    strand: CompetencyId
    learner: LearnerId
    words: str
    points: float | None
    state: OutboxState


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingMark:
    """What stands in the gradebook, as last read back."""

    words: str
    points: float | None


def columns(
    connection: Connection, course_id: CourseId, way: PassbackWay
) -> dict[CompetencyId, tuple[ColumnId, ColumnRef]]:
    """The columns Waymark has in a course for one way, by strand."""
    rows = connection.execute(
        select(passback_columns).where(
            passback_columns.c.course_id == course_id, passback_columns.c.way == way.value
        )
    )
    return {CompetencyId(row.competency_id): (ColumnId(row.id), ColumnRef(row.ref)) for row in rows}


def save_column(
    connection: Connection,
    course_id: CourseId,
    strand: CompetencyId,
    *,
    way: PassbackWay,
    ref: ColumnRef,
    now: datetime,
) -> ColumnId:
    """Remember where a strand's column is.

    A column made anew takes the old one's place and holds none of its marks, so that all of the
    course are put down as due.
    """
    known = columns(connection, course_id, way).get(strand)
    if known is not None and known[1] == ref:
        return known[0]
    if known is not None:
        connection.execute(delete(passback_marks).where(passback_marks.c.column_id == known[0]))
        due.put_down_courses(connection, [course_id], now=now)
    upsert(
        connection,
        passback_columns,
        [{"course_id": course_id, "competency_id": strand, "way": way.value, "ref": ref}],
        keys=("course_id", "competency_id", "way"),
    )
    return columns(connection, course_id, way)[strand][0]


def standing_marks(
    connection: Connection,
    course_id: CourseId,
    way: PassbackWay,
    *,
    learner_ids: Sequence[LearnerId] | None = None,
) -> dict[tuple[CompetencyId, LearnerId], StandingMark]:
    """What stands in a course's Waymark columns, by strand and learner; of all or of some."""
    query = (
        select(
            passback_columns.c.competency_id,
            passback_marks.c.learner_id,
            passback_marks.c.words,
            passback_marks.c.points,
        )
        .join(passback_columns, passback_columns.c.id == passback_marks.c.column_id)
        .where(passback_columns.c.course_id == course_id, passback_columns.c.way == way.value)
    )
    parts = [None] if learner_ids is None else chunks(learner_ids)
    found: dict[tuple[CompetencyId, LearnerId], StandingMark] = {}
    for part in parts:
        rows = connection.execute(
            query
            if part is None
            else query.where(one_of(connection, passback_marks.c.learner_id, part))
        )
        for strand, learner, words, points in rows:
            mark = StandingMark(words=words, points=points)
            found[CompetencyId(strand), LearnerId(learner)] = mark
    return found


def open_ways(connection: Connection, tenant: TenantId) -> frozenset[tuple[CourseId, PassbackWay]]:
    """The courses of a tenant, with the way, in which a mark is wanted or was sent unseen."""
    rows = connection.execute(
        select(outbox.c.course_id, outbox.c.way)
        .distinct()
        .where(
            outbox.c.course_id.in_(select(courses.c.id).where(courses.c.tenant_id == tenant)),
            OPEN_LETTERS,
        )
    )
    return frozenset((CourseId(row[0]), PassbackWay(row[1])) for row in rows)


def open_letters(
    connection: Connection, course_id: CourseId, way: PassbackWay
) -> tuple[Letter, ...]:
    """Marks of a course that are wanted, or were sent and never seen, oldest first."""
    rows = connection.execute(
        select(outbox)
        .where(outbox.c.course_id == course_id, outbox.c.way == way.value, OPEN_LETTERS)
        .order_by(outbox.c.id)
    )
    return tuple(_letter(row) for row in rows)


def unsettled(connection: Connection, course_id: CourseId, way: PassbackWay) -> tuple[Letter, ...]:
    """Marks of a course that were sent and never seen, oldest first."""
    rows = connection.execute(
        select(outbox)
        .where(
            outbox.c.course_id == course_id,
            outbox.c.way == way.value,
            outbox.c.state == OutboxState.SENT.value,
        )
        .order_by(outbox.c.id)
    )
    return tuple(_letter(row) for row in rows)


def want(
    connection: Connection,
    course_id: CourseId,
    way: PassbackWay,
    *,
    marks: Mapping[tuple[CompetencyId, LearnerId], StandingMark],
    run: RunId,
    now: datetime,
) -> tuple[Letter, ...]:
    """Put marks down to be written; what was wanted before and never sent is replaced.

    Args:
        connection: A writing transaction.
        course_id: Whose gradebook.
        way: The passback way.
        marks: By strand and learner.
        run: The run that wants them.
        now: When.

    Returns:
        The letters, in the order of the marks.
    """
    connection.execute(
        delete(outbox).where(
            outbox.c.course_id == course_id,
            outbox.c.way == way.value,
            outbox.c.state == OutboxState.WANTED.value,
        )
    )
    planned_at, wanted = to_micros(now), OutboxState.WANTED.value
    write_rows(
        connection,
        outbox,
        [
            (
                *(course_id, strand, way.value, learner, mark.words, mark.points),
                *(wanted, "", planned_at, run),
            )
            for (strand, learner), mark in marks.items()
        ],
        columns=(
            *("course_id", "competency_id", "way", "learner_id", "words", "points"),
            *("state", "reason", "planned_at", "run_id"),
        ),
    )
    rows = connection.execute(
        select(outbox.c.id, outbox.c.competency_id, outbox.c.learner_id).where(
            outbox.c.course_id == course_id,
            outbox.c.way == way.value,
            outbox.c.state == OutboxState.WANTED.value,
        )
    )
    ids = {(CompetencyId(row[1]), LearnerId(row[2])): row[0] for row in rows}
    return tuple(
        Letter(
            id=ids[key],
            strand=key[0],
            learner=key[1],
            words=mark.words,
            points=mark.points,
            state=OutboxState.WANTED,
        )
        for key, mark in marks.items()
    )


def take_to_send(
    connection: Connection, letters: Sequence[Letter], *, now: datetime
) -> tuple[Letter, ...]:
    """Record, before sending, that letters are about to be sent by whoever asks.

    A letter is never in two hands: one that another process has or had is left out, without
    waiting for it.

    Args:
        connection: A writing transaction.
        letters: Wanted ones.
        now: When.

    Returns:
        Those that the caller is to send, in their order.
    """
    taken: set[int] = set()
    for part in chunks([letter.id for letter in letters]):
        free = select(outbox.c.id).where(
            one_of(connection, outbox.c.id, part),
            outbox.c.state == OutboxState.WANTED.value,
            ~_is_sent_already(),
        )
        # On SQLite the writing transaction itself keeps others out; it knows no such words.
        ids = list(connection.execute(free.with_for_update(skip_locked=True)).scalars())
        connection.execute(
            update(outbox)
            .where(one_of(connection, outbox.c.id, ids))
            .values(state=OutboxState.SENT.value, sent_at=now)
        )
        taken.update(ids)
    return tuple(letter for letter in letters if letter.id in taken)


def _is_sent_already() -> ColumnElement[bool]:
    """Whether an earlier letter with the same mark was sent and is not settled."""
    earlier = outbox.alias("earlier")
    key = ("course_id", "way", "competency_id", "learner_id")
    return (
        select(earlier.c.id)
        .where(
            earlier.c.state == OutboxState.SENT.value,
            *(earlier.c[name] == outbox.c[name] for name in key),
        )
        .correlate(outbox)
        .exists()
    )


def settle(
    connection: Connection,
    reasons: Mapping[Letter, str],
    state: OutboxState,
    *,
    now: datetime,
) -> None:
    """End letters: refused, in conflict, or replaced by newer ones.

    Args:
        connection: A writing transaction.
        reasons: For each letter why, for a person.
        state: How they ended.
        now: When.
    """
    by_reason: dict[str, list[int]] = {}
    for letter, reason in reasons.items():
        by_reason.setdefault(reason, []).append(letter.id)
    for reason, ids in by_reason.items():
        for part in chunks(ids):
            connection.execute(
                update(outbox)
                .where(one_of(connection, outbox.c.id, part))
                .values(state=state.value, reason=reason, settled_at=now)
            )


def confirm(
    connection: Connection, column: ColumnId, letters: Sequence[Letter], *, now: datetime
) -> None:
    """Record letters as standing in the gradebook, where they were read back."""
    for part in chunks([letter.id for letter in letters]):
        connection.execute(
            update(outbox)
            .where(one_of(connection, outbox.c.id, part))
            .values(state=OutboxState.CONFIRMED.value, settled_at=now)
        )
    confirmed_at = to_micros(now)
    write_rows(
        connection,
        passback_marks,
        [(column, one.learner, one.words, one.points, confirmed_at) for one in letters],
        columns=("column_id", "learner_id", "words", "points", "confirmed_at"),
        keys=("column_id", "learner_id"),
    )


def pushed_in(connection: Connection, run: RunId, course_id: CourseId) -> tuple[int, int]:
    """How many marks of a course a run confirmed, and how many it could not write."""
    rows = connection.execute(
        select(outbox.c.state, func.count())
        .where(outbox.c.run_id == run, outbox.c.course_id == course_id)
        .group_by(outbox.c.state)
    )
    counts: Counter[str] = Counter({row[0]: row[1] for row in rows})
    refused = counts[OutboxState.REFUSED.value] + counts[OutboxState.CONFLICT.value]
    return counts[OutboxState.CONFIRMED.value], refused


def _letter(row: "Row[Any]") -> Letter:
    return Letter(
        id=row.id,
        strand=CompetencyId(row.competency_id),
        learner=LearnerId(row.learner_id),
        words=row.words,
        points=row.points,
        state=OutboxState(row.state),
    )
