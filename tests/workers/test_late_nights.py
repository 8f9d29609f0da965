"""When a night is late, and when it is not."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from store import alarms
from store.sync_state import Phase
from workers import late_nights, schedule

HOURS = late_nights.Hours(sync_at=time(2, 0), late_at=time(6, 30), zone=ZoneInfo("UTC"))


def begun(night, *, cause="nightly"):
    return schedule.begin_run(
        night.engine, night.tenant, cause=cause, is_full=False, now=night.clock()
    )


def at(night, hour: int, minute: int = 0, day: int = 21) -> None:
    night.clock.moment = datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def told(night) -> bool:
    return late_nights.see_to_late_night(night.engine, night.tenant, HOURS, now=night.clock())


def test_a_night_that_goes_on_when_schools_open_is_told_once(night):
    at(night, 2)
    run = begun(night)
    at(night, 6, 29)
    before = told(night)
    at(night, 6, 31)

    assert (before, told(night), told(night)) == (False, True, False)
    (line,) = night.ask(alarms.alarm_lines, run)
    assert "2026-11-21 02:00 is not over at 06:30: step plan, 0 of 1 parts" in line.message


def test_a_night_that_is_over_is_not_late(night):
    at(night, 2)
    night.reach(begun(night), Phase.DONE)
    at(night, 7)

    assert not told(night)


def test_a_night_that_did_not_begin_is_told(night):
    at(night, 2)
    run = begun(night)
    night.reach(run, Phase.DONE)
    at(night, 7, day=22)

    assert told(night)
    (line,) = night.ask(alarms.alarm_lines, run)
    assert "2026-11-22 02:00 did not begin" in line.message


@pytest.mark.parametrize("cause", [None, "by hand"])
def test_a_district_that_never_had_a_night_misses_none(night, cause):
    at(night, 3)
    if cause is not None:
        night.reach(begun(night, cause=cause), Phase.DONE)
    at(night, 9, day=23)

    assert not told(night)
