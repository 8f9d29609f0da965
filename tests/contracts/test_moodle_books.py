"""The Moodle connector held against the simulator's own books."""

import pytest

from connectors.errors import RetryLater, Unauthorized
from mapping.records import (
    ColumnSpec,
    Grading,
    LearnerRef,
    LineItemRef,
    Mark,
    PassbackWay,
    ScoreState,
    WriteState,
)
from tests.contracts.subjects import get, post, query, write

SPEC = ColumnSpec(
    tag="waymark:NUMBERS", title="Waymark: Numbers", way=PassbackWay.WORDS, maximum=4.0
)


def mark(learner, words="Proficient (2 of 3 competencies mastered)"):
    return Mark(learner_ref=learner, words=words)


def news_of(moodle, score, since):
    news, _ = moodle.all_scores(since)
    return next(
        one
        for one in news
        if (one.line_item_ref, one.learner_ref) == (score.line_item_ref, score.learner_ref)
    )


def test_a_full_read_finds_every_grade_of_every_course(moodle):
    rows = query(
        moodle.state,
        "SELECT g.assignment_id, g.learner_id, "
        "CASE WHEN g.overridden THEN g.override_points ELSE g.points END "
        "FROM grades g JOIN enrolments e ON e.course_id = g.course_id "
        "AND e.person_id = g.learner_id AND e.state = 'active' AND e.role = 'learner' "
        "WHERE g.state = 'graded' AND NOT g.excused",
    )
    found = {
        (score.line_item_ref, score.learner_ref): score.points
        for course in moodle.gradebook.courses()
        for page in moodle.gradebook.scores(course.ref)
        for score in page.scores
        if score.state is ScoreState.GRADED
    }

    expected = {(str(row[0]), str(row[1])): row[2] for row in rows}
    assert len(found) > 1000
    assert found.keys() == expected.keys()
    assert all(found[cell] == pytest.approx(expected[cell], abs=1e-4) for cell in found)


def test_scales_are_recognised_by_their_words(moodle):
    scaled = {
        str(row[0]) for row in query(moodle.state, "SELECT id FROM assignments WHERE scale != '[]'")
    }
    found = {
        item.ref
        for course in moodle.gradebook.courses()
        for item in moodle.gradebook.line_items(course.ref)
        if item.grading is Grading.SCALE
    }

    assert found == scaled


def test_columns_and_scores_of_a_course_cost_one_grade_report(moodle):
    moodle.gradebook.line_items(moodle.course)
    list(moodle.gradebook.scores(moodle.course))

    functions = get(f"{moodle.url}/_control/counters")["functions"]

    assert functions["gradereport_user_get_grade_items"] == 1


def test_a_second_read_of_scores_asks_again(moodle):
    score = moodle.a_graded_score()

    moodle.change(score, score.points - 1)

    assert score not in moodle.all_scores()[0]


def test_only_the_learner_whose_row_changed_is_news(moodle):
    score = moodle.a_graded_score()
    _, cursor = moodle.all_scores()

    moodle.change(score, score.points - 1)
    news, _ = moodle.all_scores(cursor)

    assert {one.learner_ref for one in news} == {score.learner_ref}


@pytest.mark.parametrize(
    ("entered", "states"),
    [(None, {ScoreState.CLEARED, ScoreState.NOT_GRADED}), ("excused", {ScoreState.EXCUSED})],
)
def test_a_grade_that_is_taken_away_is_news(moodle, entered, states):
    score = moodle.a_graded_score()
    _, cursor = moodle.all_scores()

    moodle.change(score, entered)

    assert news_of(moodle, score, cursor).state in states


def test_marks_change_no_course_total(moodle):
    grades = f"{moodle.url}/_control/course_grades?course={moodle.course}"
    before = get(grades)

    column = moodle.gradebook.ensure_column(moodle.course, SPEC)
    learners = moodle.two_learners()
    outcomes = write(
        moodle.gradebook,
        moodle.course,
        column,
        SPEC,
        marks=[mark(one) for one in learners],
        now=moodle.now(),
    )

    assert {one.state for one in outcomes} == {WriteState.CONFIRMED}
    assert get(grades) == before


def test_our_column_is_known_as_ours(moodle):
    column = moodle.gradebook.ensure_column(moodle.course, SPEC)

    items = {item.ref: item for item in moodle.gradebook.line_items(moodle.course)}
    number = LineItemRef(column.partition("/lineitems/")[2].partition("/")[0])

    assert items[number].is_own
    assert items[number].title == SPEC.title


def test_a_stranger_is_refused_with_a_reason(moodle):
    column = moodle.gradebook.ensure_column(moodle.course, SPEC)

    outcome = write(
        moodle.gradebook,
        moodle.course,
        column,
        SPEC,
        marks=[mark(LearnerRef("999999"))],
        now=moodle.now(),
    )[0]

    assert outcome.state is WriteState.REFUSED
    assert "learner" in outcome.reason


def test_a_mark_with_points_goes_out_as_words(moodle):
    learner = moodle.two_learners()[0]
    spec = ColumnSpec(tag=SPEC.tag, title=SPEC.title, way=PassbackWay.MARK_NOT_COUNTED, maximum=4.0)
    column = moodle.gradebook.ensure_column(moodle.course, spec)
    wanted = Mark(learner_ref=learner, words="Mastered", points=4.0)

    write(moodle.gradebook, moodle.course, column, spec, marks=[wanted], now=moodle.now())
    found = moodle.gradebook.read_marks(moodle.course, column, spec)[learner]

    assert (found.words, found.points) == ("Mastered", None)


@pytest.mark.parametrize(
    ("mode", "kind", "cause"),
    [
        ("down", RetryLater, "maintenance"),
        ("html", RetryLater, "web_page"),
        ("expired_token", Unauthorized, "accessexception"),
    ],
)
def test_a_trouble_of_moodle_says_what_to_do(moodle, mode, kind, cause):
    post(f"{moodle.url}/_control/faults", {"mode": mode, "seconds": 60})

    with pytest.raises(kind) as caught:
        moodle.gradebook.courses()

    assert caught.value.cause == cause


def test_a_course_that_the_service_user_may_not_see_is_explained(moodle):
    post(f"{moodle.url}/_control/rights", {"closed": [int(moodle.course)]})

    with pytest.raises(Unauthorized) as caught:
        moodle.gradebook.line_items(moodle.course)

    assert "moodle/course:view" in str(caught.value)
