"""Earlier attempts: what was graded before the attempt that a score is of.

A history in an LMS may grow shorter; what was kept of it once is never deleted, and what it said
before is kept among the events.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, select, type_coerce

from mapping.records import Attempt, CourseId, RunId
from store.packing import Second2000, to_second
from store.session import write_rows
from store.tables import (
    attempt_events,
    earlier_attempts,
    line_items,
    to_micros,
)

AttemptKey = tuple[int, int, int]
"""Line item, learner, number of the attempt."""
Values = tuple[Any, ...]
_KEY = ("line_item_id", "learner_id", "number")
_FIELDS = tuple(c.name for c in earlier_attempts.c if c.name not in _KEY)


def known_attempts(connection: Connection, course_id: CourseId) -> dict[AttemptKey, Values]:
    """All earlier attempts that are kept of a course."""
    rows = connection.execute(
        select(
            *(
                type_coerce(earlier_attempts.c[name], Integer)
                if isinstance(earlier_attempts.c[name].type, Second2000)
                else earlier_attempts.c[name]
                for name in (*_KEY, *_FIELDS)
            )
        )
        .join(line_items, line_items.c.id == earlier_attempts.c.line_item_id)
        .where(line_items.c.course_id == course_id)
    )
    return {(row[0], row[1], row[2]): tuple(row[3:]) for row in rows}


def values_of(attempt: Attempt) -> Values:
    """An attempt as ``known_attempts`` has it."""
    return (
        attempt.points,
        None if attempt.submitted_at is None else to_second(attempt.submitted_at),
        None if attempt.graded_at is None else to_second(attempt.graded_at),
        attempt.is_late,
    )


def keep_attempts(
    connection: Connection,
    known: dict[AttemptKey, Values],
    found: Mapping[AttemptKey, Values],
    *,
    now: datetime,
    run: RunId | None,
) -> frozenset[tuple[int, int]]:
    """Write the attempts that are new or say something else than before, each with an event.

    Args:
        connection: A writing transaction.
        known: What is kept; brought up to date.
        found: What the LMS sent.
        now: When it was read.
        run: The run that read it.

    Returns:
        Line item and learner of those written.
    """
    news = {key: values for key, values in found.items() if known.get(key) != values}
    rows = [(*key, *values) for key, values in news.items()]
    columns = (*_KEY, *_FIELDS)
    write_rows(connection, earlier_attempts, rows, columns=columns, keys=_KEY)
    recorded = (to_micros(now), run)
    write_rows(
        connection,
        attempt_events,
        [(*row, *recorded) for row in rows],
        columns=(*columns, "recorded_at", "run_id"),
    )
    known.update(news)
    return frozenset((item, learner) for item, learner, _ in news)
