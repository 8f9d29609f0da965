import pytest

from connectors import PlatformKind, connect
from connectors.errors import GiveUp
from mapping.records import ColumnSpec, CourseRef, CourseState, PassbackWay
from tests.connectors.doubles import access, services
from tests.connectors.serving import answer_json

REST = "/webservice/rest/server.php"
ROW = {
    "id": 3,
    "itemtype": "mod",
    "itemmodule": "assign",
    "iteminstance": 1,
    "itemnumber": 0,
    "itemname": "Homework",
    "grademin": 0,
    "grademax": 100,
    "rangeformatted": "0&ndash;100",
    "graderaw": 50,
}
REPORT = {"usergrades": [{"userid": 3, "gradeitems": [ROW]}]}
COURSE = {"id": 2, "fullname": "Algebra", "shortname": "ALG", "categoryid": 7}


@pytest.fixture
def moodle(lms):
    """A connector without LTI for a Moodle that answers functions from ``answers``."""
    lms.answers = {"core_webservice_get_site_info": {"functions": []}}
    lms.on("POST", REST, lambda seen: answer_json(lms.answers[seen.form["wsfunction"]]))
    return connect(access(lms.url, PlatformKind.MOODLE, client_id=""), services())


def functions(lms):
    return [one.form["wsfunction"] for one in lms.seen]


def test_functions_that_the_service_lacks_are_not_called(lms, moodle):
    lms.answers["gradereport_user_get_grade_items"] = REPORT

    item = moodle.line_items(CourseRef("2"))[0]

    assert (item.category, item.due_at) == ("", None)
    assert functions(lms) == [
        "gradereport_user_get_grade_items",
        "core_webservice_get_site_info",
    ]


def test_a_report_is_used_once_and_for_its_own_course_only(lms, moodle):
    lms.answers["gradereport_user_get_grade_items"] = REPORT
    moodle.line_items(CourseRef("2"))

    for course in ("3", "2"):
        list(moodle.scores(CourseRef(course)))

    asked = [one.form["courseid"] for one in lms.seen if "courseid" in one.form]
    assert asked == ["2", "3", "2"]


def test_a_hidden_course_is_not_published(lms, moodle):
    lms.answers["core_course_get_courses"] = [
        {**COURSE, "visible": 0, "idnumber": "SIS-1", "startdate": 1788217200, "enddate": 1},
        {**COURSE, "id": 3, "idnumber": ""},
    ]

    hidden, shown = moodle.courses()

    assert (hidden.state, hidden.sis_id) == (CourseState.UNPUBLISHED, "SIS-1")
    assert (shown.state, shown.sis_id) == (CourseState.ACTIVE, None)
    assert hidden.ends_at is not None


def test_people_are_sorted_by_their_last_name_where_moodle_tells_it(lms, moodle):
    student = [{"shortname": "student"}]
    lms.answers["core_enrol_get_enrolled_users"] = [
        {"id": 1, "fullname": "Ada Byron", "firstname": "Ada", "lastname": "Byron"}
        | {"roles": student},
        {"id": 2, "fullname": "Cy", "lastname": "Cy", "roles": student},
        {"id": 3, "fullname": "Dee Dee", "roles": student},
        {"id": 4, "fullname": "Manager", "roles": [{"shortname": "manager"}]},
    ]

    found = moodle.enrolments(CourseRef("2"))

    assert [one.person.sort_name for one in found] == ["Byron, Ada", "Cy", "Dee Dee"]


def test_e_mail_addresses_are_not_asked_for(lms, moodle):
    lms.answers["core_enrol_get_enrolled_users"] = [
        {"id": 1, "fullname": "Ada Byron", "roles": [{"shortname": "student"}]}
    ]

    moodle.enrolments(CourseRef("2"))

    assert not any("email" in value for one in lms.seen for value in one.form.values())


def test_nothing_is_written_where_nothing_shall_be(moodle):
    nowhere = ColumnSpec(tag="t", title="T", way=PassbackWay.NONE, maximum=4.0)

    with pytest.raises(GiveUp) as caught:
        moodle.ensure_column(CourseRef("2"), nowhere)

    assert caught.value.cause == "no_passback"
