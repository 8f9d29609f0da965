"""Cells of one course as packed rows: made of what an LMS sent, and compared with what is kept.

A cell is a key, learner and line item in one number, and a row of twenty-eight bytes. Two cells
say the same where their bytes do.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mapping.columns import NO_MOMENT, IntArray
from mapping.records import LearnerId, LearnerRef, LineItemId
from mapping.score_columns import ScoreColumns
from store.arrays import Array
from store.item_rows import ItemKey
from store.packing import LATE, OVERRIDDEN, RETRIED, SECONDS_BEFORE_2000, STATE, VISIBLE

Keys: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
ROW = np.dtype(
    [
        *(("points", "f8"), ("points_deducted", "f8"), ("submitted_at", "i4")),
        *(("graded_at", "i4"), ("attempt", "i2"), ("flags", "i2")),
    ]
)
FIELDS: tuple[str, ...] = ROW.names or ()
_WORDS = ROW.itemsize // 4
_ITEM_BITS = 32
_ITEM = (1 << _ITEM_BITS) - 1
NO_SECOND = -(2**31)
_LAST_SECOND = 2**31 - 1
_LAST_ATTEMPT = 2**15 - 1
_ZEROS = repeat(0)


@dataclass(slots=True)
class Cells:
    """Cells by their keys, in the keys' order."""

    keys: Keys
    rows: Array

    @classmethod
    def of(cls, keys: Keys, rows: Array) -> Self:
        """Cells in any order; where one is there twice, the later one."""
        if (keys[1:] > keys[:-1]).all():
            return cls(keys, rows)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        is_last = np.append(keys[1:] != keys[:-1], np.ones(1, np.bool_))
        if not is_last.all():
            keys, order = keys[is_last], order[is_last]
        # Rows of several fields are taken ten times as fast as they are indexed.
        return cls(keys, rows.take(order))

    def __len__(self) -> int:
        return len(self.keys)

    def where(self, mask: Mask) -> "Cells":
        """Some of them."""
        return Cells(self.keys[mask], self.rows.take(np.flatnonzero(mask)))

    def items(self) -> Keys:
        """Whose line item each is."""
        return items_of(self.keys)

    def learners(self) -> Keys:
        """Whose learner each is."""
        return learners_of(self.keys)

    def states(self) -> Array:
        """The ``ScoreState`` of each."""
        return self.rows["flags"] & STATE

    def compared(self, found: "Cells") -> tuple[Mask, Mask]:
        """Which of the cells found are among these, and which say something else than these.

        Cells found keep in mind, ``RETRIED``, that they were of another attempt once, as these
        say: so nobody looks among events in vain for attempts that were written over.
        """
        places, is_known = self._places(found.keys)
        if is_known.all():
            return is_known, _retold(self.rows.take(places), found.rows)
        is_other = ~is_known
        rows = found.rows[is_known]
        is_other[is_known] = _retold(self.rows.take(places[is_known]), rows)
        found.rows[is_known] = rows
        return is_known, is_other

    def put(self, found: "Cells") -> None:
        """Take cells in, in place of those of the same keys."""
        places, is_known = self._places(found.keys)
        self.rows[places[is_known]] = found.rows[is_known]
        new = found.where(~is_known)
        if len(new):
            places = places[~is_known]
            self.keys = np.insert(self.keys, places, new.keys)
            self.rows = np.insert(self.rows, places, new.rows)

    def _places(self, keys: Keys) -> tuple[NDArray[np.intp], Mask]:
        places = np.searchsorted(self.keys, keys)
        is_known = np.zeros(len(keys), np.bool_)
        inside = places < len(self.keys)
        is_known[inside] = self.keys[places[inside]] == keys[inside]
        return places, is_known


def keys_of(items: Array, learners: Array) -> Keys:
    """Line items and learners as keys: a learner's keys follow one another."""
    return (learners.astype(np.int64) << _ITEM_BITS) | items.astype(np.int64)


def keys_in(cells: Collection[tuple[int, int]]) -> Keys:
    """Pairs of line item and learner as keys."""
    both = np.array(sorted(cells), np.int64).reshape(-1, 2)
    return keys_of(both[:, 0], both[:, 1])


def items_of(keys: Keys) -> Keys:
    """The line items in keys."""
    return keys & _ITEM


def learners_of(keys: Keys) -> Keys:
    """The learners in keys."""
    return keys >> _ITEM_BITS


def packed(
    page: ScoreColumns,
    items: Mapping[ItemKey, LineItemId],
    learners: Mapping[LearnerRef, LearnerId],
) -> tuple[Keys, Array]:
    """Scores as keys and packed rows.

    Moments and attempts beyond what a row can keep become the nearest that it can.

    Args:
        page: The scores.
        items: Line items by their references.
        learners: Learners by their references.

    Returns:
        The key of each score's cell, 0 where its column or person is not known; and its row.
    """
    rows = np.empty(len(page), ROW)
    rows["points"] = page.points + 0.0  # No minus zero: it would be other bytes.
    rows["points_deducted"] = np.where(page.points_deducted == 0, np.nan, page.points_deducted)
    rows["submitted_at"] = packed_seconds(page.submitted_at)
    rows["graded_at"] = packed_seconds(page.graded_at)
    rows["attempt"] = page.attempt.clip(0, _LAST_ATTEMPT)
    rows["flags"] = (
        page.state.astype(np.int16)
        | _bits(page.is_visible, VISIBLE)
        | _bits(page.is_late, LATE)
        | _bits(page.is_overridden, OVERRIDDEN)
    )
    return _keys(page, items, learners), rows


def packed_seconds(seconds: IntArray) -> Array:
    """Seconds since 1970 as a packed row has them, ``NO_SECOND`` for ``NO_MOMENT``."""
    bounded = np.clip(seconds - SECONDS_BEFORE_2000, -_LAST_SECOND, _LAST_SECOND)
    return np.where(seconds == NO_MOMENT, NO_SECOND, bounded).astype(np.int32)


def _keys(
    page: ScoreColumns,
    items: Mapping[ItemKey, LineItemId],
    learners: Mapping[LearnerRef, LearnerId],
) -> Keys:
    count = len(page)
    found = map(items.get, zip(page.line_item_ref, page.criterion_ref, strict=True), _ZEROS)
    if page.criterion_ref.count(None) == count >= len(items):
        by_ref = {ref: number for (ref, criterion), number in items.items() if criterion is None}
        found = map(by_ref.get, page.line_item_ref, _ZEROS)
    item = np.fromiter(found, "i8", count)
    learner = np.fromiter(map(learners.get, page.learner_ref, _ZEROS), "i8", count)
    return np.where((item > 0) & (learner > 0), keys_of(item, learner), 0)


def _bits(facts: Mask, bit: int) -> Any:  # noqa: ANN401 - an array of small numbers
    return facts * np.int16(bit)


def _retold(before: Array, rows: Array) -> Mask:
    """Which rows say something else than before, where they came to keep retries in mind."""
    is_other = before["attempt"] != rows["attempt"]
    retried = before["flags"] & RETRIED | _bits(is_other, RETRIED)
    if retried.any():
        rows["flags"] |= retried
    return _differ(before, rows)


def _differ(one: Array, other: Array) -> Mask:
    words = (len(one), _WORDS)
    is_other: Mask = (
        np.ascontiguousarray(one).view("u4").reshape(words)
        != np.ascontiguousarray(other).view("u4").reshape(words)
    ).any(axis=1)
    return is_other
