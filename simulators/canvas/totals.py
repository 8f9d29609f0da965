"""Course grades, calculated as Canvas does.

By points, or by weighted assignment groups where any group of the course has a weight.
Excused cells, assignments left out of the final grade, cells without a score and, unless
asked for, cells not posted to learners do not count; a reviewed-later cell neither.

Source: canvas.md 2.2 (grades of an enrolment), 2.4 and 8.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from simulators.canvas.cells import Cell, CellQuery, select_cells

CENT = Decimal("0.01")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseGrade:
    """A learner's course grade in percent; None where nothing counts yet.

    ``current`` leaves out what has no score, ``final`` takes it for zero; the ``unposted``
    ones also count what the learner may not see yet.
    """

    current: float | None
    final: float | None
    unposted_current: float | None
    unposted_final: float | None


@dataclass(slots=True)
class _Sum:
    """Points earned and possible, by assignment group."""

    earned: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    possible: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, group: int, earned: Decimal, possible: Decimal) -> None:
        self.earned[group] += earned
        self.possible[group] += possible

    def percent(self, weights: Mapping[int, Decimal]) -> float | None:
        exact = self._by_groups(weights) if any(weights.values()) else self._by_points()
        return None if exact is None else float(exact.quantize(CENT, ROUND_HALF_UP))

    def _by_points(self) -> Decimal | None:
        possible = sum(self.possible.values(), ZERO)
        return sum(self.earned.values(), ZERO) * 100 / possible if possible > 0 else None

    def _by_groups(self, weights: Mapping[int, Decimal]) -> Decimal | None:
        counted = {group: weight for group, weight in weights.items() if self._counts(group)}
        weighed = sum(counted.values(), ZERO)
        if weighed <= 0:
            return None
        percents = (
            self.earned[group] * 100 / self.possible[group] * weight
            for group, weight in counted.items()
        )
        return sum(percents, ZERO) / min(weighed, Decimal(100))

    def _counts(self, group: int) -> bool:
        return group in self.possible and self.possible[group] > 0


@dataclass(slots=True)
class _Sums:
    """What a learner's four grades are made of."""

    current: _Sum = field(default_factory=_Sum)
    final: _Sum = field(default_factory=_Sum)
    unposted_current: _Sum = field(default_factory=_Sum)
    unposted_final: _Sum = field(default_factory=_Sum)

    def add(self, cell: Cell, group: int) -> None:
        has_score = cell.score is not None and cell.workflow_state != "pending_review"
        score = _exact(cell.score) if has_score else None
        seen = None if cell.posted_at is None else score
        possible = _exact(cell.maximum)
        self.final.add(group, seen or ZERO, possible)
        self.unposted_final.add(group, score or ZERO, possible)
        if seen is not None:
            self.current.add(group, seen, possible)
        if score is not None:
            self.unposted_current.add(group, score, possible)

    def grade(self, weights: Mapping[int, Decimal]) -> CourseGrade:
        return CourseGrade(
            current=self.current.percent(weights),
            final=self.final.percent(weights),
            unposted_current=self.unposted_current.percent(weights),
            unposted_final=self.unposted_final.percent(weights),
        )


@lru_cache(maxsize=1024)
def _exact(points: float | None) -> Decimal:
    """Points as they are written; the same few numbers come again and again."""
    return Decimal(str(points))


def course_grades(
    connection: sqlite3.Connection, course: int, *, learners: Sequence[int] | None = None
) -> Mapping[int, CourseGrade]:
    """The course grades of all learners of a course, or of some, by learner id."""
    groups = {
        row["id"]: row["category_id"]
        for row in connection.execute(
            "SELECT id, category_id FROM assignments WHERE course_id = ? AND is_published "
            "AND NOT omit_from_final_grade",
            (course,),
        )
    }
    weights = {
        row["id"]: Decimal(str(row["weight"]))
        for row in connection.execute("SELECT * FROM categories WHERE course_id = ?", (course,))
    }
    sums: defaultdict[int, _Sums] = defaultdict(_Sums)
    for cell in select_cells(connection, CellQuery(course=course, learners=learners)):
        found = sums[cell.learner_id]
        if cell.assignment_id in groups and not cell.excused:
            found.add(cell, groups[cell.assignment_id])
    return {learner: found.grade(weights) for learner, found in sums.items()}
