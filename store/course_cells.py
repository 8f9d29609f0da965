"""The cells that are kept of one course: read, and kept anew."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

import numpy as np
from sqlalchemy import Connection, and_, delete

from mapping.columns import IntArray
from mapping.records import CourseId, LearnerId
from store.cells import FIELDS, NO_SECOND, ROW, Cells, keys_of
from store.columns import one_of
from store.packing import EPOCH_2000, to_second
from store.score_blocks import CELL, Blocks, read_blocks, write_blocks
from store.session import chunks
from store.tables import score_blocks

KeptScore: TypeAlias = dict[str, Any]
"""A cell as a row: its key, numbers and moments, None for what is absent."""
_KEY = ("line_item_id", "learner_id")
_SAID = tuple(name for name in FIELDS if name != "points_deducted")
_MOMENTS = ("submitted_at", "graded_at")
_SECOND = timedelta(seconds=1)


def cells_of(connection: Connection, course_id: CourseId) -> Cells:
    """What is kept of all cells of a course."""
    return _cells(read_blocks(connection, score_blocks.c.course_id == course_id))


def keep_cells(connection: Connection, course_id: CourseId, news: Cells) -> None:
    """Keep cells of a course in place of those of the same keys; the others stay as they are.

    What is written beside them is read by the same transaction: a block tells of more cells than
    those that changed, and what the caller knows of them may be of before.

    Args:
        connection: A writing transaction that holds the course.
        course_id: The course.
        news: The cells.
    """
    learners = np.unique(news.learners())
    known = _cells_of_learners(connection, course_id, learners)
    known.put(news)
    cells = np.empty(len(known), CELL)
    cells["line_item_id"] = known.items()
    for name in _SAID:
        cells[name] = known.rows[name]
    blocks = Blocks(learner=known.learners(), cells=cells, deducted=known.rows["points_deducted"])
    write_blocks(connection, course_id, blocks)


def kept_scores(connection: Connection, course_id: CourseId) -> list[KeptScore]:
    """Cells of a course as rows, by learner and line item."""
    return _rows(cells_of(connection, course_id))


def take_scores(
    connection: Connection, course_id: CourseId, learners: Collection[LearnerId]
) -> list[KeptScore]:
    """Cells of some learners in a course as rows, which are kept no more.

    Args:
        connection: A writing transaction that holds the course.
        course_id: The course.
        learners: Whose.
    """
    whose = np.array(sorted(learners), np.int64)
    found = _rows(_cells_of_learners(connection, course_id, whose))
    for part in chunks(whose.tolist()):
        connection.execute(
            delete(score_blocks).where(
                score_blocks.c.course_id == course_id, score_blocks.c.learner_id.in_(part)
            )
        )
    return found


def keep_scores(connection: Connection, course_id: CourseId, found: Sequence[KeptScore]) -> None:
    """Keep cells of a course that are rows, as ``kept_scores`` gives them."""
    if not found:
        return
    rows = np.empty(len(found), ROW)
    for name in FIELDS:
        rows[name] = [_packed(name, score[name]) for score in found]
    item, learner = (np.array([score[name] for score in found], np.int64) for name in _KEY)
    keep_cells(connection, course_id, Cells.of(keys_of(item, learner), rows))


def _cells_of_learners(connection: Connection, course_id: CourseId, learners: IntArray) -> Cells:
    block = score_blocks.c
    parts = [
        _cells(
            read_blocks(
                connection,
                and_(block.course_id == course_id, one_of(connection, block.learner_id, part)),
            )
        )
        for part in chunks(learners.tolist())
    ]
    if len(parts) == 1:
        return parts[0]
    keys = [np.empty(0, np.int64), *(part.keys for part in parts)]
    rows = [np.empty(0, ROW), *(part.rows for part in parts)]
    return Cells.of(np.concatenate(keys), np.concatenate(rows))


def _cells(blocks: Blocks) -> Cells:
    rows = np.empty(len(blocks), ROW)
    for name in _SAID:
        rows[name] = blocks.cells[name]
    rows["points_deducted"] = blocks.deducted
    return Cells.of(keys_of(blocks.cells["line_item_id"], blocks.learner), rows)


def _rows(cells: Cells) -> list[KeptScore]:
    columns = {
        **dict(zip(_KEY, (cells.items().tolist(), cells.learners().tolist()), strict=True)),
        **{name: [_told(name, one) for one in cells.rows[name].tolist()] for name in FIELDS},
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _told(name: str, value: float) -> Any:  # noqa: ANN401 - a number, a moment or nothing
    if name in _MOMENTS:
        return None if value == NO_SECOND else EPOCH_2000 + value * _SECOND
    return None if value != value else value  # noqa: PLR0124 - only NaN is not what it is


def _packed(name: str, value: Any) -> float:  # noqa: ANN401 - a number, a moment or nothing
    if name in _MOMENTS:
        return NO_SECOND if value is None else to_second(value)
    return np.nan if value is None else value
