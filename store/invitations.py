"""Invitations: whoever holds one may register one LMS for a district, once and not for long.

Only a digest of the token is kept, so that a copy of the database invites nobody.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from mapping.records import PlatformId, TenantId
from store.tables import invitations, platforms

_TOKEN_BYTES = 32
_LONGEST_TOKEN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What the holder of a token may register.

    Attributes:
        id: Its row.
        tenant: The district that the platform will belong to.
        kind: ``canvas`` or ``moodle``.
        name: What the platform will be called.
        issuer: The issuer that the registration must have, exactly.
        api_url: Where the LMS itself lives; for hosted Canvas the school's own host.
        expires_at: From then on it is worth nothing.
    """

    id: int
    tenant: TenantId
    kind: str
    name: str
    issuer: str
    api_url: str
    expires_at: datetime


def invite(  # noqa: PLR0913 - what an invitation says, each by its name
    connection: Connection,
    tenant: TenantId,
    *,
    kind: str,
    name: str,
    issuer: str,
    api_url: str,
    now: datetime,
    life: timedelta,
) -> str:
    """Invite one LMS to be registered.

    Args:
        connection: A writing transaction.
        tenant: For which district.
        kind: ``canvas`` or ``moodle``.
        name: What the platform will be called.
        issuer: The issuer that the registration must have, exactly.
        api_url: Where the LMS itself lives.
        now: When.
        life: How long the invitation is good.

    Returns:
        A token of 256 bits, fit for an address; it can be had only here and now.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    connection.execute(
        insert(invitations).values(
            tenant_id=tenant,
            token_digest=_digest(token),
            kind=kind,
            name=name,
            issuer=issuer,
            api_url=api_url,
            created_at=now,
            expires_at=now + life,
        )
    )
    return token


def find_invitation(connection: Connection, token: str, now: datetime) -> Invitation | None:
    """The invitation of a token, unless it was used or its time is over."""
    if not token.isascii() or len(token) > _LONGEST_TOKEN:
        return None
    row = connection.execute(
        select(invitations).where(
            invitations.c.token_digest == _digest(token),
            invitations.c.used_at.is_(None),
            invitations.c.expires_at > now,
        )
    ).first()
    if row is None:
        return None
    return Invitation(
        id=row.id,
        tenant=TenantId(row.tenant_id),
        kind=row.kind,
        name=row.name,
        issuer=row.issuer,
        api_url=row.api_url,
        expires_at=row.expires_at,
    )


def use_invitation(  # noqa: PLR0917 - which one, for what and when: all needed
    connection: Connection, invitation_id: int, platform: PlatformId, now: datetime
) -> bool:
    """Use an invitation up, for good.

    Args:
        connection: A writing transaction; the registration itself belongs into it, so that
            both are done or neither.
        invitation_id: Which.
        platform: What was registered with it, of the same district.
        now: When.

    Returns:
        Whether it could be used: of several that try at once, one succeeds.
    """
    owner = select(platforms.c.tenant_id).where(platforms.c.id == platform).scalar_subquery()
    used = connection.execute(
        update(invitations)
        .where(
            invitations.c.id == invitation_id,
            invitations.c.tenant_id == owner,
            invitations.c.used_at.is_(None),
            invitations.c.expires_at > now,
        )
        .values(used_at=now, platform_id=platform)
    )
    return used.rowcount == 1


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
