from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from connectors.canvas.cursors import read_cursor
from connectors.canvas.lists import Lists, digest_of
from connectors.canvas.payloads import Assignment, Enrollment
from connectors.canvas.reading import Listed, ScoreReader
from connectors.canvas.rest import CanvasRest
from connectors.notes import Notes
from connectors.platform import open_client
from mapping.records import CourseRef
from tests.connectors.doubles import Clock, access, services
from tests.connectors.serving import answer_json

BEGUN = datetime(2026, 11, 21, 2, tzinfo=UTC)
LONG_AGO = "2026-08-01T00:00:00Z"
NODE = {"userId": "3", "assignmentId": "7", "state": "graded", "enteredScore": 5.0}


def rows(*ids, at=LONG_AGO, more=False):
    nodes = [{"_id": one, "updatedAt": at, "state": "active"} for one in ids]
    return {"nodes": nodes, "pageInfo": {"hasNextPage": more}}


def lists(columns, people):
    payload = {"assignmentsConnection": columns, "enrollmentsConnection": people}
    return msgspec.convert(payload, Lists)


def listed(columns=("7",), people=("3",), hidden=()):
    found = Listed(course=CourseRef("5"), begun_at=BEGUN)
    found.keep_columns(
        [
            *(Assignment(id=one, name=one) for one in columns),
            *(Assignment(id=one, name=one, hide_in_gradebook=True) for one in hidden),
        ]
    )
    user = {"id": "1", "name": "A"}
    payload = {"user_id": "1", "type": "StudentEnrollment", "enrollment_state": "active"}
    found.keep_people(
        [msgspec.convert({**payload, "user": user, "id": one}, Enrollment) for one in people]
    )
    return found


def test_lists_that_were_read_and_are_quiet_have_a_digest():
    found = lists(rows("7"), rows("3", "4"))

    assert listed().digest(found) == digest_of(found) != ""


@pytest.mark.parametrize(
    "found",
    [
        lists(rows("7", "8"), rows("3")),
        lists(rows(), rows("3")),
        lists(rows("7"), rows("4")),
        lists(rows("7", at="2026-11-21T01:55:00Z"), rows("3")),
        lists(rows("7"), rows("3", at="2026-11-21T02:00:01Z")),
        lists(rows("7", more=True), rows("3")),
    ],
)
def test_lists_that_may_have_changed_while_they_were_read_have_none(found):
    assert listed().digest(found) == ""


def test_an_assignment_hidden_from_the_gradebook_may_be_missing_from_graphql():
    for columns in (rows("7"), rows("7", "8")):
        assert listed(hidden=["8"]).digest(lists(columns, rows("3"))) != ""


@pytest.mark.parametrize("name", ["columns", "people"])
def test_lists_that_were_not_read_have_none(name):
    found = listed()
    setattr(found, name, None)

    assert found.digest(lists(rows("7"), rows("3"))) == ""


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
def reader(lms, notes):
    clock = Clock(BEGUN + timedelta(minutes=1))
    platform = access(lms.url)
    rest = CanvasRest(open_client(platform, services(clock)), platform)
    return ScoreReader(rest, notes, clock.now)


def page(*nodes, cursor=None, **more):
    info = {"hasNextPage": cursor is not None, "endCursor": cursor}
    found = {"nodes": list(nodes), "pageInfo": info}
    return answer_json({"data": {"course": {"submissionsConnection": found, **more}}})


def test_only_the_last_page_has_the_cursor_and_it_reaches_back_before_the_lists(lms, reader):
    lms.on("POST", "/api/graphql", page(NODE, cursor="Mg"), page())

    found = list(reader.pages(listed(), {}, None))

    cursor = read_cursor(found[1].cursor)
    assert found[0].cursor is None
    assert cursor.updated_since == BEGUN - timedelta(minutes=10)
    assert not cursor.is_by_rest


def test_a_submission_that_comes_twice_is_told_once(lms, reader):
    lms.on("POST", "/api/graphql", page(NODE, NODE, None, cursor="Mg"), page(NODE))

    found = list(reader.pages(listed(), {}, None))

    assert [len(one.scores) for one in found] == [1, 0]
    assert [one.read for one in found] == [3, 1]


SUBMISSIONS = "/api/v1/courses/5/students/submissions"


def test_where_graphql_is_refused_rest_is_read_and_it_is_said_once(lms, reader, notes):
    lms.on("POST", "/api/graphql", answer_json({"errors": []}, 401))
    lms.on("GET", SUBMISSIONS, answer_json([]))

    for _ in range(2):
        found = list(reader.pages(listed(), {}, None))

    assert read_cursor(found[-1].cursor).is_by_rest
    assert [one.cause for one in notes.all] == ["graphql_refused"]
    assert [one.method for one in lms.seen] == ["POST", "GET", "GET"]


def test_what_was_read_by_rest_goes_on_by_rest_and_a_full_read_asks_graphql_again(lms, reader):
    lms.on("POST", "/api/graphql", answer_json({"errors": []}, 403))
    lms.on("GET", SUBMISSIONS, answer_json([]))
    lms.on("GET", "/api/v1/audit/grade_change/courses/5", answer_json({"events": []}))
    cursor = list(reader.pages(listed(), {}, None))[-1].cursor
    lms.seen.clear()

    other = ScoreReader(reader._rest, Notes(), lambda: BEGUN)
    list(other.pages(listed(), {}, cursor))
    quiet = [one.method for one in lms.seen]
    lms.seen.clear()
    list(ScoreReader(reader._rest, Notes(), lambda: BEGUN).pages(listed(), {}, None))

    assert quiet == ["GET", "GET", "GET"]
    assert [one.method for one in lms.seen] == ["POST", "GET"]


def test_a_token_that_is_bad_is_no_refusal_of_graphql(lms, reader, notes):
    challenge = {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}
    lms.on("POST", "/api/graphql", answer_json({"errors": []}, 401, headers=challenge))

    with pytest.raises(Exception, match="token") as caught:
        list(reader.pages(listed(), {}, None))

    assert caught.value.cause == "refused_access"
    assert notes.all == ()
