import pytest


def test_self_is_the_districts_account(rest):
    account = rest("GET", "/accounts/self").json

    assert account["name"] == "Test District"
    assert account["parent_account_id"] is None


def test_courses_of_the_district_include_those_of_its_schools(rest):
    courses = rest("GET", "/accounts/self/courses").json

    assert {row["id"]: row["account_id"] for row in courses} == {101: 11, 102: 12, 103: 11}


def test_a_school_has_its_own_courses_only(rest):
    assert [row["id"] for row in rest("GET", "/accounts/12/courses").json] == [102]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("published=true", [101, 102]),
        ("published=false", [103]),
        ("completed=true", [102]),
        ("state[]=available", [101]),
        ("state[]=completed&state[]=created", [102, 103]),
        ("search_term=mathematics 103", [103]),
    ],
)
def test_courses_are_filtered(rest, query, expected):
    courses = rest("GET", f"/accounts/self/courses?{query}").json

    assert [row["id"] for row in courses] == expected


def test_a_course_says_what_state_it_is_in(rest):
    states = {
        number: rest("GET", f"/courses/{number}").json["workflow_state"]
        for number in (101, 102, 103)
    }

    assert states == {101: "available", 102: "completed", 103: "unpublished"}


def test_a_course_is_found_by_its_sis_id_and_carries_the_term_when_asked(rest):
    course = rest("GET", "/courses/sis_course_id:C101?include[]=term").json

    assert course["id"] == 101
    assert course["term"]["name"]


def test_enrollments_are_active_ones_unless_asked_otherwise(rest):
    path = "/courses/101/enrollments"

    active = rest("GET", path).json
    inactive = rest("GET", f"{path}?state[]=inactive").json

    assert {row["user_id"] for row in active} == {2, 3, 4, 6}
    assert [(row["user_id"], row["enrollment_state"]) for row in inactive] == [(5, "inactive")]


def test_an_observer_names_the_learner_and_a_learner_carries_grades(rest):
    rows = {row["user_id"]: row for row in rest("GET", "/courses/101/enrollments").json}

    assert rows[6]["type"] == "ObserverEnrollment"
    assert rows[6]["associated_user_id"] == 3
    assert rows[3]["user"]["sortable_name"] == "Alves, Lia"
    assert rows[3]["sis_user_id"] == "S3"
    assert "grades" in rows[3]
    assert "grades" not in rows[2]


def test_enrollments_of_a_concluded_course_are_completed(rest):
    path = "/courses/102/enrollments?type[]=StudentEnrollment"

    assert rest("GET", path).json == []
    assert len(rest("GET", f"{path}&state[]=completed").json) == 2


def test_users_appear_once_and_by_type(rest):
    assert {row["id"] for row in rest("GET", "/courses/101/users").json} == {2, 3, 4, 6}
    teachers = rest("GET", "/courses/101/users?enrollment_type[]=teacher").json
    assert [row["name"] for row in teachers] == ["Tom Teacher"]


def test_assignments_show_rubric_group_and_posting(rest):
    rows = {row["id"]: row for row in rest("GET", "/courses/101/assignments").json}

    assert rows[1003]["rubric"][0]["id"] == "_c1"
    assert rows[1003]["rubric"][0]["ratings"][0]["points"] == 4
    assert rows[1003]["rubric_settings"]["points_possible"] == 8
    assert "rubric" not in rows[1001]
    assert rows[1005]["post_manually"] is True
    assert rows[1004]["published"] is False
    assert rows[1002]["submission_types"] == ["online_quiz"]
    assert rows[1001]["due_at"] == "2026-10-21T12:00:00Z"


def test_groups_carry_names_and_weights(rest):
    groups = rest("GET", "/courses/101/assignment_groups?include[]=assignments").json

    assert [group["name"] for group in groups] == ["Homework", "Quizzes", "Projects"]
    assert [group["group_weight"] for group in groups] == [0, 0, 0]
    assert [row["id"] for row in groups[1]["assignments"]] == [1002]


@pytest.mark.parametrize("as_json", [True, False])
def test_an_assignment_is_left_out_of_the_final_grade_over_rest(rest, as_json):
    sent = (
        {"json": {"assignment": {"omit_from_final_grade": True}}}
        if as_json
        else {"data": {"assignment[omit_from_final_grade]": "true"}}
    )

    changed = rest("PUT", "/courses/101/assignments/1001", **sent).json

    assert changed["omit_from_final_grade"] is True
    assert rest("GET", "/courses/101/assignments/1001").json["updated_at"].startswith("2026-11-20")


def test_a_changed_maximum_changes_no_score(rest, cell):
    rest("PUT", "/courses/101/assignments/1001", json={"assignment": {"points_possible": 40}})

    assert cell(3, 1001)["score"] == 18


@pytest.mark.parametrize("change", [{"points_possible": "many"}, {"name": ""}])
def test_a_bad_change_of_an_assignment_is_400_with_its_field(rest, change):
    refused = rest("PUT", "/courses/101/assignments/1001", json={"assignment": change})

    assert refused.status_code == 400
    assert set(refused.json["errors"]) == set(change)


def test_who_has_a_token_may_ask_whose_it_is(rest):
    mine = rest("GET", "/users/self").json

    assert mine["name"]
    assert rest("GET", f"/users/{mine['id']}").json == mine


def test_nobody_else_is_found_so(rest):
    assert rest("GET", "/users/999999").status_code == 404
