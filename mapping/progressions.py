"""The framework graph: which competency is part of which strand."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from mapping.columns import IntArray

NO_PARENT = -1
"""Stands for "no parent" in a column of competencies; ids are 0 or more."""


class HierarchyRefused(ValueError):  # noqa: N818 - named for what happened
    """Competencies that form no hierarchy.

    Attributes:
        competencies: The ids concerned, ascending.
    """

    def __init__(self, message: str, competencies: Iterable[int]) -> None:
        self.competencies = tuple(sorted(competencies))
        super().__init__(f"{message}: {', '.join(map(str, self.competencies))}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hierarchy:
    """Every competency with its parent; make one with ``of``.

    ``competency`` ascends without repetition; ``parent`` is of the same length, ``NO_PARENT``
    where there is none; ``depth`` counts the ancestors.
    """

    competency: IntArray
    parent: IntArray
    depth: IntArray

    @classmethod
    def of(cls, parents: Iterable[tuple[int, int | None]]) -> Self:
        """Build the hierarchy.

        Args:
            parents: Competency and parent, None where there is none. A parent need not be
                listed itself; it then has none.

        Returns:
            The hierarchy.

        Raises:
            HierarchyRefused: A competency is listed twice, or is its own ancestor.
        """
        listed = list(parents)
        by_id = dict(listed)
        if len(by_id) < len(listed):
            seen = Counter(competency for competency, _ in listed)
            twice = [competency for competency, times in seen.items() if times > 1]
            raise HierarchyRefused("These competencies are listed twice", twice)
        roots = {parent for parent in by_id.values() if parent is not None} - by_id.keys()
        rows = sorted([*by_id.items(), *((root, None) for root in roots)])
        competency = np.array([row for row, _ in rows], dtype=np.int64)
        parent = np.array([NO_PARENT if p is None else p for _, p in rows], dtype=np.int64)
        return cls(competency=competency, parent=parent, depth=_depths(competency, parent))

    @property
    def deepest(self) -> int:
        """The greatest depth, 0 for an empty hierarchy."""
        return int(self.depth.max(initial=0))

    def parent_of(self, competencies: IntArray) -> IntArray:
        """The parent of each competency, ``NO_PARENT`` for one without or unknown."""
        return self._looked_up(self.parent, competencies, NO_PARENT)

    def depth_of(self, competencies: IntArray) -> IntArray:
        """The number of ancestors of each competency, 0 for an unknown one."""
        return self._looked_up(self.depth, competencies, 0)

    def children_of(self, competency: int) -> tuple[int, ...]:
        """The direct children of a competency, ascending."""
        return tuple(self.competency[self.parent == competency].tolist())

    def _looked_up(self, column: IntArray, competencies: IntArray, absent: int) -> IntArray:
        if self.competency.size == 0:
            return np.full(competencies.shape, absent, dtype=np.int64)
        at = np.searchsorted(self.competency, competencies).clip(max=self.competency.size - 1)
        return np.where(self.competency[at] == competencies, column[at], absent)


def _depths(competency: IntArray, parent: IntArray) -> IntArray:
    depth = np.zeros(competency.size, dtype=np.int64)
    above = parent
    for _ in range(competency.size):
        is_climbing = above != NO_PARENT
        if not is_climbing.any():
            return depth
        depth += is_climbing
        at = np.searchsorted(competency, above).clip(max=competency.size - 1)
        above = np.where(is_climbing, parent[at], NO_PARENT)
    if competency.size:
        raise HierarchyRefused(
            "These competencies are among their own ancestors or below such ones",
            competency[above != NO_PARENT].tolist(),
        )
    return depth
