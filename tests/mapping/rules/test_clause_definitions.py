import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.records import EvidenceKind
from mapping.rules.clause_definitions import ClauseRefused, clause_definition, parse_clause
from mapping.rules.clauses import (
    AllOf,
    ChildrenMastered,
    EstimateReaches,
    EvidenceReaches,
    LineItemCounts,
    NewestWithin,
    Situation,
    SituationsReach,
    SomeOf,
)
from mapping.scales import DEFAULT_SCALE
from tests.mapping.trees import TREES

FORMS = (
    "estimate, evidence, situations, newest_within_days, line_item, children_mastered, all, any, "
    "at_least"
)
LEVELS = "or one of these levels: Developing, Proficient, Exemplary"
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*FORMS.split(", "), "of", "kind"]), inner, max_size=3)
    ),
    max_leaves=10,
)


def parsed(definition):
    return parse_clause(definition, scale=DEFAULT_SCALE)


def problems_of(definition):
    with pytest.raises(ClauseRefused) as refused:
        parsed(definition)
    return refused.value.problems


def nested(depth):
    return {"evidence": 1} if depth == 1 else {"all": [nested(depth - 1)]}


@pytest.mark.parametrize(
    ("definition", "clause"),
    [
        ({"estimate": 3}, EstimateReaches(points=3.0)),
        ({"estimate": "Proficient"}, EstimateReaches(points=3.0)),
        ({"evidence": 3}, EvidenceReaches(count=3)),
        (
            {"evidence": 1, "kind": "application"},
            EvidenceReaches(count=1, kind=EvidenceKind.APPLICATION),
        ),
        ({"situations": 2}, SituationsReach(count=2)),
        ({"situations": 2, "of": "day"}, SituationsReach(count=2, of=Situation.DAY)),
        ({"newest_within_days": 180}, NewestWithin(days=180)),
        ({"line_item": "*final*"}, LineItemCounts(pattern="*final*")),
        ({"children_mastered": 3}, ChildrenMastered(count=3)),
        ({"children_mastered": "all"}, ChildrenMastered()),
        ({"all": [{"evidence": 2}]}, AllOf(clauses=(EvidenceReaches(count=2),))),
        ({"any": [{"evidence": 2}]}, SomeOf(count=1, clauses=(EvidenceReaches(count=2),))),
        (
            {"at_least": 2, "of": [{"evidence": 2}, {"evidence": 3}]},
            SomeOf(count=2, clauses=(EvidenceReaches(count=2), EvidenceReaches(count=3))),
        ),
    ],
)
def test_each_form_of_a_clause_is_read(definition, clause):
    assert parsed(definition) == clause


@settings(max_examples=40)
@given(TREES)
def test_a_tree_comes_back_from_its_definition_as_json(tree):
    assert parsed(json.loads(json.dumps(clause_definition(tree)))) == tree


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ({}, f"criteria must be an object with one of: {FORMS}."),
        ([], f"criteria must be an object with one of: {FORMS}."),
        ({"colour": 1}, f"criteria must have one of: {FORMS}."),
        ({"estimate": 1, "line_item": "x"}, "criteria must be one clause, not several: "),
        ({"evidence": 1, "of": 2}, "criteria may not have beside evidence: of."),
        ({"estimate": 0}, f"criteria.estimate must be above 0 and at most 4, {LEVELS}; not 0."),
        ({"estimate": 4.5}, f"criteria.estimate must be above 0 and at most 4, {LEVELS}; not 4.5."),
        ({"estimate": True}, f"must be above 0 and at most 4, {LEVELS}; not True."),
        ({"estimate": float("nan")}, f"must be above 0 and at most 4, {LEVELS}; not nan."),
        ({"estimate": 10**400}, f"must be above 0 and at most 4, {LEVELS}; not 1000"),
        ({"estimate": "Good"}, f"must be above 0 and at most 4, {LEVELS}; not 'Good'."),
        ({"estimate": "Emerging"}, f"must be above 0 and at most 4, {LEVELS}; not 'Emerging'."),
        ({"estimate": None}, f"must be above 0 and at most 4, {LEVELS}; not None."),
        ({"evidence": 0}, "criteria.evidence must be 1 to 100, not 0."),
        ({"evidence": 101}, "criteria.evidence must be 1 to 100, not 101."),
        ({"evidence": True}, "criteria.evidence must be 1 to 100, not True."),
        ({"evidence": 2.5}, "criteria.evidence must be 1 to 100, not 2.5."),
        (
            {"evidence": 1, "kind": "essay"},
            "criteria.kind must be one of: recall, skill, application, observation, self, exter",
        ),
        ({"situations": 0}, "criteria.situations must be 1 to 100, not 0."),
        ({"situations": 7, "of": "kind"}, "criteria.situations must be 1 to 6, not 7."),
        (
            {"situations": 2, "of": "week"},
            "criteria.of must be one of: line_item, course, kind, day; not 'week'.",
        ),
        ({"newest_within_days": 0}, "criteria.newest_within_days must be 1 to 3650, not 0."),
        ({"line_item": " "}, "criteria.line_item must be 1 to 200 characters of a title, such as "),
        ({"line_item": "x" * 201}, "criteria.line_item must be 1 to 200 characters of a title"),
        ({"line_item": 5}, "criteria.line_item must be 1 to 200 characters of a title"),
        (
            {"children_mastered": 0},
            'criteria.children_mastered must be 1 to 1000, not 0; "all" asks for every one.',
        ),
        ({"all": []}, "criteria.all must be a list of at least one clause."),
        ({"any": "evidence"}, "criteria.any must be a list of at least one clause."),
        ({"at_least": 1}, "criteria.of must be a list of at least one clause."),
        ({"at_least": 2, "of": [{"evidence": 1}]}, "criteria.at_least must be 1 to 1, not 2."),
        (
            {"all": [{"evidence": 1}, {"situations": 0}]},
            "criteria.all[1].situations must be 1 to 100, not 0.",
        ),
        (
            {"any": [{"at_least": 1, "of": [{"evidence": 0}]}]},
            "criteria.any[0].of[0].evidence must be 1 to 100, not 0.",
        ),
    ],
)
def test_a_bad_clause_is_named_by_its_path_with_what_it_must_be(definition, problem):
    (told,) = problems_of(definition)

    assert problem in told


def test_all_problems_of_a_tree_are_told_at_once():
    definition = {
        "at_least": 3,
        "of": [{"evidence": 0, "kind": "essay"}, {"any": [{}, {"line_item": ""}]}],
    }

    assert len(problems_of(definition)) == 5


def test_a_long_value_is_told_but_not_at_length():
    (told,) = problems_of({"evidence": "x" * 5000})

    assert len(told) < 300


def test_eight_clauses_may_stand_in_one_another_and_nine_may_not():
    parsed(nested(8))

    (told,) = problems_of(nested(9))
    assert told.endswith("is too deep: at most 8 clauses stand in one another.")


def test_a_tree_that_is_much_too_deep_is_refused_like_any_other():
    definition = {"evidence": 1}
    for _ in range(100_000):
        definition = {"all": [definition]}

    assert len(problems_of(definition)) == 1


def test_fifty_clauses_are_a_rule_and_fifty_one_are_not():
    parsed({"all": [{"evidence": 1}] * 49})

    assert problems_of({"all": [{"evidence": 1}] * 50}) == (
        "criteria must have at most 50 clauses.",
    )


@settings(max_examples=40)
@given(ANY_JSON)
def test_whatever_json_is_given_a_tree_comes_out_or_problems_do(definition):
    try:
        tree = parsed(definition)
    except ClauseRefused as refused:
        problems = refused.problems
    else:
        problems = ("none",) if parsed(clause_definition(tree)) == tree else ()

    assert problems
