"""From evidence to mastery: one standing for each learner and competency, parents included.

Rules that hold for different competencies judge their own evidence (``verdicts``); then
children make up their parents (``ascent``). Everything that a standing depends on is in
``Grounds``, the present moment included, so that the same grounds give the same standings for
ever. One learner's page and a district's night are judged by these lines.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from mapping.columns import NO_MOMENT
from mapping.evidence.cells import Cells
from mapping.evidence.counting import Counted
from mapping.evidence.matches import Matches
from mapping.evidence.tables import View
from mapping.judgement.ascent import Below, Own, ascend
from mapping.judgement.grounds import Grounds
from mapping.judgement.verdicts import Bench, Verdicts, joined_verdicts, own_verdicts
from mapping.ordering import is_ascending, ordering
from mapping.pairs import NOWHERE, Pairs, closure
from mapping.progressions.graph import NO_PARENT
from mapping.rules.mastery_rule import MasteryRule
from mapping.status import NO_LEVEL, OverrideState, StandingTable, Status


def judge(grounds: Grounds, view: View = View.TEACHER) -> StandingTable:
    """Judge every learner and competency that has any row of evidence, or an override in force.

    A competency has no status but "no evidence" without a row that counts, and none but "more
    evidence needed" below the rule's minimum or where the method gives no estimate; else its
    unrounded estimate and the rule's criteria decide. What met the rule once and does not by
    newer evidence is not sustained, where the rule looks at time at all; what only grew old is
    due for a re-check. Children make up their parent as the parent's rule says, and evidence
    aligned to the parent itself is one more component; the parent's criteria are asked of all
    the evidence below it. What a person said goes before all of this.

    Args:
        grounds: What is known.
        view: Whose eyes it is for.

    Returns:
        A row for each pair, parents with any evidence below them included.

    Source: contracts/mastery-methods.md 2.2 and 2.4; product/requirements.md R09.
    """
    matches = Matches.of(grounds.scores, grounds.alignments)
    own, bodies = own_standings(matches, said_only(matches, grounds), grounds, view=view)
    return ascend(own, below_of(bodies, grounds), grounds)


def judge_pairs(grounds: Grounds, pairs: Pairs, view: View = View.TEACHER) -> StandingTable:
    """Judge some pairs and everything above them anew.

    Args:
        grounds: What is known, of these learners at least.
        pairs: Whose evidence, exclusions or overrides changed, or whose ``review_at`` has come.
        view: Whose eyes it is for.

    Returns:
        The rows of ``judge`` for ``closure(pairs)``; a pair of it without a row has nothing to
        be judged by any more.
    """
    wanted = closure(pairs, grounds.hierarchy)
    table = judge(grounds.restricted(wanted), view)
    return table.rows(wanted.find(table.learner, table.competency) != NOWHERE)


def own_standings(
    matches: Matches, said: Pairs, grounds: Grounds, *, view: View
) -> tuple[Own, Sequence[Counted]]:
    """Judge pairs by their own evidence, and pairs of which only a person said something.

    Args:
        matches: The scores, or those of some pairs.
        said: Other pairs, which have no evidence.
        grounds: What is known.
        view: Whose eyes it is for.

    Returns:
        Every one of these pairs, and the evidence that counts.
    """
    judged, bodies = [], []
    for body, index in _bodies(matches, grounds, view):
        judged.append(_judged(body, index, grounds))
        bodies.append(body)
    unheard = _unheard(said, grounds)
    verdicts = _in_order([unheard, *(own.verdicts for own in judged)])
    if all(own.parts is own.verdicts for own in judged):
        return Own(verdicts=verdicts, parts=verdicts), bodies
    parts = _in_order([unheard, *(own.parts for own in judged)])
    return Own(verdicts=verdicts, parts=parts), bodies


def below_of(bodies: Sequence[Counted], grounds: Grounds) -> Below:
    """The pieces that criteria of parents are asked of; none where no parent can ask."""
    return Below.of(bodies if bodies_matter(grounds) else [])


def bodies_matter(grounds: Grounds) -> bool:
    """Whether a parent's criteria may ask for the pieces below it."""
    asks = any(rule.criteria is not None for rule in grounds.rules)
    return asks and grounds.hierarchy.deepest > 0


def _bodies(matches: Matches, grounds: Grounds, view: View) -> Iterator[tuple[Counted, int]]:
    """What counts for whom, and under which rule, each pair once."""
    holds = grounds.rule_of(matches.learner, matches.competency)
    present = np.flatnonzero(np.bincount(holds, minlength=len(grounds.rules))).tolist()
    for indexes in _groups(present, grounds.rules):
        is_theirs = np.isin(holds, indexes)
        part, rule = matches.only(is_theirs), grounds.rules[indexes[0]]
        cells = Cells.of(part, rule.policy, view, at=grounds.at)
        body = Counted.of(part, cells, scale=rule.scale, policy=rule.policy)
        for index in indexes:
            yield body.only(holds[is_theirs] == index), index


def _groups(indexes: Sequence[int], rules: Sequence[MasteryRule]) -> list[list[int]]:
    """Rules that see scores as the same evidence, brought together."""
    groups: list[list[int]] = []
    for index in indexes:
        alike = (group for group in groups if _reads_alike(rules[group[0]], rules[index]))
        group = next(alike, None)
        if group is None:
            groups.append([index])
        else:
            group.append(index)
    return groups


def _reads_alike(one: MasteryRule, other: MasteryRule) -> bool:
    return (one.scale, one.policy) == (other.scale, other.policy)


def _judged(body: Counted, index: int, grounds: Grounds) -> Own:
    rule = grounds.rules[index]
    verdicts = own_verdicts(body, _bench(body, rule, grounds), index)
    parents = grounds.hierarchy.parent
    is_parent = np.isin(body.competency, parents[parents != NO_PARENT])
    if rule.criteria is None or not is_parent.any():
        return Own(verdicts=verdicts, parts=verdicts)
    component = body.only(is_parent)
    bench = _bench(component, replace(rule, criteria=None), grounds)
    parts = (verdicts.rows(~is_parent), own_verdicts(component, bench, index))
    return Own(verdicts=verdicts, parts=joined_verdicts(parts))


def _bench(body: Counted, rule: MasteryRule, grounds: Grounds) -> Bench:
    return Bench.of(rule, body, at=grounds.at, line_items_of=grounds.line_items_of)


def _in_order(parts: Sequence[Verdicts]) -> Verdicts:
    """Several tables as one, ascending by learner and competency; at least one."""
    filled = [part for part in parts if len(part.table)] or parts[:1]
    verdicts = joined_verdicts(filled)
    keys = (verdicts.table.learner, verdicts.table.competency)
    return verdicts if is_ascending(keys) else verdicts.rows(ordering(keys))


def said_only(matches: Matches, grounds: Grounds) -> Pairs:
    """The pairs of overrides in force that have no row of evidence."""
    said = grounds.overrides.rows(grounds.overrides.is_in_force(grounds.at))
    if len(said) == 0:
        return Pairs.none()
    heard = Pairs(learner=matches.learner, competency=matches.competency)
    is_new = heard.find(said.learner, said.competency) == NOWHERE
    return Pairs.of(said.learner[is_new], said.competency[is_new])


def _unheard(pairs: Pairs, grounds: Grounds) -> Verdicts:
    """Standings of pairs without any evidence."""
    size = len(pairs)
    nothing, never = np.zeros(size, dtype=np.int64), np.full(size, NO_MOMENT, dtype=np.int64)
    table = StandingTable(
        learner=pairs.learner,
        competency=pairs.competency,
        status=np.full(size, Status.NO_EVIDENCE, dtype=np.int8),
        level=np.full(size, NO_LEVEL, dtype=np.int8),
        estimate=np.full(size, np.nan),
        evidence_count=nothing,
        mastered_count=nothing,
        mastered_at=never,
        review_at=never,
        override=np.full(size, OverrideState.NONE, dtype=np.int8),
        rule=grounds.rule_of(pairs.learner, pairs.competency),
    )
    return Verdicts(table=table, newest=never)
