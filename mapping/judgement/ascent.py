"""From the standings of competencies to those of their parents, level by level.

How children make up a parent is ``parents``' business. Here it is seen to that each
parent is judged by its own rule, that children come on its scale, that what its criteria ask for
is looked for in all the evidence below it, and that what a person said of a child counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from mapping.columns import (
    NO_MOMENT,
    BoolArray,
    CodeArray,
    IntArray,
    runs,
    segment_tally,
)
from mapping.evidence.counting import Counted
from mapping.judgement.criteria import Cases, Children, Ledger, Pieces, is_met
from mapping.judgement.grounds import Grounds
from mapping.judgement.levels import shown_levels, working_status
from mapping.judgement.overrides import overridden
from mapping.judgement.parents import carried, strand_standings
from mapping.judgement.retention import earliest, is_recheck_due, next_review
from mapping.judgement.verdicts import Verdicts, joined_verdicts, pieces_of
from mapping.ordering import is_ascending, ordering
from mapping.pairs import NOWHERE, Pairs
from mapping.rules.mastery_rule import MasteryRule
from mapping.status import StandingTable, Status, is_mastered


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Below:
    """Every piece that counts, and the pair that it has been carried up to, in rows."""

    learner: IntArray
    competency: IntArray
    line_item: IntArray
    course: IntArray
    kind: CodeArray
    occurred_at: IntArray

    @classmethod
    def of(cls, bodies: Sequence[Counted]) -> Self:
        """The pieces of some bodies, at the pairs they belong to."""
        pieces = [pieces_of(body) for body in bodies]
        return cls(
            learner=_stacked([np.repeat(body.learner, body.count) for body in bodies]),
            competency=_stacked([np.repeat(body.competency, body.count) for body in bodies]),
            line_item=_stacked([part.line_item for part in pieces]),
            course=_stacked([part.course for part in pieces]),
            kind=_stacked([part.kind for part in pieces]).astype(np.int8),
            occurred_at=_stacked([part.occurred_at for part in pieces]),
        )

    def carried_to(self, depth: int, grounds: Grounds) -> Self:
        """Pieces deeper than a level carried up to it."""
        competency = self.competency
        is_deeper = grounds.hierarchy.depth_of(competency) > depth
        above = grounds.hierarchy.parent_of(competency)
        return replace(self, competency=np.where(is_deeper, above, competency))

    def pieces(self, pairs: Pairs) -> Pieces:
        """The pieces of some pairs, a segment for each."""
        found = pairs.find(self.learner, self.competency)
        row = np.flatnonzero(found != NOWHERE)
        row = row[ordering((found[row], self.occurred_at[row]))]
        counts = np.bincount(found[row], minlength=len(pairs))
        return Pieces(
            line_item=self.line_item[row],
            course=self.course[row],
            kind=self.kind[row],
            occurred_at=self.occurred_at[row],
            offsets=np.concatenate(([0], np.cumsum(counts))),
        )


def _stacked(columns: Sequence[IntArray] | Sequence[CodeArray]) -> IntArray:
    return np.concatenate([np.zeros(0, dtype=np.int64), *columns])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Own:
    """Standings by own evidence, ascending by learner and competency.

    ``parts`` are the same pairs as components of a competency that has children: there the
    criteria are asked of everything below it together, and not of the component.
    """

    verdicts: Verdicts
    parts: Verdicts

    def rows(self, index: BoolArray) -> Self:
        """These rows."""
        return self._each(lambda verdicts: verdicts.rows(index))

    def with_rows(self, index: IntArray, rows: Self) -> Self:
        """The same with other rows in place of some."""
        if self.parts is self.verdicts:
            return self._each(lambda verdicts: verdicts.with_rows(index, rows.verdicts))
        return type(self)(
            verdicts=self.verdicts.with_rows(index, rows.verdicts),
            parts=self.parts.with_rows(index, rows.parts),
        )

    def _each(self, change: Callable[[Verdicts], Verdicts]) -> Self:
        verdicts = change(self.verdicts)
        # Where nobody has children both are one and the same.
        is_one = self.parts is self.verdicts
        return type(self)(verdicts=verdicts, parts=verdicts if is_one else change(self.parts))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Families:
    """Parts in segments: the children of one learner and parent, then the parent's own."""

    parts: Verdicts
    is_child: BoolArray
    pairs: Pairs
    offsets: IntArray

    @classmethod
    def of(cls, children: Verdicts, own: Verdicts, grounds: Grounds) -> Self:
        """Bring the parts of each parent together."""
        parts = joined_verdicts((children, own))
        above = grounds.hierarchy.parent_of(children.table.competency)
        target = np.concatenate((above, own.table.competency))
        order = ordering((parts.table.learner, target))
        learner, target = parts.table.learner[order], target[order]
        offsets = runs((learner, target))
        return cls(
            parts=parts.rows(order),
            is_child=order < above.size,
            pairs=Pairs(learner=learner[offsets[:-1]], competency=target[offsets[:-1]]),
            offsets=offsets,
        )

    def only(self, is_kept: BoolArray) -> Self:
        """Some of the parents with their parts."""
        count = np.diff(self.offsets)
        row = np.repeat(is_kept, count)
        return replace(
            self,
            parts=self.parts.rows(row),
            is_child=self.is_child[row],
            pairs=Pairs(
                learner=self.pairs.learner[is_kept], competency=self.pairs.competency[is_kept]
            ),
            offsets=np.concatenate(([0], np.cumsum(count[is_kept]))),
        )

    @property
    def newest(self) -> IntArray:
        """When the newest piece of each parent occurred; ``NO_MOMENT`` is less than any moment."""
        return np.maximum.reduceat(self.parts.newest, self.offsets[:-1])

    @property
    def children(self) -> Children:
        """How many children of each parent are mastered, and have evidence or a verdict."""
        table = self.parts.table
        is_evident = (table.evidence_count > 0) | (table.status >= Status.EMERGING)
        return Children(
            mastered=segment_tally(self.is_child & is_mastered(table.status), self.offsets),
            evident=segment_tally(self.is_child & is_evident, self.offsets),
        )


def ascend(own: Own, below: Below, grounds: Grounds) -> StandingTable:
    """Judge parents by their children, from the deepest level upwards.

    Args:
        own: Every pair by its own evidence.
        below: Every piece that counts; may be empty where no rule has criteria.
        grounds: The rules, the hierarchy, what persons said, and the moment.

    Returns:
        Every pair, parents with any evidence below them included, ascending by learner and
        competency.
    """
    hierarchy = grounds.hierarchy
    depth = hierarchy.depth_of(own.verdicts.table.competency)
    deepest = own.verdicts
    if hierarchy.deepest:
        deepest = deepest.rows(depth == hierarchy.deepest)
    settled = _said(deepest, np.zeros(len(deepest.table), dtype=np.bool_), grounds)
    levels = [settled]
    for level in range(hierarchy.deepest - 1, -1, -1):
        below = below.carried_to(level, grounds)
        settled = _settled(settled, own.rows(depth == level), below, grounds=grounds)
        levels.append(settled)
    table = StandingTable.joined([verdicts.table for verdicts in levels])
    if is_ascending((table.learner, table.competency)):
        return table
    return table.rows(ordering((table.learner, table.competency)))


def _said(verdicts: Verdicts, has_children: BoolArray, grounds: Grounds) -> Verdicts:
    table = overridden(
        verdicts.table,
        verdicts.newest,
        grounds.overrides,
        rules=grounds.rules,
        has_children=has_children,
        at=grounds.at,
    )
    return replace(verdicts, table=table)


def _settled(children: Verdicts, own: Own, below: Below, *, grounds: Grounds) -> Verdicts:
    """Standings of one level, from the level below and its own evidence."""
    families, alone = families_of(children, own, grounds), own.verdicts.table
    is_alone = families.pairs.find(alone.learner, alone.competency) == NOWHERE
    rule = grounds.rule_of(families.pairs.learner, families.pairs.competency)
    parents = [
        _parents(families.only(rule == index), below, grounds, index=index)
        for index in np.unique(rule).tolist()
    ]
    verdicts = joined_verdicts((own.verdicts.rows(is_alone), *parents))
    order = ordering((verdicts.table.learner, verdicts.table.competency))
    return _said(verdicts.rows(order), order >= np.sum(is_alone), grounds)


def families_of(children: Verdicts, own: Own, grounds: Grounds) -> Families:
    """The parents of one level that have a child with a row, with all their parts."""
    families = Families.of(children, own.parts, grounds)
    return families.only(segment_tally(families.is_child, families.offsets) > 0)


def on_scale_of(families: Families, index: int, grounds: Grounds) -> Families:
    """The same parts with their estimates on the scale of one rule."""
    table = families.parts.table
    estimate = carried(table.estimate, table.rule, grounds.rules, to=grounds.rules[index])
    parts = replace(families.parts, table=table.with_columns(estimate=estimate))
    return replace(families, parts=parts)


def _parents(families: Families, below: Below, grounds: Grounds, *, index: int) -> Verdicts:
    """Judge parents that have one rule."""
    families, rule = on_scale_of(families, index, grounds), grounds.rules[index]
    table = strand_standings(
        families.parts.table,
        families.is_child,
        families.offsets,
        rule=rule,
        hierarchy=grounds.hierarchy,
        codes=grounds.codes,
    )
    newest, is_made = families.newest, table.status == Status.MASTERED
    was_met, holds = is_made, is_made
    if rule.criteria is not None:
        cases = parent_cases(families, table, below, grounds=grounds, rule=rule)
        was_met = is_made & is_met(rule.criteria, replace(cases, grows_old=False))
        holds = is_made & is_met(rule.criteria, cases)
    only_aged = was_met & (~holds | is_recheck_due(newest, rule.recheck_days, grounds.at))
    status = np.where(is_made & ~holds, working_status(table.estimate, rule), table.status)
    status = np.where(only_aged, Status.RECHECK_DUE, status).astype(np.int8)
    reviews = next_review(newest, was_met, rule, at=grounds.at)
    table = table.with_columns(
        status=status,
        level=shown_levels(table.estimate, status, rule),
        mastered_at=np.where(is_mastered(status), table.mastered_at, NO_MOMENT),
        review_at=earliest(table.review_at, reviews),
        rule=np.full(len(table), index, dtype=np.int64),
    )
    return Verdicts(table=table, newest=newest)


def parent_cases(
    families: Families,
    table: StandingTable,
    below: Below,
    *,
    grounds: Grounds,
    rule: MasteryRule,
) -> Cases:
    """What the criteria of parents are asked of: all that counts below them, and their own."""
    ledger = Ledger.of(rule.criteria, below.pieces(families.pairs), grounds.line_items_of)
    segment = np.arange(len(table))
    return Cases(
        estimate=table.estimate,
        count=table.evidence_count,
        newest=families.newest,
        found=ledger.found(segment, np.diff(ledger.pieces.offsets)),
        at=grounds.at,
        children=families.children,
    )
