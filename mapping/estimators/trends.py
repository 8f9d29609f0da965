"""Trends: where a curve through the scores, oldest first, has arrived at the newest of them.

Curves run over the pieces' numbers 1, 2, 3, ..., not over dates. What they give lies on the scale,
0 to its top, and may lie outside the scores. An old score may pull such an estimate down by being
good: the slope falls.
"""

import numpy as np

from mapping.columns import CodeArray, FloatArray
from mapping.estimators.blocks import Block, lane_sum, line_of
from mapping.scales import EPSILON

AVERAGE, LINEAR, POWER = range(3)
"""The curves of ``best_fit``, the plainest first."""


def linear_trend(block: Block) -> FloatArray:
    """The line of least squares over the pieces' numbers, at the newest; 0 to the scale's top.

    Source: contracts/mastery-methods.md 2.2, row "Linear trend".
    """
    ahead = (block.length - 1) / 2.0
    return np.clip(block.means + ahead * block.slope, 0.0, block.sample.scale.top)


def power_law(block: Block) -> FloatArray:
    """The curve a·i^b of least squares in logarithms, at the newest; 0 to the scale's top.

    It is undefined where a value is 0 or less: there the plain mean stands in its place.

    Source: contracts/mastery-methods.md 2.2, row "Power law", and 2.4, row "Zero/blank scale
        values for power law".
    """
    ahead = np.log(block.length) - line_of(block.length, is_power=True).centre
    with np.errstate(over="ignore"):
        arrived = np.exp(block.mean_logarithm + ahead * block.power_slope)
    held = np.clip(arrived, 0.0, block.sample.scale.top)
    return np.where(block.is_positive, held, block.means)


def best_fit(block: Block) -> FloatArray:
    """The one of average, line and power curve that misses the scores least, at the newest.

    Misses are added up without their signs. Of curves that miss alike the plainest is taken.

    Source: contracts/mastery-methods.md 2.2, row "Marzano True Score auto-pick".
    """
    chosen = best_curve(block)
    curves = (block.means, linear_trend(block), power_law(block))
    # A product with true or false chooses; it is many times faster than choosing cell by cell.
    average, line, power = (curve * (chosen == place) for place, curve in enumerate(curves))
    return np.asarray(average + line + power)


def best_curve(block: Block) -> CodeArray:
    """Which curve ``best_fit`` takes: ``AVERAGE``, ``LINEAR`` or ``POWER`` for each segment."""
    average, line, power = misses(block)
    is_line = line < average - EPSILON
    is_power = power < np.minimum(average, line) - EPSILON
    chosen = is_line * np.int8(LINEAR)
    np.maximum(chosen, is_power * np.int8(POWER), out=chosen)
    return chosen


def misses(block: Block) -> tuple[FloatArray, FloatArray, FloatArray]:
    """How far average, line and power curve miss each segment's scores in all, in scale points.

    A power curve that is undefined misses by infinity.
    """
    average = lane_sum(np.abs(block.values - block.means))
    line, power = (_miss(block, is_power=is_power) for is_power in (False, True))
    return average, line, np.where(block.is_positive, power, np.inf)


def _miss(block: Block, *, is_power: bool) -> FloatArray:
    line = line_of(block.length, is_power=is_power)
    middle, slope = (
        (block.mean_logarithm, block.power_slope) if is_power else (block.means, block.slope)
    )
    curve = np.multiply(slope, (line.places - line.centre)[:, np.newaxis])
    curve += middle
    if is_power:
        with np.errstate(over="ignore"):
            np.exp(curve, out=curve)
    curve -= block.values
    return lane_sum(np.abs(curve, out=curve))
