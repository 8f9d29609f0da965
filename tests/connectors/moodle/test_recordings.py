"""What the recordings of a real Moodle 4.5.6 mean: course 2, MATH101."""

import json
from datetime import UTC, datetime

import pytest

from connectors import connect
from connectors.errors import Gone, Unauthorized
from mapping.records import (
    CourseRef,
    CourseState,
    EnrolmentState,
    Grading,
    LearnerRef,
    Role,
    ScoreState,
)
from tests.connectors.doubles import access, services
from tests.replay import serve_recordings

MATH = CourseRef("2")
HOMEWORK_1, ADJUSTMENT, PRESENTATION, GRADEPASS = "3", "16", "5", "22"


@pytest.fixture(scope="module")
def math():
    """All scores of MATH101, by column and learner."""
    from tests.connectors.moodle.conftest import recorded_access

    with serve_recordings() as url:
        pages = list(connect(recorded_access(url), services()).scores(MATH))
    return {(one.line_item_ref, one.learner_ref): one for one in pages[0].scores}


@pytest.fixture
def items(recorded):
    return {item.ref: item for item in recorded.line_items(MATH)}


def test_the_front_page_is_no_course_and_names_are_plain_text(recorded):
    courses = {course.ref: course for course in recorded.courses()}

    assert set(courses) == {"2", "4"}
    assert courses[MATH].title == "Mathematics 101 & Friends"
    assert (courses[MATH].code, courses[MATH].school_ref) == ("MATH101", "2")
    assert courses[MATH].state is CourseState.ACTIVE
    assert courses[MATH].ends_at is None


def test_59_learners_are_in_the_report(recorded):
    page = next(recorded.scores(MATH))

    assert len(json.loads(page.cursor)["digests"]) == 59


def test_the_suspended_learner_is_enrolled_as_such_and_not_in_the_report(recorded):
    enrolments = {one.person.ref: one for one in recorded.enrolments(MATH)}

    suspended = [ref for ref, one in enrolments.items() if one.state is EnrolmentState.SUSPENDED]
    assert suspended == ["62"]
    assert len(enrolments) == 62
    assert "62" not in json.loads(next(recorded.scores(MATH)).cursor)["digests"]


def test_both_kinds_of_teacher_are_teachers(recorded):
    teachers = [one.person.ref for one in recorded.enrolments(MATH) if one.role is Role.TEACHER]

    assert teachers == ["63", "65"]


def test_a_learner_without_an_id_number_has_none(recorded):
    ids = {one.person.ref: one.person.sis_id for one in recorded.enrolments(MATH)}

    assert (ids[LearnerRef("3")], ids[LearnerRef("5")]) == ("S00001", None)


def test_a_teachers_override_counts_and_not_the_assignments_own_grade(math):
    score = math[HOMEWORK_1, "3"]

    assert (score.points, score.is_overridden) == (91.0, True)


def test_an_excluded_grade_is_excused_and_has_no_points(math):
    excused = [cell for cell, score in math.items() if score.state is ScoreState.EXCUSED]

    assert sorted(excused) == [(HOMEWORK_1, "6"), (HOMEWORK_1, "7")]
    assert all(math[cell].points is None for cell in excused)


def test_hidden_grades_are_read_and_not_visible(math):
    hidden = {item for (item, _), score in math.items() if not score.is_visible}

    assert hidden == {HOMEWORK_1, "19", "20"}
    assert math["19", "3"].points == 1.0
    assert not math["19", "3"].is_visible
    assert math[HOMEWORK_1, "3"].is_visible


def test_a_scale_is_marked_by_the_index_of_its_word(items, math):
    scales = {ref for ref, item in items.items() if item.grading is Grading.SCALE}

    assert scales == {PRESENTATION, "18"}
    assert (items[PRESENTATION].minimum, items[PRESENTATION].maximum) == (1.0, 4.0)
    assert math[PRESENTATION, "3"].points == 2.0


def test_text_and_ungraded_columns_are_not_graded_and_give_no_scores(items, math):
    ungraded = {ref for ref, item in items.items() if item.grading is Grading.NOT_GRADED}

    assert ungraded == {"8", "17"}
    assert ungraded.isdisjoint(item for item, _ in math)


def test_totals_are_no_columns(items):
    assert len(items) == 21
    assert {"1", "2"}.isdisjoint(items)


def test_a_negative_minimum_is_kept_and_negative_points_too(items, math):
    assert (items[ADJUSTMENT].minimum, items[ADJUSTMENT].maximum) == (-10.0, 10.0)
    assert math[ADJUSTMENT, "3"].points == -9.0


def test_an_icon_in_the_presentation_does_not_hide_the_number(math):
    assert math[GRADEPASS, "3"].points == 1.0
    assert math[GRADEPASS, "19"].points == 6.0


def test_columns_are_filed_under_their_grade_category(items):
    assert items[HOMEWORK_1].category == "Homework"
    assert items[PRESENTATION].category == "Mathematics 101 & Friends"


def test_due_dates_come_from_the_assignments(items):
    assert items[HOMEWORK_1].due_at == datetime(2026, 10, 14, 23, tzinfo=UTC)
    assert items["4"].due_at is None


def test_columns_and_scores_together_cost_one_report(recorded):
    recorded.line_items(MATH)
    before = recorded.calls

    list(recorded.scores(MATH))

    assert recorded.calls == before


def test_an_unchanged_gradebook_yields_no_score(recorded):
    first = next(recorded.scores(MATH))

    second = next(recorded.scores(MATH, first.cursor))

    assert (len(first.scores), first.read) == (463, 463)
    assert (list(second.scores), second.read) == ([], 0)
    assert second.cursor == first.cursor


def test_another_course_has_no_suspended_learner(recorded):
    enrolments = recorded.enrolments(CourseRef("4"))

    assert {one.state for one in enrolments} == {EnrolmentState.ACTIVE}


def test_an_unknown_course_is_gone(recorded):
    with pytest.raises(Gone) as caught:
        recorded.line_items(CourseRef("9999"))

    assert caught.value.cause == "invalidrecord"


def test_a_wrong_token_is_told(recorded_url):
    from tests.connectors.moodle.conftest import recorded_access

    stranger = connect(recorded_access(recorded_url, api_token="wrong"), services())

    with pytest.raises(Unauthorized) as caught:
        stranger.courses()

    assert caught.value.cause == "invalidtoken"
    assert "wrong" not in str(caught.value)


def test_without_lti_the_gradebook_can_still_be_read(recorded_url):
    from tests.connectors.moodle.conftest import recorded_access

    reader = connect(recorded_access(recorded_url, client_id=""), services())

    assert len(reader.line_items(MATH)) == 21
    assert access(recorded_url).has_services
