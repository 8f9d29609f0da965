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
from mapping.evidence.joining import evidence
from mapping.evidence.tables import View
from mapping.judgement.ascent import Below, Own, ascend
from mapping.judgement.grounds import Grounds
from mapping.judgement.verdicts import Bench, Body, Verdicts, joined_verdicts, own_verdicts
from mapping.ordering import ordering
from mapping.pairs import NOWHERE, Pairs, closure, joined
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
    bodies = list(_bodies(grounds, view))
    own = _own(bodies, grounds)
    asks = any(rule.criteria is not None for rule in grounds.rules)
    below = Below.of([body for body, _ in bodies] if asks else [])
    return ascend(own, below, grounds)


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


def _bodies(grounds: Grounds, view: View) -> Iterator[tuple[Body, int]]:
    """What counts for whom, and under which rule, each pair once."""
    for part, indexes in _readings(grounds):
        rule = grounds.rules[indexes[0]]
        seen = evidence(
            part.scores,
            part.alignments,
            scale=rule.scale,
            view=view,
            policy=rule.policy,
            at=grounds.at,
        )
        body = Body.of(seen)
        holds = grounds.rule_of(body.learner, body.competency)
        for index in np.intersect1d(holds, indexes).tolist():
            yield body.only(holds == index), index


def _readings(grounds: Grounds) -> Iterator[tuple[Grounds, Sequence[int]]]:
    """The grounds for rules that see scores as the same evidence, and which rules those are.

    Where rules differ in that, each part holds all scores of the pairs under its rules, and
    some of others'.
    """
    rules = grounds.rules
    if all(_reads_alike(rule, rules[0]) for rule in rules):
        yield grounds, range(len(rules))
        return
    score, alignment = joined(grounds.scores.line_item, grounds.alignments.line_item)
    holds = grounds.rule_of(grounds.scores.learner[score], grounds.alignments.competency[alignment])
    for indexes in _groups(np.unique(holds).tolist(), rules):
        is_theirs = np.isin(holds, indexes)
        yield grounds.reading(score[is_theirs], alignment[is_theirs]), indexes


def _groups(indexes: Sequence[int], rules: Sequence[MasteryRule]) -> list[list[int]]:
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


def _own(bodies: Sequence[tuple[Body, int]], grounds: Grounds) -> Own:
    """Every pair by its own evidence; those without any, of which a person said something, too."""
    judged = [_judged(body, index, grounds) for body, index in bodies]
    heard = joined_verdicts([_unheard(Pairs.none(), grounds), *(own.verdicts for own in judged)])
    said = _unheard(_said_only(heard.table, grounds), grounds)
    return Own(
        verdicts=_in_order([said, *(own.verdicts for own in judged)]),
        parts=_in_order([said, *(own.parts for own in judged)]),
    )


def _judged(body: Body, index: int, grounds: Grounds) -> Own:
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


def _bench(body: Body, rule: MasteryRule, grounds: Grounds) -> Bench:
    return Bench.of(rule, body, at=grounds.at, line_items_of=grounds.line_items_of)


def _in_order(parts: Sequence[Verdicts]) -> Verdicts:
    verdicts = joined_verdicts(parts)
    table = verdicts.table
    return verdicts.rows(ordering((table.learner, table.competency)))


def _said_only(table: StandingTable, grounds: Grounds) -> Pairs:
    """The pairs of overrides in force that have no row of evidence."""
    said = grounds.overrides.rows(grounds.overrides.is_in_force(grounds.at))
    heard = Pairs.of(table.learner, table.competency)
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
