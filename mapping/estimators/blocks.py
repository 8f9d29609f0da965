"""Segments of equal length side by side, and what is done along them.

A method works on blocks: matrices in which every column is one segment, its oldest piece in the
first row. So a district's segments cost a few vector operations for each length there is, and
nothing is padded. Blocks are cut so that what is computed of one stays in the processor's cache.

What a segment gives depends on nothing but itself: sums are added up from the oldest piece to the
newest whatever stands beside them, so that a learner's page and a district's night agree to the
last bit.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mapping.columns import BoolArray, FloatArray, IntArray
from mapping.samples import Sample

SHORT = 32
"""Up to this length rows are added one by one; beyond it each segment by itself."""

_NETWORKED = 16
_WIDE = 256
_TAG = _NETWORKED - 1
_SMALL = int(np.iinfo(np.uint16).max)
_DIGITS = np.iinfo(np.int64).max
_LEAST = float(np.finfo(np.float64).tiny)
# Of lines through so many numbers of pieces, the ones met last are kept.
_KEPT_LENGTHS = 64
_CELLS = 1 << 15

Kernel: TypeAlias = Callable[..., FloatArray]
"""A method: a block, and parameters by name, to one estimate for each of its segments."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Some segments of one length, 1 or more; matrices are of shape (length, segments).

    What methods share is computed when one of them asks for it, once: the sample must not be
    changed meanwhile. ``segment`` are the segments' numbers in the sample, ``first`` the rows of
    their oldest pieces.
    """

    sample: Sample
    segment: IntArray
    first: IntArray
    length: int

    @cached_property
    def values(self) -> FloatArray:
        """Scale points, the oldest first."""
        return self._column(self.sample.values)

    @cached_property
    def weights(self) -> FloatArray:
        """The pieces' weights."""
        return self._column(self.sample.weights)

    @cached_property
    def newest(self) -> FloatArray:
        """The value of each segment's newest piece."""
        return np.asarray(self.sample.values[self.first + (self.length - 1)])

    @cached_property
    def ranked(self) -> FloatArray:
        """Values from the lowest to the highest in each segment."""
        return lane_sorted(self.values)

    @cached_property
    def highest(self) -> FloatArray:
        """The highest value of each segment."""
        return lane_best(self.values, np.maximum)

    @cached_property
    def means(self) -> FloatArray:
        """The plain mean of each segment."""
        return lane_sum(self.values) / self.length

    @cached_property
    def is_positive(self) -> BoolArray:
        """Whether every value of a segment is above 0."""
        return np.greater(lane_best(self.values, np.minimum), 0.0)

    @cached_property
    def logarithms(self) -> FloatArray:
        """Natural logarithms of the values, 0 in place of that of a value of 0 or less."""
        if self.is_positive.all():
            return np.log(self.values)
        return np.log(np.where(self.values > 0.0, self.values, 1.0))

    @cached_property
    def slope(self) -> FloatArray:
        """The slope of the line of least squares through the values, by the pieces' numbers."""
        return lane_dot(line_of(self.length, is_power=False).factors, self.values)

    @cached_property
    def power_slope(self) -> FloatArray:
        """The slope of that through the logarithms, by the logarithms of the pieces' numbers."""
        return lane_dot(line_of(self.length, is_power=True).factors, self.logarithms)

    @cached_property
    def mean_logarithm(self) -> FloatArray:
        """The mean of the logarithms of each segment."""
        return lane_sum(self.logarithms) / self.length

    def _column(self, column: FloatArray) -> FloatArray:
        if self.length > SHORT:
            return np.asarray(column[self.first[:, np.newaxis] + np.arange(self.length)].T)
        matrix = np.empty((self.length, self.first.size))
        for place, row in enumerate(matrix):
            # The rows are known to lie within: "clip" only spares a copy made for errors.
            np.take(column, self.first + place, out=row, mode="clip")
        return matrix


def blocks(sample: Sample) -> Iterator[Block]:
    """The segments that are not empty, each in one block.

    Args:
        sample: The evidence.

    Yields:
        Blocks, the shortest segments first. There are at most as many as there are lengths, and
        one more for every ``_CELLS`` rows.
    """
    count = sample.count
    if count.size == 0:
        return
    # NumPy sorts small integers by radix, in linear time.
    small = count.astype(np.uint16) if count.max() <= _SMALL else count
    order = np.argsort(small, kind="stable")
    many = np.bincount(count)
    end = 0
    for length in np.flatnonzero(many).tolist():
        begin, end = end, end + int(many[length])
        if length:
            yield from _of_length(sample, order[begin:end], length)


def _of_length(sample: Sample, segment: IntArray, length: int) -> Iterator[Block]:
    width = max(1, _CELLS // length)
    for begin in range(0, segment.size, width):
        some = segment[begin : begin + width]
        yield Block(sample=sample, segment=some, first=sample.offsets[some], length=length)


def each(sample: Sample, kernels: Mapping[str, Callable[[Block], FloatArray]]) -> dict[str, Any]:
    """Apply kernels to every segment; what they share is computed once.

    Args:
        sample: The evidence.
        kernels: Any number, by any name, their parameters settled.

    Returns:
        Columns of length segments by the same names; NaN where a segment is empty.
    """
    estimates = {name: np.full(sample.offsets.size - 1, np.nan) for name in kernels}
    for block in blocks(sample):
        for name, kernel in kernels.items():
            estimates[name][block.segment] = kernel(block)
    return estimates


def lane_sum(matrix: FloatArray) -> FloatArray:
    """Add up each column from its first row to its last, so that no neighbour changes a bit."""
    if matrix.shape[0] > SHORT:
        # A plain sum would add in another order where there is one segment than where many are.
        return np.asarray(np.cumsum(matrix.T, axis=1)[:, -1])
    total: FloatArray = matrix[0].copy()
    for row in matrix[1:]:
        total += row
    return total


def lane_dot(factors: FloatArray, matrix: FloatArray) -> FloatArray:
    """Add up each column, its rows multiplied by ``factors``."""
    if matrix.shape[0] > SHORT:
        return lane_sum(factors[:, np.newaxis] * matrix)
    total: FloatArray = matrix[0] * factors[0]
    term = np.empty_like(total)
    for factor, row in zip(factors[1:], matrix[1:], strict=True):
        np.multiply(row, factor, out=term)
        total += term
    return total


def lane_running(matrix: FloatArray) -> FloatArray:
    """The sums of each column up to each row."""
    if matrix.shape[0] > SHORT:
        return np.cumsum(matrix, axis=0)
    sums = matrix.copy()
    for before, row in pairwise(sums):
        np.add(row, before, out=row)
    return sums


def lane_tally(matrix: BoolArray) -> NDArray[Any]:
    """Count what is true in each column."""
    if matrix.shape[0] > SHORT:
        return np.asarray(np.count_nonzero(matrix, axis=0))
    total: NDArray[Any] = matrix[0].astype(np.uint8)
    for row in matrix[1:].view(np.uint8):
        total += row
    return total


def lane_best(matrix: FloatArray, choose: np.ufunc) -> FloatArray:
    """The highest (``np.maximum``) or lowest (``np.minimum``) of each column."""
    if matrix.shape[0] > SHORT:
        return np.asarray(choose.reduce(matrix, axis=0))
    best: FloatArray = matrix[0].copy()
    for row in matrix[1:]:
        choose(best, row, out=best)
    return best


def lane_sorted(matrix: NDArray[Any]) -> NDArray[Any]:
    """Sort each column, the lowest first."""
    length, width = matrix.shape
    if length > _NETWORKED or width < _WIDE:
        return np.sort(matrix.T, axis=1).T
    lanes = matrix.copy()
    low = np.empty_like(lanes[0])
    for one, other in exchanges(length):
        np.minimum(lanes[one], lanes[other], out=low)
        np.maximum(lanes[one], lanes[other], out=lanes[other])
        lanes[one] = low
    return lanes


def lane_order(matrix: FloatArray) -> IntArray:
    """The places of each column's cells from the lowest to the highest.

    Of a short column the last four of the 52 binary digits behind the point are not compared.

    Returns:
        Flat places into the matrix, of its shape.
    """
    length, width = matrix.shape
    if length > _NETWORKED:
        order = np.argsort(matrix.T, axis=1, kind="stable").T
    else:
        order = lane_sorted(_tagged(matrix))
        order &= _TAG
    order *= width
    order += np.arange(width)
    return order


def _tagged(matrix: FloatArray) -> IntArray:
    """Whole numbers that ascend as the cells do, with the cell's row in the lowest digits.

    So a sort needs no second column: NumPy compares whole numbers many at a time, and moves
    nothing else along.
    """
    bits = np.ascontiguousarray(matrix).view(np.int64)
    # Below 0 a float's digits descend as it rises.
    keys = bits ^ ((bits >> 63) & _DIGITS)
    keys &= ~_TAG
    keys |= np.arange(matrix.shape[0])[:, np.newaxis]
    return keys


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """What fitting a line to scores of one number of pieces needs.

    ``places`` is where the scores stand: 1, 2, 3, ... or the logarithms of these; ``centre`` their
    mean. The scores times ``factors``, added up, are the slope; it is 0 through one point.
    """

    places: FloatArray
    centre: float
    factors: FloatArray


@lru_cache(maxsize=_KEPT_LENGTHS)
def line_of(length: int, *, is_power: bool) -> Line:
    """The line through so many scores, by their numbers or the logarithms of these."""
    numbers = np.arange(1.0, length + 1.0)
    places = np.log(numbers) if is_power else numbers
    centre = float(places.mean())
    apart = places - centre
    factors = apart / max(float(np.sum(apart * apart)), _LEAST)
    for kept in (places, factors):
        kept.flags.writeable = False
    return Line(places=places, centre=centre, factors=factors)


@cache
def exchanges(size: int) -> tuple[tuple[int, int], ...]:
    """The pairs of places to put in order, one after the other, to sort so many.

    Args:
        size: How many, 1 or more.

    Returns:
        Pairs of an earlier and a later place.

    Source: K. E. Batcher, Sorting networks and their applications (1968), odd-even merging, in
        the form of D. E. Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M.
    """
    pairs = []
    top = 1 << max(0, (size - 1).bit_length() - 1)
    stride = top
    while stride:
        step, shift, distance = top, 0, stride
        while True:
            pairs += [
                (place, place + distance)
                for place in range(size - distance)
                if place & stride == shift
            ]
            if step == stride:
                break
            distance, step, shift = step - stride, step >> 1, stride
        stride >>= 1
    return tuple(pairs)
