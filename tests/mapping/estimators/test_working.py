import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.estimators import METHODS, worked_average
from mapping.scales import display
from tests.mapping.estimators.drawing import cut, drawn, parameters_of, sample_of

TIMES = "\N{MULTIPLICATION SIGN}"

# "(3.00 + 2.00) / 2 = 2.50", also where the left side is itself a result.
EQUATION = re.compile(rf"([-0-9(][-0-9.()+*/^{TIMES} ]*) = (-?[0-9.]+)")
NUMBER = re.compile(r"-?[0-9]+\.[0-9]+")


def by_hand(text):
    """Every equation of a text: what its left side comes to, and what is said to its right."""
    for left, right in EQUATION.findall(text):
        python = left.replace(TIMES, "*").replace("^", "**")
        yield eval(python, {"__builtins__": {}}), float(right.rstrip("."))  # noqa: S307 - arithmetic of our own


def worked(name, sample, **parameters):
    return METHODS[name].worked(sample, **METHODS[name].settled(parameters))


def signed(text):
    """An expected text with its times signs, which are typed as the letter."""
    return text.replace(" x ", f" {TIMES} ")


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=15)
@given(st.data())
def test_the_numbers_of_the_text_come_to_the_estimate(name, data):
    sample = drawn(data.draw(st.integers(0, 2**32)), segments=40, longest=20)
    parameters = data.draw(parameters_of(name))
    estimates = METHODS[name].estimator(parameters)(sample)

    for segment in np.flatnonzero(~np.isnan(estimates)):
        text = worked(name, cut(sample, segment), **parameters)

        assert NUMBER.findall(text)[-1] == display(estimates[segment]), text
        for computed, said in by_hand(text):
            assert abs(computed - said) <= 0.0051, text


@pytest.mark.parametrize("name", METHODS)
def test_quarter_points_come_to_the_same_two_decimals(name):
    sample = sample_of([2.25, 3.0, 1.75, 3.5, 4.0], days=(0, 180, 180, 360, 360))
    estimate = METHODS[name].estimator({"n": 2} if "n" in worked_with(name) else {})(sample)[0]

    text = worked(name, sample, **({"n": 2} if "n" in worked_with(name) else {}))

    equations = list(by_hand(text))
    last = f"{equations[-1][0]:.2f}" if equations else NUMBER.findall(text)[-1]
    assert last == display(estimate) or name == "weighted_median", text


def worked_with(name):
    return {parameter.name for parameter in METHODS[name].parameters}


@pytest.mark.parametrize("name", ["weighted_average", "mean"])
def test_a_score_alone_is_told_without_a_sum(name):
    assert worked(name, sample_of([2.8])).startswith("The only score: 2.80")


SCORES = [3.0, 3.0, 1.0, 3.0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("weighted_average", "(3.00 + 3.00 + 1.00 + 3.00) / 4 = 2.50"),
        ("mean", "(3.00 + 3.00 + 1.00 + 3.00) / 4 = 2.50"),
        (
            "weighted_median",
            (
                "Half of the weight: 4 / 2 = 2; from the lowest score on the weights add up"
                " to: 1.00 "
                "with 1, 3.00 with 2, 3.00 with 3, 3.00 with 4; half is reached at 3.00"
            ),
        ),
        ("median", "The middle two of 1.00, 3.00, 3.00, 3.00: (3.00 + 3.00) / 2 = 3.00"),
        (
            "mode",
            "Scores at each level: Emerging 1, Proficient 3; the most frequent is Proficient: 3.00",
        ),
        ("latest", "The latest score: 3.00"),
        ("highest", "The highest of 3.00, 3.00, 1.00, 3.00: 3.00"),
        ("recent_n", "(3.00 + 1.00 + 3.00) / 3 = 2.33"),
        ("best_n", "(3.00 + 3.00 + 3.00) / 3 = 3.00"),
        ("high_last", "(3.00 + 3.00) / 2 = 3.00"),
        (
            "decaying_average",
            (
                "It starts at 3.00; 0.35 x 3.00 + 0.65 x 3.00 = 3.00; 0.35 x 3.00 + 0.65 x"
                " 1.00 = 1.70;"
                " 0.35 x 1.70 + 0.65 x 3.00 = 2.55"
            ),
        ),
        (
            "weighted_recent",
            (
                "Before the latest: (3.00 + 3.00 + 1.00) / 3 = 2.3333; 0.65 x 3.00 + 0.35 x 2.3333"
                " = 2.77"
            ),
        ),
        (
            "n_mastery",
            (
                "3 of 4 scores are 3.00 or more, at least 3 are asked for: "
                "(3.00 + 3.00 + 3.00) / 3 = 3.00"
            ),
        ),
        (
            "linear_trend",
            (
                "Slope through the numbers: (-1.50 x 3.00 - 0.50 x 3.00 + 0.50 x 1.00 +"
                " 1.50 x 3.00)"
                " / 5.00 = -0.20; mean: (3.00 + 3.00 + 1.00 + 3.00) / 4 = 2.50; 2.50 - 0.20"
                " x 1.5 = "
                "2.20"
            ),
        ),
        (
            "power_law",
            (
                "Slope through the logarithms: (-0.794513 x 1.098612 - 0.101366 x 1.098612"
                " + 0.304099"
                " x 0.00 + 0.591781 x 1.098612) / 1.084207 = -0.308139; the curve's factor"
                " is 2.91182:"
                " 2.91182 x 4 ^ -0.308139 = 1.90"
            ),
        ),
    ],
)
def test_a_method_is_written_out(name, text):
    assert worked(name, sample_of(SCORES)) == signed(text)


def test_the_worked_average_shows_weights_that_differ():
    text = worked_average(sample_of([3.0, 2.0], weights=(2.0, 0.5)))

    assert text == signed("(3.00 x 2 + 2.00 x 0.5) / (2 + 0.5) = 2.80")


def test_a_method_without_weights_says_that_they_do_not_enter():
    text = worked("mean", sample_of([3.0, 2.0], weights=(2.0, 0.5)))

    assert text == "Weights do not enter this method. (3.00 + 2.00) / 2 = 2.50"


def test_ages_stand_beside_the_weights_they_leave():
    text = worked("evidence_weighted", sample_of([1.0, 4.0], days=(0, 360)))

    assert text == signed(
        "A weight halves with every 180 days before the newest piece (360, 0 days): "
        "(1.00 x 0.25 + 4.00 x 1) / (0.25 + 1) = 3.40"
    )


def test_the_power_law_says_when_the_mean_stands_in_for_it():
    text = worked("power_law", sample_of([0.0, 2.0, 4.0]))

    assert text == (
        "The power law is undefined for a score of 0, so the mean is taken: "
        "(0.00 + 2.00 + 4.00) / 3 = 2.00"
    )


def test_a_trend_that_leaves_the_scale_says_that_it_is_held_to_its_end():
    text = worked("linear_trend", sample_of([0.0, 4.0, 4.0]))

    assert text.endswith(signed("2.6667 + 2.00 x 1 = 4.67; held to the end of the scale: 4.00"))


def test_a_power_curve_far_beyond_the_scale_is_short():
    text = worked("power_law", sample_of([1e-300, 4.0, 4.0, 4.0]))

    assert text.endswith("held to the end of the scale: 4.00")
    assert len(text) < 400


@pytest.mark.parametrize(
    ("scores", "winner"),
    [
        ((3.0, 3.0, 1.0, 3.0, 4.0, 4.0), "the average fits best. (3.00"),
        ((1.0, 2.0, 3.0, 4.0), "the line fits best. Slope through the numbers"),
        ((1.0, 2.0, 2.5, 3.0, 3.5), "the power curve fits best. Slope through the logarithms"),
    ],
)
def test_the_best_fit_says_which_curve_won_and_what_each_misses(scores, winner):
    text = worked("best_fit", sample_of(scores))

    assert text.startswith("All misses added up: average ")
    assert winner in text


def test_the_best_fit_leaves_out_a_power_curve_that_is_undefined():
    text = worked("best_fit", sample_of([0.0, 1.0, 2.0]))

    assert "power curve undefined for a score of 0; the line fits best" in text


def test_of_equally_frequent_levels_the_text_names_the_higher():
    text = worked("mode", sample_of([2.0, 3.0]))

    assert text.endswith("the higher of the most frequent levels is Proficient: 3.00")


@pytest.mark.parametrize("name", METHODS)
def test_two_hundred_scores_do_not_make_a_long_text(name):
    scores = np.random.default_rng(5).uniform(0.1, 4.0, 200)
    weights = np.random.default_rng(6).choice([0.5, 1.0], 200)

    text = worked(name, sample_of(scores, weights=weights))

    assert len(text) < 420


@pytest.mark.parametrize(
    "name", ["decaying_average", "weighted_recent", "linear_trend", "best_fit"]
)
def test_a_single_score_needs_no_arithmetic(name):
    assert worked(name, sample_of([3.1])) == "The only score: 3.10"
