"""Columns of gradebooks as records and as rows, and what their changes mean for scores."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from mapping.lms_links import links_as_text, links_of_text
from mapping.records import (
    CourseId,
    Criterion,
    CriterionRef,
    Grading,
    LearnerId,
    LineItem,
    LineItemId,
    LineItemRef,
)
from store.score_blocks import learners_with
from store.tables import line_items

ItemKey = tuple[LineItemRef, CriterionRef | None]
_MEASURED = ("minimum", "maximum", "due_at", "title", "is_removed")
"""What of a column a standing may depend on; its title where a rule asks for a line item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChanges:
    """How a course's columns changed since it was read.

    Attributes:
        has_returned: Whether a column is there again that was removed or not published; no
            cursor tells what its scores became meanwhile.
        learners: Learners with a score that is worth something else now, for its column's range
            or due date is another, or the column came or went.
    """

    has_returned: bool
    learners: frozenset[LearnerId]


def changes_of(
    connection: Connection, course_id: CourseId, found: Sequence[LineItem]
) -> ItemChanges:
    """What becomes of a course's columns when the ones found are saved.

    Args:
        connection: A transaction.
        course_id: The course, its columns not saved yet.
        found: Its columns now.
    """
    before = stored_items(connection, course_id)
    rows = [row for item in found if not item.is_own for row in item_rows(course_id, item)]
    pairs = [
        (*before[key], row) for row in rows if (key := (row["ref"], row["criterion_ref"])) in before
    ]
    measured = [
        number for number, old, new in pairs if any(old[name] != new[name] for name in _MEASURED)
    ]
    there = {(row["ref"], row["criterion_ref"]) for row in rows}
    vanished = [
        number
        for key, (number, old) in before.items()
        if key not in there and not old["is_removed"]
    ]
    return ItemChanges(
        has_returned=any(_is_there(new) and not _is_there(old) for _, old, new in pairs),
        learners=learners_with(connection, [*measured, *vanished]),
    )


def known_line_items(
    connection: Connection, course_id: CourseId
) -> tuple[tuple[LineItem, ...], Mapping[ItemKey, LineItemId]]:
    """Every column that a course has or had, as last seen, and the line items behind them.

    What is gone from the LMS still is what its scores are evidence of.
    """
    known = stored_items(connection, course_id)
    keys = {item_key(*key): LineItemId(number) for key, (number, _) in known.items()}
    return line_items_of(row for _, row in known.values()), keys


def line_items_of(rows: Iterable[Mapping[str, Any]]) -> tuple[LineItem, ...]:
    """Columns of one course as records, of their rows and those of their criteria.

    Criteria whose column is not among the rows are left out.
    """
    criteria: dict[str, list[Criterion]] = {}
    plain = []
    for row in rows:
        if not row["criterion_ref"]:
            plain.append(row)
            continue
        criteria.setdefault(row["ref"], []).append(
            Criterion(
                ref=CriterionRef(row["criterion_ref"]),
                title=row["criterion"],
                maximum=row["maximum"],
                links=links_of_text(row["links"]),
            )
        )
    return tuple(
        LineItem(
            ref=LineItemRef(row["ref"]),
            title=row["title"],
            category=row["category"],
            maximum=row["maximum"],
            minimum=row["minimum"],
            grading=Grading(row["grading"]),
            due_at=row["due_at"],
            is_published=bool(row["is_published"]),
            criteria=tuple(criteria.get(row["ref"], ())),
            links=links_of_text(row["links"]),
        )
        for row in plain
    )


def item_key(ref: str, criterion: str) -> ItemKey:
    """What names a line item, or one criterion of it, of the two columns of its row."""
    return LineItemRef(ref), CriterionRef(criterion) if criterion else None


def item_rows(course_id: CourseId, item: LineItem) -> list[dict[str, Any]]:
    """A row for a column, and one for each of its criteria."""
    row = {
        "course_id": course_id,
        "ref": item.ref,
        "criterion_ref": "",
        "title": item.title,
        "criterion": "",
        "category": item.category,
        "grading": item.grading.value,
        "minimum": item.minimum,
        "maximum": item.maximum,
        "due_at": item.due_at,
        "is_published": item.is_published,
        "is_removed": False,
        "links": links_as_text(item.links),
    }
    return [
        row,
        *(
            {
                **row,
                "criterion_ref": criterion.ref,
                "criterion": criterion.title,
                "grading": Grading.POINTS.value,
                "minimum": 0.0,
                "maximum": criterion.maximum,
                "links": links_as_text(criterion.links),
            }
            for criterion in item.criteria
        ),
    ]


def stored_items(
    connection: Connection, course_id: CourseId
) -> dict[tuple[str, str], tuple[int, dict[str, Any]]]:
    """Every row of a course's columns with its id, by references."""
    rows = connection.execute(select(line_items).where(line_items.c.course_id == course_id))
    stored = {}
    for row in rows.mappings():
        values = dict(row)
        number = values.pop("id")
        stored[values["ref"], values["criterion_ref"]] = (number, values)
    return stored


def _is_there(row: Mapping[str, Any]) -> bool:
    return bool(row["is_published"]) and not row["is_removed"]
