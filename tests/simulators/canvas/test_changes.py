"""What each act does to a cell, and which of its moments move (canvas.md 2.4)."""

import pytest

FIELDS = (
    "_id userId assignmentId state score enteredScore excused late missing attempt "
    "gradedAt postedAt updatedAt"
)


@pytest.fixture
def act(browser, clock):
    """Do one act an hour later."""

    def do(kind, *, learner=3, item=1001, value="", **more):
        clock.pass_by(3600)
        sent = {"kind": kind, "course": 101, "learner": learner, "item": item, "value": value}
        return browser.post("/_control/change", json=sent | more)

    return do


@pytest.fixture
def node(graphql):
    """A submission as GraphQL shows it; None where there is none."""

    def read(learner=3, item=1001):
        answer = graphql(
            "(first: 100, filter: {states: [submitted, unsubmitted, pending_review, graded]})",
            FIELDS,
        )
        nodes = answer["data"]["course"]["submissionsConnection"]["nodes"]
        place = (str(learner), str(item))
        return next((n for n in nodes if (n["userId"], n["assignmentId"]) == place), None)

    return read


MOVES = [
    ("grade", 5, {"gradedAt", "updatedAt"}),
    ("clear", "", {"updatedAt"}),
    ("excuse_learner", "", {"gradedAt", "updatedAt"}),
    ("hand_in", "", {"updatedAt"}),
    ("mark_late", "", {"gradedAt", "updatedAt"}),
    ("mark_missing", "", {"gradedAt", "updatedAt"}),
    ("comment", "Well done", {"updatedAt"}),
    ("hide_scores", "", {"updatedAt", "postedAt"}),
    ("change_due", "2026-10-01T00:00:00+00:00", {"updatedAt"}),
    ("let_due_pass", "", set()),
    ("fill_missing", "", set()),
    ("rename_item", "Another", set()),
]


@pytest.mark.parametrize(("kind", "value", "moved"), MOVES)
def test_only_those_moments_move_that_canvas_moves(act, node, kind, value, moved):
    before = node()

    answer = act(kind, value=value)

    after = node()
    moments = ("gradedAt", "updatedAt", "postedAt")
    assert answer.status_code == 200
    assert {name for name in moments if before[name] != after[name]} == moved


@pytest.fixture(params=["graphql", "rest"])
def history(request, rest, graphql):
    """The attempts of a cell by one of the two APIs: number, score, state, late."""

    def by_rest():
        row = rest(
            "GET",
            "/courses/101/students/submissions?student_ids[]=3&assignment_ids[]=1001"
            "&include[]=submission_history",
        ).json[0]
        names = ("attempt", "entered_score", "workflow_state", "late")
        return [tuple(one[name] for name in names) for one in row["submission_history"]]

    def by_graphql():
        names = ("attempt", "enteredScore", "state", "late")
        fields = (
            f"userId assignmentId submissionHistoriesConnection {{nodes {{{' '.join(names)}}}}}"
        )
        answer = graphql('(studentIds: ["3"])', fields)
        nodes = answer["data"]["course"]["submissionsConnection"]["nodes"]
        node = next(one for one in nodes if one["assignmentId"] == "1001")
        past = node["submissionHistoriesConnection"]["nodes"]
        return [tuple(one[name] for name in names) for one in past]

    return {"graphql": by_graphql, "rest": by_rest}[request.param]


def test_a_history_ends_with_the_submission_itself(act, history):
    act("hand_in")

    assert history() == [
        (1, 10, "graded", False),
        (2, 18, "graded", False),
        (3, 18, "graded", True),
    ]


def test_an_attempt_that_nobody_graded_keeps_the_score_that_stood_beside_it(act, history):
    act("hand_in")
    act("hand_in")
    act("grade", value=20)

    assert [entry[1] for entry in history()] == [10, 18, 18, 20]


def test_a_regrade_takes_the_entrys_place(act, history):
    act("grade", value=5)
    act("grade", value=6)
    act("hand_in")

    assert [entry[:2] for entry in history()] == [(1, 10), (2, 6), (3, 6)]


@pytest.mark.parametrize("kind", ["clear", "excuse_learner"])
def test_a_grade_that_was_taken_away_is_gone_from_its_attempt_too(act, history, kind):
    act(kind)
    act("hand_in")
    act("grade", value=20)

    assert [entry[:2] for entry in history()] == [(1, 10), (2, None), (3, 20)]


def test_an_excuse_taken_back_leaves_no_score_and_no_newer_graded_at(act, node):
    act("excuse_learner")
    excused = node()

    act("take_back_excuse")

    after = node()
    assert (after["excused"], after["score"], after["state"]) == (False, None, "graded")
    assert after["gradedAt"] == excused["gradedAt"]
    assert after["updatedAt"] > excused["updatedAt"]


def test_a_grade_takes_an_excuse_away_in_silence(act, node):
    act("excuse_learner")

    act("grade", value=7)

    assert (node()["excused"], node()["score"]) == (False, 7)


def test_a_late_policy_deducts_anew_and_moves_updated_at_alone(act, node):
    before = node(learner=4)

    answer = act("change_late_policy", value=25)

    after = node(learner=4)
    assert answer.json["changed"] == 1
    assert (before["score"], after["score"]) == (18, 15)
    assert after["gradedAt"] == before["gradedAt"]
    assert after["updatedAt"] > before["updatedAt"]


def test_the_missing_policy_gives_zero_without_touching_a_moment(act, node):
    item = act("add_item", value="Never done").json["item"]
    added = node(item=item)

    act("fill_missing", item=item)

    assert (added["score"], node(item=item)["score"]) == (None, 0)
    assert node(item=item)["updatedAt"] == added["updatedAt"]


def test_the_missing_policy_touches_no_moment_of_a_cell_that_was_commented_either(act, node):
    item = act("add_item", value="Never done").json["item"]
    act("comment", item=item, value="Where is it?")
    commented = node(item=item)

    act("fill_missing", item=item)

    assert node(item=item)["score"] == 0
    assert node(item=item)["updatedAt"] == commented["updatedAt"]


def test_a_quiz_handed_in_for_review_has_a_score_that_waits(act, node):
    act("hand_in_for_review", item=1002, value=3)

    after = node(item=1002)
    assert (after["state"], after["enteredScore"], after["attempt"]) == ("pending_review", 3, 2)


def test_rubric_rows_make_the_score(act, node):
    act("grade_rubric_row", item=1003, value=1)
    changed = node(item=1003)["score"]

    act("clear_rubric_row", item=1003, criterion="_c2")

    assert (changed, node(item=1003)["score"]) == (3, 1)


@pytest.mark.parametrize(
    ("kind", "back"),
    [
        ("unassign", "assign"),
        ("unpublish_item", "publish_item"),
        ("remove_learner", "restore_learner"),
    ],
)
def test_a_row_that_is_gone_is_there_again_with_its_score(act, node, kind, back):
    before = node()

    act(kind)
    gone = node()
    act(back)

    assert gone is None
    assert node()["score"] == before["score"] == 18


def test_a_deleted_assignment_takes_its_rows_along(act, node, rest):
    act("delete_item")

    assert node() is None
    assert rest("GET", "/courses/101/assignments/1001").status_code == 404


def test_a_merged_user_leaves_grades_and_sis_id_to_the_other(act, node, rest):
    act("merge_user", value="S5")

    people = rest("GET", "/courses/101/enrollments?state[]=active&state[]=inactive").json
    merged = [row for row in people if row["sis_user_id"] == "S3"]
    assert node(learner=5)["score"] == 18
    assert node(learner=3) is None
    assert [row["user_id"] for row in merged if row["type"] == "StudentEnrollment"] == [5]


def test_a_learner_moves_from_section_to_section(act, rest):
    act("move_section", value="Morning")

    act("move_section", value="Afternoon")

    sections = {row["name"]: row["id"] for row in rest("GET", "/courses/101/sections").json}
    people = rest("GET", "/courses/101/enrollments?user_id=3").json
    assert [row["course_section_id"] for row in people] == [sections["Afternoon"]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "fly"}, "there is no 'fly' here"),
        ({"kind": "grade", "value": "many"}, "'many' is no number"),
        ({"kind": "grade", "value": 3, "learner": 6}, "no learner 6"),
        ({"kind": "grade", "value": 3, "item": 1004}, "not published"),
        ({"kind": "change_due", "value": "soon"}, "'soon' is no moment"),
        ({"kind": "move_item", "value": "Nowhere"}, "no category 'Nowhere'"),
        ({"kind": "merge_user", "value": "99"}, "no person '99'"),
        ({"kind": "grade_rubric_row", "value": 1}, "no rubric row"),
        ({"kind": "grade", "learner": "nobody"}, "nobody"),
    ],
)
def test_what_nobody_could_do_is_refused_in_words(browser, change, words):
    sent = {"course": 101, "learner": 3, "item": 1001} | change

    answer = browser.post("/_control/change", json=sent)

    assert answer.status_code == 400
    assert words in answer.json["error"]


def test_what_lacks_a_course_is_refused(browser):
    assert browser.post("/_control/change", json={"kind": "clear"}).status_code == 400
    assert browser.post("/_control/change", data="no JSON").status_code == 400


def test_every_act_is_told_in_a_sentence(browser):
    told = browser.get("/_control/change").json

    assert len(told) > 30
    assert all(words.endswith(".") for words in told.values())


def test_the_gradebook_page_does_any_act(browser, node):
    form = {"kind": "excuse_learner", "learner": "3", "item": "1001", "value": ""}

    answer = browser.post("/gradebook/101/change", data=form)

    assert answer.status_code == 303
    assert node()["excused"] is True


def test_the_gradebook_page_takes_somebody_of_the_district_by_name(browser, rest):
    form = {"kind": "add_learner", "learner": "3", "other": "S6"}

    browser.post("/gradebook/101/change", data=form)

    people = rest("GET", "/courses/101/enrollments?type[]=StudentEnrollment&user_id=6").json
    assert [row["user_id"] for row in people] == [6]


def test_the_gradebook_page_says_why_nothing_was_changed(browser):
    form = {"kind": "grade", "learner": "3", "item": "1001", "value": "great"}

    answer = browser.post("/gradebook/101/change", data=form)

    assert answer.status_code == 400
    assert "Nothing was changed" in answer.text


def test_the_gradebook_shows_what_became_of_a_cell(browser, act):
    act("hand_in")
    act("mark_missing", learner=4)

    page = browser.get("/gradebook/101").text

    assert "18 late new attempt" in page
    assert "missing" in page
    assert "10 hidden" in page
