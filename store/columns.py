"""Many rows as NumPy columns, out of the database and into it, without a Python object a row.

PostgreSQL puts a column together itself and sends it as one array of fixed width; SQLite gives
tuples. In columns the least whole number there is, ``NOTHING``, and NaN stand for NULL.
"""

from collections.abc import Collection, Mapping, Sequence
from struct import pack
from typing import Any, TypeAlias

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Select,
    Table,
    any_,
    between,
    cast,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from mapping.columns import NO_MOMENT
from store.session import write_rows

NOTHING = NO_MOMENT
"""Stands for NULL in a column of whole numbers; NaN does in one of floats."""

Column: TypeAlias = NDArray[Any]

# The layout of an array on the wire: dimensions, flags, type of elements, size and first index;
# then each element with its length before it.
_HEADER_BYTES = 20
_INT8, _FLOAT8 = 20, 701
_WIDTHS = {21: ">i2", 23: ">i4", _INT8: ">i8", 700: ">f4", _FLOAT8: ">f8"}
_ARRAYS = {_INT8: 1016, _FLOAT8: 1022}
_ARRAY_TYPES = (1005, 1007, 1016, 1021, 1022)


def read_columns(
    connection: Connection, query: Select[Any], *, sparse: Collection[str] = ()
) -> tuple[Any, ...]:
    """The rows of a query as columns.

    Args:
        connection: A transaction.
        query: Of whole numbers and floats only, each column with a name; its parameters are
            numbers, texts and lists of these.
        sparse: Columns of which only what is not NULL is wanted; they are shorter.

    Returns:
        Columns of ``int64`` and ``float64`` in order, of equal length but for sparse ones.
    """
    kinds = [isinstance(column.type, Float) for column in query.selected_columns]
    if connection.dialect.name == "postgresql":
        arrays = _aggregated(connection, query, sparse)
    else:
        arrays = _fetched(connection, query, sparse)
    return tuple(
        array.astype(np.float64 if is_float else np.int64, copy=False)
        for is_float, array in zip(kinds, arrays, strict=True)
    )


def one_of(connection: Connection, column: ColumnElement[int], ids: Collection[int]) -> Any:  # noqa: ANN401 - a condition
    """The condition that a column holds one of some ids; ids that follow one another are a range.

    Args:
        connection: Says which database it is for.
        column: Of whole numbers.
        ids: All different; few enough for an ``IN`` list on SQLite.
    """
    ids = sorted(ids)
    if ids and ids[-1] - ids[0] + 1 == len(ids):
        return between(column, ids[0], ids[-1])
    if connection.dialect.name == "postgresql":
        return column == any_(literal(ids, ARRAY(BigInteger)))
    return column.in_(ids)


def pair_of(
    connection: Connection,
    columns: tuple[ColumnElement[int], ColumnElement[int]],
    pairs: tuple[Column, Column],
) -> Any:  # noqa: ANN401 - a condition
    """The condition that two columns hold a pair of ids; on SQLite only that the first holds one.

    Args:
        connection: Says which database it is for.
        columns: Of whole numbers.
        pairs: Any number of pairs, of equal length.
    """
    if connection.dialect.name != "postgresql":
        return columns[0].in_(np.unique(pairs[0]).tolist())
    given = (func.unnest(literal(ids.tolist(), ARRAY(BigInteger))) for ids in pairs)
    return tuple_(*columns).in_(select(*given))


def write_columns(
    connection: Connection,
    table: Table,
    columns: Mapping[str, Column],
    *,
    keys: Sequence[str] = (),
) -> None:
    """Insert or replace many rows.

    Args:
        connection: A writing transaction.
        table: The table.
        columns: By name, of equal length.
        keys: Columns of a unique constraint or the primary key, where rows may be there already;
            without them every row is new.
    """
    size = next(iter(columns.values())).size
    if size == 0:
        return
    if connection.dialect.name == "postgresql":
        _unnested(connection, table, columns, keys=keys)
        return
    rows = list(zip(*(_told(column) for column in columns.values()), strict=True))
    write_rows(connection, table, rows, columns=tuple(columns), keys=keys)


def delete_equal(connection: Connection, table: Table, columns: Mapping[str, Column]) -> None:
    """Delete every row that has all the values of one row of some columns.

    Args:
        connection: A writing transaction.
        table: The table.
        columns: By name, of equal length, nothing absent.
    """
    if next(iter(columns.values())).size == 0:
        return
    name = _quoted(connection, table.name)
    if connection.dialect.name == "postgresql":
        matches = " AND ".join(
            f"{name}.{_quoted(connection, one)} = given.{one}" for one in columns
        )
        given = f"unnest({', '.join(['%s'] * len(columns))}) AS given ({', '.join(columns)})"
        _execute(connection, f"DELETE FROM {name} USING {given} WHERE {matches}", columns)  # noqa: S608 - our names
        return
    matches = " AND ".join(f"{_quoted(connection, one)} = ?" for one in columns)
    rows = list(zip(*(column.tolist() for column in columns.values()), strict=True))
    connection.exec_driver_sql(f"DELETE FROM {name} WHERE {matches}", rows)  # noqa: S608 - our names


class _ArrayLoader(Loader):
    """An array of numbers without NULLs, from PostgreSQL's binary form."""

    format = Format.BINARY

    def load(self, data: "bytes | bytearray | memoryview") -> NDArray[Any]:
        """To an array of the machine's own byte order."""
        if int.from_bytes(data[:4], "big") == 0:
            return np.zeros(0, dtype=np.int64)
        width = _WIDTHS[int.from_bytes(data[8:12], "big")]
        element = np.dtype([("length", ">i4"), ("value", width)])
        found = np.frombuffer(data, element, offset=_HEADER_BYTES)["value"]
        return found.astype(found.dtype.newbyteorder("="))


class _ArrayDumper(Dumper):
    """A column to PostgreSQL's binary form."""

    format = Format.BINARY

    def dump(self, obj: NDArray[Any]) -> bytes:
        """From ``int64`` or ``float64``."""
        oid = self._element(obj)
        rows = np.empty(obj.size, dtype=[("length", ">i4"), ("value", _WIDTHS[oid])])
        rows["length"], rows["value"] = 8, obj
        return pack(">iiIii", 1, 0, oid, obj.size, 1) + rows.tobytes()

    def get_key(self, obj: NDArray[Any], format: Any) -> Any:  # noqa: A002, ANN401, ARG002 - psycopg's
        """Whole numbers and floats have dumpers of their own."""
        return (type(obj), self._element(obj))

    def upgrade(self, obj: NDArray[Any], format: Any) -> Dumper:  # noqa: A002, ANN401, ARG002 - psycopg's
        """The dumper of this column's type."""
        dumper = type(self)(self.cls, self.connection)
        dumper.oid = _ARRAYS[self._element(obj)]
        return dumper

    @staticmethod
    def _element(obj: NDArray[Any]) -> int:
        return _FLOAT8 if obj.dtype.kind == "f" else _INT8


def _aggregated(
    connection: Connection, query: Select[Any], sparse: Collection[str]
) -> list[NDArray[Any]]:
    inner = query.subquery("found")
    arrays: list[ColumnElement[Any]] = [
        func.array_agg(column).filter(column.is_not(None))
        if column.name in sparse
        else func.array_agg(_present(column))
        for column in inner.c
    ]
    (row,) = _execute_query(connection, select(*arrays))
    return [np.zeros(0, dtype=np.int64) if array is None else array for array in row]


def _present(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, Float):
        return func.coalesce(column, cast("NaN", Float))
    return func.coalesce(column, literal(NOTHING, BigInteger))


def _fetched(
    connection: Connection, query: Select[Any], sparse: Collection[str]
) -> list[NDArray[Any]]:
    rows = _execute_query(connection, query)
    columns = query.selected_columns
    found = zip(*rows, strict=True) if rows else ((),) * len(columns)
    return [
        _array(values, is_float=isinstance(column.type, Float), is_sparse=column.name in sparse)
        for column, values in zip(columns, found, strict=True)
    ]


def _array(values: Sequence[Any], *, is_float: bool, is_sparse: bool) -> NDArray[Any]:
    if is_sparse:
        values = [value for value in values if value is not None]
    if is_float:
        return np.array(values, dtype=np.float64)
    if None in values:
        values = [NOTHING if value is None else value for value in values]
    return np.array(values, dtype=np.int64)


def _execute_query(
    connection: Connection, query: Select[*tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    expanded = query.compile(dialect=connection.dialect).construct_expanded_state()
    if expanded.positiontup is None:
        return _rows(connection, expanded.statement, expanded.parameters)
    return _rows(connection, expanded.statement, expanded.positional_parameters)


def _execute(connection: Connection, statement: str, columns: Mapping[str, Column]) -> None:
    cursor = _cursor(connection)
    try:
        cursor.execute(statement, list(columns.values()))
    finally:
        cursor.close()


def _rows(connection: Connection, statement: str, parameters: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - the driver's
    cursor = _cursor(connection)
    try:
        cursor.execute(statement, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    finally:
        cursor.close()
    return found


def _cursor(connection: Connection) -> Any:  # noqa: ANN401 - the driver's
    driver: Any = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        return driver.cursor()
    cursor = driver.cursor(binary=True)
    for oid in _ARRAY_TYPES:
        cursor.adapters.register_loader(oid, _ArrayLoader)
    cursor.adapters.register_dumper(np.ndarray, _ArrayDumper)
    return cursor


def _unnested(
    connection: Connection,
    table: Table,
    columns: Mapping[str, Column],
    *,
    keys: Sequence[str],
) -> None:
    names = [_quoted(connection, name) for name in columns]
    given = [f"c{number}" for number in range(len(names))]
    values = [_nullable(one, column) for one, column in zip(given, columns.values(), strict=True)]
    statement = (
        f"INSERT INTO {_quoted(connection, table.name)} ({', '.join(names)}) "  # noqa: S608 - our names
        f"SELECT {', '.join(values)} "
        f"FROM unnest({', '.join(['%s'] * len(names))}) AS given ({', '.join(given)})"
    )
    if keys:
        kept = [_quoted(connection, name) for name in keys]
        changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in kept)
        action = f"UPDATE SET {changes}" if changes else "NOTHING"
        statement += f" ON CONFLICT ({', '.join(kept)}) DO {action}"
    _execute(connection, statement, columns)


def _nullable(name: str, column: Column) -> str:
    if column.dtype.kind == "f":
        return f"NULLIF({name}, 'NaN')" if np.isnan(column).any() else name
    return f"NULLIF({name}, {NOTHING})" if (column == NOTHING).any() else name


def _told(column: Column) -> list[Any]:
    values: list[Any] = column.tolist()
    if column.dtype.kind == "f":
        return [None if value != value else value for value in values]  # noqa: PLR0124 - NaN
    return [None if value == NOTHING else value for value in values]


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
