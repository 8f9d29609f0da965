import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.rules import MasteryRule, RuleRefused, parse_rule, pieces

RULES = st.builds(
    MasteryRule,
    name=st.sampled_from(["District", "Mathematics 6"]),
    version=st.integers(1, 99),
    mastered=st.floats(2.0, 4.0),
    developing=st.floats(0.0, 1.99),
    minimum_evidence=st.integers(1, 10),
)


def problems_of(definition):
    with pytest.raises(RuleRefused) as refused:
        parse_rule(definition)
    return refused.value.problems


def test_a_rule_says_itself_in_one_sentence():
    sentence = MasteryRule(mastered=3.0, minimum_evidence=2).sentence()

    assert sentence == (
        "Mastered when the weighted average of at least 2 pieces of evidence is 3.00 or more "
        "on a scale of 0 to 4."
    )


def test_changing_the_threshold_changes_the_sentence():
    assert "is 2.675 or more" in MasteryRule(mastered=2.675).sentence()


def test_one_piece_is_not_said_in_the_plural():
    assert [pieces(1), pieces(3)] == ["1 piece of evidence", "3 pieces of evidence"]


@given(RULES)
def test_a_rule_comes_back_from_its_definition_as_json(rule):
    assert parse_rule(json.loads(json.dumps(rule.definition()))) == rule


def test_what_a_definition_leaves_out_takes_its_default():
    rule = parse_rule({"mastered": 3, "developing": 2.0, "minimum_evidence": 2})

    assert rule == MasteryRule()


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ({"mastered": 4.5}, "mastered must be above 0 and at most 4."),
        ({"mastered": "three"}, "mastered must be a number, not 'three'."),
        ({"mastered": True}, "mastered must be a number, not True."),
        ({"mastered": float("nan")}, "mastered must be a number, not nan."),
        ({"developing": 3.0}, "developing must be 0 or more and below mastered."),
        ({"developing": -1.0}, "developing must be 0 or more and below mastered."),
        ({"minimum_evidence": 0}, "minimum_evidence must be 1 to 100."),
        ({"minimum_evidence": 101}, "minimum_evidence must be 1 to 100."),
        ({"minimum_evidence": 2.5}, "minimum_evidence must be a whole number, not 2.5."),
        ({"version": 0}, "version must be 1 or more."),
        ({"name": " "}, "name must not be empty."),
        ({"name": 5}, "name must be text, not 5."),
        ({"method": "guess"}, "method must be one of: weighted_average."),
        ({"parameters": {"share": 1}}, "The method weighted_average has no parameter share."),
        ({"parameters": [1]}, "parameters must be an object, not [1]."),
        ({"minimum": 2}, "A rule has no minimum."),
        ({"scale": {}}, "A scale is an object with a list of levels."),
    ],
)
def test_a_bad_value_is_named_with_what_it_must_be(definition, problem):
    assert problems_of(definition) == (problem,)


def test_nothing_is_not_enough_for_mastery():
    assert "mastered must be above 0 and at most 4." in problems_of({"mastered": 0})


def test_all_problems_of_a_rule_are_told_at_once():
    problems = problems_of({"mastered": 9, "minimum_evidence": "two", "version": 0, "colour": 1})

    assert len(problems) == 4


def test_a_rule_keeps_its_own_scale():
    levels = [
        {"label": "Not yet", "points": 0, "symbol": "o", "cut": 0},
        {"label": "Met", "points": 10, "symbol": "x", "cut": 0.8},
    ]

    rule = parse_rule({"mastered": 8, "developing": 5, "scale": {"levels": levels}})

    assert rule.sentence().endswith("is 8.00 or more on a scale of 0 to 10.")
