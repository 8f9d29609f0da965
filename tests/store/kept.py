"""What is kept of gradebook cells, a row for each, for tests that look at it."""

from math import isnan
from types import SimpleNamespace

from sqlalchemy import Connection, select, text

from store.course_cells import cells_of, kept_scores
from store.packing import STATE
from store.tables import courses

_COLUMNS = (
    *("line_item_id", "learner_id", "points", "points_deducted", "submitted_at", "graded_at"),
    *("attempt", "flags"),
)
_LAID_OUT = """
    CREATE TEMPORARY TABLE scores (line_item_id INTEGER, learner_id INTEGER,
        points DOUBLE PRECISION, points_deducted DOUBLE PRECISION, submitted_at INTEGER,
        graded_at INTEGER, attempt INTEGER, flags INTEGER)
"""


def kept(connection: Connection) -> list[SimpleNamespace]:
    """Every cell there is, by course, learner and line item, with its ``state`` besides."""
    return [
        SimpleNamespace(**score, state=score["flags"] & STATE)
        for course in _courses(connection)
        for score in kept_scores(connection, course)
    ]


def lay_out(connection: Connection) -> None:
    """Have every cell there is as a row of a table ``scores``, which this connection alone sees."""
    connection.execute(text("DROP TABLE IF EXISTS scores"))
    connection.execute(text(_LAID_OUT))
    rows = [row for course in _courses(connection) for row in _plain(connection, course)]
    if rows:
        values = ", ".join(f":{name}" for name in _COLUMNS)
        connection.execute(text(f"INSERT INTO scores VALUES ({values})"), rows)  # noqa: S608 - ours


def _courses(connection: Connection) -> list[int]:
    return list(connection.execute(select(courses.c.id).order_by(courses.c.id)).scalars())


def _plain(connection: Connection, course: int) -> list[dict]:
    cells = cells_of(connection, course)
    absent = {"submitted_at": -(2**31), "graded_at": -(2**31)}
    columns = {
        "line_item_id": cells.items().tolist(),
        "learner_id": cells.learners().tolist(),
        **{name: cells.rows[name].tolist() for name in _COLUMNS[2:]},
    }
    return [
        {
            name: None if isnan(value) or value == absent.get(name) else value
            for name, value in zip(columns, row, strict=True)
        }
        for row in zip(*columns.values(), strict=True)
    ]
