"""The trail of what administrators set: who, what, from what to what, when, and why."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from mapping.records import CourseId, TenantId
from store.session import chunks
from store.tables import courses, policy_changes, schools


class PolicyKind(Enum):
    """What was changed."""

    MODE = "mode"
    WAY = "way"
    PAUSE = "pause"
    FIRST_YES = "first_yes"
    RETRY = "retry"
    FRAMEWORK = "framework"
    MAPPING = "mapping"
    RULE = "rule"
    WORDS = "words"
    ACCESS = "access"
    ROLE = "role"
    LMS = "lms"
    SCHOOL = "school"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """One change of one thing: of a tenant, of a school of it, of a course, or of a ``subject``.

    ``by`` names a person or a command; ``before`` and ``after`` are words of the thing changed.
    ``subject`` names a framework, a mapping set or a rule's place; empty for everything else.
    """

    kind: PolicyKind
    before: str
    after: str
    by: str
    at: datetime
    reason: str = ""
    school: int | None = None
    course: CourseId | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who changes something, when, and why; ``by`` names a person or a command."""

    by: str
    at: datetime
    reason: str = ""

    def change(
        self,
        kind: PolicyKind,
        before: str,
        after: str,
        *,
        school: int | None = None,
        course: CourseId | None = None,
    ) -> PolicyChange:
        """What this author changes, of a school, a course or the tenant."""
        return PolicyChange(
            kind=kind,
            before=before,
            after=after,
            by=self.by,
            at=self.at,
            reason=self.reason,
            school=school,
            course=course,
        )

    def change_of(
        self, kind: PolicyKind, subject: str, *, before: str = "", after: str = ""
    ) -> PolicyChange:
        """What this author changes of a framework, a mapping set or a rule, by its name."""
        return PolicyChange(
            kind=kind,
            before=before,
            after=after,
            by=self.by,
            at=self.at,
            reason=self.reason,
            subject=subject,
        )


def record_change(connection: Connection, tenant: TenantId, change: PolicyChange) -> None:
    """Keep a change, in the transaction that makes it."""
    connection.execute(
        insert(policy_changes).values(
            tenant_id=tenant,
            school_id=change.school,
            course_id=change.course,
            kind=change.kind.value,
            subject=change.subject,
            before=change.before,
            after=change.after,
            by=change.by,
            reason=change.reason,
            at=change.at,
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldChange:
    """A change with the name of what it is about: a school, a course; empty for the tenant."""

    change: PolicyChange
    school: str
    course: str


def told_changes(
    connection: Connection, tenant: TenantId, *, most: int | None = None
) -> tuple[ToldChange, ...]:
    """The changes of a tenant with names, the newest first; all, or the newest few."""
    changes = changes_of(connection, tenant, most=most)
    named = {
        table: _names(connection, table, {getattr(one, key) for one in changes})
        for table, key in ((schools, "school"), (courses, "course"))
    }
    return tuple(
        ToldChange(
            change=one,
            school=named[schools].get(one.school, ""),
            course=named[courses].get(one.course, ""),
        )
        for one in changes
    )


def _names(connection: Connection, table: Table, ids: Collection[int | None]) -> dict[Any, str]:
    name = table.c.name if table is schools else table.c.title
    found: dict[Any, str] = {}
    for part in chunks(sorted(one for one in ids if one is not None)):
        rows = connection.execute(select(table.c.id, name).where(table.c.id.in_(part)))
        found.update({row[0]: row[1] for row in rows})
    return found


def changes_of(
    connection: Connection, tenant: TenantId, *, most: int | None = None
) -> tuple[PolicyChange, ...]:
    """Every change of a tenant, the newest first, or the newest few."""
    rows = connection.execute(
        select(policy_changes)
        .where(policy_changes.c.tenant_id == tenant)
        .order_by(policy_changes.c.at.desc(), policy_changes.c.id.desc())
        .limit(most)
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
            subject=row.subject,
        )
        for row in rows
    )
