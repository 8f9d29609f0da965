from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.columns import TableRefused, kept, placed, ranked, row_numbers, runs, typed


def test_none_in_a_column_of_floats_is_nan():
    columns = typed({"points": [1.0, None]}, {"points": np.float64})

    assert np.isnan(columns["points"]).tolist() == [False, True]


def test_a_missing_and_an_unknown_column_are_both_named():
    with pytest.raises(TableRefused, match="learner, lerner"):
        typed({"lerner": [1]}, {"learner": np.int64})


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(TableRefused, match="learner 1, points 2"):
        typed({"learner": [1], "points": [1, 2]}, {"learner": np.int64, "points": np.float64})


def test_a_column_of_the_wrong_type_is_named():
    with pytest.raises(TableRefused, match="learner holds something else"):
        typed({"learner": ["Ana"]}, {"learner": np.int64})


def test_a_column_of_two_dimensions_is_refused():
    with pytest.raises(TableRefused, match="2 dimensions"):
        typed({"learner": [[1, 2]]}, {"learner": np.int64})


def test_no_rows_make_no_segments():
    offsets = runs((np.array([], dtype=np.int64),))

    assert offsets.tolist() == [0]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_segments_hold_equal_rows_and_neighbouring_segments_differ(rows):
    first, second = np.array(sorted(rows)).T

    offsets = runs((first, second)).tolist()

    pairs = sorted(rows)
    segments = [set(pairs[a:b]) for a, b in pairwise(offsets)]
    assert [len(segment) for segment in segments] == [1] * len(set(rows))


@given(st.lists(st.lists(st.booleans(), max_size=4), max_size=6))
def test_kept_rows_stay_in_their_segments(segments):
    offsets = np.cumsum([0, *map(len, segments)])
    is_kept = np.array([row for segment in segments for row in segment], dtype=np.bool_)

    inner = kept(is_kept, offsets)

    assert np.diff(inner).tolist() == [sum(segment) for segment in segments]


IDS = st.lists(st.integers(-9, 9) | st.integers(-(2**40), 2**40), max_size=30).map(
    lambda ids: np.array(ids, dtype=np.int64)
)


@given(IDS)
def test_ids_are_numbered_in_their_order(ids):
    numbers, values = ranked(ids)

    assert values.tolist() == sorted(set(ids.tolist()))
    assert values[numbers].tolist() == ids.tolist()


@given(IDS, IDS)
def test_ids_are_found_among_others_or_behind_the_last(ids, others):
    among = np.array(sorted(set(others.tolist())), dtype=np.int64)

    found = placed(ids, among)

    known = among.tolist()
    assert found.tolist() == [known.index(i) if i in known else len(known) for i in ids.tolist()]


def test_rows_are_meant_by_truth_or_by_number():
    assert row_numbers(np.array([True, False, True])).tolist() == [0, 2]
    assert row_numbers(np.array([2, 0])).tolist() == [2, 0]
