from datetime import UTC, datetime

import msgspec
import pytest
from werkzeug.wrappers import Response

from connectors.advantage import LineItems
from connectors.canvas.counted_out import CountedOutColumn
from connectors.canvas.payloads import Assignment
from connectors.canvas.rest import CanvasRest
from connectors.errors import GiveUp, Gone, RetryLater, Unauthorized
from connectors.platform import open_client
from mapping.records import ColumnMarks, ColumnSpec, Mark, PassbackWay, WriteState
from tests.connectors.doubles import access, services
from tests.connectors.serving import answer_json

ITEMS = "/api/lti/courses/5/line_items"
ITEM = f"{ITEMS}/9"
ASSIGNMENTS = "/api/v1/courses/5/assignments"
SUBMISSIONS = "/api/v1/courses/5/students/submissions"
TITLE = "Waymark: Numbers"
SPEC = ColumnSpec(tag="tag", title=TITLE, way=PassbackWay.MARK_NOT_COUNTED, maximum=4.0)
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


def build(lms, **platform_changes):
    platform = access(lms.url, **platform_changes)
    given = services()
    http = open_client(platform, given)
    items = LineItems(http, given.tokens, access=platform, page_size=100)
    return CountedOutColumn(CanvasRest(http, platform), items, platform)


@pytest.fixture
def column(lms):
    lms.on("POST", "/token", answer_json({"access_token": "t", "expires_in": 3600}))
    return build(lms)


def item(lms, **changes):
    return {
        "id": f"{lms.url}{ITEM}",
        "label": TITLE,
        "scoreMaximum": 4.0,
        "resourceId": "tag",
        **changes,
    }


def assignment(number="31", **changes):
    return {
        "id": number,
        "name": TITLE,
        "points_possible": 4.0,
        "submission_types": ["none"],
        "omit_from_final_grade": False,
        **changes,
    }


def write(lms, column, *marks):
    writes = ColumnMarks(column=f"31 {lms.url}{ITEM}", spec=SPEC, marks=marks)
    return column.write("5", writes, now=NOW)


def left_out(lms, *, is_taken=True):
    lms.on("GET", ASSIGNMENTS, answer_json([assignment("30", name="Essay"), assignment()]))
    lms.on("PUT", f"{ASSIGNMENTS}/31", answer_json(assignment()))
    read_back = assignment(omit_from_final_grade=is_taken)
    lms.on("GET", f"{ASSIGNMENTS}/31", answer_json(read_back))


def payload(**changes):
    return msgspec.convert(assignment(**changes), Assignment)


def test_a_new_column_is_left_out_of_the_grade_and_read_back(lms, column):
    lms.on("GET", ITEMS, answer_json([]))
    lms.on("POST", ITEMS, answer_json(item(lms), 201))
    left_out(lms)

    ref = column.ensure("5", SPEC)

    sent = lms.to(ITEMS, "POST")[0].json
    assert ref == f"31 {lms.url}{ITEM}"
    assert sent["https://canvas.instructure.com/lti/submission_type"] == {"type": "none"}
    assert (sent["scoreMaximum"], sent["resourceId"]) == (4.0, "tag")
    assert lms.to(f"{ASSIGNMENTS}/31", "PUT")[0].json == {
        "assignment": {"omit_from_final_grade": True}
    }
    assert lms.seen[-1].method == "GET"


def test_a_column_that_does_not_count_already_is_only_looked_at(lms, column):
    lms.on("GET", ITEMS, answer_json([item(lms)]))
    omitted = assignment(omit_from_final_grade=True)
    lms.on("GET", ASSIGNMENTS, answer_json([omitted]))
    lms.on("GET", f"{ASSIGNMENTS}/31", answer_json(omitted))

    column.ensure("5", SPEC)

    assert {one.method for one in lms.seen if one.path != "/token"} == {"GET"}


def test_a_new_column_that_would_count_is_deleted_again(lms, column):
    lms.on("GET", ITEMS, answer_json([]))
    lms.on("POST", ITEMS, answer_json(item(lms), 201))
    lms.on("DELETE", ITEM, Response(b"", status=204))
    left_out(lms, is_taken=False)

    with pytest.raises(GiveUp) as caught:
        column.ensure("5", SPEC)

    assert caught.value.cause == "would_count"
    assert len(lms.to(ITEM, "DELETE")) == 1


def test_a_column_that_was_there_before_is_not_deleted(lms, column):
    lms.on("GET", ITEMS, answer_json([item(lms)]))
    left_out(lms, is_taken=False)

    with pytest.raises(GiveUp):
        column.ensure("5", SPEC)

    assert lms.to(ITEM, "DELETE") == []


def test_two_assignments_that_could_be_ours_are_none(lms, column):
    lms.on("GET", ITEMS, answer_json([item(lms)]))
    lms.on("GET", ASSIGNMENTS, answer_json([assignment("31"), assignment("32")]))

    with pytest.raises(GiveUp) as caught:
        column.ensure("5", SPEC)

    assert caught.value.cause == "assignment_not_found"


@pytest.mark.parametrize("missing", [{"api_token": ""}, {"client_id": ""}])
def test_where_nothing_can_be_proven_nothing_is_made(lms, missing):
    with pytest.raises(GiveUp) as caught:
        build(lms, **missing).ensure("5", SPEC)

    assert caught.value.cause == "would_count"
    assert lms.seen == []


def test_a_link_tells_its_assignment_whatever_it_is_called(lms, column):
    lms.on("GET", ITEMS, answer_json([item(lms, label="Old name", resourceLinkId="link-1")]))

    own = column.own_assignments(
        "5",
        [
            payload(number="40", external_tool_tag_attributes={"resource_link_id": "link-1"}),
            payload(number="41", external_tool_tag_attributes={"resource_link_id": "link-2"}),
        ],
    )

    assert own == {"40"}


def test_a_teachers_assignment_of_the_same_name_is_not_ours(lms, column):
    lms.on("GET", ITEMS, answer_json([item(lms)]))

    own = column.own_assignments("5", [payload(submission_types=["online_upload"])])

    assert own == set()


@pytest.mark.parametrize("status", [401, 404])
def test_a_course_that_is_closed_to_the_tool_has_no_columns_of_ours(lms, column, status):
    lms.on("GET", ITEMS, Response(b"", status=status))

    assert column.own_assignments("5", [payload()]) == set()


def test_without_lti_there_are_no_columns_of_ours(lms):
    assert build(lms, client_id="").own_assignments("5", [payload()]) == set()
    assert lms.seen == []


def test_a_platform_without_a_service_token_is_not_taken_for_one_without_columns(lms):
    lms.on("POST", "/token", Response(b'{"error":"invalid_client"}', status=400))

    with pytest.raises(Unauthorized):
        build(lms).own_assignments("5", [payload()])


def test_a_score_makes_no_new_attempt(lms, column):
    lms.on("POST", f"{ITEM}/scores", answer_json({}))
    lms.on("GET", SUBMISSIONS, answer_json([{"user_id": "3", "score": 3.0, "grader_id": -4}]))
    mark = Mark(learner_ref="3", words="Proficient", points=3.0)

    outcomes = write(lms, column, mark)

    sent = lms.to(f"{ITEM}/scores")[0].json
    assert [one.state for one in outcomes] == [WriteState.CONFIRMED]
    assert sent["https://canvas.instructure.com/lti/submission"] == {"new_submission": False}
    assert (sent["scoreGiven"], sent["scoreMaximum"], sent["comment"]) == (3.0, 4.0, "Proficient")
    assert sent["timestamp"] == "2026-11-21T02:00:00.000+00:00"


def test_a_score_that_the_gradebook_does_not_show_is_unconfirmed(lms, column):
    lms.on("POST", f"{ITEM}/scores", answer_json({}))
    lms.on("GET", SUBMISSIONS, answer_json([{"user_id": "3", "score": 1.0, "grader_id": -4}]))
    mark = Mark(learner_ref="3", words="Proficient", points=3.0)

    outcomes = write(lms, column, mark)

    assert [one.state for one in outcomes] == [WriteState.UNCONFIRMED]


def test_a_throttled_write_is_for_later(lms, column):
    throttled = Response(b"403 Forbidden (Rate Limit Exceeded)\n", status=403)
    lms.on("POST", f"{ITEM}/scores", throttled)
    mark = Mark(learner_ref="3", words="Proficient", points=3.0)

    with pytest.raises(RetryLater):
        write(lms, column, mark)


def test_what_is_read_says_who_wrote_it(lms, column):
    rows = [
        {"user_id": "1", "score": 2.0, "entered_score": 3.0, "grader_id": -4},
        {"user_id": "2", "score": 1.0, "grader_id": "50"},
        {"user_id": "3", "score": 1.0, "grader_id": None},
        {"user_id": "4", "score": None, "grader_id": -4},
        {"user_id": "5", "score": None, "excused": True},
    ]
    lms.on("GET", SUBMISSIONS, answer_json(rows))

    found = column.read("5", f"31 {lms.url}{ITEM}")

    assert {who: (one.points, one.is_ours) for who, one in found.items()} == {
        "1": (3.0, True),
        "2": (1.0, False),
        "3": (1.0, None),
        "5": (None, False),
    }
    assert lms.to(SUBMISSIONS)[0].query["assignment_ids[]"] == ["31"]


def test_a_column_that_was_unpublished_is_gone(lms, column):
    body = {"error": "invalid assignment ids requested"}
    lms.on("GET", SUBMISSIONS, answer_json(body, 403))

    with pytest.raises(Gone) as caught:
        column.read("5", f"31 {lms.url}{ITEM}")

    assert caught.value.cause == "column_gone"
