"""Marks on their way to gradebooks: wanted, sent, confirmed by reading back.

A mark is wanted in the transaction that decides on it, sent once, and recorded as standing only
when the gradebook was read and says so. What was sent and not seen is settled by reading.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import Connection, and_, delete, insert, select, update

from mapping.records import (
    ColumnId,
    ColumnRef,
    CompetencyId,
    CourseId,
    LearnerId,
    PassbackWay,
    RunId,
)
from store.session import upsert
from store.tables import outbox, passback_columns, passback_marks


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
) -> ColumnId:
    """Remember where a strand's column is; a column made anew takes the old one's place."""
    known = columns(connection, course_id, way).get(strand)
    if known is not None and known[1] == ref:
        return known[0]
    if known is not None:
        connection.execute(delete(passback_marks).where(passback_marks.c.column_id == known[0]))
    upsert(
        connection,
        passback_columns,
        [{"course_id": course_id, "competency_id": strand, "way": way.value, "ref": ref}],
        keys=("course_id", "competency_id", "way"),
    )
    return columns(connection, course_id, way)[strand][0]


def standing_marks(
    connection: Connection, course_id: CourseId, way: PassbackWay
) -> dict[tuple[CompetencyId, LearnerId], StandingMark]:
    """What stands in a course's Waymark columns, by strand and learner."""
    rows = connection.execute(
        select(passback_marks, passback_columns.c.competency_id)
        .join(passback_columns, passback_columns.c.id == passback_marks.c.column_id)
        .where(passback_columns.c.course_id == course_id, passback_columns.c.way == way.value)
    )
    return {
        (CompetencyId(row.competency_id), LearnerId(row.learner_id)): StandingMark(
            words=row.words, points=row.points
        )
        for row in rows
    }


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
    return tuple(
        Letter(
            id=row.id,
            strand=CompetencyId(row.competency_id),
            learner=LearnerId(row.learner_id),
            words=row.words,
            points=row.points,
            state=OutboxState(row.state),
        )
        for row in rows
    )


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
    if marks:
        connection.execute(
            insert(outbox),
            [
                {
                    "course_id": course_id,
                    "competency_id": strand,
                    "way": way.value,
                    "learner_id": learner,
                    "words": mark.words,
                    "points": mark.points,
                    "state": OutboxState.WANTED.value,
                    "reason": "",
                    "planned_at": now,
                    "run_id": run,
                }
                for (strand, learner), mark in marks.items()
            ],
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


def mark_sent(connection: Connection, letters: Sequence[Letter], *, now: datetime) -> None:
    """Record, before sending, that letters are about to be sent."""
    connection.execute(
        update(outbox)
        .where(outbox.c.id.in_([letter.id for letter in letters]))
        .values(state=OutboxState.SENT.value, sent_at=now)
    )


def settle(
    connection: Connection,
    letter: Letter,
    state: OutboxState,
    *,
    reason: str,
    now: datetime,
) -> None:
    """End a letter: refused, in conflict, or replaced by a newer one."""
    connection.execute(
        update(outbox)
        .where(outbox.c.id == letter.id)
        .values(state=state.value, reason=reason, settled_at=now)
    )


def confirm(
    connection: Connection, column: ColumnId, letters: Sequence[Letter], *, now: datetime
) -> None:
    """Record letters as standing in the gradebook, where they were read back."""
    if not letters:
        return
    connection.execute(
        update(outbox)
        .where(outbox.c.id.in_([letter.id for letter in letters]))
        .values(state=OutboxState.CONFIRMED.value, settled_at=now)
    )
    upsert(
        connection,
        passback_marks,
        [
            {
                "column_id": column,
                "learner_id": letter.learner,
                "words": letter.words,
                "points": letter.points,
                "confirmed_at": now,
            }
            for letter in letters
        ],
        keys=("column_id", "learner_id"),
    )


def pushed_in(connection: Connection, run: RunId, course_id: CourseId) -> tuple[int, int]:
    """How many marks of a course a run confirmed, and how many it could not write."""
    rows = connection.execute(
        select(outbox.c.state).where(and_(outbox.c.run_id == run, outbox.c.course_id == course_id))
    )
    states = [row[0] for row in rows]
    refused = (OutboxState.REFUSED.value, OutboxState.CONFLICT.value)
    return states.count(OutboxState.CONFIRMED.value), sum(s in refused for s in states)
