"""Frameworks and their competencies."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, update

from mapping.records import Competency, CompetencyId, Framework, TenantId
from store.links import links_of, save_links
from store.session import upsert
from store.tables import competencies, frameworks

_STRUCTURE = ("parent_id", "code", "is_archived")
"""What of a competency standings depend on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCompetency:
    """A competency as Waymark knows it. ``parent`` is the strand it is part of, if any.

    ``identifier`` is its CASE GUID, or what an import made in its place.
    """

    id: CompetencyId
    framework: str
    identifier: str
    code: str
    statement: str
    indicator: str
    parent: CompetencyId | None
    is_strand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFramework:
    """What an import did: competencies added, changed, and archived since they are gone.

    ``is_restructured`` says that parents, codes or links of competencies that were there are
    others: whoever stands in any of them may stand otherwise.
    """

    added: int
    changed: int
    archived: int
    is_restructured: bool = False

    @property
    def says_otherwise(self) -> bool:
        """Whether what stands in gradebooks may be out of date: names, codes, what is there."""
        return self.changed > 0 or self.archived > 0 or self.is_restructured


def save_framework(connection: Connection, tenant: TenantId, found: Framework) -> SavedFramework:
    """Bring a framework in, or up to date; what it no longer holds is archived, never deleted.

    Args:
        connection: A writing transaction.
        tenant: Whose framework it is.
        found: With parents before their children.

    Raises:
        HierarchyRefused: Its links run in a circle, with those of other frameworks or alone.
    """  # noqa: DOC502 - raised by links_of()
    upsert(
        connection,
        frameworks,
        [
            {
                "tenant_id": tenant,
                "identifier": found.identifier,
                "title": found.title,
                "creator": found.creator,
                "language": found.language,
                "licence": found.licence,
                "attribution": found.attribution,
            }
        ],
        keys=("tenant_id", "identifier"),
    )
    framework_id = connection.execute(
        select(frameworks.c.id).where(
            frameworks.c.tenant_id == tenant, frameworks.c.identifier == found.identifier
        )
    ).scalar_one()
    before = _stored_rows(connection, framework_id)
    ids = _ids(connection, framework_id)
    _free_codes(connection, before, found, ids=ids)
    added = changed = 0
    is_restructured = False
    for competency in found.competencies:
        row = _competency_row(competency, framework_id, ids)
        old = before.get(competency.identifier)
        if old != row:
            upsert(connection, competencies, [row], keys=("framework_id", "identifier"))
            ids = ids if old else _ids(connection, framework_id)
            added += old is None
            changed += old is not None
            is_restructured |= old is not None and any(old[k] != row[k] for k in _STRUCTURE)
    archived = _archive(connection, framework_id, {c.identifier for c in found.competencies})
    if save_links(connection, framework_id, found.links, ids=ids):
        is_restructured = True
        links_of(connection, tenant)
    return SavedFramework(
        added=added,
        changed=changed,
        archived=archived,
        is_restructured=is_restructured or archived > 0,
    )


def competencies_of(connection: Connection, tenant: TenantId) -> tuple[StoredCompetency, ...]:
    """The tenant's competencies, strands included, in the order of their frameworks."""
    return _present(connection, frameworks.c.tenant_id == tenant)


def competencies_by_id(
    connection: Connection, ids: Collection[CompetencyId]
) -> dict[CompetencyId, StoredCompetency]:
    """Some competencies; those that are archived are left out."""
    return {one.id: one for one in _present(connection, competencies.c.id.in_(sorted(ids)))}


def _present(connection: Connection, is_meant: ColumnElement[bool]) -> tuple[StoredCompetency, ...]:
    rows = connection.execute(
        select(competencies, frameworks.c.identifier.label("framework"))
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(is_meant, competencies.c.is_archived.is_(False))
        .order_by(frameworks.c.id, competencies.c.position, competencies.c.id)
    )
    return tuple(
        StoredCompetency(
            id=CompetencyId(row.id),
            framework=row.framework,
            identifier=row.identifier,
            code=row.code,
            statement=row.statement,
            indicator=row.indicator,
            parent=None if row.parent_id is None else CompetencyId(row.parent_id),
            is_strand=row.is_strand,
        )
        for row in rows
    )


def framework_id(connection: Connection, tenant: TenantId, identifier: str) -> int | None:
    """A framework of the tenant by its identifier, None where there is none."""
    return connection.execute(
        select(frameworks.c.id).where(
            frameworks.c.tenant_id == tenant, frameworks.c.identifier == identifier
        )
    ).scalar()


def _ids(connection: Connection, framework_id: int) -> dict[str, int]:
    rows = connection.execute(
        select(competencies.c.identifier, competencies.c.id).where(
            competencies.c.framework_id == framework_id
        )
    )
    return dict(rows.all())


def _stored_rows(connection: Connection, framework_id: int) -> dict[str, dict[str, Any]]:
    rows = connection.execute(
        select(competencies).where(competencies.c.framework_id == framework_id)
    )
    stored = {}
    for row in rows.mappings():
        values = dict(row)
        del values["id"]
        stored[values["identifier"]] = values
    return stored


def _free_codes(
    connection: Connection,
    before: Mapping[str, Mapping[str, Any]],
    found: Framework,
    *,
    ids: Mapping[str, int],
) -> None:
    """Take codes away from those whose code another competency has by now.

    A new edition may give a code to another item; the former bearer is then known by its
    identifier, until the edition gives it a code of its own.
    """
    bearers = {competency.code: competency.identifier for competency in found.competencies}
    for identifier, row in before.items():
        if bearers.get(row["code"], identifier) != identifier:
            connection.execute(
                update(competencies)
                .where(competencies.c.id == ids[identifier])
                .values(code=identifier)
            )


def _competency_row(
    competency: Competency, framework_id: int, ids: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "framework_id": framework_id,
        "identifier": competency.identifier,
        "code": competency.code,
        "statement": competency.statement,
        "indicator": competency.indicator,
        "parent_id": None if competency.parent is None else ids[competency.parent],
        "position": competency.position,
        "is_strand": competency.is_strand,
        "is_archived": False,
    }


def _archive(connection: Connection, framework_id: int, kept: Sequence[str] | set[str]) -> int:
    gone = [
        row[0]
        for row in connection.execute(
            select(competencies.c.id, competencies.c.identifier).where(
                competencies.c.framework_id == framework_id, competencies.c.is_archived.is_(False)
            )
        )
        if row[1] not in kept
    ]
    if gone:
        connection.execute(
            update(competencies).where(competencies.c.id.in_(gone)).values(is_archived=True)
        )
    return len(gone)
