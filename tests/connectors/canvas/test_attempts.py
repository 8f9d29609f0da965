"""Which attempt a score is of, by GraphQL and by REST."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canvas.attempts import tries_of
from connectors.canvas.payloads import SubmissionNode, SubmissionRow
from connectors.canvas.submissions import scores_of
from mapping.records import Attempt, Criterion, CriterionRef, LineItem, LineItemRef


def day(number):
    return datetime(2026, 11, number, 10, tzinfo=UTC)


def past(number, points, *, handed_in, graded=None, late=False, state="graded"):
    return {
        "attempt": number,
        "points": points,
        "submitted_at": day(handed_in).isoformat(),
        "graded_at": None if graded is None else day(graded).isoformat(),
        "late": late,
        "state": state,
    }


def kept(number, points, *, handed_in, graded, late=False):
    return Attempt(
        number=number,
        points=points,
        submitted_at=day(handed_in),
        graded_at=day(graded),
        is_late=late,
    )


def by_graphql(newest, history, *, matches=True):
    def shaped(one):
        return {
            "attempt": one["attempt"],
            "enteredScore": one["points"],
            "submittedAt": one["submitted_at"],
            "gradedAt": one["graded_at"],
            "late": one["late"],
            "state": one["state"],
        }

    return msgspec.convert(
        {
            "userId": "3",
            "assignmentId": "7",
            "gradeMatchesCurrentSubmission": matches,
            **shaped(newest),
            "submissionHistoriesConnection": {"nodes": [None, *map(shaped, history)]},
        },
        SubmissionNode,
    )


def by_rest(newest, history, *, matches=True):
    def shaped(one):
        return {
            "attempt": one["attempt"],
            "entered_score": one["points"],
            "submitted_at": one["submitted_at"],
            "graded_at": one["graded_at"],
            "late": one["late"],
            "workflow_state": one["state"],
        }

    return msgspec.convert(
        {
            "user_id": "3",
            "assignment_id": "7",
            "grade_matches_current_submission": matches,
            **shaped(newest),
            "submission_history": [*map(shaped, history)],
        },
        SubmissionRow,
    )


both = pytest.mark.parametrize("sent", [by_graphql, by_rest])
FIRST = past(1, 10.0, handed_in=1, graded=2)
SECOND = past(2, 14.0, handed_in=3, graded=4, late=True)


@both
def test_graded_attempts_before_the_newest_are_earlier_ones(sent):
    newest = past(3, 18.0, handed_in=5, graded=6)

    found = tries_of(sent(newest, [FIRST, SECOND, newest]))

    assert (found.number, found.submitted_at, found.is_late) == (3, day(5), False)
    assert found.earlier == (
        kept(1, 10.0, handed_in=1, graded=2),
        kept(2, 14.0, handed_in=3, graded=4, late=True),
    )


@both
def test_a_score_that_waits_for_newer_work_is_of_the_attempt_that_was_graded(sent):
    newest = past(3, 14.0, handed_in=5, graded=4)

    found = tries_of(sent(newest, [FIRST, SECOND, newest], matches=False))

    assert (found.number, found.submitted_at, found.is_late) == (2, day(3), True)
    assert found.earlier == (kept(1, 10.0, handed_in=1, graded=2),)


@both
def test_an_attempt_that_only_carries_the_score_of_the_one_before_was_not_graded(sent):
    carried = past(2, 10.0, handed_in=3, graded=2)
    newest = past(3, 10.0, handed_in=5, graded=2, late=True)

    waiting = tries_of(sent(newest, [FIRST, carried, newest], matches=False))
    regraded = tries_of(sent(past(3, 19.0, handed_in=5, graded=6), [FIRST, carried]))

    assert (waiting.number, waiting.submitted_at, waiting.earlier) == (1, day(1), ())
    assert [one.number for one in regraded.earlier] == [1]


@both
@pytest.mark.parametrize(
    ("entry", "numbers"),
    [
        (past(1, None, handed_in=1, graded=2), [1]),
        (past(1, 7.0, handed_in=1), [1]),
        (past(1, None, handed_in=1, state="submitted"), []),
        (past(1, 7.0, handed_in=1, graded=2, state="pending_review"), []),
        (past(0, 7.0, handed_in=1, graded=2), []),
        (past(None, 7.0, handed_in=1, graded=2), []),
        (past(2, 7.0, handed_in=3, graded=4), []),
        (past(3, 7.0, handed_in=5, graded=6), []),
    ],
)
def test_only_what_was_graded_before_the_newest_is_an_earlier_attempt(sent, entry, numbers):
    found = tries_of(sent(SECOND, [entry]))

    assert [one.number for one in found.earlier] == numbers


@both
def test_the_order_of_a_history_does_not_matter(sent):
    newest = past(3, 18.0, handed_in=5, graded=6)

    assert tries_of(sent(newest, [newest, SECOND, FIRST])) == tries_of(
        sent(newest, [FIRST, SECOND, newest])
    )


@both
def test_without_a_history_an_old_score_is_taken_for_one_of_the_attempt_before(sent):
    found = tries_of(sent(past(3, 14.0, handed_in=5, graded=4), [], matches=False))

    assert (found.number, found.submitted_at, found.earlier) == (2, day(5), ())


def test_earlier_attempts_are_of_the_line_items_own_score_only():
    item = LineItem(
        ref=LineItemRef("7"),
        title="Essay",
        category="",
        maximum=20.0,
        criteria=(Criterion(ref=CriterionRef("a"), title="Form", maximum=4.0),),
    )
    node = by_graphql(past(2, 14.0, handed_in=3, graded=2, late=True), [FIRST], matches=False)

    own, row = scores_of([node], {item.ref: item}, is_full=False)
    again, _ = scores_of([by_graphql(SECOND, [FIRST])], {item.ref: item}, is_full=False)

    assert (row.submitted_at, row.is_late) == (own.submitted_at, own.is_late) == (day(1), False)
    assert again.earlier == (kept(1, 10.0, handed_in=1, graded=2),)
    assert row.earlier == ()
    assert again._replace(earlier=()).attempt == 2


_entries = st.builds(
    lambda number, points, moments, state: past(
        number, points, handed_in=moments[0], graded=moments[1], state=state
    ),
    st.none() | st.integers(0, 5),
    st.none() | st.floats(0, 20),
    st.tuples(st.integers(1, 20), st.none() | st.integers(1, 20)),
    st.sampled_from(["submitted", "graded", "pending_review"]),
)


@given(newest=_entries, history=st.lists(_entries, max_size=6), matches=st.booleans())
def test_whatever_the_history_says_earlier_attempts_rise_to_the_one_of_the_score(
    newest, history, matches
):
    found = tries_of(by_graphql(newest, history, matches=matches))

    numbers = [one.number for one in found.earlier]
    assert numbers == sorted(set(numbers))
    assert all(0 < number < found.number for number in numbers)
    assert found == tries_of(by_rest(newest, history, matches=matches))
