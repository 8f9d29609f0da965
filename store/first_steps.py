"""How far a district has come from nothing to its first night, read from what is there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, func, select

from mapping.records import CourseState, TenantId
from store.alignments import mapping_in_force
from store.policy_changes import PolicyKind
from store.tables import (
    competencies,
    courses,
    frameworks,
    mapping_rules,
    mapping_sets,
    mastery_rules,
    policy_changes,
    runs,
    work_items,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSteps:
    """What there is of each step, as counts of it.

    Attributes:
        courses_found: Active courses.
        courses_read: Those of them whose gradebook was read at least once.
        frameworks: Imported or made here.
        competencies: Of all frameworks, strands and what is archived left out.
        mapping_rules: Of the mapping in force.
        mapped_at: When a mapping was first published, None for never.
        rules_set: Versions of mastery rules that somebody set.
        choices: How often a mode was chosen or a first yes given.
        judged_at: When the first run ended that had a mapping to go by, None for never.
    """

    courses_found: int
    courses_read: int
    frameworks: int
    competencies: int
    mapping_rules: int
    mapped_at: datetime | None
    rules_set: int
    choices: int
    judged_at: datetime | None


def first_steps(connection: Connection, tenant: TenantId) -> FirstSteps:
    """How far a tenant has come."""
    found = connection.execute(
        select(func.count(), func.count(courses.c.synced_at)).where(
            courses.c.tenant_id == tenant, courses.c.state == CourseState.ACTIVE.value
        )
    ).one()
    mapped_at = connection.execute(
        select(func.min(mapping_sets.c.published_at)).where(mapping_sets.c.tenant_id == tenant)
    ).scalar()
    return FirstSteps(
        courses_found=found[0],
        courses_read=found[1],
        frameworks=_count(connection, select(func.count()).where(frameworks.c.tenant_id == tenant)),
        competencies=_count(connection, _competencies(tenant)),
        mapping_rules=_rules_in_force(connection, tenant),
        mapped_at=mapped_at,
        rules_set=_count(
            connection, select(func.count()).where(mastery_rules.c.tenant_id == tenant)
        ),
        choices=_count(connection, _choices(tenant)),
        judged_at=None if mapped_at is None else _judged_at(connection, tenant, mapped_at),
    )


def _count(connection: Connection, query: Select[int]) -> int:
    return connection.execute(query).scalar_one()


def _competencies(tenant: TenantId) -> Select[int]:
    return (
        select(func.count())
        .join_from(competencies, frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(
            frameworks.c.tenant_id == tenant,
            competencies.c.is_archived.is_(False),
            competencies.c.is_strand.is_(False),
        )
    )


def _rules_in_force(connection: Connection, tenant: TenantId) -> int:
    current = mapping_in_force(connection, tenant)
    if current is None:
        return 0
    mine = mapping_rules.c.mapping_set_id == current
    return _count(connection, select(func.count()).where(mine))


def _choices(tenant: TenantId) -> Select[int]:
    kinds = (PolicyKind.MODE.value, PolicyKind.FIRST_YES.value)
    return select(func.count()).where(
        policy_changes.c.tenant_id == tenant, policy_changes.c.kind.in_(kinds)
    )


def _judged_at(connection: Connection, tenant: TenantId, since: datetime) -> datetime | None:
    """When the first run ended that began since a moment, wrote and left something behind."""
    has_work = select(work_items.c.id).where(work_items.c.run_id == runs.c.id).correlate(runs)
    return connection.execute(
        select(func.min(runs.c.finished_at)).where(
            runs.c.tenant_id == tenant,
            runs.c.is_dry.is_(False),
            runs.c.started_at >= since,
            has_work.exists(),
        )
    ).scalar()
