"""Searching the trail of changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select

from mapping.records import CourseId, TenantId
from store.policy_changes import PolicyChange, PolicyKind, ToldChange
from store.tables import courses, policy_changes, schools

MOST_PEOPLE = 200
"""Names offered to choose from; whoever is not among them is found by text."""
_PART = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailWish:
    """Which changes are meant; what is empty or None leaves all in.

    Attributes:
        kind: Of this kind.
        by: By this person or command, named exactly.
        text: These characters stand in what was changed, in what it was before or after, in who
            did it or why; letter case does not matter (on SQLite, that of a to z).
        since: Made at this moment or later.
        until: Made before this moment.
    """

    kind: PolicyKind | None = None
    by: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


def trail(
    connection: Connection, tenant: TenantId, wish: TrailWish, *, most: int, passed_over: int = 0
) -> tuple[ToldChange, ...]:
    """The changes that are meant, the newest first.

    Args:
        connection: A transaction.
        tenant: Whose.
        wish: Which.
        most: How many at most.
        passed_over: How many of the newest to leave out.
    """
    found = _wanted(tenant, wish).limit(most).offset(passed_over)
    return tuple(_told(row) for row in connection.execute(found))


def trail_behind(
    connection: Connection, tenant: TenantId, wish: TrailWish, *, before: int | None, most: int
) -> tuple[tuple[int, ToldChange], ...]:
    """Some of the changes that are meant with their ids, the latest kept first.

    Args:
        connection: A transaction.
        tenant: Whose.
        wish: Which.
        before: Only changes of lower ids; None from the latest.
        most: How many at most.
    """
    query = _wanted(tenant, wish).order_by(None).order_by(policy_changes.c.id.desc()).limit(most)
    if before is not None:
        query = query.where(policy_changes.c.id < before)
    return tuple((row.id, _told(row)) for row in connection.execute(query))


def whole_trail(connection: Connection, tenant: TenantId, wish: TrailWish) -> Iterator[ToldChange]:
    """All changes that are meant, the newest first, a thousand at a time."""
    query = _wanted(tenant, wish).limit(_PART)
    part = connection.execute(query).all()
    while part:
        yield from map(_told, part)
        last = part[-1]
        is_older = or_(
            policy_changes.c.at < last.at,
            and_(policy_changes.c.at == last.at, policy_changes.c.id < last.id),
        )
        # The index knows moments; without the first condition all of them are gone through.
        older = query.where(policy_changes.c.at <= last.at, is_older)
        part = connection.execute(older).all() if len(part) == _PART else []


def trail_length(connection: Connection, tenant: TenantId, wish: TrailWish) -> int:
    """How many changes are meant."""
    found = _wanted(tenant, wish).order_by(None).with_only_columns(func.count())
    return connection.execute(found).scalar_one()


def people_of_trail(connection: Connection, tenant: TenantId) -> tuple[str, ...]:
    """Who changed something, by name; at most ``MOST_PEOPLE``."""
    rows = connection.execute(
        select(policy_changes.c.by)
        .where(policy_changes.c.tenant_id == tenant)
        .distinct()
        .order_by(policy_changes.c.by)
        .limit(MOST_PEOPLE)
    )
    return tuple(row[0] for row in rows)


def _wanted(tenant: TenantId, wish: TrailWish) -> Select[*tuple[object, ...]]:
    return (
        select(
            policy_changes,
            func.coalesce(schools.c.name, "").label("school"),
            func.coalesce(courses.c.title, "").label("course"),
        )
        .outerjoin(schools, schools.c.id == policy_changes.c.school_id)
        .outerjoin(courses, courses.c.id == policy_changes.c.course_id)
        .where(policy_changes.c.tenant_id == tenant, *_conditions(wish))
        .order_by(policy_changes.c.at.desc(), policy_changes.c.id.desc())
    )


def _conditions(wish: TrailWish) -> Iterator[ColumnElement[bool]]:
    if wish.kind is not None:
        yield policy_changes.c.kind == wish.kind.value
    if wish.by:
        yield policy_changes.c.by == wish.by
    if wish.since is not None:
        yield policy_changes.c.at >= wish.since
    if wish.until is not None:
        yield policy_changes.c.at < wish.until
    if wish.text:
        searched = (
            *(policy_changes.c[name] for name in ("subject", "before", "after", "by", "reason")),
            *(schools.c.name, courses.c.title),
        )
        yield or_(*(one.icontains(wish.text, autoescape=True) for one in searched))


def _told(row: "Row[*tuple[object, ...]]") -> ToldChange:
    change = PolicyChange(
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
    return ToldChange(change=change, school=row.school, course=row.course)
