"""The frameworks that a tenant has: which there are, what is in them, what is put away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, Select, cast, func, select, update

from mapping.records import CompetencyId, CompetencyLink, Framework, TenantId
from store.framework_diffs import DETAILS, StoredFramework, stored_framework
from store.framework_imports import put_down
from store.frameworks import SavedFramework
from store.policy_changes import Author, PolicyKind, record_change
from store.session import chunks, lock
from store.tables import (
    alignments,
    competencies,
    framework_versions,
    frameworks,
    standings,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFramework:
    """A framework in a list; counts are of competencies. ``changed_at`` is of its last version."""

    id: int
    identifier: str
    title: str
    creator: str
    language: str
    licence: str
    address: str
    is_local: bool
    archived_at: datetime | None
    present: int
    archived: int
    versions: int
    changed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """Whom it concerns that a competency goes: learners who stand in it, line items aligned."""

    learners: int = 0
    alignments: int = 0


def all_frameworks(
    connection: Connection, tenant: TenantId, *, only: int | None = None
) -> tuple[ListedFramework, ...]:
    """The tenant's frameworks in the order of their import, archived ones included; or one."""
    archived = func.sum(cast(competencies.c.is_archived, Integer))
    counts = (
        select(
            competencies.c.framework_id,
            func.count().label("held"),
            archived.label("archived"),
        )
        .group_by(competencies.c.framework_id)
        .subquery()
    )
    versions = (
        select(
            framework_versions.c.framework_id,
            func.count().label("count"),
            func.max(framework_versions.c.at).label("at"),
        )
        .group_by(framework_versions.c.framework_id)
        .subquery()
    )
    rows = connection.execute(
        select(
            frameworks,
            counts.c.held,
            counts.c.archived,
            versions.c.count.label("versions"),
            versions.c.at,
        )
        .outerjoin(counts, counts.c.framework_id == frameworks.c.id)
        .outerjoin(versions, versions.c.framework_id == frameworks.c.id)
        .where(
            frameworks.c.tenant_id == tenant,
            *(() if only is None else (frameworks.c.id == only,)),
        )
        .order_by(frameworks.c.id)
    )
    return tuple(
        ListedFramework(
            id=row.id,
            identifier=row.identifier,
            title=row.title,
            creator=row.creator,
            language=row.language,
            licence=row.licence,
            address=row.address,
            is_local=row.is_local,
            archived_at=row.archived_at,
            present=(row.held or 0) - int(row.archived or 0),
            archived=int(row.archived or 0),
            versions=row.versions or 0,
            changed_at=row.at,
        )
        for row in rows
    )


def framework_of(stored: StoredFramework, identifier: str) -> Framework:
    """A stored framework as a record, without what is archived; all of it, where it is itself."""
    kept = {
        name: row for name, row in stored.rows.items() if stored.is_archived or not row.is_archived
    }
    return Framework(
        identifier=identifier,
        competencies=tuple(row.competency for row in kept.values()),
        links=tuple(sorted((one for one in stored.links if _is_within(one, kept)), key=_words)),
        **{name: stored.details[name] for name in DETAILS},
    )


def _is_within(link: CompetencyLink, kept: Mapping[str, object]) -> bool:
    return link.origin in kept and link.destination in kept


def _words(link: CompetencyLink) -> tuple[str, str, str]:
    return (link.origin, link.kind.value, link.destination)


def archive_framework(
    connection: Connection, tenant: TenantId, framework: ListedFramework, *, author: Author
) -> None:
    """Put a framework away with all that it holds; its statuses are kept."""
    _set_shelved(connection, tenant, framework, author=author, is_shelved=True)


def restore_framework(
    connection: Connection, tenant: TenantId, framework: ListedFramework, *, author: Author
) -> None:
    """Take a framework up again, as it was when it was put away."""
    _set_shelved(connection, tenant, framework, author=author, is_shelved=False)


def _set_shelved(
    connection: Connection,
    tenant: TenantId,
    framework: ListedFramework,
    *,
    author: Author,
    is_shelved: bool,
) -> None:
    lock(connection, "frameworks", tenant)
    if (framework.archived_at is not None) is is_shelved:
        return
    own = competencies.c.framework_id == framework.id
    is_meant = ~competencies.c.is_archived if is_shelved else competencies.c.is_shelved
    done = connection.execute(
        update(competencies)
        .where(own, is_meant)
        .values(is_archived=is_shelved, is_shelved=is_shelved)
    )
    connection.execute(
        update(frameworks)
        .where(frameworks.c.id == framework.id)
        .values(archived_at=author.at if is_shelved else None)
    )
    count = done.rowcount
    saved = SavedFramework(
        added=0,
        changed=0,
        archived=count if is_shelved else 0,
        restored=0 if is_shelved else count,
        is_restructured=count > 0,
    )
    put_down(connection, tenant, saved, now=author.at)
    words = ("in use", "archived")
    before, after = words if is_shelved else reversed(words)
    change = author.change_of(PolicyKind.FRAMEWORK, framework.title, before=before, after=after)
    record_change(connection, tenant, change)


def concerned(connection: Connection, ids: Sequence[CompetencyId]) -> dict[CompetencyId, Concerned]:
    """Whom it concerns that competencies go; those that concern nobody are left out."""
    learners: dict[int, int] = {}
    aligned: dict[int, int] = {}
    for part in chunks(ids):
        stands = select(
            standings.c.competency_id, func.count(standings.c.learner_id.distinct())
        ).where(standings.c.competency_id.in_(part))
        learners |= _counts(connection, stands.group_by(standings.c.competency_id))
        speaks = select(alignments.c.competency_id, func.count()).where(
            alignments.c.competency_id.in_(part)
        )
        aligned |= _counts(connection, speaks.group_by(alignments.c.competency_id))
    return {
        one: Concerned(learners=learners.get(one, 0), alignments=aligned.get(one, 0))
        for one in ids
        if one in learners or one in aligned
    }


def _counts(connection: Connection, query: Select[Any]) -> dict[int, int]:
    return {int(row[0]): int(row[1]) for row in connection.execute(query)}


def known_framework(
    connection: Connection, tenant: TenantId, framework: int
) -> tuple[ListedFramework, StoredFramework] | None:
    """A framework of the tenant by its id, and all that is in it; None where there is none."""
    listed = all_frameworks(connection, tenant, only=framework)
    if not listed:
        return None
    return listed[0], stored_framework(connection, tenant, listed[0].identifier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """Where a framework was fetched from, and by what its server knows the answer again."""

    address: str
    etag: str = ""
    last_modified: str = ""


def address_of(connection: Connection, tenant: TenantId, framework: int) -> str:
    """Where a framework in use was fetched from, empty where it came another way."""
    found = connection.execute(
        select(frameworks.c.address).where(
            frameworks.c.tenant_id == tenant,
            frameworks.c.id == framework,
            frameworks.c.archived_at.is_(None),
        )
    ).scalar_one_or_none()
    return found or ""


def last_fetched(connection: Connection, tenant: TenantId, address: str) -> Fetched:
    """What is known of an address; nothing, where no framework in use came from there."""
    row = connection.execute(
        select(frameworks.c.etag, frameworks.c.last_modified)
        .where(
            frameworks.c.tenant_id == tenant,
            frameworks.c.address == address,
            frameworks.c.archived_at.is_(None),
        )
        .limit(1)
    ).one_or_none()
    if row is None:
        return Fetched(address=address)
    return Fetched(address=address, etag=row.etag, last_modified=row.last_modified)


def keep_fetched(
    connection: Connection, tenant: TenantId, identifier: str, *, fetched: Fetched
) -> None:
    """Keep where a framework was fetched from."""
    connection.execute(
        update(frameworks)
        .where(frameworks.c.tenant_id == tenant, frameworks.c.identifier == identifier)
        .values(address=fetched.address, etag=fetched.etag, last_modified=fetched.last_modified)
    )
