"""Earlier attempts: kept beside the scores, never deleted, each change among the events."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from mapping.records import Attempt, LearnerRef
from mapping.score_columns import ScoreColumns
from store import gradebook
from store.gradebook import SavedScores
from store.tables import attempt_events, earlier_attempts, recompute_queue
from tests.store.places import (
    NOW,
    align,
    competency_ids,
    new_course,
    open_reading,
    publish,
    rule,
    score,
    waiting_pairs,
)

LATER = NOW + timedelta(days=1)
FIRST = Attempt(number=1, points=3.0, submitted_at=NOW, graded_at=LATER)
SECOND = Attempt(number=2, is_late=True)


@pytest.fixture
def opened(db, algebra):
    return open_reading(db, algebra, items=["quiz", "test"], learners=["ada", "bo"])


def save(db, opened, *page):
    return gradebook.save_scores(db, opened, ScoreColumns.of(page), now=NOW, run=None)


def kept(db):
    rows = db.execute(select(earlier_attempts).order_by(*earlier_attempts.primary_key))
    names = [field.name for field in fields(Attempt)]
    return [Attempt(**{name: row[name] for name in names}) for row in rows.mappings()]


def test_earlier_attempts_are_kept_whole(db, opened):
    save(db, opened, score("quiz", "ada", 7.0, attempt=3, earlier=(FIRST, SECOND)))

    assert kept(db) == [FIRST, SECOND]


def test_each_cell_has_attempts_of_its_own(db, opened):
    save(
        db,
        opened,
        score("quiz", "ada", 7.0, earlier=(FIRST,)),
        score("quiz", "bo", 7.0, earlier=(FIRST,)),
        score("test", "ada", 7.0, earlier=(FIRST, SECOND)),
    )

    assert kept(db) == [FIRST, FIRST, FIRST, SECOND]


def test_an_attempt_that_differs_takes_the_place_of_what_was_kept(db, opened):
    save(db, opened, score("quiz", "ada", 7.0, earlier=(FIRST,)))
    regraded = Attempt(number=1, points=5.0, submitted_at=NOW, graded_at=LATER)

    save(db, opened, score("quiz", "ada", 7.0, earlier=(regraded,)))

    assert kept(db) == [regraded]


def test_an_attempt_that_the_lms_no_longer_shows_stays(db, opened):
    save(db, opened, score("quiz", "ada", 7.0, attempt=3, earlier=(FIRST, SECOND)))

    save(db, opened, score("quiz", "ada", 8.0, attempt=3))

    assert kept(db) == [FIRST, SECOND]


def test_what_is_known_from_an_earlier_night_is_not_written_again(db, algebra, opened, statements):
    page = [score("quiz", "ada", 7.0, earlier=(FIRST, SECOND))]
    save(db, opened, *page)
    tonight = gradebook.start_reading(db, algebra, items=opened.items, learners=opened.learners)
    statements.clear()

    save(db, tonight, *page)

    assert statements
    assert not [one for one in statements if one.startswith(("INSERT", "UPDATE", "DELETE"))]


def test_however_many_attempts_there_are_one_query_reads_them(db, algebra, opened, statements):
    page = [
        score(item, learner, 7.0, earlier=(FIRST, SECOND))
        for item in ("quiz", "test")
        for learner in ("ada", "bo")
    ]
    save(db, opened, *page)
    statements.clear()

    tonight = gradebook.start_reading(db, algebra, items=opened.items, learners=opened.learners)
    save(db, tonight, *page[:2])
    save(db, tonight, *page[2:])

    assert sum("earlier_attempts" in one for one in statements) == 1


def test_another_courses_attempts_are_no_part_of_a_reading(db, district, canvas, opened):
    save(db, opened, score("quiz", "ada", 7.0, earlier=(FIRST,)))
    beside = new_course(db, district, canvas, "c2")

    assert open_reading(db, beside, items=["quiz"], learners=["ada"]).attempts(db) == {}


def test_an_attempt_alone_changes_no_score_and_what_it_speaks_for_is_computed(
    db, district, algebra, opened
):
    publish(db, district)
    align(db, district, algebra, rule("N.1", line_item="quiz"))
    save(db, opened, score("quiz", "ada", 7.0, attempt=2))
    tonight = gradebook.start_reading(db, algebra, items=opened.items, learners=opened.learners)
    db.execute(recompute_queue.delete())

    saved = save(db, tonight, score("quiz", "ada", 7.0, attempt=2, earlier=(FIRST,)))

    assert saved == SavedScores()
    assert kept(db) == [FIRST]
    assert waiting_pairs(db, district) == {
        (opened.learners[LearnerRef("ada")], competency_ids(db, district)["N.1"])
    }


def test_everything_an_attempt_ever_said_is_kept_with_when_it_was_read(db, opened):
    save(db, opened, score("quiz", "ada", 7.0, earlier=(FIRST,)))
    save(db, opened, score("quiz", "ada", 7.0, earlier=(FIRST,)))
    regraded = replace(FIRST, points=5.0)

    gradebook.save_scores(
        db,
        opened,
        ScoreColumns.of([score("quiz", "ada", 7.0, earlier=(regraded,))]),
        now=LATER,
        run=None,
    )

    rows = db.execute(select(attempt_events).order_by(attempt_events.c.id))
    assert [(row.number, row.points, row.recorded_at) for row in rows] == [
        (1, 3.0, NOW),
        (1, 5.0, LATER),
    ]


def test_attempts_of_people_who_are_not_in_the_reading_are_passed_over(db, opened):
    save(db, opened, score("quiz", "cy", 7.0, earlier=(FIRST,)))

    assert kept(db) == []
