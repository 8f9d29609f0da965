"""Districts: the tenants that share an installation and nothing else."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from mapping.records import PlatformId, TenantId
from store.tables import deployments, learners, tenants


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A district. ``timezone`` is an IANA name."""

    id: TenantId
    name: str
    timezone: str


def all_tenants(connection: Connection) -> tuple[Tenant, ...]:
    """Every tenant, in the order of their ids."""
    rows = connection.execute(select(tenants).order_by(tenants.c.id))
    return tuple(Tenant(id=TenantId(r.id), name=r.name, timezone=r.timezone) for r in rows)


def all_learners(connection: Connection, tenant: TenantId) -> tuple[int, ...]:
    """The ids of a tenant's learners, ascending."""
    rows = connection.execute(
        select(learners.c.id).where(learners.c.tenant_id == tenant).order_by(learners.c.id)
    )
    return tuple(row[0] for row in rows)


def approved_deployments(connection: Connection, platform: PlatformId) -> tuple[str, ...]:
    """What a platform calls its approved deployments, in the order they were added."""
    rows = connection.execute(
        select(deployments.c.deployment_ref)
        .where(deployments.c.platform_id == platform, deployments.c.is_approved.is_(True))
        .order_by(deployments.c.id)
    )
    return tuple(row[0] for row in rows)
