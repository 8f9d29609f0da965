"""Deployments: the installations of Waymark within a platform, each approved by a person.

A deployment that a proven launch names and nobody knows is kept and waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from mapping.records import PlatformId, TenantId
from store.session import lock, upsert
from store.tables import deployments, platforms

MOST_REQUESTS = 100
"""Deployments of one platform that wait for an administrator."""

_REF_LENGTH = 255
_ABOUT_LENGTH = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One installation of Waymark within a platform.

    ``about`` is what the platform said of itself when an unknown deployment asked, at
    ``requested_at``; None where an administrator entered it.
    """

    platform: PlatformId
    ref: str
    is_approved: bool
    about: str = ""
    requested_at: datetime | None = None


def save_deployments(
    connection: Connection, platform: PlatformId, refs: Sequence[str], *, is_approved: bool = True
) -> None:
    """Keep deployments of a platform; those not named stay as they are."""
    rows = [
        {"platform_id": platform, "deployment_ref": ref, "is_approved": is_approved} for ref in refs
    ]
    upsert(connection, deployments, rows, keys=("platform_id", "deployment_ref"))


def find_deployment(connection: Connection, platform: PlatformId, ref: str) -> Deployment | None:
    """A deployment by the platform's own id of it."""
    row = connection.execute(
        select(deployments).where(
            deployments.c.platform_id == platform, deployments.c.deployment_ref == ref
        )
    ).first()
    return None if row is None else _deployment(row)


def deployments_of(connection: Connection, platform: PlatformId) -> tuple[Deployment, ...]:
    """A platform's deployments in the order they became known, approved or not."""
    rows = connection.execute(
        select(deployments).where(deployments.c.platform_id == platform).order_by(deployments.c.id)
    )
    return tuple(_deployment(row) for row in rows)


def request_deployment(
    connection: Connection, platform: PlatformId, ref: str, *, about: str, now: datetime
) -> bool:
    """Keep a deployment that a proven launch named, for an administrator to approve or not.

    A known one is not touched; beyond ``MOST_REQUESTS`` waiting ones none is kept.

    Args:
        connection: A writing transaction.
        platform: Whose signature named it.
        ref: What the platform calls it.
        about: What the platform says of itself; cut to 512 characters.
        now: When.

    Returns:
        Whether it was new and is kept now.
    """
    lock(connection, "deployments", platform)
    if len(ref) > _REF_LENGTH or find_deployment(connection, platform, ref) is not None:
        return False
    is_waiting = (
        deployments.c.platform_id == platform,
        deployments.c.is_approved.is_(False),
        deployments.c.requested_at.is_not(None),
    )
    waiting = connection.execute(
        select(func.count()).select_from(deployments).where(*is_waiting)
    ).scalar_one()
    if waiting >= MOST_REQUESTS:
        return False
    connection.execute(
        insert(deployments).values(
            platform_id=platform,
            deployment_ref=ref,
            is_approved=False,
            about=about[:_ABOUT_LENGTH],
            requested_at=now,
        )
    )
    return True


def approve_deployment(  # noqa: PLR0917 - a platform is named by its tenant and id together
    connection: Connection, tenant: TenantId, platform: PlatformId, ref: str
) -> bool:
    """Let a known deployment of a tenant's platform launch.

    Returns:
        Whether the tenant's platform has it.
    """
    own = select(platforms.c.id).where(platforms.c.id == platform, platforms.c.tenant_id == tenant)
    approved = connection.execute(
        update(deployments)
        .where(deployments.c.platform_id.in_(own), deployments.c.deployment_ref == ref)
        .values(is_approved=True)
    )
    return approved.rowcount == 1


def _deployment(row: "Row[Any]") -> Deployment:
    return Deployment(
        platform=PlatformId(row.platform_id),
        ref=row.deployment_ref,
        is_approved=row.is_approved,
        about=row.about,
        requested_at=row.requested_at,
    )
