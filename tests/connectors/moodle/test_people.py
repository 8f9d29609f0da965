import pytest

from connectors import PlatformKind, connect
from connectors.errors import Unauthorized
from connectors.moodle.people import enrolments, sections
from mapping.records import CourseRef, EnrolmentState
from tests.connectors.doubles import access, services
from tests.connectors.moodle.conftest import refusal

COURSE = CourseRef("2")
PEOPLE, GROUPS = "core_enrol_get_enrolled_users", "core_group_get_course_groups"


def person(number, **more):
    return {"id": number, "fullname": f"P {number}", "roles": [{"shortname": "student"}], **more}


def asked_for(form):
    names = [name for name in form if name.endswith("[name]")]
    return {form[name]: form[name.replace("[name]", "[value]")] for name in names}


def roster(*people, suspended=()):
    def answer(form):
        if asked_for(form).get("onlysuspended") == "1":
            return [{"id": one} for one in suspended]
        return list(people)

    return answer


def test_who_is_suspended_is_asked_for_by_their_ids_alone(service, answers, lms):
    answers[PEOPLE] = roster(person(3), person(4), suspended=[4])

    found = enrolments(service, COURSE)

    assert [one.state for one in found] == [EnrolmentState.ACTIVE, EnrolmentState.SUSPENDED]
    assert [asked_for(one.form)["userfields"] for one in lms.seen][1:] == ["id"]


def test_without_the_right_to_know_it_the_suspended_count_as_active_and_a_note_says_so(
    service, answers
):
    def answer(form):
        return refusal("nopermissions") if "onlysuspended" in form.values() else [person(3)]

    answers[PEOPLE] = answer

    found = enrolments(service, COURSE)

    assert [one.state for one in found] == [EnrolmentState.ACTIVE]
    assert "moodle/course:enrolreview" in service.notes.all[0].message


def test_a_person_who_comes_twice_is_enrolled_once(service, answers):
    answers[PEOPLE] = roster(person(3), person(3))

    assert len(enrolments(service, COURSE)) == 1


def test_groups_are_asked_for_only_where_there_are_some(service, answers, lms):
    answers[PEOPLE] = roster(person(3, groups=[{"id": 8, "name": "A"}]))

    found = enrolments(service, COURSE, with_groups=True)
    enrolments(service, COURSE)

    fields = [asked_for(one.form)["userfields"].split(",") for one in lms.seen]
    assert [("groups" in one) for one in fields] == [True, False, False, False]
    assert found[0].sections == {"8"}


def test_groups_of_a_course_have_plain_names(service, answers):
    answers[GROUPS] = [
        {"id": 8, "name": "Us &amp; them", "idnumber": "G-1"},
        {"id": 9, "name": "Them", "idnumber": ""},
    ]

    found = sections(service, COURSE)

    assert [(one.ref, one.title, one.sis_id) for one in found] == [
        ("8", "Us & them", "G-1"),
        ("9", "Them", None),
    ]
    assert all(one.is_group for one in found)


@pytest.mark.parametrize(
    ("answer", "named"),
    [(None, GROUPS), (refusal("nopermissions"), "moodle/course:managegroups")],
)
def test_groups_that_may_not_be_read_are_none_with_a_note(service, answers, answer, named):
    if answer is not None:
        answers[GROUPS] = answer

    assert sections(service, COURSE) == ()
    assert named in service.notes.all[0].message


def test_a_closed_course_is_no_question_of_groups(service, answers):
    answers[GROUPS] = refusal("requireloginerror")

    with pytest.raises(Unauthorized):
        sections(service, COURSE)


@pytest.fixture
def gradebook(lms, answers):  # noqa: ARG001 - it makes the server answer
    return connect(access(lms.url, PlatformKind.MOODLE, client_id=""), services())


def test_a_roster_of_nobody_beside_grades_is_refused(gradebook, answers):
    answers[PEOPLE] = []
    answers["gradereport_user_get_grade_items"] = {"usergrades": [{"userid": 3, "gradeitems": []}]}

    with pytest.raises(Unauthorized) as caught:
        gradebook.enrolments(COURSE)

    assert "moodle/user:viewdetails" in str(caught.value)


def test_a_course_of_nobody_has_nobody(gradebook, answers):
    answers[PEOPLE] = []
    answers["gradereport_user_get_grade_items"] = {"usergrades": []}

    assert list(gradebook.enrolments(COURSE)) == []


def test_a_course_without_groups_is_not_asked_for_them_twice(gradebook, answers, lms):
    answers[GROUPS] = []
    answers[PEOPLE] = roster(person(3))

    gradebook.sections(COURSE)
    gradebook.enrolments(COURSE)

    fields = [asked_for(one.form).get("userfields", "") for one in lms.seen]
    assert not any("groups" in one for one in fields)
