import pytest

from mapping.explanation.trace import Part
from mapping.rules.clauses import (
    EvidenceReaches,
    SituationsReach,
)
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.strands import Rollup, RollupMethod
from mapping.status import Status
from tests.mapping.tables import DAY
from tests.mapping.tracing import CODES, RULE, STRAND, strand


def test_a_strand_is_explained_by_its_parts():
    found = strand({1: [4.0, 4.0], 2: [2.0, 2.0], 3: [4.0]})

    assert found.status is Status.DEVELOPING
    assert found.formula == "(4.00 + 2.00) / 2 = 3.00"
    assert found.clause == "2 of 3 with evidence are not mastered yet."
    assert found.changes == ("Mastering the 2 competencies not mastered yet would reach Mastered.",)
    assert found.rule == Rollup().sentence()
    assert found.label == "Developing"
    assert found.parts[2] == Part(
        competency=3,
        status=Status.INSUFFICIENT,
        estimate=4.0,
        evidence_count=1,
        is_counted=False,
        level=found.parts[2].level,
    )


def test_a_strand_names_what_is_missing_by_its_codes():
    found = strand({1: [4.0, 4.0], 2: [2.0, 2.0], 3: [4.0]}, codes=CODES)

    assert found.clause == "2 of 3 with evidence are not mastered yet: A.2 and A.3."
    assert found.changes == ("Mastering A.3 and A.2 would reach Mastered.",)


def test_a_strand_one_competency_short_says_so():
    found = strand({1: [4.0, 4.0], 2: [2.0, 2.0]})

    assert found.clause == "1 of 2 with evidence is not mastered yet."
    assert found.changes == ("Mastering the one competency not mastered yet would reach Mastered.",)
    assert found.clauses[0].detail == "1 of 2 so far. 1 more has no evidence yet."


def test_a_strand_of_a_single_competency_with_evidence_says_so():
    assert strand({2: [2.0, 2.0]}).clause == "The only one with evidence is not mastered yet."


def test_a_mastered_strand_leaves_nothing_to_say():
    found = strand({1: [4.0, 4.0]})

    assert (found.clause, found.changes, found.mastered_count) == ("", (), 1)


def test_a_strand_without_evidence_says_so():
    found = strand({})

    assert (found.status, found.formula) == (Status.NO_EVIDENCE, "")
    assert found.clause == "None of its competencies has evidence that counts."
    assert found.changes == ("Evidence for any of its competencies would give it a status.",)
    assert found.clauses[0].detail == "None has evidence that counts."


def test_a_strand_that_is_due_for_a_re_check_invites():
    found = strand({1: [4.0, 4.0]}, rule=MasteryRule(recheck_days=10), at=50 * DAY)

    assert found.status is Status.RECHECK_DUE
    assert found.rule.endswith(" It is re-checked after 10 days without new evidence.")
    assert found.changes == ("New evidence of it would show that it is still mastered.",)


def test_evidence_of_the_strand_itself_is_among_its_parts_and_pieces():
    found = strand({1: [4.0, 4.0], STRAND: [2.0, 2.0]})

    assert [part.competency for part in found.parts] == [1, STRAND]
    assert [piece.value for piece in found.pieces] == [2.0, 2.0]
    assert found.changes == ("Better evidence of the strand itself would reach Mastered.",)


def test_evidence_of_the_strand_itself_stands_beside_its_children():
    rollup = Rollup(method=RollupMethod.ALL_CHILDREN)

    found = strand({1: [4.0, 4.0], 2: [4.0, 4.0], STRAND: [2.0, 2.0]}, rollup)

    assert [(line.sentence, line.detail) for line in found.clauses[:2]] == [
        ("Every one of its competencies is mastered.", "2 of 3 so far."),
        ("The evidence of the strand itself is at mastery.", "Not yet."),
    ]
    assert found.changes == (
        (
            "Mastering 1 competency without evidence so far, and better evidence of the strand "
            "itself, would reach Mastered."
        ),
    )


def test_a_strand_whose_own_evidence_is_all_there_is_is_explained_by_it():
    found = strand({STRAND: [3.4, 3.4]})

    assert (found.status, found.parts) == (Status.MASTERED, ())
    assert found.rule == RULE.sentence()


@pytest.mark.parametrize(
    ("method", "sentence", "detail", "clause"),
    [
        (
            RollupMethod.MEAN,
            "The mean of its competencies is 3.00 or more.",
            "It is 2.50. 1 more has no evidence yet.",
            "Not yet: the mean of its competencies is 3.00 or more (it is 2.50).",
        ),
        (
            RollupMethod.LOWEST,
            "The lowest of its competencies is at 3.00 or more.",
            "There is no number yet. 1 more has no evidence yet.",
            "Not yet: the lowest of its competencies is at 3.00 or more (there is no number yet).",
        ),
        (
            RollupMethod.ALL_CHILDREN,
            "Every one of its competencies is mastered.",
            "1 of 3 so far.",
            "Not yet: every one of its competencies is mastered (1 of 3 so far).",
        ),
    ],
)
def test_a_strand_says_what_its_roll_up_asks_for(method, sentence, detail, clause):
    found = strand({1: [3.0, 3.0], 2: [2.0, 2.0]}, Rollup(method=method))

    line = found.clauses[0]
    assert (line.sentence, line.detail, line.is_met) == (sentence, detail, False)
    assert found.clause == clause


def test_a_strand_of_points_counts_what_mastered_children_are_worth():
    rollup = Rollup(
        method=RollupMethod.POINTS,
        weights={"A.1": 2.0, "A.2": 3.0},
        required_points=5.0,
        mandatory=frozenset({"A.2"}),
    )

    found = strand({1: [3.0, 3.0], 2: [2.0, 2.0]}, rollup, codes=CODES)

    assert [(line.sentence, line.detail) for line in found.clauses] == [
        ("Its mastered competencies are worth 5 points or more.", "They are worth 2."),
        ("A.2 is mastered.", "Not yet."),
    ]
    assert found.changes == ("Mastering A.2 would reach Mastered.",)


def test_few_of_many_children_are_enough_where_the_roll_up_says_so():
    rollup = Rollup(method=RollupMethod.POINTS, required_points=2.0)

    found = strand({1: [3.0, 3.0], 2: [2.0, 2.0], 3: [2.5, 2.5]}, rollup)

    assert found.changes == ("Mastering 1 more of its competencies would reach Mastered.",)


def test_what_mastering_every_child_would_not_reach_is_said():
    rule = MasteryRule(criteria=EvidenceReaches(count=9))

    found = strand({1: [3.0, 3.0], 2: [2.0, 2.0]}, rule=rule)

    assert found.changes == (
        (
            "Mastering all of its competencies would not be enough for Mastered: what the rule "
            "asks for besides is not there yet."
        ),
    )
    assert found.clause == (
        "2 of 2 with evidence are not mastered yet. Not yet: at least 9 pieces of evidence count "
        "(so far there are 4)."
    )


def test_the_criteria_of_a_strand_are_looked_for_in_all_its_evidence():
    rule = MasteryRule(criteria=SituationsReach(count=2))

    found = strand({1: [3.0, 3.0], 2: [4.0, 4.0]}, rule=rule)

    assert found.clauses[-1].detail == "So far there are 4."
    assert found.rule == (
        f"{Rollup().sentence()} Besides, the evidence comes from at least 2 different activities."
    )
