"""What gradebook cells say now, as it is kept: a learner's cells of one course in one row.

A row of PostgreSQL takes some thirty bytes before it says anything, an entry of an index some
twenty, and to read either costs more than what a cell says. So cells that are read together lie
together: those of a learner in a course, by line item, twenty-four bytes each.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType

from mapping.columns import IntArray
from mapping.records import CourseId, LearnerId
from store.arrays import Array, Pieces, read_bytes
from store.columns import one_of
from store.session import chunks, write_arrays
from store.tables import line_items, score_blocks

CELL = np.dtype(
    [
        *(("points", "<f8"), ("line_item_id", "<i4"), ("submitted_at", "<i4")),
        *(("graded_at", "<i4"), ("attempt", "<i2"), ("flags", "<i2")),
    ]
)
"""One cell of a block. Absent are NaN and the smallest whole number; the order of bytes is named,
so that a database may move to another machine."""
_DEDUCTED = np.dtype("<f8")
_PLACE = ("course_id", "learner_id")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blocks:
    """Cells of any number of blocks, one after the other.

    Attributes:
        learner: Whose each cell is.
        cells: What each says, of ``CELL``.
        deducted: The points taken off each, NaN for none.
    """

    learner: IntArray
    cells: Array
    deducted: Array

    def __len__(self) -> int:
        return len(self.cells)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sent:
    """Blocks as a database sends them: a learner and a length for each, and all bytes together.

    Lengths are in cells; of those whose points nothing is taken off the second is 0.
    """

    learner: IntArray
    length: IntArray
    deducted_length: IntArray
    cells: bytes
    deducted: bytes


def read_blocks(connection: Connection, condition: ColumnElement[bool]) -> Blocks:
    """All cells of some blocks: by learner and line item, but where courses' line items mingle.

    Args:
        connection: A transaction.
        condition: Which blocks, by their columns.
    """
    is_lite = connection.dialect.name == "sqlite"
    sent = _fetched(connection, condition) if is_lite else _gathered(connection, condition)
    cells = np.frombuffer(sent.cells, CELL)
    deducted = np.full(len(cells), np.nan)
    if sent.deducted:
        is_there = np.repeat(sent.deducted_length > 0, sent.length)
        deducted[is_there] = np.frombuffer(sent.deducted, _DEDUCTED)
    learner = np.repeat(sent.learner, sent.length)
    # By blocks, which are some fifty times fewer than cells.
    starts = np.cumsum(sent.length) - sent.length
    order = np.lexsort((cells["line_item_id"][starts], sent.learner))
    if (order[1:] > order[:-1]).all():
        return Blocks(learner=learner, cells=cells, deducted=deducted)
    lengths = sent.length[order]
    moved = starts[order] - (np.cumsum(lengths) - lengths)
    places = np.repeat(moved, lengths) + np.arange(len(cells))
    return Blocks(
        learner=learner.take(places), cells=cells.take(places), deducted=deducted.take(places)
    )


def write_blocks(connection: Connection, course_id: CourseId, blocks: Blocks) -> None:
    """Keep learners' cells of a course in place of all that was kept of theirs there.

    Args:
        connection: A writing transaction that holds the course.
        course_id: The course.
        blocks: All cells of some learners in it, by learner and line item.
    """
    if not len(blocks):
        return
    is_first = np.append(True, blocks.learner[1:] != blocks.learner[:-1])
    starts = np.flatnonzero(is_first)
    ends = np.append(starts[1:], len(blocks))
    is_deducted = np.logical_or.reduceat(~np.isnan(blocks.deducted), starts)
    deducted = _sliced(blocks.deducted.astype(_DEDUCTED), starts, ends)
    columns: dict[str, Array | list[Any]] = {
        "course_id": np.full(len(starts), course_id, np.int32),
        "learner_id": blocks.learner[starts].astype(np.int32),
        "graded": np.add.reduceat(~np.isnan(blocks.cells["points"]), starts, dtype=np.int32),
        "cells": _sliced(blocks.cells, starts, ends),
        "deducted": Pieces(
            one if is_any else None for one, is_any in zip(deducted, is_deducted, strict=True)
        ),
    }
    write_arrays(connection, score_blocks, columns, keys=_PLACE)


def learners_with(connection: Connection, items: Collection[int]) -> frozenset[LearnerId]:
    """Learners who have a cell in one of some line items."""
    found: set[int] = set()
    for part in chunks(sorted(set(items))):
        rows = connection.execute(
            select(line_items.c.course_id).where(line_items.c.id.in_(part)).distinct()
        )
        for ids in chunks(rows.scalars().all()):
            blocks = read_blocks(connection, one_of(connection, score_blocks.c.course_id, ids))
            is_in = np.isin(blocks.cells["line_item_id"], part)
            found.update(np.unique(blocks.learner[is_in]).tolist())
    return frozenset(map(LearnerId, found))


def _sliced(column: Array, starts: IntArray, ends: IntArray) -> Pieces:
    whole, size = column.tobytes(), column.itemsize
    places = zip((starts * size).tolist(), (ends * size).tolist(), strict=True)
    return Pieces(whole[start:end] for start, end in places)


def _gathered(connection: Connection, condition: ColumnElement[bool]) -> _Sent:
    """From PostgreSQL, which joins the bytes of all blocks."""
    nothing: ColumnElement[Any] = literal_column("''::bytea")
    block = score_blocks.c
    length = func.octet_length(block.deducted)
    gathered = (
        func.array_agg(block.learner_id),
        func.array_agg(func.octet_length(block.cells)),
        func.array_agg(func.coalesce(length, 0)),
        func.string_agg(block.cells, nothing),
        func.string_agg(block.deducted, nothing),
    )
    query = select(*(type_coerce(one, NullType) for one in gathered)).where(condition)
    learner, length, deducted_length, cells, deducted = read_bytes(connection, query)
    if learner is None:
        return _sent((), (), ())
    return _Sent(
        learner=learner.astype(np.int64),
        length=length.astype(np.int64) // CELL.itemsize,
        deducted_length=deducted_length,
        cells=cells,
        deducted=deducted or b"",
    )


def _fetched(connection: Connection, condition: ColumnElement[bool]) -> _Sent:
    block = score_blocks.c
    query = select(block.learner_id, block.cells, block.deducted).where(condition)
    rows = connection.execute(query).all()
    return _sent(*zip(*rows, strict=True)) if rows else _sent((), (), ())


def _sent(
    learners: Sequence[int], cells: Sequence[bytes], deducted: Sequence[bytes | None]
) -> _Sent:
    return _Sent(
        learner=np.array(learners, np.int64),
        length=np.array([len(one) // CELL.itemsize for one in cells], np.int64),
        deducted_length=np.array([len(one or b"") for one in deducted], np.int64),
        cells=b"".join(cells),
        deducted=b"".join(one or b"" for one in deducted),
    )
