"""A course's gradebook: its items, its cells, and totals by natural weighting.

Natural weighting: a category's total is the sum of its graded items' points out of the sum
of their maxima; an item weighs ``maximum / sum``. Empty and excluded grades are left out, so
the maximum differs from learner to learner. An item with maximum 0 weighs nothing.

Source: moodle.md, section 2.3 and the recorded grade reports; passback.md for items with
maximum 0.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from simulators.moodle.site import Site

MODULES = {"assignment": "assign", "quiz": "quiz"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A grade item; ``module`` is assign, quiz or None for a manual one.

    ``is_tool`` marks a line item that an LTI tool made.
    """

    id: int
    title: str
    category_id: int
    maximum: float
    module: str | None = None
    instance: int | None = None
    cmid: int | None = None
    scale: Sequence[str] = ()
    is_hidden: bool = False
    is_visible_activity: bool = True
    is_tool: bool = False

    @property
    def minimum(self) -> float:
        """1 on a scale, where points are the index of a word, else 0."""
        return 1.0 if self.scale else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A grade category; ``item_id`` is its total's, the top one's is the course total."""

    id: int
    title: str
    item_id: int
    is_top: bool


class Cell(NamedTuple):
    """A grade; ``points`` is what counts, an override included."""

    points: float | None
    is_excluded: bool = False
    is_overridden: bool = False
    is_hidden: bool = False
    is_locked: bool = False
    submitted_at: int | None = None
    graded_at: int | None = None
    feedback: str = ""
    feedback_format: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A category's or course's total; ``points`` None where nothing is graded."""

    points: float | None
    maximum: float


@dataclass(frozen=True, kw_only=True)
class Gradebook:
    """All of a course's gradebook; ``cells`` by item id and learner id."""

    items: Sequence[Item]
    categories: Sequence[Category]
    cells: Mapping[tuple[int, int], Cell]

    @property
    def top(self) -> Category:
        """The course's own category."""
        return next(category for category in self.categories if category.is_top)

    def within(self, category: Category) -> Sequence[Item]:
        """The items that stand directly in a category."""
        return self._by_category.get(category.id, ())

    @cached_property
    def _by_category(self) -> Mapping[int, Sequence[Item]]:
        found: dict[int, list[Item]] = {}
        for item in self.items:
            found.setdefault(item.category_id, []).append(item)
        return found

    def counted(self, item: Item, learner: int) -> float | None:
        """The points of an item that enter totals, or None where it does not."""
        cell = self.cells.get((item.id, learner))
        if cell is None or cell.is_excluded or item.maximum <= 0:
            return None
        return cell.points

    def category_total(self, category: Category, learner: int) -> Total:
        """The total of a category other than the top one."""
        return self._sum(self.within(category), learner)

    def course_total(self, learner: int) -> Total:
        """The course total: items at the top, and the totals of the categories."""
        return self._sum(self.items, learner)

    def _sum(self, items: Sequence[Item], learner: int) -> Total:
        values = [(self.counted(item, learner), item.maximum) for item in items]
        graded = [(points, maximum) for points, maximum in values if points is not None]
        if not graded:
            return Total(points=None, maximum=sum(maximum for _, maximum in values))
        return Total(
            points=round(sum(points for points, _ in graded), 5),
            maximum=sum(maximum for _, maximum in graded),
        )


def read_gradebook(site: Site, course: int, *, learner: int | None = None) -> Gradebook:
    """Read a course's gradebook, whole or one learner's part of it."""
    categories = [
        Category(id=row["id"], title=row["title"], item_id=row["item_id"], is_top=row["is_top"])
        for row in site.rows(
            "SELECT * FROM categories WHERE course_id = ? ORDER BY position", course
        )
    ]
    made = site.rows("SELECT * FROM assignments WHERE course_id = ? ORDER BY position", course)
    tools = site.rows("SELECT * FROM line_items WHERE course_id = ? ORDER BY id", course)
    top = next(category.id for category in categories if category.is_top)
    items = [_item(row) for row in made] + [_tool_item(row, top) for row in tools]
    return Gradebook(items=items, categories=categories, cells=_cells(site, course, learner))


def _item(row: sqlite3.Row) -> Item:
    return Item(
        id=row["id"],
        title=row["title"],
        category_id=row["category_id"],
        maximum=row["maximum"],
        module=MODULES.get(row["kind"]),
        instance=row["module_id"],
        cmid=row["cmid"],
        scale=json.loads(row["scale"]),
        is_hidden=not row["is_posted"] or not row["is_published"],
        is_visible_activity=bool(row["is_published"]),
    )


def _tool_item(row: sqlite3.Row, top: int) -> Item:
    return Item(
        id=row["id"], title=row["label"], category_id=top, maximum=row["maximum"], is_tool=True
    )


def _cells(site: Site, course: int, learner: int | None) -> dict[tuple[int, int], Cell]:
    own = site.rows(
        "SELECT * FROM grades WHERE course_id = ? AND (? IS NULL OR learner_id = ?)",
        *(course, learner, learner),
    )
    cells = {(row["assignment_id"], row["learner_id"]): _cell(row) for row in own}
    tools = site.rows(
        "SELECT s.* FROM ags_scores s JOIN line_items i ON i.id = s.line_item_id "
        "WHERE i.course_id = ? AND (? IS NULL OR s.user_id = ?)",
        *(course, learner, learner),
    )
    return cells | {(row["line_item_id"], row["user_id"]): _tool_cell(row) for row in tools}


def _cell(row: sqlite3.Row) -> Cell:
    return Cell(
        points=row["override_points"] if row["overridden"] else row["points"],
        is_excluded=bool(row["excused"]),
        is_overridden=bool(row["overridden"]),
        is_hidden=bool(row["hidden"]),
        is_locked=bool(row["locked"]),
        submitted_at=row["submitted_at"] if row["points"] is not None else None,
        graded_at=row["graded_at"],
        feedback=row["comment"],
        feedback_format=1 if row["comment"] else 0,
    )


def _tool_cell(row: sqlite3.Row) -> Cell:
    return Cell(points=row["score"], graded_at=row["timestamp"], feedback=row["comment"])
