"""Rows of the user grade report, as ``gradereport_user_get_grade_items`` sends them.

Source: moodle.md, section 2.3; shapes as recorded from Moodle 4.5.6.
"""

import html
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from simulators.moodle.gradebook import Category, Cell, Gradebook, Item, Total

NO_TROUBLE = {
    "gradehiddenbydate": False,
    "gradeneedsupdate": False,
    "gradeishidden": False,
    "gradeislocked": False,
    "gradeisoverridden": False,
}
"""What a row says of its state where nothing is the matter."""

_NO_CELL = Cell(points=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads the report, by what it may see."""

    may_see_hidden: bool = True
    may_see_hidden_activities: bool = True
    unseen_modules: frozenset[str] = frozenset()


class Report:
    """The report of a course; what it says of an item is the same for every learner."""

    def __init__(self, book: Gradebook, reader: Reader) -> None:
        self.book = book
        self.reader = reader
        self.identities = {item.id: _identity(item) for item in book.items}
        self.ranges = {item.id: _range(item) for item in book.items}

    def rows(self, learner: int) -> list[dict[str, Any]]:
        """All rows of one learner: categories with their items, then the top, then the total."""
        report = _LearnerReport(self, learner)
        categories = [category for category in self.book.categories if not category.is_top]
        rows = [row for category in categories for row in report.of(category)]
        return [*rows, *report.items_of(self.book.top), report.course_row()]


class _LearnerReport:
    """One learner's rows; a learner with no grade at all was never weighed by Moodle."""

    def __init__(self, report: Report, learner: int) -> None:
        self._report = report
        self._book = report.book
        self._learner = learner
        self._reader = report.reader
        self._is_weighed = any((item.id, learner) in self._book.cells for item in self._book.items)
        self._total = self._book.course_total(learner)

    def of(self, category: Category) -> list[dict[str, Any]]:
        total = self._book.category_total(category, self._learner)
        return [*self._items(category, total), self._category_row(category, total)]

    def items_of(self, top: Category) -> list[dict[str, Any]]:
        return self._items(top, self._total)

    def _items(self, category: Category, total: Total) -> list[dict[str, Any]]:
        return [
            self._item_row(item, total)
            for item in self._book.within(category)
            if self._is_shown(item)
        ]

    def _is_shown(self, item: Item) -> bool:
        if item.module in self._reader.unseen_modules:
            return False
        if not item.is_visible_activity and not self._reader.may_see_hidden_activities:
            return False
        cell = self._book.cells.get((item.id, self._learner), _NO_CELL)
        return self._reader.may_see_hidden or not (item.is_hidden or cell.is_hidden)

    def _item_row(self, item: Item, total: Total) -> dict[str, Any]:
        cell = self._book.cells.get((item.id, self._learner), _NO_CELL)
        points = cell.points if item.maximum > 0 else None
        formatted = _texts(item, points, is_void=item.maximum <= 0 and cell.points is not None)
        return {
            **self._report.identities[item.id],
            **self._weighing(item, cell, total),
            "graderaw": number(points),
            "gradedatesubmitted": cell.submitted_at,
            "gradedategraded": cell.graded_at,
            **NO_TROUBLE,
            "gradeishidden": item.is_hidden or cell.is_hidden,
            "gradeislocked": cell.is_locked,
            "gradeisoverridden": cell.is_overridden,
            "gradeformatted": formatted[0],
            **self._report.ranges[item.id],
            "percentageformatted": formatted[1],
            "feedback": cell.feedback,
            "feedbackformat": cell.feedback_format,
        }

    def _weighing(self, item: Item, cell: Cell, total: Total) -> dict[str, Any]:
        if not self._is_weighed:
            return {}
        counted = self._book.counted(item, self._learner)
        share = 0.0 if counted is None else item.maximum / total.maximum
        weights = _weights(share)
        if cell.is_excluded:
            return weights | {"status": "dropped"}
        return weights | ({"status": "novalue"} if cell.points is None else {})

    def _category_row(self, category: Category, total: Total) -> dict[str, Any]:
        row = self._total_row(category, total, "category")
        if not self._is_weighed:
            return row
        if total.points is None:
            return _after_flags(row, _weights(0.0) | {"status": "novalue"})
        return _after_flags(row, _weights(total.maximum / self._total.maximum))

    def course_row(self) -> dict[str, Any]:
        return self._total_row(self._book.top, self._total, "course")

    def _total_row(self, category: Category, total: Total, kind: str) -> dict[str, Any]:
        graded_at = [
            cell.graded_at
            for item in (self._book.items if category.is_top else self._book.within(category))
            if (cell := self._book.cells.get((item.id, self._learner))) and cell.graded_at
        ]
        item = Item(id=category.item_id, title="", category_id=0, maximum=total.maximum)
        formatted = _texts(item, total.points, is_void=False)
        return {
            **_identity(item),
            "itemname": None,
            "itemtype": kind,
            "iteminstance": category.id,
            "itemnumber": None,
            "categoryid": None,
            "graderaw": number(total.points),
            "gradedatesubmitted": None,
            "gradedategraded": max(graded_at) if total.points is not None else None,
            **NO_TROUBLE,
            "gradeformatted": formatted[0],
            **_range(item),
            "percentageformatted": formatted[1],
            "feedback": "",
            "feedbackformat": 2 if self._is_weighed else 0,
        }


def _identity(item: Item) -> dict[str, Any]:
    """Who the item is; ``scaleid`` repeats ``outcomeid``, a defect of Moodle 4.5."""
    row = {
        "id": item.id,
        "itemname": html.escape(item.title, quote=False),
        "itemtype": "mod" if item.module else "manual",
        "itemmodule": item.module,
        "iteminstance": item.instance,
        "itemnumber": 0,
        "idnumber": "" if item.module else None,
        "categoryid": item.category_id,
        "outcomeid": None,
        "scaleid": None,
        "locked": False,
    }
    return row | ({"cmid": item.cmid} if item.module else {})


def _after_flags(row: dict[str, Any], weights: dict[str, Any]) -> dict[str, Any]:
    """Put the weights where Moodle has them: right after ``locked``."""
    names = list(row)
    cut = names.index("locked") + 1
    return (
        {name: row[name] for name in names[:cut]}
        | weights
        | {name: row[name] for name in names[cut:]}
    )


@lru_cache(maxsize=4096)
def _weights(share: float) -> dict[str, Any]:
    return {"weightraw": number(round(share, 5)), "weightformatted": f"{100 * share:.2f} %"}


def _range(item: Item) -> dict[str, Any]:
    low, high = number(item.minimum), number(item.maximum)
    ends = (item.scale[0], item.scale[-1]) if item.scale else (low, high)
    return {"grademin": low, "grademax": high, "rangeformatted": f"{ends[0]}&ndash;{ends[1]}"}


def _texts(item: Item, points: float | None, *, is_void: bool) -> tuple[str, str]:
    """The grade as a person reads it, and as a percentage."""
    if is_void:
        return "", ""
    if points is None:
        return "-", "-"
    share = (points - item.minimum) / (item.maximum - item.minimum)
    word = item.scale[int(points) - 1] if item.scale else f"{points:.2f}"
    return word, f"{100 * share:.2f} %"


def number(value: float | None) -> float | int | None:
    """A number as PHP's JSON writes it: whole ones without a fraction."""
    if value is None:
        return None
    return int(value) if value == int(value) else round(value, 5)
