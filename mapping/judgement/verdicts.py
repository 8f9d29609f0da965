"""Standings from a competency's own evidence: many pairs under one rule.

``ascent`` makes parents of them; ``judging`` brings rules and pairs together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from mapping.columns import BoolArray, FloatArray, IntArray, kept, runs
from mapping.evidence.joining import next_arrival
from mapping.evidence.tables import EvidenceTable
from mapping.judgement.criteria import Cases, Ledger, Pieces, ages, is_met
from mapping.judgement.levels import plain_status, shown_levels
from mapping.judgement.retention import (
    earliest,
    first_met,
    is_recheck_due,
    next_review,
    retained,
    retains,
    still_to_come,
)
from mapping.rules.mastery_rule import MasteryRule
from mapping.samples import Sample
from mapping.scales import reaches
from mapping.status import OverrideState, StandingTable, is_mastered


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Body:
    """Pairs of learner and competency, ascending, with the evidence of each that counts.

    ``learner``, ``competency`` and ``arrives_at``, when the next piece dated in the future will
    be there, are of length pairs; ``values``, in scale points, ``weights`` and the columns of
    ``pieces`` of length rows.
    """

    learner: IntArray
    competency: IntArray
    arrives_at: IntArray
    values: FloatArray
    weights: FloatArray
    pieces: Pieces

    @classmethod
    def of(cls, evidence: EvidenceTable) -> Self:
        """Take what counts of a table of evidence; every pair in it stays."""
        offsets = runs((evidence.learner, evidence.competency))
        counts = evidence.is_counted
        return cls(
            learner=evidence.learner[offsets[:-1]],
            competency=evidence.competency[offsets[:-1]],
            arrives_at=next_arrival(evidence, offsets),
            values=evidence.value[counts],
            weights=evidence.weight[counts],
            pieces=Pieces(
                line_item=evidence.line_item[counts],
                course=evidence.course[counts],
                kind=evidence.kind[counts],
                occurred_at=evidence.occurred_at[counts],
                offsets=kept(counts, offsets),
            ),
        )

    @property
    def count(self) -> IntArray:
        """Pieces of each pair."""
        return np.diff(self.pieces.offsets)

    def only(self, is_kept: BoolArray) -> Self:
        """Some of the pairs, with their evidence."""
        if is_kept.all():
            return self
        row = np.repeat(is_kept, self.count)
        pieces = self.pieces
        return type(self)(
            learner=self.learner[is_kept],
            competency=self.competency[is_kept],
            arrives_at=self.arrives_at[is_kept],
            values=self.values[row],
            weights=self.weights[row],
            pieces=Pieces(
                line_item=pieces.line_item[row],
                course=pieces.course[row],
                kind=pieces.kind[row],
                occurred_at=pieces.occurred_at[row],
                offsets=np.concatenate(([0], np.cumsum(self.count[is_kept]))),
            ),
        )

    def sample(self, rule: MasteryRule) -> Sample:
        """The evidence as a calculation method takes it."""
        return Sample(
            values=self.values,
            weights=self.weights,
            occurred_at=self.pieces.occurred_at,
            offsets=self.pieces.offsets,
            scale=rule.scale,
            mastered=rule.mastered,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bench:
    """A rule ready to be asked of beginnings of a body's segments."""

    rule: MasteryRule
    ledger: Ledger
    at: int | None

    @classmethod
    def of(
        cls,
        rule: MasteryRule,
        body: Body,
        *,
        at: int | None,
        line_items_of: Mapping[str, frozenset[int]],
    ) -> Self:
        """Count what the rule's criteria ask for."""
        return cls(rule=rule, ledger=Ledger.of(rule.criteria, body.pieces, line_items_of), at=at)

    def cases(
        self, segment: IntArray, length: IntArray, estimate: FloatArray, *, grows_old: bool
    ) -> Cases:
        """What the criteria are asked of."""
        return Cases(
            estimate=estimate,
            count=length,
            newest=self.ledger.newest(segment, length),
            found=self.ledger.found(segment, length),
            at=self.at,
            grows_old=grows_old,
        )

    def was_met(self, segment: IntArray, length: IntArray, estimate: FloatArray) -> BoolArray:
        """Whether the rule was met when the newest piece of each case came."""
        return self._met(segment, length, estimate, grows_old=False)

    def holds(self, segment: IntArray, length: IntArray, estimate: FloatArray) -> BoolArray:
        """Whether the rule is met at the moment of judgement."""
        return self._met(segment, length, estimate, grows_old=True)

    def _met(
        self, segment: IntArray, length: IntArray, estimate: FloatArray, *, grows_old: bool
    ) -> BoolArray:
        rule = self.rule
        suffices = (length >= rule.minimum_evidence) & reaches(estimate, rule.mastered)
        if rule.criteria is None:
            return suffices
        cases = self.cases(segment, length, estimate, grows_old=grows_old)
        return suffices & is_met(rule.criteria, cases)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdicts:
    """Standings with what making up parents needs beside them.

    ``newest`` is when the newest piece that counts occurred, of length rows.
    """

    table: StandingTable
    newest: IntArray

    def rows(self, index: IntArray | BoolArray) -> Self:
        """These rows, in this order."""
        return type(self)(table=self.table.rows(index), newest=self.newest[index])


def joined_verdicts(parts: Sequence[Verdicts]) -> Verdicts:
    """One after the other, at least one."""
    return Verdicts(
        table=StandingTable.joined([part.table for part in parts]),
        newest=np.concatenate([part.newest for part in parts]),
    )


def own_verdicts(body: Body, bench: Bench, index: int) -> Verdicts:
    """Judge pairs by their own evidence.

    Args:
        body: The pairs.
        bench: Their rule, made ready for this body.
        index: What the rule is called in ``StandingTable.rule``.

    Returns:
        A row for each pair of the body, in its order.

    Source: contracts/mastery-methods.md 2.4; product/requirements.md R09.
    """
    rule, segment, count = bench.rule, np.arange(body.learner.size), body.count
    sample = body.sample(rule)
    estimate = rule.estimator()(sample)
    was_met = bench.was_met(segment, count, estimate)
    first = first_met(sample, rule.estimator(), bench.was_met, fewest=rule.minimum_evidence)
    # The whole is a beginning, too, whatever the last bit of its estimate says among others.
    first = np.where((first == 0) & was_met, count, first)
    newest = bench.ledger.newest(segment, count)
    holds = bench.holds(segment, count, estimate) if ages(rule.criteria) else was_met
    status = plain_status(estimate, count, rule, is_met=holds)
    if retains(rule):
        is_due = is_recheck_due(newest, rule.recheck_days, bench.at)
        only_aged = was_met & (~holds | is_due)
        status = retained(status, was_met=first > 0, only_aged=only_aged)
    table = StandingTable(
        learner=body.learner,
        competency=body.competency,
        status=status,
        level=shown_levels(estimate, status, rule),
        estimate=estimate,
        evidence_count=count,
        mastered_count=is_mastered(status).astype(np.int64),
        mastered_at=bench.ledger.newest(segment, first),
        review_at=earliest(
            still_to_come(body.arrives_at, bench.at),
            next_review(newest, was_met, rule, at=bench.at),
        ),
        override=np.full(count.size, OverrideState.NONE, dtype=np.int8),
        rule=np.full(count.size, index, dtype=np.int64),
    )
    return Verdicts(table=table, newest=newest)
