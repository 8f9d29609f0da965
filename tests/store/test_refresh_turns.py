"""A course is read out of turn by one who asked, not too often, and can be followed."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from mapping.records import CourseId
from store import sync_state
from store.refresh_turns import PAUSE, Step, take_turn, turn_of
from store.refreshes import RefreshCause, request_refreshes, requested, take_up
from store.sync_state import ItemState, Phase
from store.tables import tenants
from tests.store import places
from tests.store.places import NOW

LATER = NOW + timedelta(seconds=30)


@pytest.fixture
def asked(db, district, algebra):
    """A course whose turn was taken and whose reading was asked for."""
    assert take_turn(db, district, algebra, now=NOW)
    request_refreshes(db, [algebra], cause=RefreshCause.TEACHER, by="Ada", now=NOW)
    return algebra


def begin(db, district, course):
    """A run takes the request up."""
    take_up(db, [course])
    run = sync_state.start_run(db, district, cause="refresh", is_full=False, now=NOW)
    sync_state.enter_phase(db, run, Phase.PULL, now=NOW)
    sync_state.add_items(db, run, Phase.PULL, places=[(course, 0)])
    return run


def work(db, run, state):
    """The only item of a run is worked on to its end."""
    ((item, _),) = sync_state.due_items(db, run, now=NOW)
    lease = sync_state.claim(db, item.id, now=NOW)
    sync_state.finish(db, lease, state, now=LATER)


def test_of_two_who_ask_one_has_the_turn(db, district, algebra):
    assert take_turn(db, district, algebra, now=NOW)

    assert not take_turn(db, district, algebra, now=NOW)


def test_a_turn_is_free_again_after_five_minutes(db, district, algebra):
    take_turn(db, district, algebra, now=NOW)

    assert not take_turn(db, district, algebra, now=NOW + PAUSE - timedelta(seconds=1))
    assert take_turn(db, district, algebra, now=NOW + PAUSE)


def test_a_clock_that_was_set_back_holds_no_turn(db, district, algebra):
    take_turn(db, district, algebra, now=NOW + timedelta(hours=3))

    assert take_turn(db, district, algebra, now=NOW)


def test_a_course_that_still_waits_is_not_asked_for_twice(db, district, asked):
    assert not take_turn(db, district, asked, now=NOW + 2 * PAUSE)


def test_another_tenants_course_has_no_turn_to_take(db, algebra):
    other = places.new_tenant(db, "Other")

    assert not take_turn(db, other, algebra, now=NOW)
    assert turn_of(db, other, algebra, now=NOW) is None


def test_a_course_asked_for_by_nobody_has_no_reading_to_follow(db, district, algebra):
    turn = turn_of(db, district, algebra, now=NOW)

    assert (turn.step, turn.since, turn.again_at, turn.has_failed) == (None, None, None, False)


def test_a_reading_waits_until_a_run_takes_it_up(db, district, asked):
    turn = turn_of(db, district, asked, now=LATER)

    assert (turn.step, turn.since) == (Step.WAITING, NOW)


def test_a_reading_is_followed_through_its_run(db, district, asked):
    run = begin(db, district, asked)
    seen = [turn_of(db, district, asked, now=LATER).step]
    work(db, run, ItemState.DONE)
    for phase in (Phase.COMPUTE, Phase.PUSH, Phase.DONE):
        sync_state.enter_phase(db, run, phase, now=LATER)
        seen.append(turn_of(db, district, asked, now=LATER).step)

    assert seen == [Step.READING, Step.COMPUTING, Step.WRITING, None]


def test_a_reading_that_is_over_says_from_when_the_next_may_begin(db, district, asked):
    run = begin(db, district, asked)
    work(db, run, ItemState.DONE)
    sync_state.enter_phase(db, run, Phase.DONE, now=LATER)

    turn = turn_of(db, district, asked, now=LATER)

    assert (turn.again_at, turn.has_failed) == (NOW + PAUSE, False)
    assert turn_of(db, district, asked, now=NOW + PAUSE).again_at is None


def test_a_reading_that_failed_says_so(db, district, asked):
    run = begin(db, district, asked)
    work(db, run, ItemState.FAILED)
    sync_state.enter_phase(db, run, Phase.DONE, now=LATER)

    assert turn_of(db, district, asked, now=LATER).has_failed


def test_a_night_that_read_the_course_before_is_no_answer_to_who_asked_since(db, district, algebra):
    run = begin(db, district, algebra)
    work(db, run, ItemState.FAILED)
    asked_at = LATER + timedelta(minutes=1)

    take_turn(db, district, algebra, now=asked_at)

    turn = turn_of(db, district, algebra, now=asked_at)
    assert (turn.step, turn.has_failed) == (None, False)


def test_a_pause_is_told(db, district, algebra):
    db.execute(
        update(tenants).where(tenants.c.id == district).values(paused_at=NOW, paused_by="Ms Low")
    )

    turn = turn_of(db, district, algebra, now=LATER)

    assert (turn.paused_at, turn.paused_by) == (NOW, "Ms Low")


def test_what_is_asked_for_twice_is_asked_for_once(db, district, asked):
    request_refreshes(db, [asked, asked], cause=RefreshCause.EVENT, now=LATER)

    (request,) = requested(db, district)
    assert (request.course, request.cause) == (asked, RefreshCause.EVENT)


def test_what_is_taken_up_is_asked_for_no_longer(db, district, asked):
    take_up(db, [asked, CourseId(asked + 1)])

    assert requested(db, district) == ()
