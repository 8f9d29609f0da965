import msgspec
import pytest

from connectors.canvas.lists import Lists, digest_of
from connectors.canvas.long_lists import whole
from connectors.canvas.payloads import Connection
from connectors.canvas.rest import CanvasRest
from connectors.platform import open_client
from tests.connectors.doubles import access, services
from tests.connectors.serving import answer_json

PAGE = 100


@pytest.fixture
def rest(lms):
    platform = access(lms.url)
    return CanvasRest(open_client(platform, services()), platform)


def page_of(numbers, *, end=None):
    rows = [{"_id": str(number), "state": "active"} for number in numbers]
    return {"nodes": rows, "pageInfo": {"hasNextPage": end is not None, "endCursor": end}}


def lists(*, people, columns=None):
    text = {"assignmentsConnection": columns or page_of([]), "enrollmentsConnection": people}
    return msgspec.convert(text, Lists)


def people_in(found: Lists) -> int:
    connection = found.enrollments_connection
    assert isinstance(connection, Connection)
    return len(connection.rows())


def test_lists_that_are_whole_cost_nothing(rest):
    found = whole(rest, {"5": lists(people=page_of(range(3)))})

    assert people_in(found["5"]) == 3
    assert rest.http.calls == 0


def test_a_long_list_is_read_to_its_end_with_the_cursor_of_each_page(lms, rest):
    pages = {"A": page_of(range(100, 200), end="B"), "B": page_of(range(200, 207))}

    def answer(request):
        after = request.json["variables"]["p0"]
        return answer_json({"data": {"c0": {"enrollmentsConnection": pages[after]}}})

    lms.on("POST", "/api/graphql", answer)
    found = whole(rest, {"5": lists(people=page_of(range(PAGE), end="A"))})

    assert people_in(found["5"]) == 207
    assert digest_of(found["5"]) == digest_of(lists(people=page_of(range(207))))
    assert rest.http.calls == 2


def test_twenty_courses_share_a_query(lms, rest):
    further = {f"c{n}": {"enrollmentsConnection": page_of([n])} for n in range(20)}
    lms.on("POST", "/api/graphql", answer_json({"data": further}))

    found = whole(rest, {str(n): lists(people=page_of([99], end="A")) for n in range(21)})

    assert {people_in(one) for one in found.values()} == {2}
    assert rest.http.calls == 2


@pytest.mark.parametrize("answer", [{"c0": None}, {"c0": {"enrollmentsConnection": None}}, {}])
def test_a_page_that_does_not_come_leaves_no_digest(lms, rest, answer):
    lms.on("POST", "/api/graphql", answer_json({"data": answer}))

    found = whole(rest, {"5": lists(people=page_of(range(PAGE), end="A"))})

    assert digest_of(found["5"]) == ""


def test_a_list_that_never_ends_is_given_up_and_has_no_digest(lms, rest):
    endless = {"c0": {"enrollmentsConnection": page_of([1], end="A")}}
    lms.on("POST", "/api/graphql", answer_json({"data": endless}))

    found = whole(rest, {"5": lists(people=page_of([1], end="A"))})

    assert digest_of(found["5"]) == ""
    assert rest.http.calls == 20


def test_columns_and_people_go_on_in_the_same_query(lms, rest):
    further = {"assignmentsConnection": page_of([2]), "enrollmentsConnection": page_of([2])}
    lms.on("POST", "/api/graphql", answer_json({"data": {"c0": further}}))

    found = whole(rest, {"5": lists(people=page_of([1], end="P"), columns=page_of([1], end="A"))})

    expected = lists(people=page_of([1, 2]), columns=page_of([1, 2]))
    assert digest_of(found["5"]) == digest_of(expected)
    assert rest.http.calls == 1
