"""How far each course was read: cursors, full sweeps, and what its alignments were made of."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from mapping.records import CourseId, CourseRef, CourseState, Cursor, PlatformId
from store.courses import StoredCourse
from store.session import chunks
from store.tables import courses


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A reading that came to its end.

    Attributes:
        cursor: Where the next reading starts; None reads all again.
        basis: What the course's alignments were made of.
        is_sweep: Whether all its scores were read, not only those that changed.
    """

    cursor: Cursor | None
    basis: str
    is_sweep: bool


def begin_reading(connection: Connection, course_id: CourseId) -> None:
    """Record that what is kept of a course is not what its cursor tells of, until it is read."""
    connection.execute(update(courses).where(courses.c.id == course_id).values(aligned_to=None))


def finish_reading(
    connection: Connection, course_id: CourseId, finished: Finished, *, now: datetime
) -> None:
    """Record that a course was read to the end, and where the next reading starts."""
    values = {"cursor": finished.cursor, "synced_at": now, "aligned_to": finished.basis}
    if finished.is_sweep:
        values["swept_at"] = now
    connection.execute(update(courses).where(courses.c.id == course_id).values(values))


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
