"""Packed rows: what cannot be packed is told apart, and the rest of a page is kept."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from mapping.records import Attempt, ScoreState
from mapping.score_columns import ScoreColumns
from store import gradebook
from store.cells import ROW, Cells, items_of, keys_in, keys_of, learners_of, packed
from store.gradebook import SavedScores
from store.packing import EPOCH_2000, LATE, OVERRIDDEN, STATE, VISIBLE
from store.tables import earlier_attempts
from tests.store.kept import kept
from tests.store.places import NOW, open_reading, score

FINE = score("quiz", "bo", 5.0)


@pytest.fixture
def opened(db, algebra):
    return open_reading(db, algebra, items=["quiz", "test"], learners=["ada", "bo"])


def save(db, opened, *page):
    return gradebook.save_scores(db, opened, ScoreColumns.of(page), now=NOW, run=None)


def points(db):
    return sorted(cell.points for cell in kept(db))


@pytest.mark.parametrize(
    "poison",
    [
        {"points": float("nan")},
        {"points": float("inf")},
        {"points": float("-inf")},
        {"points": 10**400},
        {"points": "seven"},
        {"points": 7.0, "points_deducted": float("nan")},
        {"points": 7.0, "points_deducted": float("inf")},
        {"points": 7.0, "attempt": 10**30},
        {"points": 7.0, "graded_at": datetime(2026, 11, 20)},  # noqa: DTZ001 - what is tested
        {"points": 7.0, "submitted_at": "yesterday"},
    ],
    ids=lambda poison: "-".join(f"{name}={value}"[:30] for name, value in poison.items()),
)
def test_a_score_that_cannot_be_kept_is_passed_over_and_counted_and_the_rest_stays(
    db, opened, poison
):
    saved = save(db, opened, score("quiz", "ada", **poison), FINE)

    assert saved == SavedScores(new=1, skipped=1)
    assert points(db) == [5.0]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"attempt": 70_000}, {"attempt": 2**15 - 1}),
        ({"attempt": -1}, {"attempt": 0}),
        (
            {"graded_at": datetime(9999, 12, 31, tzinfo=UTC)},
            {"graded_at": EPOCH_2000 + timedelta(seconds=2**31 - 1)},
        ),
        (
            {"submitted_at": datetime(1, 1, 1, tzinfo=UTC)},
            {"submitted_at": EPOCH_2000 - timedelta(seconds=2**31 - 1)},
        ),
    ],
)
def test_what_is_beyond_a_rows_room_becomes_the_nearest_that_is_not(db, opened, told, expected):
    saved = save(db, opened, score("quiz", "ada", 7.0, **told))

    (row,) = map(vars, kept(db))
    assert saved == SavedScores(new=1)
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    "unfit",
    [
        Attempt(number=2**15),
        Attempt(number=1, points=float("nan")),
        Attempt(number=1, graded_at=datetime(2026, 11, 20)),  # noqa: DTZ001 - what is tested
    ],
)
def test_an_earlier_attempt_that_cannot_be_kept_is_passed_over_and_its_score_is_not(
    db, opened, unfit
):
    fine = Attempt(number=2, points=3.0)

    saved = save(db, opened, score("quiz", "ada", 7.0, attempt=3, earlier=(unfit, fine)))

    assert saved == SavedScores(new=1, skipped=1)
    assert db.execute(select(earlier_attempts.c.number)).scalars().all() == [2]


def test_a_grade_that_became_unreadable_was_not_taken_away(db, algebra, opened):
    save(db, opened, score("quiz", "ada", 7.0), score("test", "ada", 5.0))
    tonight = gradebook.start_reading(db, algebra, items=opened.items, learners=opened.learners)
    save(db, tonight, score("quiz", "ada", float("nan")), score("test", "ada", 5.0))

    assert gradebook.clear_unseen(db, tonight, now=NOW, run=None) == SavedScores()
    assert points(db) == [5.0, 7.0]


def test_part_of_a_second_makes_no_difference(db, opened):
    save(db, opened, score("quiz", "ada", 7.0, graded_at=NOW))

    later = NOW + timedelta(microseconds=999_999)
    assert save(db, opened, score("quiz", "ada", 7.0, graded_at=later)) == SavedScores()


def test_what_is_no_truth_value_says_yes_where_python_takes_it_for_one(opened):
    told = score("quiz", "ada", 7.0, is_visible=2, is_late=None, is_overridden="yes")

    _, rows = packed(ScoreColumns.of([told]), opened.items, opened.learners)

    assert rows["flags"].tolist() == [int(ScoreState.GRADED) | VISIBLE | OVERRIDDEN]


def test_a_criterion_without_a_name_is_not_the_column_itself(opened):
    page = [score("quiz", "ada", 7.0, criterion=""), score("quiz", "bo", 7.0), *[FINE] * 2]

    keys, _ = packed(ScoreColumns.of(page), opened.items, opened.learners)

    assert (keys > 0).tolist() == [False, True, True, True]


@pytest.mark.parametrize("length", [1, 4])
def test_a_page_is_known_whether_it_is_longer_than_the_columns_are_many(opened, length):
    keys, _ = packed(ScoreColumns.of([FINE] * length), opened.items, opened.learners)

    (item, learner) = (next(iter(items_of(keys))), next(iter(learners_of(keys))))
    assert (item, learner) == (opened.items[FINE.line_item_ref, None], opened.learners["bo"])
    assert set(keys.tolist()) == {keys[0]}


def test_minus_nothing_is_nothing(db, opened):
    save(db, opened, score("quiz", "ada", 0.0))

    assert save(db, opened, score("quiz", "ada", -0.0)) == SavedScores()


def test_of_a_cell_that_is_told_twice_in_a_page_the_later_is_kept(db, opened):
    saved = save(db, opened, score("quiz", "ada", 7.0), score("quiz", "ada", 8.0))

    assert saved == SavedScores(new=1)
    assert points(db) == [8.0]


def test_a_page_of_nothing_is_nothing(db, opened):
    assert save(db, opened) == SavedScores()


moments = st.none() | st.datetimes(
    min_value=datetime(1940, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(2060, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))]),
)


@given(
    state=st.sampled_from(ScoreState),
    facts=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    moments=st.tuples(moments, moments),
    points=st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_row_says_what_its_score_says(state, facts, moments, points):
    visible, late, overridden = facts
    told = score(
        "quiz",
        "ada",
        points,
        state=state,
        is_visible=visible,
        is_late=late,
        is_overridden=overridden,
        submitted_at=moments[0],
        graded_at=moments[1],
    )

    page = ScoreColumns.of([told])
    keys, rows = packed(page, {}, {})

    (row,) = rows
    assert keys.tolist() == [0]
    assert page.is_readable.all()
    assert row["flags"] & STATE == state
    assert [bool(row["flags"] & bit) for bit in (VISIBLE, LATE, OVERRIDDEN)] == list(facts)
    assert (None if np.isnan(row["points"]) else row["points"]) == points
    for name, moment in zip(("submitted_at", "graded_at"), moments, strict=True):
        second = None if moment is None else (moment - EPOCH_2000) // timedelta(seconds=1)
        assert row[name] == (-(2**31) if second is None else second)


def _cells(told):
    rows = np.zeros(len(told), ROW)
    rows["points"] = [points for _, points in told]
    keys = np.array([key for key, _ in told], np.int64)
    return Cells.of(keys, rows)


_told = st.lists(st.tuples(st.integers(1, 20), st.sampled_from([0.0, 1.0, 2.0])), max_size=12)


@given(before=_told, found=_told)
def test_cells_are_compared_and_taken_in_as_a_dictionary_would(before, found):
    known, news = _cells(before), _cells(found)
    plain = dict(before)

    is_known, is_other = known.compared(news)
    known.put(news)

    keys = sorted(dict(found))
    assert is_known.tolist() == [key in plain for key in keys]
    assert is_other.tolist() == [plain.get(key) != dict(found)[key] for key in keys]
    expected = sorted({**plain, **dict(found)}.items())
    assert list(zip(known.keys.tolist(), known.rows["points"].tolist(), strict=True)) == expected


@given(st.lists(st.tuples(st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1)), unique=True))
def test_a_key_tells_its_line_item_and_its_learner(cells):
    keys = keys_in(cells)

    both = Cells(keys, np.zeros(len(keys), ROW))
    assert sorted(cells) == list(zip(both.items().tolist(), both.learners().tolist(), strict=True))
    assert keys.tolist() == keys_of(both.items(), learners_of(keys)).tolist()
