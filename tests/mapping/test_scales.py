from dataclasses import replace
from decimal import Decimal
from math import inf, nan

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
        ([(1.0, 0.0)], "2 to 10 levels, not 1"),
        ([], "2 to 10 levels, not 0"),
        ([(n, n / 20) for n in range(11)], "2 to 10 levels, not 11"),
        ([(2.0, 0.0), (1.0, 0.5)], "points of level 2 must be above level 1's"),
        ([(1.0, 0.0), (1.0, 0.5)], "points of level 2 must be above level 1's"),
        ([(-1.0, 0.0), (1.0, 0.5)], "points of level 1 must be 0 or more"),
        ([(nan, 0.0), (1.0, 0.5)], "points of level 1 must be a finite number"),
        ([(1.0, 0.0), (inf, 0.5)], "points of level 2 must be a finite number"),
        ([(1.0, 0.0), (2.0, 0.0)], "cut of level 2 must be above level 1's"),
        ([(1.0, 0.0), (2.0, 1e-12)], "cut of level 2 must be above level 1's"),
        ([(1.0, 0.0), (2.0, nan)], "cut of level 2 must be a finite number"),
        ([(1.0, 0.1), (2.0, 0.5)], "cut of level 1 must be 0, not 0.1"),
        ([(1.0, 0.0), (2.0, 1.5)], "cut of level 2 must be at most 1, not 1.5"),
    ],
)
def test_levels_that_do_not_rise_are_refused(levels, problem):
    with pytest.raises(ScaleRefused, match=problem):
        scale(*levels)


@pytest.mark.parametrize("name", ["label", "symbol"])
def test_two_levels_never_look_alike(name):
    low, high = scale((1.0, 0.0), (2.0, 0.5)).levels

    with pytest.raises(ScaleRefused, match=f"Level 2 has the {name} of level 1"):
        RatingScale(levels=(low, replace(high, **{name: getattr(low, name)})))


@pytest.mark.parametrize("name", ["label", "symbol"])
def test_every_level_has_words_and_symbol(name):
    low, high = scale((1.0, 0.0), (2.0, 0.5)).levels

    with pytest.raises(ScaleRefused, match=f"Level 2 needs a {name}"):
        RatingScale(levels=(low, replace(high, **{name: " "})))


@pytest.mark.parametrize("colour", ["red", "#12345", "#1234567", "#12345g", "123456", "#123456\n"])
def test_a_colour_is_six_digits_or_none(colour):
    low, high = scale((1.0, 0.0), (2.0, 0.5)).levels

    with pytest.raises(ScaleRefused, match="colour of level 2"):
        RatingScale(levels=(low, replace(high, colour=colour)))


def test_the_first_version_of_a_scale_is_1():
    with pytest.raises(ScaleRefused, match="1 or more, not 0"):
        replace(DEFAULT_SCALE, version=0)


def test_all_problems_of_a_scale_are_told_at_once():
    with pytest.raises(ScaleRefused) as refused:
        scale((2.0, 0.5))

    assert len(refused.value.problems) == 2


def test_what_a_scale_says_of_itself_comes_back_from_its_definition():
    low, high = scale((1.0, 0.0), (2.0, 0.5)).levels
    told = RatingScale(
        name="Pass",
        version=3,
        levels=(replace(low, description="Begins", colour="#00aaFF"), high),
    )

    assert parse_scale(told.definition()) == told


def test_a_scale_that_says_no_more_than_of_old_is_defined_as_of_old():
    definition = DEFAULT_SCALE.definition()

    assert definition.keys() == {"levels"}
    assert definition["levels"][0] == {
        "label": "Emerging",
        "points": 1.0,
        "symbol": "◔",
        "cut": 0.0,
    }


GOOD_LEVEL = {"label": "Met", "points": 1, "symbol": "x", "cut": 0.5}


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ({}, "list of levels"),
        ({"levels": 4}, "list of levels"),
        ({"levels": "ab"}, "list of levels"),
        ({"levels": [], "colour": "red"}, "A scale has no colour."),
        ({"levels": [], "name": 1}, "name of a scale must be text"),
        ({"levels": [], "version": True}, "version of a scale must be a whole number"),
        ({"levels": [], "version": 1.5}, "version of a scale must be a whole number"),
        ({"levels": ["Emerging"]}, "Level 1 must be an object with label"),
        ({"levels": [GOOD_LEVEL, {"label": "Met"}]}, "Level 2 needs points. Level 2 needs symbol."),
        ({"levels": [{**GOOD_LEVEL, "label": 1}]}, "label of level 1 must be text, not 1"),
        ({"levels": [{**GOOD_LEVEL, "colour": 1}]}, "colour of level 1 must be text, not 1"),
        ({"levels": [{**GOOD_LEVEL, "points": "1"}]}, "points of level 1 must be a finite number"),
        ({"levels": [{**GOOD_LEVEL, "cut": nan}]}, "cut of level 1 must be a finite number"),
        ({"levels": [{**GOOD_LEVEL, "grade": 1}]}, "Level 1 has no grade."),
    ],
)
def test_what_is_not_of_a_scales_form_is_refused(definition, problem):
    with pytest.raises(ScaleRefused, match=problem):
        parse_scale(definition)


def test_columns_of_points_belong_to_the_levels_they_reach():
    points = [[nan, -1.0, 0.0, 1.99], [2.0, 3.0 - 4e-16, 3.5, 9.0]]

    assert DEFAULT_SCALE.levels_of(points).tolist() == [[-1, 0, 0, 0], [1, 2, 3, 3]]


@given(st.lists(st.floats(-1.0, 5.0), min_size=1))
def test_levels_of_columns_are_those_that_a_plain_loop_finds(points):
    cuts = [level.cut * 4.0 for level in DEFAULT_SCALE.levels]

    found = DEFAULT_SCALE.levels_of(points).tolist()

    assert found == [max(sum(point >= cut - 1e-9 for cut in cuts) - 1, 0) for point in points]


def test_a_level_is_worth_its_points_where_they_belong_to_it():
    assert [DEFAULT_SCALE.points_of(level) for level in range(4)] == [1.0, 2.0, 3.0, 4.0]


def test_a_level_whose_points_belong_to_another_is_worth_where_it_begins():
    odd = scale((1.0, 0.0), (2.0, 0.1), (10.0, 0.9))

    assert [odd.points_of(level) for level in range(3)] == [0.0, 2.0, 10.0]


def test_whole_numbers_are_numbers_too_in_a_scale():
    levels = [
        {"label": "Not yet", "points": 0, "symbol": "o", "cut": 0},
        {"label": "Met", "points": 1, "symbol": "x", "cut": 1},
    ]

    assert parse_scale({"levels": levels}).top == 1.0


@pytest.mark.parametrize("value", [True, "3", None, float("nan"), float("inf"), 10**400])
def test_what_json_may_hold_besides_finite_numbers_is_no_number(value):
    assert not is_number(value)
