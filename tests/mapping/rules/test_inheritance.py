from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.rules.inheritance import inherited, merged

NUMBERS = st.integers(0, 3)
POLICIES = st.fixed_dictionaries(
    {},
    optional={
        "attempts": st.sampled_from(["all", "best"]),
        "last_few": NUMBERS,
        "kind_weights": st.dictionaries(st.sampled_from(["skill", "recall"]), NUMBERS),
    },
)
DEFINITIONS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from("ab"),
        "method": st.sampled_from(["mean", "recent_n"]),
        "parameters": st.dictionaries(st.sampled_from("nw"), NUMBERS),
        "mastered": NUMBERS,
        "developing": NUMBERS,
        "scale": st.just({"levels": []}),
        "criteria": st.none() | st.just({"evidence": 1}),
        "policy": POLICIES,
        "rollup": st.fixed_dictionaries(
            {}, optional={"method": st.sampled_from(["mean", "lowest"]), "mandatory": st.just([])}
        ),
    },
)


@pytest.mark.parametrize(
    ("wide", "narrow", "both"),
    [
        ({"mastered": 3}, {"name": "x"}, {"mastered": 3, "name": "x"}),
        ({"mastered": 3}, {"mastered": 2}, {"mastered": 2}),
        ({"criteria": {"evidence": 1}}, {"criteria": None}, {"criteria": None}),
        (
            {"criteria": {"evidence": 1}},
            {"criteria": {"situations": 2}},
            {"criteria": {"situations": 2}},
        ),
        (
            {"policy": {"attempts": "all", "late": "after_deduction"}},
            {"policy": {"attempts": "best"}},
            {"policy": {"attempts": "best", "late": "after_deduction"}},
        ),
        (
            {"policy": {"kind_weights": {"skill": 2, "recall": 1}}},
            {"policy": {"kind_weights": {"recall": 0}}},
            {"policy": {"kind_weights": {"skill": 2, "recall": 0}}},
        ),
        ({"policy": {"late": "x"}}, {"policy": 5}, {"policy": 5}),
        ({"method": "recent_n", "parameters": {"n": 5}}, {"method": "mean"}, {"method": "mean"}),
        (
            {"method": "recent_n", "parameters": {"n": 5}},
            {"parameters": {"n": 3}},
            {"method": "recent_n", "parameters": {"n": 3}},
        ),
        ({"developing": 2.0}, {"scale": {}}, {"scale": {}}),
        ({"scale": {}}, {"developing": 2.0}, {"scale": {}, "developing": 2.0}),
        (
            {"rollup": {"method": "weighted", "weights": {"a": 2}}},
            {"rollup": {"method": "mean"}},
            {"rollup": {"method": "mean"}},
        ),
        (
            {"rollup": {"method": "weighted", "weights": {"a": 2}}},
            {"rollup": {"weights": {"b": 3}}},
            {"rollup": {"method": "weighted", "weights": {"a": 2, "b": 3}}},
        ),
    ],
)
def test_the_narrower_word_holds_for_what_it_speaks_of(wide, narrow, both):
    assert merged(wide, narrow) == both


@settings(max_examples=40)
@given(DEFINITIONS, DEFINITIONS, DEFINITIONS)
def test_it_does_not_matter_which_neighbours_are_put_together_first(first, second, third):
    assert merged(merged(first, second), third) == merged(first, merged(second, third))


@settings(max_examples=40)
@given(DEFINITIONS)
def test_who_says_nothing_changes_nothing(definition):
    assert merged(definition, {}) == merged({}, definition) == definition


@settings(max_examples=40)
@given(DEFINITIONS)
def test_saying_it_twice_is_saying_it_once(definition):
    assert merged(definition, definition) == definition


@settings(max_examples=40)
@given(st.lists(DEFINITIONS, max_size=5))
def test_every_key_was_settled_by_the_last_who_spoke_of_it(definitions):
    made = inherited(definitions)

    assert made.definition == reduce(merged, definitions, {})
    assert {key for key in made.origin if "." not in key} == made.definition.keys()
    for key, number in made.origin.items():
        assert number == max(n for n, said in enumerate(definitions) if _speaks(said, key))


def _speaks(definition, key):
    outer, _, inner = key.partition(".")
    return outer in definition and (not inner or inner in definition[outer])


def test_a_definition_that_is_taken_over_is_not_changed():
    wide = {"policy": {"kind_weights": {"skill": 2}}}

    merged(wide, {"policy": {"kind_weights": {"skill": 0}, "late": "x"}})

    assert wide == {"policy": {"kind_weights": {"skill": 2}}}
