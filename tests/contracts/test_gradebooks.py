"""What every gradebook keeps, whatever LMS stands behind it."""

from datetime import UTC, timedelta

import pytest

from connectors.errors import GiveUp
from mapping.records import (
    ColumnSpec,
    CourseRef,
    Cursor,
    EnrolmentState,
    Grading,
    LearnerRef,
    Mark,
    PassbackWay,
    Role,
    ScoreState,
    WriteState,
)
from tests.contracts.subjects import write


@pytest.fixture
def spec(subject):
    return subject.spec(subject.codes[0])


def marks_for(learners, words="Developing (1 of 3 competencies mastered)", points=2.0):
    return [Mark(learner_ref=learner, words=words, points=points) for learner in learners]


def test_courses_are_named_in_plain_text_and_have_a_school(subject):
    courses = subject.gradebook.courses()

    assert subject.course in {course.ref for course in courses}
    assert len({course.ref for course in courses}) == len(courses)
    assert all(course.title and course.school_ref for course in courses)
    assert not any("&amp;" in course.title for course in courses)


def test_everybody_is_enrolled_once_for_each_role(subject):
    enrolments = subject.gradebook.enrolments(subject.course)

    keys = [(one.person.ref, one.role, one.observes) for one in enrolments]
    assert len(set(keys)) == len(keys)
    assert {Role.LEARNER, Role.TEACHER} <= {one.role for one in enrolments}
    assert all(one.person.name and one.person.sort_name for one in enrolments)
    assert all((one.observes is not None) == (one.role is Role.GUARDIAN) for one in enrolments)


def test_sections_come_once_and_have_a_name(subject):
    sections = subject.gradebook.sections(subject.course)

    assert len({one.ref for one in sections}) == len(sections)
    assert all(one.title for one in sections)


def test_nobody_is_in_a_section_that_the_course_does_not_have(subject):
    known_sections = {one.ref for one in subject.gradebook.sections(subject.course)}

    enrolments = subject.gradebook.enrolments(subject.course)

    assert all(one.sections <= known_sections for one in enrolments)


def test_line_items_come_once_and_say_their_range(subject):
    items = subject.gradebook.line_items(subject.course)

    assert len({item.ref for item in items}) == len(items) > 0
    assert all(
        item.maximum > item.minimum
        for item in items
        if item.grading is not Grading.NOT_GRADED and not item.is_own
    )


def test_a_full_read_ends_with_the_cursor_and_only_its_last_page_has_it(subject):
    pages = list(subject.gradebook.scores(subject.course))

    assert [page.cursor is None for page in pages] == [True] * (len(pages) - 1) + [False]
    assert sum(page.read for page in pages) > 0


def test_points_come_with_graded_scores_and_with_no_other(subject):
    scores, _ = subject.all_scores()

    assert all((one.points is not None) == (one.state is ScoreState.GRADED) for one in scores)


def test_every_score_is_of_a_known_column_and_a_known_learner(subject):
    items = {item.ref: item for item in subject.gradebook.line_items(subject.course)}
    learners = {
        one.person.ref
        for one in subject.gradebook.enrolments(subject.course)
        if one.role is Role.LEARNER
    }
    scores, _ = subject.all_scores()

    assert {one.line_item_ref for one in scores} <= items.keys()
    assert {one.learner_ref for one in scores} <= learners


def test_every_criterion_score_is_of_a_criterion_of_its_line_item(subject):
    criteria = {
        (item.ref, criterion.ref)
        for item in subject.gradebook.line_items(subject.course)
        for criterion in item.criteria
    }
    scores, _ = subject.all_scores()

    rated = {(one.line_item_ref, one.criterion_ref) for one in scores if one.criterion_ref}
    assert rated <= criteria


def test_no_cell_comes_twice_in_one_read(subject):
    scores, _ = subject.all_scores()

    cells = [(one.line_item_ref, one.learner_ref, one.criterion_ref) for one in scores]
    assert len(set(cells)) == len(cells)


def test_moments_are_aware_and_in_utc(subject):
    scores, _ = subject.all_scores()
    moments = [one.graded_at for one in scores] + [one.submitted_at for one in scores]

    assert all(moment.tzinfo is UTC for moment in moments if moment is not None)


def test_an_unchanged_gradebook_has_no_news(subject):
    scores, cursor = subject.all_scores()

    news, _ = subject.all_scores(cursor)

    assert set(news) <= set(scores)


def test_a_read_may_be_repeated_with_the_cursor_it_gave(subject):
    _, first = subject.all_scores()
    _, second = subject.all_scores(first)

    news, third = subject.all_scores(second)

    assert news == []
    assert third is not None


def test_a_changed_score_is_news(subject):
    if subject.change is None:
        pytest.skip("recordings do not change")
    before = subject.a_graded_score()
    _, cursor = subject.all_scores()

    subject.change(before, before.points - 1)
    news, _ = subject.all_scores(cursor)

    found = {
        (one.line_item_ref, one.learner_ref): one.points for one in news if not one.criterion_ref
    }
    assert found[before.line_item_ref, before.learner_ref] == before.points - 1


def test_a_foreign_cursor_reads_everything(subject):
    scores, _ = subject.all_scores()

    again, _ = subject.all_scores(Cursor("not of this gradebook"))

    assert set(again) == set(scores)


def test_a_column_is_made_once_and_found_again(subject, spec):
    first = subject.gradebook.ensure_column(subject.course, spec)
    second = subject.gradebook.ensure_column(subject.course, spec)

    assert first == second
    assert len(first) <= 512


def test_columns_of_two_tags_are_two_columns(subject, spec):
    other = subject.spec(subject.codes[1])

    first = subject.gradebook.ensure_column(subject.course, spec)
    second = subject.gradebook.ensure_column(subject.course, other)

    assert first != second


def test_a_new_column_is_empty(subject, spec):
    column = subject.gradebook.ensure_column(subject.course, spec)

    assert subject.gradebook.read_marks(subject.course, column, spec) == {}


def test_marks_are_confirmed_in_order_and_can_be_read(subject, spec):
    learners = subject.two_learners()
    column = subject.gradebook.ensure_column(subject.course, spec)

    outcomes = write(
        subject.gradebook,
        subject.course,
        column,
        spec,
        marks=marks_for(learners),
        now=subject.now(),
    )

    found = subject.gradebook.read_marks(subject.course, column, spec)
    assert [(one.learner_ref, one.state) for one in outcomes] == [
        (learner, WriteState.CONFIRMED) for learner in learners
    ]
    assert found.keys() == set(learners)
    for mark in found.values():
        assert mark.words == "Developing (1 of 3 competencies mastered)" or mark.points == 2.0
        assert mark.is_ours is not False


def test_a_later_mark_replaces_an_earlier_one(subject, spec):
    learner = subject.two_learners()[0]
    column = subject.gradebook.ensure_column(subject.course, spec)
    book, now = subject.gradebook, subject.now()
    write(book, subject.course, column, spec, marks=marks_for([learner]), now=now)

    outcomes = write(
        book,
        subject.course,
        column,
        spec,
        marks=marks_for([learner], "Mastered", 3.0),
        now=now + timedelta(seconds=2),
    )

    found = book.read_marks(subject.course, column, spec)[learner]
    assert [one.state for one in outcomes] == [WriteState.CONFIRMED]
    assert found.words == "Mastered" or found.points == 3.0


def test_the_same_mark_may_be_sent_again(subject, spec):
    learner = subject.two_learners()[0]
    column = subject.gradebook.ensure_column(subject.course, spec)
    now = subject.now()

    outcomes = [
        write(subject.gradebook, subject.course, column, spec, marks=marks_for([learner]), now=now)[
            0
        ].state
        for _ in range(2)
    ]

    assert outcomes == [WriteState.CONFIRMED] * 2


def test_a_stranger_among_the_marks_spoils_none_of_the_others(subject, spec):
    learner = subject.two_learners()[0]
    column = subject.gradebook.ensure_column(subject.course, spec)

    outcomes = write(
        subject.gradebook,
        subject.course,
        column,
        spec,
        marks=marks_for([LearnerRef("999999"), learner]),
        now=subject.now(),
    )

    assert [one.learner_ref for one in outcomes] == ["999999", learner]
    assert outcomes[1].state is WriteState.CONFIRMED


def test_no_marks_are_written_for_nothing(subject, spec):
    column = subject.gradebook.ensure_column(subject.course, spec)

    outcomes = write(subject.gradebook, subject.course, column, spec, marks=[], now=subject.now())

    assert list(outcomes) == []


def test_a_column_of_ours_is_never_evidence(subject, spec):
    learners = subject.two_learners()
    before, cursor = subject.all_scores()
    column = subject.gradebook.ensure_column(subject.course, spec)
    write(
        subject.gradebook,
        subject.course,
        column,
        spec,
        marks=marks_for(learners),
        now=subject.now(),
    )

    items = subject.gradebook.line_items(subject.course)
    after, _ = subject.all_scores()
    news, _ = subject.all_scores(cursor)

    assert {one.is_own for one in items if one.title == spec.title} <= {True}
    assert set(after) == set(before)
    assert set(news) <= set(before)


def test_a_column_that_is_to_be_written_nowhere_is_refused(subject):
    nowhere = ColumnSpec(tag="t", title="T", way=PassbackWay.NONE, maximum=4.0)

    with pytest.raises(GiveUp):
        subject.gradebook.ensure_column(subject.course, nowhere)


def test_an_unknown_course_is_given_up_with_a_sentence(subject):
    with pytest.raises(GiveUp) as caught:
        subject.gradebook.line_items(CourseRef("424242"))

    assert caught.value.cause
    assert str(caught.value).endswith(".")


def test_calls_are_counted(subject):
    before = subject.gradebook.calls

    subject.gradebook.courses()

    assert subject.gradebook.calls > before


def test_a_suspended_learner_is_told_from_an_active_one(subject):
    states = {
        one.state
        for course in subject.gradebook.courses()
        for one in subject.gradebook.enrolments(course.ref)
    }

    assert EnrolmentState.ACTIVE in states
    assert EnrolmentState.SUSPENDED in states
