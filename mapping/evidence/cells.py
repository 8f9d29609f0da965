"""What each gradebook cell says on its own: its moment, its points, why it does not count."""

from collections.abc import Sequence

import numpy as np

from mapping.columns import NO_MOMENT, BoolArray, CodeArray, FloatArray, IntArray
from mapping.evidence.attempts import Retries, excused, passed_over, too_soon
from mapping.evidence.policy import DatePolicy, EvidencePolicy, LatePolicy
from mapping.evidence.tables import Reason, ScoreTable
from mapping.records import ScoreState


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
    graded_at = np.where(is_shown, scores.graded_at, NO_MOMENT)
    is_believed = (graded_at == NO_MOMENT) | (scores.due_at <= graded_at)
    known = {
        "submitted_at": scores.submitted_at,
        "due_at": np.where(is_believed, scores.due_at, NO_MOMENT),
        "graded_at": graded_at,
    }
    found = np.where(is_shown, scores.given_at, NO_MOMENT)
    for name in dated.value:
        found = np.where(found == NO_MOMENT, known[name], found)
    return found


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
    span = _span(scores)
    cases = (
        (~is_shown, Reason.HIDDEN),
        (scores.state == ScoreState.EXCUSED, Reason.EXCUSED),
        (scores.state == ScoreState.MISSING, Reason.MISSING),
        (scores.state == ScoreState.CLEARED, Reason.CLEARED),
        (scores.state != ScoreState.GRADED, Reason.NOT_GRADED),
        (scores.is_excluded, Reason.EXCLUDED),
        (scores.is_removed & (not policy.keeps_removed), Reason.REMOVED),
        (np.isnan(points), Reason.UNUSABLE),
        (span <= 0.0, Reason.NO_POINTS_POSSIBLE),
        (scores.points < scores.minimum, Reason.BELOW_MINIMUM),
        (occurred_at > (np.iinfo(np.int64).max if at is None else at), Reason.FUTURE),
    )
    return _first(cases, len(scores))


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
    settled = reason.copy()
    shown = retries.only(reason != Reason.HIDDEN)
    settled[excused(shown, scores.state, scores.attempt)] = Reason.EXCUSED
    usable = retries.only(settled == Reason.COUNTED)
    settled[too_soon(usable, scores.submitted_at, policy)] = Reason.TOO_SOON
    usable = usable.only(settled == Reason.COUNTED)
    settled[passed_over(usable, points, policy)] = Reason.OTHER_ATTEMPT
    return settled
