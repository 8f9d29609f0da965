"""Whether the clauses of a rule are met: one tree asked of any number of cases at once.

A case is the first so many pieces of one segment of counted evidence; all of them for the
standing itself, fewer for the question when mastery was first reached. What a clause counts is
counted once, running through each segment, and read off at any case. So the history of a
learner and the night of a district are decided by the same lines.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from mapping.columns import NO_MOMENT, BoolArray, CodeArray, FloatArray, IntArray
from mapping.evidence.counting import newest_of
from mapping.evidence.tables import KINDS
from mapping.rules.clauses import (
    AllOf,
    ChildrenMastered,
    Clause,
    EstimateReaches,
    EvidenceReaches,
    LineItemCounts,
    NewestWithin,
    Situation,
    SituationsReach,
    SomeOf,
    leaves,
)
from mapping.scales import reaches

DAY = 86_400_000_000
"""Microseconds."""

_LAST_MOMENT = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """Evidence that counts, in segments, as far as clauses look at it.

    ``occurred_at`` ascends within a segment, ``NO_MOMENT`` first; ``kind`` holds indexes into
    ``KINDS``; all columns are of length rows. ``offsets`` is of length segments + 1.
    """

    line_item: IntArray
    course: IntArray
    kind: CodeArray
    occurred_at: IntArray
    offsets: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Children:
    """How many children of each case are mastered, and how many have evidence or a verdict."""

    mastered: IntArray
    evident: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cases:
    """What a tree is asked of; every column is of length cases.

    Attributes:
        estimate: In scale points, NaN for none.
        count: How many pieces there are.
        newest: When the last of them occurred, ``NO_MOMENT`` if that is not known.
        found: For each clause about pieces, how many are of what it asks for.
        at: The moment, in microseconds; None for outside time.
        grows_old: Whether evidence is as old as it is at that moment; if not, as old as it was
            when the newest piece came.
        children: None where there are none.
    """

    estimate: FloatArray
    count: IntArray
    newest: IntArray
    found: Mapping[Clause, IntArray]
    at: int | None = None
    grows_old: bool = True
    children: Children | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClauseValue:
    """One clause of a tree and what each case has of it.

    ``found`` is the number beside which the clause stands: scale points for an estimate, pieces,
    situations, days since the newest piece (NaN where that is not known), children that are
    mastered, or, of a group, the clauses in it that are met. ``depth`` is 0 for the whole tree.
    """

    clause: Clause
    depth: int
    found: FloatArray
    is_met: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ledger:
    """Running counts of what the clauses of a tree ask for; make one with ``of``.

    ``before`` holds, for each clause about pieces, how many rows before each one are of its
    sort: length rows + 1.
    """

    pieces: Pieces
    before: Mapping[Clause, IntArray] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        tree: Clause | None,
        pieces: Pieces,
        line_items_of: Mapping[str, frozenset[int]],
    ) -> Self:
        """Count what a tree asks for.

        Args:
            tree: The criteria; None for nothing asked.
            pieces: The evidence.
            line_items_of: The line items that each pattern matches; a pattern that is not
                among them matches none.
        """
        before: dict[Clause, IntArray] = {}
        for leaf in leaves(tree):
            sort = _sort(leaf, pieces, line_items_of)
            if sort is not None:
                before[leaf] = np.concatenate(([0], np.cumsum(sort))).astype(np.int64)
        return cls(pieces=pieces, before=before)

    def found(self, segment: IntArray, length: IntArray) -> dict[Clause, IntArray]:
        """What the first ``length`` rows of some segments have of each clause's sort.

        Args:
            segment: Which segments, length cases.
            length: How many rows of each.
        """
        start = self.pieces.offsets[segment]
        return {leaf: run[start + length] - run[start] for leaf, run in self.before.items()}

    def newest(self, segment: IntArray, length: IntArray) -> IntArray:
        """When the last of the first ``length`` rows occurred, ``NO_MOMENT`` for none."""
        return newest_of(
            self.pieces.occurred_at, self.pieces.offsets, segment=segment, length=length
        )


def _sort(
    leaf: Clause, pieces: Pieces, line_items_of: Mapping[str, frozenset[int]]
) -> BoolArray | None:
    """Which rows a clause counts; None for one that is not about single pieces."""
    match leaf:
        case EvidenceReaches(kind=None):
            return np.ones(pieces.kind.size, dtype=np.bool_)
        case EvidenceReaches(kind=kind) if kind is not None:
            return np.equal(pieces.kind, KINDS.index(kind))
        case SituationsReach(of=of):
            return _is_new(pieces, of)
        case LineItemCounts(pattern=pattern):
            wanted = np.array(sorted(line_items_of.get(pattern, ())), dtype=np.int64)
            return np.isin(pieces.line_item, wanted)
    return None


def _is_new(pieces: Pieces, of: Situation) -> BoolArray:
    """Which rows are the first of their situation in their segment; undated ones of no day."""
    situation = _situation(pieces, of)
    segment = np.repeat(np.arange(pieces.offsets.size - 1), np.diff(pieces.offsets))
    order = np.lexsort((situation, segment))
    is_first = np.ones(order.size, dtype=np.bool_)
    situation, segment = situation[order], segment[order]
    is_first[1:] = (situation[1:] != situation[:-1]) | (segment[1:] != segment[:-1])
    is_new = np.zeros(order.size, dtype=np.bool_)
    is_new[order[is_first]] = True
    return is_new & (pieces.occurred_at != NO_MOMENT) if of is Situation.DAY else is_new


def _situation(pieces: Pieces, of: Situation) -> IntArray:
    if of is Situation.DAY:
        return pieces.occurred_at // DAY
    column: IntArray | CodeArray = getattr(pieces, of.value)
    return column.astype(np.int64)


def clause_values(tree: Clause, cases: Cases, depth: int = 0) -> tuple[ClauseValue, ...]:
    """Ask a tree, and tell every clause of it.

    Two clauses are never met by silence: "children mastered" asks for one child at least, so
    that a competency without children does not meet it; and "newest within" is not met by
    evidence without a date.

    Args:
        tree: The criteria.
        cases: What they are asked of.
        depth: That of the tree's root.

    Returns:
        A value for each clause, each group before what is in it, as ``clauses.walk`` goes; the
        first one decides.
    """
    match tree:
        case AllOf(clauses=clauses):
            return _group(tree, len(clauses), cases, depth=depth)
        case SomeOf(count=count):
            return _group(tree, count, cases, depth=depth)
    found, is_met = _LEAVES[type(tree)](tree, cases)
    found = np.asarray(found, dtype=np.float64)
    return (ClauseValue(clause=tree, depth=depth, found=found, is_met=is_met),)


def is_met(tree: Clause, cases: Cases) -> BoolArray:
    """Whether a tree is met, length cases."""
    return clause_values(tree, cases)[0].is_met


def ages(tree: Clause | None) -> tuple[int, ...]:
    """The days of every clause that time alone can make unmet; empty for none."""
    return tuple(leaf.days for leaf in leaves(tree) if isinstance(leaf, NewestWithin))


def _group(
    tree: AllOf | SomeOf, needed: int, cases: Cases, *, depth: int
) -> tuple[ClauseValue, ...]:
    inner = [clause_values(clause, cases, depth + 1) for clause in tree.clauses]
    met = np.sum([values[0].is_met for values in inner], axis=0)
    whole = ClauseValue(
        clause=tree, depth=depth, found=met.astype(np.float64), is_met=met >= needed
    )
    return (whole, *(value for values in inner for value in values))


_Answer = tuple[FloatArray | IntArray, BoolArray]


def _estimate(clause: EstimateReaches, cases: Cases) -> _Answer:
    return cases.estimate, reaches(cases.estimate, clause.points)


def _counted(clause: EvidenceReaches | SituationsReach, cases: Cases) -> _Answer:
    found = cases.found[clause]
    return found, found >= clause.count


def _line_item(clause: LineItemCounts, cases: Cases) -> _Answer:
    found = cases.found[clause]
    return found, found > 0


def _newest(clause: NewestWithin, cases: Cases) -> _Answer:
    if cases.at is None:
        return np.where(cases.count > 0, 0.0, np.nan), cases.count > 0
    is_dated = cases.newest != NO_MOMENT
    if not cases.grows_old:
        return np.where(is_dated, 0.0, np.nan), is_dated
    age = np.where(is_dated, (float(cases.at) - cases.newest) / DAY, np.nan)
    return age, is_dated & (cases.newest >= days_before(cases.at, clause.days))


def _children(clause: ChildrenMastered, cases: Cases) -> _Answer:
    if cases.children is None:
        return np.zeros(cases.count.shape), np.zeros(cases.count.shape, dtype=np.bool_)
    needed = cases.children.evident if clause.count is None else clause.count
    mastered = cases.children.mastered
    return mastered, mastered >= np.maximum(needed, 1)


_LEAVES: Mapping[type, Callable[[Any, Cases], _Answer]] = {
    EstimateReaches: _estimate,
    EvidenceReaches: _counted,
    SituationsReach: _counted,
    NewestWithin: _newest,
    LineItemCounts: _line_item,
    ChildrenMastered: _children,
}


def days_before(at: int, days: int) -> int:
    """The moment so many days before another; the first there is for one before all time."""
    return max(at - days * DAY, NO_MOMENT + 1)


def days_after(moments: IntArray, days: int) -> IntArray:
    """The moments so many days after others; ``NO_MOMENT`` after none, and after all time."""
    span = days * DAY
    is_within = (moments != NO_MOMENT) & (moments <= _LAST_MOMENT - span)
    return np.where(is_within, np.where(is_within, moments, 0) + span, NO_MOMENT)
