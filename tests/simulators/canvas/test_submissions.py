from itertools import product

import pytest

PATH = "/courses/101/students/submissions"
ALL = f"{PATH}?student_ids[]=all&per_page=100"


@pytest.fixture
def grade(rest):
    def put(learner, assignment, **form):
        path = f"/courses/101/assignments/{assignment}/submissions/{learner}"
        return rest("PUT", path, data=form)

    return put


def by_place(rows):
    return {(row["user_id"], row["assignment_id"]): row for row in rows}


def test_all_gives_every_learner_and_published_assignment_even_untouched(rest):
    rows = by_place(rest("GET", ALL).json)

    assert set(rows) == set(product((3, 4, 5), (1001, 1002, 1003, 1005)))
    assert rows[5, 1001]["workflow_state"] == "unsubmitted"
    assert rows[5, 1001]["score"] is None
    assert rows[5, 1001]["missing"] is True


def test_rest_submissions_have_no_updated_at(rest):
    assert "updated_at" not in rest("GET", ALL).json[0]


def test_points_before_and_after_the_late_deduction_are_both_there(cell):
    late = cell(4, 1001)

    assert (late["entered_score"], late["points_deducted"], late["score"]) == (20, 2, 18)
    assert late["late"] is True
    assert late["seconds_late"] == 86400


def test_without_student_ids_the_caller_is_meant_who_is_no_learner(rest):
    assert rest("GET", PATH).status_code == 403


def test_more_than_a_hundred_students_are_too_many(rest):
    ids = "&".join(f"student_ids[]={number}" for number in range(101))

    refused = rest("GET", f"{PATH}?{ids}")

    assert refused.status_code == 400
    assert refused.json == {"error": "too many students"}


@pytest.mark.parametrize("bad", ["1004", "2001", "999999", "x"])
def test_one_unpublished_or_foreign_assignment_refuses_the_whole_call(rest, bad):
    refused = rest("GET", f"{ALL}&assignment_ids[]=1001&assignment_ids[]={bad}")

    assert refused.status_code == 403
    assert refused.json == {"error": "invalid assignment ids requested"}


def test_students_may_be_named_by_sis_id(rest):
    rows = rest("GET", f"{PATH}?student_ids[]=sis_user_id:S4").json

    assert {row["user_id"] for row in rows} == {4}


def test_graded_since_is_strictly_later(rest, cell):
    at = cell(3, 1001)["graded_at"]

    same = rest("GET", f"{ALL}&graded_since={at}").json
    before = rest("GET", f"{ALL}&graded_since={at.replace('00Z', '00.0Z').replace('12:', '11:')}")

    assert (3, 1001) not in by_place(same)
    assert (3, 1001) in by_place(before.json)


@pytest.mark.parametrize("text", ["yesterday", "2026-11-20", "2026-11-20 10:00:00Z", "1795000000"])
def test_a_since_in_another_form_is_refused(rest, text):
    refused = rest("GET", f"{ALL}&graded_since={text}")

    assert refused.status_code == 400
    assert refused.json == {"errors": {"graded_since": "Invalid datetime for graded_since"}}


def test_includes_bring_rubric_points_and_history(rest):
    path = f"{ALL}&include[]=rubric_assessment&include[]=submission_history"
    rows = by_place(rest("GET", path).json)

    rubric = rows[3, 1003]["rubric_assessment"]
    assert {key: value["points"] for key, value in rubric.items()} == {"_c1": 4, "_c2": 2}
    history = rows[3, 1001]["submission_history"]
    assert [(entry["attempt"], entry["score"]) for entry in history] == [(1, 10), (2, 18)]
    assert "rubric_assessment" not in rows[3, 1001]


def test_fields_can_be_left_out(rest):
    row = rest("GET", f"{ALL}&exclude_response_fields[]=preview_url").json[0]

    assert "preview_url" not in row
    assert "score" in row


def test_grouped_submissions_are_paged_by_learner(rest):
    groups = rest("GET", f"{PATH}?student_ids[]=all&grouped=1&per_page=2").json

    assert [group["user_id"] for group in groups] == [3, 4]
    assert len(groups[0]["submissions"]) == 4
    assert groups[0]["sis_user_id"] == "S3"


def test_enrollment_state_narrows_the_learners(rest):
    rows = rest("GET", f"{ALL}&enrollment_state=active").json

    assert {row["user_id"] for row in rows} == {3, 4}


def test_a_grade_moves_graded_at_and_posts_where_the_assignment_posts(grade, cell):
    grade(4, 1003, **{"submission[posted_grade]": "7"})

    written = cell(4, 1003)
    assert (written["score"], written["workflow_state"]) == (7, "graded")
    assert written["graded_at"] == written["posted_at"] == "2026-11-20T12:00:00Z"
    assert written["grader_id"] == 1


def test_a_grade_of_a_manually_posted_assignment_stays_unposted(grade, cell):
    grade(4, 1005, **{"submission[posted_grade]": "7"})

    assert cell(4, 1005)["posted_at"] is None
    assert cell(4, 1005)["graded_at"] is not None


def test_clearing_keeps_the_state_and_graded_at_and_is_not_seen_by_graded_since(
    grade, cell, rest, graphql
):
    before = cell(3, 1001)

    grade(3, 1001, **{"submission[posted_grade]": ""})

    after = cell(3, 1001)
    assert (after["score"], after["workflow_state"]) == (None, "graded")
    assert after["graded_at"] == before["graded_at"]
    assert rest("GET", f"{ALL}&graded_since=2026-11-20T00:00:00Z").json == []
    changed = graphql('(filter: {updatedSince: "2026-11-20T00:00:00Z"})')
    nodes = changed["data"]["course"]["submissionsConnection"]["nodes"]
    assert [(node["userId"], node["assignmentId"]) for node in nodes] == [("3", "1001")]


def test_excusing_takes_the_score_and_moves_graded_at(grade, cell):
    grade(3, 1001, **{"submission[excuse]": "true"})

    excused = cell(3, 1001)
    assert (excused["excused"], excused["score"]) == (True, None)
    assert excused["workflow_state"] == "graded"
    assert excused["graded_at"] == "2026-11-20T12:00:00Z"


def test_taking_an_excuse_back_leaves_graded_at(grade, cell, clock):
    grade(3, 1001, **{"submission[excuse]": "true"})
    clock.pass_by(100)
    grade(3, 1001, **{"submission[excuse]": "false"})

    back = cell(3, 1001)
    assert (back["excused"], back["score"]) == (False, None)
    assert back["graded_at"] == "2026-11-20T12:00:00Z"


def test_a_grade_silently_ends_an_excuse(grade, cell):
    grade(4, 1002, **{"submission[posted_grade]": "9"})

    assert (cell(4, 1002)["excused"], cell(4, 1002)["score"]) == (False, 9)


def test_a_grade_and_an_excuse_at_once_are_refused(grade):
    refused = grade(3, 1001, **{"submission[posted_grade]": "9", "submission[excuse]": "true"})

    assert refused.status_code == 400
    assert "error" in refused.json


@pytest.mark.parametrize(
    ("text", "score"), [("13.5", 13.5), ("40%", 8), ("complete", 20), ("fail", 0)]
)
def test_grades_may_be_points_percents_or_words(grade, cell, text, score):
    grade(3, 1001, **{"submission[posted_grade]": text})

    assert cell(3, 1001)["score"] == score


def test_a_grade_that_cannot_be_read_is_400(grade):
    assert grade(3, 1001, **{"submission[posted_grade]": "superb"}).status_code == 400


def test_a_rubric_assessment_sums_up_to_the_score(grade, cell):
    grade(4, 1003, **{"rubric_assessment[_c1][points]": "3", "rubric_assessment[_c2][points]": "2"})

    assert cell(4, 1003)["score"] == 5


def test_an_unknown_criterion_is_refused(grade):
    refused = grade(4, 1003, **{"rubric_assessment[_x][points]": "3"})

    assert refused.status_code == 400
    assert refused.json == {"message": "invalid rubric_assessment"}


def test_calling_a_cell_missing_moves_graded_at(grade, cell):
    grade(3, 1001, **{"submission[late_policy_status]": "missing"})

    assert cell(3, 1001)["missing"] is True
    assert cell(3, 1001)["graded_at"] == "2026-11-20T12:00:00Z"


def test_a_new_late_policy_moves_the_score_but_not_graded_at(browser, cell, graphql):
    before = cell(4, 1001)

    browser.post("/_control/late_policy", json={"course": 101, "percent": 10})

    after = cell(4, 1001)
    assert after["score"] == 18
    browser.post("/_control/late_policy", json={"course": 101, "percent": 25})
    after = cell(4, 1001)
    assert (after["score"], after["points_deducted"]) == (15, 5)
    assert after["graded_at"] == before["graded_at"]
    changed = graphql('(filter: {updatedSince: "2026-11-20T00:00:00Z"})')
    assert len(changed["data"]["course"]["submissionsConnection"]["nodes"]) == 1


def test_a_late_grade_is_reduced_as_in_the_manual(browser, grade, cell, state):
    with state:
        state.execute("UPDATE assignments SET maximum = 100 WHERE id = 1001")
        state.execute(
            "UPDATE grades SET submitted_at = submitted_at + 43200 "
            "WHERE assignment_id = 1001 AND learner_id = 4"
        )
    browser.post("/_control/late_policy", json={"course": 101, "percent": 10})

    grade(4, 1001, **{"submission[posted_grade]": "85"})

    assert cell(4, 1001)["score"] == 65
    assert cell(4, 1001)["entered_score"] == 85


def test_resubmitting_keeps_the_score_until_it_is_graded_again(browser, cell, score):
    browser.post("/_control/submission", json={"course": 101, "learner": 3, "assignment": 1001})

    waiting = cell(3, 1001)
    assert (waiting["score"], waiting["attempt"]) == (18, 3)
    assert waiting["grade_matches_current_submission"] is False

    score(3, 1001, 19)
    assert cell(3, 1001)["grade_matches_current_submission"] is True


def test_a_comment_is_kept_each_time(grade, rest):
    for _ in range(2):
        grade(3, 1001, **{"comment[text_comment]": "Well done"})

    path = "/courses/101/assignments/1001/submissions/3?include[]=submission_comments"
    comments = rest("GET", path).json["submission_comments"]
    assert [comment["comment"] for comment in comments] == ["Well done", "Well done"]
