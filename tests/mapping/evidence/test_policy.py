import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.evidence.policy import (
    Attempts,
    DatePolicy,
    EvidencePolicy,
    LatePolicy,
    PolicyRefused,
    parse_policy,
)
from mapping.records import EvidenceKind
from mapping.wording import Translator
from tests.mapping.tables import POLICIES

SELF, EXTERNAL = EvidenceKind.SELF, EvidenceKind.EXTERNAL


def problems(definition):
    with pytest.raises(PolicyRefused) as refused:
        parse_policy(definition)
    return refused.value.problems


def read(definition):
    """The problems of a definition, or of the policy that it makes."""
    try:
        return parse_policy(definition).problems()
    except PolicyRefused as refused:
        return refused.problems


@settings(max_examples=40)
@given(POLICIES)
def test_a_policy_reads_back_what_it_wrote(policy):
    written = json.loads(json.dumps(policy.definition()))

    assert parse_policy(written) == policy


@settings(max_examples=40)
@given(POLICIES)
def test_policies_that_may_be_configured_have_no_problems(policy):
    assert policy.problems() == ()


def test_what_a_definition_leaves_out_takes_its_default():
    assert parse_policy({}) == EvidencePolicy()
    assert parse_policy({"attempts": "best"}) == EvidencePolicy(attempts=Attempts.BEST)


def test_the_learners_own_judgement_weighs_nothing_unless_it_is_named():
    weights = parse_policy({"kind_weights": {"application": 2}}).kind_weights

    assert (weights[EvidenceKind.APPLICATION], weights[SELF], weights[EXTERNAL]) == (2.0, 0.0, 1.0)


def test_policies_that_say_the_same_are_equal():
    assert EvidencePolicy(kind_weights={SELF: 0.0}) == EvidencePolicy()


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        (
            {"dated": "graded"},
            (
                "policy.dated must be one of: submitted_due_graded, submitted_graded, "
                "due_submitted_graded, not 'graded'."
            ),
        ),
        (
            {"attempts": ["last"]},
            "policy.attempts must be one of: last, best, all, last_few, not ['last'].",
        ),
        ({"last_few": 0}, "policy.last_few must be 1 to 100."),
        ({"last_few": 2.5}, "policy.last_few must be a whole number, not 2.5."),
        ({"last_few": True}, "policy.last_few must be a whole number, not True."),
        ({"cooldown_hours": -1}, "policy.cooldown_hours must be 0 (none) to 8760."),
        ({"cooldown_hours": "a day"}, "policy.cooldown_hours must be a number, not 'a day'."),
        ({"cooldown_hours": float("nan")}, "policy.cooldown_hours must be a number, not nan."),
        (
            {"late": None},
            "policy.late must be one of: before_deduction, after_deduction, not None.",
        ),
        ({"kind_weights": []}, "policy.kind_weights must be an object, not []."),
        ({"kind_weights": {"self": -1}}, "policy.kind_weights.self must be 0 to 100."),
        ({"kind_weights": {"self": "x"}}, "policy.kind_weights.self must be 0 to 100, not 'x'."),
        (
            {"kind_weights": {"peer": 1}},
            (
                "policy.kind_weights.peer is no kind of evidence; they are: recall, skill, "
                "application, observation, self, external."
            ),
        ),
        ({"drop_lowest_from": 1}, "policy.drop_lowest_from must be 0 (never), or 2 to 100."),
        ({"drop_lowest_from": 101}, "policy.drop_lowest_from must be 0 (never), or 2 to 100."),
        ({"keeps_removed": 1}, "policy.keeps_removed must be true or false, not 1."),
        (
            {"attempt": "last"},
            (
                "policy.attempt is no setting; they are: dated, attempts, last_few, "
                "cooldown_hours, late, kind_weights, drop_lowest_from, keeps_removed."
            ),
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_name(definition, problem):
    assert problems(definition) == (problem,)


def test_everything_that_is_wrong_is_said_at_once():
    found = problems({"late": 1, "kind_weights": {"self": "x", "skill": 101}, "last_few": 0})

    assert [problem.split()[0] for problem in found] == [
        "policy.late",
        "policy.kind_weights.self",
        "policy.last_few",
        "policy.kind_weights.skill",
    ]


def test_a_refusal_reads_as_its_problems():
    with pytest.raises(PolicyRefused, match=r"policy\.last_few must be 1 to 100\."):
        parse_policy({"last_few": 0})


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from([*EvidencePolicy().definition(), "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
            lambda inner: st.dictionaries(st.sampled_from(["self", "x"]), inner, max_size=2),
            max_leaves=3,
        ),
    )
)
def test_any_definition_is_read_or_refused(definition):
    found = read(definition)

    assert all(problem.startswith("policy.") for problem in found)


def test_the_policy_says_itself_in_sentences():
    assert EvidencePolicy().sentences() == (
        "Evidence is ordered by when it was submitted, else due, else graded.",
        "Of several attempts at an activity, the last graded one counts.",
        "Points are taken before any deduction for being late.",
        "No self-assessment evidence counts.",
    )


def test_what_is_not_the_default_is_said_first():
    policy = EvidencePolicy(cooldown_hours=24.0)

    assert policy.sentences()[0] == (
        "An attempt counts only if it was handed in at least 24 hours after the one before it "
        "that counts."
    )


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        (
            {"dated": DatePolicy.SUBMITTED_GRADED},
            "Evidence is ordered by when it was submitted, else graded.",
        ),
        (
            {"dated": DatePolicy.DUE_SUBMITTED_GRADED},
            "Evidence is ordered by when it was due, else submitted, else graded.",
        ),
        ({"attempts": Attempts.ALL}, "Every graded attempt at an activity counts."),
        (
            {"attempts": Attempts.BEST},
            "Of several attempts at an activity, the best one counts.",
        ),
        (
            {"attempts": Attempts.LAST_FEW, "last_few": 3},
            "Of several attempts at an activity, the last 3 graded ones count.",
        ),
        (
            {"attempts": Attempts.LAST_FEW, "last_few": 1},
            "Of several attempts at an activity, the last graded one counts.",
        ),
        (
            {"late": LatePolicy.AFTER_DEDUCTION},
            "Deductions for being late are taken off the points.",
        ),
        ({"kind_weights": {EXTERNAL: 0.0}}, "No external evidence counts."),
        (
            {"kind_weights": {SELF: 1.0}},
            "A piece of self-assessment evidence counts with its full weight.",
        ),
        (
            {"kind_weights": {EXTERNAL: 0.5}},
            "A piece of external evidence counts with 0.5 times its weight.",
        ),
        (
            {"drop_lowest_from": 4},
            "With 4 pieces of evidence or more, the lowest one is left out.",
        ),
        (
            {"keeps_removed": False},
            "Evidence counts no more once its activity is gone from the gradebook.",
        ),
    ],
)
def test_every_choice_of_a_policy_is_said(policy, sentence):
    assert EvidencePolicy(**policy).sentences()[0] == sentence


def test_a_policy_is_said_in_another_language():
    spanish = {"No {kind} evidence counts.": "No cuenta la evidencia de {kind}."}
    spanish |= {"self-assessment": "autoevaluación"}
    words = Translator(
        one=lambda template: spanish.get(template, template),
        many=lambda one, many, number: one if number == 1 else many,
    )

    assert "No cuenta la evidencia de autoevaluación." in EvidencePolicy().sentences(words)
