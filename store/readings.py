"""How far each course was read: cursors, full sweeps, and what its alignments were made of."""

import hashlib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, update

from mapping.records import CourseId, CourseRef, CourseState, Cursor, PlatformId
from store.courses import StoredCourse
from store.session import chunks
from store.tables import courses, enrolments, line_items

_SECONDS_A_CELL = 0.001
"""Only to order courses by; a reading that ends says better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A reading that came to its end.

    Attributes:
        cursor: Where the next reading starts; None reads all again.
        basis: What the course's alignments were made of.
        is_sweep: Whether all its scores were read, not only those that changed.
        seconds: How long it took, None where nobody measured.
        said: What is kept of what it said, for the next whole reading.
    """

    cursor: Cursor | None
    basis: str
    is_sweep: bool
    seconds: float | None = None
    said: bytes | None = None


def begin_reading(connection: Connection, course_id: CourseId) -> None:
    """Record that what is kept of a course is not what its cursor tells of, until it is read."""
    connection.execute(update(courses).where(courses.c.id == course_id).values(aligned_to=None))


def finish_reading(
    connection: Connection, course_id: CourseId, finished: Finished, *, now: datetime
) -> None:
    """Record that a course was read to the end, and where the next reading starts."""
    values: dict[str, object] = {
        "cursor": finished.cursor,
        "synced_at": now,
        "aligned_to": finished.basis,
        "whole_digest": finished.said,
    }
    if finished.seconds is not None:
        values["read_seconds"] = finished.seconds
    if finished.is_sweep:
        values["swept_at"] = now
    connection.execute(update(courses).where(courses.c.id == course_id).values(values))


def longest_first(connection: Connection, course_ids: Collection[CourseId]) -> tuple[CourseId, ...]:
    """Courses in the order they are best read in, so that no long one is left for the end.

    Those of which nothing is known come first, then by how long the last reading took, or is
    likely to take by the number of learners and columns.
    """
    seconds: dict[int, float] = {}
    for part in chunks(sorted(course_ids)):
        rows = connection.execute(
            select(courses.c.id, courses.c.read_seconds, _cells_of(courses.c.id)).where(
                courses.c.id.in_(part)
            )
        )
        for course, measured, cells in rows:
            guessed = cells * _SECONDS_A_CELL if cells else math.inf
            seconds[course] = guessed if measured is None else measured
    ordered = sorted(seconds, key=lambda one: (-seconds[one], one))
    return tuple(CourseId(one) for one in ordered)


def _cells_of(course: ColumnElement[int]) -> ColumnElement[int]:
    """Cells of a gradebook as last seen."""
    people = (
        select(func.count())
        .select_from(enrolments)
        .where(enrolments.c.course_id == course)
        .scalar_subquery()
    )
    columns = (
        select(func.count())
        .select_from(line_items)
        .where(line_items.c.course_id == course)
        .scalar_subquery()
    )
    return people * columns


def keep_cursors(
    connection: Connection, cursors: Mapping[CourseId, Cursor], *, now: datetime
) -> None:
    """Record courses as up to date without a reading, since nothing happened in them."""
    if not cursors:
        return
    statement = (
        update(courses)
        .where(courses.c.id == bindparam("b_course"))
        .values(cursor=bindparam("b_cursor"), synced_at=bindparam("b_now"))
    )
    connection.execute(
        statement,
        [{"b_course": one, "b_cursor": cursor, "b_now": now} for one, cursor in cursors.items()],
    )


def forget_cursor(connection: Connection, course_id: CourseId) -> None:
    """Have a course read whole, tonight and again until that was done to the end."""
    connection.execute(update(courses).where(courses.c.id == course_id).values(cursor=None))


def forget_where_ended(
    connection: Connection, platform: PlatformId, ended: Collection[CourseRef]
) -> None:
    """Have courses read whole once more that have ended since: the last day's grades count.

    Args:
        connection: A writing transaction, before the courses' new states are saved.
        platform: Whose courses.
        ended: Those that the platform says are concluded.
    """
    for part in chunks(sorted(ended)):
        connection.execute(
            update(courses)
            .where(
                courses.c.platform_id == platform,
                courses.c.state == CourseState.ACTIVE.value,
                courses.c.ref.in_(part),
            )
            .values(cursor=None)
        )


def mark_listed(
    connection: Connection, platform: PlatformId, listed: Collection[CourseRef], *, now: datetime
) -> tuple[CourseId, ...]:
    """Record which courses a platform lists, and since when it lists the others no longer.

    Args:
        connection: A writing transaction.
        platform: Whose courses.
        listed: All it lists now.
        now: When it was asked.

    Returns:
        Active courses that it listed until now.
    """
    rows = connection.execute(
        select(courses.c.id, courses.c.ref, courses.c.gone_at, courses.c.state).where(
            courses.c.platform_id == platform
        )
    ).all()
    back = [row.id for row in rows if row.ref in listed and row.gone_at is not None]
    gone = [row for row in rows if row.ref not in listed and row.gone_at is None]
    _set_gone(connection, back, None)
    _set_gone(connection, [row.id for row in gone], now)
    return tuple(CourseId(row.id) for row in gone if row.state == CourseState.ACTIVE.value)


def alignment_basis(mapping_set: int | None, course: StoredCourse) -> str:
    """What a course's alignments are made of, besides its line items.

    Args:
        mapping_set: The mapping set in force, if any.
        course: Mapping rules match its title and code.
    """
    names = f"{course.record.title}\0{course.record.code}".encode()
    return f"{mapping_set or 0}/{hashlib.sha256(names).hexdigest()[:32]}"


def _set_gone(connection: Connection, ids: Collection[int], gone_at: datetime | None) -> None:
    if ids:
        connection.execute(
            update(courses)
            .where(courses.c.id == bindparam("b_course"))
            .values(gone_at=bindparam("b_gone")),
            [{"b_course": one, "b_gone": gone_at} for one in ids],
        )
