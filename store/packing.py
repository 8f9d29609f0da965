"""Gradebook cells packed: everything a cell says in as few bytes as a row of a database allows.

There are some hundred times as many cells as there is anything else. LMSs tell moments in whole
seconds, so four bytes keep them; the state of a cell and what is so or not so of it are bits of
one small number; what almost never is so is absent. Eight columns at most: with a ninth, an
absent value costs PostgreSQL eight bytes more.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Dialect,
    Integer,
    TypeDecorator,
    cast,
    type_coerce,
)

from mapping.records import ScoreState

EPOCH_2000 = datetime(2000, 1, 1, tzinfo=UTC)
SECONDS_BEFORE_2000 = 946_684_800
"""Seconds from 1970 to 2000, in UTC."""
MICROS = 1_000_000
STATE = 0b111
"""The bits of ``flags`` that are the score's state."""
VISIBLE = 0b1000
LATE = 0b1_0000
OVERRIDDEN = 0b10_0000
RETRIED = 0b100_0000
"""Some earlier word on the cell was of another attempt than the present one."""
_SECOND = timedelta(seconds=1)


def to_second(moment: datetime) -> int:
    """Whole seconds since 2000 of an aware moment, what is less than a second left off."""
    return (moment - EPOCH_2000) // _SECOND


class Second2000(TypeDecorator[datetime]):
    """An aware datetime kept as whole seconds since 2000 in UTC, in four bytes: 1931 to 2068."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To the database."""
        return None if value is None else to_second(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002
        """From the database."""
        return None if value is None else EPOCH_2000 + int(value) * _SECOND


def flags(
    state: ScoreState, *, is_visible: bool, is_late: bool = False, is_overridden: bool = False
) -> int:
    """What a score says besides numbers and moments, as one small number."""
    return int(state) | VISIBLE * is_visible | LATE * is_late | OVERRIDDEN * is_overridden


def state_of(packed: ColumnElement[int]) -> ColumnElement[int]:
    """The ``ScoreState`` in a column of flags."""
    return type_coerce(packed.bitwise_and(STATE), Integer)


def is_set(packed: ColumnElement[int], bit: int) -> ColumnElement[bool]:
    """Whether a bit is set in a column of flags; nothing where there are none."""
    return type_coerce(packed.bitwise_and(bit) != 0, Boolean)


def micros_of(seconds: ColumnElement[Any]) -> ColumnElement[int]:
    """A column of ``Second2000`` as whole microseconds since 1970."""
    whole = cast(type_coerce(seconds, Integer), BigInteger)
    return type_coerce((whole + SECONDS_BEFORE_2000) * MICROS, BigInteger)
