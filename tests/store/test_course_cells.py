"""The cells of a course as they are read back: all that was kept, and nothing else."""

import numpy as np
import pytest
from sqlalchemy import insert, select, text

from mapping.records import LearnerId, ScoreState
from mapping.score_columns import ScoreColumns
from store import gradebook
from store.columns import key_first
from store.course_cells import cells_of
from store.packing import LATE, STATE, to_second
from store.tables import learners, line_items, scores
from tests.store.places import NOW, new_course, open_reading, score

LAST_ID = 2**31 - 1


@pytest.fixture
def opened(db, algebra):
    return open_reading(db, algebra, items=["quiz", "test"], learners=["ada", "bo"])


def save(db, reading, *page):
    return gradebook.save_scores(db, reading, ScoreColumns.of(page), now=NOW, run=None)


def test_a_course_of_which_nothing_is_kept_has_no_cells(db, district, canvas):
    assert len(cells_of(db, new_course(db, district, canvas, "bare"))) == 0


def test_cells_stand_by_line_item_and_learner_whatever_order_they_came_in(db, algebra, opened):
    for item, learner in (("test", "bo"), ("quiz", "bo"), ("test", "ada"), ("quiz", "ada")):
        save(db, opened, score(item, learner, 7.0))

    kept = cells_of(db, algebra)

    assert kept.keys.tolist() == sorted(kept.keys.tolist())
    assert len(kept) == 4


def test_cells_whose_ids_lie_far_apart_say_all_they_said(db, district, algebra, opened):
    save(db, opened, score("quiz", "ada", attempt=32_767, state=ScoreState.MISSING, is_late=True))
    (ours,) = db.execute(select(scores)).mappings().all()
    (item,) = db.execute(
        select(line_items).where(line_items.c.id == ours["line_item_id"])
    ).mappings()
    db.execute(insert(line_items).values(**{**item, "id": LAST_ID, "ref": "far"}))
    someone = {"tenant_id": district, "name": "far", "sort_name": "far"}
    db.execute(insert(learners).values(id=LearnerId(LAST_ID), **someone))
    given = {"points": 7.25, "points_deducted": 0.5, "submitted_at": NOW, "learner_id": LAST_ID}
    db.execute(insert(scores).values(**{**ours, **given, "line_item_id": LAST_ID}))

    kept = cells_of(db, algebra)

    assert kept.items().tolist() == [ours["line_item_id"], LAST_ID]
    assert kept.learners().tolist() == [ours["learner_id"], LAST_ID]
    assert kept.rows["attempt"].tolist() == [32_767, 32_767]
    assert (kept.rows["flags"] & (STATE | LATE)).tolist() == [int(ScoreState.MISSING) | LATE] * 2
    assert np.isnan(kept.rows["points"][0])
    assert kept.rows["points"][1] == 7.25
    assert np.isnan(kept.rows["points_deducted"][0])
    assert kept.rows["points_deducted"][1] == 0.5
    assert kept.rows["submitted_at"].tolist() == [-(2**31), to_second(NOW)]
    assert kept.rows["graded_at"].tolist() == [-(2**31)] * 2


def test_whatever_a_cell_says_is_known_when_it_is_read_again(db, algebra, opened):
    page = [
        score("quiz", "ada", 8.1, points_deducted=0.3, submitted_at=NOW, graded_at=NOW, attempt=2),
        score("test", "ada", state=ScoreState.EXCUSED, is_visible=False),
        score("quiz", "bo", -0.5, is_overridden=True, is_late=True, graded_at=NOW),
        score("test", "bo", state=ScoreState.MISSING, submitted_at=NOW),
    ]
    save(db, opened, *page)
    tonight = gradebook.start_reading(db, algebra, items=opened.items, learners=opened.learners)

    assert save(db, tonight, *page) == gradebook.SavedScores()


def test_postgresql_looks_by_the_key_for_one_statement_only(db):
    if db.dialect.name != "postgresql":
        pytest.skip("SQLite plans by the key")
    asked = text("SHOW enable_seqscan")

    with key_first(db):
        inside = db.execute(asked).scalar_one()

    assert (inside, db.execute(asked).scalar_one()) == ("off", "on")
