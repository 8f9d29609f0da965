import base64
import json

import pytest


def nodes_of(answer):
    return answer["data"]["course"]["submissionsConnection"]["nodes"]


def page_of(answer):
    return answer["data"]["course"]["submissionsConnection"]["pageInfo"]


ALL = "states: [submitted, unsubmitted, pending_review, graded]"


def test_only_what_was_handed_in_or_graded_comes_unless_states_are_named(graphql):
    assert len(nodes_of(graphql())) == 7
    assert len(nodes_of(graphql(f"(filter: {{{ALL}}})"))) == 12


def test_unpublished_assignments_never_come_even_as_deleted(graphql):
    found = nodes_of(graphql(f"(first: 100, filter: {{{ALL}}})"))

    assert {node["assignmentId"] for node in found} == {"1001", "1002", "1003", "1005"}
    assert nodes_of(graphql("(filter: {states: [deleted]})")) == []


def test_updated_since_is_strictly_later(graphql, score):
    score(3, 1001, 19)

    same = graphql('(filter: {updatedSince: "2026-11-20T12:00:00Z"})')
    before = graphql('(filter: {updatedSince: "2026-11-20T11:59:59Z"})')

    assert nodes_of(same) == []
    assert [node["_id"] for node in nodes_of(before)] == ["1001000003"]


def test_a_page_has_twenty_nodes_unless_told_and_never_more_than_a_hundred(graphql, state):
    with state:
        state.executemany(
            "INSERT INTO assignments (course_id, category_id, title, maximum, kind, position, "
            "created_at, updated_at) VALUES (101, 1, ?, 1, 'assignment', 9, 0, 0)",
            [(f"Extra {number}",) for number in range(40)],
        )

    assert len(nodes_of(graphql(f"(filter: {{{ALL}}})"))) == 20
    assert len(nodes_of(graphql(f"(first: 500, filter: {{{ALL}}})"))) == 100


def test_cursors_lead_through_all_pages(graphql):
    found, after = [], ""
    while True:
        answer = graphql(f'(first: 5, after: "{after}", filter: {{{ALL}}})')
        found += [node["_id"] for node in nodes_of(answer)]
        if not page_of(answer)["hasNextPage"]:
            break
        after = page_of(answer)["endCursor"]

    assert len(found) == len(set(found)) == page_of(answer)["totalCount"] == 12


def test_a_readable_but_senseless_cursor_starts_over_and_an_unreadable_one_is_an_error(graphql):
    senseless = base64.b64encode(b"hello").decode()

    assert nodes_of(graphql(f'(after: "{senseless}")')) == nodes_of(graphql())
    assert graphql('(after: "!!")')["errors"]


def test_nodes_carry_points_moments_rubric_and_history(graphql):
    fields = (
        "userId assignmentId score grade enteredScore deductedPoints excused state late attempt "
        "gradedAt postedAt rubricAssessmentsConnection { nodes { assessmentRatings "
        "{ points criterion { _id } } } } "
        "submissionHistoriesConnection { nodes { attempt score } }"
    )
    found = {(node["userId"], node["assignmentId"]): node for node in nodes_of(graphql("", fields))}

    late = found["4", "1001"]
    assert (late["score"], late["enteredScore"], late["deductedPoints"]) == (18, 20, 2)
    rubric = found["3", "1003"]["rubricAssessmentsConnection"]["nodes"][0]["assessmentRatings"]
    assert {row["criterion"]["_id"]: row["points"] for row in rubric} == {"_c1": 4, "_c2": 2}
    history = found["3", "1001"]["submissionHistoriesConnection"]["nodes"]
    assert [(row["attempt"], row["score"]) for row in history] == [(1, 10), (2, 18)]
    assert found["3", "1005"]["postedAt"] is None
    assert found["4", "1002"]["excused"] is True


def test_learners_and_order_can_be_chosen(graphql):
    answer = graphql(
        '(studentIds: ["4"], orderBy: [{field: _id, direction: descending}])', "_id userId"
    )

    ids = [int(node["_id"]) for node in nodes_of(answer)]
    assert {node["userId"] for node in nodes_of(answer)} == {"4"}
    assert ids == sorted(ids, reverse=True)


def test_a_course_is_found_by_sis_id_and_a_missing_one_is_null(browser):
    headers = {"Authorization": "Bearer manual-token"}
    query = '{ a: course(sisId: "C101") { _id } b: course(id: "9") { _id } }'

    answer = browser.post("/api/graphql", json={"query": query}, headers=headers)

    assert answer.json["data"] == {"a": {"_id": "101"}, "b": None}


def test_several_courses_come_in_one_query(browser):
    headers = {"Authorization": "Bearer manual-token"}
    query = '{ courses(ids: ["101", "102"]) { _id state } }'

    answer = browser.post("/api/graphql", json={"query": query}, headers=headers).json

    assert [course["state"] for course in answer["data"]["courses"]] == ["available", "completed"]


@pytest.mark.parametrize(
    "query",
    [
        "{ course(id: 1) { nothing } }",
        "{ course(id: 1) {",
        "",
        '{ course(id: "101") { submissionsConnection(filter: {states: [lost]}) { nodes {_id} } } }',
        '{course(id: "101") {submissionsConnection(filter: {updatedSince: "soon"}) {nodes {_id}}}}',
        "{ " + " ".join(f'a{n}: course(id: "1") {{ _id }}' for n in range(21)) + " }",
    ],
)
def test_a_bad_query_is_answered_with_200_and_errors(browser, query):
    headers = {"Authorization": "Bearer manual-token"}

    answer = browser.post("/api/graphql", json={"query": query}, headers=headers)

    assert answer.status_code == 200
    assert answer.json["errors"][0]["message"]


@pytest.fixture
def ask(browser):
    def send(query, **variables):
        headers = {"Authorization": "Bearer manual-token"}
        payload = {"query": query, "variables": variables}
        return browser.post("/api/graphql", json=payload, headers=headers).json

    return send


EVERYTHING = """
id _id userId assignmentId score grade enteredScore enteredGrade deductedPoints excused state
latePolicyStatus late missing secondsLate gradeMatchesCurrentSubmission cachedDueDate redoRequest
submittedAt gradedAt postedAt updatedAt attempt __typename
rubricAssessmentsConnection { __typename nodes { __typename _id score artifactAttempt
  assessmentRatings { __typename _id points comments
    criterion { __typename _id description points learningOutcomeId } } } }
submissionHistoriesConnection { __typename nodes { __typename attempt score grade enteredScore
  excused state submittedAt gradedAt postedAt late missing } }
"""


def test_nodes_say_what_edges_say_field_by_field(ask):
    answer = ask(
        f'{{ course(id: "101") {{ submissionsConnection(filter: {{{ALL}}}) {{ '
        f"nodes {{ {EVERYTHING} }} edges {{ node {{ {EVERYTHING} }} }} }} }} }}"
    )

    found = answer["data"]["course"]["submissionsConnection"]
    assert len(found["nodes"]) == 12
    assert found["nodes"] == [edge["node"] for edge in found["edges"]]
    assert json.dumps(found["nodes"][0]) == json.dumps(found["edges"][0]["node"])


def test_nodes_may_be_selected_by_aliases_and_fragments(ask):
    answer = ask(
        """
        query($course: ID!) { course(id: $course) { submissionsConnection(first: 1) {
          all: nodes { ...who ... on Submission { points: enteredScore } }
          nodes { rubricAssessmentsConnection { nodes { score } } }
          nodes { rubricAssessmentsConnection { nodes { _id } } }
        } } }
        fragment who on Submission { learner: userId ...what }
        fragment what on Submission { assignmentId }
        """,
        course="101",
    )

    found = answer["data"]["course"]["submissionsConnection"]
    assert found["all"] == [{"learner": "3", "assignmentId": "1001", "points": 18.0}]
    assert found["nodes"] == [{"rubricAssessmentsConnection": {"nodes": []}}]


@pytest.mark.parametrize(
    ("is_wanted", "keys"), [(True, ["_id", "score", "state"]), (False, ["_id", "late"])]
)
def test_skip_and_include_choose_among_the_fields_of_nodes(ask, is_wanted, keys):
    answer = ask(
        """
        query($yes: Boolean!) { course(id: "101") { submissionsConnection(first: 1) { nodes {
          _id score @include(if: $yes) late @skip(if: $yes) ... @include(if: $yes) { state }
        } } } }
        """,
        yes=is_wanted,
    )

    (node,) = nodes_of(answer)
    assert list(node) == keys
