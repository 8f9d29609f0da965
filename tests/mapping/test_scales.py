from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.scales import (
    DEFAULT_SCALE,
    Level,
    RatingScale,
    ScaleRefused,
    display,
    display_apart,
    display_exact,
    is_number,
    parse_scale,
    reaches,
    rounded,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def scale(*levels):
    return RatingScale(
        levels=tuple(
            Level(label=f"Level {n}", points=points, symbol=str(n), cut=cut)
            for n, (points, cut) in enumerate(levels)
        )
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [(2.675, "2.68"), (3.125, "3.13"), (1.005, "1.01"), (-2.675, "-2.68"), (3.0, "3.00")],
)
def test_halves_are_shown_away_from_zero(value, shown):
    assert display(value) == shown


def test_a_half_made_inexact_by_binary_addition_is_still_a_half():
    assert display(2.6749999999999998) == "2.68"


def test_a_small_negative_number_is_not_shown_as_minus_zero():
    assert display(-0.001) == "0.00"


def test_numpy_numbers_are_shown_like_any_other():
    assert display(np.float64(2.675)) == "2.68"


def test_what_is_not_finite_cannot_be_shown():
    with pytest.raises(ValueError, match="nan"):
        display(float("nan"))


@given(FINITE)
def test_rounding_moves_a_number_by_half_a_hundredth_at_most(value):
    moved = abs(rounded(value) - Decimal(repr(value)))

    assert moved <= Decimal("0.0050000005")


@given(st.floats(-1e9, 1e9))
def test_rounding_again_changes_nothing(value):
    once = rounded(value)

    assert rounded(float(once)) == once


@given(FINITE, FINITE)
def test_rounding_keeps_order(one, other):
    low, high = sorted((one, other))

    assert rounded(low) <= rounded(high)


def test_a_number_just_below_a_cut_never_looks_like_the_cut():
    assert display_apart(2.998, 3.0) == "2.998"


def test_a_number_clearly_below_a_cut_is_shown_with_two_decimals():
    assert display_apart(2.5, 3.0) == "2.50"


def test_equal_numbers_are_told_apart_by_no_number_of_decimals():
    assert display_apart(3.0, 3.0) == "3.000000000"


def test_a_cut_is_shown_as_it_was_typed():
    assert [display_exact(3.0), display_exact(2.675)] == ["3.00", "2.675"]


def test_the_noise_of_addition_does_not_keep_an_estimate_below_a_cut():
    assert reaches((2.9 + 3.1 + 3.0) / 3 - 4e-16, 3.0)


def test_a_score_as_fine_as_any_gradebook_holds_stays_below_the_cut():
    assert not reaches(2.99999, 3.0)


def test_no_estimate_reaches_no_cut():
    assert not reaches(np.nan, 0.0)


@given(st.floats(allow_nan=False))
def test_fractions_become_points_between_nought_and_the_top(fraction):
    points = float(DEFAULT_SCALE.to_scale(fraction))

    assert 0.0 <= points <= 4.0


@given(st.floats(-1, 2), st.floats(-1, 2))
def test_a_greater_fraction_never_gives_fewer_points(one, other):
    low, high = DEFAULT_SCALE.to_scale(sorted((one, other)))

    assert low <= high


@pytest.mark.parametrize(
    ("points", "label"),
    [
        (0.0, "Emerging"),
        (1.99, "Emerging"),
        (2.0, "Developing"),
        (3.0, "Proficient"),
        (3.49, "Proficient"),
        (3.5, "Exemplary"),
        (-1.0, "Emerging"),
    ],
)
def test_points_belong_to_the_highest_level_they_reach(points, label):
    assert DEFAULT_SCALE.level_of(points).label == label


def test_a_scale_comes_back_from_its_definition():
    assert parse_scale(DEFAULT_SCALE.definition()) == DEFAULT_SCALE


@pytest.mark.parametrize(
    ("levels", "problem"),
    [
        ([(1.0, 0.0)], "2 to 10 levels"),
        ([], "2 to 10 levels"),
        ([(n, n / 20) for n in range(11)], "2 to 10 levels"),
        ([(2.0, 0.0), (1.0, 0.5)], "points of the levels must"),
        ([(-1.0, 0.0), (1.0, 0.5)], "points of the levels must"),
        ([(float("nan"), 0.0), (1.0, 0.5)], "points of the levels must"),
        ([(1.0, 0.0), (2.0, 0.0)], "cuts of the levels must"),
        ([(1.0, 0.1), (2.0, 0.5)], "cuts of the levels must"),
        ([(1.0, 0.0), (2.0, 1.5)], "cuts of the levels must"),
    ],
)
def test_levels_that_do_not_rise_are_refused(levels, problem):
    with pytest.raises(ScaleRefused, match=problem):
        scale(*levels)


@pytest.mark.parametrize("name", ["label", "symbol"])
def test_two_levels_never_look_alike(name):
    low, high = scale((1.0, 0.0), (2.0, 0.5)).levels

    with pytest.raises(ScaleRefused, match=name):
        RatingScale(levels=(low, replace(high, **{name: getattr(low, name)})))


def test_all_problems_of_a_scale_are_told_at_once():
    with pytest.raises(ScaleRefused) as refused:
        scale((2.0, 0.5))

    assert len(refused.value.problems) == 2


@pytest.mark.parametrize(
    "definition",
    [
        {},
        {"levels": 4},
        {"levels": [], "colour": "red"},
        {"levels": ["Emerging", "Mastered"]},
        {"levels": [{"label": "Emerging"}]},
        {"levels": [{"label": 1, "points": 1, "symbol": "o", "cut": 0}]},
        {"levels": [{"label": "Emerging", "points": "1", "symbol": "o", "cut": 0}]},
    ],
)
def test_what_is_not_of_a_scales_form_is_refused(definition):
    with pytest.raises(ScaleRefused):
        parse_scale(definition)


def test_whole_numbers_are_numbers_too_in_a_scale():
    levels = [
        {"label": "Not yet", "points": 0, "symbol": "o", "cut": 0},
        {"label": "Met", "points": 1, "symbol": "x", "cut": 1},
    ]

    assert parse_scale({"levels": levels}).top == 1.0


@pytest.mark.parametrize("value", [True, "3", None, float("nan"), float("inf"), 10**400])
def test_what_json_may_hold_besides_finite_numbers_is_no_number(value):
    assert not is_number(value)
