import re

import pytest

from mapping.rules.scopes import SYSTEM_RULE, Scope, ScopedRule, ScopeRefused, Settled
from tests.mapping.trees import SHOUTING


def said(scope, definition, *, number=1):
    target = number if scope > Scope.DISTRICT else 0
    return ScopedRule(
        id=number, scope=scope, target=target, version=1, effective_from=0, definition=definition
    )


def settled(*chain):
    return Settled().rule((SYSTEM_RULE, *chain))


DISTRICT = said(Scope.DISTRICT, {"mastered": 3.5, "method": "latest"})
ATTEMPTS = said(Scope.COURSE, {"policy": {"attempts": "all", "last_few": 3}}, number=7)


def test_a_chain_makes_one_rule_and_remembers_who_settled_what():
    effective = settled(DISTRICT, ATTEMPTS)

    assert effective.rule.mastered == 3.5
    assert effective.rule.policy.attempts.value == "all"
    assert effective.chain == (SYSTEM_RULE, DISTRICT, ATTEMPTS)
    assert effective.origin == {
        "mastered": Scope.DISTRICT,
        "method": Scope.DISTRICT,
        "policy": Scope.COURSE,
        "policy.attempts": Scope.COURSE,
        "policy.last_few": Scope.COURSE,
    }


@pytest.mark.parametrize(
    ("chain", "sentence"),
    [
        ((), "Set by Waymark itself."),
        ((DISTRICT,), "Set by the district."),
        ((DISTRICT, ATTEMPTS), "Set by the district; this course changes which attempts count."),
        ((ATTEMPTS,), "Set by Waymark itself; this course changes which attempts count."),
        (
            (DISTRICT, ATTEMPTS, said(Scope.COMPETENCY, ATTEMPTS.definition)),
            "Set by the district; this competency changes which attempts count.",
        ),
        ((DISTRICT, said(Scope.COURSE, {"version": 2})), "Set by the district."),
    ],
)
def test_a_rule_says_where_it_comes_from(chain, sentence):
    assert settled(*chain).origin_sentence() == sentence


def test_what_a_narrower_scope_settled_is_told_there_only():
    framework = said(Scope.FRAMEWORK, {"mastered": 3.0, "minimum_evidence": 4, "method": "mean"})

    sentence = settled(
        DISTRICT, framework, said(Scope.COMPETENCY, {"mastered": 2.0})
    ).origin_sentence()

    assert sentence == (
        "Set by the district; the framework changes how the estimate is calculated and how much "
        "evidence is needed; this competency changes where mastery begins."
    )


def test_every_english_word_of_an_origin_can_be_translated():
    everything = {**settled(DISTRICT).rule.definition(), "developing": 2.0}
    course = said(Scope.COURSE, everything)

    told = [
        settled(DISTRICT, course).origin_sentence(SHOUTING),
        settled(said(Scope.FRAMEWORK, everything)).origin_sentence(SHOUTING),
        settled(said(Scope.COMPETENCY, everything)).origin_sentence(SHOUTING),
    ]

    assert all(sentence == sentence.upper() for sentence in told)
    assert all(len(re.findall(",", sentence)) > 8 for sentence in told)


def test_the_first_scope_that_makes_no_rule_is_named():
    framework = said(Scope.FRAMEWORK, {"mastered": 9, "minimum_evidence": 0}, number=4)

    with pytest.raises(ScopeRefused) as refused:
        settled(DISTRICT, framework, ATTEMPTS)

    assert (refused.value.scope, refused.value.target) == (Scope.FRAMEWORK, 4)
    assert refused.value.problems == (
        "The rule of the framework 4: mastered must be above 0 and at most 4.",
        "The rule of the framework 4: minimum_evidence must be 1 to 100.",
    )


def test_the_only_district_is_named_without_a_number():
    with pytest.raises(ScopeRefused, match=r"^The rule of the district: name must not be empty\.$"):
        settled(said(Scope.DISTRICT, {"name": ""}))


PERCENT = {
    "levels": [
        {"label": "Not yet", "points": 0, "symbol": "o", "cut": 0},
        {"label": "Met", "points": 100, "symbol": "x", "cut": 0.8},
    ]
}


def test_points_of_mastery_are_not_taken_over_to_a_scale_of_another_maximum():
    course = said(Scope.COURSE, {"scale": PERCENT}, number=7)

    with pytest.raises(ScopeRefused) as refused:
        settled(DISTRICT, course)

    (told,) = refused.value.problems
    assert told == (
        "The rule of the course 7: mastered must be given with a scale to 100; "
        "taken over it would be 3.5 of 4."
    )


def test_a_scale_of_another_maximum_comes_with_its_points_of_mastery():
    course = said(Scope.COURSE, {"scale": PERCENT, "mastered": 80})

    assert (
        settled(DISTRICT, course)
        .rule.sentence()
        .endswith("80.00 (Met) or more on a scale of 0 to 100.")
    )


def test_the_same_chain_is_worked_out_once_and_the_same_rule_is_one_object():
    rules = Settled()
    first, second = (said(Scope.COURSE, {"mastered": 2.0}, number=n) for n in (7, 8))

    one, again, other = (rules.rule((SYSTEM_RULE, entry)) for entry in (first, first, second))

    assert one is again
    assert one is not other
    assert one.rule is other.rule
