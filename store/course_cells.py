"""The cells that are kept of one course, as packed rows."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, select, type_coerce
from sqlalchemy.types import NullType

from mapping.records import CourseId
from store.arrays import read_arrays, read_fours
from store.cells import FIELDS, ROW, Cells, keys_of
from store.columns import key_first, one_of
from store.fours import DEDUCTED, LOWEST, cells_in_fours, deductions, ids_in, near, taken_apart
from store.session import chunks
from store.tables import line_items, scores

_CELL = ("line_item_id", "learner_id")


def cells_of(connection: Connection, course_id: CourseId) -> Cells:
    """What is kept of all cells of a course.

    By the line items' ids, not by a join: whatever statistics say of a table that grows, cells
    are then found by their key.
    """
    found = connection.execute(select(line_items.c.id).where(line_items.c.course_id == course_id))
    ids = found.scalars().all()
    if connection.dialect.name != "postgresql":
        return _joined([_in_columns(connection, part) for part in chunks(ids)])
    parts = [part for close in near(ids) for part in chunks(close)]
    with key_first(connection):
        return _joined([_in_fours(connection, part) for part in parts])


def _joined(parts: Sequence[Cells]) -> Cells:
    if len(parts) == 1:
        return parts[0]
    keys = [np.empty(0, np.int64), *(part.keys for part in parts)]
    rows = [np.empty(0, ROW), *(part.rows for part in parts)]
    return Cells.of(np.concatenate(keys), np.concatenate(rows))


def _in_columns(connection: Connection, ids: Sequence[int]) -> Cells:
    query = select(*(scores.c[name] for name in (*_CELL, *FIELDS)))
    columns = read_arrays(connection, query.where(scores.c.line_item_id.in_(ids)))
    rows = np.zeros(len(columns[0]), ROW)
    for name, column in zip(FIELDS, columns[len(_CELL) :], strict=True):
        rows[name] = column
    return Cells.of(keys_of(columns[0], columns[1]), rows)


def _in_fours(connection: Connection, ids: Sequence[int]) -> Cells:
    """Cells of line items that are near each other, the lowest first, from PostgreSQL."""
    fours = cells_in_fours("line_item_id", "learner_id")
    query = select(type_coerce(deductions(), NullType)).where(
        one_of(connection, scores.c.line_item_id, ids)
    )
    sent, deducted = read_fours(connection, fours, query, given={LOWEST: ids[0]})
    item, learner = ids_in(sent[:, 0], lowest=ids[0])
    attempt, submitted_at = taken_apart(sent[:, 2])
    flags, graded_at = taken_apart(sent[:, 3])
    rows = np.zeros(len(sent), ROW)
    rows["points"] = sent[:, 1]
    rows["points_deducted"] = np.nan
    if deducted is not None:
        rows["points_deducted"][flags & DEDUCTED != 0] = deducted
    rows["submitted_at"] = submitted_at
    rows["graded_at"] = graded_at
    rows["attempt"] = attempt
    rows["flags"] = flags & (DEDUCTED - 1)
    return Cells.of(keys_of(item, learner), rows)
