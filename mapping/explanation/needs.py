"""What further evidence must bring along, besides being good enough, to meet a rule's criteria."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, product, zip_longest

import numpy as np

from mapping.evidence.tables import KINDS, EvidenceTable
from mapping.explanation.trials import Extra
from mapping.judgement.criteria import Cases, Children, ClauseValue, Ledger, Pieces, clause_values
from mapping.judgement.grounds import Grounds
from mapping.records import EvidenceKind
from mapping.rules.clauses import (
    AllOf,
    Clause,
    EstimateReaches,
    EvidenceReaches,
    LineItemCounts,
    NewestWithin,
    Situation,
    SituationsReach,
    SomeOf,
)
from mapping.rules.mastery_rule import MasteryRule

MOST_WAYS = 12
"""How many ways to meet a tree of clauses are looked at, those with the least to do first."""

_MOST_COMBINATIONS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A clause that is not met, and how many more of what it counts would meet it."""

    clause: Clause
    missing: int


Way = tuple[Need, ...]
"""Needs that meet the whole tree together."""


def ways(clause: Clause | None, missing: Callable[[Clause], int | None]) -> tuple[Way, ...]:
    """The ways in which further evidence can meet a tree of clauses.

    Args:
        clause: The tree; None for nothing to meet.
        missing: How many more of what it counts a leaf lacks, 0 for none; None where evidence
            of the competency itself cannot meet it.

    Returns:
        At most ``MOST_WAYS``, the one with the least to do first; none if nothing can meet it.
    """
    found = ((),) if clause is None else _ways(clause, missing)
    return tuple(sorted(found, key=_effort)[:MOST_WAYS])


def _effort(way: Way) -> tuple[int, int]:
    return sum(need.missing for need in way), len(way)


def _ways(clause: Clause, missing: Callable[[Clause], int | None]) -> tuple[Way, ...]:
    if not isinstance(clause, AllOf | SomeOf):
        lacking = missing(clause)
        if lacking is None:
            return ()
        return ((Need(clause=clause, missing=lacking),) if lacking else (),)
    below = [_ways(child, missing) for child in clause.clauses]
    if isinstance(clause, AllOf):
        return _together(below)
    possible = sorted((ways for ways in below if ways), key=lambda ways: min(map(_effort, ways)))
    chosen = islice(combinations(possible, clause.count), _MOST_COMBINATIONS)
    return tuple(way for combination in chosen for way in _together(combination))


def _together(below: Sequence[tuple[Way, ...]]) -> tuple[Way, ...]:
    every = islice(product(*below), _MOST_COMBINATIONS)
    return tuple(_merged(way) for way in every)


def _merged(parts: Sequence[Way]) -> Way:
    """One way of several; what is asked for twice is asked for once."""
    return tuple(dict.fromkeys(need for way in parts for need in way))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One learner's competency, as far as its own evidence decides it.

    Attributes:
        grounds: The learner's, with nothing but the scores that speak for the competency, and
            no other rule than its own.
        competency: The competency.
        rule: Its rule.
        own: Its evidence.
        values: What its criteria find.
    """

    grounds: Grounds
    competency: int
    rule: MasteryRule
    own: EvidenceTable
    values: Sequence[ClauseValue]

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways in which further evidence can meet its criteria."""
        lacking = {value.clause: missing(value) for value in self.values}
        return ways(self.rule.criteria, lacking.__getitem__)

    @property
    def kinds(self) -> set[EvidenceKind]:
        """Of which kinds there is evidence that counts."""
        return {KINDS[code] for code in self.own.kind[self.own.is_counted].tolist()}


def extras(case: Case, way: Way, count: int) -> tuple[Extra, ...]:
    """Further pieces that meet the needs of a way, as early as they can.

    Args:
        case: Whose.
        way: The needs.
        count: How many pieces.

    Returns:
        The pieces; with the first ones the needs are met, as far as so many can.
    """
    patterns = [need.clause.pattern for need in way if isinstance(need.clause, LineItemCounts)]
    courses, days = _situations(way, Situation.COURSE), _situations(way, Situation.DAY)
    asked = zip_longest(_kinds(case, way), patterns, range(courses), range(count))
    usual, course = usual_kind(case), _usual_course(case.own)
    return tuple(
        Extra(
            competency=case.competency,
            top=case.rule.scale.top,
            kind=kind or usual,
            course=course if fresh is None else None,
            pattern=pattern,
            days=number if days else 0,
        )
        for number, (kind, pattern, fresh, _) in enumerate(islice(asked, count))
    )


def _situations(way: Way, of: Situation) -> int:
    return max(
        (
            need.missing
            for need in way
            if isinstance(need.clause, SituationsReach) and need.clause.of is of
        ),
        default=0,
    )


def _kinds(case: Case, way: Way) -> list[EvidenceKind]:
    asked = [
        need.clause.kind
        for need in way
        if isinstance(need.clause, EvidenceReaches) and need.clause.kind is not None
        for _ in range(need.missing)
    ]
    brought = set(asked) - case.kinds
    others = [kind for kind in KINDS if kind not in case.kinds | brought and weighs(kind, case)]
    return [*asked, *others[: max(0, _situations(way, Situation.KIND) - len(brought))]]


def weighs(kind: EvidenceKind, case: Case) -> float:
    """What the rule multiplies the weight of a piece of a kind with; 0 if it does not count."""
    return case.rule.policy.kind_weights.get(kind, 1.0)


def usual_kind(case: Case) -> EvidenceKind:
    """The kind that further evidence is taken to be of: that of the newest piece that counts."""
    counted = case.own.kind[case.own.is_counted]
    if counted.size:
        return KINDS[int(counted[-1])]
    return next((kind for kind in (EvidenceKind.SKILL, *KINDS) if weighs(kind, case)), KINDS[0])


def _usual_course(own: EvidenceTable) -> int:
    counted = own.course[own.is_counted]
    return int(counted[-1]) if counted.size else 0


def values_of(
    own: EvidenceTable,
    rule: MasteryRule,
    grounds: Grounds,
    *,
    estimate: float | None,
    children: Children | None = None,
) -> tuple[ClauseValue, ...]:
    """Ask the criteria of a rule of one learner's evidence.

    Args:
        own: The evidence.
        rule: The rule.
        grounds: Say which line items a pattern matches, and the moment.
        estimate: In scale points, None for none.
        children: Of one case; None for a competency without children.

    Returns:
        A value for each clause, of one case; none without criteria.
    """
    if rule.criteria is None:
        return ()
    is_counted = own.is_counted
    count = np.array([int(is_counted.sum())])
    pieces = Pieces(
        line_item=own.line_item[is_counted],
        course=own.course[is_counted],
        kind=own.kind[is_counted],
        occurred_at=own.occurred_at[is_counted],
        offsets=np.array([0, count[0]]),
    )
    ledger = Ledger.of(rule.criteria, pieces, grounds.line_items_of)
    segment = np.zeros(1, dtype=np.int64)
    cases = Cases(
        estimate=np.array([np.nan if estimate is None else estimate]),
        count=count,
        newest=ledger.newest(segment, count),
        found=ledger.found(segment, count),
        at=grounds.at,
        children=children,
    )
    return clause_values(rule.criteria, cases)


def missing(value: ClauseValue) -> int | None:
    """How many more of what it counts a leaf lacks, see ``ways``."""
    if value.is_met[0]:
        return 0
    match value.clause:
        case EvidenceReaches(count=count) | SituationsReach(count=count):
            return count - int(value.found[0])
        case EstimateReaches():
            # Better pieces reach it, not more of them.
            return 0
        case LineItemCounts() | NewestWithin():
            return 1
    return None


def weakest(own: EvidenceTable) -> int | None:
    """The row of the lowest piece that counts, the oldest of equal ones; None without any."""
    rows = own.is_counted.nonzero()[0]
    return None if rows.size == 0 else int(rows[own.value[rows].argmin()])
