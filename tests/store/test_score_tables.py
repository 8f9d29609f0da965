"""Scores with every attempt as columns: of now, and as they were known at a moment."""

from datetime import timedelta

import numpy as np
import pytest

from mapping.columns import NO_MOMENT
from mapping.evidence.tables import KINDS
from mapping.records import Attempt, EvidenceKind, LearnerRef, LineItemRef, ScoreState
from mapping.score_columns import ScoreColumns
from store import gradebook, judgements, score_tables
from store.cell_columns import cells_now
from store.judgements import Exclusion, GivenDate
from store.packing import LATE
from store.score_tables import Knowledge
from store.tables import to_micros
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
)

DAY = timedelta(days=1)


@pytest.fixture
def opened(db, district, algebra):
    """A course whose quiz speaks for a competency."""
    publish(db, district)
    found = open_reading(db, algebra, items=["quiz", "test"], learners=["ada"])
    align(db, district, algebra, rule("N.1", line_item="quiz"))
    return found


@pytest.fixture
def ada(opened):
    return opened.learners[LearnerRef("ada")]


def save(db, opened, *page, now=NOW):
    gradebook.save_scores(db, opened, ScoreColumns.of(page), now=now, run=None)


def rows(db, ada, knowledge=None):
    """Attempt, state, points and visibility of each row, in the order of attempts."""
    table = score_tables.score_table(db, [ada], knowledge or Knowledge())
    columns = (table.attempt, table.state, table.points, table.is_visible)
    found = zip(*(column.tolist() for column in columns), strict=True)
    return sorted((number, ScoreState(state), *more) for number, state, *more in found)


def test_aligned_scores_of_a_learner_come_from_every_course_and_lms(db, district, algebra):
    publish(db, district)
    moodle = new_platform(db, district, "Moodle", kind="moodle")
    places = (algebra, new_course(db, district, moodle))
    for course, points in zip(places, (7.0, 9.0), strict=True):
        items = gradebook.save_line_items(db, course, [column("quiz", due_at=NOW), column("x")])
        opened = gradebook.start_reading(db, course, items=items, learners=enrol(db, course, "ada"))
        page = [score("quiz", "ada", points, submitted_at=NOW, points_deducted=0.5)]
        save(db, opened, *page, score("x", "ada", 1.0))
        align(db, district, course, rule("N.1", line_item="quiz"))

    table = score_tables.score_table(db, list(opened.learners.values()))

    assert sorted(table.points.tolist()) == [7.0, 9.0]
    assert sorted(table.course.tolist()) == sorted(places)
    assert table.maximum.tolist() == [10.0, 10.0]
    assert table.points_deducted.tolist() == [0.5, 0.5]
    assert set(table.graded_at.tolist()) == set(table.given_at.tolist()) == {NO_MOMENT}
    assert table.due_at.tolist() == table.submitted_at.tolist()
    assert not table.is_excluded.any()
    assert not table.is_removed.any()


def test_no_learners_have_no_scores(db):
    assert len(score_tables.score_table(db, [])) == 0


def test_cells_of_learners_in_several_courses_stand_by_learner_and_line_item(
    db, district, canvas, opened, ada
):
    """Line items of the course that began first came before and after those of the other."""
    other = open_reading(
        db, new_course(db, district, canvas, "b"), items=["essay"], learners=["bo", "ada"]
    )
    items = gradebook.save_line_items(db, opened.course, [column("quiz"), column("late")])
    again = gradebook.start_reading(db, opened.course, items=items, learners=opened.learners)
    said = {"points_deducted": 0.5, "submitted_at": NOW, "attempt": 32_767, "is_late": True}
    save(db, other, score("essay", "bo", 1.0), score("essay", "ada", 2.0))
    save(db, again, score("late", "ada", 3.0, **said), score("quiz", "ada", None, attempt=1))

    found = cells_now(db, list(other.learners.values())).ordered()

    bo = other.learners[LearnerRef("bo")]
    late, essay = items[LineItemRef("late"), None], other.items[LineItemRef("essay"), None]
    assert late > essay
    cells = zip(
        found.learner.tolist(), found.line_item.tolist(), found.points.tolist(), strict=True
    )
    assert [cell for cell in cells if cell[0] == bo] == [(bo, essay, 1.0)]
    theirs = found.rows(found.learner == ada)
    assert theirs.line_item.tolist() == [opened.items[LineItemRef("quiz"), None], essay, late]
    assert np.isnan(theirs.points[0])
    assert theirs.points[1:].tolist() == [2.0, 3.0]
    assert theirs.deducted.tolist() == [0.0, 0.0, 0.5]
    assert theirs.attempt.tolist() == [1, 0, 32_767]
    assert theirs.submitted_at.tolist() == [NO_MOMENT, NO_MOMENT, to_micros(NOW)]
    assert theirs.has(LATE).tolist() == [False, False, True]


def test_attempts_in_the_history_of_a_cell_come_beside_the_present_one(db, opened, ada):
    history = (
        Attempt(number=1, points=3.0, submitted_at=NOW - DAY, graded_at=NOW, is_late=True),
        Attempt(number=2),
    )
    save(db, opened, score("quiz", "ada", 7.0, attempt=3, earlier=history))

    assert rows(db, ada) == [
        (1, ScoreState.GRADED, 3.0, True),
        (2, ScoreState.CLEARED, pytest.approx(float("nan"), nan_ok=True), True),
        (3, ScoreState.GRADED, 7.0, True),
    ]


def test_an_attempt_that_cell_and_history_both_tell_of_is_the_cells(db, opened, ada):
    history = (Attempt(number=2, points=1.0),)
    save(db, opened, score("quiz", "ada", 7.0, attempt=2, earlier=history))

    assert rows(db, ada) == [(2, ScoreState.GRADED, 7.0, True)]


def test_an_attempt_that_the_lms_wrote_over_is_found_among_the_events(db, opened, ada):
    save(db, opened, score("quiz", "ada", 3.0, attempt=1))
    save(db, opened, score("quiz", "ada", 4.0, attempt=1))
    save(db, opened, score("quiz", "ada", 7.0, attempt=2))

    assert rows(db, ada) == [
        (1, ScoreState.GRADED, 4.0, True),
        (2, ScoreState.GRADED, 7.0, True),
    ]


def test_an_attempt_that_history_and_events_both_tell_of_is_the_historys(db, opened, ada):
    save(db, opened, score("quiz", "ada", 3.0, attempt=1))
    history = (Attempt(number=1, points=3.5),)
    save(db, opened, score("quiz", "ada", 7.0, attempt=2, earlier=history))

    assert [row[2] for row in rows(db, ada)] == [3.5, 7.0]


def test_an_attempt_whose_grade_was_taken_away_before_the_next_one_is_none(db, opened, ada):
    save(db, opened, score("quiz", "ada", 3.0, attempt=1))
    save(db, opened, score("quiz", "ada", state=ScoreState.CLEARED, attempt=1))
    save(db, opened, score("quiz", "ada", 7.0, attempt=2))

    assert [row[0] for row in rows(db, ada)] == [2]


def test_who_is_excused_is_excused_from_every_attempt(db, opened, ada):
    save(db, opened, score("quiz", "ada", 3.0, attempt=2))
    history = (Attempt(number=1, points=2.0),)
    excused = score("quiz", "ada", state=ScoreState.EXCUSED, attempt=3, earlier=history)
    save(db, opened, excused)

    assert {row[1] for row in rows(db, ada)} == {ScoreState.EXCUSED}
    assert len(rows(db, ada)) == 3


def test_what_the_lms_hides_is_hidden_with_every_attempt(db, opened, ada):
    save(db, opened, score("quiz", "ada", 3.0, attempt=2))
    history = (Attempt(number=1, points=2.0),)
    save(db, opened, score("quiz", "ada", 7.0, attempt=3, is_visible=False, earlier=history))

    assert [row[3] for row in rows(db, ada)] == [False, False, False]


def test_attempts_of_a_cell_that_says_nothing_are_not_shown_to_the_learner(db, opened, ada):
    history = (Attempt(number=1, points=2.0),)
    unsaid = score("quiz", "ada", state=ScoreState.NOT_GRADED, attempt=2, earlier=history)
    save(db, opened, unsaid)

    assert rows(db, ada) == [(1, ScoreState.GRADED, 2.0, False)]


def test_a_date_and_an_exclusion_hold_for_every_attempt(db, district, opened, ada):
    save(db, opened, score("quiz", "ada", 3.0, attempt=1))
    save(db, opened, score("quiz", "ada", 7.0, attempt=2))
    place = {"learner": ada, "line_item": opened.items["quiz", None]}
    said = {**place, "author": "a teacher", "given_at": NOW}
    judgements.give_date(db, district, GivenDate(occurred_at=NOW - DAY, **said))
    judgements.exclude(db, district, Exclusion(reason="copied", **said))

    table = score_tables.score_table(db, [ada])

    assert set(table.given_at.tolist()) == {to_micros(NOW - DAY)}
    assert table.is_excluded.tolist() == [True, True]


def test_a_date_and_an_exclusion_taken_back_hold_no_more(db, district, opened, ada):
    save(db, opened, score("quiz", "ada", 7.0))
    place = {"learner": ada, "line_item": opened.items["quiz", None]}
    said = {**place, "author": "a teacher", "given_at": NOW}
    judgements.give_date(db, district, GivenDate(occurred_at=NOW - DAY, **said))
    judgements.exclude(db, district, Exclusion(reason="copied", **said))

    judgements.revoke_date(db, district, **place, author="a teacher", now=NOW + DAY)
    judgements.include(db, district, **place, author="a teacher", now=NOW + DAY)

    now = score_tables.score_table(db, [ada])
    then = score_tables.score_table(db, [ada], Knowledge(moment=NOW))
    assert (now.given_at.tolist(), now.is_excluded.tolist()) == ([NO_MOMENT], [False])
    assert (then.given_at.tolist(), then.is_excluded.tolist()) == ([to_micros(NOW - DAY)], [True])


def test_only_line_items_that_speak_for_what_is_asked_are_found(db, district, algebra, opened, ada):
    align(db, district, algebra, rule("N.1", line_item="quiz"), rule("N.2", line_item="test"))
    save(db, opened, score("quiz", "ada", 3.0), score("test", "ada", 7.0))
    ids = competency_ids(db, district)

    assert [row[2] for row in rows(db, ada)] == [3.0, 7.0]
    assert [row[2] for row in rows(db, ada, Knowledge(aligned_to=[ids["N.2"]]))] == [7.0]
    assert rows(db, ada, Knowledge(aligned_to=[])) == []


def test_at_a_moment_nothing_is_known_that_was_recorded_later(db, opened, ada):
    first = score("quiz", "ada", 3.0, attempt=1)
    history = (Attempt(number=1, points=3.5),)
    second = score("quiz", "ada", 7.0, attempt=2, earlier=history)
    regraded = score("quiz", "ada", 8.0, attempt=2, earlier=(Attempt(number=1, points=4.0),))
    for days, said in enumerate((first, second, regraded)):
        save(db, opened, said, now=NOW + days * DAY)

    points = [
        [row[2] for row in rows(db, ada, Knowledge(moment=NOW + days * DAY))]
        for days in (-1, 0, 1, 2)
    ]

    assert points == [[], [3.0], [3.5, 7.0], [4.0, 8.0]]


def test_at_a_moment_overwritten_attempts_are_those_of_then(db, opened, ada):
    save(db, opened, score("quiz", "ada", 3.0, attempt=1))
    save(db, opened, score("quiz", "ada", 7.0, attempt=2), now=NOW + DAY)
    save(db, opened, score("quiz", "ada", 2.0, attempt=1), now=NOW + 2 * DAY)

    points = [
        {row[0]: row[2] for row in rows(db, ada, Knowledge(moment=NOW + days * DAY))}
        for days in (0, 1, 2)
    ]

    assert points == [{1: 3.0}, {1: 3.0, 2: 7.0}, {1: 2.0, 2: 7.0}]


def test_alignments_come_as_columns_of_their_own_district(db, district, algebra):
    publish(db, district)
    gradebook.save_line_items(db, algebra, [column("quiz")])
    align(db, district, algebra, rule("N.1", weight=2.0, kind=EvidenceKind.RECALL))

    table = score_tables.alignment_table(db, district)

    assert table.competency.tolist() == [competency_ids(db, district)["N.1"]]
    assert table.weight.tolist() == [2.0]
    assert [KINDS[code] for code in table.kind.tolist()] == [EvidenceKind.RECALL]
    assert len(score_tables.alignment_table(db, new_tenant(db, "Other")).weight) == 0
