"""What is known of line items, as columns to be looked up by many scores at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sqlalchemy import BigInteger, Connection, Integer, Select, cast, select, type_coerce

from mapping.columns import BoolArray, FloatArray, IntArray
from mapping.ordering import ordering
from mapping.pairs import NOWHERE
from mapping.records import TenantId
from store.columns import one_of, read_columns
from store.session import chunks
from store.tables import courses, line_items

_WIDEST = 64
"""Ids that lie farther apart on average are searched for, not looked up in a list of all between.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ItemFacts:
    """Line items in columns, ascending by ``line_item``; make it with ``of``.

    ``place`` is the row of each id from the lowest on, empty where ids lie too far apart.
    """

    line_item: IntArray
    minimum: FloatArray
    maximum: FloatArray
    due_at: IntArray
    course: IntArray
    is_removed: BoolArray
    place: IntArray

    @classmethod
    def of(cls, columns: Mapping[str, Any]) -> Self:
        """Put line items in order."""
        ids = columns["line_item"]
        order = ordering((ids,))
        ordered = {name: column[order] for name, column in columns.items()}
        return cls(**ordered, place=_listed(ordered["line_item"]))

    def among(self, line_item: IntArray) -> Self:
        """Only some of them."""
        kept = np.isin(self.line_item, line_item)
        columns = {name: getattr(self, name)[kept] for name in self.__slots__ if name != "place"}
        return type(self).of(columns)

    def find(self, line_item: IntArray) -> IntArray:
        """The row of each line item, ``NOWHERE`` for one that is not among them."""
        ids = self.line_item
        if ids.size == 0:
            return np.full(line_item.size, NOWHERE)
        if self.place.size:
            low, high = int(ids[0]), int(ids[-1])
            is_within = (line_item >= low) & (line_item <= high)
            return np.where(is_within, self.place[line_item.clip(low, high) - low], NOWHERE)
        row = np.searchsorted(ids, line_item).clip(max=ids.size - 1)
        return np.where(ids[row] == line_item, row, NOWHERE)


def aligned_items(connection: Connection, tenant: TenantId, aligned: IntArray) -> ItemFacts:
    """The line items of a tenant that speak for a competency.

    Args:
        connection: A transaction.
        tenant: Whose.
        aligned: Their ids, in any order and any number of each.
    """
    query = (
        _facts()
        .join(courses, courses.c.id == line_items.c.course_id)
        .where(courses.c.tenant_id == tenant)
    )
    # All are read and some kept: to ask for those alone takes the database as long again.
    columns = _columns(read_columns(connection, query))
    is_kept = np.isin(columns["line_item"], aligned)
    return ItemFacts.of({name: column[is_kept] for name, column in columns.items()})


def items_among(connection: Connection, ids: IntArray) -> ItemFacts:
    """Some line items.

    Args:
        connection: A transaction.
        ids: All different.
    """
    found = [
        read_columns(connection, _facts().where(one_of(connection, line_items.c.id, part)))
        for part in chunks(ids.tolist()) or [[]]
    ]
    if not found:
        return _none()
    return ItemFacts.of(
        _columns(tuple(np.concatenate(parts) for parts in zip(*found, strict=True)))
    )


def _none() -> ItemFacts:
    empty, of_floats = np.zeros(0, dtype=np.int64), np.zeros(0)
    return ItemFacts.of(_columns((empty, of_floats, of_floats, empty, empty, empty)))


def _facts() -> Select[Any]:
    return select(
        line_items.c.id,
        line_items.c.minimum,
        line_items.c.maximum,
        type_coerce(line_items.c.due_at, BigInteger).label("due_at"),
        line_items.c.course_id,
        cast(line_items.c.is_removed, Integer).label("is_removed"),
    )


def _columns(arrays: tuple[Any, ...]) -> dict[str, Any]:
    names = ("line_item", "minimum", "maximum", "due_at", "course", "is_removed")
    columns = dict(zip(names, arrays, strict=True))
    return {**columns, "is_removed": columns["is_removed"] != 0}


def _listed(ids: IntArray) -> IntArray:
    if ids.size == 0 or ids[-1] - ids[0] >= _WIDEST * ids.size:
        return np.zeros(0, dtype=np.int64)
    listed = np.full(int(ids[-1] - ids[0]) + 1, NOWHERE)
    listed[ids - ids[0]] = np.arange(ids.size)
    return listed
