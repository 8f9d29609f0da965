"""Engines and transactions, alike on SQLite and PostgreSQL.

Use cases open a transaction, hand the connection to the functions of this package, and own the
commit. Reads see one moment; writes on SQLite take the write lock at once, so that reading
before writing is safe there as it is under PostgreSQL's row and advisory locks.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

_WRITE = "waymark_write"
_BUSY_SECONDS = 60
# SQLite allows 32,766 variables in a statement, PostgreSQL 65,535.
IN_LIMIT = 5_000


def open_engine(url: str) -> Engine:
    """An engine for a database URL; nothing is opened yet."""
    if sqlalchemy.make_url(url).get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    return sqlalchemy.create_engine(url, pool_pre_ping=True)


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
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    changes = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    clause: Any = (
        statement.on_conflict_do_update(index_elements=list(keys), set_=changes)
        if changes
        else statement.on_conflict_do_nothing(index_elements=list(keys))
    )
    connection.execute(clause, list(rows))


def chunks(values: Sequence[T], size: int = IN_LIMIT) -> Iterator[Sequence[T]]:
    """Slices short enough for an ``IN`` list."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _sqlite_engine(url: str) -> Engine:
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

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
