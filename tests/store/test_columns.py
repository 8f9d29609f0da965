"""Rows asked for by ids, read as columns, and deleted by what they say."""

import numpy as np
import pytest
from sqlalchemy import select

from mapping.records import LearnerRef
from mapping.score_columns import ScoreColumns
from store import gradebook
from store.columns import NOTHING, delete_equal, one_of, pair_of, read_columns
from store.tables import enrolments, line_items, recompute_queue, score_events
from store.waiting import mark_learners
from tests.store.places import NOW, enrol, open_reading, score


@pytest.fixture
def people(db, algebra):
    return sorted(enrol(db, algebra, "ada", "bo", "cy", "di").values())


@pytest.mark.parametrize("wanted", [[0, 1, 2], [0, 2], [3], []])
def test_rows_are_found_by_ids_that_follow_one_another_or_do_not(db, people, wanted):
    ids = [people[place] for place in wanted]

    (found,) = read_columns(
        db,
        select(enrolments.c.learner_id).where(one_of(db, enrolments.c.learner_id, ids)),
    )

    assert sorted(found.tolist()) == ids


def test_what_is_absent_is_nan_or_nothing_and_left_out_where_only_the_rest_is_wanted(db, algebra):
    opened = open_reading(db, algebra, items=["quiz"], learners=["ada", "bo"])
    ada = score("quiz", "ada", 7.0, points_deducted=0.5)
    page = [ada, score("quiz", "bo", 3.0)]
    gradebook.save_scores(db, opened, ScoreColumns.of(page), now=NOW, run=None)
    query = select(*(score_events.c[name] for name in ("points", "points_deducted", "graded_at")))

    points, deducted, graded_at = read_columns(db, query, sparse=["points_deducted"])

    assert sorted(points.tolist()) == [3.0, 7.0]
    assert deducted.tolist() == [0.5]
    assert points.dtype == np.float64
    assert graded_at.dtype == np.int64
    assert NOTHING not in points


def test_rows_are_found_by_pairs(db, algebra):
    opened = open_reading(db, algebra, items=["quiz", "test"], learners=["ada", "bo"])
    page = [score(item, who, 7.0) for item in ("quiz", "test") for who in ("ada", "bo")]
    gradebook.save_scores(db, opened, ScoreColumns.of(page), now=NOW, run=None)
    ada, quiz = opened.learners[LearnerRef("ada")], opened.items["quiz", None]
    columns = (score_events.c.learner_id, score_events.c.line_item_id)
    wanted = (np.array([ada], dtype=np.int64), np.array([quiz], dtype=np.int64))

    item, learner = read_columns(
        db,
        select(score_events.c.line_item_id, score_events.c.learner_id).where(
            pair_of(db, columns, wanted)
        ),
    )

    assert set(learner.tolist()) == {ada}
    assert quiz in item.tolist()


def test_only_rows_that_say_all_of_it_are_deleted(db, people):
    mark_learners(db, people, now=NOW)
    learner, token = read_columns(db, select(recompute_queue))
    token[learner == people[0]] += 1

    delete_equal(db, recompute_queue, {"learner_id": learner, "token": token})

    assert read_columns(db, select(recompute_queue.c.learner_id))[0].tolist() == [people[0]]


@pytest.mark.parametrize(
    ("column", "width"), [(score_events.c.learner_id, "INTEGER[]"), (line_items.c.id, "BIGINT[]")]
)
def test_ids_that_do_not_follow_one_another_are_as_wide_as_their_column(
    postgres_engine, column, width
):
    """PostgreSQL looks only ids of the column's own type up in a table of hashes."""
    with postgres_engine.connect() as connection:
        asked = select(column).where(one_of(connection, column, [1, 2, 4]))

        assert f"::{width}" in str(asked.compile(dialect=connection.dialect))
        assert connection.execute(asked).scalars().all() == []
