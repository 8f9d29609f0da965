"""Samples for the tests: written down, or drawn by the hundred from one seed."""

from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from mapping.columns import NO_MOMENT
from mapping.samples import Sample
from mapping.scales import DEFAULT_SCALE, Level, RatingScale

DAY = 86_400_000_000

PARAMETERS = {
    "recent_n": {"n": st.integers(1, 8)},
    "best_n": {"n": st.integers(1, 8)},
    "n_mastery": {"n": st.integers(1, 5)},
    "decaying_average": {"w": st.floats(0.01, 0.99)},
    "weighted_recent": {"w": st.floats(0.01, 0.99)},
    "evidence_weighted": {"half_life_days": st.floats(1, 3650)},
}

# Its second level has points that the scale files under the third.
ODD_SCALE = RatingScale(
    levels=(
        Level(label="Not yet", points=0.0, symbol="a", cut=0.0),
        Level(label="Nearly", points=3.5, symbol="b", cut=0.25),
        Level(label="There", points=4.0, symbol="c", cut=0.75),
    )
)


def parameters_of(name):
    return st.fixed_dictionaries(PARAMETERS.get(name, {}))


def sample_of(*segments, weights=None, days=None, **fields):
    """Each segment a list of scores; weights and days are flat, a day apart without any."""
    values = np.array([value for segment in segments for value in segment], dtype=np.float64)
    moments = np.arange(values.size) * DAY if days is None else moments_of(days)
    return Sample(
        values=values,
        weights=np.ones(values.size) if weights is None else np.array(weights, dtype=np.float64),
        occurred_at=moments,
        offsets=np.cumsum([0, *map(len, segments)]),
        **fields,
    )


def moments_of(days):
    return np.array(
        [NO_MOMENT if day is None else round(day * DAY) for day in days], dtype=np.int64
    )


def drawn(seed, segments, longest=40):
    """So many segments, most of them short, some empty; quarters, zeros, ties, undated pieces."""
    rng = np.random.default_rng(seed)
    count = np.minimum(rng.geometric(0.2, segments) - 1, longest)
    count[0], count[-1] = longest, 0
    offsets = np.concatenate(([0], np.cumsum(count)))
    rows = int(offsets[-1])
    fine = rng.uniform(0.05, 4.0, rows)
    coarse = rng.integers(0, 17, rows) / 4.0
    segment = np.repeat(np.arange(segments), count)
    days = rng.integers(0, 700, rows)
    is_undated = rng.uniform(0, 1, rows) < 0.05
    order = np.lexsort((np.where(is_undated, -1, days), segment))
    return Sample(
        values=np.where(rng.uniform(0, 1, segments)[segment] < 0.5, fine, coarse),
        weights=rng.choice([0.25, 1.0, 1.0, 3.0], rows),
        occurred_at=np.where(is_undated, NO_MOMENT, days * DAY)[order],
        offsets=offsets,
        scale=DEFAULT_SCALE if seed % 2 else ODD_SCALE,
        mastered=3.0,
    )


def pieces_of(sample):
    """Scores, weights and days (None for undated) of each segment, as plain lists."""
    days = [None if moment == NO_MOMENT else moment / DAY for moment in sample.occurred_at.tolist()]
    values, weights = sample.values.tolist(), sample.weights.tolist()
    bounds = sample.offsets.tolist()
    for first, end in pairwise(bounds):
        yield values[first:end], weights[first:end], days[first:end]


def cut(sample, segment):
    """One segment of a sample, alone."""
    first, end = sample.offsets[segment], sample.offsets[segment + 1]
    return Sample(
        values=sample.values[first:end],
        weights=sample.weights[first:end],
        occurred_at=sample.occurred_at[first:end],
        offsets=np.array([0, end - first]),
        scale=sample.scale,
        mastered=sample.mastered,
    )
