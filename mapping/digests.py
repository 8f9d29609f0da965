"""What the standings of a learner come to in sixteen bytes: the same only where all is the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

import numpy as np

from mapping.columns import NO_MOMENT, BoolArray, IntArray
from mapping.evidence.tables import View
from mapping.kept import KeptTable, places

_LAYOUT = b"1"
"""Another one where the columns of a standing become others: then no former digest is met."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Digests:
    """The digest of each learner in two numbers; ``high`` is ``NO_MOMENT`` where there is none.

    ``learner`` ascends.
    """

    learner: IntArray
    high: IntArray
    low: IntArray

    @classmethod
    def of(cls, table: KeptTable, learner: IntArray) -> Self:
        """Of standings in both views, whatever else is among them.

        Args:
            table: All standings of these learners.
            learner: Ascending ids.
        """
        rows = memoryview(np.ascontiguousarray(_packed(table)).view(np.uint8).data)
        width = rows.nbytes // len(table) if len(table) else 0
        told = b"".join(
            _digest(
                rows[start * width : end * width] for start, end in zip(starts, ends, strict=True)
            )
            for starts, ends in _segments(table, learner)
        )
        high, low = np.frombuffer(told, dtype="<i8").reshape(-1, 2).T
        return cls(learner=learner, high=np.where(high == NO_MOMENT, 0, high), low=low.copy())

    @classmethod
    def none(cls) -> Self:
        """Of nobody."""
        nobody = np.zeros(0, dtype=np.int64)
        return cls(learner=nobody, high=nobody, low=nobody)

    @property
    def is_there(self) -> BoolArray:
        """Of whom there is a digest."""
        is_there: BoolArray = self.high != NO_MOMENT
        return is_there

    def rows(self, index: BoolArray) -> Self:
        """Some of them."""
        return type(self)(learner=self.learner[index], high=self.high[index], low=self.low[index])

    def equals(self, other: Self) -> BoolArray:
        """Where those of the same learners are the same, be it that there is none."""
        is_equal: BoolArray = (self.high == other.high) & (self.low == other.low)
        return is_equal


def _packed(table: KeptTable) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    columns = {name: getattr(table, name) for name in KeptTable.__slots__}
    packed = np.empty(len(table), dtype=[(name, one.dtype) for name, one in columns.items()])
    for name, column in columns.items():
        packed[name] = column
    return packed


def _segments(
    table: KeptTable, learner: IntArray
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Where the rows of each learner begin and end, in each view."""
    no_competency = np.zeros(learner.size, dtype=np.int64)
    starts, ends = [], []
    for view in View:
        starts.append(np.searchsorted(table.place, places(learner, no_competency, int(view))))
        following = places(learner + 1, no_competency, int(view))
        ends.append(np.searchsorted(table.place, following))
    columns = (zip(*(one.tolist() for one in bounds), strict=True) for bounds in (starts, ends))
    return zip(*columns, strict=True)


def _digest(parts: Iterator[memoryview]) -> bytes:
    found = blake2b(_LAYOUT, digest_size=16)
    for part in parts:
        found.update(part)
    return found.digest()
