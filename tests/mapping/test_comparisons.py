"""Methods side by side."""

import numpy as np
import pytest

from mapping.comparisons import (
    Comparison,
    MethodChoice,
    MethodsRefused,
    by_method,
    check_methods,
    definition_of,
)
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.rulebook import RuleBook
from mapping.status import NO_LEVEL, OverrideState, StandingTable, Status

MASTERED, DEVELOPING, NONE = Status.MASTERED, Status.DEVELOPING, Status.NO_EVIDENCE


def table(*rows):
    """Standings of (learner, competency, status, level)."""
    learner, competency, status, level = zip(*rows, strict=True)
    size = len(rows)
    return StandingTable(
        learner=np.array(learner, "i8"),
        competency=np.array(competency, "i8"),
        status=np.array(status, np.int8),
        level=np.array(level, np.int8),
        estimate=np.full(size, 2.0),
        evidence_count=np.ones(size, "i8"),
        mastered_count=np.zeros(size, "i8"),
        mastered_at=np.zeros(size, "i8"),
        review_at=np.zeros(size, "i8"),
        override=np.full(size, OverrideState.NONE, np.int8),
        rule=np.zeros(size, "i8"),
    )


def compared(*ways, competencies=(1, 2)):
    return Comparison.of([table(*one) for one in ways], np.array(competencies))


def test_statuses_are_counted_with_those_of_whom_nothing_is_known():
    found = compared([(7, 1, MASTERED, 2), (8, 1, DEVELOPING, 1)])

    (only,) = found.counts(4)

    assert only == {MASTERED: 1, DEVELOPING: 1, NONE: 2}
    assert list(only) == [MASTERED, DEVELOPING, NONE]


def test_what_stands_higher_or_lower_is_told_by_each_method():
    usual = [(7, 1, DEVELOPING, 1), (7, 2, MASTERED, 2)]
    other = [(7, 1, MASTERED, 2), (7, 2, DEVELOPING, 1)]

    found = compared(usual, other, usual)

    assert found.moved() == ((0, 0), (1, 1), (0, 0))
    assert found.direction.tolist() == [[0, 0], [1, -1], [0, 0]]
    assert found.disputes() == {7: 2}


def test_working_levels_of_a_scale_are_told_apart_and_those_of_mastery_are_not():
    found = compared(
        [(7, 1, DEVELOPING, 1), (8, 1, MASTERED, 3)], [(7, 1, DEVELOPING, 2), (8, 1, MASTERED, 2)]
    )

    assert found.direction.tolist() == [[0, 0], [1, 0]]


def test_what_two_methods_disagree_on_is_disputed_also_where_one_is_the_rule():
    usual = [(7, 1, MASTERED, NO_LEVEL), (8, 1, MASTERED, NO_LEVEL)]
    other = [(7, 1, MASTERED, NO_LEVEL), (8, 1, Status.NOT_SUSTAINED, NO_LEVEL)]

    assert compared(usual, usual, other).disputes() == {8: 1}


def test_only_the_competencies_asked_for_are_compared():
    found = compared([(7, 1, MASTERED, 2), (7, 9, MASTERED, 2)])

    assert found.rows_of(7) == {1: 0}


def test_a_method_changes_nothing_else_of_a_rule():
    rule = MasteryRule(mastered=2.5, minimum_evidence=3)

    book = by_method(RuleBook.single(rule), MethodChoice(name="recent_n", parameters={"n": 2}))

    (changed,) = (one.rule for one in book.rules)
    assert changed == MasteryRule(
        mastered=2.5, minimum_evidence=3, method="recent_n", parameters={"n": 2}
    )


@pytest.mark.parametrize(
    ("methods", "wrong"),
    [
        ([], {-1}),
        ([MethodChoice(name="magic")], {0}),
        ([MethodChoice(name="recent_n", parameters={"n": 0})], {0}),
        ([MethodChoice(name="recent_n"), MethodChoice(name="recent_n", parameters={"n": 3})], {1}),
        ([MethodChoice(name="recent_n", parameters={"n": n}) for n in range(1, 6)], {-1}),
    ],
)
def test_what_makes_no_comparison_is_refused_by_its_place(methods, wrong):
    with pytest.raises(MethodsRefused) as refused:
        check_methods(methods)

    assert refused.value.problems.keys() == wrong


def test_a_method_says_of_a_rule_only_what_was_chosen():
    assert definition_of(MethodChoice(name="latest")) == {"method": "latest"}
    assert definition_of(MethodChoice(name="recent_n", parameters={"n": 2.0})) == {
        "method": "recent_n",
        "parameters": {"n": 2.0},
    }
