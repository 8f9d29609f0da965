import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.columns import NO_MOMENT
from mapping.ordering import is_ascending, ordering

LARGEST = int(np.iinfo(np.int64).max)
SECOND = 1_000_000

COLUMNS = (
    st.integers(0, 3),
    st.integers(-5, 5) | st.just(NO_MOMENT),
    st.integers(0, 10**9).map(lambda seconds: seconds * SECOND) | st.just(NO_MOMENT),
    st.integers(NO_MOMENT, LARGEST),
)
TABLES = st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4).flatmap(
    lambda columns: st.lists(st.tuples(*columns), max_size=30).map(
        lambda rows: np.array(rows, dtype=np.int64).reshape(len(rows), len(columns)).T
    )
)


@settings(max_examples=400)
@given(TABLES)
def test_rows_come_in_order_of_their_keys_and_equal_ones_stay(keys):
    rows = range(keys.shape[1])

    order = ordering(tuple(keys))

    assert order.tolist() == sorted(rows, key=lambda row: tuple(keys[:, row].tolist()))


@given(TABLES)
def test_rows_are_in_order_if_sorting_moves_none(keys):
    rows = [tuple(row) for row in keys.T.tolist()]

    assert is_ascending(tuple(keys)) == (rows == sorted(rows))


@pytest.mark.parametrize(
    "keys",
    [
        ([2, 1], [NO_MOMENT, LARGEST]),
        ([5, NO_MOMENT, 5], [2**62, 0, 2**61 + 1]),
        ([2, 1, 0], [NO_MOMENT + 1, LARGEST, 0]),
        ([0, 0, 0], [NO_MOMENT + 1 + 2**62, LARGEST, NO_MOMENT + 1]),
        ([0, 2**62, 5], [0, 0, 1]),
        ([1, 1, 0, 0], [LARGEST, NO_MOMENT, 5, 4]),
        ([0, 1, 1], [2**40 * SECOND, 2**40 * SECOND, 0], [2**40, 0, 2**40]),
        ([0, 0, 1, 1], [7, 7, 7, 7], [2**62, 3, 2**61, NO_MOMENT], [9, 8, 2**30, 1]),
    ],
)
def test_keys_of_any_width_are_sorted(keys):
    columns = tuple(np.array(key, dtype=np.int64) for key in keys)
    rows = list(zip(*keys, strict=True))

    assert [rows[at] for at in ordering(columns)] == sorted(rows)


def test_moments_that_agree_but_for_their_last_digits_are_still_told_apart():
    random = np.random.default_rng(3)
    pair = random.integers(0, 2**20, 5_000) // 1_000
    moment = random.integers(0, 2**50, 5_000)
    moment[1::2] = moment[::2] + random.integers(-2, 3, 2_500)
    pair[1::2] = pair[::2]

    order = ordering((pair, moment))

    np.testing.assert_array_equal(order, np.lexsort((moment, pair)))
