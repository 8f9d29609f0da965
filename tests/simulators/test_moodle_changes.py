"""What each act does to a row of Moodle's grade report."""

import pytest

MATH = 2


@pytest.fixture
def place(moodle):
    """A graded cell of an assignment: learner, item, points."""
    row = moodle.query(
        "SELECT g.* FROM grades g JOIN assignments a ON a.id = g.assignment_id "
        "JOIN enrolments e ON e.person_id = g.learner_id AND e.course_id = g.course_id "
        "WHERE g.course_id = ? AND g.state = 'graded' AND NOT g.overridden AND NOT g.hidden "
        "AND a.kind = 'assignment' AND a.is_posted AND a.scale = '[]' AND a.maximum = 20 "
        "AND e.state = 'active' AND g.points > 5",
        MATH,
    )[0]
    return row["learner_id"], row["assignment_id"], row["points"]


@pytest.fixture
def act(moodle, place):
    """Do one act on that cell an hour later."""

    def do(kind, value="", **more):
        moodle.clock.now += 3600
        sent = {"kind": kind, "course": MATH, "learner": place[0], "item": place[1]}
        return moodle.client.post("/_control/change", json=sent | {"value": value} | more)

    return do


@pytest.fixture
def row(moodle, place):
    """That cell in the grade report."""
    return lambda: moodle.rows_of(MATH, place[0])[place[1]]


ACTS = [
    ("grade", 3, {"graderaw": 3}),
    ("grade", 900, {"graderaw": 20}),
    ("clear", "", {"graderaw": None, "status": "novalue"}),
    ("override", 4, {"graderaw": 4, "gradeisoverridden": True}),
    ("exclude", "", {"status": "dropped"}),
    ("hide_cell", "", {"gradeishidden": True}),
    ("hide_scores", "", {"gradeishidden": True}),
    ("unpublish_item", "", {"gradeishidden": True}),
    ("lock", "", {"gradeislocked": True}),
    ("comment", "See me", {"feedback": "See me"}),
    ("change_maximum", 30, {"grademax": 30}),
    ("rename_item", "Fish & chips", {"itemname": "Fish &amp; chips"}),
]


@pytest.mark.parametrize(("kind", "value", "shown"), ACTS)
def test_the_report_shows_what_was_done(act, row, kind, value, shown):
    answer = act(kind, value)

    found = row()
    assert answer.status_code == 200
    assert {name: found.get(name) for name in shown} == shown


@pytest.mark.parametrize(
    ("kind", "back"),
    [
        ("override", "remove_override"),
        ("exclude", "take_back_exclusion"),
        ("hide_cell", "show_cell"),
        ("hide_scores", "show_scores"),
        ("unpublish_item", "publish_item"),
        ("lock", "unlock"),
    ],
)
def test_what_is_taken_back_leaves_the_row_as_it_was(act, row, kind, back):
    before = row()

    act(kind, 2)
    between = row()
    act(back)

    moments = ("gradedategraded",)
    assert between != before
    assert {k: v for k, v in row().items() if k not in moments} == {
        k: v for k, v in before.items() if k not in moments
    }


def test_a_locked_grade_is_changed_by_nobody(act, row, place):
    act("lock")

    answer = act("grade", 1)

    assert answer.status_code == 400
    assert "locked" in answer.json["error"]
    assert row()["graderaw"] == place[2]


def test_handing_in_again_is_a_new_attempt(act, moodle, place):
    before = _attempts(moodle, place)

    act("hand_in")

    assert _attempts(moodle, place) == before + 1


def _attempts(moodle, place):
    sql = "SELECT attempt FROM grades WHERE learner_id = ? AND assignment_id = ?"
    return moodle.query(sql, place[0], place[1])[0]["attempt"]


def test_another_scale_has_other_words_and_another_maximum(act, moodle, place):
    item = moodle.query("SELECT id FROM assignments WHERE course_id = ? AND scale <> '[]'", MATH)[
        0
    ]["id"]

    act("change_scale", "Poor, Fair, Good", item=item)

    row = moodle.rows_of(MATH, place[0])[item]
    assert (row["rangeformatted"], row["grademax"]) == ("Poor&ndash;Good", 3)


def test_points_have_no_scale_to_change(act):
    assert act("change_scale", "a,b").status_code == 400


@pytest.mark.parametrize(
    ("kind", "is_listed"), [("suspend_learner", False), ("remove_learner", False)]
)
def test_who_left_is_not_in_the_report_of_all(act, moodle, place, kind, is_listed):
    act(kind)

    report = moodle.ask("gradereport_user_get_grade_items", courseid=MATH)["usergrades"]
    assert (place[0] in {user["userid"] for user in report}) is is_listed


def test_a_learner_changes_groups(act, moodle, place):
    act("move_group", "Lab & field group")

    found = moodle.query(
        "SELECT g.name FROM group_members m JOIN course_groups g ON g.id = m.group_id "
        "WHERE m.person_id = ? AND g.course_id = ?",
        place[0],
        MATH,
    )
    assert [row["name"] for row in found] == ["Lab & field group"]
    assert act("move_group", "Nowhere").status_code == 400


def test_unknown_acts_cells_and_people_are_refused_in_words(act):
    assert "there is no 'excuse_learner' here" in act("excuse_learner").json["error"]
    assert "no learner 0" in act("hide_cell", learner=0).json["error"]
    assert act("grade", 3, item=0).status_code == 400


def test_every_act_is_told_in_a_sentence(moodle):
    told = moodle.client.get("/_control/change").get_json()

    assert len(told) > 25
    assert all(words.endswith(".") for words in told.values())


def test_the_gradebook_page_does_any_act_and_says_why_not(moodle, place, row):
    form = {"kind": "override", "learner": str(place[0]), "item": str(place[1]), "value": "1"}
    url = f"/gradebook/{MATH}/change"

    done = moodle.client.post(url, data=form)
    refused = moodle.client.post(url, data=form | {"value": "x"}, follow_redirects=True)

    assert done.status_code == 302
    assert row()["graderaw"] == 1
    assert "is no number" in refused.text
