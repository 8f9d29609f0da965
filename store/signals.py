"""News that an LMS told by itself, kept by course until the course's reading is asked for.

A signal says only that something happened. A thousand of them for one course are one reading,
and none is a loss: the night reads what no signal told of.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, or_, select, update

from mapping.records import CourseId, CourseRef, CourseState, PlatformId, TenantId
from store.refresh_turns import PAUSE
from store.session import chunks, upsert
from store.tables import course_signals, courses, tenants

QUIET = timedelta(seconds=60)
"""So long after the newest signal a course is read: whoever grades a class has gone on by then."""
LONGEST = timedelta(minutes=5)
"""How long after the first signal a course is read although signals keep coming."""
MOST_AT_ONCE = 50
"""Courses of one tenant that are asked for in one step."""
_RENEWED = timedelta(seconds=10)


def note(
    connection: Connection, platform: PlatformId, refs: Collection[CourseRef], *, now: datetime
) -> int:
    """Keep that something happened in courses of a platform.

    Courses that are not known, have ended or are listed no longer are passed over: the night's
    plan finds what is new.

    Args:
        connection: A writing transaction.
        platform: Which LMS told.
        refs: The courses by its own ids.
        now: When.

    Returns:
        How many of the courses are known.
    """
    found = dict(
        connection.execute(
            select(courses.c.id, course_signals.c.last_at)
            .outerjoin(course_signals, course_signals.c.course_id == courses.c.id)
            .where(
                courses.c.platform_id == platform,
                courses.c.ref.in_(refs),
                courses.c.state == CourseState.ACTIVE.value,
                courses.c.gone_at.is_(None),
            )
        ).all()
    )
    new = [one for one, last_at in found.items() if last_at is None]
    upsert(
        connection,
        course_signals,
        [{"course_id": one, "first_at": now, "last_at": now} for one in sorted(new)],
        keys=("course_id",),
    )
    # Ten thousand events of a class are a thousand writes at most, and mostly a few.
    old = [one for one, last_at in found.items() if last_at and last_at <= now - _RENEWED]
    for part in chunks(sorted(old)):
        connection.execute(
            update(course_signals).where(course_signals.c.course_id.in_(part)).values(last_at=now)
        )
    return len(found)


def due(
    connection: Connection, tenant: TenantId, *, now: datetime, most: int = MOST_AT_ONCE
) -> tuple[CourseId, ...]:
    """Courses of a tenant to be read for what was signalled, those that wait longest first.

    None while the tenant is paused; a course that was read out of turn within five minutes
    waits until these are over.
    """
    is_quiet = or_(
        course_signals.c.last_at <= now - QUIET, course_signals.c.first_at <= now - LONGEST
    )
    is_free = or_(
        courses.c.refreshed_at.is_(None),
        courses.c.refreshed_at <= now - PAUSE,
        courses.c.refreshed_at > now,
    )
    rows = connection.execute(
        select(course_signals.c.course_id)
        .join(courses, courses.c.id == course_signals.c.course_id)
        .join(tenants, tenants.c.id == courses.c.tenant_id)
        .where(courses.c.tenant_id == tenant, tenants.c.paused_at.is_(None), is_quiet, is_free)
        .order_by(course_signals.c.first_at, course_signals.c.course_id)
        .limit(most)
    )
    return tuple(CourseId(row[0]) for row in rows)


def settle(connection: Connection, course: CourseId) -> None:
    """Take a course's signal away, in the transaction that asks for its reading."""
    connection.execute(delete(course_signals).where(course_signals.c.course_id == course))


def count_signals(connection: Connection, tenant: TenantId) -> int:
    """How many courses of a tenant have news that was not read yet."""
    return connection.execute(
        select(func.count())
        .select_from(course_signals)
        .join(courses, courses.c.id == course_signals.c.course_id)
        .where(courses.c.tenant_id == tenant)
    ).scalar_one()
