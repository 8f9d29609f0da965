"""Course grades, calculated as Canvas does.

By points, or by weighted assignment groups where any group of the course has a weight.
Excused cells, assignments left out of the final grade, cells without a score and, unless
asked for, cells not posted to learners do not count; a reviewed-later cell neither.

Source: canvas.md 2.2 (grades of an enrolment), 2.4 and 8.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from simulators.canvas.cells import Cell, CellQuery, select_cells

CENT = Decimal("0.01")


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


@dataclass(frozen=True, slots=True)
class _Counted:
    group: int
    score: Decimal | None
    possible: Decimal
    is_posted: bool


def course_grades(connection: sqlite3.Connection, course: int) -> Mapping[int, CourseGrade]:
    """The course grades of all learners of a course, by learner id."""
    items = {
        row["id"]: row
        for row in connection.execute(
            "SELECT * FROM assignments WHERE course_id = ? AND is_published "
            "AND NOT omit_from_final_grade",
            (course,),
        )
    }
    weights = {
        row["id"]: Decimal(str(row["weight"]))
        for row in connection.execute("SELECT * FROM categories WHERE course_id = ?", (course,))
    }
    counted: dict[int, list[_Counted]] = {}
    for cell in select_cells(connection, CellQuery(course=course)):
        found = counted.setdefault(cell.learner_id, [])
        if cell.assignment_id in items and not cell.excused:
            found.append(_counted(cell, items[cell.assignment_id]["category_id"]))
    return {learner: _grade(found, weights) for learner, found in counted.items()}


def _counted(cell: Cell, group: int) -> _Counted:
    has_score = cell.score is not None and cell.workflow_state != "pending_review"
    score = Decimal(str(cell.score)) if has_score else None
    return _Counted(group, score, Decimal(str(cell.maximum)), cell.posted_at is not None)


def _grade(counted: Sequence[_Counted], weights: Mapping[int, Decimal]) -> CourseGrade:
    seen = [item if item.is_posted else _hidden(item) for item in counted]
    return CourseGrade(
        current=_percent(_scored(seen), weights),
        final=_percent(_zeroed(seen), weights),
        unposted_current=_percent(_scored(counted), weights),
        unposted_final=_percent(_zeroed(counted), weights),
    )


def _hidden(item: _Counted) -> _Counted:
    return _Counted(item.group, None, item.possible, is_posted=False)


def _scored(counted: Iterable[_Counted]) -> Sequence[_Counted]:
    return [item for item in counted if item.score is not None]


def _zeroed(counted: Iterable[_Counted]) -> Sequence[_Counted]:
    return [
        _Counted(item.group, item.score or Decimal(0), item.possible, item.is_posted)
        for item in counted
    ]


def _percent(counted: Sequence[_Counted], weights: Mapping[int, Decimal]) -> float | None:
    is_weighted = any(weights.values())
    exact = _by_groups(counted, weights) if is_weighted else _by_points(counted)
    return None if exact is None else float(exact.quantize(CENT, ROUND_HALF_UP))


def _by_points(counted: Iterable[_Counted]) -> Decimal | None:
    items = list(counted)
    possible = sum((item.possible for item in items), Decimal(0))
    if possible <= 0:
        return None
    return sum((item.score or Decimal(0) for item in items), Decimal(0)) * 100 / possible


def _by_groups(counted: Sequence[_Counted], weights: Mapping[int, Decimal]) -> Decimal | None:
    earned, weighed = Decimal(0), Decimal(0)
    for group, weight in weights.items():
        percent = _by_points(item for item in counted if item.group == group)
        if percent is not None:
            earned += percent * weight
            weighed += weight
    if weighed <= 0:
        return None
    return earned / min(weighed, Decimal(100))
