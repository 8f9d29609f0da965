"""How much an estimate's evidence says: how many pieces it is worth, and how far they differ."""

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mapping.columns import CodeArray, FloatArray, segment_sum
from mapping.estimators.blocks import Block, each, lane_sum
from mapping.samples import Sample
from mapping.scales import EPSILON, display

FAIR_FROM = 3.0
"""Below so many equal pieces evidence is thin: two passes of two leave it open, at even odds,
whether a learner would pass four times in five."""
GOOD_FROM = 5.0
STEADY = 0.125
"""The widest spread of good evidence, as a share of the scale's top: half a level of four."""


class Confidence(IntEnum):
    """How much the evidence behind an estimate says."""

    NONE = 0
    THIN = 1
    FAIR = 2
    GOOD = 3

    @property
    def label(self) -> str:
        """For a person."""
        return ("no evidence", "thin evidence", "fair evidence", "good evidence")[self]


def effective_count(sample: Sample) -> FloatArray:
    """How many pieces of equal weight the evidence is worth: (sum of w)^2 / sum of w^2.

    Args:
        sample: The evidence.

    Returns:
        Length segments, 1 to the number of pieces; 0 where a segment is empty.

    Source: contracts/mastery-methods.md 2.2, row "Proposed: evidence-weighted estimate".
    """
    column: FloatArray = each(sample, {"": _effective})[""]
    return np.nan_to_num(column, nan=0.0)


def spread(sample: Sample) -> FloatArray:
    """The weighted standard deviation of each segment's values.

    Args:
        sample: The evidence.

    Returns:
        Length segments, in scale points, 0 or more; NaN where a segment is empty.
    """
    column: FloatArray = each(sample, {"": _spread})[""]
    return column


def confidence(sample: Sample) -> CodeArray:
    """How much the evidence of each segment says.

    Thin evidence is worth fewer than ``FAIR_FROM`` pieces; good evidence at least ``GOOD_FROM``,
    with a spread of at most ``STEADY`` of the scale.

    Args:
        sample: The evidence.

    Returns:
        Length segments, codes of ``Confidence``.
    """
    columns: dict[str, Any] = each(sample, {"count": _effective, "spread": _spread})
    count, wide = columns["count"], columns["spread"]
    is_steady = wide <= STEADY * sample.scale.top + EPSILON
    labels = np.full(count.size, Confidence.FAIR, dtype=np.int8)
    labels[(count >= GOOD_FROM - EPSILON) & is_steady] = Confidence.GOOD
    labels[count < FAIR_FROM - EPSILON] = Confidence.THIN
    labels[np.isnan(count)] = Confidence.NONE
    return labels


def worked_confidence(sample: Sample) -> str:
    """Say in a sentence how much the evidence of one segment says.

    Args:
        sample: One segment, not empty.

    Returns:
        "Thin evidence: worth 2.00 equal pieces, which differ by 0.50 points on average."
    """
    label = Confidence(int(confidence(sample)[0])).label
    return (
        f"{label.capitalize()}: worth {_pieces(float(effective_count(sample)[0]))}, "
        f"{display(spread(sample)[0])} points from their average as a rule."
    )


def _pieces(count: float) -> str:
    return "1 piece" if display(count) == "1.00" else f"{display(count)} equal pieces"


def probability_of_mastery(passes: ArrayLike, trials: ArrayLike, cut: float) -> FloatArray:
    """How likely a learner's true rate of passing is at least the cut.

    The posterior of a binomial rate whose prior is uniform.

    Args:
        passes: How many trials were passed, whole numbers.
        trials: How many there were, at least as many, of the same length.
        cut: The rate asked for, 0 to 1.

    Returns:
        Of the same length, 0 to 1.

    Raises:
        ValueError: Passes are below 0 or above the trials, or the cut is not 0 to 1.

    Source: contracts/mastery-methods.md 2.2, row "Proposed: evidence-weighted estimate"; the beta
        distribution as a sum of binomial probabilities, NIST Digital Library of Mathematical
        Functions 8.17.5.
    """
    done = np.atleast_1d(np.asarray(passes, dtype=np.int64))
    of = np.atleast_1d(np.asarray(trials, dtype=np.int64))
    if not (np.all((done >= 0) & (done <= of)) and 0.0 <= cut <= 1.0):
        raise ValueError("passes must be 0 to trials, and the cut 0 to 1")
    if cut in {0.0, 1.0}:
        return np.full(done.size, 1.0 - cut)
    terms = done + 1
    offsets = np.concatenate(([0], np.cumsum(terms)))
    successes = np.arange(offsets[-1]) - np.repeat(offsets[:-1], terms)
    draws = np.repeat(of + 1, terms)
    logarithm = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1.0, draws.max(initial=0) + 1)))))
    chances = (
        logarithm[draws]
        - logarithm[successes]
        - logarithm[draws - successes]
        + successes * np.log(cut)
        + (draws - successes) * np.log1p(-cut)
    )
    return np.clip(segment_sum(np.exp(chances), offsets), 0.0, 1.0)


def _effective(block: Block) -> FloatArray:
    totals = lane_sum(block.weights)
    return totals * totals / lane_sum(block.weights * block.weights)


def _spread(block: Block) -> FloatArray:
    total = lane_sum(block.weights)
    apart = block.values - lane_sum(block.weights * block.values) / total
    return np.sqrt(lane_sum(block.weights * apart * apart) / total)
