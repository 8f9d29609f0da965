import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mapping
from mapping.estimators import METHODS
from mapping.evidence.policy import Attempts, EvidencePolicy
from mapping.records import EvidenceKind
from mapping.rules.clauses import AllOf, EstimateReaches, EvidenceReaches, SituationsReach, SomeOf
from mapping.rules.mastery_rule import MasteryRule, RuleRefused, parse_rule
from mapping.rules.strands import Rollup, RollupMethod
from mapping.samples import Sample
from mapping.scales import DEFAULT_SCALE, Level, RatingScale, display_exact
from mapping.status import NO_LEVEL, Status
from mapping.wording import templates
from tests.mapping.trees import SHOUTING, TREES, listening

TWICE = AllOf(
    clauses=(SituationsReach(count=2), EvidenceReaches(count=1, kind=EvidenceKind.APPLICATION))
)
TEN = {
    "levels": [
        {"label": "Not yet", "points": 0, "symbol": "o", "cut": 0},
        {"label": "Met", "points": 10, "symbol": "x", "cut": 0.8},
    ]
}

LISTED = {
    text
    for path in Path(mapping.__file__).parent.rglob("*.py")
    for text in templates(path.read_text("utf-8"))
}

PAGE = (Path(mapping.__file__).parents[1] / "docs" / "rules.md").read_text("utf-8")
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]

RULES = st.builds(
    MasteryRule,
    name=st.sampled_from(["District", "Mathematics 6"]),
    version=st.integers(1, 99),
    method=st.sampled_from(sorted(METHODS)),
    mastered=st.floats(0.01, 4.0),
    minimum_evidence=st.integers(1, 100),
    criteria=st.none() | TREES,
    policy=st.builds(EvidencePolicy, attempts=st.sampled_from(Attempts)),
    recheck_days=st.none() | st.integers(1, 3650),
    rollup=st.builds(Rollup, method=st.sampled_from(RollupMethod)),
)


def problems_of(definition):
    with pytest.raises(RuleRefused) as refused:
        parse_rule(definition)
    return refused.value.problems


def cuts(rule):
    return [level.cut * rule.scale.top for level in rule.scale.levels]


def test_a_rule_says_itself_in_one_sentence():
    sentence = MasteryRule(mastered=3.0, minimum_evidence=2).sentence()

    assert sentence == (
        "Mastered when the weighted average of at least 2 pieces of evidence is "
        "3.00 (Proficient) or more on a scale of 0 to 4."
    )


def test_one_piece_is_not_said_in_the_plural():
    assert "of at least 1 piece of evidence is" in MasteryRule(minimum_evidence=1).sentence()


def test_changing_the_threshold_changes_the_sentence():
    assert "is 2.675 or more" in MasteryRule(mastered=2.675).sentence()


def test_a_rule_says_the_parameters_of_its_method():
    sentence = MasteryRule(method="recent_n", parameters={"n": 5}).sentence()

    assert sentence == (
        "Mastered when the mean of the newest 5 is 3.00 (Proficient) or more on a scale of "
        "0 to 4, from at least 2 pieces of evidence."
    )


def test_a_rule_says_what_else_it_asks_for_and_when_a_recheck_is_due():
    sentence = MasteryRule(criteria=TWICE, recheck_days=180).sentence()

    assert sentence == (
        "Mastered when the weighted average of at least 2 pieces of evidence is "
        "3.00 (Proficient) or more on a scale of 0 to 4, "
        "and the evidence comes from at least 2 different activities, "
        "and at least 1 application task counts; re-checked after 180 days."
    )


def test_a_recheck_comes_before_a_list_so_that_it_is_none_of_it():
    parts = (*TWICE.clauses, EstimateReaches(points=2.0))

    sentence = MasteryRule(
        criteria=SomeOf(count=2, clauses=parts), recheck_days=1, minimum_evidence=1
    ).sentence()

    assert sentence == (
        "Mastered, and re-checked after 1 day, when the weighted average of at least 1 piece of "
        "evidence is 3.00 (Proficient) or more on a scale of 0 to 4, and at least 2 of these 3: "
        "(a) the evidence comes from at least 2 different activities; "
        "(b) at least 1 application task counts; (c) the estimate is at least 2.00 (Developing)."
    )


@settings(max_examples=40)
@given(RULES)
def test_every_rule_is_one_sentence_with_every_number_of_its_own(rule):
    sentence = rule.sentence()

    said = re.findall(r"\d+(?:\.\d+)?", sentence)
    asked = [rule.minimum_evidence, rule.recheck_days, *rule.parameters.values()]
    assert sentence.startswith("Mastered")
    assert sentence.endswith(".")
    assert ". " not in sentence
    assert {f"{number:g}" for number in asked if number is not None} <= set(said)
    assert display_exact(rule.mastered) in said


@settings(max_examples=40)
@given(RULES)
def test_every_english_word_of_a_rule_can_be_translated(rule):
    sentence = rule.sentence(SHOUTING)

    # Left are labels of the list and of the scale.
    plain = re.sub(
        r"\([a-z][a-z0-9.]*\)|\((Emerging|Developing|Proficient|Exemplary)\)", "", sentence
    )
    assert plain == plain.upper()


@settings(max_examples=40)
@given(RULES)
def test_every_template_of_a_rule_is_in_the_list_for_those_who_translate(rule):
    heard = set()

    rule.sentence(listening(heard))

    methods = {(method.phrase or method.label,) for method in METHODS.values()}
    assert heard <= LISTED | methods


@given(RULES)
def test_a_rule_comes_back_from_its_definition_as_json(rule):
    assert parse_rule(json.loads(json.dumps(rule.definition()))) == rule


def test_what_a_definition_leaves_out_takes_its_default():
    assert parse_rule({}) == MasteryRule()


def test_a_parameter_left_out_is_the_same_as_one_at_its_default():
    given_both = [MasteryRule(method="recent_n", parameters=p) for p in ({}, {"n": 3})]

    assert given_both[0] == given_both[1]


def test_criteria_and_a_recheck_may_be_said_to_be_none():
    assert parse_rule({"criteria": None, "recheck_days": None}) == MasteryRule()


def test_a_rule_estimates_with_its_own_parameters():
    sample = Sample(
        values=np.array([1.0, 2.0, 4.0]),
        weights=np.ones(3),
        occurred_at=np.zeros(3, dtype=np.int64),
        offsets=np.array([0, 3]),
    )

    assert MasteryRule(method="recent_n", parameters={"n": 2}).estimator()(sample) == [3.0]


def test_all_parts_of_a_rule_are_read():
    rule = parse_rule(
        {
            "criteria": {"all": [{"situations": 2}, {"evidence": 1, "kind": "application"}]},
            "policy": {"attempts": "best"},
            "recheck_days": 180,
            "rollup": {"method": "lowest"},
        }
    )

    assert rule == MasteryRule(
        criteria=TWICE,
        policy=EvidencePolicy(attempts=Attempts.BEST),
        recheck_days=180,
        rollup=Rollup(method=RollupMethod.LOWEST),
    )


def test_a_definition_of_old_is_read_for_ever():
    definition = {
        "name": "Mastery",
        "version": 1,
        "method": "weighted_average",
        "parameters": {},
        "mastered": 3.0,
        "developing": 2.0,
        "minimum_evidence": 2,
        "scale": DEFAULT_SCALE.definition(),
    }

    assert parse_rule(definition) == MasteryRule()


def test_developing_moves_the_second_lowest_level_and_leaves_the_others():
    rule = parse_rule({"mastered": 3.0, "developing": 1.5})

    assert cuts(rule) == [0.0, 1.5, 3.0, 3.5]
    assert rule.working_cuts == (0.0, 1.5)


def test_levels_that_developing_would_pass_move_up_with_it():
    rule = parse_rule({"mastered": 4.0, "developing": 3.25})

    assert cuts(rule)[1] == 3.25
    assert cuts(rule) == sorted(set(cuts(rule)))


def test_of_two_levels_none_is_moved_for_developing():
    rule = parse_rule({"mastered": 8, "developing": 5, "scale": TEN})

    assert cuts(rule) == [0.0, 8.0]


def test_a_rule_keeps_its_own_scale():
    rule = parse_rule({"mastered": 9, "scale": TEN})

    assert rule.sentence().endswith("is 9.00 or more on a scale of 0 to 10.")


def test_working_levels_are_called_as_on_the_scale_and_others_as_everywhere():
    rule = MasteryRule(mastered=3.5)

    assert rule.label(Status.DEVELOPING, 2) == "Proficient"
    assert rule.label(Status.MASTERED, 3) == "Mastered"
    assert rule.label(Status.EMERGING, NO_LEVEL) == "Emerging"


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ({"mastered": 4.5}, "mastered must be above 0 and at most 4."),
        ({"mastered": 0}, "mastered must be above 0 and at most 4."),
        ({"mastered": "three"}, "mastered must be a number, not 'three'."),
        ({"mastered": True}, "mastered must be a number, not True."),
        ({"mastered": None}, "mastered must be a number, not None."),
        ({"mastered": float("nan")}, "mastered must be a number, not nan."),
        ({"mastered": float("inf")}, "mastered must be a number, not inf."),
        ({"developing": 3.0}, "developing must be above 0 and below mastered."),
        ({"developing": 0.0}, "developing must be above 0 and below mastered."),
        ({"developing": "two"}, "developing must be a number, not 'two'."),
        ({"developing": 1e-12}, "The cut of level 2 must be above level 1's: 2.5e-13 is not abo"),
        ({"minimum_evidence": 0}, "minimum_evidence must be 1 to 100."),
        ({"minimum_evidence": 101}, "minimum_evidence must be 1 to 100."),
        ({"minimum_evidence": 2.5}, "minimum_evidence must be a whole number, not 2.5."),
        ({"version": 0}, "version must be 1 or more."),
        ({"name": " "}, "name must not be empty."),
        ({"name": 5}, "name must be text, not 5."),
        ({"method": "guess"}, "method must be one of: weighted_average, "),
        ({"parameters": {"share": 1}}, "The method weighted_average has no parameter share."),
        ({"method": "recent_n", "parameters": {"n": 0}}, "The parameter n must be "),
        ({"parameters": [1]}, "parameters must be an object, not [1]."),
        ({"minimum": 2}, "A rule has no minimum."),
        ({"scale": {}}, "A scale is an object with a list of levels."),
        ({"scale": []}, "scale must be an object, not []."),
        ({"criteria": []}, "criteria must be an object or null, not []."),
        ({"criteria": {"all": []}}, "criteria.all must be a list of at least one clause."),
        ({"criteria": {"any": [{"estimate": 5}]}}, "criteria.any[0].estimate must be above 0 and"),
        ({"policy": None}, "policy must be an object, not None."),
        ({"policy": {"attempts": "first"}}, "policy.attempts must be one of: "),
        ({"rollup": 3}, "rollup must be an object, not 3."),
        ({"rollup": {"method": "sum"}}, "rollup.method must be one of: "),
        ({"recheck_days": 0}, "recheck_days must be 1 to 3650, or null for never."),
        ({"recheck_days": 3651}, "recheck_days must be 1 to 3650, or null for never."),
        ({"recheck_days": 30.5}, "recheck_days must be a whole number or null, not 30.5."),
        ([], "A rule must be an object."),
    ],
)
def test_a_bad_value_is_named_with_what_it_must_be(definition, problem):
    (told,) = problems_of(definition)

    assert told.startswith(problem)


def test_all_problems_of_a_rule_are_told_at_once():
    problems = problems_of(
        {
            "mastered": 9,
            "minimum_evidence": "two",
            "version": 0,
            "colour": 1,
            "criteria": {"evidence": 0},
            "policy": {"late": 1},
        }
    )

    assert len(problems) == 6


def test_an_estimate_is_asked_for_by_the_levels_of_the_rules_own_scale():
    rule = parse_rule({"mastered": 9, "scale": TEN, "criteria": {"estimate": "Met"}})

    assert rule.criteria == EstimateReaches(points=8.0)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("criteria", AllOf(clauses=()), "criteria.all must be a list of at least one clause."),
        ("criteria", EstimateReaches(points=4.5), "criteria.estimate must be above 0"),
        ("policy", EvidencePolicy(last_few=0), "policy.last_few must be 1 to "),
        (
            "rollup",
            Rollup(method=RollupMethod.POINTS, required_points=0.0),
            "rollup.required_points must be above 0",
        ),
        ("mastered", float("nan"), "mastered must be above 0 and at most 4."),
    ],
)
def test_a_rule_made_in_code_is_checked_like_one_that_is_read(field, value, problem):
    with pytest.raises(RuleRefused) as refused:
        MasteryRule(**{field: value})

    (told,) = refused.value.problems
    assert told.startswith(problem)


def test_a_scale_of_another_size_is_said_without_needless_digits():
    levels = tuple(
        Level(label=label, points=points, symbol=label, cut=cut)
        for label, points, cut in (("a", 1.0, 0.0), ("b", 12.5, 0.5))
    )

    rule = MasteryRule(mastered=12.5, scale=RatingScale(levels=levels))

    assert rule.sentence().endswith("is 12.50 or more on a scale of 0 to 12.5.")


@pytest.mark.parametrize("definition", EXAMPLES)
def test_every_example_of_the_page_is_a_rule(definition):
    assert parse_rule(definition) != MasteryRule()


def test_the_sentences_of_the_page_are_what_its_examples_say():
    quoted = re.findall(r"(?:^> .*\n)+", PAGE, re.MULTILINE)
    printed = [" ".join(q.replace("\n> ", " ").removeprefix("> ").split()) for q in quoted]

    said = [parse_rule(example).sentence() for example in EXAMPLES]
    assert len(printed) == 2
    assert all(sentence.replace("\\*", "*") in said for sentence in printed)
