"""A score on its way to a gradebook, and what the gradebook answers: the words of AGS 2.0.

Both LMSs take nonsense and do harm with it: a missing maximum empties a cell, a number that is
none becomes 0. So a score is checked before it is sent, and a wrong one is not sent.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from connectors.errors import GiveUp

_ACTIVITY_WORDS = frozenset({"Initialized", "Started", "InProgress", "Submitted", "Completed"})
_GRADING_WORDS = frozenset({"FullyGraded", "Pending", "PendingManual", "Failed", "NotReady"})
_OWN_MEMBERS = frozenset(
    {
        "userId",
        "scoreGiven",
        "scoreMaximum",
        "comment",
        "timestamp",
        "activityProgress",
        "gradingProgress",
    }
)


class Result(msgspec.Struct, frozen=True, rename="camel"):
    """What the gradebook holds for a learner; an emptied cell has neither score nor comment."""

    user_id: str
    result_score: float | None = None
    result_maximum: float | None = None
    comment: str | None = None
    timestamp: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnScore:
    """A score to send.

    Attributes:
        user_id: The learner, as the launch or the roster names them.
        given: In points from 0 on; None takes back what was given before.
        maximum: Above 0; the line item's own, or the LMS scales.
        comment: Plain text; empty sends none. Moodle then takes away the one that stands
            there, Canvas leaves what was said.
        timestamp: ISO 8601 with a zone; newer than the platform's, see ``next_timestamp``.
        activity: How far the learner is. Empty: "Completed" with points, else "Initialized".
        grading: How far the grading is. Empty: "FullyGraded" with points, else "NotReady".
            With points anything else empties the cell in both LMSs (Canvas spares
            "PendingManual").
        is_capped: Whether more than the maximum is an error and not extra credit.
        extra: Members beyond those of a score: the platform's own extensions.
    """

    user_id: str
    given: float | None
    maximum: float
    comment: str
    timestamp: str
    activity: str = ""
    grading: str = ""
    is_capped: bool = False
    extra: Mapping[str, object] = field(default_factory=dict)


def score_payload(score: OwnScore) -> Mapping[str, object]:
    """What is sent for a score.

    Args:
        score: The score.

    Returns:
        Members of AGS 2.0, with points only where there is a maximum beside them.

    Raises:
        GiveUp: The score is not one that may be sent; it says why.

    Source: LTI AGS 2.0 section 3.4.
    """
    wrong = _wrong(score)
    if wrong:
        raise GiveUp(f"A score was not sent: {wrong}.", cause="bad_score")
    has_points = score.given is not None
    points = {"scoreGiven": score.given, "scoreMaximum": score.maximum} if has_points else {}
    comment = {"comment": score.comment} if score.comment else {}
    return {
        "userId": score.user_id,
        **comment,
        "timestamp": score.timestamp,
        "activityProgress": score.activity or ("Completed" if has_points else "Initialized"),
        "gradingProgress": score.grading or ("FullyGraded" if has_points else "NotReady"),
        **points,
        **score.extra,
    }


def _wrong(score: OwnScore) -> str:
    """Why a score may not be sent; empty where it may."""
    judged = (
        (bool(score.user_id), "it names nobody"),
        (score.given is None or _is_points(score.given), "its points are no number from 0 on"),
        (
            score.given is None or (_is_points(score.maximum) and score.maximum > 0),
            "its maximum is no number above 0",
        ),
        (not _is_above(score), "its points are above the maximum"),
        (_is_aware(score.timestamp), "its time is not ISO 8601 with a zone"),
        (score.activity in _ACTIVITY_WORDS | {""}, f"AGS has no activity {score.activity!r}"),
        (score.grading in _GRADING_WORDS | {""}, f"AGS has no grading {score.grading!r}"),
        (not _OWN_MEMBERS & set(score.extra), "an extension names a member of the score itself"),
    )
    return next((reason for is_fine, reason in judged if not is_fine), "")


def _is_points(value: object) -> bool:
    # True is a number to Python and "true" on the wire.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value >= 0


def _is_above(score: OwnScore) -> bool:
    return score.is_capped and score.given is not None and score.given > score.maximum


def _is_aware(text: str) -> bool:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return False
    return "T" in text and moment.tzinfo is not None


def next_timestamp(now: datetime, last: datetime | None = None) -> str:
    """A timestamp that the platform takes for newer than the last one.

    Args:
        now: The present moment, aware.
        last: The timestamp sent or read last for this learner in this line item, aware.

    Returns:
        ISO 8601 in UTC with milliseconds; at least one whole second after ``last``, because
        Moodle compares whole seconds and refuses equal ones.

    Source: LTI AGS 2.0 section 3.4.6; Moodle 4.5 ``mod/lti/service/gradebookservices``.
    """
    moment = now.astimezone(UTC)
    if last is not None:
        earliest = last.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        moment = max(moment, earliest)
    return moment.isoformat(timespec="milliseconds")
