from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canvas.payloads import SubmissionNode, SubmissionRow
from connectors.canvas.rest import CanvasRest, GraphqlRefused
from connectors.canvas.submissions import scores_of, submission_pages
from connectors.errors import GiveUp, Gone
from connectors.platform import open_client
from mapping.records import Criterion, CriterionRef, LineItem, LineItemRef, ScoreState
from tests.connectors.doubles import access, services
from tests.connectors.serving import answer_json

NODE = {"userId": "3", "assignmentId": "7", "state": "graded"}
ITEM = LineItem(ref=LineItemRef("7"), title="Essay", category="", maximum=10.0)
GRADED_AT = "2026-11-20T10:00:00-03:00"


def node(**changes):
    return msgspec.convert({**NODE, **changes}, SubmissionNode)


def scores(*nodes, is_full=True, item=ITEM):
    return list(scores_of(nodes, {item.ref: item}, is_full=is_full))


def rated(**points):
    ratings = [{"points": value, "criterion": {"_id": ref}} for ref, value in points.items()]
    return {"rubricAssessmentsConnection": {"nodes": [{"assessmentRatings": ratings}]}}


def with_criteria(*refs):
    criteria = tuple(Criterion(ref=CriterionRef(ref), title=ref, maximum=4.0) for ref in refs)
    return LineItem(
        ref=LineItemRef("7"), title="Essay", category="", maximum=10.0, criteria=criteria
    )


@pytest.mark.parametrize(
    ("members", "state", "points"),
    [
        ({"enteredScore": 8.5, "gradedAt": GRADED_AT}, ScoreState.GRADED, 8.5),
        ({"enteredScore": 0.0, "gradedAt": GRADED_AT}, ScoreState.GRADED, 0.0),
        ({"enteredScore": 5.0, "state": "submitted"}, ScoreState.GRADED, 5.0),
        ({"enteredScore": 5.0, "state": "unsubmitted"}, ScoreState.GRADED, 5.0),
        ({"enteredScore": 2.0, "state": "pending_review"}, ScoreState.NOT_GRADED, None),
        ({"excused": True, "gradedAt": GRADED_AT}, ScoreState.EXCUSED, None),
        ({"excused": True, "enteredScore": 5.0}, ScoreState.EXCUSED, None),
        ({"missing": True, "state": "unsubmitted"}, ScoreState.MISSING, None),
        ({"missing": True, "enteredScore": 0.0}, ScoreState.MISSING, None),
        ({"gradedAt": GRADED_AT}, ScoreState.CLEARED, None),
        ({"gradedAt": None}, ScoreState.NOT_GRADED, None),
        ({"state": "submitted"}, ScoreState.NOT_GRADED, None),
    ],
)
def test_what_a_cell_says_is_read_from_more_than_its_state(members, state, points):
    found = scores(node(**members), is_full=False)

    assert [(one.state, one.points) for one in found] == [(state, points)]


def test_points_are_those_before_a_late_deduction():
    found = scores(node(enteredScore=85.0, deductedPoints=20.0, late=True))[0]

    assert (found.points, found.points_deducted, found.is_late) == (85.0, 20.0, True)


@pytest.mark.parametrize(("posted_at", "is_visible"), [(GRADED_AT, True), (None, False)])
def test_a_score_is_visible_once_it_is_posted(posted_at, is_visible):
    assert scores(node(enteredScore=1.0, postedAt=posted_at))[0].is_visible is is_visible


def test_moments_are_turned_into_utc():
    found = scores(node(enteredScore=1.0, gradedAt=GRADED_AT, submittedAt=GRADED_AT))[0]

    assert found.graded_at == found.submitted_at == datetime(2026, 11, 20, 13, tzinfo=UTC)
    assert found.graded_at.tzinfo is UTC


def test_a_full_read_leaves_out_what_says_nothing():
    assert scores(node(state="unsubmitted")) == []


def test_a_read_of_changes_keeps_it_for_it_may_take_an_excuse_back():
    found = scores(node(state="unsubmitted"), is_full=False)

    assert [one.state for one in found] == [ScoreState.NOT_GRADED]


def test_work_that_waits_for_its_mark_is_kept():
    found = scores(node(state="submitted", submittedAt=GRADED_AT))

    assert [one.state for one in found] == [ScoreState.NOT_GRADED]


def test_our_own_column_gives_no_score():
    own = LineItem(ref=ITEM.ref, title="W", category="", maximum=4.0, is_own=True)

    assert scores(node(enteredScore=3.0), item=own, is_full=False) == []


def test_empty_nodes_are_skipped():
    assert scores(None) == []


def test_rubric_rows_are_scores_of_their_own():
    found = scores(node(enteredScore=7.0, **rated(a=3.0, b=4.0)), item=with_criteria("a", "b"))

    assert [(one.criterion_ref, one.points) for one in found] == [
        (None, 7.0),
        ("a", 3.0),
        ("b", 4.0),
    ]


def test_a_row_without_points_is_left_out_of_a_full_read():
    found = scores(node(enteredScore=7.0, **rated(a=None)), item=with_criteria("a", "b"))

    assert [one.criterion_ref for one in found] == [None]


def test_a_row_without_points_is_told_when_changes_are_read():
    item = with_criteria("a", "b")

    found = scores(node(enteredScore=7.0, **rated(a=3.0)), item=item, is_full=False)

    assert [(one.criterion_ref, one.state) for one in found] == [
        (None, ScoreState.GRADED),
        ("a", ScoreState.GRADED),
        ("b", ScoreState.NOT_GRADED),
    ]


@pytest.mark.parametrize(
    ("members", "state"),
    [
        ({"excused": True}, ScoreState.EXCUSED),
        ({"gradedAt": GRADED_AT}, ScoreState.CLEARED),
        ({"missing": True}, ScoreState.MISSING),
    ],
)
def test_rows_follow_a_submission_that_does_not_count(members, state):
    found = scores(node(**members, **rated(a=3.0)), item=with_criteria("a"))

    assert [(one.criterion_ref, one.state, one.points) for one in found] == [
        (None, state, None),
        ("a", state, None),
    ]


def test_a_row_that_was_rated_without_a_score_stands_for_itself():
    found = scores(node(state="submitted", **rated(a=3.0)), item=with_criteria("a"))

    assert [(one.criterion_ref, one.points) for one in found] == [("a", 3.0)]


@given(
    members=st.fixed_dictionaries(
        {},
        optional={
            "state": st.sampled_from(["submitted", "unsubmitted", "pending_review", "graded"]),
            "enteredScore": st.none() | st.floats(0, 100),
            "excused": st.none() | st.booleans(),
            "missing": st.none() | st.booleans(),
            "gradedAt": st.sampled_from([None, GRADED_AT]),
            "attempt": st.none() | st.integers(0, 9),
        },
    ),
    points=st.none() | st.floats(0, 4),
    is_full=st.booleans(),
)
def test_whatever_canvas_holds_only_graded_cells_carry_points(members, points, is_full):
    found = scores(node(**members, **rated(a=points)), item=with_criteria("a"), is_full=is_full)

    assert all((one.points is not None) == (one.state is ScoreState.GRADED) for one in found)
    assert len({one.criterion_ref for one in found}) == len(found)


@pytest.fixture
def rest(lms):
    platform = access(lms.url)
    return CanvasRest(open_client(platform, services()), platform)


SINCE = datetime(2026, 11, 20, 2, tzinfo=UTC)
UNTIL = datetime(2026, 11, 21, 2, tzinfo=UTC)


def connection(*nodes, cursor=None):
    info = {"hasNextPage": cursor is not None, "endCursor": cursor}
    return {"nodes": list(nodes), "pageInfo": info}


def page(*nodes, cursor=None, **more):
    found = connection(*nodes, cursor=cursor)
    return answer_json({"data": {"course": {"submissionsConnection": found, **more}}})


def read(rest, since=None):
    return list(submission_pages(rest, "5", since, until=UNTIL))


def test_all_pages_are_asked_for_by_their_cursor(lms, rest):
    lms.on("POST", "/api/graphql", page(NODE, cursor="Mg"), page(NODE, NODE))

    found = read(rest)

    sent = [one.json["variables"] for one in lms.seen]
    assert [(len(one.nodes), one.is_last) for one in found] == [(1, False), (2, True)]
    assert [(one["after"], one["isFirst"]) for one in sent] == [(None, True), ("Mg", False)]
    assert sent[0]["filter"] == {"states": ["submitted", "unsubmitted", "pending_review", "graded"]}
    assert not sent[0]["hasDue"]


def test_changes_are_asked_for_since_a_moment_and_what_fell_due_meanwhile(lms, rest):
    lms.on("POST", "/api/graphql", page(due=connection()))

    read(rest, SINCE)

    sent = lms.seen[0].json["variables"]
    assert sent["filter"]["updatedSince"] == "2026-11-20T02:00:00Z"
    assert sent["due"]["dueBetween"] == {
        "start": "2026-11-20T02:00:00Z",
        "end": "2026-11-21T02:00:00Z",
    }


def test_what_fell_due_follows_the_changes_page_by_page(lms, rest):
    late = [{**NODE, "userId": str(number)} for number in (4, 5)]
    lms.on(
        "POST",
        "/api/graphql",
        page(NODE, cursor="Mg", due=connection(late[0], cursor="Mw")),
        page(NODE),
        page(late[1]),
    )

    found = read(rest, SINCE)

    filters = [one.json["variables"]["filter"] for one in lms.seen]
    assert [[node.user_id for node in one.nodes] for one in found] == [["3"], ["3"], ["4"], ["5"]]
    assert [one.is_last for one in found] == [False, False, False, True]
    assert ["dueBetween" in one for one in filters] == [False, False, True]


@pytest.mark.parametrize("cursors", [("Mg", "Mg"), ("Mg", "Mw", "Mg")])
def test_a_cursor_that_comes_back_is_refused(lms, rest, cursors):
    lms.on("POST", "/api/graphql", *(page(cursor=cursor) for cursor in cursors))

    with pytest.raises(GiveUp) as caught:
        read(rest)

    assert caught.value.cause == "paging_loop"


def test_a_page_that_promises_more_without_a_cursor_is_the_last(lms, rest):
    info = {"hasNextPage": True, "endCursor": None}
    found = {"nodes": [NODE], "pageInfo": info}
    lms.on(
        "POST", "/api/graphql", answer_json({"data": {"course": {"submissionsConnection": found}}})
    )

    assert [one.is_last for one in read(rest)] == [True]


@pytest.mark.parametrize("data", [None, {"course": {"submissionsConnection": connection(NODE)}}])
def test_an_error_of_the_query_is_given_up_even_beside_data(lms, rest, data):
    answer = {"errors": [{"message": "Field is unknown"}], "data": data}
    lms.on("POST", "/api/graphql", answer_json(answer))

    with pytest.raises(GiveUp) as caught:
        read(rest)

    assert caught.value.cause == "graphql"
    assert "Field is unknown" in str(caught.value)


def test_an_object_that_is_hidden_by_scopes_is_a_refusal_of_graphql(lms, rest):
    said = "An object of type Course was hidden due to insufficient scopes on access token"
    lms.on("POST", "/api/graphql", answer_json({"errors": [{"message": said}], "data": None}))

    with pytest.raises(GraphqlRefused):
        read(rest)


@pytest.mark.parametrize("data", [None, {"course": None}, {"course": {}}])
def test_a_course_that_is_not_shown_is_gone(lms, rest, data):
    lms.on("POST", "/api/graphql", answer_json({"data": data}))

    with pytest.raises(Gone):
        read(rest)


def test_a_member_that_is_missing_is_named(lms, rest):
    lms.on("POST", "/api/graphql", page({"userId": "3", "state": "graded"}))

    with pytest.raises(GiveUp) as caught:
        read(rest)

    assert "assignmentId" in str(caught.value)


def test_a_list_of_nodes_that_is_null_is_an_empty_page(lms, rest):
    found = {"nodes": None, "pageInfo": {"hasNextPage": False}}
    lms.on(
        "POST", "/api/graphql", answer_json({"data": {"course": {"submissionsConnection": found}}})
    )

    assert [list(one.nodes) for one in read(rest)] == [[]]


@pytest.mark.parametrize(
    ("attempt", "matches", "entered", "number"),
    [
        (2, True, 5.0, 2),
        (2, None, 5.0, 2),
        (3, False, 5.0, 2),
        (3, False, None, 3),
        (1, False, 5.0, 1),
        (None, None, 5.0, 0),
        (0, False, 5.0, 0),
    ],
)
def test_a_score_of_an_older_attempt_says_so(attempt, matches, entered, number):
    found = scores(
        node(attempt=attempt, gradeMatchesCurrentSubmission=matches, enteredScore=entered),
        is_full=False,
    )

    assert found[0].attempt == number


def test_a_row_of_rest_says_the_same_as_a_node_of_graphql():
    row = msgspec.convert(
        {
            "user_id": "3",
            "assignment_id": "7",
            "workflow_state": "graded",
            "entered_score": 7.0,
            "points_deducted": 1.0,
            "late": True,
            "attempt": 2,
            "graded_at": GRADED_AT,
            "rubric_assessment": {"a": {"points": 3.0, "rating_id": "x"}, "b": {"comments": "c"}},
        },
        SubmissionRow,
    )
    same = node(
        enteredScore=7.0,
        deductedPoints=1.0,
        late=True,
        attempt=2,
        gradedAt=GRADED_AT,
        **rated(a=3.0),
    )

    assert scores(row, item=with_criteria("a", "b")) == scores(same, item=with_criteria("a", "b"))
