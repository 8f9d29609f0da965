"""Whom a fault strikes, how long, and how it is switched on."""

import pytest
from flask import Flask, Response
from hypothesis import given
from hypothesis import strategies as st

from simulators.faults import Fault, Faults, UnknownFaultError, is_expired, parsed, turned


class Clock:
    seconds = 1000.0

    def __call__(self):
        return self.seconds


def switched(**sent) -> tuple[Faults, Clock]:
    clock = Clock()
    faults = Faults(clock)
    faults.set(parsed(sent))
    return faults, clock


@given(st.integers(1, 12), st.none() | st.integers(1, 12))
def test_a_fault_strikes_from_one_request_on_as_often_as_it_was_told(at, times):
    faults, _ = switched(mode="down", at=at, times=times)

    struck = [number for number in range(1, 31) if faults.strike("GET /a?").mode == "down"]

    last = 30 if times is None else at + times - 1
    assert struck == list(range(at, last + 1))
    assert (faults.matched, faults.struck) == (30, len(struck))


def test_only_requests_whose_line_matches_are_counted_and_struck():
    faults, _ = switched(mode="down", path="^POST .*core_course", at=2)

    modes = [faults.strike(line).mode for line in ("POST /s core_course_a", "GET /x", "POST /y")]
    second = faults.strike("POST /s core_course_b").mode

    assert modes == ["none"] * 3
    assert second == "down"


def test_a_fault_is_over_when_its_seconds_have_passed_and_says_so_once():
    faults, clock = switched(mode="down", seconds=60)
    clock.seconds += 60

    assert faults.strike("GET /a?").mode == "none"
    assert [faults.has_ended, faults.has_ended] == [True, False]


@pytest.mark.parametrize("mode", ["slow", "latency"])
def test_a_late_answer_is_late_until_it_is_switched_off(mode):
    faults, clock = switched(mode=mode, seconds=2)
    clock.seconds += 3600

    assert faults.strike("GET /a?").delay_seconds == 2


@pytest.mark.parametrize("seconds", [-5400, 5400])
def test_a_wrong_clock_is_wrong_until_it_is_switched_off(seconds):
    faults, clock = switched(mode="clock_skew", seconds=seconds)

    assert faults.now() == clock() + seconds
    faults.set(Fault())
    assert faults.now() == clock()


def test_what_is_left_empty_in_a_form_is_left_out():
    form = {"mode": "down", "path": "", "at": "3", "times": "", "seconds": "", "course": "7"}

    assert parsed(form) == Fault(mode="down", at=3, course=7)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"mode": "fire"},
        {"mode": "down", "at": "soon"},
        {"mode": "down", "path": "("},
        {"mode": "truncated", "variant": "sideways"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(sent):
    with pytest.raises(UnknownFaultError):
        parsed(sent)


@pytest.fixture
def struck_by():
    """Do something inside a request that a fault strikes."""
    app = Flask(__name__)
    app.extensions["faults"] = Faults()

    def act(mode, action):
        from flask import g

        with app.test_request_context("/a"):
            g.fault = Fault(mode=mode)
            return action(app.extensions["faults"])

    return act


@pytest.mark.parametrize(
    ("mode", "here", "following"),
    [
        ("none", "2", "3"),
        ("page_loop", "2", "2"),
        ("duplicate_page", "2", "2~again"),
        ("duplicate_page", "2~again", "3"),
    ],
)
def test_the_next_page_is_where_the_fault_says(struck_by, mode, here, following):
    assert struck_by(mode, lambda _: turned(here, "3")) == following


def test_a_token_of_before_the_fault_has_expired_and_one_of_after_it_has_not(struck_by):
    def ask(faults):
        faults.issued("new")
        return is_expired("old"), is_expired("new")

    assert struck_by("expired_token", ask) == (True, False)
    assert struck_by("none", lambda _: is_expired("old")) is False


def test_an_answer_is_not_spoilt_without_a_fault(struck_by):
    from simulators.faults import spoilt

    answer = struck_by("none", lambda _: spoilt(Response(b"whole")))

    assert answer.get_data() == b"whole"
