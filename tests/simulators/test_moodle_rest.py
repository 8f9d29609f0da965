import json
from pathlib import Path

import pytest

from simulators.moodle.parameters import nested

MATH = 2
LAB = 4


def _items(moodle, course, **wanted):
    where = " AND ".join(f"{name} = ?" for name in wanted)
    return moodle.query(
        f"SELECT * FROM assignments WHERE course_id = ? AND {where} ORDER BY position",  # noqa: S608 - own words
        course,
        *wanted.values(),
    )


def _cells(moodle, course, condition):
    return moodle.query(
        "SELECT g.*, a.module_id, a.kind, a.maximum FROM grades g JOIN assignments a "  # noqa: S608 - own words
        "ON a.id = g.assignment_id JOIN enrolments e ON e.person_id = g.learner_id AND "
        "e.course_id = g.course_id "
        f"WHERE g.course_id = ? AND e.state = 'active' AND {condition}",
        course,
    )


def test_a_bad_token_is_an_error_in_a_good_answer(moodle):
    moodle.token = "nothing"

    answer = moodle.ask("core_webservice_get_site_info")

    assert answer["errorcode"] == "invalidtoken"


def test_a_token_in_a_header_or_a_json_body_is_not_seen(moodle):
    url = "/webservice/rest/server.php"
    body = {"wstoken": moodle.token, "wsfunction": "core_course_get_courses"}

    by_header = moodle.client.get(
        f"{url}?wsfunction=core_course_get_courses&moodlewsrestformat=json",
        headers={"Authorization": f"Bearer {moodle.token}"},
    )
    by_body = moodle.client.post(url, json=body)

    assert by_header.get_json()["errorcode"] == "invalidtoken"
    assert by_body.text.startswith("<?xml")
    assert "<ERRORCODE>invalidtoken</ERRORCODE>" in by_body.text


def test_an_expired_token_is_refused_once_and_then_gone(moodle):
    moodle.query("UPDATE tokens SET expires_at = 1")

    first = moodle.ask("core_webservice_get_site_info")
    second = moodle.ask("core_webservice_get_site_info")

    assert (first["errorcode"], second["errorcode"]) == ("accessexception", "invalidtoken")


def test_without_the_json_format_the_answer_is_xml(moodle):
    answer = moodle.client.get(
        f"/webservice/rest/server.php?wstoken={moodle.token}&wsfunction=core_course_get_courses"
    )

    assert answer.content_type.startswith("application/xml")
    assert '<KEY name="fullname"><VALUE>Mathematics 6V</VALUE></KEY>' in answer.text


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        ("gradereport_user_get_grade_items", {"course": 2}),
        ("gradereport_user_get_grade_items", {}),
        ("gradereport_user_get_grade_items", {"courseid": "two"}),
        ("gradereport_user_get_grade_items", {"courseid": 2, "extra": 1}),
        ("gradereport_user_get_grade_items", {"courseid__0": 2}),
        ("mod_assign_get_assignments", {"courseids": 2}),
        ("mod_assign_get_assignments", {"includenotenrolledcourses": "true"}),
        ("core_enrol_get_enrolled_users", {"courseid": 2, "options__0__name": "limitfrom"}),
        (
            "core_enrol_get_enrolled_users",
            {"courseid": 2, "options__0__name": "sortby", "options__0__value": "shoe"},
        ),
    ],
)
def test_any_deviation_in_parameters_is_the_same_error_without_a_hint(moodle, function, parameters):
    answer = moodle.ask(function, **parameters)

    assert answer == {
        "exception": "core\\exception\\invalid_parameter_exception",
        "errorcode": "invalidparameter",
        "message": "Invalid parameter value detected",
    }


@pytest.mark.parametrize(
    ("function", "errorcode"),
    [("core_grades_get_grades", "invalidrecord"), ("core_user_create_users", "accessexception")],
)
def test_an_unknown_function_and_one_outside_the_service_are_told_apart(
    moodle, function, errorcode
):
    assert moodle.ask(function)["errorcode"] == errorcode


def test_an_unknown_course_and_a_closed_one_are_told_apart(moodle):
    moodle.client.post("/_control/rights", json={"closed": [MATH]})

    unknown = moodle.ask("gradereport_user_get_grade_items", courseid=9999)
    closed = moodle.ask("gradereport_user_get_grade_items", courseid=MATH)

    assert unknown["errorcode"] == "invalidrecord"
    assert closed["errorcode"] == "requireloginerror"


def test_one_closed_course_spoils_the_whole_course_list(moodle):
    moodle.client.post("/_control/rights", json={"closed": [MATH]})

    answer = moodle.ask("core_course_get_courses")

    assert answer["errorcode"] == "errorcoursecontextnotvalid"


def test_site_info_lists_the_functions_of_the_service(moodle):
    info = moodle.ask("core_webservice_get_site_info")

    named = {function["name"] for function in info["functions"]}
    assert "gradereport_user_get_grade_items" in named
    assert "core_grades_get_grades" not in named
    assert info["version"] == "2024100706"


def test_the_site_is_a_course_and_names_are_html(moodle):
    courses = {course["id"]: course for course in moodle.ask("core_course_get_courses")}

    assert 1 in courses
    assert courses[LAB]["fullname"] == "Science Lab 7 &amp; Friends"
    assert courses[LAB]["categoryid"] == 13


def test_courses_by_field_finds_one_course_and_hides_its_idnumber(moodle):
    answer = moodle.ask("core_course_get_courses_by_field", field="shortname", value="MAT6V")

    (course,) = answer["courses"]
    assert course["id"] == MATH
    assert "idnumber" not in course


def test_categories_are_the_schools(moodle):
    (category,) = moodle.ask("core_course_get_categories")

    assert (category["id"], category["name"]) == (13, "Vale Verde School")


def _users(moodle, course, **options):
    parameters = {}
    for number, (name, value) in enumerate(options.items()):
        parameters |= {f"options__{number}__name": name, f"options__{number}__value": value}
    return moodle.ask("core_enrol_get_enrolled_users", courseid=course, **parameters)


def test_a_suspended_learner_is_in_the_list_without_a_mark(moodle):
    fields = "id,idnumber,roles"

    everybody = _users(moodle, MATH, userfields=fields)
    active = _users(moodle, MATH, onlyactive=1, userfields=fields)
    suspended = _users(moodle, MATH, onlysuspended=1, userfields=fields)

    assert len(everybody) == len(active) + len(suspended)
    assert len(suspended) == 1
    assert set(everybody[0]) == {"id", "fullname", "idnumber", "roles"}


def test_people_come_in_pages_without_a_total(moodle):
    everybody = _users(moodle, MATH, userfields="id")

    page = _users(moodle, MATH, userfields="id", limitfrom=2, limitnumber=3)

    assert page == everybody[2:5]


def test_without_userfields_each_person_repeats_all_courses(moodle):
    slim = json.dumps(_users(moodle, LAB, userfields="id,idnumber"))
    full = json.dumps(_users(moodle, LAB))

    assert len(full) > 3 * len(slim)


def test_without_the_right_to_see_people_the_list_is_empty_and_no_error(moodle):
    moodle.client.post("/_control/rights", json={"missing": ["viewdetails"]})

    assert _users(moodle, MATH) == []


def test_the_grade_report_has_the_keys_of_a_recorded_one(moodle):
    recorded = {
        "mod": {
            *("id", "itemname", "itemtype", "itemmodule", "iteminstance", "itemnumber"),
            *("idnumber", "categoryid", "outcomeid", "scaleid", "locked", "cmid", "weightraw"),
            *("weightformatted", "graderaw", "gradedatesubmitted", "gradedategraded"),
            *("gradehiddenbydate", "gradeneedsupdate", "gradeishidden", "gradeislocked"),
            *("gradeisoverridden", "gradeformatted", "grademin", "grademax", "rangeformatted"),
            *("percentageformatted", "feedback", "feedbackformat"),
        }
    }
    recorded["manual"] = recorded["mod"] - {"cmid"}
    recorded["category"] = recorded["manual"]
    recorded["course"] = recorded["manual"] - {"weightraw", "weightformatted"}

    report = moodle.ask("gradereport_user_get_grade_items", courseid=MATH)

    rows = [row for grades in report["usergrades"] for row in grades["gradeitems"]]
    assert {row["itemtype"] for row in rows} == set(recorded)
    for row in rows:
        assert set(row) - {"status"} == recorded[row["itemtype"]]
        assert row["scaleid"] is row["outcomeid"] is None


def test_totals_come_after_their_children_and_the_course_last(moodle):
    report = moodle.ask("gradereport_user_get_grade_items", courseid=MATH)

    rows = report["usergrades"][0]["gradeitems"]
    position = {
        row["iteminstance"]: n for n, row in enumerate(rows) if row["itemtype"] == "category"
    }
    children = [(n, row["categoryid"]) for n, row in enumerate(rows) if row["categoryid"]]
    assert rows[-1]["itemtype"] == "course"
    assert all(n < position[category] for n, category in children)


def test_a_suspended_learner_is_only_in_a_report_of_their_own(moodle):
    (suspended,) = _users(moodle, MATH, onlysuspended=1, userfields="id")

    report = moodle.ask("gradereport_user_get_grade_items", courseid=MATH)

    assert suspended["id"] not in {grades["userid"] for grades in report["usergrades"]}
    assert moodle.rows_of(MATH, suspended["id"])


def test_a_stranger_has_a_report_of_empty_rows(moodle):
    stranger = 2

    rows = moodle.rows_of(MATH, stranger)

    assert all(row["graderaw"] is None for row in rows.values())
    assert all("status" not in row and "weightraw" not in row for row in rows.values())


def test_an_excluded_grade_keeps_its_points_and_is_dropped(moodle):
    cell = _cells(moodle, MATH, "g.excused = 1 AND g.points IS NOT NULL")[0]

    row = moodle.rows_of(MATH, cell["learner_id"])[cell["assignment_id"]]

    assert row["status"] == "dropped"
    assert row["graderaw"] == cell["points"]
    assert row["weightraw"] == 0


def test_a_missing_grade_says_novalue(moodle):
    cell = _cells(moodle, MATH, "g.state = 'missing'")[0]

    row = moodle.rows_of(MATH, cell["learner_id"])[cell["assignment_id"]]

    assert (row["status"], row["graderaw"], row["gradeformatted"]) == ("novalue", None, "-")


def test_a_scale_shows_its_words_and_a_one_based_index(moodle):
    cell = _cells(moodle, MATH, "a.scale <> '[]' AND g.state = 'graded' AND g.overridden = 0")[0]
    words = ["Not yet", "Developing", "Proficient", "Exemplary"]

    row = moodle.rows_of(MATH, cell["learner_id"])[cell["assignment_id"]]

    assert row["rangeformatted"] == "Not yet&ndash;Exemplary"
    assert (row["grademin"], row["grademax"]) == (1, 4)
    assert row["gradeformatted"] == words[row["graderaw"] - 1]


def test_an_override_is_in_the_report_and_not_in_the_assignments_own_grades(moodle):
    cell = _cells(moodle, MATH, "g.overridden = 1 AND a.kind = 'assignment'")[0]

    row = moodle.rows_of(MATH, cell["learner_id"])[cell["assignment_id"]]
    own = moodle.ask("mod_assign_get_grades", assignmentids__0=cell["module_id"])

    grades = {grade["userid"]: grade["grade"] for grade in own["assignments"][0]["grades"]}
    assert row["gradeisoverridden"] is True
    assert row["graderaw"] == cell["override_points"]
    assert grades[cell["learner_id"]] == f"{cell['points']:.5f}"
    assert cell["points"] != cell["override_points"]


def test_hidden_items_are_left_out_without_a_word_where_the_right_is_missing(moodle):
    (hidden,) = _items(moodle, MATH, is_posted=0)
    learner = _cells(moodle, MATH, "g.state = 'graded'")[0]["learner_id"]

    seen = moodle.rows_of(MATH, learner)
    moodle.client.post("/_control/rights", json={"missing": ["viewhidden"]})
    unseen = moodle.rows_of(MATH, learner)

    assert seen[hidden["id"]]["gradeishidden"] is True
    assert hidden["id"] not in unseen


def test_without_the_right_to_all_grades_the_report_names_the_rights_title(moodle):
    moodle.client.post("/_control/rights", json={"missing": ["viewall"]})

    answer = moodle.ask("gradereport_user_get_grade_items", courseid=MATH)

    assert answer["errorcode"] == "nopermissions"


def test_the_course_total_is_the_sum_over_graded_items_only(moodle):
    learner = _cells(moodle, MATH, "g.state = 'missing'")[0]["learner_id"]

    rows = list(moodle.rows_of(MATH, learner).values())

    counted = [row for row in rows if row["itemtype"] in {"mod", "manual"} and row["weightraw"]]
    total = rows[-1]
    assert total["graderaw"] == pytest.approx(sum(row["graderaw"] for row in counted))
    assert total["grademax"] == sum(row["grademax"] for row in counted)


def test_the_weights_of_a_category_add_up_to_one(moodle):
    learner = _cells(moodle, MATH, "g.state = 'missing'")[0]["learner_id"]

    rows = moodle.rows_of(MATH, learner).values()

    categories = [row for row in rows if row["itemtype"] == "category"]
    assert sum(row["weightraw"] for row in categories) == pytest.approx(1, abs=1e-4)
    for category in categories:
        inside = [row for row in rows if row["categoryid"] == category["iteminstance"]]
        assert sum(row["weightraw"] for row in inside) == pytest.approx(1, abs=1e-4)


def test_assignments_stay_away_until_the_service_says_it_is_not_enrolled(moodle):
    without = moodle.ask("mod_assign_get_assignments", courseids__0=MATH)
    with_flag = moodle.ask(
        "mod_assign_get_assignments", courseids__0=MATH, includenotenrolledcourses=1
    )

    assert without["courses"] == []
    assert without["warnings"][0]["warningcode"] == "2"
    grades = {item["grade"] for item in with_flag["courses"][0]["assignments"]}
    assert {-3, 20, 100} <= grades


def test_since_is_inclusive(moodle):
    (row,) = moodle.query(
        "SELECT max(g.updated_at) AS newest, a.module_id FROM grades g JOIN assignments a "
        "ON a.id = g.assignment_id WHERE a.kind = 'assignment' AND g.graded_at IS NOT NULL"
    )

    at = moodle.ask("mod_assign_get_grades", assignmentids__0=row["module_id"], since=row["newest"])
    after = moodle.ask(
        "mod_assign_get_grades", assignmentids__0=row["module_id"], since=row["newest"] + 1
    )

    assert len(at["assignments"][0]["grades"]) == 1
    assert after["assignments"] == []
    assert after["warnings"][0]["message"] == "No grades found"


def test_a_cleared_grade_is_minus_one_in_the_assignments_own_grades(moodle):
    cell = _cells(moodle, MATH, "g.state = 'graded' AND a.kind = 'assignment'")[0]

    moodle.enter(MATH, cell["learner_id"], cell["assignment_id"], None)

    own = moodle.ask("mod_assign_get_grades", assignmentids__0=cell["module_id"])
    grades = {grade["userid"]: grade["grade"] for grade in own["assignments"][0]["grades"]}
    assert grades[cell["learner_id"]] == "-1.00000"
    row = moodle.rows_of(MATH, cell["learner_id"])[cell["assignment_id"]]
    assert row["graderaw"] is None


def test_quizzes_carry_the_maximum_that_the_gradebook_has(moodle):
    quizzes = moodle.ask("mod_quiz_get_quizzes_by_courses", courseids__0=MATH)["quizzes"]

    maxima = {row["module_id"]: row["maximum"] for row in _items(moodle, MATH, kind="quiz")}
    assert {quiz["id"]: quiz["grade"] for quiz in quizzes} == maxima


def test_grade_items_are_named_with_their_category(moodle):
    items = moodle.ask("core_grades_get_gradeitems", courseid=MATH)["gradeItems"]

    by_name = {item["itemname"]: item for item in items}
    assert by_name["Quiz 1: Fractions"]["category"] == "Quizzes"
    assert isinstance(by_name["Quiz 1: Fractions"]["id"], str)


def test_a_request_with_too_many_fields_loses_the_rest():
    pairs = [(f"ids[{number}]", "1") for number in range(6005)]

    assert len(nested(pairs)["ids"]) == 6000


def test_state_survives_a_restart(moodle):
    cell = _cells(moodle, MATH, "g.state = 'graded' AND a.kind = 'assignment'")[0]
    moodle.enter(MATH, cell["learner_id"], cell["assignment_id"], 1)

    again = type(moodle)(Path(moodle.path))

    row = again.rows_of(MATH, cell["learner_id"])[cell["assignment_id"]]
    assert row["graderaw"] == 1
    assert row["gradedategraded"] == int(moodle.clock.now)
