"""Courses that are to be read before the next night, and who asked for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import Connection, delete, select

from mapping.records import CourseId, TenantId
from store.session import chunks, upsert
from store.tables import courses, refresh_requests


class RefreshCause(Enum):
    """Why a course is read out of turn."""

    TEACHER = "teacher"
    EVENT = "event"
    """The LMS told of news in it."""
    RETRY = "retry"
    """An administrator tried again what had failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshRequest:
    """One course to be read out of turn; ``by`` is a person's name, empty for none."""

    course: CourseId
    cause: RefreshCause
    by: str
    requested_at: datetime


def request_refreshes(
    connection: Connection,
    course_ids: Iterable[CourseId],
    *,
    cause: RefreshCause,
    by: str = "",
    now: datetime,
) -> None:
    """Ask for courses to be read as soon as no run is under way; asked twice is asked once."""
    upsert(
        connection,
        refresh_requests,
        [
            {"course_id": course, "cause": cause.value, "by": by, "requested_at": now}
            for course in sorted(set(course_ids))
        ],
        keys=("course_id",),
    )


def requested(connection: Connection, tenant: TenantId) -> tuple[RefreshRequest, ...]:
    """What is asked for in a tenant, the oldest first."""
    rows = connection.execute(
        select(refresh_requests)
        .join(courses, courses.c.id == refresh_requests.c.course_id)
        .where(courses.c.tenant_id == tenant)
        .order_by(refresh_requests.c.requested_at, refresh_requests.c.course_id)
    )
    return tuple(
        RefreshRequest(
            course=CourseId(row.course_id),
            cause=RefreshCause(row.cause),
            by=row.by,
            requested_at=row.requested_at,
        )
        for row in rows
    )


def tenants_asked(connection: Connection) -> tuple[TenantId, ...]:
    """The tenants in which anything is asked for."""
    rows = connection.execute(
        select(courses.c.tenant_id)
        .join(refresh_requests, refresh_requests.c.course_id == courses.c.id)
        .distinct()
        .order_by(courses.c.tenant_id)
    )
    return tuple(TenantId(row[0]) for row in rows)


def is_requested(connection: Connection, course_id: CourseId) -> bool:
    """Whether somebody asked for a course and it was not taken up yet."""
    found = connection.execute(
        select(refresh_requests.c.course_id).where(refresh_requests.c.course_id == course_id)
    )
    return found.first() is not None


def take_up(connection: Connection, course_ids: Iterable[CourseId]) -> None:
    """Take requests away, in the transaction that puts the reading down."""
    for part in chunks(sorted(set(course_ids))):
        connection.execute(delete(refresh_requests).where(refresh_requests.c.course_id.in_(part)))
