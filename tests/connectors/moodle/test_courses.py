import pytest

from connectors.errors import Unauthorized
from connectors.moodle.courses import a_closed_course, courses, listed_courses
from tests.connectors.moodle.conftest import refusal

SITE = {"id": 1, "fullname": "Site", "shortname": "site", "categoryid": 0}


def listed(*numbers):
    return [SITE] + [
        {"id": n, "fullname": f"Course {n}", "shortname": f"C{n}", "categoryid": 7} for n in numbers
    ]


def refusing(closed, known):
    """The list of courses of a Moodle that keeps some closed."""

    def answer(form):
        asked = {int(value) for name, value in form.items() if name.startswith("options[ids]")}
        if closed & (asked or set(known)):
            return refusal("errorcoursecontextnotvalid")
        return listed(*(asked or known))

    return answer


@pytest.fixture
def half_open(answers):
    """A Moodle with nine courses of which some are closed."""

    def half_open(*closed):
        known = range(2, 11)
        answers["core_course_get_courses"] = refusing(set(closed), known)
        answers["core_course_get_courses_by_field"] = {"courses": listed(*known), "warnings": []}

    return half_open


def test_one_closed_course_does_not_hide_the_others(service, half_open):
    half_open(5)

    found = courses(service)

    assert [course.ref for course in found] == [str(n) for n in range(2, 11)]


def test_the_note_names_a_closed_course_and_the_right_to_add(service, half_open):
    half_open(5)

    courses(service)

    (note,) = service.notes.all
    assert note.cause == "closed_course"
    assert '"Course 5"' in note.message
    assert "moodle/course:view" in note.message


@pytest.mark.parametrize("closed", range(2, 11))
def test_any_closed_course_is_found_in_few_requests(service, half_open, lms, closed):
    half_open(closed)
    every = listed_courses(service)
    before = len(lms.seen)

    found = a_closed_course(service, every)

    assert found is not None
    assert found.id == closed
    assert len(lms.seen) - before <= 5


def test_no_closed_course_is_found_where_all_may_be_entered(service, half_open):
    half_open()

    assert a_closed_course(service, listed_courses(service)) is None


def test_a_token_that_is_refused_is_no_closed_course(service, answers):
    answers["core_course_get_courses"] = refusal("invalidtoken")
    answers["core_course_get_courses_by_field"] = {"courses": listed(2)}

    with pytest.raises(Unauthorized) as caught:
        courses(service)

    assert caught.value.cause == "invalidtoken"


def test_without_the_second_list_the_refusal_stands(service, answers):
    answers["core_course_get_courses"] = refusal("errorcoursecontextnotvalid")

    with pytest.raises(Unauthorized) as caught:
        courses(service)

    assert "moodle/course:view" in str(caught.value)


def test_a_course_that_comes_twice_is_one_course(service, answers):
    answers["core_course_get_courses"] = listed(2, 3, 3)

    assert [course.ref for course in courses(service)] == ["2", "3"]
