"""Pairs of learner and competency in columns: found again, and what else must be judged with them.

A changed score changes the standings of the competencies that it speaks for and of everything
above them; nothing else need be computed again.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mapping.columns import BoolArray, IntArray, placed, ranked
from mapping.evidence.tables import AlignmentTable
from mapping.ordering import ordering
from mapping.progressions.graph import NO_PARENT, Hierarchy

NOWHERE = -1
"""Stands for "not among them" in a column of row numbers."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Learner and competency, ascending by both, each pair once; make one with ``of``."""

    learner: IntArray
    competency: IntArray

    @classmethod
    def of(cls, learner: IntArray, competency: IntArray) -> Self:
        """Put pairs in order, repeated ones once.

        Args:
            learner: Length pairs.
            competency: Length pairs.
        """
        order = ordering((learner, competency))
        learner, competency = learner[order], competency[order]
        is_new = np.ones(order.size, dtype=np.bool_)
        is_new[1:] = (learner[1:] != learner[:-1]) | (competency[1:] != competency[:-1])
        return cls(learner=learner[is_new], competency=competency[is_new])

    @classmethod
    def none(cls) -> Self:
        """No pair."""
        return cls(learner=np.zeros(0, dtype=np.int64), competency=np.zeros(0, dtype=np.int64))

    def __len__(self) -> int:
        return self.learner.size

    def rows(self, index: IntArray | BoolArray) -> Self:
        """These rows; they must ascend as the pairs do."""
        return type(self)(learner=self.learner[index], competency=self.competency[index])

    def find(self, learner: IntArray, competency: IntArray) -> IntArray:
        """In which row each pair is.

        Args:
            learner: Length n.
            competency: Length n.

        Returns:
            Length n, ``NOWHERE`` for a pair that is not among them.
        """
        if len(self) == 0:
            return np.full(learner.shape, NOWHERE, dtype=np.int64)
        of_learner, learners = ranked(self.learner)
        of_competency, competencies = ranked(self.competency)
        width = competencies.size
        codes = of_learner * width + of_competency
        first, second = placed(learner, learners), placed(competency, competencies)
        # Whoever is not among them stands after the last, where no code is.
        sought = np.where(second < width, first * width + second, learners.size * width)
        row = placed(sought, codes)
        return np.where(row < len(self), row, NOWHERE)


def joined(left: IntArray, ascending: IntArray) -> tuple[IntArray, IntArray]:
    """Row numbers of every two equal ids, one of each column.

    Args:
        left: Ids in any order.
        ascending: Ids in order.

    Returns:
        Rows of ``left``, in its order, and rows of ``ascending``, both of length matches.
    """
    first = np.searchsorted(ascending, left, side="left")
    times = np.searchsorted(ascending, left, side="right") - first
    before = np.cumsum(times) - times
    row = np.repeat(np.arange(left.size), times)
    return row, np.arange(row.size) + np.repeat(first - before, times)


def pairs_of(learner: IntArray, line_item: IntArray, alignments: AlignmentTable) -> Pairs:
    """The pairs that some scores speak for.

    Args:
        learner: Length scores.
        line_item: Length scores.
        alignments: Which line item speaks for which competency, equivalents included.
    """
    row, aligned = joined(line_item, alignments.line_item)
    return Pairs.of(learner[row], alignments.competency[aligned])


def closure(pairs: Pairs, hierarchy: Hierarchy) -> Pairs:
    """The pairs, and the same learners' pairs with everything above their competencies.

    These are the standings that may change when those of ``pairs`` do.

    Args:
        pairs: What changed.
        hierarchy: Parents and their children.
    """
    learners, competencies = [pairs.learner], [pairs.competency]
    for _ in range(hierarchy.deepest):
        above = hierarchy.parent_of(competencies[-1])
        has_parent = above != NO_PARENT
        learners.append(learners[-1][has_parent])
        competencies.append(above[has_parent])
    return Pairs.of(np.concatenate(learners), np.concatenate(competencies))


def root_of(competency: IntArray, hierarchy: Hierarchy) -> IntArray:
    """The topmost ancestor of each competency, itself where it has none.

    Args:
        competency: Length n.
        hierarchy: Parents and their children.
    """
    for _ in range(hierarchy.deepest):
        above = hierarchy.parent_of(competency)
        competency = np.where(above == NO_PARENT, competency, above)
    return competency
