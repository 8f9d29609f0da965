"""Gradebook cells in four numbers each: what PostgreSQL sends costs by the number of values.

Each is a whole number below 2**53 or a float, which a line segment's ends hold exactly.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    bindparam,
    case,
    cast,
    func,
    literal,
    type_coerce,
)

from store.arrays import Array
from store.tables import scores

NO_SECOND = -(2**31)
LOW = 2**32 - 1
DEDUCTED = 1 << 16
"""Beside the flags: that something is deducted."""
LOW_BITS = 31
"""Of a cell in 53 bits: those of the one of its two ids that may be any."""
LOWEST = "lowest"
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


@cache
def cells_in_fours(high: str, low: str) -> tuple[ColumnElement[Any], ...]:
    """What cells say in four numbers, none of them NULL; what is deducted stands elsewhere.

    The first of the ids that are near is a parameter, ``LOWEST``.

    Args:
        high: The id that orders cells first, of ids that are ``near``.
        low: The other id.
    """
    is_deducted = case((scores.c.points_deducted.is_(None), 0), else_=DEDUCTED)
    return (
        _above(scores.c[high] - bindparam(LOWEST, type_=Integer), LOW_BITS, scores.c[low]),
        func.coalesce(scores.c.points, literal(math.nan, Float)),
        _beside(scores.c.attempt, "submitted_at"),
        _beside(is_deducted + scores.c.flags, "graded_at"),
    )


def ids_in(cells: Array, *, lowest: int) -> tuple[Array, Array]:
    """The two ids in the first of the four numbers, the one that orders cells first."""
    whole = cells.astype(np.int64)
    return (whole >> LOW_BITS) + lowest, whole & (1 << LOW_BITS) - 1


def taken_apart(numbers: Array) -> tuple[Array, Array]:
    """The small number in the third or fourth of the four, and the second, ``NO_SECOND`` for none.

    Returns:
        Whole numbers in eight bytes, both.
    """
    whole = numbers.astype(np.int64) - NO_SECOND
    return whole >> BESIDE, (whole & LOW) + NO_SECOND


def deductions() -> ColumnElement[Any]:
    """What is deducted, of those cells only of which something is, in the order of the fours."""
    found = scores.c.points_deducted
    return func.array_agg(found).filter(found.is_not(None))


def wide(column: ColumnElement[Any]) -> ColumnElement[int]:
    """A whole number in eight bytes."""
    return cast(column, BigInteger)


def _above(small: ColumnElement[Any], bits: int, low: ColumnElement[Any]) -> ColumnElement[Any]:
    """Two whole numbers in one float, which PostgreSQL adds up in fewer steps than bits."""
    return type_coerce(small, Float) * literal(2.0**bits, Float) + type_coerce(low, Float)


def _beside(small: ColumnElement[int], moment: str) -> ColumnElement[Any]:
    """A small number above a moment, which may be below nothing."""
    second = func.coalesce(type_coerce(scores.c[moment], Integer), literal(NO_SECOND, Integer))
    return _above(small, BESIDE, second)
