"""Mapping sets in the making: changed as often as one likes, and in force nowhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from mapping.records import MappingRule, TenantId
from mapping.steps import steps_words
from store.alignments import (
    competency_ids,
    ids_by_code,
    is_its_framework,
    rule_of,
    rule_rows,
    rules_digest,
)
from store.policy_changes import Author, PolicyKind, record_change
from store.tables import competencies, frameworks, mapping_draft_rules, mapping_drafts

MOST_RULES = 20_000
"""Rules in one set; a district's files have some hundreds."""


class TooManyRules(Exception):  # noqa: N818 - named for what happened
    """A draft would have more rules than a set can have."""

    def __init__(self) -> None:
        super().__init__(f"A mapping set has at most {MOST_RULES:,} rules; nothing was changed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """Who changes a draft; ``key`` tells people apart whose names are the same."""

    author: Author
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A mapping set in the making.

    Attributes:
        id: Its id.
        title: What it is called.
        author: Who began it.
        changed_by: The key of who changed it last.
        based_on: The version it began as, None for an empty one.
        created_at: When it was begun.
        changed_at: When it was changed last.
        reason: Why it shall take force, where it is to do so by itself.
        scheduled_by: Who said so, None where nobody did.
        effective_from: From when on.
        rules: How many it has.
    """

    id: int
    title: str
    author: str
    changed_by: str
    based_on: int | None
    created_at: datetime
    changed_at: datetime
    reason: str
    scheduled_by: str | None
    effective_from: datetime | None
    rules: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRule:
    """A rule of a draft, with what its competency says; ``is_archived`` where it is no more.

    ``statement`` is the framework's title where the rule goes by what the LMS links work to.
    """

    id: int
    rule: MappingRule
    statement: str
    is_archived: bool


def drafts_of(connection: Connection, tenant: TenantId) -> tuple[Draft, ...]:
    """The drafts of a tenant, the latest changed first."""
    rows = connection.execute(
        _drafts()
        .where(mapping_drafts.c.tenant_id == tenant)
        .order_by(mapping_drafts.c.changed_at.desc(), mapping_drafts.c.id.desc())
    )
    return tuple(_draft(row) for row in rows)


def find_draft(connection: Connection, tenant: TenantId, draft: int) -> Draft | None:
    """One draft of a tenant, None where it has none of this id."""
    row = connection.execute(
        _drafts().where(mapping_drafts.c.tenant_id == tenant, mapping_drafts.c.id == draft)
    ).one_or_none()
    return None if row is None else _draft(row)


def draft_rules(connection: Connection, draft: int) -> tuple[DraftRule, ...]:
    """The rules of a draft, in order."""
    rows = connection.execute(
        select(
            mapping_draft_rules,
            competencies.c.code,
            competencies.c.statement,
            competencies.c.is_archived,
            frameworks.c.identifier.label("framework"),
            frameworks.c.title.label("framework_title"),
        )
        .outerjoin(competencies, competencies.c.id == mapping_draft_rules.c.competency_id)
        .join(frameworks, is_its_framework(mapping_draft_rules))
        .where(mapping_draft_rules.c.draft_id == draft)
        .order_by(mapping_draft_rules.c.position, mapping_draft_rules.c.id)
    )
    return tuple(
        DraftRule(
            id=row.id,
            rule=rule_of(row),
            statement=row.statement or row.framework_title,
            is_archived=bool(row.is_archived),
        )
        for row in rows
    )


def rules_in(connection: Connection, draft: int) -> tuple[MappingRule, ...]:
    """The rules of a draft, in order, as they would be published."""
    return tuple(one.rule for one in draft_rules(connection, draft))


def draft_digest(connection: Connection, draft: int) -> str:
    """What a draft's rules come to: another digest means that somebody changed them."""
    return rules_digest(rules_in(connection, draft))


def new_draft(
    connection: Connection,
    tenant: TenantId,
    title: str,
    *,
    editor: Editor,
    rules: Sequence[MappingRule] = (),
    based_on: int | None = None,
) -> int:
    """Begin a draft.

    Args:
        connection: A writing transaction.
        tenant: Whose mapping.
        title: What it is called.
        editor: Who begins it.
        rules: What it begins with; rules for competencies that are no more are left out.
        based_on: The version these are of.

    Returns:
        The id of the draft.

    Raises:
        TooManyRules: There are too many.
    """
    if len(rules) > MOST_RULES:
        raise TooManyRules
    at = editor.author.at
    values = {
        "tenant_id": tenant,
        "title": title,
        "author": editor.author.by,
        "changed_by": editor.key,
        "based_on": based_on,
        "created_at": at,
        "changed_at": at,
    }
    done = connection.execute(insert(mapping_drafts).values(**values))
    key = done.inserted_primary_key
    assert key is not None  # noqa: S101 - one row was inserted
    draft = int(key[0])
    known = competency_ids(connection, tenant, ())
    usable = [one for one in rules if (one.framework, one.competency) in known]
    _write(connection, draft, usable, ids=known)
    after = f"draft with {len(usable)} rules" + (f" of version {based_on}" if based_on else "")
    record_change(
        connection, tenant, editor.author.change_of(PolicyKind.MAPPING, title, after=after)
    )
    return draft


def change_rules(
    connection: Connection,
    tenant: TenantId,
    draft: Draft,
    *,
    editor: Editor,
    change: Callable[[list[MappingRule]], tuple[str, str]],
) -> None:
    """Change a draft's rules; one that was to take force by itself no longer is.

    Args:
        connection: A writing transaction.
        tenant: Whose mapping.
        draft: Which draft.
        editor: Who changes it.
        change: Changes the list, and says what was before and what is after.

    Raises:
        UnknownCompetencyError: A new rule names a competency that is not there.
        TooManyRules: There would be too many.
    """  # noqa: DOC502 - the first is raised by competency_ids()
    held = draft_rules(connection, draft.id)
    rules = [one.rule for one in held]
    before, after = change(rules)
    if len(rules) > MOST_RULES:
        raise TooManyRules
    known = {(r.framework, r.competency) for r in (one.rule for one in held)}
    fresh = [rule for rule in rules if (rule.framework, rule.competency) not in known]
    competency_ids(connection, tenant, fresh)
    ids = ids_by_code(connection, tenant, is_every=True)
    connection.execute(
        delete(mapping_draft_rules).where(mapping_draft_rules.c.draft_id == draft.id)
    )
    _write(connection, draft.id, rules, ids=ids)
    touch(connection, draft.id, editor)
    record_change(
        connection,
        tenant,
        editor.author.change_of(PolicyKind.MAPPING, draft.title, before=before, after=after),
    )


def touch(connection: Connection, draft: int, editor: Editor) -> None:
    """Record who changed a draft last, and that nobody has said when it takes force."""
    connection.execute(
        update(mapping_drafts)
        .where(mapping_drafts.c.id == draft)
        .values(
            changed_by=editor.key,
            changed_at=editor.author.at,
            scheduled_by=None,
            effective_from=None,
            reason="",
        )
    )


def discard(connection: Connection, tenant: TenantId, draft: Draft, *, author: Author) -> None:
    """Throw a draft away."""
    forget(connection, draft.id)
    record_change(
        connection,
        tenant,
        author.change_of(
            PolicyKind.MAPPING,
            draft.title,
            before=f"draft with {draft.rules} rules",
            after="thrown away",
        ),
    )


def forget(connection: Connection, draft: int) -> None:
    """Delete a draft and its rules."""
    for table, column in (
        (mapping_draft_rules, mapping_draft_rules.c.draft_id),
        (mapping_drafts, mapping_drafts.c.id),
    ):
        connection.execute(delete(table).where(column == draft))


def carried_forward(
    rules: Sequence[MappingRule], *, former: str, new: str
) -> tuple[MappingRule, ...]:
    """Rules with the courses' patterns moved on, for example from ``2026`` to ``2027``.

    Args:
        rules: In order.
        former: What the patterns of courses have of the old term; empty changes nothing.
        new: What they have of the new one.
    """
    if not former:
        return tuple(rules)
    return tuple(replace(rule, course=rule.course.replace(former, new)) for rule in rules)


def rule_words(rule: MappingRule) -> str:
    """A rule in one line: what it looks for, and what that speaks for."""
    looked = {
        "school": rule.school,
        "course": rule.course,
        "line item": rule.line_item,
        "category": rule.category,
        "criterion": rule.criterion,
    }
    said = ", ".join(f"{name} {pattern}" for name, pattern in looked.items() if pattern)
    spoken_for = (
        f"whatever of {rule.framework} the LMS links" if rule.is_of_links else rule.competency
    )
    counted = f"{rule.kind.value}, weight {rule.weight:g}"
    if rule.steps:
        counted += f", {steps_words(rule.steps)}"
    return f"{spoken_for}: {said or 'everything'} ({counted})"


def _write(
    connection: Connection,
    draft: int,
    rules: Sequence[MappingRule],
    *,
    ids: dict[tuple[str, str], int],
) -> None:
    if rules:
        connection.execute(
            insert(mapping_draft_rules),
            [{"draft_id": draft, **row} for row in rule_rows(rules, ids)],
        )


def _drafts() -> Select[Any]:
    count = (
        select(func.count())
        .select_from(mapping_draft_rules)
        .where(mapping_draft_rules.c.draft_id == mapping_drafts.c.id)
        .scalar_subquery()
    )
    return select(mapping_drafts, count.label("rules"))


def _draft(row: Row[Any]) -> Draft:
    return Draft(
        id=row.id,
        title=row.title,
        author=row.author,
        changed_by=row.changed_by,
        based_on=row.based_on,
        created_at=row.created_at,
        changed_at=row.changed_at,
        reason=row.reason,
        scheduled_by=row.scheduled_by,
        effective_from=row.effective_from,
        rules=row.rules,
    )
