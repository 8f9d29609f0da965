"""Columns: what the bulk tables of this package are made of.

A table is a frozen dataclass of one-dimensional NumPy arrays of equal length. A segment is a
run of rows that belong together; ``offsets`` of length segments + 1 say where each begins, the
last one being the number of rows, so that segment ``i`` is ``offsets[i]:offsets[i + 1]``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

IntArray: TypeAlias = NDArray[np.int64]
CodeArray: TypeAlias = NDArray[np.int8]
FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]

NO_MOMENT = int(np.iinfo(np.int64).min)
"""Stands for "no such moment" in a column of whole microseconds since 1970 in UTC."""


_SPARSE = 16
"""Ids that lie wider apart than so many places each are searched for, not listed."""


class TableRefused(ValueError):  # noqa: N818 - named for what happened, as the connectors' errors
    """Columns that make no table; the message names them."""


def typed(columns: Mapping[str, ArrayLike], dtypes: Mapping[str, DTypeLike]) -> dict[str, Any]:
    """Give columns their types.

    Args:
        columns: Sequences by column name; None stands for NaN where the type is a float.
        dtypes: The type of every column there must be.

    Returns:
        One-dimensional arrays of equal length under the same names.

    Raises:
        TableRefused: A column is missing, unknown, not one-dimensional, of another length, or
            holds something that is not of its type.
    """
    if columns.keys() != dtypes.keys():
        odd = ", ".join(sorted(columns.keys() ^ dtypes.keys()))
        raise TableRefused(f"These columns are missing or unknown: {odd}")
    arrays = {name: _array(name, column, dtypes[name]) for name, column in columns.items()}
    if len({array.shape for array in arrays.values()}) > 1:
        lengths = ", ".join(f"{name} {array.size}" for name, array in arrays.items())
        raise TableRefused(f"The columns are not of equal length: {lengths}")
    return arrays


def filled(columns: Mapping[str, ArrayLike], defaults: Mapping[str, Any]) -> dict[str, ArrayLike]:
    """Add columns that were left out, each with one value in every row.

    Args:
        columns: Sequences by column name, at least one.
        defaults: The value of each column that may be left out.

    Returns:
        All columns; new ones are as long as the first given.
    """
    size = np.asarray(next(iter(columns.values()), ())).size
    absent = {name: np.full(size, defaults[name]) for name in defaults if name not in columns}
    return {**columns, **absent}


def segment_sum(values: FloatArray, offsets: IntArray) -> FloatArray:
    """Add up each segment.

    Args:
        values: Length rows.
        offsets: Length segments + 1, from 0 to rows, never falling.

    Returns:
        Length segments; 0 for an empty segment.
    """
    starts = offsets[:-1]
    is_filled = starts < offsets[1:]
    sums = np.zeros(starts.size, dtype=np.float64)
    # reduceat would give an empty segment the next one's first value: leave those out.
    sums[is_filled] = np.add.reduceat(values, starts[is_filled])
    return sums


def segment_tally(column: IntArray | BoolArray, offsets: IntArray) -> IntArray:
    """Add up whole numbers, or count what is true, in each segment; 0 for an empty one."""
    return segment_sum(column.astype(np.float64), offsets).astype(np.int64)


def _array(name: str, column: ArrayLike, dtype: DTypeLike) -> NDArray[Any]:
    try:
        array = np.asarray(column, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise TableRefused(f"The column {name} holds something else than {dtype}") from error
    if array.ndim != 1:
        raise TableRefused(f"The column {name} has {array.ndim} dimensions instead of one")
    return array


def runs(keys: Sequence[IntArray]) -> IntArray:
    """Find the segments of rows that agree in every key.

    Args:
        keys: At least one column, all of length rows, sorted so that equal rows are adjacent.

    Returns:
        Offsets of length segments + 1, strictly ascending from 0 to rows.
    """
    size = keys[0].size
    if size == 0:
        return np.zeros(1, dtype=np.int64)
    differs = np.zeros(size - 1, dtype=np.bool_)
    for key in keys:
        differs |= key[1:] != key[:-1]
    return np.concatenate(([0], np.flatnonzero(differs) + 1, [size])).astype(np.int64)


def kept(is_kept: BoolArray, offsets: IntArray) -> IntArray:
    """Offsets of the same segments once only some of their rows are kept.

    Args:
        is_kept: Length rows.
        offsets: Length segments + 1, from 0 to rows.

    Returns:
        Offsets of length segments + 1 into the kept rows; a segment may have become empty.
    """
    before = np.concatenate(([0], np.cumsum(is_kept)))
    return before[offsets].astype(np.int64)


def row_numbers(index: IntArray | BoolArray) -> IntArray:
    """The rows meant, by their numbers: many columns are picked the faster by these."""
    return np.flatnonzero(index) if index.dtype == np.bool_ else index.astype(np.int64, copy=False)


def ranked(ids: IntArray) -> tuple[IntArray, IntArray]:
    """Number ids from 0 in their order.

    Args:
        ids: Any order, any number of each.

    Returns:
        The number of each, of the same length, and the ids themselves, ascending, each once.
    """
    if ids.size == 0:
        return ids, ids
    low, span = int(ids.min()), int(ids.max()) - int(ids.min())
    if span >= _SPARSE * ids.size:
        ascending = np.sort(ids)
        values = ascending[np.concatenate(([True], ascending[1:] != ascending[:-1]))]
        return np.searchsorted(values, ids), values
    # Ids that lie close together are ticked off in a list of all between, not sorted.
    place = ids - low
    is_there = np.zeros(span + 1, dtype=np.bool_)
    is_there[place] = True
    numbers = np.cumsum(is_there, dtype=np.int32)
    return numbers[place] - np.int64(1), np.flatnonzero(is_there) + low


def placed(values: IntArray, among: IntArray) -> IntArray:
    """Where each value stands among others.

    Args:
        values: Any order, any number of each.
        among: Ascending, each once.

    Returns:
        Of the length of ``values``; the length of ``among`` where a value is not there.
    """
    if among.size and among[-1] - among[0] < _SPARSE * values.size:
        # Ids that lie close together are looked up in a list of all between, not searched for.
        low, span = int(among[0]), int(among[-1] - among[0])
        listed = np.full(span + 2, among.size)
        listed[among - low] = np.arange(among.size)
        # Below the first a difference is a great number without a sign, as it is above the last.
        apart = (values - low).view(np.uint64)
        return listed[np.minimum(apart, np.uint64(span + 1), out=apart).view(np.int64)]
    found = np.searchsorted(among, values)
    return np.where(np.append(among, 0)[found] == values, found, among.size)
