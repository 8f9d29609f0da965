"""Gradebook cells and attempts of many learners as columns, as they are or as they once were."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import numpy as np
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    case,
    cast,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType

from mapping.columns import NO_MOMENT, BoolArray, CodeArray, FloatArray, IntArray
from mapping.ordering import ordering
from mapping.records import LearnerId
from store.arrays import read_fours
from store.columns import heap_first, one_of, pair_of, read_columns
from store.fours import (
    DEDUCTED,
    LOW,
    LOWEST,
    NO_SECOND,
    cells_in_fours,
    deductions,
    ids_in,
    near,
    taken_apart,
    wide,
)
from store.packing import MICROS, RETRIED, SECONDS_BEFORE_2000, STATE
from store.tables import attempt_events, earlier_attempts, score_events, scores, to_micros

_ATTEMPT = 17
"""Beside the flags: from which bit on the attempt stands."""
_SPARSE = ("points_deducted",)
_MANY = 200
"""Of so many learners all scores are read along the table, not along the index."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """What cells say, one row for each; ``cell`` is learner and line item in one number."""

    cell: IntArray
    points: FloatArray
    submitted_at: IntArray
    graded_at: IntArray
    attempt: IntArray
    flags: IntArray
    deducted: FloatArray

    def __len__(self) -> int:
        return self.cell.size

    @property
    def learner(self) -> IntArray:
        """Whose."""
        return self.cell >> 32

    @property
    def line_item(self) -> IntArray:
        """Of which line item."""
        return self.cell & LOW

    @property
    def state(self) -> CodeArray:
        """Codes of ``ScoreState``."""
        return (self.flags & STATE).astype(np.int8)

    def has(self, bit: int) -> BoolArray:
        """Where a bit of ``packing`` is set."""
        is_set: BoolArray = (self.flags & bit) != 0
        return is_set

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """One after the other, at least one."""
        return cls(
            **{
                name: np.concatenate([getattr(part, name) for part in parts])
                for name in cls.__slots__
            }
        )

    def rows(self, index: IntArray | BoolArray) -> Self:
        """These rows, in this order."""
        return type(self)(**{name: getattr(self, name)[index] for name in self.__slots__})

    def ordered(self) -> Self:
        """The same rows by cell; rows of one cell keep their order."""
        if np.all(self.cell[1:] >= self.cell[:-1]):
            return self
        return self.rows(ordering((self.cell,)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attempts:
    """Attempts that histories of cells tell of, one row for each cell and number."""

    cell: IntArray
    number: IntArray
    points: FloatArray
    submitted_at: IntArray
    graded_at: IntArray
    is_late: BoolArray

    def __len__(self) -> int:
        return self.cell.size

    def rows(self, index: IntArray | BoolArray) -> Self:
        """These rows, in this order."""
        return type(self)(**{name: getattr(self, name)[index] for name in self.__slots__})


def cells_now(
    connection: Connection, learner_ids: Sequence[LearnerId], *, speaks: Select[Any] | None = None
) -> Cells:
    """What each cell of some learners says.

    Args:
        connection: A transaction.
        learner_ids: Few enough for an ``IN`` list.
        speaks: Only of these line items; None for all.
    """
    if connection.dialect.name == "postgresql":
        parts = [
            _cells_in_fours(connection, part, speaks=speaks) for part in near(learner_ids)
        ] or [_none()]
        return parts[0] if len(parts) == 1 else Cells.joined(parts)
    query = _among(select(*_said(scores)), connection, learner_ids, speaks=speaks)
    return _cells(read_columns(connection, query, sparse=_SPARSE))


def _among(
    query: Select[Any],
    connection: Connection,
    learner_ids: Sequence[int],
    *,
    speaks: Select[Any] | None,
) -> Select[Any]:
    query = query.where(one_of(connection, scores.c.learner_id, learner_ids))
    return query if speaks is None else query.where(scores.c.line_item_id.in_(speaks))


def _cells_in_fours(
    connection: Connection, learner_ids: Sequence[int], *, speaks: Select[Any] | None
) -> Cells:
    """Cells of learners who are near each other, by cell, from PostgreSQL."""
    lowest = learner_ids[0]
    deducted = type_coerce(deductions(), NullType)
    query = _among(select(deducted), connection, learner_ids, speaks=speaks)
    fours = cells_in_fours("learner_id", "line_item_id")
    is_all = speaks is None and len(learner_ids) >= _MANY
    with heap_first(connection) if is_all else nullcontext():
        sent, found = read_fours(connection, fours, query, given={LOWEST: lowest})
    cell = sent[:, 0].astype(np.int64)
    taken = np.zeros(cell.size)
    if found is not None:
        taken[taken_apart(sent[:, 3])[0] & DEDUCTED != 0] = found
    order = ordering((cell,))
    rows = sent.take(order, axis=0)
    learner, item = ids_in(rows[:, 0], lowest=lowest)
    attempt, submitted_at = taken_apart(rows[:, 2])
    flags, graded_at = taken_apart(rows[:, 3])
    return Cells(
        cell=(learner << 32) | item,
        points=rows[:, 1].copy(),
        submitted_at=_micros(submitted_at),
        graded_at=_micros(graded_at),
        attempt=attempt,
        flags=flags & (DEDUCTED - 1),
        deducted=taken if found is None else taken[order],
    )


def _none() -> Cells:
    whole, broken = np.zeros(0, dtype=np.int64), np.zeros(0)
    return Cells(
        cell=whole,
        points=broken,
        submitted_at=whole,
        graded_at=whole,
        attempt=whole,
        flags=whole,
        deducted=broken,
    )


def events_by(
    connection: Connection, learner_ids: Sequence[LearnerId], *, moment: datetime
) -> Cells:
    """Everything that cells of some learners ever said by a moment, the newest of each last.

    Args:
        connection: A transaction.
        learner_ids: Few enough for an ``IN`` list.
        moment: When.
    """
    query = select(*_said(score_events), score_events.c.id).where(
        one_of(connection, score_events.c.learner_id, learner_ids),
        type_coerce(score_events.c.recorded_at, BigInteger) <= to_micros(moment),
    )
    return _in_order(read_columns(connection, query, sparse=_SPARSE))


def events_of(connection: Connection, cells: Cells) -> Cells:
    """Everything that some cells ever said, the newest of each last."""
    if len(cells) == 0:
        return cells
    query = select(*_said(score_events), score_events.c.id).where(
        pair_of(
            connection,
            (score_events.c.learner_id, score_events.c.line_item_id),
            (cells.learner, cells.line_item),
        )
    )
    found = _in_order(read_columns(connection, query, sparse=_SPARSE))
    return found.rows(np.isin(found.cell, cells.cell))


def attempts_now(connection: Connection, learner_ids: Sequence[LearnerId]) -> Attempts:
    """The attempts that histories tell of.

    Args:
        connection: A transaction.
        learner_ids: Few enough for an ``IN`` list.
    """
    table = earlier_attempts
    query = select(*_tried(table)).where(one_of(connection, table.c.learner_id, learner_ids))
    return _attempts(read_columns(connection, query))


def attempts_by(
    connection: Connection, learner_ids: Sequence[LearnerId], *, moment: datetime
) -> Attempts:
    """The attempts that histories told of by a moment, as they told of them last.

    Args:
        connection: A transaction.
        learner_ids: Few enough for an ``IN`` list.
        moment: When.
    """
    table = attempt_events
    query = select(*_tried(table), table.c.id).where(
        one_of(connection, table.c.learner_id, learner_ids),
        type_coerce(table.c.recorded_at, BigInteger) <= to_micros(moment),
    )
    *columns, number = read_columns(connection, query)
    found = _attempts(tuple(columns))
    order = np.lexsort((number, found.number, found.cell))
    return found.rows(order[newest((found.cell[order], found.number[order]))])


def newest(keys: tuple[IntArray, ...]) -> BoolArray:
    """The last row of each run of rows that agree in every key."""
    is_last = np.ones(keys[0].size, dtype=np.bool_)
    if is_last.size:
        is_last[:-1] = False
        for key in keys:
            is_last[:-1] |= key[1:] != key[:-1]
    return is_last


def retried(cells: Cells) -> Cells:
    """Those of which another attempt was told once than the present one."""
    return cells.rows(cells.has(RETRIED))


def _said(table: FromClause) -> list[ColumnElement[Any]]:
    """Columns of cells, few and wide: what PostgreSQL sends costs by the number of values."""
    is_deducted = case((table.c.points_deducted.is_(None), 0), else_=DEDUCTED)
    small = (
        wide(table.c.attempt)
        .bitwise_lshift(literal(_ATTEMPT, Integer))
        .bitwise_or(wide(is_deducted))
        .bitwise_or(wide(table.c.flags))
    )
    return [
        _cell(table).label("cell"),
        table.c.points,
        _moments(table).label("moments"),
        type_coerce(small, BigInteger).label("small"),
        table.c.points_deducted,
    ]


def _tried(table: FromClause) -> list[ColumnElement[Any]]:
    return [
        _cell(table).label("cell"),
        table.c.number,
        table.c.points,
        _moments(table).label("moments"),
        cast(table.c.is_late, Integer).label("is_late"),
    ]


def _cell(table: FromClause) -> ColumnElement[int]:
    both = (
        wide(table.c.learner_id)
        .bitwise_lshift(literal(32, Integer))
        .bitwise_or(wide(table.c.line_item_id))
    )
    return type_coerce(both, BigInteger)


def _moments(table: FromClause) -> ColumnElement[int]:
    submitted, graded = (
        func.coalesce(type_coerce(table.c[name], Integer), NO_SECOND)
        for name in ("submitted_at", "graded_at")
    )
    both = wide(submitted).bitwise_lshift(literal(32, Integer)).bitwise_or(wide(graded) - NO_SECOND)
    return type_coerce(both, BigInteger)


def _cells(columns: tuple[Any, ...]) -> Cells:
    cell, points, moments, small, deducted = columns
    submitted_at, graded_at = _unpacked(moments)
    taken = np.zeros(cell.size)
    taken[(small & DEDUCTED) != 0] = deducted
    return Cells(
        cell=cell,
        points=points,
        submitted_at=submitted_at,
        graded_at=graded_at,
        attempt=small >> _ATTEMPT,
        flags=small & (DEDUCTED - 1),
        deducted=taken,
    )


def _in_order(columns: tuple[Any, ...]) -> Cells:
    *said, number = columns
    return _cells(tuple(said)).rows(np.argsort(number))


def _attempts(columns: tuple[Any, ...]) -> Attempts:
    cell, number, points, moments, is_late = columns
    submitted_at, graded_at = _unpacked(moments)
    return Attempts(
        cell=cell,
        number=number,
        points=points,
        submitted_at=submitted_at,
        graded_at=graded_at,
        is_late=is_late != 0,
    )


def _unpacked(moments: IntArray) -> tuple[IntArray, IntArray]:
    return _micros(moments >> 32), _micros((moments & LOW) + NO_SECOND)


def _micros(seconds: IntArray) -> IntArray:
    micros = (seconds + SECONDS_BEFORE_2000) * MICROS
    return np.where(seconds == NO_SECOND, NO_MOMENT, micros)
