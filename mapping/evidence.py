"""From scores to evidence: what each gradebook cell says about which competency.

A row of evidence is a score seen through an alignment. Rows that do not count stay, with the
reason, so that a person can be told; a missing score is one of them and never a zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from mapping.columns import (
    NO_MOMENT,
    BoolArray,
    CodeArray,
    FloatArray,
    IntArray,
    TableRefused,
    typed,
)
from mapping.records import EvidenceKind, ScoreState
from mapping.scales import DEFAULT_SCALE, RatingScale

HEAVIEST = 1_000_000.0
"""The greatest weight an alignment may have: sums of more would leave a float's range."""

KINDS = tuple(EvidenceKind)
"""What the codes of a ``kind`` column stand for."""


class View(IntEnum):
    """Whose eyes the evidence is for.

    Source: contracts/mastery-methods.md 2.4, row "Unposted grades".
    """

    TEACHER = 0
    """All evidence."""
    LEARNER = 1
    """Only what the LMS shows the learner; nothing computed may leak the rest."""


class DatePolicy(Enum):
    """Which moment orders the evidence: the first of these that a score has.

    Source: contracts/mastery-methods.md 2.4, row "Order".
    """

    SUBMITTED_DUE_GRADED = ("submitted_at", "due_at", "graded_at")
    SUBMITTED_GRADED = ("submitted_at", "graded_at")
    DUE_SUBMITTED_GRADED = ("due_at", "submitted_at", "graded_at")

    def sentence(self) -> str:
        """The policy in plain words."""
        names = (name.removesuffix("_at") for name in self.value)
        return f"Evidence is ordered by when it was {', else '.join(names)}."


class Reason(IntEnum):
    """Why a row of evidence does not count; the first that holds."""

    COUNTED = 0
    HIDDEN = 1
    MISSING = 2
    EXCUSED = 3
    CLEARED = 4
    NOT_GRADED = 5
    NO_POINTS_POSSIBLE = 6
    NO_WEIGHT = 7

    @property
    def sentence(self) -> str:
        """The reason for a person."""
        return _REASONS[self]


_REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.COUNTED: "It counts.",
        Reason.HIDDEN: "It is not shown to the learner yet.",
        Reason.MISSING: "It was not handed in; that is not counted as zero.",
        Reason.EXCUSED: "The learner is excused from it.",
        Reason.CLEARED: "Its score was taken away again.",
        Reason.NOT_GRADED: "It has no score yet.",
        Reason.NO_POINTS_POSSIBLE: "It has no points to earn.",
        Reason.NO_WEIGHT: "Its weight is 0.",
    }
)

_SCORE_TYPES: Mapping[str, DTypeLike] = MappingProxyType(
    {
        "line_item": np.int64,
        "learner": np.int64,
        "state": np.int8,
        "points": np.float64,
        "minimum": np.float64,
        "maximum": np.float64,
        "attempt": np.int64,
        "is_visible": np.bool_,
        "is_late": np.bool_,
        "submitted_at": np.int64,
        "due_at": np.int64,
        "graded_at": np.int64,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreTable:
    """Scores in columns; make one with ``of``.

    ``line_item`` tells a rubric criterion from its line item by an id of its own. ``state``
    holds codes of ``ScoreState``; ``points`` are before any late deduction, NaN for none,
    between ``minimum`` and ``maximum`` of the line item (or criterion). Moments are whole
    microseconds since 1970 in UTC, ``NO_MOMENT`` for none.

    Source: contracts/mastery-methods.md 2.4, row "Late / penalties".
    """

    line_item: IntArray
    learner: IntArray
    state: CodeArray
    points: FloatArray
    minimum: FloatArray
    maximum: FloatArray
    attempt: IntArray
    is_visible: BoolArray
    is_late: BoolArray
    submitted_at: IntArray
    due_at: IntArray
    graded_at: IntArray

    @classmethod
    def of(cls, columns: Mapping[str, ArrayLike]) -> Self:
        """Make a table of sequences by column name.

        Raises:
            TableRefused: A column is missing, unknown, or not of its type or length.
        """  # noqa: DOC502 - raised by typed()
        return cls(**typed(columns, _SCORE_TYPES))

    def __len__(self) -> int:
        return self.line_item.size


_ALIGNMENT_TYPES: Mapping[str, DTypeLike] = MappingProxyType(
    {
        "line_item": np.int64,
        "competency": np.int64,
        "weight": np.float64,
        "kind": np.int8,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AlignmentTable:
    """Alignments in columns, ascending by line item and competency; make one with ``of``.

    ``kind`` holds indexes into ``KINDS``.
    """

    line_item: IntArray
    competency: IntArray
    weight: FloatArray
    kind: CodeArray

    @classmethod
    def of(cls, columns: Mapping[str, ArrayLike]) -> Self:
        """Make a table of sequences by column name, in any order of rows.

        Raises:
            TableRefused: A column is missing, unknown, or not of its type or length; a weight
                is not 0 to ``HEAVIEST``; a kind is no index into ``KINDS``; a line item speaks
                for a competency twice.
        """
        table = cls(**typed(columns, _ALIGNMENT_TYPES))
        if not np.all((table.weight >= 0.0) & (table.weight <= HEAVIEST)):
            raise TableRefused(f"A weight is not between 0 and {HEAVIEST:g}")
        if not np.all((table.kind >= 0) & (table.kind < len(KINDS))):
            raise TableRefused("A kind is not an index into KINDS")
        order = np.lexsort((table.competency, table.line_item))
        line_item, competency = table.line_item[order], table.competency[order]
        is_repeated = (line_item[1:] == line_item[:-1]) & (competency[1:] == competency[:-1])
        if is_repeated.any():
            raise TableRefused("A line item speaks for the same competency twice")
        return cls(
            line_item=line_item,
            competency=competency,
            weight=table.weight[order],
            kind=table.kind[order],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EvidenceTable:
    """Evidence in columns, ascending by learner, competency, ``occurred_at`` and line item.

    ``value`` is in points of ``scale``, NaN where there is none; ``reason`` holds codes of
    ``Reason``; undated rows (``NO_MOMENT``) come first.
    """

    scale: RatingScale
    learner: IntArray
    competency: IntArray
    line_item: IntArray
    occurred_at: IntArray
    attempt: IntArray
    points: FloatArray
    maximum: FloatArray
    value: FloatArray
    weight: FloatArray
    kind: CodeArray
    is_late: BoolArray
    reason: CodeArray

    def __len__(self) -> int:
        return self.learner.size

    @property
    def is_counted(self) -> BoolArray:
        """Which rows count, length rows."""
        return np.equal(self.reason, Reason.COUNTED)

    def of_learner(self, learner: int) -> Self:
        """The rows of one learner, as views of these arrays."""
        first, end = np.searchsorted(self.learner, [learner, learner + 1])
        return self._cut(slice(first, end))

    def of_competency(self, competency: int) -> Self:
        """The rows of one competency, of a table that holds one learner."""
        first, end = np.searchsorted(self.competency, [competency, competency + 1])
        return self._cut(slice(first, end))

    def _cut(self, rows: slice) -> Self:
        columns = {name: getattr(self, name)[rows] for name in self.__slots__ if name != "scale"}
        return type(self)(scale=self.scale, **columns)


def evidence(
    scores: ScoreTable,
    alignments: AlignmentTable,
    *,
    scale: RatingScale = DEFAULT_SCALE,
    view: View = View.TEACHER,
    dated: DatePolicy = DatePolicy.SUBMITTED_DUE_GRADED,
) -> EvidenceTable:
    """See scores through alignments.

    Args:
        scores: Any order.
        alignments: Which line item speaks for which competency.
        scale: What values are measured on; scores outside their range are clamped to it.
        view: Whose eyes the evidence is for. To the learner, a hidden score neither counts nor
            shows its points.
        dated: Which moment orders the evidence.

    Returns:
        One row for each score and competency its line item speaks for.

    Source: contracts/mastery-methods.md 2.4.
    """
    row, pair = _joined(scores.line_item, alignments.line_item)
    occurred_at = _occurred_at(scores, dated)
    order = np.lexsort(
        (
            scores.attempt[row],
            scores.line_item[row],
            occurred_at[row],
            alignments.competency[pair],
            scores.learner[row],
        )
    )
    row, pair = row[order], pair[order]
    points = _shown_points(scores, view)
    reason = _reason(scores, view)[row]
    reason[(reason == Reason.COUNTED) & (alignments.weight[pair] == 0.0)] = Reason.NO_WEIGHT
    return EvidenceTable(
        scale=scale,
        learner=scores.learner[row],
        competency=alignments.competency[pair],
        line_item=scores.line_item[row],
        occurred_at=occurred_at[row],
        attempt=scores.attempt[row],
        points=points[row],
        maximum=scores.maximum[row],
        value=scale.to_scale(_fraction(points, scores))[row],
        weight=alignments.weight[pair],
        kind=alignments.kind[pair],
        is_late=scores.is_late[row],
        reason=reason,
    )


def _joined(scored: IntArray, aligned: IntArray) -> tuple[IntArray, IntArray]:
    """Row numbers of every pair of equal ids; ``aligned`` ascends."""
    first = np.searchsorted(aligned, scored, side="left")
    times = np.searchsorted(aligned, scored, side="right") - first
    row = np.repeat(np.arange(scored.size), times)
    before = np.cumsum(times) - times
    pair = np.arange(row.size) + np.repeat(first - before, times)
    return row, pair


def _occurred_at(scores: ScoreTable, dated: DatePolicy) -> IntArray:
    moments: IntArray = np.full(len(scores), NO_MOMENT, dtype=np.int64)
    for name in reversed(dated.value):
        column: IntArray = getattr(scores, name)
        moments = np.where(column == NO_MOMENT, moments, column)
    return moments


def _shown_points(scores: ScoreTable, view: View) -> FloatArray:
    is_told = scores.state == ScoreState.GRADED
    if view is View.LEARNER:
        is_told &= scores.is_visible
    return np.where(is_told, scores.points, np.nan)


def _span(scores: ScoreTable) -> FloatArray:
    with np.errstate(invalid="ignore"):
        span = scores.maximum - scores.minimum
    return np.where(np.isfinite(span) & (span > 0.0), span, np.nan)


def _fraction(points: FloatArray, scores: ScoreTable) -> FloatArray:
    return (points - scores.minimum) / _span(scores)


def _reason(scores: ScoreTable, view: View) -> CodeArray:
    is_hidden = ~scores.is_visible & (view is View.LEARNER)
    is_ungraded = (scores.state != ScoreState.GRADED) | np.isnan(scores.points)
    reasons = (
        (is_hidden, Reason.HIDDEN),
        (scores.state == ScoreState.MISSING, Reason.MISSING),
        (scores.state == ScoreState.EXCUSED, Reason.EXCUSED),
        (scores.state == ScoreState.CLEARED, Reason.CLEARED),
        (is_ungraded, Reason.NOT_GRADED),
        (np.isnan(_span(scores)), Reason.NO_POINTS_POSSIBLE),
    )
    conditions, codes = zip(*reasons, strict=True)
    chosen: CodeArray = np.select(conditions, codes, Reason.COUNTED).astype(np.int8)
    return chosen
