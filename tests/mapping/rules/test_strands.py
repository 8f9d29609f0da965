import re
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.rules.strands import Rollup, RollupMethod, RollupRefused, parse_rollup
from tests.mapping.trees import SHOUTING

CODES = st.sampled_from(["N.1", "N.2", "N.3"])


@st.composite
def rollups(draw):
    method = draw(st.sampled_from(RollupMethod))
    is_weighed = method in (RollupMethod.WEIGHTED, RollupMethod.POINTS)
    weights = st.dictionaries(CODES, st.floats(0.5, 5.0)) if is_weighed else st.just({})
    is_counted = method is RollupMethod.POINTS
    return Rollup(
        method=method,
        weights=draw(weights),
        required_points=draw(st.floats(0.5, 9.0)) if is_counted else 1.0,
        mandatory=draw(st.frozensets(CODES)),
    )


@settings(max_examples=40)
@given(rollups())
def test_a_rollup_comes_back_from_its_definition(rollup):
    assert rollup.problems() == ()
    assert parse_rollup(rollup.definition()) == rollup


def test_a_rollup_that_asks_for_nothing_more_is_defined_by_its_method():
    assert Rollup().definition() == {"method": "all_with_evidence"}
    assert parse_rollup({}) == Rollup()


@pytest.mark.parametrize(
    ("rollup", "problem"),
    [
        ({"method": "best"}, "rollup.method must be one of: all_with_evidence, all_children"),
        ({"method": ["mean"]}, "rollup.method must be one of"),
        ({"weight": {}}, "A rollup has no weight."),
        ({"method": "weighted", "weights": [1]}, "rollup.weights must be an object"),
        ({"method": "weighted", "weights": {"a": "1"}}, "rollup.weights must be an object"),
        ({"method": "weighted", "weights": {"a": nan}}, "rollup.weights must be an object"),
        ({"method": "weighted", "weights": {"a": -1}}, "must be 0 to 1e.06, not -1.0 for a"),
        ({"method": "weighted", "weights": {"a": 0, "b": 0}}, "weights must not all be 0"),
        ({"method": "mean", "weights": {"a": 1}}, "weights belong to weighted and points"),
        ({"method": "mean", "required_points": 2}, "required_points belongs to points"),
        ({"method": "points", "required_points": "2"}, "required_points must be a number"),
        ({"method": "points", "required_points": 0}, "required_points must be above 0"),
        ({"mandatory": "N.1"}, "rollup.mandatory must be a list"),
        ({"mandatory": [1]}, "rollup.mandatory must be a list"),
        ({"mandatory": [""]}, "rollup.mandatory must be a list"),
    ],
)
def test_what_is_no_rollup_is_refused_with_the_field_named(rollup, problem):
    with pytest.raises(RollupRefused, match=problem):
        parse_rollup(rollup)


def test_all_problems_of_a_rollup_are_told_at_once():
    with pytest.raises(RollupRefused) as refused:
        parse_rollup({"method": "best", "mandatory": 1, "points": 3})

    assert len(refused.value.problems) == 3


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_numbers_that_are_not_finite_are_a_problem(number):
    weighted = Rollup(method=RollupMethod.WEIGHTED, weights={"a": number})
    counted = Rollup(method=RollupMethod.POINTS, required_points=number)

    assert weighted.problems()
    assert counted.problems()


def test_a_rollup_says_what_it_asks_for():
    rollup = Rollup(
        method=RollupMethod.POINTS,
        weights={"N.2": 2.0},
        required_points=3.0,
        mandatory=frozenset({"N.1"}),
    )

    assert rollup.sentence() == (
        "A strand is Mastered when the points of its mastered competencies add up to 3 or more. "
        "Until then it follows the mean of its competencies that have enough evidence. "
        "Points: N.2 2, every other one 1. These must be mastered in any case: N.1."
    )


def test_weights_are_told():
    rollup = Rollup(method=RollupMethod.WEIGHTED, weights={"N.2": 2.0, "N.1": 0.5})

    assert rollup.sentence().endswith("Weights: N.1 0.5, N.2 2, every other one 1.")


@pytest.mark.parametrize("method", RollupMethod)
def test_every_method_has_words_of_its_own_that_speak_of_no_failing(method):
    words = Rollup(method=method).sentence()

    assert sum(Rollup(method=other).sentence() == words for other in RollupMethod) == 1
    assert not re.search(r"\b(fail\w*|behind)\b", words, re.IGNORECASE)


def test_a_rollup_is_said_in_any_language():
    assert Rollup().sentence(SHOUTING).startswith("A STRAND IS MASTERED")
