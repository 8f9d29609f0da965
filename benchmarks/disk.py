"""What a gradebook cell takes of PostgreSQL's disk: table and indexes, after VACUUM.

The same million facts in the store's own table, in the narrowest with a row for each, and in the
two that are written most often: with UUIDs, and with numbers that PostgreSQL gives. Each has the
keys and indexes that finding a cell, a course's cells and a learner's cells take.
"""

from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection

from benchmarks.timing import Row
from mapping.columns import IntArray
from mapping.records import CourseId
from store import schema
from store.cells import NO_SECOND, ROW, Cells, keys_of
from store.course_cells import keep_cells
from store.packing import to_second
from store.session import open_engine
from tests.servers import running_postgres

_ITEMS, _LEARNERS, _A_COURSE = 5_000, 200, 100
_FIRST = to_second(datetime(2026, 9, 1, 8, tzinfo=UTC))
ROWS = _ITEMS * _LEARNERS
# One in eight cells has no points yet and was not handed in; few have points taken off.
_FACTS = """
    SELECT i, l, mod(i + l, 8) = 0 AS is_empty, mod(i * l, 21) AS points,
        mod(i + l, 41) = 0 AS is_late,
        TIMESTAMPTZ '2026-09-01 08:00Z' + i * INTERVAL '1 hour' + l * INTERVAL '7 seconds' AS at
    FROM generate_series(1, {items}) AS i, generate_series(1, {learners}) AS l
"""
_NARROW = """
    CREATE TABLE narrow_scores (points double precision, points_deducted double precision,
        line_item_id integer, learner_id integer, submitted_at integer, graded_at integer,
        attempt smallint NOT NULL, flags smallint NOT NULL, PRIMARY KEY (line_item_id, learner_id));
    CREATE INDEX ON narrow_scores (learner_id);
    INSERT INTO narrow_scores (points, points_deducted, line_item_id, learner_id, submitted_at,
        graded_at, attempt, flags)
    SELECT CASE WHEN is_empty THEN NULL ELSE points END, CASE WHEN is_late THEN 0.5 END, i, l,
        CASE WHEN NOT is_empty THEN extract(epoch FROM at)::bigint - 946684800 END,
        extract(epoch FROM at)::bigint - 946684000, 1, 9
    FROM ({facts}) AS facts
"""
_PEER = """
    CREATE TABLE {name} (id {kind} PRIMARY KEY {given}, line_item_id {kind} NOT NULL,
        learner_id {kind} NOT NULL, state smallint NOT NULL, points double precision,
        points_deducted double precision NOT NULL, attempt integer NOT NULL,
        is_visible boolean NOT NULL, is_late boolean NOT NULL, is_overridden boolean NOT NULL,
        submitted_at timestamptz, graded_at timestamptz, UNIQUE (line_item_id, learner_id));
    CREATE INDEX ON {name} (line_item_id);
    CREATE INDEX ON {name} (learner_id);
    INSERT INTO {name} (line_item_id, learner_id, state, points, points_deducted, attempt,
        is_visible, is_late, is_overridden, submitted_at, graded_at)
    SELECT {item}, {learner}, 1, CASE WHEN is_empty THEN NULL ELSE points END,
        CASE WHEN is_late THEN 0.5 ELSE 0 END, 1, true, is_late, false,
        CASE WHEN NOT is_empty THEN at END, at + INTERVAL '800 seconds'
    FROM ({facts}) AS facts
"""
_PEERS = (
    (
        "UUIDs: id, both references, and their indexes",
        "uuid_scores",
        {
            "kind": "uuid",
            "given": "DEFAULT gen_random_uuid()",
            "item": "md5('item' || i)::uuid",
            "learner": "md5('learner' || l)::uuid",
        },
    ),
    (
        "bigint: id, both references, and their indexes",
        "bigint_scores",
        {
            "kind": "bigint",
            "given": "GENERATED ALWAYS AS IDENTITY",
            "item": "i",
            "learner": "l",
        },
    ),
)


def run() -> list[Row]:
    """Measure bytes a row."""
    with running_postgres() as url:
        engine = open_engine(url)
        schema.migrate(engine)
        facts = _FACTS.format(items=_ITEMS, learners=_LEARNERS)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            _fill(connection, _NARROW.format(facts=facts))
            narrow = "a row each: numbers of four bytes and bits, key and an index"
            rows = [_ours(connection), _row(connection, "narrow_scores", role="peer", what=narrow)]
            for what, name, words in _PEERS:
                _fill(connection, _PEER.format(name=name, facts=facts, **words))
                rows.append(_row(connection, name, role="peer", what=what))
        engine.dispose()
    return rows


def _ours(connection: Connection) -> Row:
    """What ``_FACTS`` says, course by course."""
    for course in range(_ITEMS // _A_COURSE):
        item = np.arange(_A_COURSE) + course * _A_COURSE + 1
        keep_cells(connection, CourseId(course + 1), _cells(item))
    what = "a learner's cells of a course in one row"
    return _row(connection, "score_blocks", role="ours", what=what)


def _cells(items: IntArray) -> Cells:
    learner, item = (one.ravel() for one in np.meshgrid(np.arange(_LEARNERS) + 1, items))
    is_empty, is_late = (item + learner) % 8 == 0, (item + learner) % 41 == 0
    at = _FIRST + item * 3_600 + learner * 7
    rows = np.empty(item.size, ROW)
    rows["points"] = np.where(is_empty, np.nan, item * learner % 21)
    rows["points_deducted"] = np.where(is_late, 0.5, np.nan)
    rows["submitted_at"] = np.where(is_empty, NO_SECOND, at)
    rows["graded_at"] = at + 800
    rows["attempt"], rows["flags"] = 1, 9
    return Cells.of(keys_of(item, learner), rows)


def _fill(connection: Connection, statements: str) -> None:
    for statement in statements.split(";"):
        connection.exec_driver_sql(statement)


def _row(connection: Connection, table: str, *, role: str, what: str) -> Row:
    connection.exec_driver_sql(f"VACUUM {table}")
    size = connection.exec_driver_sql(f"SELECT pg_total_relation_size('{table}')").scalar_one()
    return Row(benchmark="disk", role=role, what=what, rate=size / ROWS, unit="B/row")
