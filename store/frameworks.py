"""Frameworks and their competencies, versions of the rules of mastery."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from mapping.records import Competency, CompetencyId, Framework, TenantId
from store.session import upsert
from store.tables import competencies, frameworks, mastery_rules


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
    """What an import did: competencies added, changed, and archived since they are gone."""

    added: int
    changed: int
    archived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRule:
    """A version of the district's rule of mastery; ``definition`` for ``mapping.rules``."""

    id: int
    version: int
    definition: Mapping[str, Any]


def save_framework(connection: Connection, tenant: TenantId, found: Framework) -> SavedFramework:
    """Bring a framework in, or up to date; what it no longer holds is archived, never deleted.

    Args:
        connection: A writing transaction.
        tenant: Whose framework it is.
        found: With parents before their children.
    """
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
    for competency in found.competencies:
        row = _competency_row(competency, framework_id, ids)
        old = before.get(competency.identifier)
        if old != row:
            upsert(connection, competencies, [row], keys=("framework_id", "identifier"))
            ids = ids if old else _ids(connection, framework_id)
            added += old is None
            changed += old is not None
    archived = _archive(connection, framework_id, {c.identifier for c in found.competencies})
    return SavedFramework(added=added, changed=changed, archived=archived)


def competencies_of(connection: Connection, tenant: TenantId) -> tuple[StoredCompetency, ...]:
    """The tenant's competencies, strands included, in the order of their frameworks."""
    rows = connection.execute(
        select(competencies, frameworks.c.identifier.label("framework"))
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(frameworks.c.tenant_id == tenant, competencies.c.is_archived.is_(False))
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


def save_rule(
    connection: Connection, tenant: TenantId, definition: Mapping[str, Any], *, now: datetime
) -> StoredRule:
    """Make a definition the tenant's rule from now on; the same definition changes nothing."""
    text = json.dumps(definition, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    current = current_rule(connection, tenant)
    if current is not None and dict(current.definition) == dict(definition):
        return current
    latest = connection.execute(
        select(func.max(mastery_rules.c.version)).where(mastery_rules.c.tenant_id == tenant)
    ).scalar()
    connection.execute(
        insert(mastery_rules).values(
            tenant_id=tenant,
            version=(latest or 0) + 1,
            digest=digest,
            definition=text,
            effective_from=now,
        )
    )
    saved = current_rule(connection, tenant)
    assert saved is not None  # noqa: S101 - it was inserted above
    return saved


def current_rule(connection: Connection, tenant: TenantId) -> StoredRule | None:
    """The tenant's newest rule, or None where none was ever published."""
    row = connection.execute(
        select(mastery_rules)
        .where(mastery_rules.c.tenant_id == tenant)
        .order_by(mastery_rules.c.version.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return StoredRule(id=row.id, version=row.version, definition=json.loads(row.definition))


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
