"""What others would take to compute a district: a row for each score, and a loop in Python."""

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Column, Engine, Float, Integer, MetaData, Table, select
from sqlalchemy.orm import Mapped, Session, mapped_column, registry

from benchmarks.timing import Row
from store.score_blocks import read_blocks
from store.session import write_arrays, writing
from store.tables import alignments, line_items, score_blocks

_SAMPLE = 200
"""Learners that the peers compute."""
_rows_of_peers = Table(
    "scores_of_peers",
    MetaData(),
    Column("line_item_id", Integer, primary_key=True, autoincrement=False),
    Column("learner_id", Integer, primary_key=True, autoincrement=False),
    Column("points", Float),
)


class _Score:
    """A score as an ORM has it."""

    line_item_id: Mapped[int] = mapped_column(primary_key=True)
    learner_id: Mapped[int] = mapped_column(primary_key=True)
    points: Mapped[float | None]


def _laid_out(engine: Engine) -> None:
    """Have a sample of the scores a row each, as peers keep them."""
    _rows_of_peers.metadata.drop_all(engine)
    _rows_of_peers.metadata.create_all(engine)
    with writing(engine) as connection:
        blocks = read_blocks(connection, score_blocks.c.learner_id <= _SAMPLE)
        columns = {
            "line_item_id": np.ascontiguousarray(blocks.cells["line_item_id"]),
            "learner_id": blocks.learner.astype(np.int32),
            "points": np.ascontiguousarray(blocks.cells["points"]),
        }
        write_arrays(connection, _rows_of_peers, columns)


def measured(engine: Engine) -> list[Row]:
    """A weighted average by a loop over the same rows, fetched by an ORM and by Core."""
    registry().map_imperatively(_Score, _rows_of_peers)
    _laid_out(engine)
    with engine.connect() as connection:
        aligned: dict[int, list[int]] = defaultdict(list)
        for item, competency in connection.execute(
            select(alignments.c.line_item_id, alignments.c.competency_id)
        ):
            aligned[item].append(competency)
        maximum = {
            row[0]: row[1]
            for row in connection.execute(select(line_items.c.id, line_items.c.maximum))
        }
        began = time.perf_counter()
        columns = (_rows_of_peers.c[name] for name in ("learner_id", "line_item_id", "points"))
        rows = connection.execute(select(*columns)).all()
        _loop([tuple(row) for row in rows], aligned, maximum)
        by_core = len(rows) / (time.perf_counter() - began)
    with Session(engine) as session:
        began = time.perf_counter()
        found = session.scalars(select(_Score)).all()
        _loop([(one.learner_id, one.line_item_id, one.points) for one in found], aligned, maximum)
        by_orm = len(found) / (time.perf_counter() - began)
    what = "and a Python loop, one view, no rules, nothing compared"
    return [
        Row(benchmark="scale", role="peer", what=f"Core rows {what}", rate=by_core),
        Row(benchmark="scale", role="peer", what=f"ORM objects {what}", rate=by_orm),
    ]


def _loop(
    rows: Sequence[tuple[Any, ...]], aligned: dict[int, list[int]], maximum: dict[int, float]
) -> dict[tuple[int, int], float]:
    sums: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for learner, item, points in rows:
        if points is None:
            continue
        for competency in aligned.get(item, ()):
            cell = sums[learner, competency]
            cell[0] += points / maximum[item] * 4
            cell[1] += 1
    return {pair: total / count for pair, (total, count) in sums.items()}
