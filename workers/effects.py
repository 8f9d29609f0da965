"""What a change of rules or of the mapping would do, tried on all evidence before it holds.

Learners are judged by the same lines as at night, under the policy as it would be, and compared
with where they stand. Nothing is written.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
from sqlalchemy import Connection, Engine

from mapping.columns import IntArray
from mapping.effects import Batch, Effect, Tally
from mapping.evidence.tables import View
from mapping.judgement.grounds import Grounds
from mapping.judgement.views import judge_both
from mapping.kept import NO_RULE, KeptTable
from mapping.pairs import root_of
from mapping.progressions.graph import NO_PARENT
from mapping.records import CourseId, LearnerId, MappingRule, TenantId
from mapping.rules.scopes import Scope, ScopedRule
from store import courses, effect_facts, frameworks, rules, standing_tables, tenants
from store.effect_facts import Shown
from store.grounds import Policy, Setting, for_many, grounds_of, narrowed, policy_in
from store.item_facts import items_among
from store.remapping import proposed_alignments
from store.score_tables import alignment_table, alignments_of
from store.session import chunks, reading
from workers.ahead import loaded_ahead
from workers.recompute import BATCH

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NONE = np.zeros(0, dtype=np.int64)
_SAME_RULES = _NONE
"""Which rule judged is no difference: a rule that is worded otherwise changes nobody's standing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A change that is not made yet.

    Attributes:
        rule: A version of one scope's rule, put beside those there are.
        mapping: The rules of a mapping set, in order, in place of those in force.
    """

    rule: ScopedRule | None = None
    mapping: Sequence[MappingRule] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """What a change is tried with; ``roots`` are the strands concerned, None for all."""

    policy: Policy
    shown: Shown
    recounted: IntArray
    learners: Sequence[int]
    roots: IntArray | None


def effect_of(
    engine: Engine,
    tenant: TenantId,
    proposed: Proposed,
    *,
    now: datetime,
    tell: Callable[[int, int], None] | None = None,
) -> Effect:
    """Try a change on all evidence that it may concern.

    A rule that begins later is tried as of today: as if it held already.

    Args:
        engine: The database.
        tenant: Whose policy would change.
        proposed: The change.
        now: The moment.
        tell: Called after each batch with how many learners were judged, and of how many.

    Returns:
        Who would stand otherwise, and how.
    """
    with reading(engine) as connection:
        trial = _trial(connection, tenant, proposed, now=now)
    tally = Tally(_strands(trial.policy), trial.recounted)
    parts: Iterator[Sequence[int]] = iter(list(chunks(trial.learners, BATCH)))
    judged = 0
    for batch in loaded_ahead(partial(_batch, engine, trial), parts):
        tally.add(_judged(batch, trial))
        judged += batch.rest.learner.size
        if tell is not None:
            tell(judged, len(trial.learners))
    return tally.effect()


def _trial(
    connection: Connection, tenant: TenantId, proposed: Proposed, *, now: datetime
) -> _Trial:
    policy = policy_tried(connection, tenant, proposed, now=now)
    if proposed.mapping is None:
        policy = for_many(connection, tenant, policy)
    roots, learners = None, tenants.all_learners(connection, tenant)
    if proposed.rule is not None and proposed.mapping is None:
        if proposed.rule.scope is Scope.COURSE:
            learners = courses.active_learners(connection, CourseId(proposed.rule.target))
        concerned = _competencies(connection, tenant, proposed.rule)
        if concerned is not None:
            roots = np.unique(root_of(concerned, policy.hierarchy))
    shown = effect_facts.shown_in_gradebooks(connection, tenant, policy)
    recounted = _NONE
    if proposed.mapping is not None:
        recounted = effect_facts.recounted(connection, tenant, policy)
    if roots is not None:
        policy = narrowed(policy, roots)
    return _Trial(policy=policy, shown=shown, recounted=recounted, learners=learners, roots=roots)


def policy_tried(
    connection: Connection, tenant: TenantId, proposed: Proposed, *, now: datetime
) -> Policy:
    """What learners would be judged by, as if a change held already.

    Args:
        connection: A transaction.
        tenant: Whose policy would change.
        proposed: The change.
        now: The moment.
    """
    entries = list(rules.scoped_rules(connection, tenant))
    rules_at = now
    if proposed.rule is not None:
        entries.append(proposed.rule)
        rules_at = max(now, _EPOCH + timedelta(microseconds=proposed.rule.effective_from))
    table = (
        alignment_table(connection, tenant)
        if proposed.mapping is None
        else alignments_of(proposed_alignments(connection, tenant, proposed.mapping))
    )
    setting = Setting(at=now, entries=entries, rules_at=rules_at, alignments=table)
    policy = policy_in(connection, tenant, setting)
    if proposed.mapping is None:
        return policy
    return replace(policy, items=items_among(connection, np.unique(table.line_item)))


def _competencies(connection: Connection, tenant: TenantId, rule: ScopedRule) -> IntArray | None:
    """The competencies that a rule may concern, None for all."""
    if rule.scope is Scope.COMPETENCY:
        return np.array([rule.target], dtype=np.int64)
    if rule.scope is Scope.FRAMEWORK:
        return np.array(frameworks.ids_in(connection, tenant, rule.target), dtype=np.int64)
    return None


def _strands(policy: Policy) -> IntArray:
    """Competencies that others are part of."""
    parent = policy.hierarchy.parent
    strands: IntArray = np.unique(parent[parent != NO_PARENT])
    return strands


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """Some learners, read and not judged yet; ``rest`` lacks where they would stand."""

    grounds: Grounds
    rest: Batch


def _batch(engine: Engine, trial: _Trial, ids: Sequence[int]) -> _Loaded:
    learners = [LearnerId(one) for one in ids]
    with reading(engine) as connection:
        grounds = grounds_of(connection, trial.policy, learners)
        before = standing_tables.kept_now(connection, learners)
        school = effect_facts.schools_of(connection, learners)
        cells = effect_facts.cells_of(connection, trial.shown, learners)
    before = _concerned(before, trial)
    rest = Batch(
        learner=np.array(ids, dtype=np.int64),
        school=school,
        before=replace(before, rule=np.full(len(before), NO_RULE)),
        after=before,
        cells=cells,
    )
    return _Loaded(grounds=grounds, rest=rest)


def _judged(loaded: _Loaded, trial: _Trial) -> Batch:
    views = dict(zip(View, judge_both(loaded.grounds, None), strict=True))
    return replace(loaded.rest, after=_concerned(KeptTable.of(views, _SAME_RULES), trial))


def _concerned(table: KeptTable, trial: _Trial) -> KeptTable:
    if trial.roots is None:
        return table
    root = root_of(table.competency, trial.policy.hierarchy)
    return table.rows(np.flatnonzero(np.isin(root, trial.roots)))
