"""A district's evidence in order, a partition of learners at a time."""

from dataclasses import dataclass

import numpy as np

from mapping.columns import FloatArray, IntArray, runs
from mapping.samples import Sample

DAY = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Evidence that counts, ascending by learner, competency and moment."""

    learner: IntArray
    competency: IntArray
    occurred_at: IntArray
    value: FloatArray
    weight: FloatArray

    @property
    def sample(self) -> Sample:
        """The rows as methods take them: where a pair begins is found anew."""
        return Sample(
            values=self.value,
            weights=self.weight,
            occurred_at=self.occurred_at,
            offsets=runs((self.learner, self.competency)),
        )

    def of(self, learners: IntArray) -> "Rows":
        """The rows of these learners."""
        is_theirs = np.isin(self.learner, learners)
        return Rows(**{name: getattr(self, name)[is_theirs] for name in self.__slots__})


def partition(number: int, rows: int) -> Rows:
    """So many rows of learners with about a hundred scores, in pairs of one to a dozen.

    Args:
        number: Which partition; each is another one and the same in every run.
        rows: How many.
    """
    rng = np.random.default_rng(number)
    count = 1 + rng.poisson(3.0, rows // 2)
    count = count[: np.searchsorted(np.cumsum(count), rows) + 1]
    pair = np.repeat(np.arange(count.size), count)[:rows]
    occurred_at = rng.integers(0, 700, rows) * DAY
    return Rows(
        learner=pair // 25,
        competency=pair % 25,
        occurred_at=occurred_at[np.lexsort((occurred_at, pair))],
        value=rng.uniform(0.0, 4.0, rows),
        weight=rng.choice([0.5, 1.0, 2.0], rows),
    )
