"""What the self-check says of a Canvas that grants less."""

from contextlib import closing

import pytest

from connectors.canvas.scopes import SCOPES
from simulators.state import open_state
from tests.contracts.subjects import post

NAMES = [
    "Access token",
    "Courses of the account",
    "GraphQL",
    "Include parameters",
    "All grades",
    "Sections",
    "Groups",
    "Gradebook columns",
    "Grade change log",
]


def checked(canvas):
    return {one.name: one for one in canvas.gradebook.self_check()}


def alter(canvas, sql, *values):
    with closing(open_state(canvas.state)) as connection, connection:
        connection.execute(sql, values)


def deny(canvas, **statuses):
    post(f"{canvas.url}/_control/rights", statuses)


def test_where_all_is_granted_all_is_fine_and_nothing_is_advised(canvas):
    found = canvas.gradebook.self_check()

    assert [one.name for one in found] == NAMES
    assert all(one.is_fine and not one.advice for one in found)


def test_the_scopes_that_waymark_asks_for_are_enough_but_for_include(canvas):
    alter(canvas, "UPDATE tokens SET scopes = ? WHERE kind = 'rest'", " ".join(SCOPES))

    found = checked(canvas)

    assert [name for name, one in found.items() if one.advice] == ["Include parameters"]
    assert "Allow Include Parameters" in found["Include parameters"].advice


@pytest.mark.parametrize(
    ("denied", "name", "is_fine", "words"),
    [
        ({"graphql": 401}, "GraphQL", True, "url:POST|/api/graphql"),
        ({"grades": 403}, "All grades", False, "Grades - view all grades"),
        ({"columns": 403}, "Gradebook columns", False, "Grades - edit"),
        ({"sections": 401}, "Sections", True, "/sections"),
        ({"groups": 403}, "Groups", True, "/groups"),
        ({"graphql": 404, "audit": 404}, "Grade change log", True, "weekly sweep"),
    ],
)
def test_what_is_missing_is_named_with_the_right_to_add(canvas, denied, name, is_fine, words):
    deny(canvas, **denied)

    found = checked(canvas)

    assert (found[name].is_fine, words in found[name].advice) == (is_fine, True)
    assert {other for other, one in found.items() if one.advice} <= {name, "GraphQL"}


def test_without_graphql_the_audit_is_enough(canvas):
    deny(canvas, graphql=403)

    assert checked(canvas)["Grade change log"].advice == ""


def test_dropped_includes_cost_the_rubrics_where_graphql_is_refused_too(canvas):
    scopes = " ".join(scope for scope in SCOPES if "graphql" not in scope)
    alter(canvas, "UPDATE tokens SET scopes = ? WHERE kind = 'rest'", scopes)

    found = checked(canvas)["Include parameters"]

    assert not found.is_fine
    assert "rubric scores" in found.advice


def test_a_bad_token_ends_the_check_with_the_reason(canvas):
    alter(canvas, "UPDATE tokens SET token = 'another' WHERE kind = 'rest'")

    found = canvas.gradebook.self_check()

    assert [(one.name, one.is_fine) for one in found] == [("Access token", False)]
    assert "401" in found[0].advice


def test_an_account_without_open_courses_cannot_be_looked_at_further(canvas):
    alter(canvas, "UPDATE courses SET state = 'concluded'")

    found = canvas.gradebook.self_check()

    assert [(one.name, one.is_fine) for one in found] == [
        ("Access token", True),
        ("Courses of the account", False),
    ]
