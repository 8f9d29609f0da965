"""Scores as columns: each says what its scores say; one that is unread harms no other."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.columns import NO_MOMENT
from mapping.records import Attempt, CriterionRef, LearnerRef, LineItemRef, Score, ScoreState
from mapping.score_columns import ScoreColumns, seconds_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NUMBERS = ("points", "points_deducted", "submitted_at", "graded_at", "attempt")


def score(who: str = "ada", **facts) -> Score:
    return Score(LineItemRef("quiz"), LearnerRef(who), ScoreState.GRADED)._replace(**facts)


def told(columns: ScoreColumns) -> list[Score]:
    """Columns as scores again."""

    def moment(seconds):
        return None if seconds == NO_MOMENT else EPOCH + timedelta(seconds=seconds)

    return [
        Score(
            line_item_ref=columns.line_item_ref[row],
            criterion_ref=columns.criterion_ref[row],
            learner_ref=columns.learner_ref[row],
            state=ScoreState(columns.state[row]),
            points=None if np.isnan(columns.points[row]) else columns.points[row],
            points_deducted=columns.points_deducted[row],
            submitted_at=moment(columns.submitted_at.tolist()[row]),
            graded_at=moment(columns.graded_at.tolist()[row]),
            attempt=columns.attempt[row],
            is_visible=columns.is_visible[row],
            is_late=columns.is_late[row],
            is_overridden=columns.is_overridden[row],
            earlier=columns.earlier.get(row, ()),
        )
        for row in range(len(columns))
    ]


moments = st.none() | st.datetimes(
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
).map(lambda one: one.replace(microsecond=0))
scores = st.builds(
    Score,
    line_item_ref=st.sampled_from(["quiz", "test"]).map(LineItemRef),
    learner_ref=st.text(max_size=3).map(LearnerRef),
    state=st.sampled_from(ScoreState),
    points=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    criterion_ref=st.none() | st.just(CriterionRef("form")),
    attempt=st.integers(-1, 2**40),
    points_deducted=st.floats(0, 100),
    is_visible=st.booleans(),
    is_late=st.booleans(),
    is_overridden=st.booleans(),
    submitted_at=moments,
    graded_at=moments,
    earlier=st.lists(st.builds(Attempt, number=st.integers(1, 9)), max_size=2).map(tuple),
)


@given(st.lists(scores, max_size=4))
def test_columns_say_what_their_scores_say(page):
    columns = ScoreColumns.of(iter(page))

    assert told(columns) == page
    assert columns.is_readable.all()


def test_rows_without_earlier_attempts_are_not_among_those_that_have_some():
    first = (Attempt(number=1, points=3.0),)

    columns = ScoreColumns.of([score(), score(earlier=first), score()])

    assert columns.earlier == {1: first}


@pytest.mark.parametrize(
    "poison",
    [
        {"points": float("nan")},
        {"points": float("-inf")},
        {"points": "seven"},
        {"points_deducted": float("nan")},
        {"points_deducted": None},
        {"attempt": 10**30},
        {"graded_at": datetime(2026, 11, 20)},  # noqa: DTZ001 - what is tested
        {"submitted_at": "yesterday"},
        {"state": "graded"},
    ],
    ids=str,
)
def test_a_score_that_cannot_be_read_is_told_apart_and_its_neighbours_are_read(poison):
    page = [score("ada", points=1.0), score("bo", **poison), score("cy", points=2.0, attempt=3)]

    columns = ScoreColumns.of(page)

    assert columns.is_readable.tolist() == [True, False, True]
    assert columns.learner_ref == ("ada", "bo", "cy")
    assert [told(columns)[place] for place in (0, 2)] == [page[0], page[2]]
    assert {getattr(columns, name).size for name in NUMBERS} == {3}


def test_seconds_are_whole_and_count_down_before_the_epoch():
    half = timedelta(milliseconds=500)

    assert seconds_of([EPOCH + half, EPOCH - half, None]).tolist() == [0, -1, NO_MOMENT]
