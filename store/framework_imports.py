"""Frameworks brought in by somebody, with what follows from it and a record of each version."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

from sqlalchemy import Connection, func, insert, select, update

from mapping.records import CompetencyLink, Framework, TenantId
from store import due, remapping, waiting
from store.framework_diffs import DETAILS, FrameworkDiff, framework_diff
from store.frameworks import SavedFramework, framework_id, save_diff
from store.policy_changes import Author, PolicyKind, record_change
from store.session import lock
from store.tables import framework_versions, frameworks

_LONGEST_SOURCE, _LONGEST_AUTHOR = 1024, 255
_FIELDS = attrgetter(
    *("identifier", "code", "statement", "indicator", "parent", "position", "is_strand")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """Where a framework comes from.

    Attributes:
        source: The name of a file, an address, an LMS.
        form: The format it came in.
        report: Sentences under headings: what was skipped, what points outside, warnings.
        is_local: Whether it was made here, and is edited here.
    """

    source: str
    form: str
    report: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_local: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkVersion:
    """A framework as it once became; counts are of competencies."""

    number: int
    at: datetime
    by: str
    source: str
    form: str
    digest: str
    added: int
    changed: int
    archived: int
    restored: int
    report: Mapping[str, Sequence[str]]


def bring_in(
    connection: Connection,
    tenant: TenantId,
    found: Framework,
    *,
    brought: Brought,
    author: Author,
) -> SavedFramework:
    """Save a framework, put down what follows, and keep the version; nothing where nothing changes.

    Args:
        connection: A writing transaction.
        tenant: Whose framework it is.
        found: With parents before their children.
        brought: Where it comes from.
        author: Who brings it in, and why.

    Raises:
        HierarchyRefused: Its links run in a circle, with those of other frameworks or alone.
    """  # noqa: DOC502 - raised by save_diff()
    lock(connection, "frameworks", tenant)
    diff = framework_diff(connection, tenant, found)
    saved = save_diff(connection, tenant, diff)
    if diff.is_nothing:
        return saved
    put_down(connection, tenant, saved, now=author.at)
    _record(connection, tenant, diff, saved=saved, brought=brought, author=author)
    return saved


def put_down(
    connection: Connection, tenant: TenantId, saved: SavedFramework, *, now: datetime
) -> None:
    """Have whoever a change of frameworks concerns computed and written again."""
    if saved.is_restructured:
        waiting.mark_everybody(connection, tenant, now=now)
    if saved.says_otherwise:
        due.put_down_tenant(connection, tenant, now=now)
    remapping.follow_links(connection, tenant, now=now)


def versions_of(connection: Connection, framework: int) -> tuple[FrameworkVersion, ...]:
    """The versions of a framework, the newest first."""
    rows = connection.execute(
        select(framework_versions)
        .where(framework_versions.c.framework_id == framework)
        .order_by(framework_versions.c.number.desc())
    )
    return tuple(
        FrameworkVersion(
            number=row.number,
            at=row.at,
            by=row.by,
            source=row.source,
            form=row.form,
            digest=row.digest,
            added=row.added,
            changed=row.changed,
            archived=row.archived,
            restored=row.restored,
            report=json.loads(row.report),
        )
        for row in rows
    )


def digest_of(found: Framework) -> str:
    """What a framework says, in 64 signs: alike for all that say the same."""
    details = [found.identifier, *(getattr(found, name) for name in DETAILS)]
    competencies = [_FIELDS(one) for one in found.competencies]
    links = sorted(map(_words, found.links))
    said = json.dumps([details, competencies, links], ensure_ascii=False)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _words(link: CompetencyLink) -> tuple[str, str, str]:
    return (link.origin, link.kind.value, link.destination)


def _record(
    connection: Connection,
    tenant: TenantId,
    diff: FrameworkDiff,
    *,
    saved: SavedFramework,
    brought: Brought,
    author: Author,
) -> None:
    framework = framework_id(connection, tenant, diff.found.identifier)
    if diff.stored.id is None and brought.is_local:
        made = update(frameworks).where(frameworks.c.id == framework)
        connection.execute(made.values(is_local=True))
    latest = connection.execute(
        select(func.max(framework_versions.c.number)).where(
            framework_versions.c.framework_id == framework
        )
    ).scalar()
    connection.execute(
        insert(framework_versions).values(
            framework_id=framework,
            number=(latest or 0) + 1,
            at=author.at,
            by=author.by[:_LONGEST_AUTHOR],
            source=brought.source[:_LONGEST_SOURCE],
            form=brought.form,
            digest=digest_of(diff.found),
            added=saved.added,
            changed=saved.changed,
            archived=saved.archived,
            restored=saved.restored,
            report=json.dumps(
                {name: list(lines) for name, lines in brought.report.items()}, ensure_ascii=False
            ),
        )
    )
    before = "" if diff.stored.id is None else _counted(len(_present(diff)))
    after = (
        f"{_counted(len(diff.found.competencies))}: {saved.added} added, {saved.changed} changed, "
        f"{saved.archived} archived, {saved.restored} restored"
    )
    change = author.change_of(PolicyKind.FRAMEWORK, diff.found.title, before=before, after=after)
    record_change(connection, tenant, change)


def _present(diff: FrameworkDiff) -> Sequence[str]:
    return [name for name, row in diff.stored.rows.items() if not row.is_archived]


def _counted(count: int) -> str:
    return f"{count} {'competency' if count == 1 else 'competencies'}"
