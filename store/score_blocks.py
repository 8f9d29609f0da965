"""What gradebook cells say now, as it is kept: a learner's cells of one course in one row.

A row of PostgreSQL takes some thirty bytes before it says anything, an entry of an index some
twenty, and to read either costs more than what a cell says. So cells that are read together lie
together: those of a learner in a course, by line item, twenty-four bytes each.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, select

from mapping.columns import IntArray
from mapping.records import CourseId, LearnerId
from store.arrays import Array, Pieces, read_rows
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


def read_blocks(connection: Connection, condition: ColumnElement[bool]) -> Blocks:
    """All cells of some blocks: by learner and line item, but where courses' line items mingle.

    Args:
        connection: A transaction.
        condition: Which blocks, by their columns.
    """
    block = score_blocks.c
    query = select(block.learner_id, block.cells, block.deducted).where(condition)
    rows = read_rows(connection, query)
    whose, said, taken_off = zip(*rows, strict=True) if rows else ((), (), ())
    cells = np.frombuffer(b"".join(said), CELL)
    learners = np.array(whose, np.int64)
    lengths = np.array([len(one) for one in said], np.int64) // CELL.itemsize
    learner = np.repeat(learners, lengths)
    deducted = np.full(len(cells), np.nan)
    if any(taken_off):
        is_there = np.repeat([one is not None for one in taken_off], lengths)
        deducted[is_there] = np.frombuffer(b"".join(filter(None, taken_off)), _DEDUCTED)
    # By blocks, which are some fifty times fewer than cells.
    starts = np.cumsum(lengths) - lengths
    order = np.lexsort((cells["line_item_id"][starts], learners))
    if (order[1:] > order[:-1]).all():
        return Blocks(learner=learner, cells=cells, deducted=deducted)
    lengths = lengths[order]
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
