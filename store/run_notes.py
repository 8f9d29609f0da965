"""What a run had less of than it could use: of an LMS, or of the district's own rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, case, func, select

from mapping.records import RunId
from store.session import upsert
from store.sync_state import ItemState, Lease, Phase
from store.tables import courses, platforms, work_items, work_notes

OURSELVES = "Waymark"
"""Whose name stands where an LMS's stands else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteLine:
    """One cause at one platform; ``courses`` are the titles of those it was met in.

    ``platform`` is ``OURSELVES`` where no LMS has a part in it.
    """

    platform: str
    cause: str
    message: str
    courses: Sequence[str]


def keep_notes(connection: Connection, lease: Lease, notes: Mapping[str, str]) -> None:
    """Keep what the work on an item found.

    Args:
        connection: A writing transaction.
        lease: The item's.
        notes: For each cause a sentence or two for an administrator.
    """
    keep_notes_of(connection, lease.item.id, notes)


def keep_notes_of(connection: Connection, item: int, notes: Mapping[str, str]) -> None:
    """Keep notes of an item that nobody works on: what a run found before any work."""
    upsert(
        connection,
        work_notes,
        [
            {"work_item_id": item, "cause": cause, "message": message}
            for cause, message in notes.items()
        ],
        keys=("work_item_id", "cause"),
    )


def note_lines(connection: Connection, run_id: RunId) -> tuple[NoteLine, ...]:
    """What a run was granted less of, once for each platform and cause, as first told."""
    told: dict[tuple[str, str], str] = {}
    places: dict[tuple[str, str], dict[str, None]] = {}
    for row in (*_kept_notes(connection, run_id), *_done_with_a_message(connection, run_id)):
        key = (row.name, row.cause)
        told.setdefault(key, row.message)
        places.setdefault(key, {}).update({row.title: None} if row.title else {})
    return tuple(
        NoteLine(platform=key[0], cause=key[1], message=message, courses=tuple(places[key]))
        for key, message in told.items()
    )


def _kept_notes(connection: Connection, run_id: RunId) -> Sequence[Row[Any]]:
    # A plan's part is its platform; a course knows its own.
    platform = func.coalesce(
        courses.c.platform_id,
        case((work_items.c.phase == Phase.PLAN.value, work_items.c.part)),
    )
    name = func.coalesce(platforms.c.name, OURSELVES).label("name")
    query: Select[Any] = (
        select(work_notes.c.cause, work_notes.c.message, name, courses.c.title)
        .join(work_items, work_items.c.id == work_notes.c.work_item_id)
        .outerjoin(courses, courses.c.id == work_items.c.course_id)
        .outerjoin(platforms, platforms.c.id == platform)
        .where(work_items.c.run_id == run_id)
        .order_by(work_items.c.id, work_notes.c.cause)
    )
    return connection.execute(query).all()


def _done_with_a_message(connection: Connection, run_id: RunId) -> Sequence[Row[Any]]:
    query: Select[Any] = (
        select(work_items.c.cause, work_items.c.message, platforms.c.name, courses.c.title)
        .join(courses, courses.c.id == work_items.c.course_id)
        .join(platforms, platforms.c.id == courses.c.platform_id)
        .where(
            work_items.c.run_id == run_id,
            work_items.c.state == ItemState.DONE.value,
            work_items.c.message != "",
        )
        .order_by(work_items.c.id)
    )
    return connection.execute(query).all()
