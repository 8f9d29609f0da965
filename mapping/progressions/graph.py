"""The framework graph: which competency is part of which, comes before which, is which.

Every competency has one parent at most; that is what statuses are rolled up along. Links run
across: evidence of an equivalent or of what a competency replaces speaks for it too, and what
precedes it says who is ready for it.
"""

from collections import Counter, deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np

from mapping.columns import BoolArray, IntArray, runs
from mapping.evidence.tables import NOT_BRIDGED, AlignmentTable
from mapping.records import LinkKind

NO_PARENT = -1
"""Stands for "no parent" in a column of competencies; ids are 0 or more."""


_Node = TypeVar("_Node", bound=Hashable)


class HierarchyRefused(ValueError):  # noqa: N818 - named for what happened
    """Competencies whose parents or links run in a circle, or that are listed twice.

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

    def child_count(self, competencies: IntArray, of: BoolArray | None = None) -> IntArray:
        """How many direct children each competency has.

        Args:
            competencies: Any length; one that is unknown has none.
            of: Which of ``competency`` are counted, of its length; None for all.
        """
        is_counted = self.parent != NO_PARENT
        if of is not None:
            is_counted &= of
        at = np.searchsorted(self.competency, self.parent[is_counted])
        counts = np.bincount(at, minlength=self.competency.size).astype(np.int64)
        return self._looked_up(counts, competencies, 0)

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Links:
    """How competencies stand to one another across the hierarchy; make one with ``of``.

    ``first`` precedes ``then``, both of length precedences, ascending by ``then`` and ``first``.
    Evidence of ``source`` speaks for ``target`` too, ``steps`` links away, all three of length
    bridges, ascending by source and target.
    """

    first: IntArray
    then: IntArray
    source: IntArray
    target: IntArray
    steps: IntArray

    @classmethod
    def of(cls, links: Iterable[tuple[int, LinkKind, int]]) -> Self:
        """Put links together.

        Args:
            links: Origin, kind and destination; those that are there again say nothing new.

        Raises:
            HierarchyRefused: Competencies precede or replace one another in a circle.
        """  # noqa: DOC502 - raised by _refuse_circles()
        pairs: dict[LinkKind, set[tuple[int, int]]] = {kind: set() for kind in LinkKind}
        for origin, kind, destination in links:
            pairs[kind].add((origin, destination))
        _refuse_circles("These competencies precede one another", pairs[LinkKind.PRECEDES])
        _refuse_circles("These competencies replace one another", pairs[LinkKind.REPLACED_BY])
        order = sorted((then, first) for first, then in pairs[LinkKind.PRECEDES])
        bridges = sorted(_bridges(pairs[LinkKind.EXACT_MATCH_OF], pairs[LinkKind.REPLACED_BY]))
        then, first = _columns(order, 2)
        source, target, steps = _columns(bridges, 3)
        return cls(first=first, then=then, source=source, target=target, steps=steps)

    @classmethod
    def none(cls) -> Self:
        """No link between any two."""
        return cls.of(())

    def prerequisites_of(self, competency: int) -> tuple[int, ...]:
        """What directly precedes a competency, ascending."""
        return tuple(self.first[self.then == competency].tolist())

    def next_after(self, competency: int) -> tuple[int, ...]:
        """What a competency directly precedes, ascending."""
        return tuple(self.then[self.first == competency].tolist())


def bridged(alignments: AlignmentTable, links: Links) -> AlignmentTable:
    """Let line items speak for the equivalents of what they are aligned to, too.

    Args:
        alignments: Which line item speaks for which competency; rows that are bridged already
            are found anew.
        links: Equivalents, and what replaced what.

    Returns:
        The alignments and, with ``via``, those that follow from them. A line item that is aligned
        to a competency itself speaks for it by that alignment alone; of several ways the one of
        fewest links holds, then the one via the lowest id.

    Source: product/requirements.md R21.
    """
    own = np.flatnonzero(alignments.via == NOT_BRIDGED)
    if links.source.size == 0:
        return alignments if own.size == alignments.via.size else alignments.rows(own)
    aligned = alignments.competency[own]
    begin = np.searchsorted(links.source, aligned, side="left")
    times = np.searchsorted(links.source, aligned, side="right") - begin
    ahead = np.repeat(own, times)
    before = np.cumsum(times) - times
    bridge = np.arange(ahead.size) + np.repeat(begin - before, times)
    row = np.concatenate((own, ahead))
    competency = np.concatenate((aligned, links.target[bridge]))
    via = np.concatenate((np.full(own.size, NOT_BRIDGED), alignments.competency[ahead]))
    steps = np.concatenate((np.zeros(own.size, dtype=np.int64), links.steps[bridge]))
    line_item = alignments.line_item[row]
    order = np.lexsort((via, steps, competency, line_item))
    is_nearest = _firsts(line_item[order], competency[order])
    chosen = order[is_nearest]
    return AlignmentTable.of(
        {
            "line_item": line_item[chosen],
            "competency": competency[chosen],
            "weight": alignments.weight[row[chosen]],
            "kind": alignments.kind[row[chosen]],
            "via": via[chosen],
            "steps": alignments.steps[row[chosen]],
        }
    )


def acyclic(
    pairs: Iterable[tuple[_Node, _Node]],
) -> tuple[Sequence[tuple[_Node, _Node]], Sequence[tuple[_Node, _Node]]]:
    """Take from directed pairs what would close a circle.

    Args:
        pairs: Origin and destination, in the order in which they are to be kept.

    Returns:
        Those kept, which form no circle, and those left out, both in that order.
    """
    listed = list(pairs)
    suspects = _entangled(listed)
    ahead: dict[_Node, list[_Node]] = {}
    kept, left_out = [], []
    for origin, destination in listed:
        is_suspect = origin in suspects and destination in suspects
        if is_suspect and origin in _distances(destination, ahead):
            left_out.append((origin, destination))
        else:
            kept.append((origin, destination))
            ahead.setdefault(origin, []).append(destination)
    return kept, left_out


def _refuse_circles(message: str, pairs: Iterable[tuple[int, int]]) -> None:
    entangled = _entangled(pairs)
    if entangled:
        raise HierarchyRefused(message, entangled)


def _entangled(pairs: Iterable[tuple[_Node, _Node]]) -> set[_Node]:
    """Nodes in a circle or between two: what is left when loose ends are taken off."""
    listed = list(pairs)
    forward = _unpeeled(listed)
    return _unpeeled([(b, a) for a, b in listed if a in forward and b in forward])


def _unpeeled(pairs: Sequence[tuple[_Node, _Node]]) -> set[_Node]:
    """Nodes that are left when those that nothing leads to are taken off, again and again."""
    ahead: dict[_Node, list[_Node]] = {}
    leading = Counter(destination for _, destination in pairs)
    for origin, destination in pairs:
        ahead.setdefault(origin, []).append(destination)
    loose = deque(node for node in ahead if not leading[node])
    while loose:
        for after in ahead.pop(loose.popleft(), ()):
            leading[after] -= 1
            if not leading[after]:
                loose.append(after)
    return {node for node in leading if leading[node]}


def _bridges(
    equal: Iterable[tuple[int, int]], replaced: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int, int]]:
    ahead: dict[int, list[int]] = {}
    for origin, destination in (*equal, *((b, a) for a, b in equal), *replaced):
        ahead.setdefault(origin, []).append(destination)
    for source in ahead:
        for target, steps in _distances(source, ahead).items():
            if target != source:
                yield source, target, steps


def _distances(start: _Node, ahead: Mapping[_Node, Iterable[_Node]]) -> dict[_Node, int]:
    """Every node that can be come to, with the fewest steps to it."""
    steps = {start: 0}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for after in ahead.get(node, ()):
            if after not in steps:
                steps[after] = steps[node] + 1
                waiting.append(after)
    return steps


def _columns(rows: Sequence[tuple[int, ...]], width: int) -> Sequence[IntArray]:
    return tuple(np.array(rows, dtype=np.int64).reshape(-1, width).T.copy())


def _firsts(*keys: IntArray) -> BoolArray:
    """The first row of each run of equal keys."""
    is_first = np.zeros(keys[0].size, dtype=np.bool_)
    is_first[runs(keys)[:-1]] = True
    return is_first
