"""What bringing a framework in would change, before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from mapping.records import Competency, CompetencyId, CompetencyLink, Framework, LinkKind, TenantId
from store.tables import competencies, competency_links, frameworks

DETAILS = ("title", "creator", "language", "licence", "attribution")
_FIELDS = ("code", "statement", "indicator", "parent", "is_strand")
_STRUCTURE = frozenset(("code", "parent"))
"""What of a competency standings depend on, besides whether it is archived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRow:
    """A competency as the database holds it; ``parent`` by its identifier."""

    id: CompetencyId
    competency: Competency
    is_archived: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFramework:
    """A framework as the database holds it; an ``id`` of None is not there yet."""

    id: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    is_archived: bool = False
    rows: Mapping[str, StoredRow] = field(default_factory=dict)
    links: frozenset[CompetencyLink] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedCompetency:
    """A competency that becomes another one.

    ``fields`` are those that do, with their values before; ``is_restored`` says that it was
    archived.
    """

    now: Competency
    fields: Mapping[str, Any]
    is_restored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkDiff:
    """A framework beside what is stored of it.

    Attributes:
        found: As it would be.
        stored: As it is.
        added: Competencies that are new.
        changed: Those that are others, or were archived; their place alone does not count.
        moved: Those whose place alone is another one.
        archived: Those that it no longer holds.
        details: What is said of the framework itself and is another now, with what it was.
        links_added: Links that are new.
        links_removed: Links that are gone.
    """

    found: Framework
    stored: StoredFramework
    added: Sequence[Competency]
    changed: Sequence[ChangedCompetency]
    moved: Sequence[Competency]
    archived: Sequence[StoredRow]
    details: Mapping[str, str]
    links_added: frozenset[CompetencyLink]
    links_removed: frozenset[CompetencyLink]

    @property
    def restored(self) -> int:
        """How many come back from the archive."""
        return sum(one.is_restored for one in self.changed)

    @property
    def are_links_other(self) -> bool:
        """Whether a link is new or gone."""
        return bool(self.links_added or self.links_removed)

    @property
    def is_nothing(self) -> bool:
        """Whether all is stored as it is."""
        parts = (self.added, self.changed, self.moved, self.archived, self.details)
        is_there = self.stored.id is not None and not self.stored.is_archived
        return is_there and not self.are_links_other and not any(parts)

    @property
    def is_restructured(self) -> bool:
        """Whether what was there has other parents, codes or links, went, or came back."""
        return bool(
            self.archived
            or self.are_links_other
            or any(one.is_restored or _STRUCTURE & one.fields.keys() for one in self.changed)
        )


def framework_diff(connection: Connection, tenant: TenantId, found: Framework) -> FrameworkDiff:
    """What of a framework is other than what is stored."""
    stored = stored_framework(connection, tenant, found.identifier)
    added, changed, moved = [], [], []
    for one in found.competencies:
        before = stored.rows.get(one.identifier)
        if before is None:
            added.append(one)
            continue
        fields = _other(before.competency, one)
        if fields or before.is_archived:
            changed.append(
                ChangedCompetency(now=one, fields=fields, is_restored=before.is_archived)
            )
        elif before.competency.position != one.position:
            moved.append(one)
    kept = {one.identifier for one in found.competencies}
    gone = [row for name, row in stored.rows.items() if name not in kept and not row.is_archived]
    links = frozenset(found.links)
    return FrameworkDiff(
        found=found,
        stored=stored,
        added=added,
        changed=changed,
        moved=moved,
        archived=gone,
        details={
            name: value for name, value in stored.details.items() if value != getattr(found, name)
        },
        links_added=links - stored.links,
        links_removed=stored.links - links,
    )


def _other(before: Competency, now: Competency) -> dict[str, Any]:
    return {name: old for name in _FIELDS if (old := getattr(before, name)) != getattr(now, name)}


def stored_framework(connection: Connection, tenant: TenantId, identifier: str) -> StoredFramework:
    """A framework of the tenant as it is stored, what is archived included."""
    row = connection.execute(
        select(frameworks).where(
            frameworks.c.tenant_id == tenant, frameworks.c.identifier == identifier
        )
    ).one_or_none()
    if row is None:
        return StoredFramework()
    rows = connection.execute(
        select(competencies)
        .where(competencies.c.framework_id == row.id)
        .order_by(competencies.c.position, competencies.c.id)
    ).all()
    names = {one.id: one.identifier for one in rows}
    return StoredFramework(
        id=row.id,
        details={name: getattr(row, name) for name in DETAILS},
        is_archived=row.archived_at is not None,
        rows={one.identifier: _stored(one, names) for one in rows},
        links=_links(connection, row.id, names),
    )


def _stored(row: Any, names: Mapping[int, str]) -> StoredRow:  # noqa: ANN401 - a row's fields
    return StoredRow(
        id=CompetencyId(row.id),
        is_archived=row.is_archived,
        competency=Competency(
            identifier=row.identifier,
            code=row.code,
            statement=row.statement,
            indicator=row.indicator,
            parent=None if row.parent_id is None else names[row.parent_id],
            position=row.position,
            is_strand=row.is_strand,
        ),
    )


def _links(
    connection: Connection, framework_id: int, names: Mapping[int, str]
) -> frozenset[CompetencyLink]:
    rows = connection.execute(
        select(competency_links)
        .join(competencies, competencies.c.id == competency_links.c.origin_id)
        .where(competencies.c.framework_id == framework_id)
    )
    return frozenset(
        CompetencyLink(
            origin=names[row.origin_id],
            kind=LinkKind(row.kind),
            destination=names[row.destination_id],
        )
        for row in rows
        if row.destination_id in names
    )
