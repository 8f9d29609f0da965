import pytest

from mapping.evidence.policy import Attempts, EvidencePolicy
from mapping.explanation.trace import trace
from mapping.explanation.voice import Voice
from mapping.records import EvidenceKind
from mapping.rules.clauses import (
    AllOf,
    ChildrenMastered,
    EvidenceReaches,
    LineItemCounts,
    Situation,
    SituationsReach,
)
from mapping.rules.mastery_rule import MasteryRule
from tests.mapping.tables import COMPETENCY, DAY, LEARNER
from tests.mapping.tracing import grounds_of, traced


def test_too_little_evidence_says_how_much_more_is_needed():
    found = traced([2.6])

    assert found.clause == "At least 2 pieces of evidence must count; so far 1 does."
    assert found.changes == (
        "One more piece of evidence is needed.",
        "One more piece of evidence at 3.40 or better would reach Mastered.",
    )


def test_work_that_was_not_handed_in_is_named_as_a_way():
    assert traced([2.6, None]).changes[-1] == (
        "1 activity was not handed in: where it is still open, it would be evidence, too."
    )
    assert "2 activities were not handed in" in traced([2.6, None, None]).changes[-1]


def test_a_working_level_says_the_smaller_step_first():
    rule = MasteryRule(policy=EvidencePolicy(attempts=Attempts.ALL))

    assert traced([1.5, 1.5], rule).changes == (
        "One more piece of evidence at 3.00 (Proficient) or better would reach Developing.",
        "3 more pieces of evidence, each at 4.00, would reach Mastered.",
    )


def test_a_new_attempt_is_told_by_its_day_and_what_it_is_at():
    assert traced([2.8, 2.9]).changes[0] == (
        "A new attempt at the activity of 1 Jan 1970 (now 2.80), where one is allowed, would "
        "reach Mastered at 3.10 or better."
    )


def test_a_new_attempt_is_told_by_the_name_of_the_activity_where_it_is_known():
    grounds = grounds_of([{"points": 70.0}], rule=MasteryRule(minimum_evidence=1))

    found = trace(
        grounds,
        learner=LEARNER,
        competency=COMPETENCY,
        voice=Voice(activity=lambda line_item: f"Quiz {line_item}"),
    )

    assert 'A new attempt at "Quiz 1" (now 2.80)' in found.changes[0]


def test_a_new_attempt_at_undated_work_is_told_by_what_it_is_at():
    grounds = grounds_of([{"points": 70.0}], rule=MasteryRule(minimum_evidence=1))

    found = trace(grounds, learner=LEARNER, competency=COMPETENCY)

    assert "the activity that is at 2.80 now" in found.changes[0]


def test_a_step_names_the_weight_it_is_meant_with_where_weights_differ():
    assert traced([2.8, 2.8], weights=[2.0, 1.0]).changes[-1] == (
        "One more piece of evidence of weight 1 at 3.60 or better would reach Mastered."
    )


def test_what_further_evidence_cannot_reach_is_said():
    found = traced([3.0, 3.0], MasteryRule(mastered=4.0))

    assert found.changes[-1] == (
        "Even 10 more pieces of evidence at 4.00 would not reach Mastered; "
        "an earlier score would have to rise."
    )


def test_what_no_evidence_can_show_is_said():
    found = traced([3.0, 3.0], MasteryRule(criteria=ChildrenMastered(count=1)))

    assert found.changes == (
        (
            "Even 10 more pieces of evidence at 4.00 would not reach Mastered: "
            "the rule asks for what evidence cannot show."
        ),
    )
    assert found.clause == (
        "Not yet: at least 1 of its competencies is mastered (so far there is none)."
    )


@pytest.mark.parametrize(
    ("criteria", "step"),
    [
        (
            SituationsReach(count=4, of=Situation.DAY),
            (
                "2 more pieces of evidence on different days, each at 2.60 or better, would reach "
                "Mastered."
            ),
        ),
        (
            SituationsReach(count=3, of=Situation.DAY),
            "One more piece of evidence on another day at 2.20 or better would reach Mastered.",
        ),
        (
            SituationsReach(count=3, of=Situation.KIND),
            (
                "2 more pieces of evidence, each at 2.60 or better and among them 2 of further "
                "kinds, would reach Mastered."
            ),
        ),
        (
            SituationsReach(count=2, of=Situation.KIND),
            "One more piece of evidence of another kind at 2.20 or better would reach Mastered.",
        ),
        (
            SituationsReach(count=4),
            (
                "2 more pieces of evidence, each at 2.60 or better and among them 2 from further "
                "activities, would reach Mastered."
            ),
        ),
        (
            EvidenceReaches(count=2, kind=EvidenceKind.APPLICATION),
            "2 more application tasks, each at 2.60 or better, would reach Mastered.",
        ),
        (
            AllOf(
                clauses=(
                    EvidenceReaches(count=1, kind=EvidenceKind.APPLICATION),
                    EvidenceReaches(count=4),
                    LineItemCounts(pattern="*final*"),
                )
            ),
            (
                "2 more pieces of evidence, each at 2.60 or better and among them at least 1 "
                'application task and one with a title like "*final*", would reach Mastered.'
            ),
        ),
    ],
)
def test_a_step_names_what_the_further_evidence_must_be(criteria, step):
    assert traced([3.4, 3.4], MasteryRule(criteria=criteria), at=9 * DAY).changes == (step,)


def test_kinds_that_weigh_differently_are_named_in_a_step():
    policy = EvidencePolicy(kind_weights={EvidenceKind.RECALL: 0.5}, attempts=Attempts.ALL)

    found = traced([2.0, 2.0], MasteryRule(policy=policy))

    assert found.changes == (
        "2 more recall tasks of weight 0.5, each at 4.00, would reach Mastered.",
    )
