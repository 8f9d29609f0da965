from datetime import UTC, datetime, timedelta

import pytest

from lti_tool.launch.doors import Door, Doors
from lti_tool.launch.refusals import TooManyRequests

NARROW = Door(name="narrow", per_second=2.0, burst=5.0)


class Clock:
    def __init__(self):
        self.at = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def doors(clock):
    return Doors(clock)


def test_a_burst_comes_through_and_the_next_one_does_not(doors):
    for _ in range(5):
        doors.enter(NARROW, "192.0.2.1")

    with pytest.raises(TooManyRequests, match="too_many_at_narrow"):
        doors.enter(NARROW, "192.0.2.1")


def test_who_waits_comes_through_again(doors, clock):
    for _ in range(5):
        doors.enter(NARROW, "192.0.2.1")

    clock.at += timedelta(seconds=0.5)

    doors.enter(NARROW, "192.0.2.1")
    with pytest.raises(TooManyRequests):
        doors.enter(NARROW, "192.0.2.1")


def test_being_refused_does_not_lengthen_the_wait(doors, clock):
    for _ in range(5):
        doors.enter(NARROW, "192.0.2.1")
    for _ in range(50):
        with pytest.raises(TooManyRequests):
            doors.enter(NARROW, "192.0.2.1")

    clock.at += timedelta(seconds=0.5)

    doors.enter(NARROW, "192.0.2.1")


def test_visitors_and_doors_are_counted_apart(doors):
    other = Door(name="other", per_second=2.0, burst=5.0)
    for _ in range(5):
        doors.enter(NARROW, "192.0.2.1")

    doors.enter(NARROW, "192.0.2.2")
    doors.enter(other, "192.0.2.1")


def test_what_is_remembered_of_visitors_is_bounded_and_keeps_the_busiest(doors):
    for _ in range(5):
        doors.enter(NARROW, "busy")

    for number in range(25_000):
        doors.enter(NARROW, f"visitor {number}")

    assert len(doors._full_at) <= 20_001
    with pytest.raises(TooManyRequests):
        doors.enter(NARROW, "busy")
