"""The Canvas connector held against the simulator's own books."""

from dataclasses import replace

import pytest

from connectors.errors import GiveUp, RetryLater, Unauthorized
from mapping.records import (
    ColumnSpec,
    CourseRef,
    CourseState,
    EnrolmentState,
    LearnerRef,
    LineItemRef,
    Mark,
    PassbackWay,
    Role,
    Score,
    ScoreState,
    WriteState,
)
from tests.contracts.subjects import get, post, query, write

SPEC = ColumnSpec(
    tag="waymark:NUMBERS",
    title="Waymark: Numbers",
    way=PassbackWay.MARK_NOT_COUNTED,
    maximum=4.0,
)


def mark(learner, points=3.0):
    return Mark(learner_ref=learner, words="Proficient", points=points)


def news_of(canvas, score, since):
    news, _ = canvas.all_scores(since)
    return next(
        one
        for one in news
        if (one.line_item_ref, one.learner_ref) == (score.line_item_ref, score.learner_ref)
        and one.criterion_ref is None
    )


def column_cell(column, learner):
    """Waymark's own column as a cell that a teacher could mark."""
    return Score(
        line_item_ref=LineItemRef(column.partition(" ")[0]),
        learner_ref=learner,
        state=ScoreState.GRADED,
        points=0.0,
    )


def test_a_full_read_finds_every_grade_of_every_course(canvas):
    rows = query(
        canvas.state,
        "SELECT g.assignment_id, g.learner_id, g.points FROM grades g JOIN assignments a "
        "ON a.id = g.assignment_id WHERE g.state = 'graded' AND a.is_published",
    )
    found = {
        (score.line_item_ref, score.learner_ref, score.points)
        for course in canvas.gradebook.courses()
        for page in canvas.gradebook.scores(course.ref)
        for score in page.scores
        if score.state is ScoreState.GRADED and score.criterion_ref is None
    }

    assert len(rows) > 1000
    assert found == {(str(row[0]), str(row[1]), row[2]) for row in rows}


def test_a_full_read_finds_every_earlier_attempt(canvas):
    rows = query(
        canvas.state,
        "SELECT t.assignment_id, t.learner_id, t.number, t.points, t.submitted_at, t.graded_at "
        "FROM attempts t JOIN grades g ON g.assignment_id = t.assignment_id "
        "AND g.learner_id = t.learner_id JOIN assignments a ON a.id = t.assignment_id "
        "WHERE t.number < g.attempt AND a.is_published",
    )
    found = {
        (
            *(score.line_item_ref, score.learner_ref, one.number, one.points),
            *(one.submitted_at.timestamp(), one.graded_at.timestamp()),
        )
        for course in canvas.gradebook.courses()
        for page in canvas.gradebook.scores(course.ref)
        for score in page.scores
        for one in score.earlier
    }

    assert len(rows) > 10
    assert found == {(str(row[0]), str(row[1]), *row[2:]) for row in rows}


def test_a_full_read_finds_every_rubric_point(canvas):
    rows = query(canvas.state, "SELECT * FROM criterion_points")
    found = {
        (score.line_item_ref, score.learner_ref, score.criterion_ref, score.points)
        for course in canvas.gradebook.courses()
        for page in canvas.gradebook.scores(course.ref)
        for score in page.scores
        if score.criterion_ref is not None and score.points is not None
    }

    assert len(rows) > 100
    assert found == {(str(row[0]), str(row[1]), row[2], row[3]) for row in rows}


def test_late_work_keeps_the_points_before_the_deduction(canvas):
    score = canvas.a_graded_score()
    post(
        f"{canvas.url}/_control/submission",
        {
            "course": int(canvas.course),
            "learner": int(score.learner_ref),
            "assignment": int(score.line_item_ref),
        },
    )
    canvas.change(score, 8.0)
    _, cursor = canvas.all_scores()

    post(f"{canvas.url}/_control/late_policy", {"course": int(canvas.course), "percent": 10})
    changed = news_of(canvas, score, cursor)

    assert changed.points == 8.0
    assert changed.is_late
    assert changed.points_deducted > 0


@pytest.mark.parametrize(
    ("entered", "state"), [(None, ScoreState.CLEARED), ("excused", ScoreState.EXCUSED)]
)
def test_a_grade_that_is_taken_away_is_news(canvas, entered, state):
    score = canvas.a_graded_score()
    _, cursor = canvas.all_scores()

    canvas.change(score, entered)

    assert news_of(canvas, score, cursor).state is state


def test_an_excuse_that_is_taken_back_is_news(canvas):
    score = canvas.a_graded_score()
    canvas.change(score, "excused")
    _, cursor = canvas.all_scores()

    canvas.change(score, 5.0)

    assert news_of(canvas, score, cursor).points == 5.0


def test_concluded_and_unpublished_courses_are_told_apart(canvas):
    states = {course.ref: course.state for course in canvas.gradebook.courses()}

    assert states[CourseRef("106")] is CourseState.CONCLUDED
    assert states[canvas.course] is CourseState.ACTIVE


def test_a_concluded_course_can_still_be_read(canvas):
    items = canvas.gradebook.line_items(CourseRef("106"))

    assert items
    assert not any(item.is_own for item in items)


def test_guardians_name_the_learner_they_follow(canvas):
    learners, guardians = set(), set()
    for course in canvas.gradebook.courses():
        for one in canvas.gradebook.enrolments(course.ref):
            if one.role is Role.GUARDIAN:
                guardians.add(one.observes)
            elif one.role is Role.LEARNER:
                learners.add(one.person.ref)

    assert guardians
    assert guardians <= learners


@pytest.mark.parametrize("way", [PassbackWay.WORDS, PassbackWay.MARK_NOT_COUNTED])
def test_marks_change_no_course_grade(canvas, way):
    spec = replace(SPEC, way=way)
    grades = f"{canvas.url}/_control/course_grades?course={canvas.course}"
    before = get(grades)

    column = canvas.gradebook.ensure_column(canvas.course, spec)
    marks = [
        mark(one.person.ref, 0.0)
        for one in canvas.gradebook.enrolments(canvas.course)
        if (one.role, one.state) == (Role.LEARNER, EnrolmentState.ACTIVE)
    ]
    outcomes = write(canvas.gradebook, canvas.course, column, spec, marks=marks, now=canvas.now())

    assert {one.state for one in outcomes} == {WriteState.CONFIRMED}
    assert get(grades) == before


def test_a_mark_of_ours_is_told_from_a_persons(canvas):
    ours, theirs = canvas.two_learners()
    column = canvas.gradebook.ensure_column(canvas.course, SPEC)
    write(
        canvas.gradebook,
        canvas.course,
        column,
        SPEC,
        marks=[mark(ours), mark(theirs)],
        now=canvas.now(),
    )

    canvas.change(column_cell(column, theirs), 1.0)
    found = canvas.gradebook.read_marks(canvas.course, column, SPEC)

    assert (found[ours].points, found[ours].is_ours) == (3.0, True)
    assert (found[theirs].points, found[theirs].is_ours) == (1.0, False)


def test_an_excused_cell_of_our_column_is_a_persons_and_not_empty(canvas):
    learner = canvas.two_learners()[0]
    column = canvas.gradebook.ensure_column(canvas.course, SPEC)

    canvas.change(column_cell(column, learner), "excused")
    found = canvas.gradebook.read_marks(canvas.course, column, SPEC)[learner]

    assert (found.words, found.is_ours) == ("Excused", False)


def test_a_mark_can_be_withdrawn(canvas):
    learner = canvas.two_learners()[0]
    column = canvas.gradebook.ensure_column(canvas.course, SPEC)
    book, now = canvas.gradebook, canvas.now()
    write(book, canvas.course, column, SPEC, marks=[mark(learner)], now=now)

    outcomes = write(
        book, canvas.course, column, SPEC, marks=[mark(learner, None)], now=canvas.now()
    )

    assert [one.state for one in outcomes] == [WriteState.CONFIRMED]
    assert learner not in book.read_marks(canvas.course, column, SPEC)


def test_a_stranger_is_refused_with_a_reason(canvas):
    column = canvas.gradebook.ensure_column(canvas.course, SPEC)

    outcome = write(
        canvas.gradebook,
        canvas.course,
        column,
        SPEC,
        marks=[mark(LearnerRef("999999"))],
        now=canvas.now(),
    )[0]

    assert outcome.state is WriteState.REFUSED
    assert "student" in outcome.reason


def test_our_assignment_is_known_as_ours_and_left_out_of_the_grade(canvas):
    column = canvas.gradebook.ensure_column(canvas.course, SPEC)

    items = {item.ref: item for item in canvas.gradebook.line_items(canvas.course)}
    assignment = column.partition(" ")[0]
    rows = query(
        canvas.state, "SELECT omit_from_final_grade FROM assignments WHERE id = ?", assignment
    )

    assert items[LineItemRef(assignment)].is_own
    assert rows[0][0] == 1


def test_a_column_whose_maximum_was_changed_is_refused(canvas):
    canvas.gradebook.ensure_column(canvas.course, SPEC)

    with pytest.raises(GiveUp) as caught:
        canvas.gradebook.ensure_column(canvas.course, replace(SPEC, maximum=5.0))

    assert caught.value.cause == "maximum_changed"


def test_words_that_are_too_long_are_refused_and_spoil_no_other(canvas):
    spec = replace(SPEC, way=PassbackWay.WORDS)
    one, other = canvas.two_learners()
    column = canvas.gradebook.ensure_column(canvas.course, spec)
    marks = [Mark(learner_ref=one, words="x" * 256), Mark(learner_ref=other, words="Mastered")]

    outcomes = write(canvas.gradebook, canvas.course, column, spec, marks=marks, now=canvas.now())

    assert [out.state for out in outcomes] == [WriteState.REFUSED, WriteState.CONFIRMED]


@pytest.mark.parametrize(
    ("mode", "kind", "cause"),
    [
        ("down", RetryLater, None),
        ("html", RetryLater, None),
        ("throttle", RetryLater, "throttled"),
        ("expired_token", Unauthorized, "refused_access"),
    ],
)
def test_a_trouble_of_canvas_says_what_to_do(canvas, mode, kind, cause):
    post(f"{canvas.url}/_control/faults", {"mode": mode})

    with pytest.raises(kind) as caught:
        canvas.gradebook.courses()

    assert cause in (None, caught.value.cause)
