"""What persons said of a learner's evidence: overrides, exclusions, dates. Nothing is deleted.

Who said it, why and when is kept with it. What it may change is put down for recomputation in
the same transaction.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, insert, select, update

from mapping.judgement.overrides import OVERRIDABLE
from mapping.records import CompetencyId, LearnerId, LineItemId, TenantId
from mapping.status import Status
from store.tables import (
    alignments,
    competencies,
    courses,
    exclusions,
    frameworks,
    given_dates,
    learners,
    line_items,
    overrides,
)
from store.waiting import mark_pairs


class NotOfThisDistrict(LookupError):  # noqa: N818 - named for what happened
    """A learner, competency or line item is none of the tenant's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A status that a person gave in place of the computed one, until a moment or for good."""

    learner: LearnerId
    competency: CompetencyId
    status: Status
    reason: str
    author: str
    given_at: datetime
    until: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A line item that a person took out of a learner's evidence, every attempt at it."""

    learner: LearnerId
    line_item: LineItemId
    reason: str
    author: str
    given_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenDate:
    """A date that a teacher gave to a learner's work on a line item, every attempt at it."""

    learner: LearnerId
    line_item: LineItemId
    occurred_at: datetime
    author: str
    given_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str = ""


Judgement: TypeAlias = Override | Exclusion | GivenDate


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgements:
    """What holds of what was said of one learner."""

    overrides: Mapping[CompetencyId, Override]
    exclusions: Mapping[LineItemId, Exclusion]
    dates: Mapping[LineItemId, GivenDate]


def give_override(connection: Connection, tenant: TenantId, given: Override) -> None:
    """Have a person's status stand in place of the computed one; the former one is revoked.

    Args:
        connection: A writing transaction.
        tenant: Whose learner and competency they must be.
        given: What is said.

    Raises:
        NotOfThisDistrict: Learner or competency is another's.
        ValueError: The status cannot be given by a person, or its end is no later than its
            beginning.
    """  # noqa: DOC502 - NotOfThisDistrict is raised by revoke_override()
    if given.status not in OVERRIDABLE:
        raise ValueError(f"{given.status.label!r} cannot be given by a person.")
    if given.until is not None and given.until <= given.given_at:
        raise ValueError("An override must end after it begins.")
    revoke_override(
        connection,
        tenant,
        learner=given.learner,
        competency=given.competency,
        author=given.author,
        now=given.given_at,
    )
    connection.execute(
        insert(overrides).values(
            learner_id=given.learner,
            competency_id=given.competency,
            status=int(given.status),
            reason=given.reason,
            author=given.author,
            given_at=given.given_at,
            until=given.until,
        )
    )


def revoke_override(
    connection: Connection,
    tenant: TenantId,
    *,
    learner: LearnerId,
    competency: CompetencyId,
    author: str,
    now: datetime,
) -> None:
    """Take an override back, if there is one.

    Args:
        connection: A writing transaction.
        tenant: Whose learner and competency they must be.
        learner: Whose status.
        competency: In what.
        author: Who takes it back.
        now: When.

    Raises:
        NotOfThisDistrict: Learner or competency is another's.
    """
    _check_learner(connection, tenant, learner)
    is_known = connection.execute(
        select(competencies.c.id)
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(competencies.c.id == competency, frameworks.c.tenant_id == tenant)
    ).first()
    if is_known is None:
        raise NotOfThisDistrict(f"Competency {competency} is none of this district.")
    is_meant = and_(overrides.c.learner_id == learner, overrides.c.competency_id == competency)
    _revoke(connection, overrides, is_meant, author=author, now=now)
    mark_pairs(connection, [(learner, competency)], now=now)


def exclude(connection: Connection, tenant: TenantId, given: Exclusion) -> None:
    """Take a line item out of a learner's evidence.

    Args:
        connection: A writing transaction.
        tenant: Whose learner and line item they must be.
        given: What is said.

    Raises:
        NotOfThisDistrict: Learner or line item is another's.
    """  # noqa: DOC502 - raised by include()
    include(
        connection,
        tenant,
        learner=given.learner,
        line_item=given.line_item,
        author=given.author,
        now=given.given_at,
    )
    connection.execute(
        insert(exclusions).values(
            learner_id=given.learner,
            line_item_id=given.line_item,
            reason=given.reason,
            author=given.author,
            given_at=given.given_at,
        )
    )


def include(
    connection: Connection,
    tenant: TenantId,
    *,
    learner: LearnerId,
    line_item: LineItemId,
    author: str,
    now: datetime,
) -> None:
    """Take an exclusion back, if there is one; the arguments as for ``revoke_date``.

    Raises:
        NotOfThisDistrict: Learner or line item is another's.
    """  # noqa: DOC502 - raised by _check_cell()
    _check_cell(connection, tenant, learner, line_item=line_item)
    is_meant = and_(exclusions.c.learner_id == learner, exclusions.c.line_item_id == line_item)
    _revoke(connection, exclusions, is_meant, author=author, now=now)
    _mark_cell(connection, learner, line_item, now=now)


def give_date(connection: Connection, tenant: TenantId, given: GivenDate) -> None:
    """Say when a learner showed what a line item's score says.

    Args:
        connection: A writing transaction.
        tenant: Whose learner and line item they must be.
        given: What is said.

    Raises:
        NotOfThisDistrict: Learner or line item is another's.
    """  # noqa: DOC502 - raised by revoke_date()
    revoke_date(
        connection,
        tenant,
        learner=given.learner,
        line_item=given.line_item,
        author=given.author,
        now=given.given_at,
    )
    connection.execute(
        insert(given_dates).values(
            learner_id=given.learner,
            line_item_id=given.line_item,
            occurred_at=given.occurred_at,
            author=given.author,
            given_at=given.given_at,
        )
    )


def revoke_date(
    connection: Connection,
    tenant: TenantId,
    *,
    learner: LearnerId,
    line_item: LineItemId,
    author: str,
    now: datetime,
) -> None:
    """Take a given date back, if there is one.

    Args:
        connection: A writing transaction.
        tenant: Whose learner and line item they must be.
        learner: Whose evidence.
        line_item: Which.
        author: Who takes it back.
        now: When.

    Raises:
        NotOfThisDistrict: Learner or line item is another's.
    """  # noqa: DOC502 - raised by _check_cell()
    _check_cell(connection, tenant, learner, line_item=line_item)
    is_meant = and_(given_dates.c.learner_id == learner, given_dates.c.line_item_id == line_item)
    _revoke(connection, given_dates, is_meant, author=author, now=now)
    _mark_cell(connection, learner, line_item, now=now)


def judgements_of(
    connection: Connection, tenant: TenantId, learner: LearnerId, *, now: datetime
) -> Judgements:
    """What holds at a moment of what was said of a learner: not revoked, and not ended."""
    held = [
        one
        for one in everything_said(connection, tenant, learner)
        if one.given_at <= now and (one.revoked_at is None or one.revoked_at > now)
    ]
    return Judgements(
        overrides={
            one.competency: one
            for one in held
            if isinstance(one, Override) and (one.until is None or one.until > now)
        },
        exclusions={one.line_item: one for one in held if isinstance(one, Exclusion)},
        dates={one.line_item: one for one in held if isinstance(one, GivenDate)},
    )


def everything_said(
    connection: Connection, tenant: TenantId, learner: LearnerId
) -> tuple[Judgement, ...]:
    """Everything that was ever said of a learner, what was taken back included, oldest first."""
    found: list[Judgement] = []
    for table, read in _READERS:
        rows = connection.execute(
            select(table)
            .join(learners, learners.c.id == table.c.learner_id)
            .where(learners.c.tenant_id == tenant, table.c.learner_id == learner)
            .order_by(table.c.id)
        )
        found.extend(read(row) for row in rows)
    return tuple(sorted(found, key=lambda one: one.given_at))


def _check_learner(connection: Connection, tenant: TenantId, learner: LearnerId) -> None:
    found = connection.execute(
        select(learners.c.id).where(learners.c.id == learner, learners.c.tenant_id == tenant)
    )
    if found.first() is None:
        raise NotOfThisDistrict(f"Learner {learner} is none of this district.")


def _check_cell(
    connection: Connection, tenant: TenantId, learner: LearnerId, *, line_item: LineItemId
) -> None:
    _check_learner(connection, tenant, learner)
    found = connection.execute(
        select(line_items.c.id)
        .join(courses, courses.c.id == line_items.c.course_id)
        .where(line_items.c.id == line_item, courses.c.tenant_id == tenant)
    )
    if found.first() is None:
        raise NotOfThisDistrict(f"Line item {line_item} is none of this district.")


def _mark_cell(
    connection: Connection, learner: LearnerId, line_item: LineItemId, *, now: datetime
) -> None:
    rows = connection.execute(
        select(alignments.c.competency_id).where(alignments.c.line_item_id == line_item)
    )
    mark_pairs(connection, [(learner, CompetencyId(row[0])) for row in rows], now=now)


def _revoke(
    connection: Connection,
    table: Table,
    is_meant: ColumnElement[bool],
    *,
    author: str,
    now: datetime,
) -> None:
    connection.execute(
        update(table)
        .where(is_meant, table.c.revoked_at.is_(None))
        .values(revoked_at=now, revoked_by=author)
    )


def _override(row: "Row[Any]") -> Override:
    return Override(
        learner=LearnerId(row.learner_id),
        competency=CompetencyId(row.competency_id),
        status=Status(row.status),
        reason=row.reason,
        author=row.author,
        given_at=row.given_at,
        until=row.until,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
    )


def _exclusion(row: "Row[Any]") -> Exclusion:
    return Exclusion(
        learner=LearnerId(row.learner_id),
        line_item=LineItemId(row.line_item_id),
        reason=row.reason,
        author=row.author,
        given_at=row.given_at,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
    )


def _given_date(row: "Row[Any]") -> GivenDate:
    return GivenDate(
        learner=LearnerId(row.learner_id),
        line_item=LineItemId(row.line_item_id),
        occurred_at=row.occurred_at,
        author=row.author,
        given_at=row.given_at,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
    )


_READERS: tuple[tuple[Table, Callable[["Row[Any]"], Judgement]], ...] = (
    (overrides, _override),
    (exclusions, _exclusion),
    (given_dates, _given_date),
)
