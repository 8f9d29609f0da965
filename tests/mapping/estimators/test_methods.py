from dataclasses import replace
from functools import partial
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.estimators import (
    METHODS,
    NOT_WEIGHED,
    Method,
    Parameter,
    estimates,
    weighted_average,
)
from mapping.scales import EPSILON
from tests.mapping.estimators import naive
from tests.mapping.estimators.drawing import cut, drawn, parameters_of, pieces_of, sample_of

SEEDS = st.integers(0, 2**32)
BETWEEN = sorted(METHODS.keys() - {"mode", "power_law", "linear_trend", "best_fit"})

GOLDEN = {
    "power_law": (1.8995, 3.0671, 4.0, 4.9470, 2.9866, 3.0539, 3.7966, 3.6331),
    "mean": (2.5, 3.0, 2.5, 3.4286, 2.5, 3.25, 2.4, 2.4),
    "weighted_average": (2.5, 3.0, 2.5, 3.4286, 2.5, 3.25, 2.4, 2.4),
    "weighted_recent": (2.7667, 3.58, 3.30, 4.95, 2.7667, 3.65, 3.30, 3.0187),
    "decaying_average": (2.5450, 3.8218, 3.4846, 5.0992, 2.8775, 3.7611, 3.5643, 3.2273),
    "highest": (3, 4, 4, 6, 3, 4, 4, 3.5),
    "latest": (3, 4, 4, 6, 3, 4, 4, 3.5),
    "median": (3, 3, 2.5, 3, 2.5, 4, 3, 2.5),
    "recent_n": (2.333, 3.667, 3, 4.667, 2.667, 3, 3.333, 3),
    "best_n": (3, 3.667, 3, 5, 2.667, 4, 3.333, 3),
    "linear_trend": (2.20, 3.7143, 4.0, 5.1429, 3.10, 3.70, 4.0, 3.6),
}
SCORES = (
    (3, 3, 1, 3),
    (3, 3, 1, 3, 4, 4),
    (1, 2, 3, 4),
    (1, 4, 2, 3, 5, 3, 6),
    (2, 2, 3, 3),
    (4, 1, 4, 4),
    (1, 1, 3, 3, 4),
    (1, 2, 2.5, 3, 3.5),
)
D75 = (2.6250, 3.9141, 3.6719, 5.3411, 2.9375, 3.8594, 3.7188, 3.3320)


def six_levels(points=(1, 2, 3, 4, 5, 6)):
    from mapping.scales import Level, RatingScale

    return RatingScale(
        levels=tuple(
            Level(
                label=f"L{point:g}",
                points=point,
                symbol=f"{point:g}",
                cut=point / points[-1] if place else 0,
            )
            for place, point in enumerate(points)
        )
    )


def decimals(expected):
    return 10.0 ** -len(f"{expected}".partition(".")[2]) / 2


def estimated(name, scores, **parameters):
    return float(METHODS[name].estimator(parameters)(sample_of(scores, scale=six_levels()))[0])


# The tables of contracts/mastery-methods.md 2.3.
@pytest.mark.parametrize(
    ("name", "scores", "expected"),
    [
        (name, scores, value)
        for name, column in GOLDEN.items()
        for scores, value in zip(SCORES, column, strict=True)
    ],
)
def test_a_method_gives_its_golden_vector(name, scores, expected):
    estimate = estimated(name, scores)

    assert abs(estimate - expected) <= max(decimals(expected), 5e-5) + 1e-9


@pytest.mark.parametrize(("scores", "expected"), list(zip(SCORES, D75, strict=True)))
def test_the_decaying_average_of_75_gives_its_golden_vector(scores, expected):
    estimate = estimated("decaying_average", scores, w=0.75)

    assert estimate == pytest.approx(expected, abs=5.1e-5)


@pytest.mark.parametrize(
    ("scores", "points", "expected"),
    [
        ((3, 3, 1, 3), (1, 2, 3, 4), 3),
        ((3, 3, 1, 3, 4, 4), (1, 2, 3, 4), 3),
        ((1, 2, 3, 4), (1, 2, 3, 4), 4),
        ((1, 4, 2, 3, 5, 3, 6), (1, 2, 3, 4, 5, 6), 3),
        ((2, 2, 3, 3), (1, 2, 3, 4), 3),
        ((4, 1, 4, 4), (1, 2, 3, 4), 4),
        ((1, 1, 3, 3, 4), (1, 2, 3, 4), 3),
        ((1, 2, 2.5, 3, 3.5), (1, 2, 2.5, 3, 3.5), 3.5),
    ],
)
def test_the_most_frequent_level_gives_its_golden_vector_and_of_equals_the_higher(
    scores, points, expected
):
    estimate = METHODS["mode"].estimate(sample_of(scores, scale=six_levels(points)))

    assert estimate.tolist() == [expected]


def test_the_best_fit_of_a_bent_rise_is_the_power_curve():
    estimate = estimated("best_fit", (1, 2, 2.5, 3, 3.5))

    assert estimate == pytest.approx(3.6331, abs=5e-5)


@pytest.mark.parametrize(
    ("scores", "n", "expected"),
    [((2, 3, 4, 3), 2, 10 / 3), ((2, 3, 2), 2, nan), ((3,), 2, nan), ((3, 4, 2), 3, nan)],
)
def test_times_at_mastery_give_their_golden_vectors(scores, n, expected):
    estimate = estimated("n_mastery", scores, n=n)

    assert estimate == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(("before", "last", "expected"), [(5.0, 4.5, 4.675)])
def test_the_newest_score_against_the_rest_agrees_with_the_published_example(
    before, last, expected
):
    estimate = estimated("weighted_recent", (before, before, last))

    assert estimate == pytest.approx(expected)


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=25)
@given(st.data())
def test_ten_thousand_segments_agree_with_a_plain_loop(name, data):
    sample = drawn(data.draw(SEEDS), segments=400)
    parameters = data.draw(parameters_of(name))

    estimate = METHODS[name].estimator(parameters)(sample)

    by_hand = partial(getattr(naive, name), scale=sample.scale, mastered=3.0, **parameters)
    expected = [
        by_hand(scores, weights, days=days) if scores else None
        for scores, weights, days in pieces_of(sample)
    ]
    wanted = np.array([nan if value is None else value for value in expected])
    np.testing.assert_allclose(estimate, wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=10)
@given(SEEDS)
def test_a_segment_alone_gives_the_same_bits_as_among_many(name, seed):
    sample = drawn(seed, segments=60)
    estimate = METHODS[name].estimator({})

    together = estimate(sample)

    alone = [estimate(cut(sample, segment))[0] for segment in range(60)]
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("name", METHODS)
def test_long_segments_give_the_same_bits_alone_as_among_many(name):
    rng = np.random.default_rng(7)
    lengths = [1, 17, 32, 33, 33, 100, 100, 100, 1000]
    sample = sample_of(*(rng.uniform(0.1, 4.0, length) for length in lengths))
    estimate = METHODS[name].estimator({})

    together = estimate(sample)

    np.testing.assert_array_equal(together, [estimate(cut(sample, s))[0] for s in range(9)])


@settings(max_examples=10)
@given(SEEDS)
def test_all_methods_at_once_give_what_each_gives_alone(seed):
    sample = drawn(seed, segments=100)

    together = estimates(sample, {name: {} for name in METHODS})

    for name, method in METHODS.items():
        np.testing.assert_array_equal(together[name], method.estimator({})(sample))


@pytest.mark.parametrize("name", BETWEEN)
@settings(max_examples=10)
@given(st.data())
def test_an_average_lies_between_the_lowest_and_the_highest_score(name, data):
    sample = drawn(data.draw(SEEDS), segments=200)
    parameters = data.draw(parameters_of(name))

    estimate = METHODS[name].estimator(parameters)(sample)

    for (scores, *_), value in zip(pieces_of(sample), estimate, strict=True):
        assert isnan(value) or min(scores) - EPSILON <= value <= max(scores) + EPSILON


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=10)
@given(SEEDS)
def test_every_estimate_lies_on_the_scale(name, seed):
    sample = drawn(seed, segments=200)

    estimate = METHODS[name].estimator({})(sample)

    present = estimate[~np.isnan(estimate)]
    assert ((present >= 0.0) & (present <= sample.scale.top)).all()


@pytest.mark.parametrize(
    "name", [name for name, method in METHODS.items() if not method.is_ordered]
)
@settings(max_examples=10)
@given(SEEDS)
def test_a_method_that_is_not_ordered_does_not_depend_on_the_order(name, seed):
    sample = drawn(seed, segments=50)
    segment = np.repeat(np.arange(50), sample.count)
    order = np.lexsort((np.random.default_rng(seed).uniform(0, 1, segment.size), segment))
    estimate = METHODS[name].estimator({})

    mixed = estimate(
        replace(
            sample,
            values=sample.values[order],
            weights=sample.weights[order],
            occurred_at=sample.occurred_at[order],
        )
    )

    np.testing.assert_allclose(mixed, estimate(sample), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.is_ordered])
def test_a_method_that_is_ordered_depends_on_the_order(name):
    rising = estimated(name, (1, 1.5, 2.5, 3, 4), **({"n": 2} if name == "recent_n" else {}))
    falling = estimated(name, (4, 3, 2.5, 1.5, 1), **({"n": 2} if name == "recent_n" else {}))

    assert abs(rising - falling) > 0.001


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.is_monotone])
@settings(max_examples=10)
@given(st.data())
def test_a_better_score_never_lowers_what_is_promised_to_be_monotone(name, data):
    seed = data.draw(SEEDS)
    parameters = data.draw(parameters_of(name))
    sample = drawn(seed, segments=300)
    filled = np.flatnonzero(sample.count)
    rng = np.random.default_rng(seed)
    row = sample.offsets[filled] + rng.integers(0, sample.count[filled])
    better = sample.values.copy()
    better[row] += rng.uniform(0, 1, row.size) * (4.0 - better[row])
    estimate = METHODS[name].estimator(parameters)

    change = estimate(replace(sample, values=better)) - estimate(sample)

    assert np.nanmin(change) >= -1e-12


@pytest.mark.parametrize(
    ("name", "worse", "better"),
    [
        ("mode", (3, 3, 2, 2), (4, 3, 2, 2)),
        ("n_mastery", (4, 4, 4, 2.9), (4, 4, 4, 3)),
        ("power_law", (1, 3, 3, 3), (3, 3, 3, 3)),
        ("linear_trend", (1, 2, 3, 3), (3, 2, 3, 3)),
        ("best_fit", (1, 2, 3, 3), (3, 2, 3, 3)),
    ],
)
def test_a_better_score_lowers_what_is_not_promised_to_be_monotone(name, worse, better):
    estimate = METHODS[name].estimator({})

    before, after = estimate(sample_of(worse, better, scale=six_levels((1, 2, 3, 4))))

    assert after < before


def test_the_methods_that_are_not_monotone_are_these():
    names = {name for name, method in METHODS.items() if not method.is_monotone}

    assert names == {"mode", "n_mastery", "power_law", "linear_trend", "best_fit"}


@pytest.mark.parametrize("name", METHODS)
def test_weights_enter_just_the_methods_that_say_so(name):
    scores = (1.0, 3.5, 2.0, 3.25)
    light = sample_of(scores)
    heavy = sample_of(scores, weights=(100.0, 1.0, 1.0, 1.0))
    estimate = METHODS[name].estimator({"n": 1} if name == "n_mastery" else {})

    is_moved = estimate(light)[0] != estimate(heavy)[0]

    assert is_moved == METHODS[name].is_weighed == (NOT_WEIGHED not in METHODS[name].note)


@pytest.mark.parametrize("name", METHODS)
def test_empty_segments_and_none_at_all_give_no_estimate(name):
    estimate = METHODS[name].estimator({})

    assert np.isnan(estimate(sample_of([], []))).tolist() == [True, True]
    assert estimate(sample_of()).size == 0


def test_weights_that_add_up_to_nothing_give_no_estimate():
    estimate = weighted_average(sample_of([4.0], [2.0], weights=(0.0, 1.0)))

    assert np.isnan(estimate).tolist() == [True, False]


@pytest.mark.parametrize("name", METHODS)
def test_a_single_score_is_its_own_estimate(name):
    estimate = METHODS[name].estimator({"n": 1} if name == "n_mastery" else {})

    assert estimate(sample_of([3.0])).tolist() == pytest.approx([3.0], abs=1e-12)


def test_scores_below_nought_are_put_in_order_too():
    sample = sample_of([-1.0, 2.0, -3.0, 0.0, -2.0], weights=(1, 1, 1, 1, 1.5))

    middle = METHODS["weighted_median"].estimate(sample)

    assert middle.tolist() == [-1.0]


@pytest.mark.parametrize("name", METHODS)
def test_a_tiny_score_makes_no_number_overflow(name):
    estimate = METHODS[name].estimator({})(sample_of([1e-308, 4.0, 4.0], [4.0, 1e-308]))

    assert not np.isinf(estimate).any()


def test_half_of_the_weight_is_reached_although_binary_fractions_miss_it():
    sample = sample_of([1.0, 2.0, 3.0, 4.0], weights=(0.1, 0.7, 0.7, 0.1))

    middle = METHODS["weighted_median"].estimate(sample)

    assert middle.tolist() == [2.0]


def test_an_undated_piece_is_as_old_as_the_oldest_dated_one():
    dated = sample_of([1.0, 2.0, 4.0], days=(10, 10, 40))
    undated = sample_of([1.0, 2.0, 4.0], days=(None, 10, 40))
    estimate = METHODS["evidence_weighted"].estimator({"half_life_days": 30})

    assert estimate(undated).tolist() == estimate(dated).tolist() == [pytest.approx(2.75)]


def test_pieces_without_any_date_do_not_age():
    estimate = METHODS["evidence_weighted"].estimator({"half_life_days": 1})

    assert estimate(sample_of([1.0, 4.0], days=(None, None))).tolist() == [2.5]


def test_every_method_stands_under_its_own_name():
    assert {name: method.name for name, method in METHODS.items()} == {
        name: name for name in METHODS
    }


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_named_with_its_parameters(name):
    method = METHODS[name]

    named = method.named({})

    assert "{" not in named
    for value in method.settled({}).values():
        assert f"{value:g}" in named


def test_a_method_without_parameters_refuses_any():
    problems = METHODS["weighted_average"].problems({"share": 0.5})

    assert problems == ("The method weighted_average has no parameter share.",)


@pytest.mark.parametrize("w", [0.0, 1.0, "0.5", True, None, float("nan"), 10**400])
def test_a_parameter_out_of_its_range_is_refused(w):
    problems = METHODS["decaying_average"].problems({"w": w})

    assert problems == ("The parameter w must be 0.01 to 0.99.",)


@pytest.mark.parametrize(("n", "is_taken"), [(2, True), (2.0, True), (2.5, False), (0, False)])
def test_a_number_of_scores_is_a_whole_number(n, is_taken):
    problems = METHODS["recent_n"].problems({"n": n})

    assert problems == (
        () if is_taken else ("The parameter n must be a whole number from 1 to 100.",)
    )


@pytest.mark.parametrize("given_parameters", [{}, {"share": 0.65}])
def test_a_method_joins_with_its_defaults_or_the_given_values(given_parameters):
    share = Method(
        name="share_of_latest",
        label="share of the latest",
        estimate=lambda sample, share: share * sample.values[sample.offsets[1:] - 1],
        worked=lambda sample, share: f"{share} of {sample.values[-1]}",
        parameters=(Parameter(name="share", default=0.65, lowest=0.01, highest=0.99),),
    )

    estimate = share.estimator(given_parameters)(sample_of([1.0, 2.0]))

    assert (share.problems(given_parameters), estimate.tolist()) == ((), [1.3])
