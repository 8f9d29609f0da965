from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from werkzeug.wrappers import Response

from connectors.advantage import LineItems
from connectors.canvas.marks import MarkColumns
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
COUNTED = replace(SPEC, way=PassbackWay.MARK_COUNTED, tag="tag:counted", title=f"{TITLE} (counts)")
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


def build(lms, **platform_changes):
    platform = access(lms.url, **platform_changes)
    given = services()
    http = open_client(platform, given)
    items = LineItems(http, given.tokens, access=platform, page_size=100)
    return MarkColumns(CanvasRest(http, platform), items, platform)


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


def link(name):
    return {"resource_link_id": name}


def counted(number="31", **changes):
    return assignment(number, name=COUNTED.title, **changes)


def said(text, author=None):
    return {"comment": text, "author_id": author, "author_name": "Somebody"}


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
    lms.on("GET", SUBMISSIONS, answer_json([]))
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
            payload(number="40", name="Essay", external_tool_tag_attributes=link("link-1")),
            payload(number="41", name="Essay", external_tool_tag_attributes=link("link-2")),
        ],
    )

    assert own == {"40"}


def test_a_teachers_assignment_of_the_same_name_is_not_ours(lms, column):
    lms.on("GET", ITEMS, answer_json([item(lms)]))

    own = column.own_assignments("5", [payload(submission_types=["online_upload"])])

    assert own == set()


@pytest.mark.parametrize("status", [401, 404, 422])
def test_in_a_course_closed_to_the_tool_our_columns_are_told_by_their_looks(lms, column, status):
    lms.on("GET", ITEMS, Response(b"", status=status))
    essays = [payload(number="40", name="Essay"), payload(submission_types=["online_upload"])]

    assert column.own_assignments("5", [payload(), *essays]) == {"31"}


def test_without_lti_our_columns_are_told_by_their_looks(lms):
    own = build(lms, client_id="").own_assignments("5", [payload(), payload(name="Essay")])

    assert own == {"31"}
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
    lms.on("GET", SUBMISSIONS, answer_json([]))
    mark = Mark(learner_ref="3", words="Proficient", points=3.0)

    with pytest.raises(RetryLater):
        write(lms, column, mark)


def test_what_is_read_says_who_wrote_it(lms, column):
    rows = [
        {"user_id": "1", "score": 2.0, "entered_score": 3.0, "grader_id": -1},
        {"user_id": "2", "score": 1.0, "grader_id": "50"},
        {"user_id": "3", "score": 1.0, "grader_id": None},
        {"user_id": "4", "score": None, "grader_id": -1},
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


@pytest.mark.parametrize(
    ("grader", "is_ours"), [(-1, True), (-7, True), (-(10**13) - 7, True), (-4, None)]
)
def test_a_mark_of_another_tool_is_not_taken_for_ours(lms, column, grader, is_ours):
    column = build(lms, deployments=("1:abc", "7:def"))
    lms.on("GET", SUBMISSIONS, answer_json([{"user_id": "1", "score": 1.0, "grader_id": grader}]))

    found = column.read("5", f"31 {lms.url}{ITEM}")

    assert found["1"].is_ours is is_ours


def test_what_is_said_is_the_last_that_a_tool_said(lms, column):
    comments = [said("Emerging"), said("Proficient"), said("Well done!", author="50")]
    row = {"user_id": "3", "score": 3.0, "grader_id": -1, "submission_comments": comments}
    lms.on("GET", SUBMISSIONS, answer_json([row]))

    assert column.read("5", f"31 {lms.url}{ITEM}")["3"].words == "Proficient"
    assert lms.to(SUBMISSIONS)[0].query["include[]"] == ["submission_comments"]


@pytest.mark.parametrize(
    ("before", "comment"), [("Proficient", None), ("Emerging", "Proficient"), (None, "Proficient")]
)
def test_words_are_sent_only_where_they_are_not_said_already(lms, column, before, comment):
    row = {"user_id": "3", "score": 2.0, "grader_id": -1}
    was = {**row, "submission_comments": [] if before is None else [said(before)]}
    now = {**row, "score": 3.0, "submission_comments": [said("Proficient")]}
    lms.on("POST", f"{ITEM}/scores", answer_json({}))
    lms.on("GET", SUBMISSIONS, answer_json([was]), answer_json([now]))

    outcomes = write(lms, column, Mark(learner_ref="3", words="Proficient", points=3.0))

    assert [one.state for one in outcomes] == [WriteState.CONFIRMED]
    assert lms.to(f"{ITEM}/scores")[0].json.get("comment") == comment


def test_words_that_do_not_arrive_leave_the_mark_unconfirmed(lms, column):
    row = {"user_id": "3", "score": 3.0, "grader_id": -1, "submission_comments": [said("Emerging")]}
    lms.on("POST", f"{ITEM}/scores", answer_json({}))
    lms.on("GET", SUBMISSIONS, answer_json([row]))

    outcomes = write(lms, column, Mark(learner_ref="3", words="Proficient", points=3.0))

    assert [one.state for one in outcomes] == [WriteState.UNCONFIRMED]


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        (422, b"User not found in course or is not a student", "active student"),
        (400, b"timestamp must be later than the last", "newer score"),
        (422, b"This assignment cannot be graded at this time", "grading period"),
        (422, b"This course has concluded.", "concluded"),
        (422, b"{}", "may be closed"),
    ],
)
def test_a_refused_score_says_why(lms, column, status, body, word):
    lms.on("POST", f"{ITEM}/scores", Response(body, status=status))
    lms.on("GET", SUBMISSIONS, answer_json([]))

    outcomes = write(lms, column, Mark(learner_ref="3", words="Proficient", points=3.0))

    assert [one.state for one in outcomes] == [WriteState.REFUSED]
    assert word in outcomes[0].reason


def test_a_column_that_counts_is_made_and_proven_to_count(lms, column):
    lms.on("GET", ITEMS, answer_json([]))
    lms.on("POST", ITEMS, answer_json(item(lms, label=COUNTED.title), 201))
    lms.on("GET", ASSIGNMENTS, answer_json([counted()]))
    lms.on("GET", f"{ASSIGNMENTS}/31", answer_json(counted()))

    ref = column.ensure("5", COUNTED)

    assert ref == f"31 {lms.url}{ITEM}"
    assert lms.to(f"{ASSIGNMENTS}/31", "PUT") == []
    assert lms.seen[-1].path == f"{ASSIGNMENTS}/31"


def test_a_column_that_was_to_count_and_was_left_out_since_takes_no_more_marks(lms, column):
    lms.on("GET", ITEMS, answer_json([item(lms, label=COUNTED.title, resourceId=COUNTED.tag)]))
    left_out_since = counted(omit_from_final_grade=True)
    lms.on("GET", ASSIGNMENTS, answer_json([left_out_since]))
    lms.on("GET", f"{ASSIGNMENTS}/31", answer_json(left_out_since))

    with pytest.raises(GiveUp) as caught:
        column.ensure("5", COUNTED)

    assert caught.value.cause == "would_not_count"
    assert {one.method for one in lms.seen if one.path != "/token"} == {"GET"}


def test_a_column_of_one_way_is_not_taken_for_the_other(lms, column):
    lms.on("GET", ITEMS, answer_json([item(lms)]))
    lms.on("POST", ITEMS, answer_json(item(lms, label=COUNTED.title), 201))
    lms.on("GET", ASSIGNMENTS, answer_json([assignment("30"), counted()]))
    lms.on("GET", f"{ASSIGNMENTS}/31", answer_json(counted()))

    column.ensure("5", COUNTED)

    assert lms.to(ITEMS, "POST")[0].json["resourceId"] == COUNTED.tag


def test_a_column_with_marks_that_somebody_made_count_is_left_and_told(lms, column):
    lms.on("GET", ITEMS, answer_json([item(lms)]))
    lms.on("GET", ASSIGNMENTS, answer_json([assignment()]))
    lms.on("GET", SUBMISSIONS, answer_json([{"user_id": "3", "score": 3.0, "grader_id": -1}]))

    with pytest.raises(GiveUp) as caught:
        column.ensure("5", SPEC)

    assert caught.value.cause == "would_count"
    assert lms.to(f"{ASSIGNMENTS}/31", "PUT") == []


def test_a_column_without_marks_that_a_try_left_behind_is_left_out_now(lms, column):
    lms.on("GET", ITEMS, answer_json([item(lms)]))
    lms.on("GET", SUBMISSIONS, answer_json([]))
    left_out(lms)

    column.ensure("5", SPEC)

    assert len(lms.to(f"{ASSIGNMENTS}/31", "PUT")) == 1


def test_a_column_that_is_not_published_is_told(lms, column):
    lms.on("GET", ITEMS, answer_json([item(lms)]))
    hidden = assignment(published=False, omit_from_final_grade=True)
    lms.on("GET", ASSIGNMENTS, answer_json([hidden]))
    lms.on("GET", f"{ASSIGNMENTS}/31", answer_json(hidden))

    with pytest.raises(GiveUp) as caught:
        column.ensure("5", SPEC)

    assert caught.value.cause == "column_unpublished"


@pytest.mark.parametrize("status", [404, 422])
def test_a_concluded_course_is_explained(lms, column, status):
    lms.on("GET", ITEMS, Response(b"", status=status))

    with pytest.raises(Gone) as caught:
        column.ensure("5", SPEC)

    assert caught.value.cause == "course_closed"
    assert "concluded" in str(caught.value)


def test_marks_need_lti_and_the_api_but_not_a_pasted_token(lms):
    lms.on("POST", "/token", answer_json({"access_token": "t", "expires_in": 3600}))
    lms.on("GET", ITEMS, Response(b"", status=404))

    with pytest.raises(Gone):
        build(lms, api_token="", user_tokens=object()).ensure("5", SPEC)
