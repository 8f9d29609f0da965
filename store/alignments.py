"""Mapping sets, and what they make of the line items there are."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    delete,
    func,
    insert,
    select,
    true,
)

from mapping.lms_links import NOTHING_KNOWN, KnownNames
from mapping.records import (
    WHATEVER_IS_LINKED,
    Alignment,
    CourseId,
    EvidenceKind,
    LearnerId,
    LineItemId,
    MappingRule,
    TenantId,
)
from mapping.steps import packed, steps_of, steps_text
from store.frameworks import competencies_of
from store.item_rows import ItemKey
from store.score_blocks import learners_with
from store.session import upsert
from store.tables import (
    alignments,
    competencies,
    frameworks,
    line_items,
    mapping_rules,
    mapping_sets,
)

_LATER = frozenset({"school", "steps"})


class UnknownCompetencyError(Exception):
    """A mapping rule names a competency that no framework of the tenant holds.

    Attributes:
        missing: The (framework, code) pairs.
    """

    def __init__(self, missing: Sequence[tuple[str, str]]) -> None:
        shown = ", ".join(f"{code!r} of {framework!r}" for framework, code in missing[:5])
        super().__init__(
            f"The mapping names {len(missing)} competencies that are not there: {shown}. "
            "Import their framework first, or correct the codes."
        )
        self.missing = tuple(missing)


def publish_mapping(
    connection: Connection, tenant: TenantId, rules: Sequence[MappingRule], *, now: datetime
) -> int:
    """Make rules the tenant's mapping from now on; the same rules change nothing.

    Args:
        connection: A writing transaction.
        tenant: Whose mapping it is.
        rules: In order; the first that matches an item and a competency holds.
        now: When they were published.

    Returns:
        The id of the mapping set in force.

    Raises:
        UnknownCompetencyError: A rule names a competency that is not there.
    """  # noqa: DOC502 - raised by competency_ids()
    ids = competency_ids(connection, tenant, rules)
    digest = rules_digest(rules)
    current = _current(connection, tenant)
    if current is not None and current[1] == digest:
        return current[0]
    latest = connection.execute(
        select(func.max(mapping_sets.c.version)).where(mapping_sets.c.tenant_id == tenant)
    ).scalar()
    connection.execute(
        insert(mapping_sets).values(
            tenant_id=tenant, version=(latest or 0) + 1, digest=digest, published_at=now
        )
    )
    mapping_set = current_mapping(connection, tenant)
    if rules:
        connection.execute(
            insert(mapping_rules),
            [{"mapping_set_id": mapping_set, **row} for row in rule_rows(rules, ids)],
        )
    return mapping_set


def competency_ids(
    connection: Connection, tenant: TenantId, rules: Sequence[MappingRule]
) -> dict[tuple[str, str], int]:
    """What rules of a tenant may speak for, as ``ids_by_code``, among it all that some name.

    Raises:
        UnknownCompetencyError: A rule names a competency that is not there.
    """
    ids = ids_by_code(connection, tenant)
    missing = sorted({(r.framework, r.competency) for r in rules} - ids.keys())
    if missing:
        raise UnknownCompetencyError(missing)
    return ids


def ids_by_code(
    connection: Connection, tenant: TenantId, *, is_every: bool = False
) -> dict[tuple[str, str], int]:
    """The competencies of a tenant by framework and code.

    Under ``WHATEVER_IS_LINKED`` stands the id of the framework itself.

    Args:
        connection: A transaction.
        tenant: Whose.
        is_every: Whether those no longer there are meant, too.
    """
    rows = connection.execute(
        select(frameworks.c.identifier, frameworks.c.id, competencies.c.code, competencies.c.id)
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(
            frameworks.c.tenant_id == tenant,
            true() if is_every else competencies.c.is_archived.is_(False),
        )
    ).all()
    found = {(identifier, code): int(competency) for identifier, _, code, competency in rows}
    found |= {(row[0], WHATEVER_IS_LINKED): int(row[1]) for row in rows}
    return found


def known_names(
    connection: Connection, tenant: TenantId, rules: Sequence[MappingRule]
) -> KnownNames:
    """The competencies of a tenant by the names that an LMS may have for them.

    Nothing is asked, and nothing known, where none of the rules goes by what the LMS links.
    """
    if not any(rule.is_of_links for rule in rules):
        return NOTHING_KNOWN
    return KnownNames(
        (one.framework, one.identifier, one.code) for one in competencies_of(connection, tenant)
    )


def rule_rows(
    rules: Sequence[MappingRule], ids: Mapping[tuple[str, str], int]
) -> list[dict[str, object]]:
    """Rules as rows, in order, without what they belong to; ``ids`` as of ``ids_by_code``."""
    return [
        {
            "position": position,
            **_spoken_for(rule, ids[rule.framework, rule.competency]),
            "school": rule.school,
            "steps": steps_text(rule.steps),
            "course": rule.course,
            "line_item": rule.line_item,
            "category": rule.category,
            "criterion": rule.criterion,
            "weight": rule.weight,
            "kind": rule.kind.value,
        }
        for position, rule in enumerate(rules)
    ]


def _spoken_for(rule: MappingRule, number: int) -> dict[str, int | None]:
    if rule.is_of_links:
        return {"competency_id": None, "framework_id": number}
    return {"competency_id": number, "framework_id": None}


def current_mapping(connection: Connection, tenant: TenantId) -> int:
    """The id of the mapping set in force.

    Raises:
        LookupError: The tenant never published one.
    """
    current = _current(connection, tenant)
    if current is None:
        raise LookupError(f"Tenant {tenant} has no mapping set.")
    return current[0]


def mapping_in_force(connection: Connection, tenant: TenantId) -> int | None:
    """The id of the mapping set in force, None where none was ever published."""
    current = _current(connection, tenant)
    return None if current is None else current[0]


def has_mapping(connection: Connection, tenant: TenantId) -> bool:
    """Whether the tenant ever published a mapping set."""
    return _current(connection, tenant) is not None


def mapping_at(connection: Connection, tenant: TenantId, moment: datetime) -> int | None:
    """The id of the mapping set in force at a moment, None where none was published yet."""
    return connection.execute(
        select(mapping_sets.c.id)
        .where(mapping_sets.c.tenant_id == tenant, mapping_sets.c.published_at <= moment)
        .order_by(mapping_sets.c.version.desc())
        .limit(1)
    ).scalar()


def rules_in_force(connection: Connection, tenant: TenantId) -> tuple[MappingRule, ...]:
    """The rules of the mapping set in force, in order."""
    current = _current(connection, tenant)
    return () if current is None else rules_of(connection, current[0])


def rules_of(connection: Connection, mapping_set: int) -> tuple[MappingRule, ...]:
    """The rules of a mapping set, in order."""
    rows = connection.execute(
        select(mapping_rules, competencies.c.code, frameworks.c.identifier.label("framework"))
        .outerjoin(competencies, competencies.c.id == mapping_rules.c.competency_id)
        .join(frameworks, is_its_framework(mapping_rules))
        .where(mapping_rules.c.mapping_set_id == mapping_set)
        .order_by(mapping_rules.c.position)
    )
    return tuple(rule_of(row) for row in rows)


def is_its_framework(rules: Table) -> ColumnElement[bool]:
    """The framework of a rule's competency, or the one that it names itself."""
    named = func.coalesce(rules.c.framework_id, competencies.c.framework_id)
    return frameworks.c.id == named


def rule_of(row: Row[Any]) -> MappingRule:
    """A rule of its row, with its ``framework`` and its competency's ``code``, if it has one."""
    return MappingRule(
        competency=WHATEVER_IS_LINKED if row.code is None else row.code,
        framework=row.framework,
        school=row.school,
        steps=steps_of(row.steps),
        course=row.course,
        line_item=row.line_item,
        category=row.category,
        criterion=row.criterion,
        weight=row.weight,
        kind=EvidenceKind(row.kind),
    )


def save_alignments(
    connection: Connection,
    course_id: CourseId,
    resolved: Sequence[Alignment],
    *,
    items: Mapping[ItemKey, LineItemId],
    tenant: TenantId,
) -> tuple[LearnerId, ...]:
    """Keep what a course's line items speak for.

    Args:
        connection: A writing transaction.
        course_id: The course.
        resolved: The mapping in force applied to its line items.
        items: The line item behind each reference, those gone from the LMS included; alignments
            of others are passed over, as are those to competencies that are archived.
        tenant: Whose competencies are meant.

    Returns:
        Learners with a score in a line item whose alignment changed: to be recomputed.
    """
    ids = {(c.framework, c.code): c.id for c in competencies_of(connection, tenant)}
    after: dict[tuple[int, int], tuple[float, str, int]] = {
        (items[key], ids[a.framework, a.competency]): (a.weight, a.kind.value, packed(a.steps))
        for a in resolved
        if (key := (a.line_item_ref, a.criterion_ref)) in items
        and (a.framework, a.competency) in ids
    }
    before = _stored(connection, course_id)
    if before == after:
        return ()
    touched = {
        pair[0] for pair in before.keys() | after.keys() if before.get(pair) != after.get(pair)
    }
    for item, competency in before.keys() - after.keys():
        connection.execute(
            delete(alignments).where(
                alignments.c.line_item_id == item, alignments.c.competency_id == competency
            )
        )
    upsert(
        connection,
        alignments,
        [
            {
                "line_item_id": pair[0],
                "competency_id": pair[1],
                "weight": weight,
                "kind": kind,
                "steps": steps,
            }
            for pair, (weight, kind, steps) in after.items()
            if before.get(pair) != (weight, kind, steps)
        ],
        keys=("line_item_id", "competency_id"),
    )
    return tuple(sorted(learners_with(connection, touched)))


def _stored(
    connection: Connection, course_id: CourseId
) -> dict[tuple[int, int], tuple[float, str, int]]:
    rows = connection.execute(
        select(alignments)
        .join(line_items, line_items.c.id == alignments.c.line_item_id)
        .where(line_items.c.course_id == course_id)
    )
    return {
        (row.line_item_id, row.competency_id): (row.weight, row.kind, row.steps) for row in rows
    }


def _current(connection: Connection, tenant: TenantId) -> tuple[int, str] | None:
    row = connection.execute(
        select(mapping_sets.c.id, mapping_sets.c.digest)
        .where(mapping_sets.c.tenant_id == tenant)
        .order_by(mapping_sets.c.version.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def rules_digest(rules: Sequence[MappingRule]) -> str:
    """What rules come to, in order: equal for equal rules and for no others.

    A part that came with a later release is told only where a rule has it: what was published
    before keeps its digest.
    """
    plain = [
        {
            name: said
            for name, said in {**asdict(rule), "kind": rule.kind.value}.items()
            if said or name not in _LATER
        }
        for rule in rules
    ]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
