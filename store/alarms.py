"""What a run showed that a person should look at: counted here, judged by ``mapping.alarms``."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from mapping import alarms
from mapping.alarms import Alarm, AlarmKind
from mapping.records import RunId
from store import night_facts
from store.sync_state import Run
from store.tables import courses, run_alarms

MOST_OF_A_KIND = 50
"""An alarm a course in a whole district says no more than fifty do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmLine:
    """An alarm of a run; ``course`` is its title, empty where it is about none."""

    id: int
    run: RunId
    kind: AlarmKind
    course: str
    message: str
    at: datetime


def watch_run(connection: Connection, run: Run, *, now: datetime) -> tuple[Alarm, ...]:
    """Judge a run whose phases are over, and keep its alarms.

    Args:
        connection: The transaction that ends the run.
        run: The run.
        now: When.

    Returns:
        What was found, at most fifty of a kind.
    """
    found = [
        *(
            alarms.of_cleared(one)
            for one in night_facts.cleared(connection, run, most=MOST_OF_A_KIND)
        ),
        *(alarms.of_class(one) for one in night_facts.moves(connection, run, most=MOST_OF_A_KIND)),
        *(alarms.of_courses(one) for one in night_facts.listed(connection, run)),
        *(alarms.of_volume(one) for one in night_facts.volumes(connection, run)),
        *(alarms.of_mapping(one) for one in night_facts.mapping_effects(connection, run)),
    ]
    return keep_alarms(connection, run.id, [one for one in found if one is not None], now=now)


def keep_alarms(
    connection: Connection, run: RunId, found: Iterable[Alarm], *, now: datetime
) -> tuple[Alarm, ...]:
    """Keep alarms of a run; what a run was told of before is not told again.

    Returns:
        Those that are new.
    """
    known = {
        (row.kind, row.course_id)
        for row in connection.execute(select(run_alarms).where(run_alarms.c.run_id == run))
    }
    kept: list[Alarm] = []
    for one in found:
        is_one_too_many = sum(other.kind is one.kind for other in kept) >= MOST_OF_A_KIND
        if (one.kind.value, one.course) not in known and not is_one_too_many:
            kept.append(one)
    if kept:
        connection.execute(
            insert(run_alarms),
            [
                {
                    "run_id": run,
                    "course_id": one.course,
                    "kind": one.kind.value,
                    "message": one.message,
                    "at": now,
                }
                for one in kept
            ],
        )
    return tuple(kept)


def alarm_lines(connection: Connection, run: RunId) -> tuple[AlarmLine, ...]:
    """The alarms of a run, in the order in which they were found."""
    rows = connection.execute(
        select(run_alarms, func.coalesce(courses.c.title, "").label("title"))
        .outerjoin(courses, courses.c.id == run_alarms.c.course_id)
        .where(run_alarms.c.run_id == run)
        .order_by(run_alarms.c.id)
    )
    return tuple(
        AlarmLine(
            id=row.id,
            run=RunId(row.run_id),
            kind=AlarmKind(row.kind),
            course=row.title,
            message=row.message,
            at=row.at,
        )
        for row in rows
    )
