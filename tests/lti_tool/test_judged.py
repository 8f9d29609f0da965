"""What a teacher types is read as they mean it, or they are told what is wrong with it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.pages.judged import LONGEST_REASON, typed_date, typed_reason, typed_status
from mapping.judgement.overrides import OVERRIDABLE
from mapping.status import Status

ZONE = ZoneInfo("America/Sao_Paulo")
NOW = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)
"""In the district it is still the 20th."""
GOOD = {"status": str(Status.MASTERED.value), "reason": "Shown at the board."}


def given_status(**changes):
    return typed_status({**GOOD, **changes}, now=NOW, zone=ZONE)


def test_a_status_with_its_reason_is_read():
    typed = given_status(reason="  Shown at\r\n the board. ")

    assert typed.problems == {}
    assert (typed.status, typed.until) == (Status.MASTERED, None)
    assert typed.reason == "Shown at the board."


def test_the_last_day_is_a_whole_day_of_the_district():
    typed = given_status(until="2026-12-01")

    assert typed.until is not None
    assert typed.until.astimezone(UTC).isoformat() == "2026-12-02T02:59:59.999999+00:00"


def test_today_may_be_the_last_day():
    assert given_status(until="2026-11-20").problems == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("status", ""),
        ("status", "0"),
        ("status", str(Status.RECHECK_DUE.value)),
        ("status", "mastered"),
        ("reason", ""),
        ("reason", " \n "),
        ("reason", "x" * (LONGEST_REASON + 1)),
        ("reason", "a\x00b"),
        ("until", "soon"),
        ("until", "2026-11-19"),
        ("until", "9999-12-31"),
        ("until", "0001-01-01"),
        ("until", "2026-02-30"),
    ],
)
def test_what_cannot_be_meant_is_told_at_its_field(name, text):
    typed = given_status(**{name: text})

    assert set(typed.problems) == {name}


@pytest.mark.parametrize("status", OVERRIDABLE)
def test_every_status_that_a_person_may_give_is_taken(status):
    assert given_status(status=str(status.value)).status is status


def test_a_piece_may_be_given_a_day_that_is_over():
    typed = typed_date({"on": "2026-10-05"}, now=NOW, zone=ZONE)

    assert typed.on == datetime(2026, 10, 5, 12, tzinfo=ZONE)


def test_a_piece_of_today_is_not_dated_in_the_future():
    early = datetime(2026, 11, 20, 8, tzinfo=ZONE)

    assert typed_date({"on": "2026-11-20"}, now=early, zone=ZONE).on == early


@pytest.mark.parametrize("text", ["", "2026-11-21", "yesterday", "1066-10-14"])
def test_a_date_that_cannot_be_meant_is_told(text):
    assert set(typed_date({"on": text}, now=NOW, zone=ZONE).problems) == {"on"}


def test_a_reason_alone_is_read():
    assert typed_reason({"reason": "Another one's work."}).reason == "Another one's work."


@given(st.dictionaries(st.sampled_from(["status", "reason", "until", "on"]), st.text()))
def test_whatever_is_typed_is_read_or_told(fields):
    for typed in (
        typed_status(fields, now=NOW, zone=ZONE),
        typed_date(fields, now=NOW, zone=ZONE),
        typed_reason(fields),
    ):
        is_whole = typed.reason or typed.on
        assert bool(is_whole) or bool(typed.problems)
