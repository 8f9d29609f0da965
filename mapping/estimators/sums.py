"""Averages by plain sums, the newest and the highest value: a sample in, an estimate a segment out.

They need no segments side by side and read the rows as they stand. All lie between the lowest and
the highest value of the segment.
"""

import numpy as np

from mapping.columns import NO_MOMENT, FloatArray, IntArray
from mapping.samples import Sample
from mapping.scales import reaches

_MICROSECONDS_A_DAY = 86_400_000_000.0


def weighted_average(sample: Sample) -> FloatArray:
    """The values, each as often as it weighs, by all weights; NaN where these come to nothing.

    Source: contracts/mastery-methods.md 2.2, row "Weighted mean".
    """
    return _weighted(sample, sample.weights, _segments(sample))


def mean(sample: Sample) -> FloatArray:
    """The sum by the number, whatever the pieces weigh.

    Source: contracts/mastery-methods.md 2.2, row "Mean / average".
    """
    return _divided(_sums(sample, sample.values, _segments(sample)), sample.count)


def latest(sample: Sample) -> FloatArray:
    """The newest value.

    Source: contracts/mastery-methods.md 2.2, row "Latest / most recent".
    """
    newest = np.full(sample.offsets.size - 1, np.nan)
    is_filled = sample.count > 0
    newest[is_filled] = sample.values[sample.offsets[1:][is_filled] - 1]
    return newest


def highest(sample: Sample) -> FloatArray:
    """The highest value.

    Source: contracts/mastery-methods.md 2.2, row "Highest / max".
    """
    found = np.full(sample.offsets.size - 1, np.nan)
    starts = sample.offsets[:-1]
    is_filled = starts < sample.offsets[1:]
    # reduceat would give an empty segment the next one's first value: leave those out.
    found[is_filled] = np.maximum.reduceat(sample.values, starts[is_filled])
    return found


def n_mastery(sample: Sample, *, n: float) -> FloatArray:
    """The mean of all values at mastery or above; NaN with fewer than ``n`` of them.

    Source: contracts/mastery-methods.md 2.2, row "n-mastery".
    """
    kept = np.flatnonzero(reaches(sample.values, sample.mastered))
    segment, many = _segments(sample)[kept], sample.offsets.size - 1
    count = np.bincount(segment, minlength=many)
    sums = np.bincount(segment, sample.values[kept], minlength=many)
    return np.where(count >= n, sums / np.maximum(count, 1), np.nan)


def evidence_weighted(sample: Sample, *, half_life_days: float) -> FloatArray:
    """The weighted average in which a piece weighs half as much with every half-life of age.

    Age runs from the piece to the newest one of its segment, so that time alone changes nothing.

    Source: contracts/mastery-methods.md 2.2, row "Proposed: evidence-weighted estimate".
    """
    segment = _segments(sample)
    weights = _aged(sample, segment, half_life_days=half_life_days)
    return _weighted(sample, weights, segment)


def aged_weights(sample: Sample, *, half_life_days: float) -> FloatArray:
    """What each piece weighs when a weight halves with every half-life before the newest one.

    Args:
        sample: The evidence.
        half_life_days: Days, above 0.

    Returns:
        Length rows, in the sample's order; the newest pieces keep their weight.
    """
    return _aged(sample, _segments(sample), half_life_days=half_life_days)


def _aged(sample: Sample, segment: IntArray, *, half_life_days: float) -> FloatArray:
    weights = _ages(sample, segment)
    weights *= -np.log(2.0) / half_life_days
    np.exp(weights, out=weights)
    weights *= sample.weights
    return weights


def ages(sample: Sample) -> FloatArray:
    """Days from each piece to the newest of its segment.

    An undated piece is as old as the oldest dated one; all are new where none is dated.

    Args:
        sample: The evidence.

    Returns:
        Length rows, 0 or more.
    """
    return _ages(sample, _segments(sample))


def _ages(sample: Sample, segment: IntArray) -> FloatArray:
    moments = _dated(sample, segment).astype(np.float64)
    # The newest piece of a segment is its last one.
    newest = moments[sample.offsets[1:] - 1] if moments.size else moments
    days: FloatArray = np.take(newest, segment)
    days -= moments
    days /= _MICROSECONDS_A_DAY
    return np.maximum(days, 0.0, out=days)


def _dated(sample: Sample, segment: IntArray) -> IntArray:
    moments = sample.occurred_at
    is_undated = moments == NO_MOMENT
    if not is_undated.any():
        return moments
    # Undated pieces come first: behind them stands the oldest dated one.
    many = np.bincount(segment[is_undated], minlength=sample.count.size)
    oldest = np.minimum(sample.offsets[:-1] + many, sample.offsets[1:] - 1)
    return np.where(is_undated, moments[oldest][segment], moments)


def _segments(sample: Sample) -> IntArray:
    """The number of each row's segment."""
    return np.repeat(np.arange(sample.offsets.size - 1), sample.count)


def _weighted(sample: Sample, weights: FloatArray, segment: IntArray) -> FloatArray:
    sums = _sums(sample, sample.values * weights, segment)
    return _divided(sums, _sums(sample, weights, segment))


def _sums(sample: Sample, column: FloatArray, segment: IntArray) -> FloatArray:
    """Each segment's rows added up one after the other, so that no neighbour changes a bit."""
    many = sample.offsets.size - 1
    return np.asarray(np.bincount(segment, column, minlength=many), dtype=np.float64)


def _divided(sums: FloatArray, by: FloatArray | IntArray) -> FloatArray:
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / by)
