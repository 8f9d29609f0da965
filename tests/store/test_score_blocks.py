"""A learner's cells of one course in one row: what is put in comes out, and the others stay."""

import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from mapping.records import CourseId, LearnerRef, LineItemRef, ScoreState
from mapping.score_columns import ScoreColumns
from store import gradebook
from store.cells import ROW, Cells, keys_of
from store.course_cells import cells_of, keep_cells, keep_scores, kept_scores, take_scores
from store.packing import EPOCH_2000, VISIBLE
from store.score_blocks import learners_with, read_blocks
from store.session import writing
from store.tables import score_blocks
from tests.store.places import NOW, new_course, open_reading, score

MANY = 500
"""Cells that PostgreSQL keeps no more within a page."""


@pytest.fixture
def opened(db, algebra):
    return open_reading(db, algebra, items=["quiz", "test"], learners=["ada", "bo"])


def save(db, reading, *page):
    return gradebook.save_scores(db, reading, ScoreColumns.of(page), now=NOW, run=None)


def points_of(db, opened):
    """What is kept of a course, by references."""
    items = {number: str(ref) for (ref, _), number in opened.items.items()}
    people = {number: str(ref) for ref, number in opened.learners.items()}
    return {
        (people[one["learner_id"]], items[one["line_item_id"]]): one["points"]
        for one in kept_scores(db, opened.course)
    }


_seconds = st.integers(-(2**31), 2**31 - 1)
_cell = st.tuples(
    st.floats(allow_nan=True, allow_infinity=False),
    st.just(float("nan")) | st.floats(0.5, 9.0),
    _seconds,
    _seconds,
    st.integers(0, 2**15 - 1),
    st.integers(0, 2**15 - 1),
)
_key = st.tuples(st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.dictionaries(_key, _cell, max_size=30), course=st.integers(1, 2**31 - 1))
def test_whatever_cells_say_they_say_when_they_are_read(engine, said, course):
    keys = keys_of(*(np.array([key[n] for key in said], np.int64) for n in (0, 1)))
    cells = Cells.of(keys, np.array(list(said.values()), ROW))

    with writing(engine) as db:
        keep_cells(db, CourseId(course), cells)
        found = cells_of(db, CourseId(course))
        db.rollback()

    assert found.keys.tolist() == sorted(keys.tolist())
    for name in ROW.names:
        assert np.array_equal(found.rows[name], cells.rows[name], equal_nan=name[:6] == "points")


def test_a_block_is_bytes_of_a_known_order(db, algebra, opened):
    graded_at = EPOCH_2000.replace(second=7)
    save(db, opened, score("quiz", "ada", 8.5, attempt=2, graded_at=graded_at))

    (block,) = db.execute(select(score_blocks)).all()

    flags = int(ScoreState.GRADED) | VISIBLE
    item, ada = opened.items[LineItemRef("quiz"), None], opened.learners[LearnerRef("ada")]
    assert (block.course_id, block.learner_id, block.graded) == (algebra, ada, 1)
    assert bytes(block.cells) == struct.pack("<diiihh", 8.5, item, -(2**31), 7, 2, flags)
    assert block.deducted is None


def test_what_is_deducted_takes_room_only_with_the_learner_of_whom_it_is(db, opened):
    page = [score("quiz", "ada", 8.0, points_deducted=0.5), score("test", "ada", 7.0)]
    save(db, opened, *page, score("quiz", "bo", 6.0))

    blocks = db.execute(select(score_blocks).order_by(score_blocks.c.learner_id)).all()
    found = read_blocks(db, score_blocks.c.course_id == opened.course)

    assert [len(block.deducted or b"") for block in blocks] == [16, 0]
    assert np.isnan(found.deducted).tolist() == [False, True, True]
    assert found.deducted[0] == 0.5


def test_how_many_have_points_is_counted_anew_with_each_change(db, opened):
    save(db, opened, score("quiz", "ada", 8.0), score("test", "ada", 7.0))
    before = db.execute(select(score_blocks.c.graded)).scalars().all()
    save(db, opened, score("quiz", "ada", state=ScoreState.CLEARED))

    assert before == [2]
    assert db.execute(select(score_blocks.c.graded)).scalars().all() == [1]


def test_what_another_wrote_meanwhile_beside_a_cell_stays(db, algebra, opened):
    save(db, opened, score("quiz", "ada", 1.0))
    slow = gradebook.start_reading(db, algebra, items=opened.items, learners=opened.learners)
    save(db, slow, score("quiz", "bo", 3.0))
    quick = gradebook.start_reading(db, algebra, items=opened.items, learners=opened.learners)
    save(db, quick, score("test", "ada", 7.0))

    save(db, slow, score("quiz", "ada", 2.0))

    assert points_of(db, opened) == {
        ("ada", "quiz"): 2.0,
        ("ada", "test"): 7.0,
        ("bo", "quiz"): 3.0,
    }


def test_more_cells_than_a_page_has_room_for_are_kept(db, district, canvas):
    items = [f"i{number}" for number in range(MANY)]
    opened = open_reading(
        db, new_course(db, district, canvas, "long"), items=items, learners=["ada"]
    )
    page = [score(item, "ada", float(number)) for number, item in enumerate(items)]
    save(db, opened, *page)
    save(db, opened, score("i499", "ada", 1.0))

    assert list(points_of(db, opened).values()) == [*map(float, range(MANY - 1)), 1.0]


def test_learners_with_a_cell_in_some_line_items(db, district, canvas, opened):
    other = open_reading(db, new_course(db, district, canvas, "b"), items=["x"], learners=["cy"])
    save(db, opened, score("quiz", "ada", 1.0), score("test", "bo", 1.0))
    save(db, other, score("x", "cy", 1.0))
    quiz, x = opened.items[LineItemRef("quiz"), None], other.items[LineItemRef("x"), None]

    ada, cy = opened.learners[LearnerRef("ada")], other.learners[LearnerRef("cy")]
    assert learners_with(db, [quiz, quiz]) == {ada}
    assert learners_with(db, {quiz, x}) == {ada, cy}
    assert learners_with(db, []) == frozenset()


def test_cells_that_are_taken_are_there_no_more_and_may_be_put_back(db, algebra, opened):
    said = {"points_deducted": 0.5, "submitted_at": NOW, "is_late": True, "attempt": 3}
    save(db, opened, score("quiz", "ada", 8.0, **said), score("test", "ada"), FINE)
    before = kept_scores(db, algebra)

    taken = take_scores(db, algebra, {opened.learners[LearnerRef("ada")]})
    left = points_of(db, opened)
    keep_scores(db, algebra, taken)

    assert left == {("bo", "quiz"): 5.0}
    assert kept_scores(db, algebra) == before
    assert take_scores(db, algebra, set()) == []


FINE = score("quiz", "bo", 5.0)


def test_cells_of_several_courses_stand_by_learner_and_line_item(db, district, canvas, opened):
    other = open_reading(
        db, new_course(db, district, canvas, "b"), items=["x", "y"], learners=["bo", "ada"]
    )
    save(db, other, *(score(item, who, 1.0) for item in "xy" for who in ("bo", "ada")))
    save(db, opened, *(score(item, who, 1.0) for item in ("quiz", "test") for who in ("bo", "ada")))

    found = read_blocks(db, score_blocks.c.graded > 0)

    cells = list(zip(found.learner.tolist(), found.cells["line_item_id"].tolist(), strict=True))
    assert cells == sorted(cells)
    assert len(cells) == 8
