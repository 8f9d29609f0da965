import pytest

SUBMISSION = "https://canvas.instructure.com/lti/submission"
KEEP = {SUBMISSION: {"new_submission": False}}


@pytest.fixture
def assignment(line_item, rest):  # noqa: ARG001 - it is made by the line item
    rows = rest("GET", "/courses/101/assignments?search_term=Mastery").json
    return rows[0]["id"]


@pytest.fixture
def results(lti, line_item):
    def read(query=""):
        return lti("GET", f"{line_item}/results{query}").json

    return read


def test_a_score_is_scaled_to_the_line_item_and_signed_by_the_tool(
    line_item, post_score, assignment, cell
):
    answer = post_score(line_item, scoreGiven=50, scoreMaximum=100)

    written = cell(3, assignment)
    assert answer.status_code == 200
    assert f"{line_item}/results/" in answer.json["resultUrl"]
    assert (written["score"], written["grader_id"]) == (2, -106)
    assert written["posted_at"] is not None


def test_more_than_the_maximum_is_taken(line_item, post_score, assignment, cell):
    post_score(line_item, scoreGiven=5)

    assert cell(3, assignment)["score"] == 5


def test_a_learner_may_be_named_by_lti_id(line_item, post_score, lti, assignment, cell):
    members = lti("GET", "/names_and_roles").json["members"]
    (lia,) = [row["user_id"] for row in members if row["name"] == "Lia Alves"]

    assert post_score(line_item, userId=lia).status_code == 200
    assert cell(3, assignment)["score"] == 3


def test_every_score_makes_a_new_attempt_unless_told_not_to(
    line_item, post_score, assignment, cell, clock
):
    post_score(line_item)
    clock.pass_by(1)
    post_score(line_item)
    assert cell(3, assignment)["attempt"] == 2

    clock.pass_by(1)
    post_score(line_item, **KEEP)
    assert cell(3, assignment)["attempt"] == 2


def test_a_stable_submission_moment_makes_no_second_attempt(
    line_item, post_score, assignment, cell
):
    for given in (2, 3):
        post_score(line_item, scoreGiven=given, submission={"submittedAt": "2026-11-20T10:00:00Z"})

    assert cell(3, assignment)["attempt"] == 1
    assert cell(3, assignment)["score"] == 3


@pytest.mark.parametrize("progress", ["NotReady", "Pending", "Failed"])
def test_a_score_that_is_not_finished_resets_even_a_teachers_grade(
    line_item, post_score, assignment, cell, score, clock, progress
):
    score(3, assignment, 4)
    clock.pass_by(5)

    post_score(line_item, gradingProgress=progress, **KEEP)

    wiped = cell(3, assignment)
    assert (wiped["score"], wiped["workflow_state"]) == (None, "graded")
    assert wiped["graded_at"] == "2026-11-20T12:00:00Z"


def test_finished_without_points_resets_too(line_item, post_score, assignment, cell, score):
    score(3, assignment, 4)

    post_score(line_item, scoreGiven=None, scoreMaximum=None, **KEEP)

    assert cell(3, assignment)["score"] is None


def test_preserve_score_never_writes(line_item, post_score, assignment, cell, score):
    score(3, assignment, 4)

    for given in (1, None):
        post_score(
            line_item,
            scoreGiven=given,
            **{SUBMISSION: {"new_submission": False, "preserve_score": True}},
        )

    assert cell(3, assignment)["score"] == 4


def test_prioritising_other_grades_means_that_the_first_write_wins(
    line_item, post_score, assignment, cell, results, clock
):
    extension = {SUBMISSION: {"new_submission": False, "prioritize_non_tool_grade": True}}
    post_score(line_item, scoreGiven=1, **extension)
    clock.pass_by(1)

    second = post_score(line_item, scoreGiven=3, **extension)

    assert second.status_code == 200
    assert cell(3, assignment)["score"] == 1
    assert results()[0]["resultScore"] == 3


def test_a_score_silently_ends_an_excuse(line_item, post_score, assignment, cell, score):
    score(3, assignment, "excused")

    post_score(line_item, **KEEP)

    assert (cell(3, assignment)["excused"], cell(3, assignment)["score"]) == (False, 3)


def test_a_comment_is_added_each_time(line_item, post_score, assignment, rest):
    for _ in range(2):
        post_score(line_item, comment="Proficient", **KEEP)

    path = f"/courses/101/assignments/{assignment}/submissions/3?include[]=submission_comments"
    comments = rest("GET", path).json["submission_comments"]
    assert [row["comment"] for row in comments] == ["Proficient", "Proficient"]


def test_an_older_timestamp_is_refused_and_an_equal_one_taken(line_item, post_score):
    post_score(line_item, timestamp="2026-11-20T11:00:00.500000Z")

    equal = post_score(line_item, timestamp="2026-11-20T11:00:00.500Z")
    older = post_score(line_item, timestamp="2026-11-20T11:00:00.499999+00:00")

    assert equal.status_code == 200
    assert older.status_code == 400


def test_a_teachers_edit_does_not_make_a_timestamp_stale(
    line_item, post_score, assignment, cell, score
):
    post_score(line_item, timestamp="2026-11-20T11:00:00Z")
    score(3, assignment, 1)

    assert post_score(line_item, timestamp="2026-11-20T11:00:01Z").status_code == 200
    assert cell(3, assignment)["score"] == 3


def test_pending_manual_waits_for_review_and_does_not_count(
    line_item, post_score, assignment, cell, browser
):
    before = browser.get("/_control/course_grades?course=101").json["3"]

    post_score(line_item, gradingProgress="PendingManual", scoreGiven=0, **KEEP)

    assert cell(3, assignment)["workflow_state"] == "pending_review"
    assert browser.get("/_control/course_grades?course=101").json["3"] == before


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"userId": "2"}, 422),
        ({"userId": "5"}, 422),
        ({"userId": "nobody"}, 422),
        ({"userId": None}, 400),
        ({"activityProgress": None}, 400),
        ({"timestamp": None}, 400),
        ({"timestamp": "yesterday"}, 400),
        ({"timestamp": "2026-11-20T11:00:00"}, 400),
        ({"scoreMaximum": None}, 422),
        ({"scoreMaximum": 0}, 422),
        ({"scoreMaximum": -1}, 422),
        ({"scoreGiven": -1}, 422),
        ({"scoreGiven": "3"}, 422),
        ({"gradingProgress": "Done"}, 422),
        ({"activityProgress": "Done"}, 422),
        ({"submission": {"submittedAt": "2026-11-20T12:02:00Z"}}, 400),
        ({"submission": {"submittedAt": "soon"}}, 400),
    ],
)
def test_a_bad_score_is_refused_and_nothing_is_written(
    line_item, post_score, assignment, cell, results, change, status
):
    refused = post_score(line_item, **change)

    assert refused.status_code == status
    assert refused.json["errors"]["message"]
    assert cell(3, assignment)["attempt"] is None
    assert results() == []


def test_an_unpublished_assignment_cannot_be_graded_by_a_tool(
    line_item, post_score, assignment, rest
):
    change = {"assignment": {"published": False}}
    rest("PUT", f"/courses/101/assignments/{assignment}", json=change)

    assert post_score(line_item).status_code == 422


def test_results_give_the_raw_score_until_a_person_has_the_last_word(
    line_item, post_score, assignment, results, score
):
    post_score(line_item, scoreGiven=60, scoreMaximum=80, comment="Proficient")
    (raw,) = results()
    score(3, assignment, 2)
    (human,) = results()

    assert (raw["resultScore"], raw["resultMaximum"], raw["comment"]) == (60, 80, "Proficient")
    assert human["resultScore"] == 40


def test_a_reset_result_is_null_not_zero(line_item, post_score, results, clock):
    post_score(line_item)
    clock.pass_by(1)
    post_score(line_item, gradingProgress="NotReady", scoreGiven=None)

    assert results()[0]["resultScore"] is None


def test_results_are_filtered_by_learner_and_empty_for_others(line_item, post_score, results):
    post_score(line_item)
    (only,) = results()

    assert results(f"?user_id={only['userId']}") == [only]
    assert results("?user_id=2") == []


def test_one_result_has_its_own_address(line_item, post_score, lti):
    url = post_score(line_item).json["resultUrl"]

    found = lti("GET", url.partition("/courses/101")[2])

    assert found.json["id"] == url
    assert lti("GET", f"{line_item}/results/99").status_code == 404


def test_only_the_first_line_item_of_an_assignment_reaches_the_gradebook(
    lti, post_score, rest, cell
):
    kind = "https://canvas.instructure.com/lti/submission_type"
    first = lti(
        "POST",
        "/line_items",
        json={"label": "First", "scoreMaximum": 4, kind: {"type": "external_tool"}},
    ).json
    link = first["resourceLinkId"]
    second = lti(
        "POST",
        "/line_items",
        json={"label": "Second", "scoreMaximum": 4, "resourceLinkId": link},
    ).json
    path = second["id"].partition("/courses/101")[2]

    post_score(path)

    (assignment,) = rest("GET", "/courses/101/assignments?search_term=First").json
    assert cell(3, assignment["id"])["score"] is None
    assert lti("GET", f"{path}/results").json[0]["resultScore"] == 3
