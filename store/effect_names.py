"""Names for what an effect tells by ids."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from mapping.records import LearnerId, TenantId
from store.session import chunks
from store.tables import learners, schools


def school_names(connection: Connection, tenant: TenantId) -> dict[int, str]:
    """The names of a tenant's schools by their ids."""
    rows = connection.execute(
        select(schools.c.id, schools.c.name).where(schools.c.tenant_id == tenant)
    )
    return {row.id: row.name for row in rows}


def learner_names(
    connection: Connection, tenant: TenantId, ids: Sequence[LearnerId]
) -> dict[LearnerId, str]:
    """The names of some learners of a tenant."""
    found: dict[LearnerId, str] = {}
    for part in chunks(sorted(set(ids))):
        rows = connection.execute(
            select(learners.c.id, learners.c.name).where(
                learners.c.tenant_id == tenant, learners.c.id.in_(part)
            )
        )
        found.update({LearnerId(row.id): row.name for row in rows})
    return found
