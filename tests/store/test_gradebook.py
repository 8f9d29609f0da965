"""Scores: everything a gradebook ever said is kept once, what it says now is the newest of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from mapping.records import Criterion, CriterionRef, Grading, LearnerRef, LineItemRef, ScoreState
from mapping.score_columns import ScoreColumns
from store import gradebook, waiting
from store.gradebook import SavedScores
from store.packing import RETRIED, state_of
from store.session import reading, writing
from store.tables import courses, line_items, recompute_pairs, recompute_queue, score_events
from tests.store.kept import kept
from tests.store.places import (
    NOW,
    align,
    column,
    competency_ids,
    enrol,
    new_course,
    new_platform,
    new_tenant,
    open_reading,
    publish,
    rule,
    score,
    waiting_pairs,
)

LATER = NOW + timedelta(days=1)


@pytest.fixture
def opened(db, algebra):
    return open_reading(db, algebra, items=["quiz", "test"], learners=["ada", "bo"])


def save(db, opened, *page, now=NOW):
    return gradebook.save_scores(db, opened, ScoreColumns.of(page), now=now, run=None)


def events(connection):
    return connection.execute(
        select(state_of(score_events.c.flags), score_events.c.points).order_by(score_events.c.id)
    ).all()


def current(connection):
    return [(cell.state, cell.points) for cell in kept(connection)]


def marked(connection):
    """Learners put down for recomputation, whole or in part."""
    tables = (recompute_queue, recompute_pairs)
    return {
        learner
        for table in tables
        for learner in connection.execute(select(table.c.learner_id)).scalars()
    }


def stored_titles(connection, course, *, is_removed=False):
    rows = connection.execute(
        select(line_items.c.title, line_items.c.criterion).where(
            line_items.c.course_id == course, line_items.c.is_removed.is_(is_removed)
        )
    )
    return {tuple(row) for row in rows}


def test_a_score_that_was_not_known_is_new(db, opened):
    assert save(db, opened, score("quiz", "ada", 7.0)) == SavedScores(new=1)
    assert current(db) == events(db) == [(ScoreState.GRADED, 7.0)]


def test_a_score_that_says_something_else_is_changed_and_both_are_kept(db, opened):
    save(db, opened, score("quiz", "ada", 7.0))

    assert save(db, opened, score("quiz", "ada", 8.0)) == SavedScores(changed=1)
    assert [points for _, points in events(db)] == [7.0, 8.0]
    assert [points for _, points in current(db)] == [8.0]


def test_a_score_that_says_what_is_known_writes_nothing(db, opened):
    save(db, opened, score("quiz", "ada", 7.0))

    assert save(db, opened, score("quiz", "ada", 7.0), now=LATER) == SavedScores()
    assert len(events(db)) == 1


def test_what_was_read_on_an_earlier_night_is_known(db, algebra, opened):
    save(db, opened, score("quiz", "ada", 7.0, submitted_at=NOW, graded_at=LATER))
    tonight = gradebook.start_reading(db, algebra, items=opened.items, learners=opened.learners)

    found = save(db, tonight, score("quiz", "ada", 7.0, submitted_at=NOW, graded_at=LATER))

    assert found == SavedScores()


@pytest.mark.parametrize(
    "more",
    [
        {"is_visible": False},
        {"is_late": True},
        {"attempt": 2},
        {"points_deducted": 1.0},
        {"is_overridden": True},
        {"submitted_at": NOW},
        {"graded_at": NOW},
    ],
)
def test_whatever_changes_of_a_score_is_a_change(db, opened, more):
    save(db, opened, score("quiz", "ada", 7.0))

    assert save(db, opened, score("quiz", "ada", 7.0, **more)) == SavedScores(changed=1)


def test_an_empty_cell_that_was_never_anything_is_no_news(db, opened):
    assert save(db, opened, score("quiz", "ada", state=ScoreState.NOT_GRADED)) == SavedScores()
    assert marked(db) == set()


def test_a_cell_that_became_empty_is_a_change(db, opened):
    save(db, opened, score("quiz", "ada", 7.0))

    found = save(db, opened, score("quiz", "ada", state=ScoreState.NOT_GRADED))

    assert found == SavedScores(changed=1)


@pytest.mark.parametrize("stranger", [score("quiz", "cy", 1.0), score("essay", "ada", 1.0)])
def test_scores_of_people_or_columns_not_in_the_reading_are_passed_over(db, opened, stranger):
    assert save(db, opened, stranger) == SavedScores()


@pytest.fixture
def speaking(db, district, algebra, opened):
    """A reading of a course whose quiz speaks for two competencies, and its test for none."""
    publish(db, district)
    align(
        db,
        district,
        algebra,
        rule("N.1", line_item="quiz"),
        rule("N.2", line_item="quiz"),
    )
    return gradebook.start_reading(db, algebra, items=opened.items, learners=opened.learners)


def test_a_first_reading_puts_whole_learners_down_for_recomputation(db, speaking):
    save(db, speaking, score("quiz", "ada", 7.0))

    ada = speaking.learners[LearnerRef("ada")]
    assert marked(db) == {ada}
    assert db.execute(select(recompute_pairs)).all() == []


def test_later_news_puts_down_what_the_line_item_speaks_for(db, district, algebra, speaking):
    save(db, speaking, score("quiz", "bo", 7.0))
    db.execute(recompute_queue.delete())
    tonight = gradebook.start_reading(db, algebra, items=speaking.items, learners=speaking.learners)

    save(db, tonight, score("quiz", "ada", 7.0), score("test", "bo", 1.0))

    ada, ids = speaking.learners[LearnerRef("ada")], competency_ids(db, district)
    found = waiting.waiting_in(db, district, part=0, parts=1)
    assert found.learners.size == 0
    assert waiting_pairs(db, district) == {(ada, ids["N.1"]), (ada, ids["N.2"])}


def test_a_score_that_speaks_for_nothing_puts_nobody_down(db, speaking):
    save(db, speaking, score("test", "ada", 7.0))

    assert marked(db) == set()


def test_a_rubrics_rows_have_scores_of_their_own(db, algebra):
    stored = gradebook.save_line_items(db, algebra, [column("essay", criteria=("form", "facts"))])
    opened = gradebook.start_reading(db, algebra, items=stored, learners=enrol(db, algebra, "ada"))

    found = save(
        db,
        opened,
        score("essay", "ada", 6.0),
        score("essay", "ada", 2.0, criterion="form"),
        score("essay", "ada", 4.0, criterion="facts"),
    )

    assert found == SavedScores(new=3)


def test_a_criterion_is_kept_with_its_own_range(db, algebra):
    criterion = Criterion(ref=CriterionRef("form"), title="Form", maximum=4.0)
    essay = column("essay", maximum=100.0, grading=Grading.SCALE, minimum=1.0)

    gradebook.save_line_items(db, algebra, [replace(essay, criteria=(criterion,))])

    row = db.execute(select(line_items).where(line_items.c.criterion_ref == "form")).one()
    assert (row.criterion, row.minimum, row.maximum, row.grading) == ("Form", 0.0, 4.0, "points")


def test_our_own_columns_are_no_line_items(db, algebra):
    found = gradebook.save_line_items(db, algebra, [column("quiz"), column("own", is_own=True)])

    assert list(found) == [(LineItemRef("quiz"), None)]
    assert stored_titles(db, algebra) == {("quiz", "")}


def test_a_column_that_vanished_is_marked_and_keeps_its_scores(db, algebra, opened):
    save(db, opened, score("quiz", "ada", 7.0))

    gradebook.save_line_items(db, algebra, [column("test")])

    assert stored_titles(db, algebra, is_removed=True) == {("quiz", "")}
    assert len(current(db)) == 1


def test_a_column_that_came_back_is_the_same_one(db, algebra):
    first = gradebook.save_line_items(db, algebra, [column("quiz")])
    gradebook.save_line_items(db, algebra, [])

    again = gradebook.save_line_items(db, algebra, [column("quiz")])

    assert again == first
    assert stored_titles(db, algebra) == {("quiz", "")}


def test_a_criterion_taken_from_a_rubric_is_marked_as_removed(db, algebra):
    gradebook.save_line_items(db, algebra, [column("essay", criteria=("form", "facts"))])

    gradebook.save_line_items(db, algebra, [column("essay", criteria=("form",))])

    assert stored_titles(db, algebra, is_removed=True) == {("essay", "facts")}


def test_a_column_that_changed_is_the_same_with_its_new_values(db, algebra):
    first = gradebook.save_line_items(db, algebra, [column("quiz", maximum=10.0)])
    again = gradebook.save_line_items(db, algebra, [column("quiz", maximum=20.0, due_at=NOW)])

    row = db.execute(select(line_items.c.maximum, line_items.c.due_at)).one()
    assert again == first
    assert tuple(row) == (20.0, NOW)


def test_a_grade_the_lms_no_longer_holds_was_taken_away(db, algebra, opened):
    save(db, opened, score("quiz", "ada", 7.0), score("test", "ada", 5.0))
    tonight = gradebook.start_reading(db, algebra, items=opened.items, learners=opened.learners)
    save(db, tonight, score("test", "ada", 5.0))

    found = gradebook.clear_unseen(db, tonight, now=LATER, run=None)

    assert found == SavedScores(changed=1)
    assert sorted(current(db)) == [(ScoreState.GRADED, 5.0), (ScoreState.CLEARED, None)]


def test_nothing_is_cleared_of_a_learner_the_lms_left_out_as_a_whole(db, algebra, opened):
    save(db, opened, score("quiz", "ada", 7.0), score("quiz", "bo", 5.0))
    tonight = gradebook.start_reading(db, algebra, items=opened.items, learners=opened.learners)
    save(db, tonight, score("test", "bo", 5.0), score("quiz", "bo", 5.0))

    assert gradebook.clear_unseen(db, tonight, now=LATER, run=None) == SavedScores()


def test_nothing_is_cleared_in_a_column_that_was_not_read(db, algebra, opened):
    save(db, opened, score("quiz", "ada", 7.0), score("test", "ada", 5.0))
    items = gradebook.save_line_items(db, algebra, [column("test")])
    tonight = gradebook.start_reading(db, algebra, items=items, learners=opened.learners)
    save(db, tonight, score("test", "ada", 5.0))

    assert gradebook.clear_unseen(db, tonight, now=LATER, run=None) == SavedScores()


def test_what_was_taken_away_is_not_taken_away_again(db, algebra, opened):
    save(db, opened, score("quiz", "ada", 7.0), score("test", "ada", 5.0))
    for _ in range(2):
        tonight = gradebook.start_reading(db, algebra, items=opened.items, learners=opened.learners)
        save(db, tonight, score("test", "ada", 5.0))
        last = gradebook.clear_unseen(db, tonight, now=LATER, run=None)

    assert last == SavedScores()
    assert len(events(db)) == 3


def test_a_later_mark_for_recomputation_outlives_the_cure_of_an_earlier_one(db, district, opened):
    ada = opened.learners[LearnerRef("ada")]
    waiting.mark_learners(db, [ada], now=NOW)
    tokens = waiting.waiting_in(db, district, part=0, parts=1)

    waiting.mark_learners(db, [ada, ada], now=LATER)
    waiting.settle(db, tokens)

    assert marked(db) == {ada}


_cells = st.tuples(st.sampled_from(["quiz", "test"]), st.sampled_from(["ada", "bo", "cy"]))
_values = st.one_of(
    st.floats(0.0, 10.0).map(lambda points: {"points": points}),
    st.sampled_from(ScoreState)
    .filter(lambda state: state is not ScoreState.GRADED)
    .map(lambda state: {"state": state}),
)
_scores = st.builds(lambda cell, value: score(*cell, **value), _cells, _values)
_pages = st.lists(st.lists(_scores, max_size=4), max_size=5)


def _fresh_reading(engine):
    with writing(engine) as connection:
        tenant = new_tenant(connection)
        platform = new_platform(connection, tenant)
        others = connection.execute(select(func.count()).select_from(courses)).scalar()
        course = new_course(connection, tenant, platform, f"c{others}")
        return open_reading(
            connection, course, items=["quiz", "test"], learners=["ada", "bo", "cy"]
        )


def _read(engine, opened, pages) -> SavedScores:
    saved = SavedScores()
    for page in pages:
        with writing(engine) as connection:
            saved = gradebook.save_scores(
                connection, opened, ScoreColumns.of(page), now=NOW, run=None
            )
    return saved


def _kept(engine, opened):
    """Current scores of a reading's course by reference, and the events that led there."""
    items = {number: ref for (ref, _), number in opened.items.items()}
    people = {number: ref for ref, number in opened.learners.items()}
    with reading(engine) as connection:
        past = connection.execute(
            select(
                score_events.c.line_item_id,
                score_events.c.learner_id,
                state_of(score_events.c.flags),
                score_events.c.points,
            )
            .where(score_events.c.line_item_id.in_(items))
            .order_by(score_events.c.id)
        ).all()
        now = [one for one in kept(connection) if one.line_item_id in items]
    return (
        {(items[one.line_item_id], people[one.learner_id]): (one.state, one.points) for one in now},
        [((items[i], people[p]), (state, points)) for i, p, state, points in past],
    )


_MANY = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_MANY
@given(pages=_pages)
def test_current_scores_are_the_newest_events(engine, pages):
    opened = _fresh_reading(engine)

    _read(engine, opened, pages)

    now, past = _kept(engine, opened)
    assert now == dict(past)


@_MANY
@given(pages=_pages)
def test_reading_the_same_gradebook_twice_appends_no_second_event(engine, pages):
    opened = _fresh_reading(engine)
    # A gradebook holds one score for a cell: the last of several pages is what it came to hold.
    held = [list({(s.line_item_ref, s.learner_ref): s for p in pages for s in p}.values())]
    _read(engine, opened, held)
    before = _kept(engine, opened)

    _read(engine, opened, held)

    assert _kept(engine, opened) == before


@_MANY
@given(
    found=st.lists(_scores, max_size=6, unique_by=lambda s: (s.line_item_ref, s.learner_ref)),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_pages_does_not_matter_for_distinct_cells(engine, found, order):
    first, second = _fresh_reading(engine), None
    _read(engine, first, [[one] for one in found])
    second = _fresh_reading(engine)
    shuffled = order.sample(found, len(found))

    _read(engine, second, [[one] for one in shuffled])

    assert _kept(engine, second)[0] == _kept(engine, first)[0]


def test_a_cell_remembers_that_it_was_of_another_attempt_whatever_it_says_later(
    db, algebra, opened
):
    said = []
    for attempt, points in ((0, 5.0), (1, 6.0), (1, 6.0), (1, 7.0)):
        reading = gradebook.start_reading(db, algebra, items=opened.items, learners=opened.learners)
        saved = save(db, reading, score("quiz", "ada", points, attempt=attempt))
        is_retried = kept(db)[0].flags & RETRIED != 0
        said.append((saved.new, saved.changed, is_retried))

    assert said == [(1, 0, False), (0, 1, True), (0, 0, True), (0, 1, True)]
