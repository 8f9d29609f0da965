"""Scores of a gradebook as columns, a row for each: the form in which they are taken in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import compress
from typing import Any, Self, TypeAlias

import numpy as np

from mapping.columns import NO_MOMENT, BoolArray, CodeArray, FloatArray, IntArray
from mapping.records import Attempt, CriterionRef, LearnerRef, LineItemRef, Score, ScoreState

# What Python and NumPy raise for a number, a moment or a word that is none they can take.
UNREADABLE = (TypeError, ValueError, OverflowError, AttributeError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = timedelta.min
_SECONDS_A_DAY = 86_400
_Facts: TypeAlias = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreColumns:
    """Scores of one course; each column has a value for every score.

    Attributes:
        line_item_ref: Of which line item.
        criterion_ref: Of which of its criteria; None for its own score.
        learner_ref: Whose.
        state: Codes of ``ScoreState``.
        points: In the line item's own range, before any deduction; NaN where there are none.
        points_deducted: What is taken off for being late, 0 for nothing.
        submitted_at: Whole seconds since 1970 in UTC, ``NO_MOMENT`` for none.
        graded_at: The same.
        attempt: The attempt that was graded; 0 where nothing was handed in.
        is_visible: Whether the learner may see it in the LMS.
        is_late: Whether it was late.
        is_overridden: Whether a teacher wrote over what the activity says.
        is_readable: Whether everything that the LMS said is what it should be; where not, the
            numbers mean nothing.
        earlier: Graded attempts before, by the row, of those rows that have any.
    """

    line_item_ref: Sequence[LineItemRef]
    criterion_ref: Sequence[CriterionRef | None]
    learner_ref: Sequence[LearnerRef]
    state: CodeArray
    points: FloatArray
    points_deducted: FloatArray
    submitted_at: IntArray
    graded_at: IntArray
    attempt: IntArray
    is_visible: BoolArray
    is_late: BoolArray
    is_overridden: BoolArray
    is_readable: BoolArray
    earlier: Mapping[int, tuple[Attempt, ...]]

    def __len__(self) -> int:
        return len(self.learner_ref)

    @classmethod
    def of(cls, scores: Iterable[Score]) -> Self:
        """Scores as columns; what cannot be read of one harms no other."""
        # All fields of all scores at once: a column at a time takes twice as long.
        facts: _Facts = tuple(zip(*scores, strict=True)) or ((),) * len(Score._fields)
        told = dict(zip(Score._fields, facts, strict=True))
        try:
            numbers = _numbers(told)
        except UNREADABLE:
            numbers = _one_by_one(told)
        earlier = told["earlier"]
        return cls(
            line_item_ref=told["line_item_ref"],
            criterion_ref=told["criterion_ref"],
            learner_ref=told["learner_ref"],
            earlier=dict(compress(enumerate(earlier), earlier)) if any(earlier) else {},
            **numbers,
        )


def seconds_of(moments: Sequence[datetime | None]) -> IntArray:
    """Moments as whole seconds since 1970 in UTC, ``NO_MOMENT`` for none.

    Raises:
        TypeError: A moment is not aware.
    """  # noqa: DOC502 - raised by subtracting
    # Of a difference in days and seconds, which is exact: a timestamp takes twice as long.
    since = [_NEVER if one is None else one - _EPOCH for one in moments]
    count = len(since)
    days = np.fromiter([one.days for one in since], np.int64, count)
    seconds = np.fromiter([one.seconds for one in since], np.int64, count)
    found: IntArray = np.where(days == _NEVER.days, NO_MOMENT, days * _SECONDS_A_DAY + seconds)
    return found


def _numbers(told: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    count = len(told["points"])
    points = np.fromiter(told["points"], np.float64, count)
    deducted = np.fromiter(told["points_deducted"], np.float64, count)
    is_nothing = np.isnan(points)
    for place in np.flatnonzero(is_nothing).tolist():
        # The LMS sent what is no number, which is not nothing.
        is_nothing[place] = told["points"][place] is None
    return {
        "state": np.frombuffer(bytes(told["state"]), np.int8),
        "points": points,
        "points_deducted": deducted,
        "submitted_at": seconds_of(told["submitted_at"]),
        "graded_at": seconds_of(told["graded_at"]),
        "attempt": np.fromiter(told["attempt"], np.int64, count),
        "is_visible": _facts_of(told["is_visible"]),
        "is_late": _facts_of(told["is_late"]),
        "is_overridden": _facts_of(told["is_overridden"]),
        "is_readable": (is_nothing | np.isfinite(points)) & np.isfinite(deducted),
    }


def _one_by_one(told: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    rows: list[Mapping[str, Any]] = []
    for facts in zip(*told.values(), strict=True):
        try:
            rows.append(_numbers({name: (fact,) for name, fact in zip(told, facts, strict=True)}))
        except UNREADABLE:
            rows.append(_UNREAD)
    return {name: np.concatenate([row[name] for row in rows]) for name in _UNREAD}


def _facts_of(facts: Sequence[bool]) -> BoolArray:
    try:
        # Bytes of them are there ten times as soon as an array.
        found: BoolArray = np.frombuffer(bytes(facts), np.uint8) != 0
    except (TypeError, ValueError):
        found = np.array(facts, np.bool_)
    return found


_NOTHING = Score(LineItemRef(""), LearnerRef(""), ScoreState.NOT_GRADED)
_UNREAD: Mapping[str, Any] = {
    **_numbers({name: (fact,) for name, fact in _NOTHING._asdict().items()}),
    "is_readable": np.zeros(1, np.bool_),
}
