"""Standings of both views as they are kept, and what is new in others beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from mapping.columns import NO_MOMENT, BoolArray, CodeArray, FloatArray, IntArray
from mapping.evidence.tables import View
from mapping.ordering import ordering
from mapping.status import NO_LEVEL, OverrideState, StandingTable, Status

NO_RULE = -1
"""Stands for "by no rule" in a column of ids of rules."""
NO_STATUS = -1
"""Stands for "was never there" in a column of former statuses."""
SAME_ESTIMATE = 1e-9
"""Scale points by which estimates may differ in their last digits, by who was summed beside them.
"""

_LEARNER_BITS = 31
_ID = 2**_LEARNER_BITS - 1
_SHOWN = ("status", "level", "mastered_count", "override", "rule")
_UNSHOWN = ("evidence_count", "mastered_at", "review_at")


def places(learner: IntArray, competency: IntArray, view: IntArray | int) -> IntArray:
    """Each view of each learner's competency as one number, in the order view, learner, competency.

    Args:
        learner: Ids below 2**31, length n.
        competency: Ids below 2**31, length n.
        view: Codes of ``View``, one or of length n.
    """
    above: IntArray = np.left_shift(np.asarray(view, dtype=np.int64), 2 * _LEARNER_BITS)
    place: IntArray = above | (learner << _LEARNER_BITS) | competency
    return place


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeptTable:
    """Standings in columns, ascending by ``place``, each place once; make it with ``of``.

    The columns are those of ``StandingTable``, but ``rule`` holds ids that outlive a judgement,
    ``NO_RULE`` for none.
    """

    place: IntArray
    status: CodeArray
    level: CodeArray
    estimate: FloatArray
    evidence_count: IntArray
    mastered_count: IntArray
    mastered_at: IntArray
    review_at: IntArray
    override: CodeArray
    rule: IntArray

    @classmethod
    def of(cls, judged: Mapping[View, StandingTable], rule_ids: IntArray) -> Self:
        """Bring the views together.

        Args:
            judged: Each view's standings.
            rule_ids: What is kept of each rule of the judgement; empty to leave out which it was.
        """
        both = StandingTable.joined([judged[view] for view in View])
        rule = rule_ids[both.rule] if rule_ids.size else np.full(len(both), NO_RULE)
        place = [places(judged[v].learner, judged[v].competency, int(v)) for v in View]
        shared = {
            name: getattr(both, name) for name in cls.__slots__ if name not in ("place", "rule")
        }
        return cls(place=np.concatenate(place), rule=rule, **shared)

    @classmethod
    def nowhere(cls, place: IntArray) -> Self:
        """Where everybody stands of whom nothing is known, or nothing any more."""
        size = place.size
        return cls(
            place=place,
            status=np.full(size, Status.NO_EVIDENCE, dtype=np.int8),
            level=np.full(size, NO_LEVEL, dtype=np.int8),
            estimate=np.full(size, np.nan),
            evidence_count=np.zeros(size, dtype=np.int64),
            mastered_count=np.zeros(size, dtype=np.int64),
            mastered_at=np.full(size, NO_MOMENT),
            review_at=np.full(size, NO_MOMENT),
            override=np.full(size, OverrideState.NONE, dtype=np.int8),
            rule=np.full(size, NO_RULE),
        )

    @classmethod
    def joined(cls, tables: Sequence[Self]) -> Self:
        """One after the other, at least one."""
        return cls(
            **{
                name: np.concatenate([getattr(table, name) for table in tables])
                for name in cls.__slots__
            }
        )

    def __len__(self) -> int:
        return self.place.size

    @property
    def view(self) -> IntArray:
        """Codes of ``View``."""
        return self.place >> (2 * _LEARNER_BITS)

    @property
    def learner(self) -> IntArray:
        """Whose."""
        learner: IntArray = (self.place >> _LEARNER_BITS) & _ID
        return learner

    @property
    def competency(self) -> IntArray:
        """In which competency."""
        competency: IntArray = self.place & _ID
        return competency

    def rows(self, index: IntArray | BoolArray) -> Self:
        """These rows; they must ascend as the table does."""
        return type(self)(**{name: getattr(self, name)[index] for name in self.__slots__})

    def ordered(self) -> Self:
        """The same rows in the order of places."""
        if np.all(self.place[1:] > self.place[:-1]):
            return self
        return self.rows(ordering((self.view, self.learner, self.competency)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Changes:
    """What is new.

    Attributes:
        before: The former standings of the same places; where there was none, ``nowhere``.
        after: The present ones.
        was_there: Whether there was a former one.
        is_shown: Whether anything changed that a mark in a gradebook may show.
    """

    before: KeptTable
    after: KeptTable
    was_there: BoolArray
    is_shown: BoolArray

    def __len__(self) -> int:
        return len(self.after)

    def rows(self, index: IntArray | BoolArray) -> Self:
        """Some of them."""
        return type(self)(
            before=self.before.rows(index),
            after=self.after.rows(index),
            was_there=self.was_there[index],
            is_shown=self.is_shown[index],
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """One after the other, at least one."""
        return cls(
            before=KeptTable.joined([part.before for part in parts]),
            after=KeptTable.joined([part.after for part in parts]),
            was_there=np.concatenate([part.was_there for part in parts]),
            is_shown=np.concatenate([part.is_shown for part in parts]),
        )

    @property
    def has_new_status(self) -> BoolArray:
        """Where the status is another, or there was none."""
        changed: BoolArray = ~self.was_there | (self.before.status != self.after.status)
        return changed

    @property
    def previous_status(self) -> IntArray:
        """Codes of ``Status``, ``NO_STATUS`` where there was no standing."""
        return np.where(self.was_there, self.before.status.astype(np.int64), NO_STATUS)


def differing(before: KeptTable, after: KeptTable) -> Changes:
    """Find out what changed.

    Args:
        before: Every standing of some learners and competencies that was kept.
        after: Every standing of theirs now; one that is missing has lost its evidence.

    Returns:
        Only places where something differs by more than the last digits of an estimate.
    """
    row, was_there = _rows_in(before.place, after.place)
    is_gone = np.ones(len(before), dtype=np.bool_)
    is_gone[row[was_there]] = False
    former, gone = _picked(before, after.place, row=row, is_there=was_there), before.rows(is_gone)
    left = KeptTable.nowhere(gone.place)
    went = _changed(gone, left, np.ones(len(gone), dtype=np.bool_))
    return Changes.joined([_changed(former, after, was_there), went])


def _rows_in(ascending: IntArray, sought: IntArray) -> tuple[IntArray, BoolArray]:
    """In which row each place is, and whether it is there at all."""
    if np.array_equal(ascending, sought):
        return np.arange(sought.size), np.ones(sought.size, dtype=np.bool_)
    if ascending.size == 0:
        return np.zeros(sought.size, dtype=np.int64), np.zeros(sought.size, dtype=np.bool_)
    row = np.searchsorted(ascending, sought).clip(max=ascending.size - 1)
    return row, ascending[row] == sought


def _picked(table: KeptTable, place: IntArray, *, row: IntArray, is_there: BoolArray) -> KeptTable:
    """The rows of a table at some places, ``nowhere`` where it has none."""
    if is_there.all():
        return table.rows(row) if row.size else KeptTable.nowhere(place)
    picked = KeptTable.nowhere(place)
    for name in KeptTable.__slots__:
        getattr(picked, name)[is_there] = getattr(table, name)[row[is_there]]
    return picked


def _changed(before: KeptTable, after: KeptTable, was_there: BoolArray) -> Changes:
    is_shown = ~was_there | ~_is_near(before.estimate, after.estimate)
    for name in _SHOWN:
        is_shown |= getattr(before, name) != getattr(after, name)
    is_changed = is_shown.copy()
    for name in _UNSHOWN:
        is_changed |= getattr(before, name) != getattr(after, name)
    found = Changes(before=before, after=after, was_there=was_there, is_shown=is_shown)
    return found.rows(np.flatnonzero(is_changed))


def _is_near(one: FloatArray, other: FloatArray) -> BoolArray:
    with np.errstate(invalid="ignore"):
        is_near: BoolArray = np.abs(one - other) <= SAME_ESTIMATE
    return is_near | (np.isnan(one) & np.isnan(other))
