"""Earlier attempts: what was graded before the attempt that a score is of.

A history in an LMS may grow shorter; what was kept of it once is never deleted, and what it said
before is kept among the events.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import Any

from sqlalchemy import Connection, bindparam, select

from mapping.records import Attempt, CourseId, RunId
from mapping.score_columns import UNREADABLE, seconds_of
from store.arrays import read_arrays, values_of
from store.cells import (
    NO_SECOND,
    Keys,
    Mask,
    items_of,
    learners_of,
    packed_seconds,
)
from store.session import write_rows
from store.tables import attempt_events, earlier_attempts, line_items, to_micros

AttemptKey = tuple[int, int, int]
"""Line item, learner, number of the attempt."""
Values = tuple[Any, ...]
_LAST_NUMBER = 2**15 - 1
_KEY = ("line_item_id", "learner_id", "number")
_FIELDS = tuple(c.name for c in earlier_attempts.c if c.name not in _KEY)
_KEPT = tuple(earlier_attempts.c[name] for name in (*_KEY, *_FIELDS))
_OF_COURSE = (
    select(*_KEPT)
    .join(line_items, line_items.c.id == earlier_attempts.c.line_item_id)
    .where(line_items.c.course_id == bindparam("course_id"))
)


def known_attempts(connection: Connection, course_id: CourseId) -> dict[AttemptKey, Values]:
    """All earlier attempts that are kept of a course."""
    arrays = read_arrays(connection, _OF_COURSE, given={"course_id": course_id})
    values = [values_of(column, array) for column, array in zip(_KEPT, arrays, strict=True)]
    rows = zip(*values, strict=True)
    return {(row[0], row[1], row[2]): tuple(row[3:]) for row in rows}


def attempts_of(
    keys: Keys, earlier: Mapping[int, Sequence[Attempt]], is_kept: Mask
) -> tuple[dict[AttemptKey, Values], int]:
    """Earlier attempts as ``known_attempts`` has them, and how many say nothing that can be kept.

    Args:
        keys: The cell of each score.
        earlier: The attempts before it, by the score's place.
        is_kept: Of which scores.
    """
    found: dict[AttemptKey, Values] = {}
    unfit = 0
    for place in [place for place in earlier if is_kept[place]]:
        item, learner = int(items_of(keys[place])), int(learners_of(keys[place]))
        for attempt in earlier[place]:
            if (values := _values(attempt)) is None:
                unfit += 1
            else:
                found[item, learner, attempt.number] = values
    return found, unfit


def _values(attempt: Attempt) -> Values | None:
    try:
        seconds = packed_seconds(seconds_of((attempt.submitted_at, attempt.graded_at)))
        points = None if attempt.points is None else float(attempt.points)
        is_fit = 0 <= attempt.number <= _LAST_NUMBER and (points is None or isfinite(points))
    except UNREADABLE:
        return None
    submitted, graded = (None if one == NO_SECOND else one for one in seconds.tolist())
    return (points, submitted, graded, bool(attempt.is_late)) if is_fit else None


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
