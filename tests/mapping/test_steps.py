"""Scores taken by steps: passed or failed, or as levels of the rating scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.scales import DEFAULT_SCALE, Level, RatingScale
from mapping.steps import (
    StepsRefused,
    packed,
    passed_from,
    stepped,
    steps_of,
    steps_text,
    steps_words,
    unpacked,
)

PERCENTS = st.integers(1, 100)
STEPS = st.one_of(
    PERCENTS.map(passed_from), st.sets(PERCENTS, max_size=9).map(lambda found: tuple(sorted(found)))
)
TWO = RatingScale(
    levels=(
        Level(label="No", points=1.0, symbol="n", cut=0.0),
        Level(label="Yes", points=2.0, symbol="y", cut=0.9),
    )
)


def worth(text, *fractions, scale=DEFAULT_SCALE):
    codes = np.full(len(fractions), packed(steps_of(text)))
    return stepped(np.array(fractions), codes, scale).tolist()


@given(STEPS)
def test_steps_come_back_from_their_text_and_their_number(steps):
    assert steps_of(steps_text(steps)) == steps
    assert unpacked(packed(steps)) == steps
    assert 0 <= packed(steps) < 2**63


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("", ()),
        ("  ", ()),
        ("50 70 90", (50, 70, 90)),
        ("50% 70%", (50, 70)),
        ("PASS 60%", (60,) * 9),
    ],
)
def test_steps_are_written_in_percent(text, steps):
    assert steps_of(text) == steps


@pytest.mark.parametrize(
    "text",
    [
        *("pass", "pass 60 70", "0", "101", "x", "50 50", "70 50", "60.5", "-5", "pass x"),
        *(" ".join(map(str, range(1, 11))), "٦٠"),
    ],
)
def test_what_are_no_steps_is_refused(text):
    with pytest.raises(StepsRefused):
        steps_of(text)


def test_steps_are_told_in_words():
    assert steps_words(steps_of("pass 60")) == "passed from 60% on"
    assert steps_words((50, 70)) == "level 2 from 50%, level 3 from 70%"
    assert steps_words(()) == ""


def test_passed_is_worth_the_highest_level_and_failed_the_lowest():
    lowest, highest = DEFAULT_SCALE.points_of(0), DEFAULT_SCALE.top

    assert worth("pass 60", 0.599, 0.6, 0.1 * 3 + 0.3, 1.2) == [lowest, *[highest] * 3]
    assert worth("pass 60", 0.59, 0.61, scale=TWO) == [1.0, 2.0]


def test_a_percentage_is_worth_the_level_whose_step_it_reaches():
    points = [DEFAULT_SCALE.points_of(level) for level in range(len(DEFAULT_SCALE.levels))]

    found = worth("50 70 90", -0.1, 0.49, 0.5, 0.7, 0.9)

    assert found == [points[0], points[0], points[1], points[2], points[3]]
    assert worth("50 70 90", 0.5, 0.95, scale=TWO) == [2.0, 2.0]


def test_what_has_no_steps_is_taken_as_it_is_and_nothing_stays_nothing():
    codes = np.array([0, packed((50,)), packed((50,))])

    found = stepped(np.array([0.25, 0.75, np.nan]), codes, DEFAULT_SCALE)

    assert found[0] == DEFAULT_SCALE.top / 4
    assert found[1] == DEFAULT_SCALE.points_of(1)
    assert np.isnan(found[2])


@given(st.lists(st.floats(-0.5, 1.5), min_size=2, max_size=8), STEPS)
def test_more_is_never_worth_less_and_always_on_the_scale(fractions, steps):
    shares = np.sort(np.array(fractions))

    found = stepped(shares, np.full(shares.size, packed(steps)), DEFAULT_SCALE)

    assert np.all(np.diff(found) >= 0)
    assert np.all((found >= 0) & (found <= DEFAULT_SCALE.top))
