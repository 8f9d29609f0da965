"""Cells of one course as packed rows: made of what an LMS sent, and compared with what is kept.

A cell is a key, line item and learner in one number, and a row of twenty-eight bytes. Two cells
say the same where their bytes do.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mapping.records import LearnerId, LearnerRef, LineItemId, Score
from store.arrays import Array
from store.item_rows import ItemKey
from store.packing import EPOCH_2000, LATE, OVERRIDDEN, RETRIED, STATE, VISIBLE

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
_LEARNER_BITS = 32
_LEARNER = (1 << _LEARNER_BITS) - 1
NO_SECOND = -(2**31)
_LAST_SECOND = 2**31 - 1
_LAST_ATTEMPT = 2**15 - 1
_POISONED = np.inf
# What Python and NumPy raise for a number, a moment or a word that is none they can take.
UNREADABLE = (TypeError, ValueError, OverflowError)
_REFS = attrgetter("line_item_ref", "criterion_ref", "learner_ref")
_FACTS = attrgetter(
    *("points", "points_deducted", "submitted_at", "graded_at", "attempt"),
    *("state", "is_visible", "is_late", "is_overridden"),
)


@dataclass(slots=True)
class Cells:
    """Cells by their keys, in the keys' order."""

    keys: Keys
    rows: Array

    @classmethod
    def of(cls, keys: Keys, rows: Array) -> Self:
        """Cells in any order; where one is there twice, the later one."""
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        is_last = np.append(keys[1:] != keys[:-1], np.ones(min(len(keys), 1), np.bool_))
        return cls(keys[is_last], rows[order][is_last])

    def __len__(self) -> int:
        return len(self.keys)

    def where(self, mask: Mask) -> "Cells":
        """Some of them."""
        return Cells(self.keys[mask], self.rows[mask])

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
        """Which of the cells found are among these, and which say something else than these."""
        places, is_known = self._places(found.keys)
        is_other = ~is_known
        is_other[is_known] = _differ(self.rows[places[is_known]], found.rows[is_known])
        return is_known, is_other

    def remember(self, found: "Cells") -> None:
        """Have cells found keep in mind that they were of another attempt once, as these say.

        So nobody looks among events in vain for attempts that were written over.
        """
        places, is_known = self._places(found.keys)
        before = self.rows[places[is_known]]
        is_other = before["attempt"] != found.rows["attempt"][is_known]
        found.rows["flags"][is_known] |= before["flags"] & RETRIED | _bits(is_other, RETRIED)

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
    """Line items and learners as keys."""
    return (items.astype(np.int64) << _LEARNER_BITS) | learners.astype(np.int64)


def keys_in(cells: Collection[tuple[int, int]]) -> Keys:
    """Pairs of line item and learner as keys."""
    both = np.array(sorted(cells), np.int64).reshape(-1, 2)
    return keys_of(both[:, 0], both[:, 1])


def items_of(keys: Keys) -> Keys:
    """The line items in keys."""
    return keys >> _LEARNER_BITS


def learners_of(keys: Keys) -> Keys:
    """The learners in keys."""
    return keys & _LEARNER


def places_of(
    page: Sequence[Score],
    items: Mapping[ItemKey, LineItemId],
    learners: Mapping[LearnerRef, LearnerId],
) -> Keys:
    """The key of each score's cell; 0 for scores of people or columns that are not known."""
    named = [
        (items.get((item, criterion), 0), learners.get(learner, 0))
        for item, criterion, learner in map(_REFS, page)
    ]
    both = np.array(named, np.int64).reshape(-1, 2)
    keys = keys_of(both[:, 0], both[:, 1])
    return np.where((both > 0).all(axis=1), keys, 0)


def rows_of(page: Sequence[Score]) -> tuple[Array, Mask]:
    """Scores as packed rows.

    Moments and attempts beyond what a row can keep become the nearest that it can. A score whose
    points are no finite number, or that holds what is no number at all, has no row that counts.

    Returns:
        A row for each score, and which of them count.
    """
    try:
        rows = _rows(page)
    except UNREADABLE:
        return _one_by_one(page)
    is_fine = ~np.isinf(rows["points"]) & np.isfinite(rows["points_deducted"])
    rows["points_deducted"][rows["points_deducted"] == 0] = np.nan
    return rows, is_fine


def second_of(moment: datetime | None) -> float:
    """Seconds since 2000 of an aware moment, NaN for none.

    Raises:
        TypeError: The moment is not aware.
    """  # noqa: DOC502 - raised by datetime
    return np.nan if moment is None else (moment - EPOCH_2000).total_seconds()


def whole_seconds(seconds: Sequence[float]) -> Array:
    """Seconds since 2000 as a packed row has them."""
    floored = np.floor(np.array(seconds, np.float64))
    bounded = np.clip(floored, -_LAST_SECOND, _LAST_SECOND)
    return np.where(np.isnan(floored), NO_SECOND, bounded).astype(np.int32)


def _one_by_one(page: Sequence[Score]) -> tuple[Array, Mask]:
    rows = np.zeros(len(page), ROW)
    is_fine = np.zeros(len(page), np.bool_)
    for place, score in enumerate(page):
        try:
            row = _rows([score])
        except UNREADABLE:
            continue
        rows[place] = row[0]
        is_fine[place] = not np.isinf(row["points"][0]) and np.isfinite(row["points_deducted"][0])
    rows["points_deducted"][rows["points_deducted"] == 0] = np.nan
    return rows, is_fine


def _rows(page: Sequence[Score]) -> Array:
    rows = np.zeros(len(page), ROW)
    if not len(page):
        return rows
    points, deducted, submitted, graded, attempt, state, visible, late, overridden = zip(
        *map(_FACTS, page), strict=True
    )
    rows["points"] = _points(points)
    rows["points_deducted"] = deducted
    rows["submitted_at"] = whole_seconds([second_of(moment) for moment in submitted])
    rows["graded_at"] = whole_seconds([second_of(moment) for moment in graded])
    rows["attempt"] = np.clip(np.array(attempt, np.int64), 0, _LAST_ATTEMPT)
    rows["flags"] = (
        np.array(state, np.int16)
        | _bits(visible, VISIBLE)
        | _bits(late, LATE)
        | _bits(overridden, OVERRIDDEN)
    )
    return rows


def _points(points: Sequence[float | None]) -> NDArray[np.float64]:
    found = np.array(points, np.float64)
    for place in np.flatnonzero(np.isnan(found)).tolist():
        if points[place] is not None:  # The LMS sent what is no number, which is not nothing.
            found[place] = _POISONED
    return found + 0.0  # No minus zero: it would be other bytes.


def _bits(facts: Sequence[bool] | Mask, bit: int) -> Any:  # noqa: ANN401 - an array of small numbers
    return np.array(facts, np.bool_) * np.int16(bit)


def _differ(one: Array, other: Array) -> Mask:
    words = (len(one), _WORDS)
    is_other: Mask = (
        np.ascontiguousarray(one).view("u4").reshape(words)
        != np.ascontiguousarray(other).view("u4").reshape(words)
    ).any(axis=1)
    return is_other
