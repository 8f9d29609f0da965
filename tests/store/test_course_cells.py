"""The cells of a course as they are read back: all that was kept, and nothing else."""

import pytest

from mapping.records import ScoreState
from mapping.score_columns import ScoreColumns
from store import gradebook
from store.course_cells import cells_of
from tests.store.places import NOW, new_course, open_reading, score

LAST_ID = 2**31 - 1


@pytest.fixture
def opened(db, algebra):
    return open_reading(db, algebra, items=["quiz", "test"], learners=["ada", "bo"])


def save(db, reading, *page):
    return gradebook.save_scores(db, reading, ScoreColumns.of(page), now=NOW, run=None)


def test_a_course_of_which_nothing_is_kept_has_no_cells(db, district, canvas):
    assert len(cells_of(db, new_course(db, district, canvas, "bare"))) == 0


def test_cells_stand_by_learner_and_line_item_whatever_order_they_came_in(db, algebra, opened):
    for item, learner in (("test", "bo"), ("quiz", "bo"), ("test", "ada"), ("quiz", "ada")):
        save(db, opened, score(item, learner, 7.0))

    kept = cells_of(db, algebra)

    assert kept.keys.tolist() == sorted(kept.keys.tolist())
    assert len(kept) == 4


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
