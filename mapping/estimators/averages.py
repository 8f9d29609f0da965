"""Averages and picks: a block in, one estimate a segment out.

All lie between the lowest and the highest value of the segment. Where a formula has no weights
they do not enter: every piece that counts counts alike.
"""

import numpy as np

from mapping.columns import FloatArray
from mapping.estimators.blocks import Block, lane_dot, lane_sum


def recent_n(block: Block, *, n: float) -> FloatArray:
    """The mean of the newest ``n`` values, of all where there are fewer.

    Source: contracts/mastery-methods.md 2.2, row "Most recent N".
    """
    count = min(int(n), block.length)
    return lane_sum(block.values[-count:]) / count


def best_n(block: Block, *, n: float) -> FloatArray:
    """The mean of the highest ``n`` values, of all where there are fewer.

    Source: contracts/mastery-methods.md 2.3, column "best3".
    """
    count = min(int(n), block.length)
    return lane_sum(block.ranked[-count:]) / count


def high_last(block: Block) -> FloatArray:
    """Half way between the highest and the newest value.

    Source: contracts/mastery-methods.md 2.2, row "High-last average".
    """
    return (block.highest + block.newest) / 2.0


def decaying_average(block: Block, *, w: float) -> FloatArray:
    """From the oldest on, each value moves the average by the share ``w`` towards itself.

    Written out, the value k places before the newest has the share w(1-w)^k, the oldest what is
    left.

    Source: contracts/mastery-methods.md 2.2, row "True (recursive) decaying average".
    """
    before = np.arange(block.length - 1, -1, -1)
    shares = w * np.power(1.0 - w, before)
    shares[0] = np.power(1.0 - w, block.length - 1)
    return lane_dot(shares, block.values)


def weighted_recent(block: Block, *, w: float) -> FloatArray:
    """The newest value with the share ``w``, the mean of all before it with the rest.

    Source: contracts/mastery-methods.md 2.2, row "Weighted (old decaying) average".
    """
    if block.length == 1:
        return block.newest
    return w * block.newest + (1.0 - w) * (lane_sum(block.values[:-1]) / (block.length - 1))
