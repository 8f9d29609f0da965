"""Gradebook cells in four numbers each: what PostgreSQL sends costs by the number of values.

Each is a whole number below 2**53 or a float, which a line segment's ends hold exactly.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    case,
    cast,
    func,
    literal,
    type_coerce,
)

from store.tables import scores

NO_SECOND = -(2**31)
LOW = 2**32 - 1
DEDUCTED = 1 << 16
"""Beside the flags: that something is deducted."""
LOW_BITS = 31
"""Of a cell in 53 bits: those of the one of its two ids that may be any."""
BESIDE = 32
"""From which bit on a small number stands above a moment."""
_FARTHEST = 1 << 22
"""How far the other id is from the first, at most."""


def near(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Ids in ascending parts in none of which they lie so far apart that a cell has no room."""
    ids = sorted(ids)
    while ids:
        end = bisect_left(ids, ids[0] + _FARTHEST)
        yield ids[:end]
        ids = ids[end:]


def cells_in_fours(high: str, low: str, *, lowest: int) -> tuple[ColumnElement[Any], ...]:
    """What cells say in four numbers, none of them NULL; what is deducted stands elsewhere.

    Args:
        high: The id that orders cells first, of ids that are ``near``.
        low: The other id.
        lowest: The first of the ids that are near.
    """
    far = wide(scores.c[high] - lowest)
    is_deducted = case((scores.c.points_deducted.is_(None), 0), else_=DEDUCTED)
    return (
        far.bitwise_lshift(literal(LOW_BITS, Integer)).bitwise_or(wide(scores.c[low])),
        func.coalesce(scores.c.points, literal(math.nan, Float)),
        _beside(wide(scores.c.attempt), "submitted_at"),
        _beside(wide(is_deducted).bitwise_or(wide(scores.c.flags)), "graded_at"),
    )


def deductions() -> ColumnElement[Any]:
    """What is deducted, of those cells only of which something is, in the order of the fours."""
    found = scores.c.points_deducted
    return func.array_agg(found).filter(found.is_not(None))


def wide(column: ColumnElement[Any]) -> ColumnElement[int]:
    """A whole number in eight bytes."""
    return cast(column, BigInteger)


def _beside(small: ColumnElement[int], moment: str) -> ColumnElement[int]:
    """A small number above a moment, which is counted from the first that four bytes hold."""
    second = func.coalesce(type_coerce(scores.c[moment], Integer), NO_SECOND)
    return small.bitwise_lshift(literal(BESIDE, Integer)).bitwise_or(wide(second) - NO_SECOND)
