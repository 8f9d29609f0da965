"""Computing where learners stand, for those whose evidence or whose rule changed.

A learner put down whole is computed from all evidence of all courses and LMSs; one of whom only
some competencies may have changed, from the evidence of those and of what they are part of. The
one implementation in ``mapping`` does both, so both come out alike. What comes out as it was
writes nothing; of whom a digest says so, not even what is kept is read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np
from sqlalchemy import Connection

from connectors.protocol import Note
from mapping.columns import BoolArray, IntArray
from mapping.digests import Digests
from mapping.evidence.tables import View
from mapping.judgement.grounds import Grounds
from mapping.judgement.views import judge_both
from mapping.kept import Changes, KeptTable, differing
from mapping.pairs import NOWHERE, Pairs, closure, root_of
from mapping.records import Counts, LearnerId, RunId, TenantId
from mapping.rules.mastery_rule import MasteryRule, parse_rule
from mapping.rules.rulebook import RuleBook
from store import alignments, due, rules, standing_digests, standing_tables, sync_state, waiting
from store.grounds import Policy, for_many, grounds_of, narrowed, policy_of, with_equivalents
from store.standings import Basis
from store.sync_state import Phase
from store.waiting import Waiting
from workers.ahead import loaded_ahead
from workers.work import Work

BATCH = waiting.TOGETHER
"""Learners computed at a time: some 300,000 scores, and no more memory than there is cache for."""
_LOADING = 2
"""Batches loaded at a time: PostgreSQL takes longer to send one than a worker to judge it."""
_MOST_DIRTY = 0.4
"""Where more of what learners are judged in may have changed, they are computed whole."""
_FEW_ROOTS = 0.25
"""Where no more of all strands may have changed, only their scores are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """What standings are computed with, the same for every learner of a run.

    ``rule_ids`` are those of the rules of the policy's book, in their order; ``roots`` all
    strands, and competencies without one, that anything speaks for.
    """

    policy: Policy
    rule_ids: IntArray
    basis: Basis
    roots: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A setting, and everything that was put down in its district before it was read.

    It holds for whoever was put down then and not again: whatever changes what learners are
    judged by puts them down with it.
    """

    run: RunId
    marks: Waiting
    setting: _Setting


@dataclass(slots=True)
class Memory:
    """What a process computed with last: to read it takes half a second in a large district."""

    known: _Known | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """Learners computed together, in what may have changed: ``pairs``, None for everything."""

    marks: Waiting
    policy: Policy
    pairs: Pairs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """What is known of a task's learners.

    ``grounds`` are taken out once they are judged: what is written next takes room, too.
    ``before`` is where those stood of whom ``is_read``; ``digests`` tells of the others whether
    they stand there still.
    """

    task: _Task
    grounds: list[Grounds]
    digests: Digests
    is_read: BoolArray
    before: KeptTable


def recompute_part(work: Work, memory: Memory | None = None) -> None:
    """Compute a share of what is put down for it.

    Args:
        work: The item in hand; its part names the share.
        memory: Of the process that computed other shares of the run.
    """
    with work.reading() as connection:
        parts = sync_state.count_items(connection, work.run.id, Phase.COMPUTE)
        found = waiting.waiting_in(
            connection, work.run.tenant, part=work.lease.item.part, parts=parts
        )
    if found.everybody.size:
        setting = _setting(work, found, memory or Memory())
        _tell_of_refused(work, setting.policy.book)
        tasks = (task for batch in batches(found) for task in _tasks(batch, setting))
        for loaded in loaded_ahead(partial(_load, work), tasks, threads=_LOADING):
            _recompute(work, loaded, setting)
    with work.writing() as connection:
        work.finish(connection, Counts())


def batches(found: Waiting) -> Iterator[Waiting]:
    """Share out what is put down, learners whose ids follow one another together.

    Args:
        found: Marks of any number of learners.

    Returns:
        All marks of at most ``BATCH`` learners each.
    """
    everybody = found.everybody
    for start in range(0, everybody.size, BATCH):
        yield found.of(everybody[start : start + BATCH])


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


def rule_ids(connection: Connection, tenant: TenantId, book: RuleBook) -> IntArray:
    """What standings keep of each rule of a book, in a writing transaction."""
    found = (rules.effective_rule(connection, tenant, one.rule) for one in book.rules)
    return np.fromiter(found, dtype=np.int64)


def compute(grounds: Grounds, rule_ids: IntArray, *, pairs: Pairs | None = None) -> KeptTable:
    """Where learners stand, in both views.

    Args:
        grounds: What they are judged by.
        rule_ids: As ``rule_ids`` gives them; empty to leave out which rule it was.
        pairs: Only where these, and what they are part of, stand; None for everything.
    """
    return KeptTable.of(dict(zip(View, judge_both(grounds, pairs), strict=True)), rule_ids)


def _setting(work: Work, found: Waiting, memory: Memory) -> _Setting:
    """What marks are computed by: what the share before was, where it holds for them."""
    known = memory.known
    if known is None or known.run != work.run.id or not known.marks.has(found):
        with work.reading() as connection:
            marks = waiting.waiting_in(connection, work.run.tenant, part=0, parts=1)
        known = _Known(run=work.run.id, marks=marks, setting=_read_setting(work))
        memory.known = known
    return known.setting


def _read_setting(work: Work) -> _Setting:
    tenant = work.run.tenant
    now = work.now()
    with work.reading() as connection:
        rule, _ = current_rule(connection, tenant, now=now)
        mapping_set = alignments.current_mapping(connection, tenant)
        policy = for_many(connection, tenant, policy_of(connection, tenant, now=now))
    with work.writing() as connection:
        ids = rule_ids(connection, tenant, policy.book)
    return _Setting(
        policy=policy,
        rule_ids=ids,
        basis=Basis(mapping_set=mapping_set, rule=rule, run=work.run.id),
        roots=np.unique(root_of(policy.alignments.competency, policy.hierarchy)),
    )


def _tell_of_refused(work: Work, book: RuleBook) -> None:
    """Report rules that make none with those of wider scopes; these went on to hold."""
    if not book.refused:
        return
    told = " ".join(str(refused) for refused in book.refused)
    message = f"Left out, so that what is set for a wider scope holds there: {told}"
    with work.writing() as connection:
        work.tell(connection, [Note(cause="rule_refused", message=message)])


def _tasks(batch: Waiting, setting: _Setting) -> Iterator[_Task]:
    """Learners to be computed whole, then those of whom only some competencies are."""
    policy = setting.policy
    only_in_part = np.setdiff1d(batch.pairs.learner, batch.learners)
    marks = batch.of(only_in_part)
    pairs = with_equivalents(marks.pairs, policy.alignments)
    of_roots = Pairs.of(pairs.learner, root_of(pairs.competency, policy.hierarchy))
    if len(of_roots) > _MOST_DIRTY * only_in_part.size * setting.roots.size:
        yield _Task(marks=batch, policy=policy)
        return
    if batch.learners.size:
        yield _Task(marks=batch.of(batch.learners), policy=policy)
    if only_in_part.size:
        if np.unique(of_roots.competency).size <= _FEW_ROOTS * setting.roots.size:
            policy = narrowed(policy, pairs.competency)
        yield _Task(marks=marks, policy=policy, pairs=pairs)


def _load(work: Work, task: _Task) -> _Loaded:
    learners = _ids(task.marks.everybody)
    with work.reading() as connection:
        grounds = grounds_of(connection, task.policy, learners)
        digests = standing_digests.kept_digests(connection, learners)
        is_read = ~digests.is_there | np.isin(digests.learner, task.marks.pairs.learner)
        before = standing_tables.kept_now(connection, _ids(digests.learner[is_read]))
    if task.pairs is not None:
        concerned = closure(task.pairs, task.policy.hierarchy)
        before = before.rows(concerned.find(before.learner, before.competency) != NOWHERE)
    return _Loaded(task=task, grounds=[grounds], digests=digests, is_read=is_read, before=before)


def _recompute(work: Work, loaded: _Loaded, setting: _Setting) -> None:
    task = loaded.task
    after = compute(loaded.grounds.pop(), setting.rule_ids, pairs=task.pairs)
    if task.pairs is None:
        digests, changes = _compared(work, loaded, after)
    else:
        digests, changes = Digests.none(), differing(loaded.before, after)
    now = work.now()
    with work.writing() as connection:
        marks = waiting.still_waiting(connection, task.marks)
        if marks is not task.marks:
            # Another process was quicker: what it wrote is at least as new.
            changes = changes.rows(np.isin(changes.after.learner, marks.everybody))
            digests = digests.rows(np.isin(digests.learner, marks.everybody))
        digests = _still_true(connection, digests, loaded.digests)
        standing_tables.save_changes(connection, changes, basis=setting.basis, now=now)
        standing_digests.keep_digests(connection, digests)
        due.put_down_learners(connection, _whose_marks(changes), now=now)
        waiting.settle(connection, marks)
        sync_state.count(connection, work.lease, _counts(changes, after))


def _compared(work: Work, loaded: _Loaded, after: KeptTable) -> tuple[Digests, Changes]:
    """What changed of learners computed whole, and the digests of those that have another one.

    The standings of whom comes out as the digest says are kept already, and not read.
    """
    found = Digests.of(after, loaded.digests.learner)
    is_other = ~found.equals(loaded.digests)
    before, unread = loaded.before, found.learner[is_other & ~loaded.is_read]
    if unread.size:
        with work.reading() as connection:
            more = standing_tables.kept_now(connection, _ids(unread))
        before = KeptTable.joined([before, more]).ordered()
    digests = found.rows(is_other)
    before, after = (
        table.rows(np.isin(table.learner, digests.learner)) for table in (before, after)
    )
    return digests, differing(before, after)


def _still_true(connection: Connection, digests: Digests, before: Digests) -> Digests:
    """Only of learners whose standings nobody wrote since they were compared.

    Whoever writes them holds their marks, as this transaction does now.
    """
    if digests.learner.size == 0:
        return digests
    now = standing_digests.kept_digests(connection, _ids(digests.learner))
    then = before.rows(np.isin(before.learner, digests.learner))
    return digests.rows(now.equals(then))


def _whose_marks(changes: Changes) -> Sequence[LearnerId]:
    """Learners of whom a gradebook may show something else now; it shows what they may see."""
    is_theirs = changes.is_shown & (changes.after.view == View.LEARNER)
    return _ids(np.unique(changes.after.learner[is_theirs]))


def _ids(learners: IntArray) -> list[LearnerId]:
    return [LearnerId(one) for one in learners.tolist()]


def _counts(changes: Changes, after: KeptTable) -> Counts:
    is_new = changes.has_new_status & (changes.after.view == View.TEACHER)
    is_estimated = ~np.isnan(after.estimate) & (after.view == View.TEACHER)
    return Counts(
        estimates=int(np.count_nonzero(is_estimated)),
        statuses_changed=int(np.count_nonzero(is_new)),
    )
