"""How competencies stand to one another besides being parts: what precedes, equals, replaces."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, insert, select

from mapping.progressions.graph import Links
from mapping.records import CompetencyLink, LinkKind, TenantId
from store.tables import competencies, competency_links, frameworks


def save_links(
    connection: Connection,
    framework_id: int,
    found: Sequence[CompetencyLink],
    *,
    ids: Mapping[str, int],
) -> bool:
    """Keep the links of a framework as they are now.

    Args:
        connection: A writing transaction.
        framework_id: The framework.
        found: Its links; those of competencies that are not in ``ids`` are passed over.
        ids: Its competencies, by identifier.

    Returns:
        Whether they are others than before.
    """
    own = select(competencies.c.id).where(competencies.c.framework_id == framework_id)
    is_own = competency_links.c.origin_id.in_(own)
    rows = connection.execute(select(competency_links).where(is_own))
    before = {(row.origin_id, row.kind, row.destination_id) for row in rows}
    after = {
        (ids[link.origin], link.kind.value, ids[link.destination])
        for link in found
        if link.origin in ids and link.destination in ids
    }
    if after == before:
        return False
    connection.execute(delete(competency_links).where(is_own))
    if after:
        names = ("origin_id", "kind", "destination_id")
        connection.execute(
            insert(competency_links), [dict(zip(names, row, strict=True)) for row in sorted(after)]
        )
    return True


def links_of(connection: Connection, tenant: TenantId) -> Links:
    """Every link between competencies of a tenant, those of archived ones included.

    Raises:
        HierarchyRefused: Competencies precede or replace one another in a circle.
    """  # noqa: DOC502 - raised by Links.of()
    rows = connection.execute(
        select(competency_links)
        .join(competencies, competencies.c.id == competency_links.c.origin_id)
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(frameworks.c.tenant_id == tenant)
    )
    return Links.of((row.origin_id, LinkKind(row.kind), row.destination_id) for row in rows)
