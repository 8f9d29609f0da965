"""Pace: how learners stand to the dates they have set themselves, or else their courses'.

Dates are guides. Without any, there is no pace; a learner's own plan goes before every course's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from mapping.columns import (
    NO_MOMENT,
    BoolArray,
    CodeArray,
    IntArray,
    runs,
    segment_tally,
    typed,
)
from mapping.pairs import Pairs, joined
from mapping.rules.rulebook import Enrolments
from mapping.status import StandingTable, Status
from mapping.wording import marked


class Pace(IntEnum):
    """How a learner stands to a date.

    Source: product/requirements.md R16 for the words and R26.
    """

    NO_DATE = 0
    LATER = 1
    ON_PACE = 2
    AHEAD = 3

    @property
    def label(self) -> str:
        """The pace for a person."""
        return _LABELS[self]


_LABELS: Mapping[Pace, str] = MappingProxyType(
    {
        Pace.NO_DATE: marked("No date planned"),
        Pace.LATER: marked("Later than planned"),
        Pace.ON_PACE: marked("On pace"),
        Pace.AHEAD: marked("Ahead of the plan"),
    }
)
_TYPES: Mapping[str, DTypeLike] = MappingProxyType(
    {"owner": np.int64, "competency": np.int64, "by": np.int64}
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanTable:
    """By when competencies are meant to be mastered, in columns; make one with ``of``.

    ``owner`` is a learner or a course, as who has the table knows; ``by`` are moments.
    """

    owner: IntArray
    competency: IntArray
    by: IntArray

    @classmethod
    def of(cls, columns: Mapping[str, ArrayLike]) -> Self:
        """Make a table of sequences by column name, in any order of rows.

        Raises:
            TableRefused: A column is missing, unknown, or not of its type or length.
        """  # noqa: DOC502 - raised by typed()
        return cls(**typed(columns, _TYPES))

    @classmethod
    def none(cls) -> Self:
        """No date."""
        return cls.of(dict.fromkeys(_TYPES, ()))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PaceTable:
    """Pace in columns, ascending by learner and competency, a row for each that has a date.

    ``by`` is the date that holds, ``is_own`` whether it is of the learner's own plan; ``pace``
    holds codes of ``Pace``.
    """

    learner: IntArray
    competency: IntArray
    by: IntArray
    is_own: BoolArray
    pace: CodeArray

    def __len__(self) -> int:
        return self.learner.size

    def of(self, learner: int, competency: int) -> Pace:
        """One learner's pace in one competency, ``NO_DATE`` without a date."""
        (found,) = np.nonzero((self.learner == learner) & (self.competency == competency))
        return Pace(int(self.pace[found[0]])) if found.size else Pace.NO_DATE


def pace(
    standings: StandingTable,
    *,
    own: PlanTable,
    courses: PlanTable,
    enrolments: Enrolments,
    at: int,
) -> PaceTable:
    """Say how learners stand to their dates.

    Ahead is who has mastered something whose date is still to come, later than planned who has
    not mastered something whose date has passed, and on pace everybody else: also who mastered
    it in time and is yet to show it again.

    Args:
        standings: Of any learners and competencies; what has none is not mastered.
        own: Dates of learners' own plans; the owners are learners.
        courses: Dates of courses; the owners are courses.
        enrolments: Who is active in the courses that have dates.
        at: The moment, in microseconds.

    Returns:
        A row for each learner and competency that has a date. A learner's own date goes before
        those of courses; of several of one kind the latest holds.

    Source: product/requirements.md R26.
    """
    dates = _dates(own, courses, enrolments)
    status, mastered_at = _found(standings, dates)
    is_mastered = np.isin(status, _MASTERED)
    was_in_time = (mastered_at != NO_MOMENT) & (mastered_at <= dates.by)
    has_passed = dates.by < at
    later = has_passed & ~is_mastered & ~was_in_time
    codes = np.select([later, is_mastered & ~has_passed], [Pace.LATER, Pace.AHEAD], Pace.ON_PACE)
    return replace(dates, pace=codes.astype(np.int8))


def overall(table: PaceTable) -> dict[int, Pace]:
    """Each learner's pace in all.

    Args:
        table: From ``pace``.

    Returns:
        By learner, those with a date: ahead with more competencies ahead than later, later with
        fewer, on pace with as many.
    """
    offsets = runs((table.learner,))
    ahead, later = (segment_tally(table.pace == code, offsets) for code in (Pace.AHEAD, Pace.LATER))
    steps = np.sign(ahead - later) + Pace.ON_PACE
    learners = table.learner[offsets[:-1]].tolist()
    return {learner: Pace(step) for learner, step in zip(learners, steps.tolist(), strict=True)}


def _dates(own: PlanTable, courses: PlanTable, enrolments: Enrolments) -> PaceTable:
    """The date that holds for each learner and competency, pace not said yet."""
    order = np.argsort(courses.owner, kind="stable")
    member, planned = joined(enrolments.course, courses.owner[order])
    planned = order[planned]
    learner = np.concatenate((own.owner, enrolments.learner[member]))
    competency = np.concatenate((own.competency, courses.competency[planned]))
    by = np.concatenate((own.by, courses.by[planned]))
    is_own = np.arange(by.size) < own.by.size
    # The latest last: of each pair the last row holds, and own dates come after courses'.
    rows = np.lexsort((by, is_own, competency, learner))
    last = rows[runs((learner[rows], competency[rows]))[1:] - 1]
    return PaceTable(
        learner=learner[last],
        competency=competency[last],
        by=by[last],
        is_own=is_own[last],
        pace=np.full(last.size, Pace.NO_DATE, dtype=np.int8),
    )


def _found(standings: StandingTable, dates: PaceTable) -> tuple[CodeArray, IntArray]:
    """Status and first mastery of each date's learner and competency."""
    pairs = Pairs(learner=standings.learner, competency=standings.competency)
    row = pairs.find(dates.learner, dates.competency)
    # The further row stands for those that have no standing.
    status = np.append(standings.status, Status.NO_EVIDENCE)[row]
    return status, np.append(standings.mastered_at, NO_MOMENT)[row]


_MASTERED = [status for status in Status if status.is_mastered]
