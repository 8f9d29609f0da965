"""Evidence that counts, for those who judge it: without rows and columns that nobody asks for."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mapping.columns import NO_MOMENT, BoolArray, FloatArray, IntArray
from mapping.evidence.cells import Cells, fractions
from mapping.evidence.joining import lowest_of, values_of, weighed
from mapping.evidence.matches import Matches
from mapping.evidence.policy import EvidencePolicy
from mapping.evidence.tables import Reason
from mapping.ordering import ordering
from mapping.scales import RatingScale


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """Pairs of learner and competency, ascending, with the pieces of each that count.

    ``learner``, ``competency`` and ``arrives_at``, when the next piece dated in the future will
    be there, are of length pairs, ``offsets`` one longer. The other columns are of length rows,
    in the order of evidence: ``row`` and ``aligned`` of the matches, ``values`` in scale points.
    """

    matches: Matches
    learner: IntArray
    competency: IntArray
    arrives_at: IntArray
    offsets: IntArray
    row: IntArray
    aligned: IntArray
    values: FloatArray
    weights: FloatArray
    occurred_at: IntArray

    @classmethod
    def of(
        cls, matches: Matches, cells: Cells, *, scale: RatingScale, policy: EvidencePolicy
    ) -> Self:
        """Take what counts; every pair stays.

        Args:
            matches: Scores and what they speak for.
            cells: The same scores as seen.
            scale: What values are measured on.
            policy: Which evidence counts, and how much.

        Returns:
            The rows of ``joining.evidence`` that count.
        """
        weight, unheard = weighed(matches.alignments, policy)
        reason = cells.reason[matches.row]
        is_heard = unheard == Reason.COUNTED
        place = np.flatnonzero((reason == Reason.COUNTED) & is_heard[matches.aligned])
        pair, moments = matches.pair[place], cells.occurred_at[matches.row[place]]
        seen = ordering((pair, moments))
        place = place[seen]
        row, aligned = matches.row[place], matches.aligned[place]
        counted = cls(
            matches=matches,
            learner=matches.learner,
            competency=matches.competency,
            arrives_at=_arrivals(matches, cells.occurred_at, reason == Reason.FUTURE),
            offsets=_offsets(np.bincount(pair, minlength=matches.learner.size)),
            row=row,
            aligned=aligned,
            values=values_of(
                fractions(matches.scores, cells.points),
                matches.alignments,
                (row, aligned),
                scale=scale,
            ),
            weights=weight[aligned],
            occurred_at=moments[seen],
        )
        return counted._without_lowest(policy.drop_lowest_from)

    @property
    def count(self) -> IntArray:
        """Pieces of each pair."""
        return np.diff(self.offsets)

    def only(self, is_kept: BoolArray) -> Self:
        """Some of the pairs, with their evidence."""
        if is_kept.all():
            return self
        count = self.count
        return type(self)(
            matches=self.matches,
            learner=self.learner[is_kept],
            competency=self.competency[is_kept],
            arrives_at=self.arrives_at[is_kept],
            offsets=_offsets(count[is_kept]),
            **self._pieces(np.repeat(is_kept, count)),
        )

    def _without_lowest(self, least_count: int) -> Self:
        if least_count < 1:
            return self
        lowest = lowest_of(self.values, self.offsets, least_count)
        is_left = np.ones(self.values.size, dtype=np.bool_)
        is_left[lowest] = False
        gone = np.searchsorted(lowest, self.offsets)
        return type(self)(
            matches=self.matches,
            learner=self.learner,
            competency=self.competency,
            arrives_at=self.arrives_at,
            offsets=self.offsets - gone,
            **self._pieces(is_left),
        )

    def _pieces(self, is_kept: BoolArray) -> dict[str, Any]:
        names = ("row", "aligned", "values", "weights", "occurred_at")
        return {name: getattr(self, name)[is_kept] for name in names}

    def newest(self, segment: IntArray, length: IntArray) -> IntArray:
        """When the last of the first ``length`` pieces occurred, ``NO_MOMENT`` for none."""
        return newest_of(self.occurred_at, self.offsets, segment=segment, length=length)


def newest_of(
    occurred_at: IntArray, offsets: IntArray, *, segment: IntArray, length: IntArray
) -> IntArray:
    """When the last of the first rows of some segments occurred.

    Args:
        occurred_at: Length rows.
        offsets: Length segments + 1.
        segment: Which segments, length cases.
        length: How many rows of each.

    Returns:
        Length cases, ``NO_MOMENT`` for no row.
    """
    if occurred_at.size == 0:
        return np.full(segment.shape, NO_MOMENT, dtype=np.int64)
    last = offsets[segment]
    last += length
    last -= 1
    return np.where(length > 0, occurred_at.take(last, mode="clip"), NO_MOMENT)


def _offsets(count: IntArray) -> IntArray:
    return np.concatenate(([0], np.cumsum(count)))


def _arrivals(matches: Matches, occurred_at: IntArray, is_future: BoolArray) -> IntArray:
    """When the first piece of each pair that is dated in the future will be there."""
    found = np.full(matches.learner.size, NO_MOMENT)
    row = np.flatnonzero(is_future)
    if row.size:
        pair, moments = matches.pair[row], occurred_at[matches.row[row]]
        # Written backwards, the earliest stays.
        backwards = ordering((pair, moments))[::-1]
        found[pair[backwards]] = moments[backwards]
    return found
