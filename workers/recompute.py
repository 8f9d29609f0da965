"""Computing where learners stand, for those whose evidence or whose rule changed.

A learner is computed whole: all evidence of all courses and LMSs, by the one implementation in
``mapping``. What comes out as it was writes nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from mapping.evidence import AlignmentTable, ScoreTable, View, evidence
from mapping.progressions import Hierarchy
from mapping.records import CompetencyId, Counts, LearnerId, TenantId
from mapping.rules import MasteryRule, parse_rule
from mapping.status import Status
from mapping.status import standings as judge
from store import alignments, frameworks, standings, sync_state
from store.standings import Basis, Place, Standing
from store.sync_state import Phase
from workers.work import Work

BATCH = 500
"""Learners computed at a time: some 100,000 scores, small enough for a cache."""
_SAME_ESTIMATE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Policy:
    """What standings are computed with, the same for every learner of a run."""

    rule: MasteryRule
    hierarchy: Hierarchy
    alignments: AlignmentTable
    basis: Basis


def recompute_part(work: Work) -> None:
    """Compute a share of the learners put down for it.

    Args:
        work: The item in hand; its part names the share.
    """
    with work.reading() as connection:
        parts = sync_state.count_items(connection, work.run.id, Phase.COMPUTE)
        waiting = standings.waiting_learners(
            connection, work.run.tenant, part=work.lease.item.part, parts=parts
        )
        policy = _policy(connection, work) if waiting else None
    learners = sorted(waiting)
    for start in range(0, len(learners), BATCH):
        batch = {learner: waiting[learner] for learner in learners[start : start + BATCH]}
        assert policy is not None  # noqa: S101 - there are learners
        _recompute(work, batch, policy)
    with work.writing() as connection:
        work.finish(connection, Counts())


def current_rule(connection: Connection, tenant: TenantId) -> tuple[int, MasteryRule]:
    """The rule in force in a tenant, with its id.

    Raises:
        LookupError: The tenant has none.
    """
    stored = frameworks.current_rule(connection, tenant)
    if stored is None:
        raise LookupError(f"Tenant {tenant} has no mastery rule.")
    return stored.id, parse_rule(stored.definition)


def compute(
    scores: ScoreTable, aligned: AlignmentTable, *, rule: MasteryRule, hierarchy: Hierarchy
) -> dict[Place, Standing]:
    """Where learners stand by their scores, in both views."""
    computed: dict[Place, Standing] = {}
    for view in View:
        table = judge(evidence(scores, aligned, scale=rule.scale, view=view), rule, hierarchy)
        rows = zip(
            table.learner.tolist(),
            table.competency.tolist(),
            table.status.tolist(),
            table.estimate.tolist(),
            table.evidence_count.tolist(),
            table.mastered_count.tolist(),
            strict=True,
        )
        for learner, competency, status, estimate, count, mastered in rows:
            computed[LearnerId(learner), CompetencyId(competency), view] = Standing(
                status=Status(status),
                estimate=None if math.isnan(estimate) else estimate,
                evidence_count=count,
                mastered_count=mastered,
            )
    return computed


def differences(
    before: Mapping[Place, Standing], after: Mapping[Place, Standing]
) -> dict[Place, tuple[Standing | None, Standing]]:
    """What changed: former and present standing; evidence that went away leaves none."""
    nothing = Standing(status=Status.NO_EVIDENCE, estimate=None, evidence_count=0, mastered_count=0)
    gone = {place: nothing for place in before if place not in after}
    return {
        place: (before.get(place), standing)
        for place, standing in {**after, **gone}.items()
        if not _is_same(before.get(place), standing)
    }


def _is_same(before: Standing | None, after: Standing) -> bool:
    """Estimates may differ in the last digits, by which learners were summed beside them."""
    if before is None or before.estimate is None or after.estimate is None:
        return before == after
    is_near = math.isclose(before.estimate, after.estimate, rel_tol=0.0, abs_tol=_SAME_ESTIMATE)
    return is_near and replace(before, estimate=after.estimate) == after


def _policy(connection: Connection, work: Work) -> _Policy:
    rule_id, rule = current_rule(connection, work.run.tenant)
    mapping_set = alignments.current_mapping(connection, work.run.tenant)
    return _Policy(
        rule=rule,
        hierarchy=standings.hierarchy(connection, work.run.tenant),
        alignments=standings.alignment_table(connection, work.run.tenant),
        basis=Basis(mapping_set=mapping_set, rule=rule_id, run=work.run.id),
    )


def _recompute(work: Work, batch: Mapping[LearnerId, int], policy: _Policy) -> None:
    learners = list(batch)
    with work.reading() as connection:
        scores = standings.score_table(connection, learners)
        before = standings.standings_of(connection, learners)
    after = compute(scores, policy.alignments, rule=policy.rule, hierarchy=policy.hierarchy)
    changed = differences(before, after)
    with work.writing() as connection:
        standings.save_standings(connection, changed, basis=policy.basis, now=work.now())
        standings.settle_waiting(connection, batch)
        sync_state.count(
            connection,
            work.lease,
            Counts(
                estimates=sum(
                    place[2] is View.TEACHER and s.estimate is not None
                    for place, s in after.items()
                ),
                statuses_changed=sum(
                    place[2] is View.TEACHER and (old is None or old.status is not new.status)
                    for place, (old, new) in changed.items()
                ),
            ),
        )
