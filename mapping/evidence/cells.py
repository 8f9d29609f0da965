"""What each gradebook cell says on its own: its moment, its points, why it does not count."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from mapping.columns import NO_MOMENT, BoolArray, CodeArray, FloatArray, IntArray
from mapping.evidence.attempts import Retries, excused, passed_over, too_soon
from mapping.evidence.matches import Matches
from mapping.evidence.policy import DatePolicy, EvidencePolicy, LatePolicy
from mapping.evidence.tables import Reason, ScoreTable, View
from mapping.records import ScoreState


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """What some eyes see in each score; make one with ``of``.

    ``occurred_at`` as from ``moments``, ``points`` as from ``points_of``, ``reason`` as from
    ``settle_attempts``: all that does not depend on what the score speaks for.
    """

    occurred_at: IntArray
    points: FloatArray
    reason: CodeArray

    @classmethod
    def of(cls, matches: Matches, policy: EvidencePolicy, view: View, *, at: int | None) -> Self:
        """Read the scores.

        Args:
            matches: The scores, in their order.
            policy: Which evidence counts.
            view: Whose eyes.
            at: The moment it is judged at; None for outside time.
        """
        scores = matches.scores
        is_shown = scores.is_visible | (view is View.TEACHER)
        occurred_at = moments(scores, policy.dated, is_shown)
        points = points_of(scores, policy.late, is_shown)
        reason = settle_attempts(
            reasons(scores, points, occurred_at, is_shown=is_shown, policy=policy, at=at),
            scores,
            Retries.of(scores, matches.order, occurred_at),
            points=points,
            policy=policy,
        )
        return cls(occurred_at=occurred_at, points=points, reason=reason)


def moments(scores: ScoreTable, dated: DatePolicy, is_shown: BoolArray) -> IntArray:
    """When each piece shows what the learner can do.

    A date that a teacher gave goes before any other. A due date later than the grading is not
    believed: the work was done before it was graded. Of a score that is not shown, nothing is
    told that comes from its grading.

    Args:
        scores: The scores.
        dated: Which moment of the LMS's.
        is_shown: Whether the eyes in question may see each score.

    Returns:
        Microseconds, ``NO_MOMENT`` for none.

    Source: contracts/mastery-methods.md 2.4, row "Order".
    """
    found = np.where(is_shown, scores.given_at, NO_MOMENT)
    for name in dated.value:
        is_open = found == NO_MOMENT
        if is_open.all():
            found = _moments_of(scores, name, slice(None), is_shown=is_shown).copy()
        else:
            row = np.flatnonzero(is_open)
            found[row] = _moments_of(scores, name, row, is_shown=is_shown[row])
    return found


def _moments_of(
    scores: ScoreTable, name: str, row: IntArray | slice, *, is_shown: BoolArray
) -> IntArray:
    """What a column of moments tells of some rows."""
    if name == "submitted_at":
        return scores.submitted_at[row]
    graded_at = np.where(is_shown, scores.graded_at[row], NO_MOMENT)
    if name == "graded_at":
        return graded_at
    due_at = scores.due_at[row]
    is_believed = (graded_at == NO_MOMENT) | (due_at <= graded_at)
    return np.where(is_believed, due_at, NO_MOMENT)


def points_of(scores: ScoreTable, late: LatePolicy, is_shown: BoolArray) -> FloatArray:
    """The points of each score, less its late deduction where the policy says so.

    Returns:
        NaN where the score is not graded, not shown, or no finite number.

    Source: contracts/mastery-methods.md 2.4, row "Late / penalties".
    """
    points = scores.points
    with np.errstate(invalid="ignore", over="ignore"):
        if late is LatePolicy.AFTER_DEDUCTION:
            points = points - np.maximum(scores.points_deducted, 0.0)
        is_told = (scores.state == ScoreState.GRADED) & is_shown & np.isfinite(_span(scores))
        return np.where(is_told & np.isfinite(points), points, np.nan)


def fractions(scores: ScoreTable, points: FloatArray) -> FloatArray:
    """The share of what was possible, NaN where there is nothing to measure.

    Args:
        scores: The scores.
        points: As from ``points_of``.

    Returns:
        Outside 0 to 1 for extra credit, and where a deduction took more than was earned.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        span = _span(scores)
        is_measured = (span > 0.0) & (scores.points >= scores.minimum)
        return (points - scores.minimum) / np.where(is_measured, span, np.nan)


def _span(scores: ScoreTable) -> FloatArray:
    with np.errstate(invalid="ignore", over="ignore"):
        return scores.maximum - scores.minimum


def reasons(
    scores: ScoreTable,
    points: FloatArray,
    occurred_at: IntArray,
    *,
    is_shown: BoolArray,
    policy: EvidencePolicy,
    at: int | None,
) -> CodeArray:
    """Why each score does not count by itself, whichever attempt it is.

    Args:
        scores: The scores.
        points: As from ``points_of``.
        occurred_at: As from ``moments``.
        is_shown: Whether the eyes in question may see each score.
        policy: Says whether evidence stays whose line item is gone.
        at: The moment it is judged at; None for outside time.

    Returns:
        Codes of ``Reason``.
    """
    latest = np.iinfo(np.int64).max if at is None else at
    is_gone = scores.is_removed & (not policy.keeps_removed)
    is_sound = ~np.isnan(points)
    for fails in (scores.is_excluded, is_gone, occurred_at > latest):
        is_sound &= ~fails
    with np.errstate(invalid="ignore"):
        is_sound &= (scores.maximum > scores.minimum) & (scores.points >= scores.minimum)
    reason = np.zeros(len(scores), dtype=np.int8)
    # Most scores count: which of many reasons it is, is asked of the others only.
    odd = np.flatnonzero(~is_sound)
    state, minimum = scores.state[odd], scores.minimum[odd]
    with np.errstate(invalid="ignore", over="ignore"):
        cases = (
            (~is_shown[odd], Reason.HIDDEN),
            (state == ScoreState.EXCUSED, Reason.EXCUSED),
            (state == ScoreState.MISSING, Reason.MISSING),
            (state == ScoreState.CLEARED, Reason.CLEARED),
            (state != ScoreState.GRADED, Reason.NOT_GRADED),
            (scores.is_excluded[odd], Reason.EXCLUDED),
            (is_gone[odd], Reason.REMOVED),
            (np.isnan(points[odd]), Reason.UNUSABLE),
            (scores.maximum[odd] - minimum <= 0.0, Reason.NO_POINTS_POSSIBLE),
            (scores.points[odd] < minimum, Reason.BELOW_MINIMUM),
            (occurred_at[odd] > latest, Reason.FUTURE),
        )
    reason[odd] = _first(cases, odd.size)
    return reason


def _first(cases: Sequence[tuple[BoolArray, Reason]], size: int) -> CodeArray:
    chosen = np.zeros(size, dtype=np.int8)
    for holds, reason in reversed(cases):
        np.copyto(chosen, reason, where=holds)
    return chosen


def settle_attempts(
    reason: CodeArray,
    scores: ScoreTable,
    retries: Retries,
    *,
    points: FloatArray,
    policy: EvidencePolicy,
) -> CodeArray:
    """Add the reasons that come from the other attempts at the same line item.

    Args:
        reason: As from ``reasons``.
        scores: The scores.
        retries: Those with several attempts.
        points: As from ``points_of``.
        policy: Which attempts count.

    Returns:
        Codes of ``Reason``.
    """
    if not retries.row.size:
        return reason
    settled = reason.copy()
    shown = retries.only(reason != Reason.HIDDEN)
    settled[excused(shown, scores.state, scores.attempt)] = Reason.EXCUSED
    usable = retries.only(settled == Reason.COUNTED)
    settled[too_soon(usable, scores.submitted_at, policy)] = Reason.TOO_SOON
    usable = usable.only(settled == Reason.COUNTED)
    settled[passed_over(usable, points, policy)] = Reason.OTHER_ATTEMPT
    return settled
