from itertools import product

import numpy as np
import pytest

from mapping.estimators import METHODS, estimates
from mapping.estimators.blocks import (
    blocks,
    exchanges,
    lane_order,
    lane_sorted,
    lane_sum,
    line_of,
)
from mapping.estimators.middles import levels_of
from mapping.scales import DEFAULT_SCALE
from tests.mapping.estimators.drawing import ODD_SCALE, sample_of


@pytest.mark.parametrize("size", range(1, 13))
def test_the_exchanges_sort_everything(size):
    # What sorts all rows of noughts and ones sorts everything (Knuth 5.3.4, theorem Z).
    for row in product((0, 1), repeat=size):
        cells = list(row)
        for one, other in exchanges(size):
            cells[one], cells[other] = sorted((cells[one], cells[other]))
        assert cells == sorted(row)


def test_every_segment_that_is_not_empty_is_in_one_block():
    sample = sample_of([1.0], [], [2.0, 3.0], [4.0], [])

    seen = [
        (block.length, block.segment.tolist(), block.values.tolist()) for block in blocks(sample)
    ]

    assert seen == [(1, [0, 3], [[1.0, 4.0]]), (2, [2], [[2.0], [3.0]])]


def test_blocks_of_very_many_segments_are_cut():
    sample = sample_of(*([1.0],) * 70_000)

    widths = [block.first.size for block in blocks(sample)]

    assert len(widths) > 1
    assert sum(widths) == 70_000


def test_what_is_kept_of_a_line_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        line_of(5, is_power=False).factors[0] = 1.0


def test_one_very_long_segment_and_one_of_every_length_are_estimated():
    rng = np.random.default_rng(3)
    lengths = [*range(1, 301), 200_000]
    sample = sample_of(*(rng.uniform(0.1, 4.0, length) for length in lengths), mastered=0.1)

    columns = estimates(sample, {name: {} for name in METHODS})

    for column in columns.values():
        assert np.isfinite(column[10:]).all()


@pytest.mark.parametrize("scale", [DEFAULT_SCALE, ODD_SCALE])
def test_levels_are_those_of_the_scale(scale):
    values = np.array([0.0, 1.0, 1.9999999999, 2.0, 2.99, 3.0 - 1e-10, 3.5, 4.0])

    levels = levels_of(values, scale)

    assert levels.tolist() == scale.levels_of(values).tolist()


@pytest.mark.parametrize("length", [2, 32, 33, 500])
def test_a_sum_adds_from_the_first_row_to_the_last_whatever_stands_beside(length):
    matrix = np.random.default_rng(length).uniform(0.0, 4.0, (length, 7))

    sums = lane_sum(matrix)

    one_by_one = [sum(column) for column in matrix.T.tolist()]
    alone = [lane_sum(np.ascontiguousarray(matrix[:, [place]]))[0] for place in range(7)]
    assert sums.tolist() == one_by_one == alone


@pytest.mark.parametrize("length", [1, 2, 5, 16, 17])
@pytest.mark.parametrize("width", [3, 300])
def test_columns_are_sorted_whether_few_or_many(length, width):
    matrix = np.random.default_rng(length).integers(-8, 9, (length, width)) / 4.0

    ranked, order = lane_sorted(matrix), lane_order(matrix)

    assert ranked.tolist() == np.sort(matrix, axis=0).tolist()
    assert np.take(matrix, order).tolist() == ranked.tolist()
