import pytest

PAGE = "pageInfo { hasNextPage endCursor totalCount }"


@pytest.fixture
def ask(browser):
    def send(fields, course=101):
        query = f'{{ course(id: "{course}") {{ {fields} }} }}'
        headers = {"Authorization": "Bearer manual-token"}
        return browser.post("/api/graphql", json={"query": query}, headers=headers).json

    return send


def nodes(answer, name):
    return answer["data"]["course"][name]["nodes"]


def test_assignments_come_unpublished_ones_too(ask):
    answer = ask(
        "assignmentsConnection(filter: {gradingPeriodId: null}) "
        f"{{ nodes {{ _id state dueAt updatedAt }} {PAGE} }}"
    )

    found = {node["_id"]: node["state"] for node in nodes(answer, "assignmentsConnection")}
    assert len(found) == 5
    assert found["1004"] == "unpublished"


def test_enrolments_are_chosen_by_type_and_state(ask):
    fields = "{ nodes { type state user { _id name } } }"
    everybody = ask(f"enrollmentsConnection {fields}")
    active = ask(
        "enrollmentsConnection(filter: {types: [StudentEnrollment], states: [active]}) " + fields
    )

    assert {node["type"] for node in nodes(everybody, "enrollmentsConnection")} == {
        "StudentEnrollment",
        "TeacherEnrollment",
        "ObserverEnrollment",
    }
    assert [node["user"]["_id"] for node in nodes(active, "enrollmentsConnection")] == ["3", "4"]


def test_a_list_is_cut_into_pages(ask):
    first = ask(f"assignmentsConnection(first: 2) {{ nodes {{ _id }} {PAGE} }}")
    page = first["data"]["course"]["assignmentsConnection"]["pageInfo"]
    after = page["endCursor"]
    rest = ask(f'assignmentsConnection(after: "{after}") {{ nodes {{ _id }} {PAGE} }}')

    both = nodes(first, "assignmentsConnection") + nodes(rest, "assignmentsConnection")
    ids = {node["_id"] for node in both}
    assert (page["hasNextPage"], page["totalCount"]) == (True, 5)
    assert len(ids) == len(both) == 5


def test_sections_groups_and_categories_have_names(ask, browser):
    browser.post("/_control/group", json={"course": 101, "learner": 3, "name": "Red"})

    answer = ask(
        "sectionsConnection { nodes { _id name } } "
        "groupsConnection { nodes { name membersCount } } "
        "assignmentGroupsConnection { nodes { name } }"
    )

    assert nodes(answer, "sectionsConnection") == [{"_id": "50101", "name": "Mathematics 101"}]
    assert nodes(answer, "groupsConnection") == [{"name": "Red", "membersCount": 1}]
    assert {node["name"] for node in nodes(answer, "assignmentGroupsConnection")} == {
        "Homework",
        "Quizzes",
        "Projects",
    }


def test_submissions_are_chosen_by_due_date_both_ends_included(ask):
    days = '{start: "2026-10-31T12:00:00Z", end: "2026-11-10T12:00:00Z"}'
    answer = ask(
        "submissionsConnection(filter: {dueBetween: " + days + "}) { nodes { assignmentId } }"
    )

    found = {node["assignmentId"] for node in nodes(answer, "submissionsConnection")}
    assert found == {"1002", "1003"}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_graphql_can_be_refused(browser, status):
    browser.post("/_control/rights", json={"graphql": status})
    headers = {"Authorization": "Bearer manual-token"}

    answer = browser.post("/api/graphql", json={"query": "{ __typename }"}, headers=headers)

    assert answer.status_code == status
    assert "WWW-Authenticate" not in answer.headers
