"""Cells of one course as packed rows: made of what an LMS sent, and compared with what is kept.

A cell is a key, line item and learner in one number, and a row of twenty-eight bytes. Two cells
say the same where their bytes do.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import repeat
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
_ZEROS = repeat(0)
_NEVER = timedelta.min
_SECONDS_A_DAY = 86_400
# What Python and NumPy raise for a number, a moment or a word that is none they can take.
UNREADABLE = (TypeError, ValueError, OverflowError, AttributeError)
_REFS = 3
_Facts: TypeAlias = tuple[Sequence[Any], ...]


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


def packed(
    page: Sequence[Score],
    items: Mapping[ItemKey, LineItemId],
    learners: Mapping[LearnerRef, LearnerId],
) -> tuple[Keys, Array, Mask]:
    """Scores as keys and packed rows.

    Moments and attempts beyond what a row can keep become the nearest that it can. A score whose
    points are no finite number, or that holds what is no number at all, has no row that counts.

    Args:
        page: The scores.
        items: Line items by their references.
        learners: Learners by their references.

    Returns:
        The key of each score's cell, 0 where its column or person is not known; its row; and
        whether the row counts.
    """
    if not page:
        return np.empty(0, np.int64), np.empty(0, ROW), np.empty(0, np.bool_)
    facts = _facts(page)
    keys = _keys(facts, items, learners)
    try:
        rows = _rows(facts[_REFS:])
    except UNREADABLE:
        rows = _one_by_one(facts[_REFS:])
    is_fine = ~np.isinf(rows["points"]) & ~np.isinf(rows["points_deducted"])
    return keys, rows, is_fine


def whole_seconds(moments: Sequence[datetime | None]) -> Array:
    """Moments as a packed row has them.

    Raises:
        TypeError: A moment is not aware.
    """  # noqa: DOC502 - raised by subtracting
    # Of a difference in days and seconds, which is exact: a timestamp takes twice as long.
    since = [_NEVER if one is None else one - EPOCH_2000 for one in moments]
    count = len(since)
    days = np.fromiter([one.days for one in since], np.int64, count)
    seconds = np.fromiter([one.seconds for one in since], np.int64, count)
    bounded = np.clip(days * _SECONDS_A_DAY + seconds, -_LAST_SECOND, _LAST_SECOND)
    bounded[days == _NEVER.days] = NO_SECOND
    whole: Array = bounded.astype(np.int32)
    return whole


def _facts(page: Sequence[Score]) -> _Facts:
    # A comprehension a column: Python reads one attribute of many objects twice as fast as many
    # of one, and NumPy takes bare numbers ten times as fast as an enum's members.
    return (
        [one.line_item_ref for one in page],
        [one.criterion_ref for one in page],
        [one.learner_ref for one in page],
        [one.points for one in page],
        [one.points_deducted for one in page],
        [one.submitted_at for one in page],
        [one.graded_at for one in page],
        [one.attempt for one in page],
        bytes([one.state for one in page]),
        [one.is_visible for one in page],
        [one.is_late for one in page],
        [one.is_overridden for one in page],
    )


def _keys(
    facts: _Facts,
    items: Mapping[ItemKey, LineItemId],
    learners: Mapping[LearnerRef, LearnerId],
) -> Keys:
    count = len(facts[0])
    found = map(items.get, zip(facts[0], facts[1], strict=True), _ZEROS)
    if facts[1].count(None) == count >= len(items):
        by_ref = {ref: number for (ref, criterion), number in items.items() if criterion is None}
        found = map(by_ref.get, facts[0], _ZEROS)
    item = np.fromiter(found, "i8", count)
    learner = np.fromiter(map(learners.get, facts[2], _ZEROS), "i8", count)
    return np.where((item > 0) & (learner > 0), keys_of(item, learner), 0)


def _one_by_one(facts: _Facts) -> Array:
    rows = np.zeros(len(facts[0]), ROW)
    for place, one in enumerate(zip(*facts, strict=True)):
        try:
            rows[place] = _rows(tuple((fact,) for fact in one))[0]
        except UNREADABLE:
            rows[place]["points"] = _POISONED
    return rows


def _rows(facts: _Facts) -> Array:
    points, deducted, submitted, graded, attempt, state, visible, late, overridden = facts
    rows = np.zeros(len(points), ROW)
    rows["points"] = _points(points)
    rows["points_deducted"] = _deductions(deducted)
    rows["submitted_at"] = whole_seconds(submitted)
    rows["graded_at"] = whole_seconds(graded)
    rows["attempt"] = np.fromiter(attempt, np.int64, len(attempt)).clip(0, _LAST_ATTEMPT)
    rows["flags"] = (
        np.frombuffer(bytes(state), np.uint8).astype(np.int16)
        | _bits_of(visible, VISIBLE)
        | _bits_of(late, LATE)
        | _bits_of(overridden, OVERRIDDEN)
    )
    return rows


def _deductions(deducted: Sequence[float]) -> NDArray[np.float64]:
    """What is taken off; none is absent, and what is no number is told from it as poison."""
    found = np.fromiter(deducted, np.float64, len(deducted))
    found[np.isnan(found)] = _POISONED
    found[found == 0] = np.nan
    return found


def _points(points: Sequence[float | None]) -> NDArray[np.float64]:
    found = np.fromiter(points, np.float64, len(points))
    for place in np.flatnonzero(np.isnan(found)).tolist():
        if points[place] is not None:  # The LMS sent what is no number, which is not nothing.
            found[place] = _POISONED
    return found + 0.0  # No minus zero: it would be other bytes.


def _bits(facts: Sequence[bool] | Mask, bit: int) -> Any:  # noqa: ANN401 - an array of small numbers
    return np.array(facts, np.bool_) * np.int16(bit)


def _bits_of(facts: Sequence[bool], bit: int) -> Any:  # noqa: ANN401 - an array of small numbers
    try:
        return _bits(np.frombuffer(bytes(facts), np.uint8) != 0, bit)
    except (TypeError, ValueError):
        return _bits(facts, bit)


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
