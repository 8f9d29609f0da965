"""Calculation methods: evidence in segments -> one estimate a segment.

Every method is columnar: a ``Sample`` of any number of segments in, one estimate a segment out.
The same function serves one learner's trace and a district's millions. A method joins by a
function of a block (``averages``, ``middles``, ``trends``) or of a sample (``sums``), its words
(``working``) and one entry in ``methods``.

A piece of weight 0 never counts. Where a formula has no weights the others do not enter it; the
method's note says so.

What does not belong here: which evidence counts, and what an estimate must be.
"""

from mapping.columns import FloatArray
from mapping.estimators.methods import (
    METHODS,
    NOT_WEIGHED,
    Estimator,
    Method,
    Parameter,
    estimates,
)
from mapping.estimators.working import weighted_average as worked_average
from mapping.samples import Sample

__all__ = [
    "METHODS",
    "NOT_WEIGHED",
    "Estimator",
    "Method",
    "Parameter",
    "estimates",
    "weighted_average",
    "worked_average",
]


def weighted_average(sample: Sample) -> FloatArray:
    """The weighted mean of each segment.

    Args:
        sample: The evidence.

    Returns:
        Length segments, between the lowest and the highest value of the segment; NaN where a
        segment is empty.

    Source: contracts/mastery-methods.md 2.2, rows "Mean" and "Weighted mean".
    """
    return METHODS["weighted_average"].estimate(sample)
