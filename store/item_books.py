"""The columns of many courses at once, for what is worked out over a whole district."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from mapping.lms_links import links_of_text
from mapping.records import (
    CourseId,
    Criterion,
    CriterionRef,
    Grading,
    LineItem,
    LineItemId,
    LineItemRef,
    TenantId,
)
from store.courses import StoredCourse, courses_of
from store.session import chunks
from store.tables import line_items

_NAMES = (
    "id",
    "course_id",
    "ref",
    "criterion_ref",
    "title",
    "criterion",
    "category",
    "grading",
    "is_published",
    "is_removed",
    "links",
)
_TOGETHER = 200
"""Courses whose columns are read by one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """A row of a course's columns: a line item, or one criterion of it where ``criterion_ref``."""

    id: LineItemId
    ref: str
    criterion_ref: str
    title: str
    criterion: str
    category: str
    is_removed: bool

    @property
    def name(self) -> str:
        """What it is called, with its criterion if it is one."""
        return f"{self.title}: {self.criterion}" if self.criterion else self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemBook:
    """A course with its columns; ``items`` also those gone from the LMS, their scores count."""

    course: StoredCourse
    items: Sequence[LineItem]
    rows: Sequence[StoredItem]

    def by_key(self) -> dict[tuple[str, str], StoredItem]:
        """The rows by their references."""
        return {(row.ref, row.criterion_ref): row for row in self.rows}

    def present(self) -> list[LineItem]:
        """The columns that the LMS still has."""
        there = {row.ref for row in self.rows if not row.criterion_ref and not row.is_removed}
        return [item for item in self.items if item.ref in there]


def item_books(
    connection: Connection, tenant: TenantId, *, only: Collection[CourseId] | None = None
) -> Iterator[list[ItemBook]]:
    """A tenant's courses with their columns, some at a time, in the order of their ids.

    Args:
        connection: A transaction.
        tenant: Whose courses.
        only: Some of them; None for all.
    """
    found = [one for one in courses_of(connection, tenant) if only is None or one.id in only]
    for part in chunks(found, _TOGETHER):
        rows = _rows(connection, [one.id for one in part])
        yield [_book(one, rows.get(one.id, ())) for one in part]


def _rows(connection: Connection, ids: Sequence[CourseId]) -> dict[int, list[Row[Any]]]:
    found = connection.execute(
        select(*(line_items.c[name] for name in _NAMES))
        .where(line_items.c.course_id.in_(ids))
        .order_by(line_items.c.course_id, line_items.c.id)
    )
    by_course: dict[int, list[Row[Any]]] = {}
    for row in found:
        by_course.setdefault(row.course_id, []).append(row)
    return by_course


def _book(course: StoredCourse, rows: Sequence[Row[Any]]) -> ItemBook:
    criteria: dict[str, list[Criterion]] = {}
    for row in rows:
        if row.criterion_ref:
            # What it is worth at most plays no part in what a rule matches.
            criteria.setdefault(row.ref, []).append(
                Criterion(
                    ref=CriterionRef(row.criterion_ref),
                    title=row.criterion,
                    maximum=0.0,
                    links=links_of_text(row.links),
                )
            )
    return ItemBook(
        course=course,
        items=[_item(row, criteria.get(row.ref, ())) for row in rows if not row.criterion_ref],
        rows=[_stored(row) for row in rows],
    )


def _item(row: Row[Any], criteria: Sequence[Criterion]) -> LineItem:
    return LineItem(
        ref=LineItemRef(row.ref),
        title=row.title,
        category=row.category,
        maximum=0.0,
        grading=Grading(row.grading),
        is_published=bool(row.is_published),
        criteria=tuple(criteria),
        links=links_of_text(row.links),
    )


def _stored(row: Row[Any]) -> StoredItem:
    return StoredItem(
        id=LineItemId(row.id),
        ref=row.ref,
        criterion_ref=row.criterion_ref,
        title=row.title,
        criterion=row.criterion,
        category=row.category,
        is_removed=bool(row.is_removed),
    )
