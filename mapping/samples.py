"""What every calculation method is given: evidence that counts, in segments."""

from dataclasses import dataclass

import numpy as np

from mapping.columns import FloatArray, IntArray
from mapping.scales import DEFAULT_SCALE, RatingScale


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Counted evidence, one segment for each learner and competency, oldest first in it.

    ``values`` are points of ``scale``, finite; ``weights`` are above 0; ``occurred_at`` is in
    whole microseconds since 1970 in UTC, ``NO_MOMENT`` for none (those come first); all three of
    length rows. ``offsets`` of length segments + 1 run from 0 to rows and never fall: a segment
    may be empty. ``mastered`` is where mastery begins, in scale points.
    """

    values: FloatArray
    weights: FloatArray
    occurred_at: IntArray
    offsets: IntArray
    scale: RatingScale = DEFAULT_SCALE
    mastered: float = 3.0

    @property
    def count(self) -> IntArray:
        """Rows in each segment."""
        return np.diff(self.offsets)
