"""Columns to the database and back, alike on both."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, text, update

from mapping.columns import NO_MOMENT
from mapping.records import LearnerRef
from mapping.score_columns import ScoreColumns
from store import gradebook, waiting
from store.arrays import array_of, read_arrays
from store.session import copy_rows, reading, write_arrays, write_rows, writing
from store.tables import (
    courses,
    earlier_attempts,
    learners,
    line_items,
    recompute_queue,
    score_events,
    to_micros,
)
from tests.store.kept import kept
from tests.store.places import NOW, enrol, new_course, new_platform, new_tenant, open_reading, score


def test_every_kind_of_column_is_read_as_what_it_is(db, algebra):
    opened = open_reading(db, algebra, items=["quiz"], learners=["ada"])
    page = [score("quiz", "ada", 7.5, attempt=2, graded_at=NOW)]
    gradebook.save_scores(db, opened, ScoreColumns.of(page), now=NOW, run=None)
    said = (score_events.c[name] for name in ("points", "attempt", "graded_at", "recorded_at"))

    arrays = read_arrays(
        db,
        select(*said, line_items.c.is_published, line_items.c.due_at, score_events.c.run_id)
        .select_from(score_events)
        .join(line_items, line_items.c.id == score_events.c.line_item_id),
    )

    assert [array.dtype.str[1:] for array in arrays] == ["f8", "i2", "i4", "i8", "b1", "i8", "i4"]
    second = to_micros(NOW) // 1_000_000 - 946_684_800
    assert [array.tolist() for array in arrays] == [
        *([7.5], [2], [second], [to_micros(NOW)], [True], [NO_MOMENT], [-(2**31)]),
    ]


def test_no_rows_are_empty_columns(db):
    arrays = read_arrays(db, select(score_events.c.points, score_events.c.flags))

    assert [(len(array), array.dtype.kind) for array in arrays] == [(0, "f"), (0, "i")]


def test_words_are_no_columns_of_numbers(db):
    with pytest.raises(TypeError, match="title"):
        read_arrays(db, select(courses.c.title))


_row = st.tuples(
    st.none() | st.floats(allow_nan=False),
    st.none() | st.integers(-(2**31) + 1, 2**31 - 1),
    st.integers(0, 2**15 - 1),
    st.booleans(),
)
_WRITTEN = ("points", "submitted_at", "number", "is_late")


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_row, min_size=1, max_size=8))
def test_rows_written_as_columns_are_read_as_they_were(engine, rows):
    with writing(engine) as connection:
        tenant = new_tenant(connection, f"T{_count(connection)}")
        course = new_course(connection, tenant, new_platform(connection, tenant))
        items = open_reading(
            connection, course, items=[str(place) for place in range(len(rows))], learners=["ada"]
        )
        learner = items.learners[LearnerRef("ada")]
        numbers = sorted(items.items.values())
        written = [(number, learner, *row) for number, row in zip(numbers, rows, strict=True)]
        columns, table = ("line_item_id", "learner_id", *_WRITTEN), earlier_attempts
        keys = ("line_item_id", "learner_id", "number")
        write_rows(connection, table, written, columns=columns, keys=keys)
        arrays = {
            name: array_of(table.c[name], values)
            for name, values in zip(columns, zip(*written, strict=True), strict=True)
        }
        # They are there already, and take the same values in another way.
        connection.execute(update(table).values(points=1.0, submitted_at=NOW))
        write_arrays(connection, table, arrays, keys=keys)

    said = (table.c[name] for name in _WRITTEN)
    with reading(engine) as connection:
        found = connection.execute(
            select(*said).where(table.c.learner_id == learner).order_by(table.c.line_item_id)
        ).all()
        arrays = read_arrays(
            connection, select(table.c.line_item_id).where(table.c.learner_id == learner)
        )
    second = timedelta(seconds=1)
    assert [
        (row.points, None if row[1] is None else (row[1] - NOW) // second, *row[2:])
        for row in found
    ] == [
        (points, None if at is None else at + 946_684_800 - to_micros(NOW) // 1_000_000, *more)
        for points, at, *more in rows
    ]
    assert sorted(arrays[0].tolist()) == numbers


def _count(connection):
    return connection.execute(select(func.count()).select_from(learners)).scalar()


def test_nothing_written_is_no_statement(db):
    write_arrays(db, recompute_queue, {"learner_id": np.empty(0, "i8"), "token": []})

    assert db.execute(select(recompute_queue)).all() == []


def test_rows_that_a_query_finds_replace_those_that_are_there(db, algebra):
    enrol(db, algebra, "ada", "bo")
    first, second = db.execute(select(learners.c.id).order_by(learners.c.id)).scalars()
    db.execute(insert(recompute_queue), [{"learner_id": first, "token": 1}])
    query = select(learners.c.id.label("learner_id"), (learners.c.id * 0 + 7).label("token"))

    copy_rows(db, recompute_queue, query.order_by(learners.c.id), keys=("learner_id",))

    found = dict(db.execute(select(recompute_queue.c.learner_id, recompute_queue.c.token)).all())
    assert found == {first: 7, second: 7}


def test_everybody_is_put_down_and_nobody_of_another_tenant(db, district, algebra):
    ada = enrol(db, algebra, "ada")[LearnerRef("ada")]
    other = new_tenant(db, "Elsewhere")
    enrol(db, new_course(db, other, new_platform(db, other)), "cy")

    waiting.mark_everybody(db, district, now=NOW)

    assert dict(db.execute(select(recompute_queue)).all()) == {ada: to_micros(NOW)}
    assert waiting.count_waiting(db, other) == 0


@pytest.mark.postgres
@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_course_that_says_nothing_new_leaves_no_trace_in_the_log(engine):
    page = [score(item, person, 7.0, graded_at=NOW) for item in _NAMES for person in _NAMES]
    with writing(engine) as connection:
        tenant = new_tenant(connection, "Unchanged")
        course = new_course(connection, tenant, new_platform(connection, tenant))
        opened = open_reading(connection, course, items=_NAMES, learners=_NAMES)
        gradebook.save_scores(connection, opened, ScoreColumns.of(page), now=NOW, run=None)

    nights = [_unchanged_night(engine, opened, page) for _ in range(5)]

    assert {(saved, rows) for saved, rows, _ in nights} == {(gradebook.SavedScores(), 0)}
    # Other processes of the server log something now and then, not in every one of five nights.
    assert min(logged for *_, logged in nights) < len(page) / 10


def _unchanged_night(engine, opened, page):
    """What it counts, how many rows it writes, and how many bytes are logged meanwhile."""
    with writing(engine) as connection:
        before, rows_before = _logged(connection), _changed_rows(connection)
        tonight = gradebook.start_reading(
            connection, opened.course, items=opened.items, learners=opened.learners
        )
        saved = gradebook.save_scores(connection, tonight, ScoreColumns.of(page), now=NOW, run=None)
        gradebook.clear_unseen(connection, tonight, now=NOW, run=None)
        rows = _changed_rows(connection) - rows_before
        return saved, rows, _logged(connection) - before


_NAMES = [f"n{number}" for number in range(40)]


def _logged(connection):
    return connection.execute(text("SELECT pg_current_wal_insert_lsn() - '0/0'")).scalar()


def _changed_rows(connection):
    """Rows that this connection has written and not told of yet."""
    return connection.execute(
        text("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables")
    ).scalar()


def test_a_page_with_two_changes_writes_two_cells_and_two_events(db, algebra):
    opened = open_reading(db, algebra, items=["quiz", "test"], learners=["ada", "bo"])
    people = ("ada", "bo")
    page = [score(item, person, 7.0) for item in ("quiz", "test") for person in people]
    gradebook.save_scores(db, opened, ScoreColumns.of(page), now=NOW, run=None)
    db.execute(delete(score_events))

    changed = [*page[:2], score("test", "ada", 8.0), score("test", "bo", 9.0)]
    gradebook.save_scores(db, opened, ScoreColumns.of(changed), now=NOW, run=None)

    assert sorted(db.execute(select(score_events.c.points)).scalars()) == [8.0, 9.0]
    assert sorted(cell.points for cell in kept(db)) == [7.0, 7.0, 8.0, 9.0]
