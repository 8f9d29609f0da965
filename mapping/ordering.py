"""The order of rows by several keys, found as cheaply as the keys allow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Self

import numpy as np

from mapping.columns import NO_MOMENT, IntArray

_MOST = 2**63 - 1
_FEW = 2**16


def ordering(keys: Sequence[IntArray]) -> IntArray:
    """Sort rows; equal ones keep their order.

    Rows in order are not sorted at all. Keys that fit into one number of 64 bits together, with
    the row's own number behind them, are sorted as that number: nothing else moves along, which
    takes a tenth of the time of finding an order and many times less than one sort a key.

    Args:
        keys: At least one column, all of length rows, the one that matters most first;
            ``NO_MOMENT`` comes before every other value.

    Returns:
        Row numbers, ascending by the keys.
    """
    size = keys[0].size
    if is_ascending(keys):
        return np.arange(size)
    columns = [_Ranked.of(key) for key in keys]
    room = _MOST >> size.bit_length()
    shift = _shift(columns, room)
    if shift is None:
        return _ordered(keys, columns)
    *wider, last = columns
    packed = _mixed([*wider, last.cut(shift)])
    packed <<= size.bit_length()
    packed |= np.arange(size)
    packed.sort()
    order = packed & ((1 << size.bit_length()) - 1)
    if shift:
        packed >>= size.bit_length()
        _settle(order, packed, keys[-1])
    return order


def is_ascending(keys: Sequence[IntArray]) -> bool:
    """Whether rows are in order by these keys, the one that matters most first."""
    is_settled = np.zeros(max(keys[0].size - 1, 0), dtype=np.bool_)
    for key in keys:
        if np.any((key[1:] < key[:-1]) & ~is_settled):
            return False
        is_settled |= key[1:] > key[:-1]
    return True


def _shift(columns: Sequence["_Ranked"], room: int) -> int | None:
    """How many digits the last key must lose for all to fit; None where that is not enough."""
    *wider, last = columns
    left = room // prod(column.count for column in wider)
    # With fewer digits left than that, too many rows would agree.
    if left < min(last.count, _FEW) or last.count > _MOST:
        return None
    return max(0, ((last.count - 1) // left).bit_length())


def _settle(order: IntArray, packed: IntArray, last: IntArray) -> None:
    """Put rows in order, in place, that agree only because the last key lost digits."""
    found = last[order]
    agrees = packed[1:] == packed[:-1]
    if not np.any(agrees & (found[1:] < found[:-1])):
        return
    is_tied = np.zeros(order.size, dtype=np.bool_)
    is_tied[1:] = agrees
    is_tied[:-1] |= agrees
    place = np.flatnonzero(is_tied)
    order[place] = order[place][np.lexsort((found[place], packed[place]))]


def _ordered(keys: Sequence[IntArray], columns: Sequence["_Ranked"]) -> IntArray:
    """The order of keys too wide to be packed with their rows' numbers."""
    if prod(column.count for column in columns) > _MOST:
        # Moments are whole seconds in most gradebooks, kept as microseconds.
        columns = [column.coarse() for column in columns]
    if prod(column.count for column in columns) > _MOST:
        return np.lexsort(tuple(reversed(keys)))
    return np.argsort(_mixed(columns), kind="stable")


def _mixed(columns: Sequence["_Ranked"]) -> IntArray:
    """Keys as one number a row."""
    packed = columns[0].ranks.copy()
    for column in columns[1:]:
        packed *= column.count
        packed += column.ranks
    return packed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ranked:
    """Numbers in the order of a key, below ``count``: from 1, and 0 for ``NO_MOMENT``."""

    ranks: IntArray
    count: int

    @classmethod
    def of(cls, key: IntArray) -> Self:
        low, high = int(key.min()), int(key.max())
        if low > NO_MOMENT:
            return cls(ranks=key - (low - 1), count=high - low + 2)
        is_known = key != NO_MOMENT
        low = int(np.where(is_known, key, max(high, NO_MOMENT + 1)).min())
        return cls(ranks=np.where(is_known, key - (low - 1), 0), count=high - low + 2)

    def cut(self, shift: int) -> Self:
        """The same without its last binary digits; numbers may agree that did not."""
        if shift == 0:
            return self
        return replace(self, ranks=self.ranks >> shift, count=((self.count - 1) >> shift) + 1)

    def coarse(self) -> Self:
        """The same order in numbers as small as the steps between them allow."""
        if self.count > _MOST:
            return self
        if is_ascending((self.ranks,)):
            rises = np.diff(self.ranks, prepend=self.ranks[:1]) > 0
            ranks = np.cumsum(rises, dtype=np.int64)
            return replace(self, ranks=ranks, count=int(ranks[-1]) + 1)
        # Of 0 and another number, the greatest common divisor is the other.
        step = max(1, int(np.gcd.reduce(np.maximum(self.ranks - 1, 0))))
        return replace(self, ranks=(self.ranks - 1) // step + 1, count=(self.count - 2) // step + 2)
