"""Trying again what failed, as an administrator asks for it; who asked is kept."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mapping.records import CourseId, TenantId
from store import dead
from store.policy_changes import PolicyChange, PolicyKind, record_change
from store.refreshes import RefreshCause, request_refreshes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be tried again: all that failed, or what has a cause, or one course."""

    cause: str = ""
    course: CourseId | None = None


def try_again(
    connection: Connection, tenant: TenantId, wish: Wish, *, by: str, now: datetime
) -> frozenset[CourseId]:
    """Have courses read, computed and written before the next night.

    Args:
        connection: A writing transaction.
        tenant: Whose.
        wish: Which of those that failed; others are not touched.
        by: Who asks.
        now: When.

    Returns:
        The courses; none where nothing that failed is meant.
    """
    if wish.course is None:
        meant = dead.try_again(connection, tenant, cause=wish.cause or None, by=by, now=now)
    else:
        meant = _one(connection, tenant, wish.course, by=by, now=now)
    if meant:
        change = PolicyChange(
            kind=PolicyKind.RETRY,
            before="failed",
            after=f"tried again: {len(meant)}",
            by=by,
            at=now,
            reason=wish.cause,
            course=wish.course,
        )
        record_change(connection, tenant, change)
    return meant


def _one(
    connection: Connection, tenant: TenantId, course: CourseId, *, by: str, now: datetime
) -> frozenset[CourseId]:
    groups = dead.dead_groups(connection, tenant, now=now)
    if course not in {item.course for group in groups for item in group.items}:
        return frozenset()
    request_refreshes(connection, [course], cause=RefreshCause.RETRY, by=by, now=now)
    return frozenset({course})
