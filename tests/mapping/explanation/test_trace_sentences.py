import pytest

from mapping.explanation.trace import trace
from mapping.records import EvidenceKind
from mapping.rules.clauses import (
    AllOf,
    EstimateReaches,
    EvidenceReaches,
    LineItemCounts,
    NewestWithin,
    Situation,
    SituationsReach,
    SomeOf,
)
from mapping.rules.mastery_rule import MasteryRule
from mapping.status import Status
from tests.mapping.tables import COMPETENCY, DAY, LEARNER
from tests.mapping.tracing import grounds_of, traced


def test_a_level_below_mastery_says_where_mastery_begins():
    assert traced([2.6, 2.6]).clause == "The weighted average is 2.60; Mastered begins at 3.00."


def test_an_estimate_just_below_the_cut_is_shown_apart_from_it():
    assert "is 2.998; Mastered begins at 3.00" in traced([2.998, 2.998]).clause


def test_a_method_that_gives_no_estimate_is_said():
    found = traced([2.0, 3.0], MasteryRule(method="n_mastery", parameters={"n": 2}))

    assert (found.status, found.formula) == (Status.INSUFFICIENT, "")
    assert found.clause.startswith("The evidence gives no ")
    assert found.clauses[1].detail == "There is none yet."


ASKING = AllOf(
    clauses=(
        EvidenceReaches(count=1, kind=EvidenceKind.APPLICATION),
        SituationsReach(count=2, of=Situation.COURSE),
        SomeOf(
            count=2,
            clauses=(
                LineItemCounts(pattern="*final*"),
                NewestWithin(days=10),
                EstimateReaches(points=3.5),
            ),
        ),
    )
)


def test_every_clause_says_what_it_asks_for_and_what_there_is():
    found = traced([3.2, 3.2], MasteryRule(criteria=ASKING), at=3 * DAY)

    told = [(line.sentence, line.detail, line.is_met, line.depth) for line in found.clauses]
    assert told == [
        ("At least 2 pieces of evidence count.", "So far there are 2.", True, 0),
        ("The weighted average is 3.00 (Proficient) or more.", "It is 3.20.", True, 0),
        ("At least 1 application task counts.", "So far there is none.", False, 0),
        (
            "The evidence comes from at least 2 different courses.",
            "So far there is 1.",
            False,
            0,
        ),
        ("At least 2 of these 3:", "1 of 3 so far.", False, 0),
        (
            'Evidence from an activity with a title like "*final*" counts.',
            "So far there is none.",
            False,
            1,
        ),
        ("The newest evidence is at most 10 days old.", "The newest is 2 days old.", True, 1),
        (f"{found.clauses[-1].sentence}", "It is 3.20.", False, 1),
    ]


def test_what_is_not_met_stands_in_one_sentence():
    found = traced([3.2, 3.2], MasteryRule(criteria=ASKING), at=3 * DAY)

    assert found.clause.startswith(
        "Not yet: at least 1 application task counts (so far there is none); the evidence comes "
        "from at least 2 different courses (so far there is 1); at least 2 of these 3: (a) "
    )
    assert found.changes == (
        (
            'One more application task with a title like "*final*" from another course '
            "at 2.60 or better would reach Mastered."
        ),
    )


@pytest.mark.parametrize(
    ("at", "detail"),
    [
        (DAY + 5, "The newest is less than a day old."),
        (2 * DAY + 5, "The newest is 1 day old."),
        (30 * DAY, "The newest is 29 days old."),
    ],
)
def test_the_age_of_the_newest_evidence_is_told(at, detail):
    found = traced([3.2, 3.2], MasteryRule(criteria=NewestWithin(days=10)), at=at)

    assert found.clauses[-1].detail == detail


def test_evidence_without_a_date_has_no_age():
    rule = MasteryRule(minimum_evidence=1, criteria=NewestWithin(days=10))
    grounds = grounds_of([{}], rule=rule, at=DAY)

    found = trace(grounds, learner=LEARNER, competency=COMPETENCY)

    assert found.clauses[-1].detail == "No evidence that counts has a date."
