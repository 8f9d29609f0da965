"""What tables are made of: moments, numbers, and columns that name other rows."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, Dialect, ForeignKey, Integer, MetaData, TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970 of an aware moment."""
    return (moment - EPOCH) // _MICROSECOND


def optional_micros(moment: datetime | None) -> int | None:
    """As ``to_micros``, None for None."""
    return None if moment is None else to_micros(moment)


def from_micros(micros: int) -> datetime:
    """The aware UTC moment of whole microseconds since 1970."""
    return EPOCH + micros * _MICROSECOND


class Instant(TypeDecorator[datetime]):
    """An aware datetime kept as whole microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To the database."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002
        """From the database."""
        return None if value is None else from_micros(int(value))


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives rowids to INTEGER primary keys only; PostgreSQL wants room.
BigId = BigInteger().with_variant(Integer(), "sqlite")


def row_id() -> Column[int]:
    """The number that a row is known by."""
    return Column("id", BigId, primary_key=True, autoincrement=True)


def to(table: str, name: str, *, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    """The number of a row of another table, by a foreign key."""
    return Column(
        name, BigId, ForeignKey(f"{table}.id"), nullable=nullable, primary_key=primary_key
    )


def of(name: str, *, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    """As ``to`` without a foreign key, which costs PostgreSQL more than the row does.

    For rows of which there are millions, whose writer holds what they name.
    """
    return Column(name, BigId, nullable=nullable, primary_key=primary_key, autoincrement=False)


def narrow(name: str, *, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    """As ``of`` in four bytes, where there are millions of rows; two thousand million will do."""
    return Column(name, Integer, nullable=nullable, primary_key=primary_key, autoincrement=False)
