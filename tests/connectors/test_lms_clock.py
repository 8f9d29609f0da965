"""How far an LMS's clock is behind, as its answers tell."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given

from connectors.exchange import Reply
from connectors.lms_clock import MOST_APART, LmsClock

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
MOMENT = NOW - timedelta(minutes=3)


def answer(date: str) -> Reply:
    headers = {"Date": date} if date else {}
    return Reply(platform="Canvas", status=200, url="http://c", headers=headers, body=b"")


def said(moment: datetime) -> Reply:
    return answer(format_datetime(moment, usegmt=True))


def at_lms(*replies: Reply) -> datetime:
    clock = LmsClock(lambda: NOW)
    for reply in replies:
        clock.hear(reply)
    return clock.at_lms(MOMENT)


def test_an_lms_that_is_behind_has_seen_less_of_the_day():
    assert at_lms(said(NOW - timedelta(hours=1))) == MOMENT - timedelta(hours=1)


def test_an_lms_that_is_ahead_moves_nothing_for_what_is_read_twice_does_no_harm():
    assert at_lms(said(NOW + timedelta(hours=1))) == MOMENT


def test_the_answer_that_is_furthest_behind_counts():
    replies = [said(NOW - timedelta(minutes=minutes)) for minutes in (5, 20, 1)]

    assert at_lms(*replies) == MOMENT - timedelta(minutes=20)


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 99 Nov 2026 21:00:00 GMT"])
def test_an_answer_without_a_readable_date_says_nothing(date):
    assert at_lms(answer(date)) == MOMENT


def test_a_date_without_a_zone_says_nothing():
    assert at_lms(answer("Fri, 20 Nov 2026 21:00:00 -0000")) == MOMENT


def test_a_date_of_long_ago_comes_from_a_cache():
    assert at_lms(said(NOW - MOST_APART - timedelta(seconds=1))) == MOMENT


@given(st.timedeltas(min_value=-timedelta(days=400), max_value=timedelta(days=400)))
def test_a_moment_is_never_later_at_the_lms_than_by_our_clock(behind):
    assert MOMENT - MOST_APART <= at_lms(said(NOW - behind)) <= MOMENT
