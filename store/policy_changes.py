"""Who changed what leaves Waymark and who sees it: modes, ways, pauses, a first yes."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import Connection, insert, select

from mapping.records import CourseId, TenantId
from store.tables import policy_changes


class PolicyKind(Enum):
    """What was changed."""

    MODE = "mode"
    WAY = "way"
    PAUSE = "pause"
    FIRST_YES = "first_yes"
    RETRY = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """One change of one thing: of a tenant, of a school of it, or of a course.

    ``by`` names a person or a command; ``before`` and ``after`` are words of the thing changed.
    """

    kind: PolicyKind
    before: str
    after: str
    by: str
    at: datetime
    reason: str = ""
    school: int | None = None
    course: CourseId | None = None


def record_change(connection: Connection, tenant: TenantId, change: PolicyChange) -> None:
    """Keep a change, in the transaction that makes it."""
    connection.execute(
        insert(policy_changes).values(
            tenant_id=tenant,
            school_id=change.school,
            course_id=change.course,
            kind=change.kind.value,
            before=change.before,
            after=change.after,
            by=change.by,
            reason=change.reason,
            at=change.at,
        )
    )


def changes_of(connection: Connection, tenant: TenantId) -> tuple[PolicyChange, ...]:
    """Every change of a tenant, the newest first."""
    rows = connection.execute(
        select(policy_changes)
        .where(policy_changes.c.tenant_id == tenant)
        .order_by(policy_changes.c.at.desc(), policy_changes.c.id.desc())
    )
    return tuple(
        PolicyChange(
            kind=PolicyKind(row.kind),
            before=row.before,
            after=row.after,
            by=row.by,
            at=row.at,
            reason=row.reason,
            school=row.school_id,
            course=None if row.course_id is None else CourseId(row.course_id),
        )
        for row in rows
    )
