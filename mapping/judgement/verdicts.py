"""Standings from a competency's own evidence: many pairs under one rule.

``ascent`` makes parents of them; ``judging`` brings rules and pairs together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from mapping.columns import BoolArray, FloatArray, IntArray
from mapping.evidence.counting import Counted
from mapping.judgement.criteria import Cases, Ledger, Pieces, ages, is_met
from mapping.judgement.levels import plain_status, shown_levels
from mapping.judgement.retention import (
    earliest,
    history,
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


def sample_of(body: Counted, rule: MasteryRule) -> Sample:
    """The evidence as a calculation method takes it."""
    return Sample(
        values=body.values,
        weights=body.weights,
        occurred_at=body.occurred_at,
        offsets=body.offsets,
        scale=rule.scale,
        mastered=rule.mastered,
    )


def pieces_of(body: Counted) -> Pieces:
    """The evidence as clauses look at it."""
    scores, alignments = body.matches.scores, body.matches.alignments
    return Pieces(
        line_item=scores.line_item[body.row],
        course=scores.course[body.row],
        kind=alignments.kind[body.aligned],
        occurred_at=body.occurred_at,
        offsets=body.offsets,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bench:
    """A rule ready to be asked of beginnings of a body's segments.

    ``ledger`` is None where the rule has no criteria, and nothing is to be counted.
    """

    rule: MasteryRule
    ledger: Ledger | None
    at: int | None

    @classmethod
    def of(
        cls,
        rule: MasteryRule,
        body: Counted,
        *,
        at: int | None,
        line_items_of: Mapping[str, frozenset[int]],
    ) -> Self:
        """Count what the rule's criteria ask for."""
        ledger = None
        if rule.criteria is not None:
            ledger = Ledger.of(rule.criteria, pieces_of(body), line_items_of)
        return cls(rule=rule, ledger=ledger, at=at)

    def was_met(self, segment: IntArray, length: IntArray, estimate: FloatArray) -> BoolArray:
        """Whether the rule was met when the newest piece of each case came."""
        return self._met(segment, length, estimate, grows_old=False)

    def holds(self, segment: IntArray, length: IntArray, estimate: FloatArray) -> BoolArray:
        """Whether the rule is met at the moment of judgement."""
        return self._met(segment, length, estimate, grows_old=True)

    def _met(
        self, segment: IntArray, length: IntArray, estimate: FloatArray, *, grows_old: bool
    ) -> BoolArray:
        rule, ledger = self.rule, self.ledger
        suffices = (length >= rule.minimum_evidence) & reaches(estimate, rule.mastered)
        if rule.criteria is None or ledger is None:
            return suffices
        cases = Cases(
            estimate=estimate,
            count=length,
            newest=ledger.newest(segment, length),
            found=ledger.found(segment, length),
            at=self.at,
            grows_old=grows_old,
        )
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

    def with_rows(self, index: IntArray | BoolArray, rows: Self) -> Self:
        """The same with other rows in place of some."""
        newest = self.newest.copy()
        newest[index] = rows.newest
        return type(self)(table=self.table.with_rows(index, rows.table), newest=newest)


def joined_verdicts(parts: Sequence[Verdicts]) -> Verdicts:
    """One after the other, at least one."""
    if len(parts) == 1:
        return parts[0]
    return Verdicts(
        table=StandingTable.joined([part.table for part in parts]),
        newest=np.concatenate([part.newest for part in parts]),
    )


def own_verdicts(body: Counted, bench: Bench, index: int) -> Verdicts:
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
    estimate, first = history(sample_of(body, rule), rule, bench.was_met)
    was_met = bench.was_met(segment, count, estimate)
    # The whole is a beginning, too, whatever the last bit of its estimate says among others.
    first = np.where((first == 0) & was_met, count, first)
    newest = body.newest(segment, count)
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
        mastered_at=body.newest(segment, first),
        review_at=earliest(
            still_to_come(body.arrives_at, bench.at),
            next_review(newest, was_met, rule, at=bench.at),
        ),
        override=np.full(count.size, OverrideState.NONE, dtype=np.int8),
        rule=np.full(count.size, index, dtype=np.int64),
    )
    return Verdicts(table=table, newest=newest)
