"""Computing where learners stand, for those whose evidence or whose rule changed.

A learner put down whole is computed from all evidence of all courses and LMSs; one of whom only
some competencies may have changed, from the evidence of those and of what they are part of. The
one implementation in ``mapping`` does both, so both come out alike. What comes out as it was
writes nothing.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

import numpy as np
from sqlalchemy import Connection

from connectors.protocol import Note
from mapping.evidence.tables import View
from mapping.judgement.grounds import Grounds
from mapping.judgement.views import judge_both
from mapping.pairs import Pairs, closure
from mapping.records import CompetencyId, Counts, LearnerId, TenantId
from mapping.rules.mastery_rule import MasteryRule, parse_rule
from mapping.rules.rulebook import RuleBook
from store import alignments, rules, standings, sync_state, waiting
from store.grounds import Policy, grounds_of, narrowed, policy_of, with_equivalents
from store.standings import NOWHERE, Basis, Place, Standing
from store.sync_state import Phase
from store.waiting import Pair, Waiting
from workers.work import Work

BATCH = 500
"""Learners computed at a time: some 100,000 scores, small enough for a cache."""
_SAME_ESTIMATE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """What standings are computed with, the same for every learner of a run.

    ``rule_ids`` are those of the rules of the policy's book, in their order.
    """

    policy: Policy
    rule_ids: Sequence[int]
    basis: Basis


def recompute_part(work: Work) -> None:
    """Compute a share of what is put down for it.

    Args:
        work: The item in hand; its part names the share.
    """
    with work.reading() as connection:
        parts = sync_state.count_items(connection, work.run.id, Phase.COMPUTE)
        found = waiting.waiting_in(
            connection, work.run.tenant, part=work.lease.item.part, parts=parts
        )
    if found.everybody:
        setting = _setting(work)
        _tell_of_refused(work, setting.policy.book)
        for batch in batches(found):
            _recompute(work, batch, setting)
    with work.writing() as connection:
        work.finish(connection, Counts())


def batches(found: Waiting) -> Iterator[Waiting]:
    """Share out what is put down: whole learners first, then such as wait for the same.

    Args:
        found: Marks of any number of learners.

    Returns:
        Marks of at most ``BATCH`` learners each; a learner put down whole brings along the
        marks of single competencies.
    """
    touched: dict[LearnerId, list[CompetencyId]] = {learner: [] for learner in found.everybody}
    for learner, competency in found.pairs:
        touched[learner].append(competency)
    ordered = sorted(touched, key=lambda one: (one not in found.learners, touched[one], one))
    for _, alike in groupby(ordered, key=lambda one: one in found.learners):
        group = list(alike)
        for start in range(0, len(group), BATCH):
            batch = group[start : start + BATCH]
            yield Waiting(
                learners={one: found.learners[one] for one in batch if one in found.learners},
                pairs={(one, c): found.pairs[one, c] for one in batch for c in touched[one]},
            )


def current_rule(
    connection: Connection, tenant: TenantId, *, now: datetime
) -> tuple[int, MasteryRule]:
    """The district's rule in force in a tenant, with its id.

    Raises:
        LookupError: The tenant has none.
    """
    stored = rules.district_rule(connection, tenant, now=now)
    if stored is None:
        raise LookupError(f"Tenant {tenant} has no mastery rule.")
    return stored.id, parse_rule(stored.definition)


def rule_ids(connection: Connection, tenant: TenantId, book: RuleBook) -> tuple[int, ...]:
    """What standings keep of each rule of a book, in a writing transaction."""
    return tuple(rules.effective_rule(connection, tenant, one.rule) for one in book.rules)


def compute(
    grounds: Grounds, rule_ids: Sequence[int] = (), *, pairs: Pairs | None = None
) -> dict[Place, Standing]:
    """Where learners stand, in both views.

    Args:
        grounds: What they are judged by.
        rule_ids: As ``rule_ids`` gives them; empty to leave out which rule it was.
        pairs: Only where these, and what they are part of, stand; None for everything.
    """
    computed: dict[Place, Standing] = {}
    for view, table in zip(View, judge_both(grounds, pairs), strict=True):
        places = zip(table.learner.tolist(), table.competency.tolist(), strict=True)
        for (learner, competency), standing in zip(
            places, standings.rows_of(table, rule_ids), strict=True
        ):
            computed[LearnerId(learner), CompetencyId(competency), view] = standing
    return computed


def differences(
    before: Mapping[Place, Standing], after: Mapping[Place, Standing]
) -> dict[Place, tuple[Standing | None, Standing]]:
    """What changed: former and present standing; evidence that went away leaves none."""
    gone = {place: NOWHERE for place in before if place not in after}
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


def _setting(work: Work) -> _Setting:
    tenant = work.run.tenant
    now = work.now()
    with work.reading() as connection:
        rule, _ = current_rule(connection, tenant, now=now)
        mapping_set = alignments.current_mapping(connection, tenant)
        policy = policy_of(connection, tenant, now=now)
    with work.writing() as connection:
        ids = rule_ids(connection, tenant, policy.book)
    return _Setting(
        policy=policy,
        rule_ids=ids,
        basis=Basis(mapping_set=mapping_set, rule=rule, run=work.run.id),
    )


def _tell_of_refused(work: Work, book: RuleBook) -> None:
    """Report rules that make none with those of wider scopes; these went on to hold."""
    if not book.refused:
        return
    told = " ".join(str(refused) for refused in book.refused)
    message = f"Left out, so that what is set for a wider scope holds there: {told}"
    with work.writing() as connection:
        work.tell(connection, [Note(cause="rule_refused", message=message)])


def _recompute(work: Work, batch: Waiting, setting: _Setting) -> None:
    learners = sorted(batch.everybody)
    policy, pairs = setting.policy, None
    if not batch.learners:
        policy, pairs = _narrowed(policy, batch.pairs)
    with work.reading() as connection:
        grounds = grounds_of(connection, policy, learners)
        before = standings.standings_of(connection, learners)
    if pairs is not None:
        before = _within(before, closure(pairs, policy.hierarchy))
    after = compute(grounds, setting.rule_ids, pairs=pairs)
    changed = differences(before, after)
    with work.writing() as connection:
        standings.save_standings(connection, changed, basis=setting.basis, now=work.now())
        waiting.settle(connection, batch)
        sync_state.count(connection, work.lease, _counts(changed, after))


def _narrowed(policy: Policy, marked: Iterable[Pair]) -> tuple[Policy, Pairs]:
    """What is needed to judge some pairs and their equivalents, and all of these pairs."""
    learner, competency = np.array(list(marked), dtype=np.int64).T
    pairs = with_equivalents(Pairs.of(learner, competency), policy.alignments)
    return narrowed(policy, pairs.competency), pairs


def _within(found: Mapping[Place, Standing], pairs: Pairs) -> dict[Place, Standing]:
    wanted = set(zip(pairs.learner.tolist(), pairs.competency.tolist(), strict=True))
    return {place: standing for place, standing in found.items() if place[:2] in wanted}


def _counts(
    changed: Mapping[Place, tuple[Standing | None, Standing]], after: Mapping[Place, Standing]
) -> Counts:
    return Counts(
        estimates=sum(
            place[2] is View.TEACHER and s.estimate is not None for place, s in after.items()
        ),
        statuses_changed=sum(
            place[2] is View.TEACHER and (old is None or old.status is not new.status)
            for place, (old, new) in changed.items()
        ),
    )
