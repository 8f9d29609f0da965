"""What a change of policy would do: learners judged as it would have it, beside where they stand.

Counted a batch of learners at a time, in columns; nobody is kept but a few examples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mapping.columns import BoolArray, IntArray
from mapping.evidence.tables import View
from mapping.kept import Changes, KeptTable, differing
from mapping.pairs import joined
from mapping.records import CompetencyId, LearnerId
from mapping.status import Status

NO_SCHOOL = 0
"""Stands for the school of a learner who is in none."""
_STATUSES = len(Status)
_EVIDENCED = [one for one in Status if one is not Status.NO_EVIDENCE]
_FEW = 25
"""Examples that are kept, at most so many of one move."""
_FEW_A_MOVE = 5
_Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Somebody who would stand otherwise."""

    learner: LearnerId
    competency: CompetencyId
    before: Status
    after: Status
    estimate_before: float | None
    estimate_after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnout:
    """How many stand in each status, before and after; whoever has no evidence is left out."""

    before: Mapping[Status, int]
    after: Mapping[Status, int]

    @property
    def mastered(self) -> tuple[int, int]:
        """How many count as mastery, before and after."""
        return _mastered(self.before), _mastered(self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a change would do, in the view of teachers but for marks.

    Strands are told by competency, and counted nowhere else: what makes them up is.

    Attributes:
        learners: Of how many learners the evidence was judged.
        concerned: How many of them would stand otherwise in any competency.
        same: Standings that would be the same, their estimates included.
        changed: Standings that would be others in anything.
        moves: How many would go from one status to another; both are different.
        by_competency: Only competencies in which a status would be another.
        by_school: All schools that learners of the judged are in, ``NO_SCHOOL`` for none.
        examples: Some that would go to another status, few of each move.
        marks: Cells of gradebooks that may say something else, at most: what decides their words
            changes, which does not always change the words.
    """

    learners: int
    concerned: int
    same: int
    changed: int
    moves: Mapping[tuple[Status, Status], int]
    by_competency: Mapping[CompetencyId, Turnout]
    by_school: Mapping[int, Turnout]
    examples: Sequence[Example]
    marks: int

    @property
    def moved(self) -> int:
        """How many would go to another status."""
        return sum(self.moves.values())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """Cells that gradebooks have for learners: who has which competency's, each once.

    ``learner`` ascends; a learner has one for each course that shows a competency.
    """

    learner: IntArray
    competency: IntArray

    @classmethod
    def none(cls) -> "Columns":
        """No gradebook is written to."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(learner=empty, competency=empty)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Some learners before and after, both views of each.

    Attributes:
        learner: Ascending ids.
        school: Of each learner, by an id.
        before: Where they stand; everything that the change may concern.
        after: Where they would.
        cells: What gradebooks show of them.
    """

    learner: IntArray
    school: IntArray
    before: KeptTable
    after: KeptTable
    cells: Columns = field(default_factory=Columns.none)


class Tally:
    """Adds batches up."""

    def __init__(self, strands: IntArray, recounted: IntArray) -> None:
        """Begin with nobody.

        Args:
            strands: Competencies that others are part of.
            recounted: Those of them of which another number of competencies can be shown: "3 of
                8" becomes "3 of 9".
        """
        self._strands, self._recounted = strands, recounted
        self._learners = self._concerned = self._same = self._changed = self._marks = 0
        self._moves: _Counts = np.zeros((_STATUSES, _STATUSES), dtype=np.int64)
        self._competencies: dict[int, _Counts] = {}
        self._schools: dict[int, _Counts] = {}
        self._examples: list[Example] = []
        self._shown: dict[tuple[int, int], int] = {}
        self._moved: set[int] = set()

    def add(self, batch: Batch) -> None:
        """Count some learners, none of whom was counted before."""
        changes = differing(batch.before, batch.after)
        seen = changes.rows(np.flatnonzero(changes.after.view == View.TEACHER))
        is_teachers = batch.after.view == View.TEACHER
        self._learners += batch.learner.size
        self._concerned += np.unique(seen.after.learner).size
        self._changed += len(seen)
        is_left = np.isin(seen.after.place, batch.after.place)
        self._same += int(np.count_nonzero(is_teachers)) - int(np.count_nonzero(is_left))
        self._count_statuses(batch)
        self._count_moves(seen)
        is_shown = (changes.after.view == View.LEARNER) & changes.is_shown
        self._marks += self._rewritten(changes.after.rows(is_shown), batch)

    def effect(self) -> Effect:
        """What was counted."""
        return Effect(
            learners=self._learners,
            concerned=self._concerned,
            same=self._same,
            changed=self._changed,
            moves={
                (Status(before), Status(after)): int(self._moves[before, after])
                for before, after in np.argwhere(self._moves).tolist()
            },
            by_competency={
                CompetencyId(one): _turnout(counts)
                for one, counts in sorted(self._competencies.items())
                if one in self._moved
            },
            by_school={one: _turnout(counts) for one, counts in sorted(self._schools.items())},
            examples=tuple(self._examples),
            marks=self._marks,
        )

    def _count_statuses(self, batch: Batch) -> None:
        for side, both_views in enumerate((batch.before, batch.after)):
            table = both_views.rows(np.flatnonzero(both_views.view == View.TEACHER))
            status = table.status.astype(np.int64)
            _add_up(self._competencies, table.competency, status, side=side)
            is_plain = ~self._is_strand(table.competency)
            row = np.searchsorted(batch.learner, table.learner)
            _add_up(self._schools, batch.school[row[is_plain]], status[is_plain], side=side)

    def _count_moves(self, seen: Changes) -> None:
        before, after = (one.status.astype(np.int64) for one in (seen.before, seen.after))
        self._moved.update(np.unique(seen.after.competency[before != after]).tolist())
        is_move = (before != after) & ~self._is_strand(seen.after.competency)
        np.add.at(self._moves, (before[is_move], after[is_move]), 1)
        if len(self._examples) < _FEW:
            self._show(seen.rows(np.flatnonzero(is_move)))

    def _show(self, moved: Changes) -> None:
        # What gains or loses mastery tells most.
        is_told = _is_mastered(moved.before.status) != _is_mastered(moved.after.status)
        for row in np.argsort(~is_told, kind="stable").tolist():
            if len(self._examples) >= _FEW:
                return
            move = int(moved.before.status[row]), int(moved.after.status[row])
            if self._shown.get(move, 0) < _FEW_A_MOVE:
                self._shown[move] = self._shown.get(move, 0) + 1
                self._examples.append(_example(moved, row))

    def _rewritten(self, shown: KeptTable, batch: Batch) -> int:
        """Cells of gradebooks in which something changes that they may show."""
        cells, learners = batch.cells, batch.after.rows(batch.after.view == View.LEARNER)
        is_recounted = np.isin(learners.competency, self._recounted)
        concerned = KeptTable.joined([shown, learners.rows(is_recounted)])
        row, cell = joined(concerned.learner, cells.learner)
        is_meant = concerned.competency[row] == cells.competency[cell]
        return int(np.unique(cell[is_meant]).size)

    def _is_strand(self, competency: IntArray) -> BoolArray:
        is_strand: BoolArray = np.isin(competency, self._strands)
        return is_strand


def _add_up(counts: dict[int, _Counts], key: IntArray, status: IntArray, *, side: int) -> None:
    """Count statuses by a key, on one side of the change."""
    keys, place = np.unique(key, return_inverse=True)
    found = np.bincount(place * _STATUSES + status, minlength=keys.size * _STATUSES)
    for row, one in enumerate(keys.tolist()):
        both = counts.setdefault(one, np.zeros((2, _STATUSES), dtype=np.int64))
        both[side] += found[row * _STATUSES : (row + 1) * _STATUSES]


def _turnout(counts: _Counts) -> Turnout:
    before, after = (_told(side) for side in counts)
    return Turnout(before=before, after=after)


def _told(side: _Counts) -> dict[Status, int]:
    return {one: int(side[one]) for one in _EVIDENCED if side[one]}


def _mastered(counts: Mapping[Status, int]) -> int:
    return sum(number for status, number in counts.items() if status.is_mastered)


def _is_mastered(status: NDArray[np.int8]) -> BoolArray:
    mastered = [int(one) for one in Status if one.is_mastered]
    is_mastered: BoolArray = np.isin(status, mastered)
    return is_mastered


def _example(moved: Changes, row: int) -> Example:
    before, after = moved.before, moved.after
    return Example(
        learner=LearnerId(int(after.learner[row])),
        competency=CompetencyId(int(after.competency[row])),
        before=Status(int(before.status[row])),
        after=Status(int(after.status[row])),
        estimate_before=_number(float(before.estimate[row])),
        estimate_after=_number(float(after.estimate[row])),
    )


def _number(estimate: float) -> float | None:
    return None if np.isnan(estimate) else estimate
