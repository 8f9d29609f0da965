"""Methods that ask which value or level is typical: median, weighted median, mode."""

from functools import lru_cache

import numpy as np

from mapping.columns import CodeArray, FloatArray
from mapping.estimators.blocks import (
    Block,
    lane_order,
    lane_running,
    lane_sum,
    lane_tally,
)
from mapping.scales import RatingScale, reaches

_NEARLY = 1.0 - 1e-12
# Binary digits that hold the index of any level, of which a scale has ten at most.
_LEVEL_DIGITS = 4
_KEPT_SCALES = 32


def median(block: Block) -> FloatArray:
    """The middle value, or half way between the two in the middle.

    Source: contracts/mastery-methods.md 2.2, row "Median".
    """
    ranked, size = block.ranked, block.length
    return np.asarray((ranked[(size - 1) // 2] + ranked[size // 2]) / 2.0)


def weighted_median(block: Block) -> FloatArray:
    """The lowest value at which, with all below it, half of the weight is reached.

    The noise of adding binary fractions does not keep a half from being reached.

    Source: contracts/mastery-methods.md 2.2, row "Weighted median".
    """
    order = lane_order(block.values)
    half = lane_sum(block.weights) * (0.5 * _NEARLY)
    rank = lane_tally(lane_running(np.take(block.weights, order)) < half)
    cell = order[rank, np.arange(rank.size)]
    return np.asarray(np.take(block.values, cell))


def mode(block: Block) -> FloatArray:
    """The most frequent level; of equally frequent ones the higher.

    Returns:
        Scale points of the level, see ``points_of_levels``.

    Source: contracts/mastery-methods.md 2.2, row "Mode / most common".
    """
    scale = block.sample.scale
    levels = levels_of(block.values, scale)
    most = np.zeros(levels.shape[1], dtype=np.int64)
    for level in range(len(scale.levels)):
        # The level itself stands behind the tally, and so decides between equal ones.
        tally = lane_tally(levels == level).astype(np.int64)
        tally <<= _LEVEL_DIGITS
        tally |= level
        np.maximum(most, tally, out=most)
    points: FloatArray = np.take(points_of_levels(scale), most & ((1 << _LEVEL_DIGITS) - 1))
    return points


def levels_of(values: FloatArray, scale: RatingScale) -> CodeArray:
    """The index of the level that each value reaches; any shape.

    As ``RatingScale.levels_of`` says, but several times as fast, for values without NaN.
    """
    levels = np.zeros(values.shape, dtype=np.int8)
    for level in scale.levels[1:]:
        levels += reaches(values, level.cut * scale.top).view(np.int8)
    return levels


@lru_cache(maxsize=_KEPT_SCALES)
def points_of_levels(scale: RatingScale) -> FloatArray:
    """What stands for each level when a level is the estimate.

    Returns:
        Length levels: the level's points, or its cut in points where the scale files those points
        under another level, so that an estimate of a level is always of that level.
    """
    points = np.array([scale.points_of(level) for level in range(len(scale.levels))])
    points.flags.writeable = False
    return points
