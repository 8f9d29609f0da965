from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from connectors.canvas.cursors import cursor_from, read_cursor
from connectors.canvas.lists import AssignmentRow, Lists, digest_of
from connectors.canvas.payloads import Connection, PageInfo
from connectors.canvas.probe import unchanged_courses
from connectors.canvas.rest import CanvasRest, GraphqlRefused
from connectors.errors import RetryLater
from connectors.platform import open_client
from mapping.records import Cursor
from tests.connectors.doubles import access, services
from tests.connectors.serving import answer_json

READ_AT = datetime(2026, 11, 20, 2, tzinfo=UTC)
NOW = READ_AT + timedelta(days=1)
WHOLE = Connection(page_info=PageInfo(has_next_page=False), nodes=[])
LISTS = Lists(assignments_connection=WHOLE, enrollments_connection=WHOLE)
KEPT = cursor_from(READ_AT, lists=digest_of(LISTS))
EMPTY = {"nodes": [], "pageInfo": {"hasNextPage": False}}
UNTOUCHED = {
    "submissionsConnection": EMPTY,
    "assignmentsConnection": EMPTY,
    "enrollmentsConnection": EMPTY,
}


@pytest.fixture
def rest(lms):
    platform = access(lms.url)
    return CanvasRest(open_client(platform, services()), platform)


def answering(lms, *, errors=None, **courses):
    lms.on("POST", "/api/graphql", answer_json({"data": courses, "errors": errors}))


def due(moment):
    row = {"_id": "1", "updatedAt": None, "dueAt": moment, "state": "published"}
    return {"nodes": [row], "pageInfo": {"hasNextPage": False}}


def asked(rest, *names, cursor=KEPT):
    return unchanged_courses(rest, dict.fromkeys(names, cursor), now=NOW)


def test_an_untouched_course_gets_a_cursor_of_tonight_with_the_same_digest(lms, rest):
    answering(lms, c0=UNTOUCHED)

    found = asked(rest, "5")

    assert read_cursor(found["5"]) == read_cursor(cursor_from(NOW, lists=digest_of(LISTS)))


@pytest.mark.parametrize(
    "changes",
    [
        {"submissionsConnection": {**EMPTY, "nodes": [{"_id": "9"}]}},
        {"submissionsConnection": None},
        {"submissionsConnection": {**EMPTY, "nodes": None}},
        {"assignmentsConnection": due(None)},
        {"assignmentsConnection": None},
        {"enrollmentsConnection": {**EMPTY, "pageInfo": {"hasNextPage": True}}},
    ],
)
def test_what_was_touched_or_is_not_to_be_seen_has_to_be_read(lms, rest, changes):
    answering(lms, c0={**UNTOUCHED, **changes})

    assert asked(rest, "5") == {}


@pytest.mark.parametrize(("hours", "count"), [(0, 0), (23, 0), (24, 0), (25, 1), (-1, 1)])
def test_a_course_where_something_fell_due_has_to_be_read(lms, rest, hours, count):
    columns = due((READ_AT + timedelta(hours=hours)).isoformat())
    lists = Lists(assignments_connection=_typed(columns), enrollments_connection=WHOLE)
    answering(lms, c0={**UNTOUCHED, "assignmentsConnection": columns})

    found = asked(rest, "5", cursor=cursor_from(READ_AT, lists=digest_of(lists)))

    assert len(found) == count


def test_a_course_that_is_gone_or_in_error_spoils_no_other(lms, rest):
    answering(lms, c0=None, c1=UNTOUCHED, errors=[{"message": "boom", "path": ["c0"]}])

    assert set(asked(rest, "5", "6")) == {"6"}


def test_an_answer_with_errors_only_says_nothing(lms, rest):
    lms.on("POST", "/api/graphql", answer_json({"errors": [{"message": "no such field"}]}))

    assert asked(rest, "5") == {}


def test_twenty_courses_are_asked_for_at_once_each_since_its_own_moment(lms, rest):
    cursors = {
        str(number): cursor_from(READ_AT + timedelta(hours=number), lists="x")
        for number in range(41)
    }
    answering(lms)

    unchanged_courses(rest, cursors, now=NOW)

    sent = [one.json["variables"] for one in lms.seen]
    assert [sum(name.startswith("i") for name in one) for one in sent] == [20, 20, 1]
    assert (sent[1]["i1"], sent[1]["f1"]["updatedSince"]) == ("21", "2026-11-20T22:50:00Z")
    assert len(sent[0]["f0"]["states"]) == 4


@pytest.mark.parametrize(
    "cursor", ["", "strange", cursor_from(READ_AT), cursor_from(READ_AT, is_by_rest=True)]
)
def test_courses_without_a_digest_are_not_asked_about(lms, rest, cursor):
    assert asked(rest, "5", cursor=Cursor(cursor)) == {}
    assert lms.seen == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_graphql_is_told(lms, rest, status):
    lms.on("POST", "/api/graphql", answer_json({"errors": []}, status))

    with pytest.raises(GraphqlRefused):
        asked(rest, "5")


def test_a_canvas_that_is_down_is_no_canvas_that_refuses(lms, rest):
    lms.on("POST", "/api/graphql", answer_json({"errors": []}, 503))

    with pytest.raises(RetryLater):
        asked(rest, "5")


def _typed(payload):
    return msgspec.convert(payload, Connection[AssignmentRow])
