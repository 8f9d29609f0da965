from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canvas.lists import Lists, digest_of, falls_due, ids_of, touched_after

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
COLUMN = {
    "_id": "7",
    "updatedAt": "2026-11-20T12:00:00Z",
    "dueAt": "2026-11-21T12:00:00Z",
    "state": "published",
}
PERSON = {
    "_id": "3",
    "updatedAt": "2026-11-20T12:00:00Z",
    "state": "active",
    "user": {"_id": "30", "name": "Ada"},
}
NAMED = {"_id": "1", "name": "Morning"}


def connection(*rows, more=False):
    return {"nodes": list(rows), "pageInfo": {"hasNextPage": more}}


def lists(**changes):
    payload = {
        "assignmentsConnection": connection(COLUMN),
        "enrollmentsConnection": connection(PERSON),
        "sectionsConnection": connection(NAMED),
        "groupsConnection": connection({**NAMED, "membersCount": 3}),
        "assignmentGroupsConnection": connection(NAMED),
    }
    return msgspec.convert({**payload, **changes}, Lists)


@pytest.mark.parametrize(
    "changes",
    [
        {"assignmentsConnection": connection({**COLUMN, "updatedAt": "2026-11-20T12:00:01Z"})},
        {"assignmentsConnection": connection({**COLUMN, "state": "unpublished"})},
        {"assignmentsConnection": connection()},
        {"assignmentsConnection": connection(COLUMN, {**COLUMN, "_id": "8"})},
        {"enrollmentsConnection": connection({**PERSON, "state": "inactive"})},
        {"enrollmentsConnection": connection({**PERSON, "user": {"_id": "30", "name": "A."}})},
        {"enrollmentsConnection": connection({**PERSON, "user": {"_id": "31", "name": "Ada"}})},
        {"sectionsConnection": connection({**NAMED, "name": "Evening"})},
        {"sectionsConnection": connection(NAMED, {**NAMED, "_id": "2"})},
        {"groupsConnection": connection({**NAMED, "membersCount": 4})},
        {"groupsConnection": None},
        {"assignmentGroupsConnection": connection({**NAMED, "name": "Exams"})},
    ],
)
def test_any_change_of_a_list_changes_the_digest(changes):
    assert digest_of(lists(**changes)) not in {"", digest_of(lists())}


@given(st.permutations([{**NAMED, "_id": str(number)} for number in range(5)]))
def test_the_order_of_rows_does_not_matter(rows):
    one = digest_of(lists(sectionsConnection=connection(*rows)))

    assert one == digest_of(lists(sectionsConnection=connection(*sorted(rows, key=repr))))
    assert len(one) == 32


@pytest.mark.parametrize(
    "changes",
    [
        {"assignmentsConnection": connection(COLUMN, more=True)},
        {"enrollmentsConnection": connection(PERSON, more=True)},
        {"sectionsConnection": connection(NAMED, more=True)},
        {"assignmentsConnection": None},
        {"enrollmentsConnection": None},
    ],
)
def test_lists_that_are_not_whole_have_no_digest(changes):
    assert digest_of(lists(**changes)) == ""


def test_a_row_that_may_not_be_seen_is_passed_over():
    assert digest_of(lists(sectionsConnection=connection(None, NAMED))) == digest_of(lists())


@pytest.mark.parametrize(("seconds", "is_touched"), [(-1, True), (0, False), (1, False)])
def test_columns_and_people_touched_after_a_moment_are_noticed(seconds, is_touched):
    moment = NOON + timedelta(seconds=seconds)

    assert touched_after(lists(assignmentsConnection=None), moment) is is_touched
    assert touched_after(lists(enrollmentsConnection=None), moment) is is_touched


@pytest.mark.parametrize(
    ("after", "until", "falls"),
    [(0, 24, True), (0, 23, False), (24, 48, False), (23, 24, True)],
)
def test_a_due_date_between_two_moments_is_noticed(after, until, falls):
    hours = [NOON + timedelta(hours=number) for number in (after, until)]

    assert falls_due(lists(), *hours) is falls


def test_a_column_without_a_due_date_never_falls_due():
    undated = lists(assignmentsConnection=connection({**COLUMN, "dueAt": None}))

    assert not falls_due(undated, NOON, NOON + timedelta(days=999))


def test_ids_are_those_of_columns_and_enrolments():
    assert ids_of(lists()) == ({"7"}, {"3"})
    assert ids_of(lists(assignmentsConnection=None, enrollmentsConnection=None)) == (set(), set())
