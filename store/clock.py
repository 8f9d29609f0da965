"""What time it is by the database, which all processes and machines share."""

from datetime import UTC, datetime

from sqlalchemy import Connection, text

from store.tables import from_micros

_POSTGRES = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")
_SQLITE = text("SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS integer)")


def database_now(connection: Connection) -> datetime:
    """The present moment, aware, in UTC.

    SQLite has no clock of its own: there it is the machine's, to the millisecond.
    """
    is_postgres = connection.dialect.name == "postgresql"
    micros = connection.execute(_POSTGRES if is_postgres else _SQLITE).scalar_one()
    return from_micros(int(micros)).astimezone(UTC)
