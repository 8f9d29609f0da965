"""Several attempts of a learner at one line item: which of them count.

An attempt is told by its number. A later word on the same attempt (a corrected grade) replaces
the row; it is no attempt of its own.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mapping.columns import (
    NO_MOMENT,
    BoolArray,
    CodeArray,
    FloatArray,
    IntArray,
    kept,
)
from mapping.evidence.policy import Attempts, EvidencePolicy
from mapping.evidence.tables import ScoreTable
from mapping.ordering import ordering
from mapping.records import ScoreState

UNNUMBERED = 0
"""The attempt number of a cell whose LMS does not say which attempt it is of."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Retries:
    """The rows of cells with several attempts, first attempt first; make it with ``of``.

    ``row`` are rows of a score table. Those of one learner and line item are the segment between
    two of ``offsets``; no segment is empty.
    """

    row: IntArray
    offsets: IntArray

    @classmethod
    def of(cls, scores: ScoreTable, order: IntArray, occurred_at: IntArray) -> Self:
        """Find them.

        Args:
            scores: The table.
            order: Its rows by learner, line item and attempt.
            occurred_at: Length rows; tells attempts apart that bear the same number.
        """
        learner, item = scores.learner[order], scores.line_item[order]
        is_again = (item[1:] == item[:-1]) & (learner[1:] == learner[:-1])
        if not is_again.any():
            return cls(row=order[:0], offsets=np.zeros(1, dtype=np.int64))
        is_among = np.zeros(order.size, dtype=np.bool_)
        is_among[1:] = is_again
        is_among[:-1] |= is_again
        place = np.flatnonzero(is_among)
        is_first = np.ones(place.size, dtype=np.bool_)
        is_first[1:] = ~is_again[place[1:] - 1]
        row, cell = order[place], np.cumsum(is_first, dtype=np.int64)
        row = row[ordering((cell, scores.attempt[row], occurred_at[row]))]
        return cls(row=row, offsets=np.append(np.flatnonzero(is_first), place.size))

    def only(self, is_kept: BoolArray) -> Self:
        """Some of the rows; ``is_kept`` is of the score table's length."""
        chosen = is_kept[self.row]
        sizes = np.diff(kept(chosen, self.offsets))
        return type(self)(
            row=self.row[chosen],
            offsets=np.concatenate(([0], np.cumsum(sizes[sizes > 0]))),
        )

    @property
    def sizes(self) -> IntArray:
        """Rows in each segment, 1 or more."""
        return np.diff(self.offsets)

    @property
    def newest(self) -> IntArray:
        """The place of each segment's last row in ``row``."""
        return self.offsets[1:] - 1


def excused(retries: Retries, state: CodeArray, attempt: IntArray) -> IntArray:
    """Find the attempts of line items that the learner is excused from.

    An excuse stands in the newest attempt, or in a cell without an attempt number; an older
    attempt that was excused says nothing of the others.

    Args:
        retries: What the eyes in question may see.
        state: Codes of ``ScoreState`` for every row of the score table.
        attempt: The attempt number of every row of the score table.

    Returns:
        Rows of the score table, all those of each such line item.

    Source: contracts/mastery-methods.md 2.4, row "Excused/exempt".
    """
    if not retries.row.size:
        return retries.row
    speaks = attempt[retries.row] == UNNUMBERED
    speaks[retries.newest] = True
    speaks &= state[retries.row] == ScoreState.EXCUSED
    is_excused: BoolArray = np.logical_or.reduceat(speaks, retries.offsets[:-1])
    return retries.row[np.repeat(is_excused, retries.sizes)]


def too_soon(retries: Retries, submitted_at: IntArray, policy: EvidencePolicy) -> IntArray:
    """Find the attempts that were handed in within the cooldown of the one before that counts.

    Attempts without a moment of handing in are never too soon.

    Args:
        retries: Attempts that could count.
        submitted_at: In microseconds, for every row of the score table.
        policy: Says the cooldown.

    Returns:
        Rows of the score table.

    Source: product/requirements.md R05.
    """
    cooldown = policy.cooldown_hours * 3_600_000_000.0
    handed_in = submitted_at[retries.row]
    is_early = np.zeros(handed_in.size, dtype=np.bool_)
    before = np.full(retries.sizes.size, NO_MOMENT)
    cell = np.arange(retries.sizes.size)
    # Whether one attempt counts depends on the one before: a step for each attempt, not each row.
    for number in range(int(retries.sizes.max(initial=0)) if cooldown > 0.0 else 0):
        cell = cell[retries.sizes[cell] > number]
        place = retries.offsets[cell] + number
        moment, last = handed_in[place], before[cell]
        is_known = (moment != NO_MOMENT) & (last != NO_MOMENT)
        is_early[place] = is_known & (moment - last < cooldown)
        before[cell] = np.where(is_early[place] | (moment == NO_MOMENT), last, moment)
    return retries.row[is_early]


def passed_over(retries: Retries, points: FloatArray, policy: EvidencePolicy) -> IntArray:
    """Find the attempts that another one stands in for.

    Args:
        retries: Attempts that could count.
        points: For every row of the score table; finite where an attempt could count.
        policy: Says which attempts count. Of equal best ones the later counts.

    Returns:
        Rows of the score table.

    Source: product/requirements.md R05.
    """
    if policy.attempts is Attempts.ALL or not retries.row.size:
        return np.zeros(0, dtype=np.int64)
    place = np.arange(retries.row.size)
    if policy.attempts is Attempts.BEST:
        of_cell = points[retries.row]
        best = np.maximum.reduceat(of_cell, retries.offsets[:-1])
        is_best = of_cell == np.repeat(best, retries.sizes)
        chosen = np.maximum.reduceat(np.where(is_best, place, -1), retries.offsets[:-1])
        return np.delete(retries.row, chosen)
    few = 1 if policy.attempts is Attempts.LAST else policy.last_few
    newest = np.repeat(retries.newest, retries.sizes)
    return retries.row[newest - place >= few]
