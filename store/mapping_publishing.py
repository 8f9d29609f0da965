"""Mapping sets take force: a draft now or on a later night, or what held before once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from mapping.records import MappingRule, TenantId
from store.alignments import (
    UnknownCompetencyError,
    mapping_in_force,
    publish_mapping,
    rules_digest,
    rules_in_force,
    rules_of,
)
from store.mapping_drafts import Draft, Editor, find_draft, forget, rules_in
from store.policy_changes import Author, PolicyKind, record_change
from store.remapping import apply_mapping
from store.second_person import needs_second
from store.session import lock
from store.tables import mapping_drafts, mapping_rules, mapping_sets

DESK = "mapping"
"""What is locked while a mapping set is changed or published."""


class PublishingRefused(Exception):  # noqa: N818 - named for what happened
    """A draft was not published; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A mapping set that is or was in force.

    Attributes:
        id: Of the set.
        version: From 1, the highest is in force.
        title: Of the draft it was; empty for one of a district file.
        author: Who published it.
        reason: Why.
        published_at: Since when it was in force.
        effective_from: From when on it was meant to hold, None for since it was published.
        restored: The version whose rules came back with it, if any.
        rules: How many it has.
        is_in_force: Whether it is; else it is retired.
    """

    id: int
    version: int
    title: str
    author: str
    reason: str
    published_at: datetime
    effective_from: datetime | None
    restored: int | None
    rules: int
    is_in_force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """How a draft is to be published.

    Attributes:
        by: Who publishes it, when, why.
        effective_from: From when on it is to hold. None for now; one to come has it wait for the
            first night from then on; one that has been is kept with it and changes nothing else.
        seen: The digest of the rules that were looked at.
    """

    by: Editor
    effective_from: datetime | None
    seen: str


def versions_of(connection: Connection, tenant: TenantId) -> tuple[Version, ...]:
    """Every mapping set a tenant published, the newest first."""
    count = (
        select(func.count())
        .select_from(mapping_rules)
        .where(mapping_rules.c.mapping_set_id == mapping_sets.c.id)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(mapping_sets, count.label("rules"))
        .where(mapping_sets.c.tenant_id == tenant)
        .order_by(mapping_sets.c.version.desc())
    ).all()
    return tuple(
        Version(
            id=row.id,
            version=row.version,
            title=row.title,
            author=row.author,
            reason=row.reason,
            published_at=row.published_at,
            effective_from=row.effective_from,
            restored=row.restored,
            rules=row.rules,
            is_in_force=at == 0,
        )
        for at, row in enumerate(rows)
    )


def publish_draft(
    connection: Connection, tenant: TenantId, draft_id: int, *, publication: Publication
) -> Version | None:
    """Publish a draft, or have it wait for a night to come.

    All alignments are made anew at once, and whoever that concerns is put down to be computed
    again. The draft is the published set from then on.

    Args:
        connection: A writing transaction.
        tenant: Whose mapping.
        draft_id: Which draft.
        publication: By whom, from when on, and what was looked at before.

    Returns:
        The set in force; None where the draft waits.

    Raises:
        PublishingRefused: It was changed meanwhile, names competencies that are no more, holds
            the rules in force, or needs a second person.
    """
    lock(connection, DESK, tenant)
    draft = find_draft(connection, tenant, draft_id)
    if draft is None:
        raise PublishingRefused("This draft is not there any more; somebody published it.")
    rules = rules_in(connection, draft.id)
    _require_publishable(connection, tenant, draft, rules=rules, publication=publication)
    author, begins = publication.by.author, publication.effective_from
    if begins is not None and begins > author.at:
        _schedule(connection, tenant, draft, author=author, begins=begins)
        return None
    return _publish(connection, tenant, draft, author=author, begins=begins)


def publish_due(connection: Connection, tenant: TenantId, *, now: datetime) -> None:
    """Publish the drafts whose day has come, the earliest first, before a night plans its work.

    One whose competencies are gone by now stays a draft, and the trail says so.
    """
    rows = connection.execute(
        select(mapping_drafts.c.id)
        .where(
            mapping_drafts.c.tenant_id == tenant,
            mapping_drafts.c.scheduled_by.is_not(None),
            mapping_drafts.c.effective_from <= now,
        )
        .order_by(mapping_drafts.c.effective_from, mapping_drafts.c.id)
    ).all()
    for row in rows:
        lock(connection, DESK, tenant)
        draft = find_draft(connection, tenant, row.id)
        if draft is None or draft.scheduled_by is None:
            continue
        author = Author(by=draft.scheduled_by, at=now, reason=draft.reason)
        try:
            _publish(connection, tenant, draft, author=author, begins=draft.effective_from)
        except UnknownCompetencyError as error:
            _leave(connection, tenant, draft, author=author, why=str(error))


def roll_back(
    connection: Connection,
    tenant: TenantId,
    version: int,
    *,
    author: Author,
    seen: int | None = None,
) -> Version | None:
    """Publish the rules of a former version again, as a new one.

    No second person is asked: these rules were in force before.

    Args:
        connection: A writing transaction.
        tenant: Whose mapping.
        version: Which one.
        author: Who, when, why.
        seen: The version that was in force when it was looked at; None for whichever is.

    Returns:
        The set in force; None where there is no such version.

    Raises:
        PublishingRefused: The version is in force, or has the same rules as the one in force, or
            another is in force than was seen.
    """
    lock(connection, DESK, tenant)
    known = versions_of(connection, tenant)
    chosen = next((one for one in known if one.version == version), None)
    if chosen is None:
        return None
    if seen not in {None, known[0].version}:
        raise PublishingRefused(
            f"Version {known[0].version} is in force by now. Look at what going back would do now."
        )
    rules = rules_of(connection, chosen.id)
    if rules_digest(rules) == rules_digest(rules_in_force(connection, tenant)):
        raise PublishingRefused(f"The rules of version {version} are in force; nothing changes.")
    former, now = known[0], author.at
    values = {
        "tenant_id": tenant,
        "version": former.version + 1,
        "digest": rules_digest(rules),
        "published_at": now,
        "title": chosen.title,
        "author": author.by,
        "reason": author.reason,
        "restored": version,
    }
    connection.execute(insert(mapping_sets).values(**values))
    _copy_rules(connection, chosen.id, mapping_in_force(connection, tenant) or 0)
    return _take_force(connection, tenant, rules, former=former, author=author)


def _copy_rules(connection: Connection, former: int, present: int) -> None:
    """Rules for competencies that are no more come along: they speak for nothing."""
    kept = [one for one in mapping_rules.c if one.name not in {"id", "mapping_set_id"}]
    rows = connection.execute(select(*kept).where(mapping_rules.c.mapping_set_id == former))
    copies = [{"mapping_set_id": present, **row} for row in rows.mappings()]
    if copies:
        connection.execute(insert(mapping_rules), copies)


def _require_publishable(
    connection: Connection,
    tenant: TenantId,
    draft: Draft,
    *,
    rules: Sequence[MappingRule],
    publication: Publication,
) -> None:
    if rules_digest(rules) != publication.seen:
        raise PublishingRefused(
            "The draft was changed since you looked at it. Look at what it would do now, and "
            "publish then."
        )
    if needs_second(connection, tenant) and publication.by.key == draft.changed_by:
        raise PublishingRefused(
            "You changed this draft last, and this district wants a second person to publish it. "
            "Ask another administrator to look at it and publish it."
        )
    if rules == rules_in_force(connection, tenant):
        raise PublishingRefused("These rules are in force already; publishing changes nothing.")


def _schedule(
    connection: Connection, tenant: TenantId, draft: Draft, *, author: Author, begins: datetime
) -> None:
    connection.execute(
        update(mapping_drafts)
        .where(mapping_drafts.c.id == draft.id)
        .values(scheduled_by=author.by, effective_from=begins, reason=author.reason)
    )
    after = f"takes force on the first night from {begins:%Y-%m-%d %H:%M} UTC on"
    change = author.change_of(PolicyKind.MAPPING, draft.title, before="draft", after=after)
    record_change(connection, tenant, change)


def _publish(
    connection: Connection,
    tenant: TenantId,
    draft: Draft,
    *,
    author: Author,
    begins: datetime | None,
) -> Version:
    former = next(iter(versions_of(connection, tenant)), None)
    rules = rules_in(connection, draft.id)
    present = publish_mapping(connection, tenant, rules, now=author.at)
    if former is not None and present == former.id:
        # A night may find that what waited for it is in force already.
        forget(connection, draft.id)
        return former
    connection.execute(
        update(mapping_sets)
        .where(mapping_sets.c.id == present)
        .values(title=draft.title, author=author.by, reason=author.reason, effective_from=begins)
    )
    forget(connection, draft.id)
    return _take_force(connection, tenant, rules, former=former, author=author)


def _take_force(
    connection: Connection,
    tenant: TenantId,
    rules: Sequence[MappingRule],
    *,
    former: Version | None,
    author: Author,
) -> Version:
    present = versions_of(connection, tenant)[0]
    sets = (None if former is None else former.id, present.id)
    apply_mapping(connection, tenant, rules, sets=sets, now=author.at)
    again = f", again the rules of version {present.restored}" if present.restored else ""
    change = author.change_of(
        PolicyKind.MAPPING,
        present.title or "mapping",
        before="none in force" if former is None else f"version {former.version} in force",
        after=f"version {present.version} in force{again}",
    )
    record_change(connection, tenant, change)
    return present


def _leave(
    connection: Connection, tenant: TenantId, draft: Draft, *, author: Author, why: str
) -> None:
    connection.execute(
        update(mapping_drafts)
        .where(mapping_drafts.c.id == draft.id)
        .values(scheduled_by=None, effective_from=None)
    )
    change = author.change_of(
        PolicyKind.MAPPING, draft.title, before="to take force", after=f"still a draft: {why}"
    )
    record_change(connection, tenant, change)
