"""Putting work down for a run: what its phases have to do, and what they leave out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from mapping.records import CourseId, RunId
from store.run_records import COUNTED, ItemState, Phase
from store.tables import courses, work_items

_BLANK: Mapping[str, Any] = {
    **dict.fromkeys(("fence", "attempts", *COUNTED), 0),
    **dict.fromkeys(("job", "cause", "message"), ""),
    "state": ItemState.PENDING.value,
}


def add_items(
    connection: Connection,
    run_id: RunId,
    phase: Phase,
    *,
    places: Sequence[tuple[CourseId | None, int]],
) -> None:
    """Add work items for (course, part) pairs; they are taken up in this order."""
    _insert_items(
        connection,
        [
            {"run_id": run_id, "phase": phase.value, "course_id": course, "part": part}
            for course, part in places
        ],
    )
    _name_platforms(connection, run_id, phase)


def add_unread(
    connection: Connection,
    run_id: RunId,
    reasons: Mapping[CourseId, tuple[str, str]],
    *,
    state: ItemState,
    phase: Phase = Phase.PULL,
) -> None:
    """Record that courses are not read, or written, and why: a word that groups, a sentence."""
    _insert_items(
        connection,
        [
            {
                "run_id": run_id,
                "phase": phase.value,
                "course_id": course,
                "part": 0,
                "state": state.value,
                "cause": cause,
                "message": message,
            }
            for course, (cause, message) in reasons.items()
        ],
    )


def add_settled(
    connection: Connection,
    run_id: RunId,
    phase: Phase,
    *,
    state: ItemState,
    reason: tuple[str, str],
    now: datetime,
) -> int:
    """Record something of a phase that no worker does, and why; the item's id.

    Args:
        connection: A writing transaction.
        run_id: The run.
        phase: The phase.
        state: How it ended.
        reason: A word that groups, a sentence for a person; both empty for none.
        now: When.
    """
    row = {
        **_BLANK,
        "run_id": run_id,
        "phase": phase.value,
        "course_id": None,
        "part": 0,
        "state": state.value,
        "cause": reason[0],
        "message": reason[1],
        "started_at": now,
        "finished_at": now,
    }
    key = connection.execute(insert(work_items).values(row)).inserted_primary_key
    assert key is not None  # noqa: S101 - an insert of one row has one
    return int(key[0])


def _name_platforms(connection: Connection, run_id: RunId, phase: Phase) -> None:
    """A plan's part is its platform; a course knows its own."""
    if phase is Phase.COMPUTE:
        return
    owner: Any = work_items.c.part
    if phase is not Phase.PLAN:
        owner = (
            select(courses.c.platform_id)
            .where(courses.c.id == work_items.c.course_id)
            .scalar_subquery()
        )
    connection.execute(
        update(work_items)
        .where(
            work_items.c.run_id == run_id,
            work_items.c.phase == phase.value,
            work_items.c.platform_id.is_(None),
        )
        .values(platform_id=owner)
    )


def _insert_items(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    connection.execute(insert(work_items), [{**_BLANK, **row} for row in rows])
