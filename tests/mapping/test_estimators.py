import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.estimators import (
    METHODS,
    Method,
    Parameter,
    evidence_count,
    segment_sum,
    weighted_average,
    worked_average,
)

VALUES = st.lists(st.tuples(st.floats(0.0, 4.0), st.floats(0.01, 100.0)), max_size=6)
SEGMENTS = st.lists(VALUES, max_size=8)

LATEST = Method(
    name="share_of_latest",
    label="share of the latest",
    estimate=lambda values, weights, offsets, share: share * values[offsets[1:] - 1],  # noqa: ARG005
    worked=lambda values, weights, share: f"{share} of {values[-1]}",  # noqa: ARG005
    parameters=(Parameter(name="share", default=0.65, lowest=0.01, highest=0.99),),
)


def columns(segments):
    flat = [pair for segment in segments for pair in segment]
    values = np.array([value for value, _ in flat], dtype=np.float64)
    weights = np.array([weight for _, weight in flat], dtype=np.float64)
    return values, weights, np.cumsum([0, *map(len, segments)])


# The column "mean" of the golden vectors in contracts/mastery-methods.md 2.3.
@pytest.mark.parametrize(
    ("values", "mean"),
    [
        ((3, 3, 1, 3), 2.5),
        ((3, 3, 1, 3, 4, 4), 3.0),
        ((1, 2, 3, 4), 2.5),
        ((1, 4, 2, 3, 5, 3, 6), 3.4286),
        ((2, 2, 3, 3), 2.5),
        ((4, 1, 4, 4), 3.25),
        ((1, 1, 3, 3, 4), 2.4),
        ((1, 2, 2.5, 3, 3.5), 2.4),
    ],
)
def test_equal_weights_give_the_golden_means(values, mean):
    estimate = weighted_average(*columns([[(value, 1.0) for value in values]]))

    assert estimate.round(4).tolist() == [mean]


def test_the_golden_vectors_agree_when_they_are_segments_of_one_table():
    segments = [[(3.0, 1.0), (3.0, 1.0), (1.0, 1.0), (3.0, 1.0)], [], [(4.0, 1.0), (1.0, 1.0)], []]

    estimates = weighted_average(*columns(segments))

    assert np.nan_to_num(estimates, nan=-1.0).tolist() == [2.5, -1.0, 2.5, -1.0]


def test_a_heavier_piece_pulls_more():
    estimate = weighted_average(*columns([[(4.0, 3.0), (2.0, 1.0)]]))

    assert estimate.tolist() == [3.5]


def test_weights_that_add_up_to_nothing_give_no_estimate():
    estimate = weighted_average(*columns([[(4.0, 0.0)], [(2.0, 1.0)]]))

    assert np.isnan(estimate).tolist() == [True, False]


def test_no_segments_give_no_estimates():
    assert weighted_average(*columns([])).size == 0


@given(SEGMENTS)
def test_the_columnar_average_equals_a_plain_loop(segments):
    estimates = weighted_average(*columns(segments))

    for segment, estimate in zip(segments, estimates, strict=True):
        if segment:
            total = sum(weight for _, weight in segment)
            expected = sum(value * weight for value, weight in segment) / total
            assert estimate == pytest.approx(expected, abs=1e-9)
        else:
            assert np.isnan(estimate)


@given(SEGMENTS)
def test_an_average_lies_between_the_lowest_and_the_highest_value(segments):
    estimates = weighted_average(*columns(segments))

    for segment, estimate in zip(segments, estimates, strict=True):
        if segment:
            values = [value for value, _ in segment]
            assert min(values) - 1e-9 <= estimate <= max(values) + 1e-9


@given(st.permutations([(1.0, 2.0), (3.5, 0.5), (2.25, 1.0), (4.0, 3.0)]))
def test_the_order_of_evidence_does_not_change_an_average(segment):
    estimate = weighted_average(*columns([segment]))

    assert estimate[0] == pytest.approx(18.0 / 6.5, abs=1e-9)


@given(VALUES.filter(bool), st.floats(0.0, 4.0), st.floats(0.0, 4.0))
def test_a_better_piece_never_lowers_an_average(segment, one, other):
    low, high = sorted((one, other))

    estimates = weighted_average(*columns([[*segment, (low, 1.0)], [*segment, (high, 1.0)]]))

    assert estimates[0] <= estimates[1] + 1e-12


@given(SEGMENTS)
def test_counts_are_the_lengths_of_the_segments(segments):
    *_, offsets = columns(segments)

    assert evidence_count(offsets).tolist() == [len(segment) for segment in segments]


def test_an_empty_segment_adds_up_to_nought():
    sums = segment_sum(np.array([1.0, 2.0]), np.array([0, 0, 2, 2]))

    assert sums.tolist() == [0.0, 3.0, 0.0]


def test_the_worked_average_leaves_out_weights_that_are_all_one():
    worked = worked_average(np.array([3.0, 2.0]), np.ones(2))

    assert worked == "(3.00 + 2.00) / 2 = 2.50"


def test_the_worked_average_shows_weights_that_differ():
    worked = worked_average(np.array([3.0, 2.0]), np.array([2.0, 0.5]))

    assert worked == "(3.00 × 2 + 2.00 × 0.5) / (2 + 0.5) = 2.80"  # noqa: RUF001


def test_every_method_stands_under_its_own_name():
    assert {name: method.name for name, method in METHODS.items()} == {
        name: name for name in METHODS
    }


def test_a_method_without_parameters_refuses_any():
    problems = METHODS["weighted_average"].problems({"share": 0.5})

    assert problems == ("The method weighted_average has no parameter share.",)


@pytest.mark.parametrize("share", [0.0, 1.0, "0.5", True, None, float("nan")])
def test_a_parameter_out_of_its_range_is_refused(share):
    assert LATEST.problems({"share": share}) == ("The parameter share must be 0.01 to 0.99.",)


@pytest.mark.parametrize("given_parameters", [{}, {"share": 0.65}])
def test_a_method_with_parameters_joins_with_their_defaults_or_their_given_values(
    given_parameters,
):
    problems = LATEST.problems(given_parameters)
    estimate = LATEST.estimator(given_parameters)(*columns([[(1.0, 1.0), (2.0, 1.0)]]))

    assert (problems, estimate.tolist()) == ((), [1.3])
