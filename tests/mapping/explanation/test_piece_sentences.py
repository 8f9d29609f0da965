from datetime import UTC, datetime

import pytest

from mapping.evidence.policy import Attempts, EvidencePolicy
from mapping.explanation.trace import trace
from mapping.records import EvidenceKind, ScoreState
from mapping.rules.mastery_rule import MasteryRule
from mapping.steps import packed, passed_from
from tests.mapping.tables import COMPETENCY, DAY, LEARNER
from tests.mapping.tracing import grounds_of, seen, traced


def test_a_piece_says_what_it_is_and_that_it_counts():
    score = {"points": 75.0, "submitted_at": DAY, "is_late": True, "course": 3}
    grounds = grounds_of([score], [{"kind": 2, "weight": 2.0, "via": 8}])

    (piece,) = trace(grounds, learner=LEARNER, competency=COMPETENCY).pieces

    assert piece.occurred_at == datetime(1970, 1, 2, tzinfo=UTC)
    assert (piece.line_item, piece.attempt, piece.is_late) == (1, 1, True)
    assert (piece.points, piece.maximum, piece.value, piece.weight) == (75.0, 100.0, 3.0, 2.0)
    assert (piece.kind, piece.course, piece.via) == (EvidenceKind.APPLICATION, 3, 8)
    assert (piece.is_counted, piece.why) == (True, "It counts.")


def test_a_piece_that_does_not_count_says_why():
    (piece,) = seen({"state": ScoreState.MISSING, "points": None})

    assert (piece.is_counted, piece.value, piece.points) == (False, None, None)
    assert piece.occurred_at is None
    assert piece.why == "It was not handed in; that is not counted as zero."


@pytest.mark.parametrize(
    ("attempts", "told"),
    [
        (
            Attempts.LAST,
            [
                "Attempt 4 at the same activity stands instead, as the last one.",
                "Attempt 4 at the same activity stands instead, as the last one.",
                "It counts: the last of 3 attempts.",
            ],
        ),
        (
            Attempts.BEST,
            [
                "It counts: the best of 3 attempts.",
                "Attempt 1 at the same activity stands instead, as the best one.",
                "Attempt 1 at the same activity stands instead, as the best one.",
            ],
        ),
        (
            Attempts.LAST_FEW,
            [
                "Only the last 2 attempts at an activity count.",
                "It counts: attempt 3.",
                "It counts: attempt 4.",
            ],
        ),
    ],
)
def test_an_attempt_says_which_one_counts(attempts, told):
    rows = [
        {"attempt": number, "points": 90.0 - number, "submitted_at": number * DAY}
        for number in (1, 3, 4)
    ]

    found = seen(*rows, policy=EvidencePolicy(attempts=attempts))

    assert [piece.why for piece in found] == told


def test_a_hasty_attempt_says_how_long_the_pause_is():
    rows = [{"attempt": number, "submitted_at": number} for number in (1, 2)]

    found = seen(*rows, policy=EvidencePolicy(cooldown_hours=24.0))

    assert found[1].why == (
        "It was handed in within 24 hours of the attempt before it; the rule asks for a longer "
        "pause."
    )


def test_a_piece_dated_in_the_future_says_from_when_it_counts():
    (piece,) = seen({"submitted_at": 3 * DAY}, at=DAY)

    assert piece.why == "It is dated in the future; from 4 Jan 1970 on it counts."


def test_a_kind_that_does_not_count_is_named():
    grounds = grounds_of([{}], [{"kind": 4}])

    (piece,) = trace(grounds, learner=LEARNER, competency=COMPETENCY).pieces

    assert piece.why == "It is a self-assessment; the rule does not count those."


def test_points_that_are_more_than_all_or_do_not_begin_at_zero_are_explained():
    (extra,) = seen({"points": 120.0})
    (shifted,) = seen({"points": 2.0, "minimum": 1.0, "maximum": 4.0})

    assert extra.why == "It counts; points above the maximum count as the maximum."
    assert shifted.why == "It counts. Its points run from 1 to 4."
    assert shifted.minimum == 1.0


def test_one_piece_that_is_asked_for_is_told_in_the_singular():
    found = traced([], MasteryRule(minimum_evidence=1))

    assert found.clause == "No piece of evidence counts yet."


@pytest.mark.parametrize(
    ("steps", "value", "told"),
    [
        (passed_from(60), 4.0, "as passed from 60% on: it is worth Exemplary."),
        (passed_from(80), 1.0, "as passed from 80% on: it is worth Emerging."),
        ((50, 70, 90), 3.0, "its percentage as a level: it is worth Proficient."),
    ],
)
def test_a_score_that_is_taken_by_steps_says_so(steps, value, told):
    grounds = grounds_of([{"points": 75.0}], [{"steps": packed(steps)}])

    (piece,) = trace(grounds, learner=LEARNER, competency=COMPETENCY).pieces

    assert piece.value == value
    assert piece.why == f"It counts. The mapping takes {told.replace('as passed', 'it as passed')}"
