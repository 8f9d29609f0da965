"""Rows of many learners: asked for by their ids, read as wide columns, deleted by what they say."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    any_,
    between,
    delete,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.types import NullType

from mapping.columns import NO_MOMENT, IntArray
from store.arrays import Array, read_arrays

NOTHING = NO_MOMENT
"""Stands for NULL in a column of whole numbers; NaN does in one of floats."""


def read_columns(
    connection: Connection, query: Select[Any], *, sparse: Collection[str] = ()
) -> tuple[Any, ...]:
    """As ``arrays.read_arrays``, whole numbers in eight bytes, ``NOTHING`` for NULL.

    Args:
        connection: A transaction.
        query: Of whole numbers and floats; a column that may be NULL is wide in the query.
        sparse: Columns of which only what is not NULL is wanted; they are shorter.
    """
    return tuple(
        column if column.dtype.kind == "f" else column.astype(np.int64, copy=False)
        for column in read_arrays(connection, query, sparse=sparse)
    )


def one_of(connection: Connection, column: ColumnElement[int], ids: Collection[int]) -> Any:  # noqa: ANN401 - a condition
    """The condition that a column holds one of some ids; ids that follow one another are a range.

    Args:
        connection: Says which database it is for.
        column: Of whole numbers.
        ids: In any order and any number of each; few enough for an ``IN`` list on SQLite.
    """
    ids = sorted(set(ids))
    if ids and ids[-1] - ids[0] + 1 == len(ids):
        return between(column, ids[0], ids[-1])
    if connection.dialect.name == "postgresql":
        # Ids as wide as the column: others PostgreSQL compares one by one, each with every row.
        return column == any_(literal(ids, ARRAY(column.type)))
    return column.in_(ids)


def pair_of(
    connection: Connection,
    columns: tuple[ColumnElement[int], ColumnElement[int]],
    pairs: tuple[IntArray, IntArray],
) -> Any:  # noqa: ANN401 - a condition
    """The condition that two columns hold a pair of ids; on SQLite only that the first holds one.

    Args:
        connection: Says which database it is for.
        columns: Of whole numbers.
        pairs: Any number of pairs, of equal length.
    """
    if connection.dialect.name != "postgresql":
        return columns[0].in_(np.unique(pairs[0]).tolist())
    given = func.unnest(*(literal(ids, NullType()) for ids in pairs))
    rows = given.table_valued("one", "other").render_derived(name="given")
    return tuple_(*columns).in_(select(rows.c.one, rows.c.other))


def delete_equal(connection: Connection, table: Table, columns: Mapping[str, Array]) -> None:
    """Delete every row that has all the values of one row of some columns.

    Args:
        connection: A writing transaction.
        table: The table.
        columns: By name, of equal length, nothing absent.
    """
    if next(iter(columns.values())).size == 0:
        return
    if connection.dialect.name == "postgresql":
        given = func.unnest(*(literal(column, NullType()) for column in columns.values()))
        rows = given.table_valued(*columns).render_derived(name="given")
        is_given = and_(*(table.c[name] == rows.c[name] for name in columns))
        connection.execute(delete(table).where(is_given))
        return
    matches = " AND ".join(f"{name} = ?" for name in columns)
    values = list(zip(*(column.tolist() for column in columns.values()), strict=True))
    connection.exec_driver_sql(f"DELETE FROM {table.name} WHERE {matches}", values)  # noqa: S608 - our names
