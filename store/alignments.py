"""Mapping sets, and what they make of the line items there are."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from mapping.records import (
    Alignment,
    CourseId,
    EvidenceKind,
    LearnerId,
    LineItemId,
    MappingRule,
    TenantId,
)
from store.frameworks import competencies_of
from store.item_rows import ItemKey
from store.session import upsert
from store.tables import (
    alignments,
    competencies,
    frameworks,
    line_items,
    mapping_rules,
    mapping_sets,
    scores,
)


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
    """The competencies of a tenant by framework and code, among them all that rules name.

    Raises:
        UnknownCompetencyError: A rule names a competency that is not there.
    """
    ids = {(c.framework, c.code): int(c.id) for c in competencies_of(connection, tenant)}
    missing = sorted({(r.framework, r.competency) for r in rules} - ids.keys())
    if missing:
        raise UnknownCompetencyError(missing)
    return ids


def rule_rows(
    rules: Sequence[MappingRule], ids: Mapping[tuple[str, str], int]
) -> list[dict[str, object]]:
    """Rules as rows, in order, without what they belong to."""
    return [
        {
            "position": position,
            "competency_id": ids[rule.framework, rule.competency],
            "course": rule.course,
            "line_item": rule.line_item,
            "category": rule.category,
            "criterion": rule.criterion,
            "weight": rule.weight,
            "kind": rule.kind.value,
        }
        for position, rule in enumerate(rules)
    ]


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
        .join(competencies, competencies.c.id == mapping_rules.c.competency_id)
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(mapping_rules.c.mapping_set_id == mapping_set)
        .order_by(mapping_rules.c.position)
    )
    return tuple(rule_of(row) for row in rows)


def rule_of(row: Row[Any]) -> MappingRule:
    """A rule of its row, with its competency's ``code`` and ``framework``."""
    return MappingRule(
        competency=row.code,
        framework=row.framework,
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
    after: dict[tuple[int, int], tuple[float, str]] = {
        (items[key], ids[a.framework, a.competency]): (a.weight, a.kind.value)
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
            {"line_item_id": pair[0], "competency_id": pair[1], "weight": weight, "kind": kind}
            for pair, (weight, kind) in after.items()
            if before.get(pair) != (weight, kind)
        ],
        keys=("line_item_id", "competency_id"),
    )
    rows = connection.execute(
        select(scores.c.learner_id).where(scores.c.line_item_id.in_(touched)).distinct()
    )
    return tuple(LearnerId(row[0]) for row in rows)


def _stored(
    connection: Connection, course_id: CourseId
) -> dict[tuple[int, int], tuple[float, str]]:
    rows = connection.execute(
        select(alignments)
        .join(line_items, line_items.c.id == alignments.c.line_item_id)
        .where(line_items.c.course_id == course_id)
    )
    return {(row.line_item_id, row.competency_id): (row.weight, row.kind) for row in rows}


def _current(connection: Connection, tenant: TenantId) -> tuple[int, str] | None:
    row = connection.execute(
        select(mapping_sets.c.id, mapping_sets.c.digest)
        .where(mapping_sets.c.tenant_id == tenant)
        .order_by(mapping_sets.c.version.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def rules_digest(rules: Sequence[MappingRule]) -> str:
    """What rules come to, in order: equal for equal rules and for no others."""
    plain = [{**asdict(rule), "kind": rule.kind.value} for rule in rules]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
