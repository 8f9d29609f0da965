from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.columns import TableRefused
from mapping.estimators.canvas_rollup import (
    CanvasMethodRefused,
    CanvasOutcome,
    CanvasResults,
    class_mean,
    class_median,
    rating_of,
    two_decimals,
)


def results_of(*segments):
    """Each segment a list of scores, or of whole rows; a second apart."""
    rows = [
        row if isinstance(row, dict) else {"score": row} for segment in segments for row in segment
    ]
    defaults = {"score": nan, "percent": nan, "possible": 5.0, "association": 1, "is_quiz": False}
    columns = {name: [row.get(name, value) for row in rows] for name, value in defaults.items()}
    columns["seconds"] = [row.get("seconds", place) for place, row in enumerate(rows)]
    return CanvasResults.of(columns, np.cumsum([0, *map(len, segments)]))


def outcome(method, number=None, **fields):
    fields = {"points_possible": 5.0, "mastery_points": 3.0, **fields}
    return CanvasOutcome(method=method, number=number, **fields)


# contracts/canvas.md 3.3, "Test vectors", and its table of methods.
@pytest.mark.parametrize(
    ("method", "number", "scores", "expected"),
    [
        ("decaying_average", 65, (1, 2, 3, 4, 5), 4.13),
        ("weighted_average", 65, (1, 2, 3, 4, 5), 4.13),
        ("weighted_average", None, (1, 2, 3, 4, 5), 4.13),
        ("standard_decaying_average", 65, (1, 2, 3, 4, 5), 4.47),
        ("weighted_average", 50, (3, 1, 4, 2), 2.33),
        ("standard_decaying_average", 50, (3, 1, 4, 2), 2.5),
        ("n_mastery", 3, (3, 4, 2), nan),
        ("n_mastery", 3, (5, 3, 4, 3), 3.75),
        ("n_mastery", 3, (5, 5), nan),
        ("highest", None, (2.005, 4.125, 3), 4.13),
        ("", None, (1, 5, 2), 5.0),
        ("latest", None, (1, 5, 2.675), 2.68),
        ("average", None, (1, 2, 2), 1.67),
        ("average", None, (), nan),
        ("weighted_average", 65, (3.125,), 3.13),
        ("standard_decaying_average", 65, (3.125,), 3.13),
    ],
)
def test_a_rollup_is_canvas_s_to_two_decimals(method, number, scores, expected):
    rollup = outcome(method, number).rollup(results_of(scores))

    assert rollup.tolist() == [pytest.approx(expected, abs=1e-12, nan_ok=True)]


def test_without_the_new_feature_the_decaying_average_is_the_weighted_one():
    old = outcome("standard_decaying_average", 65, has_new_decaying=False)

    assert old.rollup(results_of((1, 2, 3, 4, 5))).tolist() == [4.13]


def test_many_learners_are_rolled_up_at_once_and_results_without_a_score_left_out():
    results = results_of((1, nan, 5), (), (nan,), (4,))

    rollup = outcome("latest").rollup(results)

    assert np.nan_to_num(rollup, nan=-1).tolist() == [5.0, -1.0, -1.0, 4.0]


def test_results_are_put_in_order_of_time():
    late_first = [{"score": 5.0, "seconds": 9}, {"score": 1.0, "seconds": 3}]

    assert outcome("latest").rollup(results_of(late_first)).tolist() == [5.0]


def test_a_percentage_goes_before_a_score():
    rows = [{"score": 1.0, "percent": 0.8}]

    assert outcome("latest").rollup(results_of(rows)).tolist() == [4.0]
    assert outcome("latest", points_possible=0.0).rollup(results_of(rows)).tolist() == [2.4]


QUIZZES = [
    {"score": 1.0, "percent": 0.2, "possible": 5.0, "is_quiz": True, "association": 8},
    {"score": 9.0, "percent": 0.6, "possible": 15.0, "is_quiz": True, "association": 8},
    {"score": 5.0, "percent": 1.0, "possible": 5.0, "is_quiz": True, "association": 9},
]


@pytest.mark.parametrize(("method", "expected"), [("average", 3.33), ("highest", 5.0)])
def test_classic_quizzes_on_one_assignment_are_pooled_where_canvas_pools_them(method, expected):
    # Ten of twenty points on the first quiz: 2.5, twice; 5 on the other one.
    rollup = outcome(method).rollup(results_of(QUIZZES))

    assert rollup.tolist() == [expected]


def test_the_same_quiz_of_two_learners_is_not_pooled():
    rollup = outcome("average").rollup(results_of(QUIZZES[:1], QUIZZES[1:2]))

    assert rollup.tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    ("value", "rounded"), [(2.675, 2.68), (3.125, 3.13), (1.005, 1.01), (-2.675, -2.68), (0, 0)]
)
def test_halves_go_away_from_zero(value, rounded):
    assert two_decimals(np.array([value])).tolist() == [rounded]


@given(st.integers(-400, 400), st.integers(0, 99))
def test_rounding_agrees_with_decimal_digits(hundredths, rest):
    value = (hundredths + (rest / 100 if hundredths >= 0 else -rest / 100)) / 100

    expected = abs(hundredths) + (rest >= 50)
    assert round(abs(two_decimals(np.array([value]))[0]) * 100) == expected


def test_a_class_has_the_mean_of_those_with_a_number_rounded_and_their_median_not():
    rollups = np.array([1.0, nan, 2.0, 2.25, 3.125])

    assert class_mean(rollups) == 2.09
    assert class_median(rollups) == 2.125


def test_a_class_without_a_number_has_neither():
    nobody = np.array([nan])

    assert isnan(class_mean(nobody))
    assert isnan(class_median(nobody))


@pytest.mark.parametrize(("score", "rating"), [(2.99, 2), (3.0, 1), (0.5, None), (nan, None)])
def test_a_score_has_the_highest_rating_it_reaches_without_rounding_up(score, rating):
    assert rating_of(score, (4, 3, 2, 1)) == rating


@pytest.mark.parametrize(
    ("method", "number", "message"),
    [
        ("median", None, "Canvas has no method median."),
        ("latest", 3, "The method latest takes no number."),
        ("weighted_average", 100, "The number of weighted_average must be 1 to 99."),
        ("standard_decaying_average", 49, "must be 50 to 99"),
        ("n_mastery", 11, "must be 1 to 10"),
        ("n_mastery", None, "The method n_mastery needs a number."),
    ],
)
def test_what_canvas_does_not_take_is_refused(method, number, message):
    with pytest.raises(CanvasMethodRefused, match=message):
        outcome(method, number)


@pytest.mark.parametrize("offsets", [[1, 1], [0, 2], [0, 1, 0, 1]])
def test_offsets_that_do_not_fit_are_refused(offsets):
    columns = {
        name: [1] for name in ("score", "percent", "possible", "association", "is_quiz", "seconds")
    }

    with pytest.raises(TableRefused, match="offsets"):
        CanvasResults.of(columns, offsets)
