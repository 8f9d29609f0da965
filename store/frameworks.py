"""Frameworks and their competencies."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from mapping.records import Competency, CompetencyId, Framework, TenantId
from store.framework_diffs import DETAILS, FrameworkDiff, framework_diff
from store.links import links_of, save_links
from store.session import chunks, lock, upsert, write_rows
from store.tables import competencies, frameworks

_COLUMNS = (
    *("framework_id", "identifier", "code", "statement", "indicator"),
    *("parent_id", "position", "is_strand", "is_archived", "is_shelved"),
)


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

    Those that came back from the archive are ``restored``; they count as changed only where they
    say something else, too. ``is_restructured`` says that parents, codes or links of competencies
    that were there are others: whoever stands in any of them may stand otherwise.
    """

    added: int
    changed: int
    archived: int
    restored: int = 0
    is_restructured: bool = False

    @property
    def says_otherwise(self) -> bool:
        """Whether what stands in gradebooks may be out of date: names, codes, what is there."""
        return bool(self.changed or self.archived or self.restored or self.is_restructured)


def save_framework(connection: Connection, tenant: TenantId, found: Framework) -> SavedFramework:
    """Bring a framework in, or up to date; what it no longer holds is archived, never deleted.

    Args:
        connection: A writing transaction.
        tenant: Whose framework it is.
        found: With parents before their children.

    Raises:
        HierarchyRefused: Its links run in a circle, with those of other frameworks or alone.
    """  # noqa: DOC502 - raised by links_of()
    lock(connection, "frameworks", tenant)
    return save_diff(connection, tenant, framework_diff(connection, tenant, found))


def save_diff(connection: Connection, tenant: TenantId, diff: FrameworkDiff) -> SavedFramework:
    """Write what of a framework is other than what is stored; nothing where all is the same.

    Args:
        connection: The writing transaction that the difference was found in.
        tenant: Whose framework it is.
        diff: The difference.

    Raises:
        HierarchyRefused: Its links run in a circle, with those of other frameworks or alone.
    """  # noqa: DOC502 - raised by links_of()
    if not diff.is_nothing:
        _write(connection, tenant, diff)
    return SavedFramework(
        added=len(diff.added),
        changed=sum(bool(one.fields) for one in diff.changed),
        archived=len(diff.archived),
        restored=diff.restored,
        is_restructured=diff.is_restructured,
    )


def _write(connection: Connection, tenant: TenantId, diff: FrameworkDiff) -> None:
    found = diff.found
    details = {name: getattr(found, name) for name in DETAILS}
    known = {"tenant_id": tenant, "identifier": found.identifier}
    keys = tuple(known)
    upsert(connection, frameworks, [{**known, **details, "archived_at": None}], keys=keys)
    framework = connection.execute(
        select(frameworks.c.id).where(*(frameworks.c[name] == known[name] for name in keys))
    ).scalar_one()
    _free_codes(connection, diff)
    write_rows(
        connection,
        competencies,
        [_row(one, framework, None) for one in diff.added],
        columns=_COLUMNS,
    )
    # Parents are known by their ids once all are there.
    ids = _ids(connection, framework)
    others = (*(one.now for one in diff.changed), *diff.moved)
    written = (*others, *(one for one in diff.added if one.parent is not None))
    write_rows(
        connection,
        competencies,
        [_row(one, framework, None if one.parent is None else ids[one.parent]) for one in written],
        columns=_COLUMNS,
        keys=("framework_id", "identifier"),
    )
    set_archived(connection, [row.id for row in diff.archived], is_archived=True)
    if diff.are_links_other:
        save_links(connection, framework, found.links, ids=ids)
        links_of(connection, tenant)


def set_archived(connection: Connection, ids: Sequence[CompetencyId], *, is_archived: bool) -> None:
    """Archive competencies one by one, or bring them back."""
    for part in chunks(ids):
        connection.execute(
            update(competencies)
            .where(competencies.c.id.in_(part))
            .values(is_archived=is_archived, is_shelved=False)
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


def ids_in(connection: Connection, tenant: TenantId, framework: int) -> list[int]:
    """The competencies of a framework of the tenant, archived ones included, ascending."""
    rows = connection.execute(
        select(competencies.c.id)
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(frameworks.c.tenant_id == tenant, frameworks.c.id == framework)
        .order_by(competencies.c.id)
    )
    return [int(row[0]) for row in rows]


def framework_titles(connection: Connection, tenant: TenantId) -> dict[str, str]:
    """The frameworks of a tenant that have competencies, title by identifier, in their order."""
    rows = connection.execute(
        select(frameworks.c.identifier, frameworks.c.title)
        .where(
            frameworks.c.tenant_id == tenant,
            select(competencies.c.id)
            .where(
                competencies.c.framework_id == frameworks.c.id,
                competencies.c.is_archived.is_(False),
            )
            .exists(),
        )
        .order_by(frameworks.c.id)
    )
    return {row.identifier: row.title for row in rows}


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


def _free_codes(connection: Connection, diff: FrameworkDiff) -> None:
    """Take codes away from those whose code another competency has by now.

    A new edition may give a code to another item; the former bearer is then known by its
    identifier, until the edition gives it a code of its own.
    """
    bearers = {one.code: one.identifier for one in diff.found.competencies}
    taken = bearers.keys() | {row.competency.code for row in diff.stored.rows.values()}
    freed = [
        {"its_id": row.id, "its_code": f"~{row.id}" if name in taken else name}
        for name, row in diff.stored.rows.items()
        if bearers.get(row.competency.code, name) != name
    ]
    if freed:
        connection.execute(
            update(competencies)
            .where(competencies.c.id == bindparam("its_id"))
            .values(code=bindparam("its_code")),
            freed,
        )


def _row(one: Competency, framework: int, parent: int | None) -> tuple[Any, ...]:
    texts = (one.identifier, one.code, one.statement, one.indicator)
    return (framework, *texts, parent, one.position, one.is_strand, False, False)
