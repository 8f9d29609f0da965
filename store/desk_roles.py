"""Who may do what at the district's desk: a role for each administrator of an LMS.

An LMS says who is an administrator, and not what of a district's policy they may change. Until
somebody has the role of the district, all of them have; from then on whoever was given none reads
and changes nothing. A role can always be given from the command line, where the machine is the
proof.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from mapping.records import PlatformId, TenantId
from store.policy_changes import Author, PolicyKind, record_change
from store.session import lock
from store.tables import administrators, platforms, schools

_NOTED_EVERY = timedelta(hours=1)
_LONGEST_NAME = 255
_NOBODY_LEFT = (
    "Nobody who was given the role of the district would be left. Give it to somebody else first; "
    "where that cannot be, use the command line: waymark role clear"
)


class Right(Enum):
    """What may be changed."""

    DESIGN = "design"
    """Frameworks, mappings and rules."""
    OPERATE = "operate"
    """Modes, first yeses and retries."""
    PEOPLE = "people"
    """Who has which role."""
    CONNECT = "connect"
    """Which LMSs are connected, and with what access."""


class DeskRole(Enum):
    """What an administrator may do; everybody of them reads."""

    DISTRICT = "district"
    DESIGNER = "designer"
    OPERATOR = "operator"
    READER = "reader"

    @property
    def rights(self) -> frozenset[Right]:
        """What it may change."""
        return _RIGHTS[self]


_RIGHTS = {
    DeskRole.DISTRICT: frozenset(Right),
    DeskRole.DESIGNER: frozenset({Right.DESIGN}),
    DeskRole.OPERATOR: frozenset({Right.OPERATE}),
    DeskRole.READER: frozenset[Right](),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """What one person may do here; an operator of a ``school`` does it in that school alone."""

    role: DeskRole
    school: int | None = None

    def may(self, right: Right) -> bool:
        """Whether they may change this, somewhere."""
        return right in self.role.rights


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """Somebody who opened Waymark as an administrator of an LMS.

    ``chosen`` is the role they were given, None for none; ``seat`` is what holds.
    """

    id: int
    name: str
    platform: str
    subject: str
    chosen: DeskRole | None
    seat: Seat
    school: str
    last_seen_at: datetime
    chosen_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody as a launch names them."""

    platform: PlatformId
    subject: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A role to be given; None takes back what was given.

    ``school`` is the one in which an operator does it, empty for all. ``is_forced`` gives it also
    where nobody were left who may give roles.
    """

    role: DeskRole | None
    school: str = ""
    is_forced: bool = False


class RoleRefused(ValueError):  # noqa: N818 - named for what happened
    """A role cannot be given as asked; the message says why."""


def seat_of(connection: Connection, tenant: TenantId, person: Person) -> Seat:
    """What an administrator may do; one whom nobody knows has been given nothing."""
    row = connection.execute(
        select(administrators.c.role, administrators.c.school_id).where(
            administrators.c.tenant_id == tenant,
            administrators.c.platform_id == person.platform,
            administrators.c.subject == person.subject,
        )
    ).one_or_none()
    if row is not None and row.role is not None:
        return Seat(role=DeskRole(row.role), school=row.school_id)
    return _unchosen(connection, tenant)


def is_sight_due(
    connection: Connection, tenant: TenantId, person: Person, *, now: datetime
) -> bool:
    """Whether it is to be noted that an administrator was here: once an hour is enough."""
    row = connection.execute(
        select(administrators.c.name, administrators.c.last_seen_at).where(
            administrators.c.tenant_id == tenant,
            administrators.c.platform_id == person.platform,
            administrators.c.subject == person.subject,
        )
    ).one_or_none()
    return row is None or now - row.last_seen_at >= _NOTED_EVERY or row.name != _name(person)


def note_sight(connection: Connection, tenant: TenantId, person: Person, *, now: datetime) -> None:
    """Keep that an administrator was here, so that they can be given a role."""
    lock(connection, "administrators", tenant)
    seen = {"name": _name(person), "last_seen_at": now}
    is_them = (
        administrators.c.tenant_id == tenant,
        administrators.c.platform_id == person.platform,
        administrators.c.subject == person.subject,
    )
    if connection.execute(update(administrators).where(*is_them).values(**seen)).rowcount:
        return
    connection.execute(
        insert(administrators).values(
            tenant_id=tenant,
            platform_id=person.platform,
            subject=person.subject,
            first_seen_at=now,
            **seen,
        )
    )


def administrators_of(connection: Connection, tenant: TenantId) -> tuple[Administrator, ...]:
    """Everybody who was here as an administrator, by name."""
    unchosen = _unchosen(connection, tenant)
    rows = connection.execute(
        select(administrators, platforms.c.name.label("platform"), schools.c.name.label("school"))
        .join(platforms, platforms.c.id == administrators.c.platform_id)
        .outerjoin(schools, schools.c.id == administrators.c.school_id)
        .where(administrators.c.tenant_id == tenant)
        .order_by(administrators.c.name, administrators.c.id)
    )
    return tuple(_administrator(row, unchosen) for row in rows)


def give_role(
    connection: Connection,
    tenant: TenantId,
    wanted: Wanted,
    *,
    administrator: int,
    author: Author,
) -> bool:
    """Give somebody a role, or with None take back what they were given.

    Args:
        connection: A writing transaction.
        tenant: Whose desk.
        wanted: Which, and where.
        administrator: Of whom.
        author: Who gives it.

    Returns:
        Whether the tenant has such an administrator.

    Raises:
        RoleRefused: It would leave the desk without anybody who may give roles, or the school
            is none of the tenant's, or the role is not of a school.
    """
    lock(connection, "administrators", tenant)
    known = {one.id: one for one in administrators_of(connection, tenant)}
    found = known.pop(administrator, None)
    if found is None:
        return False
    role, school = wanted.role, wanted.school
    if not wanted.is_forced and not _leaves_somebody(list(known.values()), found, role):
        raise RoleRefused(_NOBODY_LEFT)
    if school and role is not DeskRole.OPERATOR:
        raise RoleRefused("Only an operator can be one of a single school.")
    school_id = _school(connection, tenant, school)
    if (found.chosen, found.school) == (role, school):
        return True
    connection.execute(
        update(administrators)
        .where(administrators.c.id == administrator)
        .values(
            role=None if role is None else role.value,
            school_id=school_id,
            chosen_by=author.by,
            chosen_at=author.at,
        )
    )
    change = author.change_of(
        PolicyKind.ROLE,
        found.name or found.subject,
        before=_told(found.chosen, found.school),
        after=_told(role, school),
    )
    record_change(connection, tenant, change)
    return True


def _leaves_somebody(
    others: Sequence[Administrator], found: Administrator, role: DeskRole | None
) -> bool:
    """Whether somebody who may give roles is left, and nobody gets that who was not given it."""
    if role is DeskRole.DISTRICT or any(one.chosen is DeskRole.DISTRICT for one in others):
        return True
    if found.chosen is DeskRole.DISTRICT:
        return False
    return role is None or any(one.chosen is None for one in others)


def _school(connection: Connection, tenant: TenantId, school: str) -> int | None:
    """The id of a school, None for none.

    Raises:
        RoleRefused: The tenant has none of this name.
    """
    if not school:
        return None
    row = connection.execute(
        select(schools.c.id).where(schools.c.tenant_id == tenant, schools.c.name == school)
    ).one_or_none()
    if row is None:
        raise RoleRefused(f'There is no school "{school}" in this district.')
    return int(row.id)


def _told(role: DeskRole | None, school: str) -> str:
    words = "none" if role is None else role.value
    return f"{words} of {school}" if school else words


def _unchosen(connection: Connection, tenant: TenantId) -> Seat:
    """The seat of whoever was given none."""
    has_district = connection.execute(
        select(administrators.c.id)
        .where(
            administrators.c.tenant_id == tenant,
            administrators.c.role == DeskRole.DISTRICT.value,
        )
        .limit(1)
    ).first()
    return Seat(role=DeskRole.DISTRICT if has_district is None else DeskRole.READER)


def _name(person: Person) -> str:
    return person.name[:_LONGEST_NAME]


def _administrator(row: "Row[Any]", unchosen: Seat) -> Administrator:
    chosen = None if row.role is None else DeskRole(row.role)
    return Administrator(
        id=row.id,
        name=row.name,
        platform=row.platform,
        subject=row.subject,
        chosen=chosen,
        seat=unchosen if chosen is None else Seat(role=chosen, school=row.school_id),
        school=row.school or "",
        last_seen_at=row.last_seen_at,
        chosen_by=row.chosen_by,
    )
