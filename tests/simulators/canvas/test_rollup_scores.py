import pytest

from simulators.canvas.rollup_scores import Outcome, Result, aggregated, hundredths, rollup_score


def outcome(method, number=None):
    return Outcome(
        id=1,
        title="Reasoning",
        points_possible=5,
        mastery_points=3,
        calculation_method=method,
        calculation_int=number,
    )


def rolled_up(scores, method, number=None, *, has_new_decay=True):
    results = [Result(score=s, percent=None, when=n) for n, s in enumerate(scores)]
    return rollup_score(outcome(method, number), results, has_new_decay=has_new_decay)


@pytest.mark.parametrize(
    ("scores", "method", "number", "expected"),
    [
        ([1, 2, 3, 4, 5], "decaying_average", 65, 4.13),
        ([1, 2, 3, 4, 5], "decaying_average", None, 4.13),
        ([1, 2, 3, 4, 5], "standard_decaying_average", 65, 4.47),
        ([3, 1, 4, 2], "weighted_average", 50, 2.33),
        ([3, 1, 4, 2], "standard_decaying_average", 50, 2.5),
        ([3, 4, 2], "n_mastery", 3, None),
        ([5, 3, 4, 3], "n_mastery", 3, 3.75),
        ([3], "n_mastery", 2, None),
        ([3, 1, 4, 2], "highest", None, 4),
        ([3, 1, 4, 2], "latest", None, 2),
        ([3, 1, 4, 2], "average", None, 2.5),
        ([2.675], "weighted_average", 65, 2.68),
    ],
)
def test_the_vectors_of_the_contract_come_out(scores, method, number, expected):
    assert rolled_up(scores, method, number) == expected


def test_without_the_feature_the_true_decay_is_the_weighted_average():
    with_it = rolled_up([1, 2, 3, 4, 5], "standard_decaying_average", 65)
    without = rolled_up([1, 2, 3, 4, 5], "standard_decaying_average", 65, has_new_decay=False)

    assert (with_it, without) == (4.47, 4.13)


def test_nothing_assessed_is_no_score():
    assert rolled_up([], "latest") is None
    assert aggregated([], "mean") is None


def test_a_class_has_a_rounded_mean_and_an_unrounded_median():
    scores = [1.0, 2.0, 2.33, 4.0]

    assert aggregated(scores, "mean") == 2.33
    assert aggregated(scores, "median") == pytest.approx(2.165)


def test_halves_go_away_from_zero():
    assert [hundredths(4.125), hundredths(-4.125)] == [4.13, -4.13]
