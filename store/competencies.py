"""What can be chosen: a tenant's competencies as trees, and what a placed link is about."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from mapping.records import CompetencyId, TenantId
from store.tables import competencies, frameworks


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A competency that can be chosen; ``parts`` are what it groups."""

    id: CompetencyId
    identifier: str
    code: str
    statement: str
    indicator: str
    is_strand: bool
    parts: list["Choice"] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceTree:
    """A framework's competencies, the top ones first, each with its parts."""

    title: str
    tops: Sequence[Choice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """The competencies that a link is about.

    ``named`` are their ids, ``within`` also those of all that they group. ``unknown`` counts
    identifiers that the tenant does not have.
    """

    named: frozenset[CompetencyId]
    within: frozenset[CompetencyId]
    statements: Sequence[str]
    unknown: int


def choice_trees(connection: Connection, tenant: TenantId) -> tuple[ChoiceTree, ...]:
    """The tenant's frameworks, in the order of their import, without what is archived."""
    rows = connection.execute(
        select(competencies, frameworks.c.title)
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(frameworks.c.tenant_id == tenant, competencies.c.is_archived.is_(False))
        .order_by(frameworks.c.id, competencies.c.position, competencies.c.id)
    ).all()
    nodes = {
        row.id: Choice(
            id=CompetencyId(row.id),
            identifier=row.identifier,
            code=row.code,
            statement=row.statement,
            indicator=row.indicator,
            is_strand=row.is_strand,
        )
        for row in rows
    }
    tops: dict[int, list[Choice]] = {row.framework_id: [] for row in rows}
    titles = {row.framework_id: row.title for row in rows}
    for row in rows:
        parent = nodes.get(row.parent_id)
        (tops[row.framework_id] if parent is None else parent.parts).append(nodes[row.id])
    return tuple(
        ChoiceTree(title=titles[framework], tops=tuple(found)) for framework, found in tops.items()
    )


def focus_of(connection: Connection, tenant: TenantId, identifiers: Sequence[str]) -> Focus:
    """What a link is about, of what the tenant has.

    Args:
        connection: A transaction.
        tenant: Whose competencies.
        identifiers: Those of competencies, as the link carries them.

    Returns:
        The focus; empty where the tenant has none of them.
    """
    rows = connection.execute(
        select(competencies.c.id, competencies.c.identifier, competencies.c.statement)
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(
            frameworks.c.tenant_id == tenant,
            competencies.c.is_archived.is_(False),
            competencies.c.identifier.in_(identifiers),
        )
        .order_by(frameworks.c.id, competencies.c.position, competencies.c.id)
    ).all()
    return Focus(
        named=frozenset(CompetencyId(row.id) for row in rows),
        within=_with_parts(connection, {row.id for row in rows}),
        statements=tuple(row.statement for row in rows),
        unknown=len(set(identifiers) - {row.identifier for row in rows}),
    )


def _with_parts(connection: Connection, ids: set[int]) -> frozenset[CompetencyId]:
    found, latest = set(ids), ids
    while latest:
        rows = connection.execute(
            select(competencies.c.id).where(
                competencies.c.parent_id.in_(latest), competencies.c.is_archived.is_(False)
            )
        )
        latest = {row.id for row in rows} - found
        found |= latest
    return frozenset(CompetencyId(one) for one in found)
