"""What is kept of learners in one course, given to others: all at once, so two may change places.

Where both have something in the same cell, the newer stays; of scores, what the other said stays
among the events.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from mapping.records import CourseId, EnrolmentState, LearnerId
from store import whole_readings
from store.course_cells import keep_scores, take_scores
from store.packing import RETRIED
from store.session import lock
from store.tables import (
    EPOCH,
    OPEN_LETTERS,
    attempt_events,
    earlier_attempts,
    enrolments,
    exclusions,
    given_dates,
    guardianships,
    line_items,
    outbox,
    overrides,
    pace_targets,
    passback_columns,
    passback_marks,
    score_events,
    section_members,
    sections,
)

Moves = Mapping[LearnerId, LearnerId]
_Row = dict[str, Any]
_Place = tuple[Any, ...]
_Age = Callable[[_Row], Any]
_CELL = ("line_item_id", "learner_id")


def move_rows(connection: Connection, course_id: CourseId, moves: Moves, *, now: datetime) -> bool:
    """Give everything kept of some learners in a course to others.

    Args:
        connection: A writing transaction.
        course_id: The course; nobody reads it meanwhile.
        moves: To whom, for each.
        now: When; recorded where an older event becomes the newest again.

    Returns:
        Whether two had a score in the same cell.
    """
    is_in = {
        enrolments: enrolments.c.course_id == course_id,
        guardianships: guardianships.c.course_id == course_id,
        section_members: section_members.c.section_id.in_(
            select(sections.c.id).where(sections.c.course_id == course_id)
        ),
        passback_marks: passback_marks.c.column_id.in_(
            select(passback_columns.c.id).where(passback_columns.c.course_id == course_id)
        ),
    }
    for table, condition in is_in.items():
        _move(connection, table, moves, condition=condition, age=_AGES.get(table.name, _ageless))
    _end_open_letters(connection, course_id, moves, now=now)
    _repoint(connection, outbox, moves, condition=outbox.c.course_id == course_id)
    return _move_scores(connection, course_id, moves, now=now)


def _move_scores(
    connection: Connection, course_id: CourseId, moves: Moves, *, now: datetime
) -> bool:
    items = select(line_items.c.id).where(line_items.c.course_id == course_id)
    for table in (exclusions, given_dates):
        _repoint(connection, table, moves, condition=table.c.line_item_id.in_(items))
    _move_attempts(connection, items, moves, now=now)
    last = _last_events(connection, moves, score_events.c.line_item_id.in_(items))

    def last_event(row: _Row) -> int:
        return last.get((row["line_item_id"], row["learner_id"]), 0)

    def age(row: _Row) -> tuple[bool, datetime | int, int]:
        graded_at = row["graded_at"]
        return graded_at is not None, graded_at or 0, last_event(row)

    lock(connection, "course", course_id)
    whole_readings.forget(connection, course_id)
    kept, lost = _kept_and_lost(
        take_scores(connection, course_id, _involved(moves)), moves, age=age
    )
    _repoint(connection, score_events, moves, condition=score_events.c.line_item_id.in_(items))
    # What a cell says now is its newest event: where that was the other's, it is said again.
    repeated = [
        {**_moved(row, moves), "recorded_at": now}
        for place, row in kept.items()
        if any(last_event(other) > last_event(row) for other in lost.get(place, ()))
    ]
    if repeated:
        connection.execute(insert(score_events), repeated)
    moved = [_moved(row, moves) for row in kept.values()]
    if lost:
        # The other's words may be of other attempts.
        theirs = set(moves.values())
        for row in moved:
            row["flags"] |= RETRIED * (row["learner_id"] in theirs)
    keep_scores(connection, course_id, moved)
    return bool(lost)


def _move_attempts(
    connection: Connection, items: Select[Any], moves: Moves, *, now: datetime
) -> None:
    """Move earlier attempts with their events; of two with one number the newer one is kept."""
    kept, lost = _move(
        connection,
        earlier_attempts,
        moves,
        condition=earlier_attempts.c.line_item_id.in_(items),
        age=lambda row: row["graded_at"] or EPOCH,
    )
    events = attempt_events.c.line_item_id.in_(items)
    _repoint(connection, attempt_events, moves, condition=events)
    repeated = [
        {**_moved(row, moves), "recorded_at": now} for place, row in kept.items() if place in lost
    ]
    if repeated:
        connection.execute(insert(attempt_events), repeated)


def move_judgements(connection: Connection, moves: Moves) -> None:
    """Give what was said of learners, whatever the course, to others.

    Args:
        connection: A writing transaction.
        moves: To whom, for each; nothing else is theirs any more.
    """
    for table in (overrides, pace_targets):
        _repoint(connection, table, moves, condition=table.c.learner_id.in_(moves))


def _move(
    connection: Connection,
    table: Table,
    moves: Moves,
    *,
    condition: ColumnElement[bool],
    age: _Age,
) -> tuple[dict[_Place, _Row], dict[_Place, list[_Row]]]:
    """Move rows of which a learner has at most one in each place.

    Returns:
        The rows kept, as they were before, and the older ones that they replace.
    """
    is_meant = and_(condition, table.c.learner_id.in_(_involved(moves)))
    rows = [dict(row) for row in connection.execute(select(table).where(is_meant)).mappings()]
    key = tuple(column.name for column in table.primary_key)
    kept, lost = _kept_and_lost(rows, moves, age=age, key=key)
    connection.execute(delete(table).where(is_meant))
    moved = [_moved(row, moves) for row in kept.values()]
    if moved:
        connection.execute(insert(table), moved)
    return kept, lost


def _kept_and_lost(
    rows: Iterable[_Row], moves: Moves, *, age: _Age, key: Sequence[str] = _CELL
) -> tuple[dict[_Place, _Row], dict[_Place, list[_Row]]]:
    """The newest row of each place once learners have moved, and the older ones.

    Both are as they were before, by the place.
    """
    kept: dict[_Place, _Row] = {}
    lost: dict[_Place, list[_Row]] = {}
    for row in sorted(rows, key=age):
        after = _moved(row, moves)
        place = tuple(after[name] for name in key)
        if place in kept:
            lost.setdefault(place, []).append(kept[place])
        kept[place] = row
    return kept, lost


def _moved(row: _Row, moves: Moves) -> _Row:
    return {**row, "learner_id": moves.get(row["learner_id"], row["learner_id"])}


def _involved(moves: Moves) -> set[LearnerId]:
    return moves.keys() | set(moves.values())


def _repoint(
    connection: Connection, table: Table, moves: Moves, *, condition: ColumnElement[bool]
) -> None:
    """Rows of which a learner may have many: one statement, so that two may change places."""
    connection.execute(
        update(table)
        .where(and_(condition, table.c.learner_id.in_(moves)))
        .values(learner_id=case(dict(moves), value=table.c.learner_id))
    )


def _end_open_letters(
    connection: Connection, course_id: CourseId, moves: Moves, *, now: datetime
) -> None:
    """End letters of which two would be open for one mark, also while they change places.

    What they said is wanted anew by whom it concerns: all marks of the course are due.
    """
    is_here = and_(outbox.c.course_id == course_id, OPEN_LETTERS)
    keys = (outbox.c.way, outbox.c.competency_id, outbox.c.state)
    involved = {*moves.keys(), *moves.values()}
    several = (
        select(*keys)
        .where(is_here, outbox.c.learner_id.in_(involved))
        .group_by(*keys)
        .having(func.count() > 1)
    )
    connection.execute(
        update(outbox)
        .where(is_here, outbox.c.learner_id.in_(involved), tuple_(*keys).in_(several))
        .values(state="superseded", reason="Its learner is another one now.", settled_at=now)
    )


def _last_events(
    connection: Connection, moves: Moves, condition: ColumnElement[bool]
) -> dict[tuple[int, int], int]:
    place = (score_events.c.line_item_id, score_events.c.learner_id)
    rows: Iterable[Any] = connection.execute(
        select(*place, func.max(score_events.c.id))
        .where(condition, score_events.c.learner_id.in_(_involved(moves)))
        .group_by(*place)
    )
    return {(item, learner): number for item, learner, number in rows}


def _ageless(row: _Row) -> tuple[()]:  # noqa: ARG001 - rows that say nothing but that they are
    return ()


_AGES: Mapping[str, _Age] = {
    enrolments.name: lambda row: row["state"] == EnrolmentState.ACTIVE.value,
    passback_marks.name: lambda row: row["confirmed_at"],
}
"""How rows of a table are put in order: the last one stays."""
