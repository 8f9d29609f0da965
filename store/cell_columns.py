"""Gradebook cells and attempts of many learners as columns, as they are or as they once were."""

from collections.abc import Sequence
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
    case,
    cast,
    func,
    literal,
    select,
    type_coerce,
)

from mapping.columns import NO_MOMENT, BoolArray, CodeArray, FloatArray, IntArray
from mapping.ordering import ordering
from mapping.records import LearnerId
from store.cells import NO_SECOND
from store.columns import one_of, pair_of, read_columns
from store.packing import MICROS, RETRIED, SECONDS_BEFORE_2000, STATE
from store.score_blocks import read_blocks
from store.tables import attempt_events, earlier_attempts, score_blocks, score_events, to_micros

_ATTEMPT = 17
"""Beside the flags: from which bit on the attempt stands."""
_DEDUCTED = 1 << 16
"""Beside the flags: that something is deducted."""
_LOW = 2**32 - 1
_SPARSE = ("points_deducted",)


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
        return self.cell & _LOW

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


def cells_now(connection: Connection, learner_ids: Sequence[LearnerId]) -> Cells:
    """What each cell of some learners says.

    Args:
        connection: A transaction.
        learner_ids: Few enough for an ``IN`` list.
    """
    ids = one_of(connection, score_blocks.c.learner_id, learner_ids)
    blocks = read_blocks(connection, ids)
    said = blocks.cells
    return Cells(
        cell=(blocks.learner << 32) | said["line_item_id"],
        points=np.ascontiguousarray(said["points"]),
        submitted_at=_micros(said["submitted_at"].astype(np.int64)),
        graded_at=_micros(said["graded_at"].astype(np.int64)),
        attempt=said["attempt"].astype(np.int64),
        flags=said["flags"].astype(np.int64),
        deducted=np.nan_to_num(blocks.deducted, nan=0.0),
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
    is_deducted = case((table.c.points_deducted.is_(None), 0), else_=_DEDUCTED)
    small = (
        _wide(table.c.attempt)
        .bitwise_lshift(literal(_ATTEMPT, Integer))
        .bitwise_or(_wide(is_deducted))
        .bitwise_or(_wide(table.c.flags))
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
        _wide(table.c.learner_id)
        .bitwise_lshift(literal(32, Integer))
        .bitwise_or(_wide(table.c.line_item_id))
    )
    return type_coerce(both, BigInteger)


def _moments(table: FromClause) -> ColumnElement[int]:
    submitted, graded = (
        func.coalesce(type_coerce(table.c[name], Integer), NO_SECOND)
        for name in ("submitted_at", "graded_at")
    )
    both = (
        _wide(submitted).bitwise_lshift(literal(32, Integer)).bitwise_or(_wide(graded) - NO_SECOND)
    )
    return type_coerce(both, BigInteger)


def _wide(column: ColumnElement[Any]) -> ColumnElement[int]:
    """A whole number in eight bytes."""
    return cast(column, BigInteger)


def _cells(columns: tuple[Any, ...]) -> Cells:
    cell, points, moments, small, deducted = columns
    submitted_at, graded_at = _unpacked(moments)
    taken = np.zeros(cell.size)
    taken[(small & _DEDUCTED) != 0] = deducted
    return Cells(
        cell=cell,
        points=points,
        submitted_at=submitted_at,
        graded_at=graded_at,
        attempt=small >> _ATTEMPT,
        flags=small & (_DEDUCTED - 1),
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
    return _micros(moments >> 32), _micros((moments & _LOW) + NO_SECOND)


def _micros(seconds: IntArray) -> IntArray:
    micros = (seconds + SECONDS_BEFORE_2000) * MICROS
    return np.where(seconds == NO_SECOND, NO_MOMENT, micros)
