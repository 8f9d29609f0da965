"""Runs and work items: under a lease, with a fence, and never lost."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from mapping.records import Counts
from store import run_reports, sync_state
from store.session import reading, writing
from store.sync_state import LEASE, SETTLING, ItemState, LeaseLostError, Phase
from store.tables import work_items
from tests.conftest import empty
from tests.store.places import NOW, new_course, new_tenant

SECOND = timedelta(seconds=1)


@pytest.fixture
def run(db, district):
    return sync_state.start_run(db, district, cause="nightly", is_full=False, now=NOW)


@pytest.fixture
def item(db, run):
    sync_state.add_items(db, run, Phase.PULL, places=[(None, 7)])
    return db.execute(select(work_items.c.id)).scalar_one()


def due(connection, run, now=NOW):
    return [(found.id, job) for found, job in sync_state.due_items(connection, run, now=now)]


def state_of(connection, item):
    row = connection.execute(select(work_items.c.state).where(work_items.c.id == item))
    return ItemState(row.scalar_one())


def test_a_run_begins_with_its_planning(db, district, run):
    found = sync_state.run(db, run)

    assert (found.tenant, found.cause, found.is_full) == (district, "nightly", False)
    assert (found.phase, found.started_at, found.finished_at) == (Phase.PLAN, NOW, None)


def test_a_run_is_unfinished_until_its_last_phase(db, district, run):
    sync_state.enter_phase(db, run, Phase.PUSH, now=NOW)
    before = sync_state.unfinished_runs(db, district)
    sync_state.enter_phase(db, run, Phase.DONE, now=NOW + SECOND)

    assert [one.id for one in before] == [run]
    assert sync_state.unfinished_runs(db) == ()
    assert sync_state.run(db, run).finished_at == NOW + SECOND


def test_unfinished_runs_are_those_of_one_tenant_or_of_all(db, run):
    other = new_tenant(db, "Other")
    theirs = sync_state.start_run(db, other, cause="nightly", is_full=True, now=NOW)

    assert [one.id for one in sync_state.unfinished_runs(db)] == [run, theirs]
    assert [one.id for one in sync_state.unfinished_runs(db, other)] == [theirs]


def test_a_run_can_be_held_against_others(db, run):
    assert sync_state.hold_run(db, run) == sync_state.run(db, run)


@pytest.fixture
def kept_district(postgres_engine):
    with writing(postgres_engine) as connection:
        tenant = new_tenant(connection, "District")
    yield tenant
    empty(postgres_engine)


@pytest.mark.postgres
def test_who_holds_a_run_makes_nobody_wait_who_only_names_it(postgres_engine, kept_district):
    with writing(postgres_engine) as connection:
        run = sync_state.start_run(
            connection, kept_district, cause="nightly", is_full=False, now=NOW
        )

    with writing(postgres_engine) as holder, writing(postgres_engine) as worker:
        sync_state.hold_run(holder, run)
        worker.execute(text("SET LOCAL lock_timeout = '2s'"))
        sync_state.add_items(worker, run, Phase.PULL, places=[(None, 7)])

    with reading(postgres_engine) as connection:
        assert sync_state.count_items(connection, run, Phase.PULL) == 1


@pytest.mark.usefixtures("run")
def test_the_last_start_is_the_newest_of_its_cause(db, district):
    sync_state.start_run(db, district, cause="nightly", is_full=False, now=NOW + SECOND)
    sync_state.start_run(db, district, cause="by hand", is_full=False, now=NOW + 9 * SECOND)

    assert sync_state.last_started(db, district, "nightly") == NOW + SECOND
    assert sync_state.last_started(db, district, "never") is None


def test_no_places_are_no_work(db, run):
    sync_state.add_items(db, run, Phase.PULL, places=[])

    assert sync_state.count_items(db, run, Phase.PULL) == 0


def test_a_claimed_item_says_what_to_do(db, run, item):
    lease = sync_state.claim(db, item, now=NOW)

    assert (lease.item.id, lease.item.run, lease.item.phase) == (item, run, Phase.PULL)
    assert (lease.item.course, lease.item.part, lease.item.attempts) == (None, 7, 1)


def test_an_item_that_is_held_cannot_be_claimed(db, item):
    sync_state.claim(db, item, now=NOW)

    assert sync_state.claim(db, item, now=NOW + LEASE) is None


def test_an_item_whose_holder_fell_silent_can_be_claimed(db, item):
    first = sync_state.claim(db, item, now=NOW)
    second = sync_state.claim(db, item, now=NOW + LEASE + SECOND)

    assert second.fence > first.fence
    assert second.item.attempts == 2


def test_a_holder_who_speaks_keeps_the_item(db, item):
    lease = sync_state.claim(db, item, now=NOW)
    sync_state.hold(db, lease, now=NOW + LEASE)

    assert sync_state.claim(db, item, now=NOW + LEASE + SECOND) is None


def test_a_holder_who_lost_the_item_is_told(db, item):
    lease = sync_state.claim(db, item, now=NOW)
    sync_state.claim(db, item, now=NOW + LEASE + SECOND)

    with pytest.raises(LeaseLostError):
        sync_state.hold(db, lease, now=NOW + LEASE + SECOND)


def test_a_holder_who_lost_the_item_can_neither_finish_it_nor_put_it_back(db, item):
    lease = sync_state.claim(db, item, now=NOW)
    sync_state.claim(db, item, now=NOW + LEASE + SECOND)

    sync_state.finish(db, lease, ItemState.DONE, now=NOW)
    sync_state.put_back(db, lease, not_before=NOW, cause="x", message="x")

    assert state_of(db, item) is ItemState.WORKING


def test_a_finished_item_cannot_be_claimed(db, item):
    sync_state.finish(db, sync_state.claim(db, item, now=NOW), ItemState.DONE, now=NOW)

    assert sync_state.claim(db, item, now=NOW + timedelta(days=1)) is None


def test_an_item_put_back_cannot_be_claimed_before_its_time(db, item):
    lease = sync_state.claim(db, item, now=NOW)
    sync_state.put_back(db, lease, not_before=NOW + SECOND, cause="down", message="Later.")

    assert sync_state.claim(db, item, now=NOW) is None
    assert sync_state.claim(db, item, now=NOW + SECOND).item.attempts == 2


def test_an_item_put_back_is_due_at_its_time_whatever_carried_it(db, run, item):
    sync_state.mark_enqueued(db, [item], job="job", now=NOW)
    lease = sync_state.claim(db, item, now=NOW)
    sync_state.put_back(db, lease, not_before=NOW + 2 * SECOND, cause="down", message="Later.")

    assert due(db, run, NOW + SECOND) == []
    assert due(db, run, NOW + 2 * SECOND) == [(item, "job")]


def test_new_items_are_due(db, run, item):
    assert due(db, run) == [(item, "")]


def test_an_item_put_into_the_queue_is_given_time_before_it_is_due_again(db, run, item):
    sync_state.mark_enqueued(db, [item], job="job", now=NOW)

    assert due(db, run, NOW + SETTLING) == []
    assert due(db, run, NOW + SETTLING + SECOND) == [(item, "job")]


def test_an_item_that_is_held_is_not_due(db, run, item):
    sync_state.claim(db, item, now=NOW)

    assert due(db, run, NOW + LEASE) == []


def test_an_item_whose_holder_fell_silent_is_due_whatever_the_queue_says(db, run, item):
    sync_state.mark_enqueued(db, [item], job="job", now=NOW)
    sync_state.claim(db, item, now=NOW)

    assert due(db, run, NOW + LEASE + SECOND) == [(item, "job")]


def test_putting_an_item_into_the_queue_frees_it_of_a_silent_holder(db, item):
    lease = sync_state.claim(db, item, now=NOW)

    sync_state.mark_enqueued(db, [item], job="job", now=NOW + LEASE + SECOND)

    assert state_of(db, item) is ItemState.PENDING
    with pytest.raises(LeaseLostError):
        sync_state.hold(db, lease, now=NOW + LEASE + SECOND)


def test_putting_an_item_into_the_queue_does_not_take_it_from_its_holder(db, item):
    lease = sync_state.claim(db, item, now=NOW)

    sync_state.mark_enqueued(db, [item], job="job", now=NOW + SECOND)

    sync_state.hold(db, lease, now=NOW + SECOND)
    assert state_of(db, item) is ItemState.WORKING


def test_a_phase_has_work_until_its_last_item_is_finished(db, run, item):
    before = sync_state.has_unfinished_items(db, run, Phase.PULL)
    sync_state.finish(db, sync_state.claim(db, item, now=NOW), ItemState.FAILED, now=NOW)

    assert before
    assert not sync_state.has_unfinished_items(db, run, Phase.PULL)


def test_progress_counts_the_present_phase_alone(db, run, item):
    sync_state.add_items(db, run, Phase.PULL, places=[(None, 8)])
    sync_state.add_items(db, run, Phase.PUSH, places=[(None, 9)])
    sync_state.enter_phase(db, run, Phase.PULL, now=NOW)
    sync_state.finish(db, sync_state.claim(db, item, now=NOW), ItemState.DONE, now=NOW)

    found = run_reports.progress(db, run)

    assert (found.phase, found.finished, found.total) == (Phase.PULL, 1, 2)


def test_a_course_left_out_is_told_with_the_reason(db, run, algebra):
    reasons = {algebra: ("unpublished", "Not published yet.")}
    sync_state.add_unread(db, run, reasons, state=ItemState.SKIPPED)

    (found,) = run_reports.troubles(db, run)

    assert (found.about, found.cause, found.state) == ("Algebra", "unpublished", ItemState.SKIPPED)
    assert found.message == "Not published yet."
    assert sync_state.courses_known(db, run) == ()


def test_what_is_tried_again_is_no_trouble_and_what_failed_is(db, run, item):
    lease = sync_state.claim(db, item, now=NOW)
    sync_state.put_back(db, lease, not_before=NOW, cause="down", message="It was down.")
    before = run_reports.troubles(db, run)
    again = sync_state.claim(db, item, now=NOW)
    sync_state.finish(db, again, ItemState.FAILED, now=NOW, cause="down", message="Still down.")

    assert before == ()
    assert [(one.about, one.message) for one in run_reports.troubles(db, run)] == [
        ("", "Still down.")
    ]


def test_what_was_finished_in_the_end_is_no_trouble(db, run, item):
    lease = sync_state.claim(db, item, now=NOW)
    sync_state.put_back(db, lease, not_before=NOW, cause="down", message="It was down.")
    sync_state.finish(db, sync_state.claim(db, item, now=NOW), ItemState.DONE, now=NOW)

    assert run_reports.troubles(db, run) == ()


def test_a_run_sums_up_what_its_parts_counted(db, district, canvas, run, algebra):
    beside = new_course(db, district, canvas, "c2")
    sync_state.add_items(db, run, Phase.PULL, places=[(algebra, 0), (beside, 0)])
    for number, _ in due(db, run):
        lease = sync_state.claim(db, number, now=NOW)
        for _ in range(2):
            sync_state.count(db, lease, Counts(scores_pulled=10, scores_new=3, api_calls=1))
        sync_state.finish(db, lease, ItemState.DONE, now=NOW + 4 * SECOND)
    sync_state.enter_phase(db, run, Phase.DONE, now=NOW + 9 * SECOND)

    found = run_reports.counts(db, run)

    assert (found.courses, found.scores_pulled, found.scores_new, found.api_calls) == (2, 40, 12, 4)
    assert (found.seconds, found.seconds_by_phase) == (9.0, {"pull": 4.0})
    assert set(sync_state.courses_known(db, run)) == {algebra, beside}


def test_a_run_that_goes_on_has_no_length_yet(db, run, item):
    sync_state.claim(db, item, now=NOW)

    found = run_reports.counts(db, run)

    assert (found.seconds, found.seconds_by_phase) == (0.0, {})


def test_counts_as_plain_values_are_rounded_to_milliseconds():
    plain = run_reports.as_dict(Counts(seconds=1.23456, seconds_by_phase={"pull": 0.98765}))

    assert (plain["seconds"], plain["seconds_by_phase"]) == (1.235, {"pull": 0.988})
    assert plain["pushed"] == 0


def test_the_time_of_an_item_counts_from_its_first_taking_up(db, run, item):
    lease = sync_state.claim(db, item, now=NOW)
    sync_state.put_back(db, lease, not_before=NOW, cause="down", message="Later.")
    again = sync_state.claim(db, item, now=NOW + 5 * SECOND)
    sync_state.finish(db, again, ItemState.DONE, now=NOW + 6 * SECOND)

    assert run_reports.counts(db, run).seconds_by_phase == {"pull": 6.0}


def test_of_two_who_claim_at_once_one_gets_the_item(engine):
    with writing(engine) as connection:
        run = sync_state.start_run(
            connection, new_tenant(connection), cause="x", is_full=False, now=NOW
        )
        sync_state.add_items(connection, run, Phase.PULL, places=[(None, 0)])
    with reading(engine) as connection:
        ((item, _),) = due(connection, run)

    leases = []
    for _ in range(2):
        with writing(engine) as connection:
            leases.append(sync_state.claim(connection, item, now=NOW))

    assert [lease is None for lease in leases] == [False, True]
