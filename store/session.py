"""Engines and transactions, alike on SQLite and PostgreSQL.

Use cases open a transaction, hand the connection to the functions of this package, and own the
commit. Reads see one moment; writes on SQLite take the write lock at once, so that reading
before writing is safe there as it is under PostgreSQL's row and advisory locks.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeAlias, TypeVar

import numpy as np
import sqlalchemy
from sqlalchemy import (
    ARRAY,
    Column,
    Connection,
    Engine,
    Select,
    Table,
    bindparam,
    event,
    func,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.types import NullType

from store.arrays import Array, Pieces, absent, array_of, dtype_of, speak_arrays, values_of

T = TypeVar("T")
_Insert: TypeAlias = postgresql.Insert | sqlite.Insert
_I = TypeVar("_I", postgresql.Insert, sqlite.Insert)

_WRITE = "waymark_write"
_PIECES = "bytes"
_SENT_AS_THEY_ARE = ("", "b1", _PIECES)
"""Kinds of columns in which NULL is NULL, and not a number that stands for it."""
_FEW = 4
"""So few rows are written one by one."""
_BUSY_SECONDS = 60
_SURE_SECONDS = 0.2
"""So long after its last word a connection is believed to be there."""
_IDLE_SINCE = "waymark_idle_since"
# The threads of a worker set the bound, one or two connections each; so many are kept open.
# The one used last is taken next: it has prepared what is asked again and again.
_POOL: Mapping[str, Any] = {"pool_size": 16, "max_overflow": -1, "pool_use_lifo": True}
# SQLite allows 32,766 variables in a statement, PostgreSQL 65,535.
IN_LIMIT = 5_000
_CONNECTING: Mapping[str, int] = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 35_000,
}
"""How libpq finds out that the database's machine is gone; a URL may say otherwise."""
_GIVEN_UP: Mapping[str, str] = {
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
    "tcp_user_timeout": "35s",
}
"""How the database finds out that ours is: what its open transaction locked is free again."""
_PLANNED: Mapping[str, str] = {"jit": "off", "random_page_cost": "1.1"}
"""Code made for a statement costs it more than it saves: many are alike, and none runs long. And
a page is as near as the next one, in memory or on a disk without moving parts: believing it four
times as far, PostgreSQL reads all alignments of a district for those of one course."""


def open_engine(url: str) -> Engine:
    """An engine for a database URL; nothing is opened yet."""
    address = sqlalchemy.make_url(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    connecting = {name: value for name, value in _CONNECTING.items() if name not in address.query}
    engine = sqlalchemy.create_engine(url, connect_args=connecting, **_POOL)
    speak_arrays(engine)
    _set_up_connections(engine)
    _look_after_idle_ones(engine)
    return engine


def _set_up_connections(engine: Engine) -> None:
    """Have the database end transactions whose machine was cut off in the middle of one.

    Without it PostgreSQL waits two hours for the next word of a machine that is gone, and
    whoever needs what was locked there waits as long. And have it plan for what is asked here.
    """
    settings = ", ".join(
        f"set_config('{name}', '{value}', false)"
        for name, value in {**_GIVEN_UP, **_PLANNED}.items()
    )

    @event.listens_for(engine, "connect")
    def _connected(driver: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
        driver.execute(f"SELECT {settings}")
        driver.commit()


def _look_after_idle_ones(engine: Engine) -> None:
    """Ask a connection that lay idle whether it still answers, before it is used.

    SQLAlchemy's ``pool_pre_ping`` asks each time, also where transactions follow one another.
    """

    @event.listens_for(engine, "checkin")
    def _given_back(_driver: Any, record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        record.info[_IDLE_SINCE] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _taken(driver: Any, record: Any, _proxy: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        idle_since = record.info.get(_IDLE_SINCE)
        if idle_since is None or time.monotonic() - idle_since < _SURE_SECONDS:
            return
        try:
            engine.dialect.do_ping(driver)
        except engine.dialect.loaded_dbapi.Error as error:
            # Those beside it are as old: the pool opens new ones.
            raise InvalidatePoolError from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads."""
    with engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write: committed at the end, rolled back on an error."""
    with engine.connect().execution_options(**{_WRITE: True}) as connection, connection.begin():
        yield connection


def lock(connection: Connection, name: str, key: int) -> None:
    """Hold an advisory lock until the transaction ends.

    On SQLite the write transaction itself is the lock.

    Args:
        connection: A writing transaction.
        name: What is locked, for example ``course``.
        key: Which one.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(
            sqlalchemy.select(
                sqlalchemy.func.pg_advisory_xact_lock(
                    sqlalchemy.func.hashtext(name), sqlalchemy.cast(key, sqlalchemy.Integer)
                )
            )
        )


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keys: Sequence[str],
) -> None:
    """Insert rows or, where ``keys`` are there already, replace their other columns.

    Args:
        connection: A writing transaction.
        table: The table.
        rows: All with the same columns.
        keys: Columns of a unique constraint or the primary key.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite" or len(rows) < _FEW:
        statement = _statement(connection, table, tuple(rows[0]), keys=tuple(keys))
        connection.execute(statement, list(rows))
        return
    # One statement takes no row twice; of two that name one the later holds.
    by_key = {tuple(row[name] for name in keys): row for row in rows}
    arrays = {
        name: array_of(table.c[name], _for_driver(connection, table.c[name], by_key.values()))
        for name in rows[0]
    }
    write_arrays(connection, table, arrays, keys=keys)


def _for_driver(
    connection: Connection, column: Column[Any], rows: Collection[Mapping[str, Any]]
) -> list[Any]:
    """A column's values, converted where what they are converted to goes into an array."""
    values = [row[column.name] for row in rows]
    convert = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    if convert is None or dtype_of(column.type) is None:
        return values
    return [convert(value) for value in values]


def write_rows(
    connection: Connection,
    table: Table,
    rows: Sequence[Sequence[Any]],
    *,
    columns: Sequence[str],
    keys: Sequence[str] = (),
) -> None:
    """Insert or replace many rows at the driver's speed: a quarter of ``upsert``'s time and less.

    Args:
        connection: A writing transaction.
        table: The table.
        rows: Values as the driver takes them: moments as whole numbers. No two with equal keys.
        columns: What the values are, in order.
        keys: Columns of a unique constraint or the primary key, where rows may be there already;
            without them every row is new.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        _write_tuples(connection, table, rows, columns=columns, keys=keys)
        return
    values = zip(*rows, strict=True)
    arrays = {
        name: array_of(table.c[name], column) for name, column in zip(columns, values, strict=True)
    }
    write_arrays(connection, table, arrays, keys=keys)


def write_arrays(
    connection: Connection,
    table: Table,
    arrays: Mapping[str, Array | list[Any]],
    *,
    keys: Sequence[str] = (),
) -> None:
    """Insert or replace many rows that are columns already.

    Args:
        connection: A writing transaction.
        table: The table.
        arrays: Columns by name, all of one length, as ``arrays.read_arrays`` gives them: NaN and
            the smallest number of a type are no value. Lists where NumPy has no such type.
        keys: As for ``write_rows``.
    """
    if not len(next(iter(arrays.values()))):
        return
    names = tuple(arrays)
    if connection.dialect.name == "sqlite":
        columns = [values_of(table.c[name], array) for name, array in arrays.items()]
        rows = list(zip(*columns, strict=True))
        _write_tuples(connection, table, rows, columns=names, keys=keys)
        return
    kinds = tuple(map(_kind, arrays.values()))
    statement = _unnesting(table, names, kinds, keys=tuple(keys))
    connection.execute(statement, {_given(name): array for name, array in arrays.items()})


def _kind(column: Array | list[Any]) -> str:
    if isinstance(column, Pieces):
        return _PIECES
    return column.dtype.str[1:] if isinstance(column, np.ndarray) else ""


def copy_rows(
    connection: Connection, table: Table, query: Select[Any], *, keys: Sequence[str]
) -> None:
    """Insert or replace rows that a query finds, without their leaving the database.

    Args:
        connection: A writing transaction.
        table: The table.
        query: The rows, with the table's names; ends with a condition or an order, as SQLite
            wants it before ``ON CONFLICT``.
        keys: As for ``write_rows``.
    """
    names = tuple(column.name for column in query.selected_columns)
    statement = _statement(connection, table, names, keys=tuple(keys))
    connection.execute(statement.from_select(names, query))


@lru_cache(maxsize=256)
def _unnesting(
    table: Table, names: tuple[str, ...], kinds: tuple[str, ...], *, keys: tuple[str, ...]
) -> postgresql.Insert:
    """The statement that writes rows given as arrays, in PostgreSQL.

    Args:
        table: The table.
        names: The columns given.
        kinds: The NumPy type of each, ``_PIECES`` for bytes, empty for lists.
        keys: As for ``write_rows``.
    """
    parameters = [
        bindparam(_given(name), type_=NullType() if kind else ARRAY(table.c[name].type))
        for name, kind in zip(names, kinds, strict=True)
    ]
    rows = func.unnest(*parameters).table_valued(*names).render_derived(name="given")
    found = sqlalchemy.select(
        *(
            func.nullif(rows.c[name], absent(np.dtype(kind)))
            if kind not in _SENT_AS_THEY_ARE and table.c[name].nullable
            else rows.c[name]
            for name, kind in zip(names, kinds, strict=True)
        )
    )
    statement = _on_conflict(postgresql.insert(table), names, keys=keys)
    return statement.from_select(names, found)


def _given(name: str) -> str:
    """A parameter's name: those of columns belong to SQLAlchemy."""
    return f"given_{name}"


def _write_tuples(
    connection: Connection,
    table: Table,
    rows: Sequence[Sequence[Any]],
    *,
    columns: Sequence[str],
    keys: Sequence[str],
) -> None:
    statement = _statement(connection, table, tuple(columns), keys=tuple(keys))
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(columns))
    ordered = itemgetter(*(list(columns).index(name) for name in compiled.positiontup or columns))
    connection.exec_driver_sql(str(compiled), [ordered(row) for row in rows])


def chunks(values: Sequence[T], size: int = IN_LIMIT) -> Iterator[Sequence[T]]:
    """Slices short enough for an ``IN`` list."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _statement(
    connection: Connection, table: Table, columns: Sequence[str], *, keys: Sequence[str]
) -> _Insert:
    if connection.dialect.name == "postgresql":
        return _on_conflict(postgresql.insert(table), columns, keys=keys)
    return _on_conflict(sqlite.insert(table), columns, keys=keys)


def _on_conflict(statement: _I, columns: Sequence[str], *, keys: Sequence[str]) -> _I:
    if not keys:
        return statement
    changes = {name: statement.excluded[name] for name in columns if name not in keys}
    if not changes:
        return statement.on_conflict_do_nothing(index_elements=list(keys))
    return statement.on_conflict_do_update(index_elements=list(keys), set_=changes)


def _sqlite_engine(url: str) -> Engine:
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, **_POOL)

    @event.listens_for(engine, "connect")
    def _connected(dbapi_connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
        # pysqlite would begin transactions late and only for writes; we begin them ourselves.
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        is_write = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    return engine
