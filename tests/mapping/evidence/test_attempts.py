import pytest

from mapping.columns import NO_MOMENT
from mapping.evidence.joining import evidence
from mapping.evidence.policy import Attempts, EvidencePolicy, LatePolicy
from mapping.evidence.tables import Reason, View
from mapping.records import ScoreState
from tests.mapping.tables import HOUR, alignment_table, score_table

COUNTED = Reason.COUNTED


def told(*attempts, view=View.TEACHER, at=None, **policy):
    """The reason of each attempt at one line item, by its number; one not numbered is the next."""
    rows = [
        {"attempt": number, "submitted_at": number, **attempt}
        for number, attempt in enumerate(attempts, 1)
    ]
    table = evidence(
        score_table(*rows),
        alignment_table({}),
        view=view,
        policy=EvidencePolicy(**policy),
        at=at,
    )
    reasons = map(Reason, table.reason.tolist())
    return dict(sorted(zip(table.attempt.tolist(), reasons, strict=True)))


def counted(*attempts, **policy):
    return [number for number, reason in told(*attempts, **policy).items() if reason is COUNTED]


THREE = (
    {"attempt": 1, "points": 70.0},
    {"attempt": 3, "points": 60.0},
    {"attempt": 4, "points": 90.0},
)


@pytest.mark.parametrize(
    ("attempts", "numbers"),
    [
        (Attempts.LAST, [4]),
        (Attempts.BEST, [4]),
        (Attempts.ALL, [1, 3, 4]),
        (Attempts.LAST_FEW, [3, 4]),
    ],
)
def test_of_attempts_one_three_and_four_those_count_that_the_policy_says(attempts, numbers):
    assert counted(*THREE, attempts=attempts) == numbers


def test_every_attempt_stays_to_be_seen_with_its_reason():
    assert told(*THREE) == {1: Reason.OTHER_ATTEMPT, 3: Reason.OTHER_ATTEMPT, 4: COUNTED}


def test_the_order_of_attempts_is_that_of_their_numbers_whatever_their_dates():
    later = ({"submitted_at": 9}, {"submitted_at": 2})

    assert counted(*later) == [2]


def test_attempts_of_one_number_are_told_apart_by_their_dates():
    scores = score_table(
        {"attempt": 0, "submitted_at": 9, "points": 50.0},
        {"attempt": 0, "submitted_at": 2, "points": 75.0},
    )

    table = evidence(scores, alignment_table({}))

    assert table.value[table.is_counted].tolist() == [2.0]


def test_attempts_of_other_learners_and_line_items_stand_for_themselves():
    scores = score_table(
        {"learner": 1, "attempt": 1},
        {"learner": 2, "attempt": 2},
        {"learner": 2, "attempt": 3, "line_item": 2},
        {"learner": 3, "attempt": 1},
        {"learner": 3, "attempt": 2},
    )

    table = evidence(scores, alignment_table({}, {"line_item": 2}))

    assert table.is_counted.tolist() == [True, True, True, False, True]


@pytest.mark.parametrize(
    ("points", "number"), [((50, 90, 70), 2), ((90, 70, 90), 3), ((110, 120, 100), 2)]
)
def test_the_best_attempt_counts_and_of_equal_ones_the_later(points, number):
    assert counted(*({"points": p} for p in points), attempts=Attempts.BEST) == [number]


def test_the_best_attempt_is_the_best_after_deductions_where_those_count():
    attempts = ({"points": 80.0}, {"points": 90.0, "points_deducted": 20.0})

    late = LatePolicy.AFTER_DEDUCTION

    assert counted(*attempts, attempts=Attempts.BEST, late=late) == [1]


def test_an_attempt_whose_score_was_cleared_does_not_stand_for_the_last():
    found = told({}, {"state": ScoreState.CLEARED, "points": None})

    assert found == {1: COUNTED, 2: Reason.CLEARED}


def test_an_attempt_that_waits_to_be_graded_does_not_stand_for_the_last():
    found = told({}, {"state": ScoreState.NOT_GRADED, "points": None})

    assert found == {1: COUNTED, 2: Reason.NOT_GRADED}


def test_an_attempt_that_cannot_be_measured_does_not_stand_for_the_last():
    assert told({}, {"points": -1.0}) == {1: COUNTED, 2: Reason.BELOW_MINIMUM}


def test_an_attempt_in_the_future_does_not_stand_for_the_last_yet():
    assert told({}, {"submitted_at": 9}, at=5) == {1: COUNTED, 2: Reason.FUTURE}


EXCUSED = {"state": ScoreState.EXCUSED, "points": None}


def test_an_excuse_in_the_newest_attempt_is_of_all_of_them():
    assert set(told({}, {"state": ScoreState.MISSING}, EXCUSED).values()) == {Reason.EXCUSED}


def test_an_excuse_without_an_attempt_number_is_of_all_attempts():
    assert set(told({}, {}, {**EXCUSED, "attempt": 0}).values()) == {Reason.EXCUSED}


def test_an_excuse_of_an_older_attempt_is_of_that_one_only():
    assert told({}, EXCUSED, {}) == {1: Reason.OTHER_ATTEMPT, 2: Reason.EXCUSED, 3: COUNTED}


def test_an_excuse_that_the_learner_may_not_see_changes_nothing_for_them():
    found = told({}, {**EXCUSED, "is_visible": False}, view=View.LEARNER)

    assert found == {1: COUNTED, 2: Reason.HIDDEN}


def test_the_last_attempt_for_the_learner_is_the_last_that_they_may_see():
    found = told({}, {"is_visible": False}, view=View.LEARNER)

    assert found == {1: COUNTED, 2: Reason.HIDDEN}


def cooled(*hours, cooldown_hours=24.0, attempts=Attempts.ALL):
    rows = ({"submitted_at": h if h == NO_MOMENT else h * HOUR} for h in hours)
    return counted(*rows, attempts=attempts, cooldown_hours=cooldown_hours)


@pytest.mark.parametrize(
    ("hours", "numbers"),
    [
        ((0, 23), [1]),
        ((0, 24), [1, 2]),
        ((0, 20, 30), [1, 3]),
        ((0, 30, 40, 54), [1, 2, 4]),
        ((10, 5), [1]),
        ((0, NO_MOMENT, 10), [1, 2]),
        ((NO_MOMENT, 0, 10), [1, 2]),
    ],
)
def test_an_attempt_too_soon_after_the_one_that_counts_does_not_count(hours, numbers):
    assert cooled(*hours) == numbers


def test_without_a_cooldown_no_attempt_is_too_soon():
    assert cooled(0, 0, 0, cooldown_hours=0.0) == [1, 2, 3]


def test_the_last_attempt_is_the_last_that_kept_the_cooldown():
    assert cooled(0, 30, 31, attempts=Attempts.LAST) == [2]


def test_an_attempt_too_soon_says_so():
    found = told({}, {"submitted_at": HOUR}, cooldown_hours=2.0)

    assert found == {1: COUNTED, 2: Reason.TOO_SOON}


def test_only_attempts_that_could_count_start_the_cooldown():
    attempts = ({"state": ScoreState.CLEARED, "points": None}, {"submitted_at": HOUR})

    assert counted(*attempts, cooldown_hours=24.0) == [2]
