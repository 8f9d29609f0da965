"""Putting work down for a run: what its phases have to do, and what they leave out."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from mapping.records import CourseId, RunId
from store.run_records import COUNTED, ItemState, Phase
from store.tables import courses, work_items


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
    blank = {
        **dict.fromkeys(("fence", "attempts", *COUNTED), 0),
        **dict.fromkeys(("job", "cause", "message"), ""),
        "state": ItemState.PENDING.value,
    }
    connection.execute(insert(work_items), [{**blank, **row} for row in rows])
