"""What the engine says about one learner, competency by competency, for those who explain it."""

from dataclasses import dataclass, replace
from math import isnan
from typing import Self

import numpy as np

from mapping.columns import NO_MOMENT
from mapping.evidence.joining import evidence
from mapping.evidence.tables import EvidenceTable, View
from mapping.explanation.needs import Case, values_of
from mapping.explanation.trials import narrowed, restricted
from mapping.explanation.voice import Voice
from mapping.judgement.grounds import Grounds
from mapping.judgement.judging import judge
from mapping.judgement.overrides import OverrideTable
from mapping.progressions.graph import Hierarchy
from mapping.rules.rulebook import Enrolments, RuleBook
from mapping.rules.scopes import EffectiveRule
from mapping.samples import Sample
from mapping.status import NO_LEVEL, OverrideState, StandingTable, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A row of a ``StandingTable``; of one that has none, "no evidence yet"."""

    competency: int
    status: Status = Status.NO_EVIDENCE
    level: int = NO_LEVEL
    estimate: float | None = None
    evidence_count: int = 0
    mastered_count: int = 0
    mastered_at: int = NO_MOMENT
    review_at: int = NO_MOMENT
    override: OverrideState = OverrideState.NONE

    @classmethod
    def of(cls, table: StandingTable, competency: int) -> Self:
        """The standing in a competency, of a table of one learner."""
        rows = np.flatnonzero(table.competency == competency)
        if rows.size == 0:
            return cls(competency=competency)
        row = int(rows[0])
        estimate = float(table.estimate[row])
        return cls(
            competency=competency,
            status=Status(table.status[row]),
            level=int(table.level[row]),
            estimate=None if isnan(estimate) else estimate,
            evidence_count=int(table.evidence_count[row]),
            mastered_count=int(table.mastered_count[row]),
            mastered_at=int(table.mastered_at[row]),
            review_at=int(table.review_at[row]),
            override=OverrideState(table.override[row]),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inquiry:
    """One learner, judged; make one with ``of``.

    Attributes:
        grounds: The learner's own.
        learner: The learner.
        view: Whose eyes it is for.
        voice: Who speaks.
        settled: Where the learner stands.
    """

    grounds: Grounds
    learner: int
    view: View
    voice: Voice
    settled: StandingTable

    @classmethod
    def of(cls, grounds: Grounds, learner: int, *, view: View, voice: Voice) -> Self:
        """Judge a learner.

        Args:
            grounds: May hold other learners too.
            learner: The learner.
            view: Whose eyes it is for.
            voice: Who speaks.
        """
        mine = restricted(grounds, learner=learner, view=view)
        return cls(grounds=mine, learner=learner, view=view, voice=voice, settled=judge(mine, view))

    def standing(self, competency: int) -> Standing:
        """Where the learner stands in a competency."""
        return Standing.of(self.settled, competency)

    def computed_standing(self, competency: int) -> Standing:
        """Where the learner would stand without a person's judgement of this competency."""
        standing = self.standing(competency)
        if standing.override is OverrideState.NONE:
            return standing
        return Standing.of(judge(self.family_grounds(competency), self.view), competency)

    def rule_index(self, competency: int) -> int:
        """Which rule of the book holds for the learner in a competency."""
        pair = (np.array([self.learner]), np.array([competency]))
        return int(self.grounds.rule_of(*pair)[0])

    def is_family(self, competency: int) -> bool:
        """Whether its children make up a competency; not if there is evidence but none of them."""
        children = self.grounds.hierarchy.children_of(competency)
        has_row = np.isin((competency, *children), self.settled.competency)
        return bool(children) and bool(has_row[1:].any() or not has_row[0])

    def evidence_below(self, competency: int) -> list[EvidenceTable]:
        """The own evidence of a competency and of everything below it."""
        return [_seen(self._alone(found), self.view) for found in self._below(competency)]

    def family_grounds(self, competency: int) -> Grounds:
        """What a competency and everything below it is judged by, no person's word on itself."""
        said = self.grounds.overrides
        grounds = replace(self.grounds, overrides=said.rows(said.competency != competency))
        return narrowed(grounds, self._below(competency))

    def _below(self, competency: int) -> list[int]:
        children = self.grounds.hierarchy.children_of(competency)
        return [competency, *(found for child in children for found in self._below(child))]

    def own(self, competency: int) -> "Own":
        """What a competency's own evidence says, that of its children apart.

        Where children make it up, its criteria are asked of all of them and not of this.
        """
        grounds = self._alone(competency)
        seen, rule = _seen(grounds, self.view), grounds.rules[0]
        estimate = self.computed_standing(competency).estimate
        case = Case(
            grounds=grounds,
            competency=competency,
            rule=rule,
            own=seen,
            values=values_of(seen, rule, grounds, estimate=estimate),
        )
        effective = self.grounds.book.rules[self.rule_index(competency)]
        return Own(effective=effective, case=case)

    def component(self, competency: int) -> StandingTable:
        """What the own evidence of a parent says, one more component of it."""
        table = judge(self._alone(competency), self.view)
        # It was judged by a book of one rule.
        index = np.full(len(table), self.rule_index(competency), dtype=np.int64)
        return table.with_columns(rule=index)

    def _alone(self, competency: int) -> Grounds:
        """What a competency's own evidence is judged by."""
        held = self.grounds.book.rules[self.rule_index(competency)]
        if self.is_family(competency):
            held = replace(held, rule=replace(held.rule, criteria=None))
        nothing = np.zeros(0, dtype=np.int64)
        return replace(
            narrowed(self.grounds, (competency,)),
            book=RuleBook(rules=(held,), competency=nothing, rule=nothing),
            hierarchy=Hierarchy.of(()),
            enrolments=Enrolments.none(),
            overrides=OverrideTable.none(),
        )


def _seen(grounds: Grounds, view: View) -> EvidenceTable:
    rule = grounds.rules[0]
    return evidence(
        grounds.scores,
        grounds.alignments,
        scale=rule.scale,
        view=view,
        policy=rule.policy,
        at=grounds.at,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Own:
    """A competency's own evidence and its rule.

    ``case.rule`` is without criteria where children make the competency up.
    """

    effective: EffectiveRule
    case: Case

    @property
    def sample(self) -> Sample:
        """The evidence that counts, as a calculation method takes it."""
        own, is_counted = self.case.own, self.case.own.is_counted
        return Sample(
            values=own.value[is_counted],
            weights=own.weight[is_counted],
            occurred_at=own.occurred_at[is_counted],
            offsets=np.array([0, int(is_counted.sum())]),
            scale=self.case.rule.scale,
            mastered=self.case.rule.mastered,
        )
