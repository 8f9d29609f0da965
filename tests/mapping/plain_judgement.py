"""The engine once more, as plain loops over rows: what the columns must agree with.

Written from what the rules say, learner by learner and competency by competency; it shares no
code with the columns but the rows of evidence of ``plain_evidence``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import nan
from statistics import median
from typing import Any

from mapping.columns import NO_MOMENT
from mapping.evidence.tables import KINDS, Reason, View
from mapping.rules.clauses import (
    AllOf,
    ChildrenMastered,
    EstimateReaches,
    EvidenceReaches,
    NewestWithin,
    Situation,
    SituationsReach,
    SomeOf,
    leaves,
)
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.strands import RollupMethod
from mapping.status import OverrideState, Status
from tests.mapping.plain_evidence import plain_evidence
from tests.mapping.plain_levels import agrees, carried, level_of, working, worth
from tests.mapping.tables import DAY
from tests.mapping.worlds import LINE_ITEMS_OF, PARENTS, World


@dataclass(kw_only=True)
class Piece:
    value: float
    weight: float
    line_item: int
    course: int
    kind: object
    moment: int | None


@dataclass(kw_only=True)
class Plain:
    """What one pair must come to. ``newest`` and ``pieces`` are of what counts below it, too."""

    status: Status
    estimate: float
    count: int
    level: int
    mastered: int
    mastered_at: int | None
    review_at: int | None
    pieces: list[Piece]
    override: OverrideState = OverrideState.NONE
    rule: int = 0

    @property
    def newest(self) -> int | None:
        return max((p.moment for p in self.pieces if p.moment is not None), default=None)

    @property
    def is_mastered(self) -> bool:
        return self.status in {Status.MASTERED, Status.RECHECK_DUE}


def plain_standings(world: World, view: View) -> dict[tuple[int, int], Plain]:
    """What every pair must come to."""
    judge = _Judge(world, view)
    learners = {row["learner"] for row in world.scores}
    learners |= {row["learner"] for row in world.overrides}
    competencies = {row["competency"] for row in world.alignments} | {
        *PARENTS,
        *PARENTS.values(),
    }
    found = {(who, what): judge.standing(who, what) for who in learners for what in competencies}
    return {pair: plain for pair, plain in found.items() if plain is not None}


class _Judge:
    def __init__(self, world: World, view: View) -> None:
        self.world, self.view, self.at = world, view, world.at
        self.known: dict[tuple[int, int], Plain | None] = {}
        self.read: dict[int, Mapping[tuple[int, int], list[Any]]] = {}

    def standing(self, learner: int, competency: int) -> Plain | None:
        pair = (learner, competency)
        if pair not in self.known:
            self.known[pair] = self._standing(learner, competency)
        return self.known[pair]

    def _standing(self, learner, competency):
        index = self.world.rule_of(learner, competency)
        rule = self.world.rules[index]
        children = [child for child, parent in PARENTS.items() if parent == competency]
        rows = {child: self.standing(learner, child) for child in children}
        rows = {child: row for child, row in rows.items() if row is not None}
        if rows:
            own = self._own(learner, competency, index, replace(rule, criteria=None))
            plain = self._parent(rows, own, rule, len(children))
        else:
            plain = self._own(learner, competency, index, rule)
        said = self._said(learner, competency)
        if plain is None and said is not None and self._holds(said):
            plain = _nothing()
        if plain is None:
            return None
        plain.rule = index
        return self._overridden(plain, said, rule, has_children=bool(rows))

    def _evidence(self, index):
        if index not in self.read:
            rule = self.world.rules[index]
            courses = {
                (s["learner"], s["line_item"], s["attempt"]): s["course"] for s in self.world.scores
            }
            kinds = {
                (a["line_item"], a["competency"]): KINDS[a["kind"]] for a in self.world.alignments
            }
            pairs: dict[tuple[int, int], list[Any]] = {}
            for found in plain_evidence(
                self.world.scores,
                self.world.alignments,
                rule.policy,
                view=self.view,
                at=self.at,
                scale=rule.scale,
            ):
                piece = Piece(
                    value=found.value,
                    weight=found.weight,
                    line_item=found.line_item,
                    course=courses[found.learner, found.line_item, found.attempt],
                    kind=kinds[found.line_item, found.competency],
                    moment=found.occurred_at,
                )
                pairs.setdefault((found.learner, found.competency), []).append(
                    (piece, found.reason)
                )
            self.read[index] = pairs
        return self.read[index]

    def _own(self, learner, competency, index, rule) -> Plain | None:
        rows = self._evidence(index).get((learner, competency))
        if rows is None:
            return None
        pieces = [piece for piece, reason in rows if reason is Reason.COUNTED]
        coming = [piece.moment for piece, reason in rows if reason is Reason.FUTURE]
        plain = _nothing()
        plain.pieces, plain.count = pieces, len(pieces)
        plain.estimate = estimate_of(pieces, rule)
        met_at = [
            pieces[:length][-1].moment
            for length in range(1, len(pieces) + 1)
            if self._meets(pieces[:length], rule, estimate_of(pieces[:length], rule), aged=False)
        ]
        met_then = self._meets(pieces, rule, plain.estimate, aged=False)
        met_now = self._meets(pieces, rule, plain.estimate, aged=True)
        newest = plain.newest
        if not pieces:
            plain.status = Status.NO_EVIDENCE
        elif met_now and not self._is_due(newest, rule):
            plain.status = Status.MASTERED
        elif met_then and _looks_at_time(rule):
            plain.status = Status.RECHECK_DUE
        elif met_at and _looks_at_time(rule):
            plain.status = Status.NOT_SUSTAINED
        elif len(pieces) < rule.minimum_evidence:
            plain.status = Status.INSUFFICIENT
        else:
            plain.status = working(plain.estimate, rule)
        plain.mastered_at = met_at[0] if met_at else None
        plain.level = level_of(plain.estimate, plain.status, rule)
        plain.mastered = int(plain.is_mastered)
        plain.review_at = self._soonest(coming + (self._agings(newest, rule) if met_then else []))
        return plain

    def _meets(self, pieces, rule, estimate, *, aged, children=None) -> bool:
        return (
            len(pieces) >= rule.minimum_evidence
            and estimate >= rule.mastered - 1e-9
            and (
                rule.criteria is None
                or self._holds_true(rule.criteria, pieces, estimate, aged=aged, children=children)
            )
        )

    def _holds_true(self, clause, pieces, estimate, *, aged, children) -> bool:
        def ask(inner):
            return self._holds_true(inner, pieces, estimate, aged=aged, children=children)

        if isinstance(clause, AllOf):
            return all(ask(inner) for inner in clause.clauses)
        if isinstance(clause, SomeOf):
            return sum(ask(inner) for inner in clause.clauses) >= clause.count
        if isinstance(clause, EstimateReaches):
            return estimate >= clause.points - 1e-9
        if isinstance(clause, NewestWithin):
            return self._is_new(pieces, clause.days, aged=aged)
        if isinstance(clause, ChildrenMastered):
            mastered, evident = children or (0, 0)
            return mastered >= max(1, evident if clause.count is None else clause.count)
        return _has_enough(clause, pieces)

    def _is_new(self, pieces, days, *, aged) -> bool:
        if self.at is None:
            return bool(pieces)
        newest = max((p.moment for p in pieces if p.moment is not None), default=None)
        return newest is not None and (not aged or self.at - newest <= days * DAY)

    def _is_due(self, newest, rule) -> bool:
        if rule.recheck_days is None or self.at is None or newest is None:
            return False
        return self.at - newest >= rule.recheck_days * DAY

    def _agings(self, newest, rule):
        if newest is None:
            return []
        moments = [
            newest + leaf.days * DAY + 1
            for leaf in leaves(rule.criteria)
            if isinstance(leaf, NewestWithin)
        ]
        if rule.recheck_days is not None:
            moments.append(newest + rule.recheck_days * DAY)
        return moments

    def _soonest(self, moments) -> int | None:
        if self.at is None:
            return None
        return min((m for m in moments if m is not None and m > self.at), default=None)

    def _parent(self, rows, own, rule, child_count) -> Plain:
        children = list(rows.values())
        parts = [(row, carried(row.estimate, self.world.rules[row.rule], rule)) for row in children]
        if own is not None:
            parts.append((own, own.estimate))
        plain = _nothing()
        plain.pieces = [piece for part, _ in parts for piece in part.pieces]
        plain.count = len(plain.pieces)
        plain.mastered = sum(child.is_mastered for child in children)
        is_made, plain.estimate = _rolled(rule, parts, children, child_count)
        evident = sum(_is_evident(child) for child in children)

        def met(*, aged):
            return is_made and (
                rule.criteria is None
                or self._holds_true(
                    rule.criteria,
                    plain.pieces,
                    plain.estimate,
                    aged=aged,
                    children=(plain.mastered, evident),
                )
            )

        met_then, met_now = met(aged=False), met(aged=True)
        if not any(_is_evident(part) for part, _ in parts):
            plain.status = Status.NO_EVIDENCE
        elif met_now and not self._is_due(plain.newest, rule):
            plain.status = Status.MASTERED
        elif met_then:
            plain.status = Status.RECHECK_DUE
        else:
            plain.status = working(plain.estimate, rule)
        if plain.is_mastered:
            moments = [part.mastered_at for part, _ in parts if part.is_mastered]
            plain.mastered_at = max((m for m in moments if m is not None), default=None)
        plain.level = level_of(plain.estimate, plain.status, rule)
        agings = self._agings(plain.newest, rule) if met_then else []
        plain.review_at = self._soonest([*(part.review_at for part, _ in parts), *agings])
        return plain

    def _said(self, learner, competency):
        for row in self.world.overrides:
            if (row["learner"], row["competency"]) == (learner, competency):
                return row
        return None

    def _holds(self, said) -> bool:
        if self.at is None:
            return True
        return said["given_at"] <= self.at and not NO_MOMENT < said["until"] <= self.at

    def _overridden(self, plain, said, rule, *, has_children) -> Plain:
        if said is None:
            return plain
        plain.review_at = self._soonest(
            [plain.review_at, *(m for m in (said["given_at"], said["until"]) if m != NO_MOMENT)]
        )
        if not self._holds(said):
            return plain
        status = Status(said["status"])
        if not agrees(plain, status, rule):
            plain.estimate = worth(status, rule)
        plain.status = status
        plain.level = level_of(plain.estimate, status, rule)
        if status is Status.MASTERED and plain.mastered_at is None:
            plain.mastered_at = said["given_at"]
        if not has_children:
            plain.mastered = int(status is Status.MASTERED)
        is_stale = plain.newest is not None and plain.newest > said["given_at"]
        plain.override = OverrideState.OUT_OF_DATE if is_stale else OverrideState.IN_FORCE
        return plain


def _has_enough(clause, pieces) -> bool:
    if isinstance(clause, EvidenceReaches):
        return sum(clause.kind in {None, piece.kind} for piece in pieces) >= clause.count
    if isinstance(clause, SituationsReach):
        return len(_situations(pieces, clause.of)) >= clause.count
    return any(piece.line_item in LINE_ITEMS_OF[clause.pattern] for piece in pieces)


def _nothing() -> Plain:
    return Plain(
        status=Status.NO_EVIDENCE,
        estimate=nan,
        count=0,
        level=-1,
        mastered=0,
        mastered_at=None,
        review_at=None,
        pieces=[],
    )


def estimate_of(pieces: list[Piece], rule: MasteryRule) -> float:
    """The methods of ``worlds.METHODS``, by hand."""
    values = [piece.value for piece in pieces]
    if not values:
        return nan
    if rule.method == "weighted_average":
        total = sum(piece.weight for piece in pieces)
        return sum(piece.value * piece.weight for piece in pieces) / total
    if rule.method == "decaying_average":
        average = values[0]
        for value in values[1:]:
            average = 0.35 * average + 0.65 * value
        return average
    if rule.method == "n_mastery":
        reached = [value for value in values if value >= rule.mastered - 1e-9]
        return sum(reached) / len(reached) if len(reached) >= 2 else nan
    recent = values[-2:]
    simple = {
        "mean": sum(values) / len(values),
        "latest": values[-1],
        "highest": max(values),
        "median": median(values),
        "recent_n": sum(recent) / len(recent),
    }
    return simple[rule.method]


def _is_evident(part) -> bool:
    return part.status >= Status.EMERGING or part.count > 0


def _rolled(rule, parts, children, child_count) -> tuple[bool, float]:
    """Whether the roll-up makes mastery, and its estimate."""
    method = rule.rollup.method
    speaking = [estimate for part, estimate in parts if part.status >= Status.EMERGING]
    estimate = sum(speaking) / len(speaking) if speaking else nan
    evident = [part for part, _ in parts if _is_evident(part)]
    all_mastered = bool(evident) and all(part.is_mastered for part in evident)
    if method is RollupMethod.ALL_WITH_EVIDENCE:
        return all_mastered, estimate
    if method is RollupMethod.ALL_CHILDREN:
        mastered = sum(child.is_mastered for child in children)
        return all_mastered and mastered == child_count, estimate
    if method is RollupMethod.LOWEST:
        heard = sum(child.status >= Status.EMERGING for child in children)
        estimate = min(speaking) if speaking and heard == child_count else nan
    return estimate >= rule.mastered - 1e-9, estimate


def _situations(pieces, of) -> set[object]:
    if of is Situation.LINE_ITEM:
        return {piece.line_item for piece in pieces}
    if of is Situation.COURSE:
        return {piece.course for piece in pieces}
    if of is Situation.KIND:
        return {piece.kind for piece in pieces}
    return {piece.moment // DAY for piece in pieces if piece.moment is not None}


def _looks_at_time(rule) -> bool:
    return rule.recheck_days is not None or any(
        isinstance(leaf, NewestWithin) for leaf in leaves(rule.criteria)
    )
