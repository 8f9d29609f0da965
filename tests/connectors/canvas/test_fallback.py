"""REST instead of GraphQL, held against the simulator's own books."""

from contextlib import closing

import pytest

from connectors import connect
from connectors.errors import GiveUp
from connectors.platform import PlatformKind
from mapping.records import ScoreState
from simulators.state import open_state
from tests.contracts.subjects import live_services, post, simulated_access


@pytest.fixture
def by_rest(canvas):
    """The same Canvas, seen by a connector that may not use GraphQL."""
    full, _ = canvas.all_scores()
    deny(canvas, graphql=401)
    canvas.gradebook = again(canvas)
    canvas.full = full
    return canvas


def again(canvas):
    return connect(simulated_access(canvas.state, PlatformKind.CANVAS, canvas.url), live_services())


def deny(canvas, **statuses):
    post(f"{canvas.url}/_control/rights", statuses)


def alter(canvas, sql, *values):
    with closing(open_state(canvas.state)) as connection, connection:
        connection.execute(sql, values)


def causes(canvas):
    return [one.cause for one in canvas.gradebook.notes]


def test_a_full_read_by_rest_says_what_graphql_says(by_rest):
    found, _ = by_rest.all_scores()

    assert set(found) == set(by_rest.full)
    assert any(score.criterion_ref for score in found)
    assert any(score.earlier for score in found)
    assert causes(by_rest) == ["graphql_refused"]


def test_a_full_read_asks_for_each_row_once(by_rest):
    before = by_rest.gradebook.calls

    pages = list(by_rest.gradebook.scores(by_rest.course))

    rows = sum(page.read for page in pages)
    lists_and_refusal = 2 + 1 + 1 + 1  # groups and assignments, token and line items, GraphQL
    assert by_rest.gradebook.calls - before == -(-rows // 100) + lists_and_refusal


@pytest.mark.parametrize(
    ("entered", "state"),
    [(None, ScoreState.CLEARED), ("excused", ScoreState.EXCUSED), (1.0, ScoreState.GRADED)],
)
def test_a_change_is_found_by_its_moment_or_by_the_audit(by_rest, entered, state):
    score = by_rest.a_graded_score()
    _, cursor = by_rest.all_scores()

    by_rest.change(score, entered)
    news, _ = by_rest.all_scores(cursor)

    found = {
        (one.line_item_ref, one.learner_ref): one.state for one in news if not one.criterion_ref
    }
    assert found[score.line_item_ref, score.learner_ref] is state
    assert {place[0] for place in found} == {score.line_item_ref}


def test_an_excuse_that_is_taken_back_is_found(by_rest):
    score = by_rest.a_graded_score()
    by_rest.change(score, "excused")
    _, cursor = by_rest.all_scores()

    by_rest.change(score, None)
    news, _ = by_rest.all_scores(cursor)

    assert {one.state for one in news if not one.criterion_ref} == {ScoreState.CLEARED}


def test_work_that_is_handed_in_is_found(by_rest):
    score = by_rest.a_graded_score()
    _, cursor = by_rest.all_scores()

    place = {"learner": int(score.learner_ref), "assignment": int(score.line_item_ref)}
    post(f"{by_rest.url}/_control/submission", {"course": int(by_rest.course), **place})
    news, _ = by_rest.all_scores(cursor)

    assert {(one.line_item_ref, one.learner_ref) for one in news} == {
        (score.line_item_ref, score.learner_ref)
    }


def test_a_column_that_fell_due_is_read_whole(by_rest):
    _, cursor = by_rest.all_scores()
    ref = by_rest.a_graded_score().line_item_ref
    alter(by_rest, "UPDATE assignments SET due_at = strftime('%s') WHERE id = ?", ref)
    by_rest.gradebook.line_items(by_rest.course)

    news, _ = by_rest.all_scores(cursor)

    assert {one.line_item_ref for one in news} == {ref}
    assert len({one.learner_ref for one in news}) > 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_without_the_audit_the_rest_goes_on_and_it_is_said(by_rest, status):
    deny(by_rest, audit=status)
    cleared = by_rest.a_graded_score()
    _, cursor = by_rest.all_scores()

    by_rest.change(cleared, None)
    news, _ = by_rest.all_scores(cursor)

    assert news == []
    assert causes(by_rest) == ["graphql_refused", "audit_refused"]
    assert "weekly sweep" in by_rest.gradebook.notes[1].message


def test_an_unpublished_column_that_the_audit_names_spoils_nothing(by_rest):
    score = by_rest.a_graded_score()
    _, cursor = by_rest.all_scores()
    by_rest.change(score, None)
    ref = score.line_item_ref
    alter(by_rest, "UPDATE assignments SET is_published = 0 WHERE id = ?", ref)
    by_rest.gradebook.line_items(by_rest.course)

    news, _ = by_rest.all_scores(cursor)

    assert news == []


def test_rubric_scores_that_do_not_come_are_an_error_and_not_taken_back(by_rest):
    scopes = " ".join(
        f"url:{route}"
        for route in (
            "GET|/api/v1/courses/:course_id/students/submissions",
            "GET|/api/v1/courses/:course_id/assignments",
            "GET|/api/v1/courses/:course_id/assignment_groups",
        )
    )
    alter(by_rest, "UPDATE tokens SET scopes = ? WHERE kind = 'rest'", scopes)

    with pytest.raises(GiveUp) as caught:
        by_rest.all_scores()

    assert caught.value.cause == "includes_dropped"
    assert "Allow Include Parameters" in str(caught.value)


def test_nothing_is_called_unchanged_where_graphql_is_refused(by_rest):
    _, cursor = by_rest.all_scores()
    fresh = again(by_rest)

    assert fresh.unchanged({by_rest.course: cursor}) == {}
    deny(by_rest, graphql=0)
    by_rest.gradebook = fresh
    list(fresh.enrolments(by_rest.course))
    list(fresh.line_items(by_rest.course))
    _, cursor = by_rest.all_scores()
    deny(by_rest, graphql=404)
    assert again(by_rest).unchanged({by_rest.course: cursor}) == {}
