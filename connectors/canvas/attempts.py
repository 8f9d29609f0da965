"""Which attempt of a Canvas submission its score is of, and what came before it.

A score stays when work is handed in again, until the new work is graded; so does every moment
of grading. The entry of an attempt in the history repeats such a score as if it were its own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from connectors.canvas.courses import in_utc
from connectors.canvas.payloads import PastNode, PastRow, SubmissionNode, SubmissionRow
from mapping.records import Attempt

Node = SubmissionNode | SubmissionRow


class Tries(NamedTuple):
    """The attempt that a submission's score is of, and the graded ones before it, oldest first.

    ``number`` is 0 where nothing was handed in.
    """

    number: int
    submitted_at: datetime | None
    is_late: bool
    earlier: tuple[Attempt, ...] = ()


def tries_of(node: Node) -> Tries:
    """Find the attempt that a submission's score is of.

    Args:
        node: What Canvas sent; where it has no history, the score of an older attempt is taken
            for one of the attempt before the newest.

    Source: Canvas REST API, Submissions, submission_history; GraphQL schema,
    Submission.submissionHistoriesConnection.
    """
    newest = node.attempt or 0
    is_of_newest = node.grade_matches_current_submission is not False or node.entered_score is None
    graded = _graded(node, before=newest) if newest > 1 else {}
    if is_of_newest or not graded:
        return Tries(
            number=newest if is_of_newest else max(newest - 1, min(newest, 1)),
            submitted_at=in_utc(node.submitted_at),
            is_late=bool(node.late),
            earlier=tuple(graded.values()),
        )
    *earlier, last = graded.values()
    return Tries(
        number=last.number,
        submitted_at=last.submitted_at,
        is_late=last.is_late,
        earlier=tuple(earlier),
    )


def _graded(node: Node, *, before: int) -> Mapping[int, Attempt]:
    """Attempts by number, in order: REST sends the oldest first, older GraphQL the newest."""
    found = {
        one.attempt: Attempt(
            number=one.attempt,
            points=one.entered_score,
            submitted_at=in_utc(one.submitted_at),
            graded_at=in_utc(one.graded_at),
            is_late=bool(one.late),
        )
        for one in node.history()
        if one.attempt and one.attempt < before and _is_graded(one)
    }
    return dict(sorted(found.items()))


def _is_graded(one: PastNode | PastRow) -> bool:
    """Whether it was graded itself: older than its work, a score is of the attempt before."""
    if one.state == "pending_review":
        return False
    if one.graded_at is None:
        return one.entered_score is not None
    return one.submitted_at is None or one.graded_at >= one.submitted_at
