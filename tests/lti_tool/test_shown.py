"""How facts are worded."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from lti_tool.pages.shown import day, moment, number, short_status, use_timezone
from mapping.rules.mastery_rule import MasteryRule
from mapping.scales import Level, RatingScale
from mapping.status import Status

WHEN = datetime(2026, 11, 21, 2, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("UTC", "21 Nov 2026, 02:04 UTC"),
        ("America/Sao_Paulo", "20 Nov 2026, 23:04 UTC-03"),
        ("Europe/Oslo", "21 Nov 2026, 03:04 CET"),
        ("Nowhere/Land", "21 Nov 2026, 02:04 UTC"),
        ("../etc/passwd", "21 Nov 2026, 02:04 UTC"),
    ],
)
def test_a_moment_is_told_in_the_districts_zone_by_name(zone, words):
    with Flask(__name__).app_context():
        use_timezone(zone)

        assert moment(WHEN) == words


def test_a_missing_date_is_said():
    assert day(None) == "no date"


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "none"), (3.0, "3"), (2.675, "2.68"), (0.1, "0.1"), (100.0, "100"), (0.0, "0")],
)
def test_numbers_are_rounded_as_everywhere_and_short(value, words):
    assert number(value) == words


def test_every_status_has_a_short_word():
    assert all(0 < len(short_status(status)) <= len("Not sustained") for status in Status)


def test_a_working_level_has_the_name_of_the_rules_scale():
    levels = (
        Level(label="Beginning", points=1.0, symbol="a", cut=0.0),
        Level(label="Secure", points=2.0, symbol="b", cut=0.5),
    )
    rule = MasteryRule(mastered=1.0, scale=RatingScale(levels=levels))

    assert short_status(Status.EMERGING, rule, 0) == "Beginning"
    assert short_status(Status.INSUFFICIENT, rule, -1) == "More needed"
