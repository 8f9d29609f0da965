"""Scores and what they speak for: brought together once, for every rule and both views."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mapping.columns import BoolArray, IntArray, placed, ranked, runs
from mapping.evidence.tables import AlignmentTable, ScoreTable
from mapping.ordering import ordering


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matches:
    """A row for each score and each alignment of its line item; make them with ``of``.

    ``row`` are rows of ``scores``, in ``order``: that of learner, line item and attempt.
    ``aligned`` are rows of ``alignments``. ``learner`` and ``competency`` are the pairs that any
    of it speaks for, ascending; ``pair`` is the number of each row's pair.
    """

    scores: ScoreTable
    alignments: AlignmentTable
    order: IntArray
    row: IntArray
    aligned: IntArray
    learner: IntArray
    competency: IntArray
    pair: IntArray

    @classmethod
    def of(cls, scores: ScoreTable, alignments: AlignmentTable) -> Self:
        """Bring them together.

        Args:
            scores: Any order; the order of learner, line item and attempt is the fastest.
            alignments: Which line item speaks for which competency.
        """
        order = ordering((scores.learner, scores.line_item, scores.attempt))
        place, aligned = _paired(scores.line_item[order], alignments.line_item)
        row = order[place]
        learner, learners = ranked(scores.learner)
        competency, competencies = ranked(alignments.competency)
        code = learner[row]
        code *= competencies.size
        code += competency[aligned]
        pair, codes = ranked(code)
        return cls(
            scores=scores,
            alignments=alignments,
            order=order,
            row=row,
            aligned=aligned,
            learner=learners[codes // max(competencies.size, 1)],
            competency=competencies[codes % max(competencies.size, 1)],
            pair=pair,
        )

    def only(self, is_kept: BoolArray) -> Self:
        """Some of the pairs, with every attempt at the line items that speak for them.

        Args:
            is_kept: Length pairs.
        """
        if is_kept.all():
            return self
        at = np.flatnonzero(is_kept[self.pair])
        row = self.row[at]
        is_used = np.zeros(len(self.scores), dtype=np.bool_)
        is_used[row] = True
        used = self.order[is_used[self.order]]
        number = np.empty(len(self.scores), dtype=np.int64)
        number[used] = np.arange(used.size)
        return type(self)(
            scores=self.scores.rows(used),
            alignments=self.alignments,
            order=np.arange(used.size),
            row=number[row],
            aligned=self.aligned[at],
            learner=self.learner[is_kept],
            competency=self.competency[is_kept],
            pair=(np.cumsum(is_kept) - 1)[self.pair[at]],
        )

    def any_of(self, is_sought: BoolArray) -> BoolArray:
        """Which pairs some of the scores speak for.

        Args:
            is_sought: Length scores.
        """
        found = np.zeros(self.learner.size, dtype=np.bool_)
        found[self.pair[is_sought[self.row]]] = True
        return found


def _paired(scored: IntArray, aligned: IntArray) -> tuple[IntArray, IntArray]:
    """Row numbers of every pair of equal ids; ``aligned`` ascends."""
    starts = runs((aligned,))
    place = placed(scored, aligned[starts[:-1]])
    # What is in no alignment has the place after the last, of size 0.
    times = np.append(np.diff(starts), 0)[place]
    row = np.repeat(np.arange(scored.size), times)
    # Where a score's first row is taken from its own number, its alignments run on from there.
    first = starts[place]
    first -= np.cumsum(times)
    first += times
    found = first[row]
    found += np.arange(row.size)
    return row, found
