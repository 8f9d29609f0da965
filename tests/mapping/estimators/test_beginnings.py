import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.estimators import METHODS
from mapping.estimators.blocks import SHORT, blocks
from mapping.samples import Sample
from mapping.scales import DEFAULT_SCALE

COLUMNS = st.lists(
    st.tuples(st.floats(0.0, 4.0), st.sampled_from((0.5, 1.0, 3.0)), st.integers(0, 400)),
    min_size=1,
    max_size=SHORT + 8,
)


def sample(rows, count):
    values, weights, days = np.array(rows[:count]).T
    return Sample(
        values=values,
        weights=weights,
        occurred_at=np.sort(days.astype(np.int64)) * 86_400_000_000,
        offsets=np.array([0, count]),
        scale=DEFAULT_SCALE,
    )


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=10)
@given(COLUMNS, st.integers(1, 4))
def test_each_beginning_is_estimated_as_if_the_segment_ended_there(name, rows, since):
    method = METHODS[name]
    (block,) = blocks(sample(rows, len(rows)))
    since = min(since, len(rows))
    running = method.running({}, block.length)

    found = [] if running is None else [column.item() for column in running(block, since)]

    ends = range(since, 1 + len(rows)) if found else ()
    expected = [method.estimator({})(sample(rows, end)).item() for end in ends]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", METHODS)
def test_short_segments_grow_but_where_weights_depend_on_the_newest(name):
    is_growing = METHODS[name].running({}, SHORT) is not None

    assert is_growing == (name != "evidence_weighted")
