"""Two holders, one work item, any interleaving: one effect at most, and the item is never lost."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from mapping.records import Counts
from store import sync_state
from store.session import reading, writing
from store.sync_state import LEASE, ItemState, LeaseLostError, Phase
from store.tables import work_items
from tests.store.places import NOW, new_tenant

_holders = st.sampled_from(["first", "second"])
_LONG = timedelta(minutes=5)


class Leases(RuleBasedStateMachine):
    """Every step of a holder is one transaction that renews its lease, as ``workers.work`` does."""

    def __init__(self, engine):
        super().__init__()
        self.engine, self.now = engine, NOW
        self.leases, self.ends, self.effects = {}, 0, 0
        with writing(engine) as connection:
            tenant = new_tenant(connection)
            self.run = sync_state.start_run(connection, tenant, cause="x", is_full=False, now=NOW)
            sync_state.add_items(connection, self.run, Phase.PULL, places=[(None, 0)])
            ((item, _),) = sync_state.due_items(connection, self.run, now=NOW)
        self.item = item.id

    def row(self):
        with reading(self.engine) as connection:
            return connection.execute(select(work_items).where(work_items.c.id == self.item)).one()

    def step(self, holder, act) -> bool:
        """One transaction of a holder; whether it was committed."""
        lease = self.leases.get(holder)
        if lease is None:
            return False
        try:
            with writing(self.engine) as connection:
                sync_state.hold(connection, lease, now=self.now)
                act(connection, lease)
        except LeaseLostError:
            del self.leases[holder]
            return False
        return True

    @rule(seconds=st.sampled_from([1, 6, 15, 25]))
    def time_passes(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(holder=_holders)
    def claim(self, holder):
        with writing(self.engine) as connection:
            lease = sync_state.claim(connection, self.item, now=self.now)
        if lease is not None:
            self.leases[holder] = lease

    @rule(holder=_holders)
    def work(self, holder):
        counted = Counts(scores_new=1)
        self.effects += self.step(holder, lambda c, lease: sync_state.count(c, lease, counted))

    @rule(holder=_holders)
    def finish(self, holder):
        is_ended = self.step(
            holder, lambda c, lease: sync_state.finish(c, lease, ItemState.DONE, now=self.now)
        )
        self.ends += is_ended
        if is_ended:
            del self.leases[holder]

    @rule(holder=_holders, pause=st.sampled_from([0, 4, 30]))
    def put_back(self, holder, pause):
        later = self.now + timedelta(seconds=pause)
        if self.step(
            holder,
            lambda c, lease: sync_state.put_back(
                c, lease, not_before=later, cause="down", message="Later."
            ),
        ):
            del self.leases[holder]

    @rule()
    def tend(self):
        with writing(self.engine) as connection:
            due = sync_state.due_items(connection, self.run, now=self.now)
            sync_state.mark_enqueued(
                connection, [item.id for item, _ in due], job="job", now=self.now
            )

    @invariant()
    def one_holder_at_most_can_commit_and_end_it_once(self):
        row = self.row()
        assert sum(lease.fence == row.fence for lease in self.leases.values()) <= 1
        assert self.ends == (row.state == ItemState.DONE.value)
        assert row.scores_new == self.effects

    @precondition(lambda self: not self.ends)
    @invariant()
    def an_unfinished_item_is_due_once_all_are_silent(self):
        with reading(self.engine) as connection:
            later = sync_state.due_items(connection, self.run, now=self.now + LEASE + _LONG)
        assert [item.id for item, _ in later] == [self.item]


def test_any_interleaving_of_two_holders_has_one_effect_and_loses_nothing(engine):
    run_state_machine_as_test(
        lambda: Leases(engine), settings=settings(max_examples=12, stateful_step_count=15)
    )
