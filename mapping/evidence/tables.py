"""Scores, alignments and evidence in columns, and the reasons why evidence does not count."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from mapping.columns import (
    NO_MOMENT,
    BoolArray,
    CodeArray,
    FloatArray,
    IntArray,
    TableRefused,
    filled,
    typed,
)
from mapping.ordering import ordering
from mapping.records import EvidenceKind
from mapping.scales import RatingScale
from mapping.wording import marked

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


class Reason(IntEnum):
    """Why a row of evidence does not count: the first that holds, in this order.

    What the eyes in question may not see goes first; then what the LMS says of the cell, what
    persons said, what the numbers are, which attempt it is, and last the alignment and the rest
    of the evidence.

    Source: contracts/mastery-methods.md 2.4.
    """

    COUNTED = 0
    HIDDEN = 1
    EXCUSED = 2
    MISSING = 3
    CLEARED = 4
    NOT_GRADED = 5
    EXCLUDED = 6
    """A person took it out, with a reason of their own."""
    REMOVED = 7
    """The LMS has its line item no longer, and the policy does not keep such evidence."""
    UNUSABLE = 8
    """Its points, or what they are measured against, are no finite numbers."""
    NO_POINTS_POSSIBLE = 9
    BELOW_MINIMUM = 10
    FUTURE = 11
    TOO_SOON = 12
    OTHER_ATTEMPT = 13
    NO_WEIGHT = 14
    """Its alignment has none; a rubric row that is kept from the learning mastery gradebook."""
    KIND = 15
    LOWEST = 16

    @property
    def sentence(self) -> str:
        """The reason for a person, a template without placeholders."""
        return _REASONS[self]


_REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.COUNTED: marked("It counts."),
        Reason.HIDDEN: marked("It is not shown to the learner yet."),
        Reason.EXCUSED: marked("The learner is excused from it."),
        Reason.MISSING: marked("It was not handed in; that is not counted as zero."),
        Reason.CLEARED: marked("Its score was taken away again."),
        Reason.NOT_GRADED: marked("It has no score yet."),
        Reason.EXCLUDED: marked("A teacher took it out."),
        Reason.REMOVED: marked("Its activity is gone from the gradebook."),
        Reason.UNUSABLE: marked("Its points are not a number that can be measured."),
        Reason.NO_POINTS_POSSIBLE: marked("It has no points to earn."),
        Reason.BELOW_MINIMUM: marked("Its points are below the least that can be earned."),
        Reason.FUTURE: marked("It is dated in the future."),
        Reason.TOO_SOON: marked("It was handed in too soon after the attempt before it."),
        Reason.OTHER_ATTEMPT: marked("Another attempt at the same activity counts instead."),
        Reason.NO_WEIGHT: marked("Its weight is 0."),
        Reason.KIND: marked("The rule does not count evidence of its kind."),
        Reason.LOWEST: marked("It is the lowest, which the rule leaves out."),
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
        "course": np.int64,
        "points_deducted": np.float64,
        "given_at": np.int64,
        "is_excluded": np.bool_,
        "is_removed": np.bool_,
    }
)
_SCORE_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "course": 0,
        "points_deducted": 0.0,
        "given_at": NO_MOMENT,
        "is_excluded": False,
        "is_removed": False,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreTable:
    """Scores in columns, in any order; make one with ``of``.

    ``line_item`` tells a rubric criterion from its line item by an id of its own. ``state``
    holds codes of ``ScoreState``; ``points`` are before any late deduction, NaN for none,
    between ``minimum`` and ``maximum`` of the line item (or criterion). Several rows of one
    learner and line item are attempts at it, told apart by ``attempt``, the newest being the
    gradebook's cell as it is now; ``attempt`` is 0 where the LMS does not say. The table holds
    the newest word on each attempt: a corrected grade has replaced the one before it, whose
    history is not kept here. ``course`` is the line item's. ``given_at`` is the date that a
    teacher gave to a piece, ``is_excluded`` that a person took it out, ``is_removed`` that the
    LMS has its line item no longer. Moments are whole microseconds since 1970 in UTC,
    ``NO_MOMENT`` for none.

    Rows in order of learner, line item and attempt are seen as evidence the fastest.

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
    course: IntArray
    points_deducted: FloatArray
    given_at: IntArray
    is_excluded: BoolArray
    is_removed: BoolArray

    @classmethod
    def of(cls, columns: Mapping[str, ArrayLike]) -> Self:
        """Make a table of sequences by column name.

        The last five columns may be left out: course 0, nothing deducted, given, excluded or
        removed.

        Raises:
            TableRefused: A column is missing, unknown, or not of its type or length.
        """  # noqa: DOC502 - raised by typed()
        return cls(**typed(filled(columns, _SCORE_DEFAULTS), _SCORE_TYPES))

    def __len__(self) -> int:
        return self.line_item.size

    def rows(self, index: IntArray | BoolArray) -> Self:
        """These rows, in this order."""
        return type(self)(**{name: getattr(self, name)[index] for name in self.__slots__})


_ALIGNMENT_TYPES: Mapping[str, DTypeLike] = MappingProxyType(
    {
        "line_item": np.int64,
        "competency": np.int64,
        "weight": np.float64,
        "kind": np.int8,
        "via": np.int64,
        "steps": np.int64,
    }
)
NOT_BRIDGED = -1
"""Stands for "aligned to this competency itself" in a column of competencies."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AlignmentTable:
    """Alignments in columns, ascending by line item and competency; make one with ``of``.

    ``kind`` holds indexes into ``KINDS``; ``via`` the equivalent competency that the line item
    is aligned to in fact, ``NOT_BRIDGED`` where it is this one; ``steps`` how a score becomes
    evidence, as ``mapping.steps.packed`` writes it, 0 for as it is.
    """

    line_item: IntArray
    competency: IntArray
    weight: FloatArray
    kind: CodeArray
    via: IntArray
    steps: IntArray

    @classmethod
    def of(cls, columns: Mapping[str, ArrayLike]) -> Self:
        """Make a table of sequences by column name, in any order of rows.

        ``via`` and ``steps`` may be left out.

        Raises:
            TableRefused: A column is missing, unknown, or not of its type or length; a weight
                is not 0 to ``HEAVIEST``; a kind is no index into ``KINDS``; steps are below 0; a
                line item speaks for a competency twice.
        """
        table = cls(**typed(filled(columns, {"via": NOT_BRIDGED, "steps": 0}), _ALIGNMENT_TYPES))
        if not np.all((table.weight >= 0.0) & (table.weight <= HEAVIEST)):
            raise TableRefused(f"A weight is not between 0 and {HEAVIEST:g}")
        if not np.all((table.kind >= 0) & (table.kind < len(KINDS))):
            raise TableRefused("A kind is not an index into KINDS")
        if np.any(table.steps < 0):
            raise TableRefused("Steps are below 0")
        order = ordering((table.line_item, table.competency))
        line_item, competency = table.line_item[order], table.competency[order]
        is_repeated = (line_item[1:] == line_item[:-1]) & (competency[1:] == competency[:-1])
        if is_repeated.any():
            raise TableRefused("A line item speaks for the same competency twice")
        return cls(
            line_item=line_item,
            competency=competency,
            weight=table.weight[order],
            kind=table.kind[order],
            via=table.via[order],
            steps=table.steps[order],
        )

    def rows(self, index: IntArray | BoolArray) -> Self:
        """These rows; they must ascend as the table does."""
        return type(self)(**{name: getattr(self, name)[index] for name in self.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EvidenceTable:
    """Evidence in columns, ascending by learner, competency, ``occurred_at`` and line item.

    Undated rows (``NO_MOMENT``) come first. ``points`` are the line item's, less a late deduction
    where the policy says so; above ``maximum`` they stay as they are; NaN for none, and for what
    is no finite number. ``value`` is in points of ``scale``, from 0 to its top, NaN where nothing
    can be measured, by the ``steps`` of the alignment where it has any. ``weight`` is the
    alignment's times that of the kind. ``reason`` holds codes of ``Reason``.
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
    course: IntArray
    via: IntArray
    steps: IntArray
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
