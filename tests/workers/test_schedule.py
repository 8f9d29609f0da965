"""When a night begins, and that it begins once however many ask."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.records import CourseState, PassbackWay
from store import (
    mapping_drafts,
    mapping_publishing,
    pauses,
    refreshes,
    registrations,
    sync_state,
)
from store.alignments import rules_in_force
from store.mapping_drafts import Editor
from store.mapping_publishing import Publication
from store.policy_changes import Author
from store.refreshes import RefreshCause
from store.registrations import PlatformEntry
from store.sync_state import Phase
from tests.store.places import BOX, new_tenant, rule
from tests.workers.night import COURSE, new_night
from workers import schedule
from workers.schedule import begin_due_night, begin_run, last_due

TWO = time(2, 0)
ZONES = ("UTC", "America/Sao_Paulo", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu")


def due(at: time, zone: str, *moment: int) -> datetime:
    return last_due(at, ZoneInfo(zone), datetime(*moment, tzinfo=UTC)).astimezone(UTC)


def utc(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)


def begin_due(night, *, now=None):
    return begin_due_night(
        night.engine, night.tenant, at=TWO, zone=ZoneInfo("UTC"), now=now or night.clock()
    )


def end(night, run):
    night.write(sync_state.enter_phase, run, Phase.DONE, now=night.clock())


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("UTC", (2026, 11, 20, 2, 0), (2026, 11, 20, 2, 0)),
        ("UTC", (2026, 11, 20, 1, 59), (2026, 11, 19, 2, 0)),
        ("America/Sao_Paulo", (2026, 11, 20, 4, 59), (2026, 11, 19, 5, 0)),
        ("America/Sao_Paulo", (2026, 11, 20, 5, 0), (2026, 11, 20, 5, 0)),
        # Brazil still put its clocks forward in 2018, from 0:00 to 1:00 on 4 November.
        ("America/Sao_Paulo", (2018, 11, 4, 3, 59), (2018, 11, 3, 5, 0)),
        ("America/Sao_Paulo", (2018, 11, 4, 4, 0), (2018, 11, 4, 4, 0)),
        ("Europe/Berlin", (2026, 7, 1, 0, 0), (2026, 7, 1, 0, 0)),
        ("Europe/Berlin", (2026, 12, 1, 0, 59), (2026, 11, 30, 1, 0)),
        ("Europe/Berlin", (2026, 12, 1, 1, 0), (2026, 12, 1, 1, 0)),
    ],
)
def test_a_night_is_due_at_its_local_time(zone, now, expected):
    assert due(TWO, zone, *now) == utc(*expected)


def test_a_night_at_midnight_is_due_though_that_midnight_never_was():
    # In Sao Paulo 0:00 of 4 November 2018 was 1:00.
    assert due(time(0, 0), "America/Sao_Paulo", 2018, 11, 4, 3, 0) == utc(2018, 11, 4, 3, 0)


@pytest.mark.parametrize("minute", [0, 30, 59])
@pytest.mark.parametrize("hour", [0, 1])
def test_where_an_hour_comes_twice_the_night_is_due_at_its_first_coming(hour, minute):
    # In Berlin 2:00 to 3:00 of 25 October 2026 came twice: at 0:00 and at 1:00 UTC.
    assert due(TWO, "Europe/Berlin", 2026, 10, 25, hour, minute) == utc(2026, 10, 25)


def test_where_an_hour_is_left_out_the_night_is_due_right_after_it():
    # In Berlin 2:00 to 3:00 of 28 March 2027 is left out; 3:00 is 1:00 UTC.
    assert due(TWO, "Europe/Berlin", 2027, 3, 28, 0, 59) == utc(2027, 3, 27, 1, 0)
    assert due(TWO, "Europe/Berlin", 2027, 3, 28, 1, 0) == utc(2027, 3, 28, 1, 0)


@given(
    zone=st.sampled_from(ZONES),
    at=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    now=st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the strategy adds the zone
)
def test_the_last_due_moment_is_never_longer_ago_than_a_day_and_an_hour(zone, at, now):
    found = last_due(at, ZoneInfo(zone), now)

    assert now - found <= timedelta(hours=25)


@given(
    zone=st.sampled_from(ZONES),
    at=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    now=st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the strategy adds the zone
    minutes=st.integers(0, 3 * 24 * 60),
)
def test_the_last_due_moment_never_moves_back(zone, at, now, minutes):
    later = now + timedelta(minutes=minutes)

    assert last_due(at, ZoneInfo(zone), now) <= last_due(at, ZoneInfo(zone), later)


@pytest.mark.parametrize("minute", [0, 10, 29, 30, 59])
def test_a_night_within_a_left_out_hour_is_not_due_before_now(minute):
    # In Berlin 2:30 of 28 March 2027 is left out; from 3:00 (1:00 UTC) on it is over.
    now = utc(2027, 3, 28, 1, minute)

    assert last_due(time(2, 30), ZoneInfo("Europe/Berlin"), now) <= now


def test_a_night_begins_with_the_planning_of_every_active_platform(night):
    elsewhere = PlatformEntry(
        kind="moodle",
        name="Moodle",
        issuer="https://moodle.example",
        client_id="2",
        auth_url="",
        token_url="",
        jwks_url="",
        api_url="",
        api_token="",
        is_active=False,
    )
    night.write(registrations.save_platform, night.tenant, elsewhere, secrets=BOX)

    run = night.begin()

    assert [work.lease.item.part for work in night.take(run)] == [night.platform]


def test_a_night_that_is_due_begins(night):
    run = begin_due(night)

    assert night.ask(sync_state.run, run).cause == schedule.NIGHTLY


def test_a_night_begins_once(night):
    end(night, begin_due(night))

    assert begin_due(night) is None
    assert begin_due(night, now=night.clock() + timedelta(hours=3)) is None


def test_the_next_night_begins_when_its_time_has_come(night):
    end(night, begin_due(night))
    night.clock.advance(hours=4, minutes=1)

    assert begin_due(night) is not None


def test_nights_that_were_missed_are_begun_once(night):
    end(night, begin_due(night))
    night.clock.advance(days=5)
    end(night, begin_due(night))

    assert begin_due(night) is None


def test_a_night_does_not_begin_while_a_run_goes_on(night):
    night.begin()

    assert begin_due(night) is None


def test_a_night_begins_after_the_run_by_hand_that_was_in_its_way(night):
    end(night, night.begin())

    assert begin_due(night) is not None


def test_of_two_schedulers_that_ask_at_once_one_begins_the_night(night):
    gate = threading.Barrier(2)

    def ask():
        gate.wait(10)
        return begin_due(night)

    with ThreadPoolExecutor(2) as pool:
        found = [done.result(20) for done in [pool.submit(ask), pool.submit(ask)]]

    assert sum(run is not None for run in found) == 1
    assert len(night.ask(sync_state.unfinished_runs)) == 1


def test_a_run_by_hand_takes_up_the_one_that_has_not_ended(night):
    first = night.begin()

    again = begin_run(night.engine, night.tenant, cause="by hand", is_full=True, now=night.clock())

    assert again == first


def test_an_ended_run_is_not_taken_up(night):
    first = night.run()

    assert night.begin() != first


def test_a_phase_is_left_only_once_its_work_is_finished(night):
    run = night.begin()

    (work,) = night.reach(run, Phase.PULL)
    before = schedule.advance(night.engine, run, now=night.clock())
    night.perform(work)

    assert before is Phase.PULL
    assert schedule.advance(night.engine, run, now=night.clock()) is Phase.COMPUTE


def test_a_run_with_nothing_to_do_ends_at_once(night):
    bare = night.write(new_tenant, "Bare")
    run = begin_run(night.engine, bare, cause="by hand", is_full=False, now=night.clock())

    assert schedule.advance(night.engine, run, now=night.clock()) is Phase.DONE
    assert schedule.advance(night.engine, run, now=night.clock()) is Phase.DONE


def test_only_courses_read_tonight_are_written(night):
    night.run()
    night.book.course_list = []
    night.clock.advance(hours=24)

    run = night.run()

    assert night.ask(sync_state.count_items, run, Phase.PUSH) == 0


@pytest.mark.parametrize("state", [CourseState.CONCLUDED, CourseState.UNPUBLISHED])
def test_only_active_courses_are_written(engine, clock, state):
    night = new_night(engine, clock)
    night.book.course_list = [replace(night.book.course_list[0], state=state)]

    run = night.run()

    assert night.ask(sync_state.count_items, run, Phase.PUSH) == 0


@pytest.mark.parametrize(("way", "items"), [(PassbackWay.NONE, 0), (PassbackWay.WORDS, 1)])
def test_only_courses_of_schools_that_want_it_are_written(engine, clock, way, items):
    night = new_night(engine, clock, way=way)

    run = night.run()

    assert night.ask(sync_state.count_items, run, Phase.PUSH) == items


def test_every_tenant_has_its_own_time_zone(night):
    other = night.write(new_tenant, "Other", "America/Sao_Paulo")

    assert dict(schedule.tenants(night.engine)) == {
        night.tenant: ZoneInfo("UTC"),
        other: ZoneInfo("America/Sao_Paulo"),
    }


@pytest.fixture
def ask(night):
    """Asks for the night's course out of turn, and begins what may begin."""

    def ask():
        night.write(
            refreshes.request_refreshes,
            [night.course()],
            cause=RefreshCause.TEACHER,
            now=night.clock(),
        )
        return schedule.begin_refresh(night.engine, night.tenant, now=night.clock())

    return ask


def test_a_course_asked_for_is_read_computed_and_written_without_planning(night, ask):
    night.run()
    night.score("quiz 1", "ada", 0.0)

    run = ask()
    night.reach(run, Phase.DONE)

    assert night.ask(sync_state.run, run).cause == "refresh"
    assert night.ask(sync_state.count_items, run, Phase.PLAN) == 0
    assert night.counts(run).courses == 1
    assert night.counts(run).scores_changed == 1
    assert night.ask(refreshes.requested, night.tenant) == ()


def test_a_course_asked_for_while_a_run_goes_on_is_read_right_after_it(night, ask):
    night.run()
    night.score("quiz 1", "ada", 0.0)
    run = night.begin()
    night.reach(run, Phase.PUSH)
    night.clock.advance(minutes=1)

    assert ask() is None
    night.reach(run, Phase.DONE)
    assert schedule.begin_refresh(night.engine, night.tenant, now=night.clock()) is not None


def test_a_course_that_the_run_under_way_read_later_is_not_read_again(night, ask):
    night.run()
    night.book.touched = {COURSE}
    run = night.begin()

    assert ask() is None
    night.clock.advance(minutes=1)
    night.reach(run, Phase.DONE)
    assert schedule.begin_refresh(night.engine, night.tenant, now=night.clock()) is None
    assert night.ask(refreshes.requested, night.tenant) == ()


def test_nothing_begins_while_the_district_is_paused_and_once_afterwards(night, ask):
    night.run()
    night.write(pauses.pause, night.tenant, by="Ada", now=night.clock())
    night.clock.advance(days=3)

    assert begin_due(night) is None
    assert ask() is None
    night.write(pauses.resume, night.tenant, by="Ada", now=night.clock())
    run = begin_due(night)
    night.reach(run, Phase.DONE)
    assert begin_due(night) is None


def test_a_dry_run_reads_and_computes_and_writes_nothing(night):
    run = begin_run(
        night.engine, night.tenant, cause="by hand", is_full=False, is_dry=True, now=night.clock()
    )
    night.reach(run, Phase.DONE)

    (trouble,) = night.troubles(run)
    assert night.counts(run).statuses_changed > 0
    assert night.cells() == {}
    assert (trouble.phase, trouble.cause) == (Phase.PUSH, "dry_run")


def test_what_a_dry_run_did_not_write_is_written_by_the_next_run(night):
    run = begin_run(
        night.engine, night.tenant, cause="by hand", is_full=False, is_dry=True, now=night.clock()
    )
    night.reach(run, Phase.DONE)

    assert night.counts(night.run()).pushed == 2


def wait_for_a_night(night):
    """A mapping that is to hold from tonight on."""
    who = Editor(author=Author(by="Vera", at=night.clock() - timedelta(days=1)), key="vera")
    rules = [rule("N.2", line_item="quiz*")]
    number = night.write(mapping_drafts.new_draft, night.tenant, "Tonight", editor=who, rules=rules)
    seen = night.ask(mapping_drafts.draft_digest, number)
    said = Publication(by=who, effective_from=night.clock(), seen=seen)
    night.write(mapping_publishing.publish_draft, night.tenant, number, publication=said)


def mapped(night):
    return [one.competency for one in night.ask(rules_in_force, night.tenant)]


def test_a_mapping_whose_day_has_come_takes_force_as_the_night_begins(engine, clock):
    night = new_night(engine, clock)
    wait_for_a_night(night)
    before = mapped(night)

    begin_due(night)

    assert "N.2" not in before
    assert mapped(night) == ["N.2"]


@pytest.mark.parametrize(("is_dry", "expected"), [(True, False), (False, True)])
def test_a_dry_run_puts_no_mapping_in_force(engine, clock, is_dry, expected):
    night = new_night(engine, clock)
    wait_for_a_night(night)

    begin_run(
        night.engine, night.tenant, cause="by hand", is_full=False, is_dry=is_dry, now=night.clock()
    )

    assert (mapped(night) == ["N.2"]) is expected


@pytest.mark.parametrize(
    ("learners", "parts"),
    [(0, 0), (1, 1), (600, 1), (601, 2), (5_000, 2), (5_001, 4), (20_001, 5), (10**6, 8)],
)
def test_computing_is_shared_out_by_how_many_learners_there_are(learners, parts):
    assert schedule._parts(learners) == parts
