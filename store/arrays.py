"""Columns between the database and NumPy, without a Python object for each value.

PostgreSQL gathers a column into one array and sends it in binary, which NumPy reads where it
lies; the way back is the same. SQLite's driver hands over rows. What is absent is NaN in a column
of floats and the smallest number of its type in a column of whole numbers: of an ``Instant`` that
is ``mapping.columns.NO_MOMENT``.
"""

import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader, PyFormat
from psycopg.pq import Format
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Executable,
    Float,
    Integer,
    Select,
    SmallInteger,
    TypeDecorator,
    event,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType, TypeEngine

Array: TypeAlias = NDArray[Any]

_BINARY = "waymark_binary"
# PostgreSQL's catalogue, pg_type.dat: element and array of each type.
_OIDS = {"?": (16, 1000), "i2": (21, 1005), "i4": (23, 1007), "i8": (20, 1016), "f8": (701, 1022)}
_HEADER = 20
_BYTES = 17
_NO_BYTES = (-1).to_bytes(4, signed=True)
_KINDS: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (Boolean, "?"),
    (SmallInteger, "i2"),
    (BigInteger, "i8"),
    (Integer, "i4"),
    (Float, "f8"),
)


class Pieces(list[bytes | None]):
    """A column of bytes, None for nothing: sent as they are, not spelled out."""


def speak_arrays(engine: Engine) -> None:
    """Have a PostgreSQL engine's connections take and give NumPy arrays."""

    @event.listens_for(engine, "connect")
    def _connected(driver: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
        driver.adapters.register_dumper(np.ndarray, _ArrayDumper)
        driver.adapters.register_dumper(Pieces, _PiecesDumper)
        for _, array_oid in _OIDS.values():
            driver.adapters.register_loader(array_oid, _ArrayLoader)

    @event.listens_for(engine, "before_cursor_execute")
    def _about_to(*call: Any) -> None:  # noqa: ANN401 - as SQLAlchemy calls it
        cursor, context = call[1], call[4]
        if context is not None and context.execution_options.get(_BINARY):
            cursor.format = Format.BINARY


def dtype_of(kind: TypeEngine[Any]) -> "np.dtype[Any] | None":
    """What a column of a type becomes in NumPy; None where it stays Python's."""
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    for sort, name in _KINDS:
        if isinstance(kind, sort):
            return np.dtype(name)
    return None


def absent(dtype: "np.dtype[Any]") -> ColumnElement[Any]:
    """What stands for no value in a column of a type, for SQL."""
    return literal(_nothing(dtype), next(sort() for sort, name in _KINDS if name == _name(dtype)))


def read_arrays(
    connection: Connection,
    query: Select[Any],
    *,
    sparse: Collection[str] = (),
    given: Mapping[str, object] | None = None,
) -> tuple[Array, ...]:
    """The rows of a query as columns, in no order that can be relied on.

    Args:
        connection: A transaction.
        query: Selects columns of numbers, moments and booleans, with names of their own.
        sparse: Columns of which only what is not NULL is wanted.
        given: What the query's parameters are, of a query that is made once for all times; what
            is asked of the database is then made once, too, which takes longer than to answer.

    Returns:
        An array for each column selected, all of one length but for sparse ones.
    """
    is_lite = connection.dialect.name == "sqlite"
    make = _gathering if given is None else _gathering_once
    gathering = make(query, frozenset(sparse), is_lite)
    asked = given or {}
    if is_lite:
        result = connection.execute(gathering.statement, asked)
        named = [(f"f{place}", dtype) for place, dtype in enumerate(gathering.dtypes)]
        driver: Any = result.cursor
        found = np.fromiter(driver, dtype=np.dtype(named))
        result.close()
        arrays = (np.ascontiguousarray(found[name]) for name, _ in named)
        return tuple(
            array[~is_absent(array)] if name in sparse else array
            for name, array in zip(gathering.names, arrays, strict=True)
        )
    options = {_BINARY: True}
    gathers = connection.execute(gathering.statement, asked, execution_options=options).one()
    return tuple(
        np.empty(0, dtype) if array is None else array
        for array, dtype in zip(gathers, gathering.dtypes, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Gathering:
    """What is asked of a database for columns, and what they are."""

    statement: Executable
    names: Sequence[str]
    dtypes: "Sequence[np.dtype[Any]]"


def _gathering(query: Select[Any], sparse: Collection[str], is_lite: bool) -> _Gathering:  # noqa: FBT001 - of the cached one's key
    rows = query.subquery("rows")
    dtypes = [_known_dtype(column) for column in rows.c]
    asked: list[ColumnElement[Any]] = []
    for column, dtype in zip(rows.c, dtypes, strict=True):
        filled = _filled(column, dtype)
        if is_lite:
            asked.append(filled)
        elif column.name in sparse:
            asked.append(func.array_agg(column).filter(column.is_not(None)))
        else:
            asked.append(func.array_agg(filled))
    statement = select(*(type_coerce(one, NullType) for one in asked))
    return _Gathering(statement, [column.name for column in rows.c], dtypes)


_gathering_once = lru_cache(_gathering)


def read_rows(connection: Connection, query: Executable) -> list[tuple[Any, ...]]:
    """The rows of a query as the driver gives them; PostgreSQL sends them in binary.

    Bytes are best read so: gathered into one, they are copied four times before they are sent.

    Args:
        connection: A transaction.
        query: Of whole numbers and bytes.
    """
    result = connection.execute(query, execution_options={_BINARY: True})
    driver: Any = result.cursor
    rows: list[tuple[Any, ...]] = driver.fetchall()
    result.close()
    return rows


def array_of(column: Column[Any], values: Sequence[Any]) -> "Array | list[Any]":
    """Values as the driver takes them as the array that PostgreSQL's driver sends fastest."""
    dtype = dtype_of(column.type)
    if dtype is None or (dtype.kind == "b" and None in values):
        return list(values)
    if dtype.kind in "iu" and None in values:
        nothing = _nothing(dtype)
        values = [nothing if value is None else value for value in values]
    return np.array(values, dtype)


def values_of(column: Column[Any], array: "Array | list[Any]") -> list[Any]:
    """An array as the driver's own values, as ``array_of`` took them."""
    if isinstance(array, list):
        return array
    if column.nullable and array.dtype.kind != "b" and (mask := is_absent(array)).any():
        array = array.astype(object)
        array[mask] = None
    values: list[Any] = array.tolist()
    return values


def is_absent(array: Array) -> NDArray[np.bool_]:
    """Where a column has no value."""
    if array.dtype.kind == "f":
        return np.isnan(array)
    there_is_none: NDArray[np.bool_] = array == _nothing(array.dtype)
    return there_is_none


def _known_dtype(column: ColumnElement[Any]) -> "np.dtype[Any]":
    dtype = dtype_of(column.type)
    if dtype is None:
        raise TypeError(f"{column} is a column of {column.type!r}, which NumPy does not take")
    return dtype


def _filled(column: ColumnElement[Any], dtype: "np.dtype[Any]") -> ColumnElement[Any]:
    if dtype.kind == "b":
        return column
    # SQLite knows no NaN; NumPy makes one of its driver's None.
    return func.coalesce(type_coerce(column, NullType), absent(dtype))


def _nothing(dtype: "np.dtype[Any]") -> Any:  # noqa: ANN401 - a number of the type
    return np.nan if dtype.kind == "f" else int(np.iinfo(dtype).min)


class _ArrayDumper(Dumper):
    """One dimension of numbers in PostgreSQL's binary form.

    Source: PostgreSQL 15, src/backend/utils/adt/arrayfuncs.c, array_recv.
    """

    format = Format.BINARY

    def get_key(self, obj: Array, format: PyFormat) -> Any:  # noqa: A002, ANN401, ARG002 - psycopg's
        return (self.cls, obj.dtype.str)

    def upgrade(self, obj: Array, format: PyFormat) -> "_ArrayDumper":  # noqa: A002, ARG002 - psycopg's
        narrowed = _ArrayDumper(self.cls)
        narrowed.oid = _OIDS[_name(obj.dtype)][1]
        return narrowed

    def dump(self, obj: Array) -> Buffer:
        element, _ = _OIDS[_name(obj.dtype)]
        if not len(obj):
            return np.array([0, 0, element], ">i4").tobytes()
        cells = np.empty(len(obj), [("size", ">i4"), ("value", obj.dtype.newbyteorder(">"))])
        cells["size"] = obj.dtype.itemsize
        cells["value"] = obj
        return np.array([1, 0, element, len(obj), 1], ">i4").tobytes() + cells.tobytes()


class _PiecesDumper(Dumper):
    """One dimension of bytes in PostgreSQL's binary form; source as of ``_ArrayDumper``."""

    format = Format.BINARY
    oid = 1001

    def dump(self, obj: Pieces) -> Buffer:
        sent = [struct.pack(">5i", 1, None in obj, _BYTES, len(obj), 1)]
        for one in obj:
            sent += (_NO_BYTES,) if one is None else (len(one).to_bytes(4), one)
        return b"".join(sent)


class _ArrayLoader(Loader):
    """One dimension of numbers out of PostgreSQL's binary form; none of them absent.

    Source: PostgreSQL 15, src/backend/utils/adt/arrayfuncs.c, array_send.
    """

    format = Format.BINARY

    def load(self, data: Buffer) -> Array:
        element = int(np.frombuffer(data, ">i4", 1, 8)[0])
        dtype = _DTYPES[element]
        if len(data) < _HEADER:
            return np.empty(0, dtype)
        form = [("size", ">i4"), ("value", dtype.newbyteorder(">"))]
        cells = np.frombuffer(data, np.dtype(form), offset=_HEADER)
        return cells["value"].astype(dtype)


def _name(dtype: "np.dtype[Any]") -> str:
    return "?" if dtype.kind == "b" else f"{dtype.kind}{dtype.itemsize}"


_DTYPES = {element: np.dtype(name) for name, (element, _) in _OIDS.items()}
