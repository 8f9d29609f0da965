"""What others would write for a gradebook that is read again, from the same scores.

Those who write row by row begin with records, those who send arrays with columns.

Each has a table of its own with a row for each cell, as narrow as it can be and with the keys and
indexes that finding a cell, a course's cells and a learner's cells take. None keeps events, as
Waymark does besides.
"""

from typing import Any

import numpy as np
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session, registry
from sqlalchemy.types import NullType

from benchmarks.resync_courses import Page, ReadCourse
from store.cells import FIELDS, items_of, learners_of, packed
from store.packing import Second2000, flags
from store.session import upsert, writing

_KEYS = ("line_item_id", "learner_id")


_metadata = MetaData()
scores = Table(
    "scores_of_peers",
    _metadata,
    Column("points", Float),
    Column("points_deducted", Float),
    Column("line_item_id", Integer, primary_key=True, autoincrement=False),
    Column("learner_id", Integer, primary_key=True, autoincrement=False),
    Column("submitted_at", Second2000),
    Column("graded_at", Second2000),
    Column("attempt", SmallInteger, nullable=False),
    Column("flags", SmallInteger, nullable=False),
    Index("ix_scores_of_peers_learner_id", "learner_id"),
    sqlite_with_rowid=False,
)


class Cell:
    """A score as SQLAlchemy's ORM has it."""

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 - of any column
        for name, value in values.items():
            setattr(self, name, value)


registry().map_imperatively(Cell, scores)


def make_table(engine: Engine) -> None:
    """Make the table that peers write."""
    _metadata.create_all(engine)


def merge(engine: Engine, course: ReadCourse, page: Page) -> None:
    """The first that comes to mind: each score is merged."""
    with Session(engine) as session, session.begin():
        for row in _rows(course, page):
            session.merge(Cell(**row))


def add_all(engine: Engine, course: ReadCourse, page: Page) -> None:
    """Objects for scores that are new."""
    with Session(engine) as session, session.begin():
        session.add_all([Cell(**row) for row in _rows(course, page)])


def core_upsert(engine: Engine, course: ReadCourse, page: Page) -> None:
    """The careful one: one statement for many rows, without objects."""
    with writing(engine) as connection:
        upsert(connection, scores, _rows(course, page), keys=_KEYS)


def upsert_where_other(engine: Engine, course: ReadCourse, page: Page) -> None:
    """The best that PostgreSQL does without reading first: arrays, and rows that differ only."""
    found = [packed(part, course.items, course.learners) for part in page.parts]
    keys, rows = (np.concatenate(one) for one in zip(*found, strict=True))
    arrays = {
        "line_item_id": items_of(keys).astype("i4"),
        "learner_id": learners_of(keys).astype("i4"),
        **{name: np.ascontiguousarray(rows[name]) for name in FIELDS},
    }
    with writing(engine) as connection:
        _write_where_other(connection, arrays)


def _write_where_other(connection: Connection, arrays: dict[str, Any]) -> None:
    given = func.unnest(*(literal(array, NullType()) for array in arrays.values()))
    rows = given.table_valued(*arrays).render_derived(name="given")
    values = [
        func.nullif(rows.c[name], _NOTHING[name]) if name in _NOTHING else rows.c[name]
        for name in arrays
    ]
    statement = postgresql.insert(scores).from_select(list(arrays), select(*values))
    is_other = or_(*(scores.c[name].is_distinct_from(statement.excluded[name]) for name in FIELDS))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(_KEYS),
            set_={name: statement.excluded[name] for name in FIELDS},
            where=is_other,
        )
    )


_NOTHING = {
    "points": literal(np.nan),
    "points_deducted": literal(np.nan),
    "submitted_at": literal(-(2**31)),
    "graded_at": literal(-(2**31)),
}


def _rows(course: ReadCourse, page: Page) -> list[dict[str, Any]]:
    return [
        {
            "line_item_id": course.items[score.line_item_ref, score.criterion_ref],
            "learner_id": course.learners[score.learner_ref],
            "points": score.points,
            "points_deducted": score.points_deducted or None,
            "submitted_at": score.submitted_at,
            "graded_at": score.graded_at,
            "attempt": score.attempt,
            "flags": flags(score.state, is_visible=score.is_visible, is_late=score.is_late),
        }
        for score in page.scores
    ]
