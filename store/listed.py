"""Parts of long lists, by id: a part begins behind the last id of the part before."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from mapping.records import CourseId, Mode, TenantId
from store.courses import effective_mode
from store.tables import (
    competencies,
    courses,
    frameworks,
    platforms,
    schools,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """Which part: at most ``most`` entries behind the id ``id``, None for the first part."""

    id: int | None
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCourse:
    """A course; ``own_mode`` was chosen for it alone, ``read_at`` is None until it was read."""

    id: CourseId
    title: str
    code: str
    platform: str
    school: str
    mode: Mode
    own_mode: Mode | None
    read_at: datetime | None
    agreed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCompetency:
    """A competency; ``parent`` is the id of what it is part of."""

    id: int
    identifier: str
    code: str
    statement: str
    indicator: str
    parent: int | None
    is_strand: bool
    is_archived: bool


def courses_listed(
    connection: Connection, tenant: TenantId, part: After, *, course: CourseId | None = None
) -> tuple[ListedCourse, ...]:
    """A part of the tenant's courses by id, or the one asked for."""
    query = (
        select(
            courses,
            platforms.c.name.label("platform"),
            schools.c.name.label("school"),
            effective_mode().label("now_in"),
        )
        .join(platforms, platforms.c.id == courses.c.platform_id)
        .outerjoin(schools, schools.c.id == courses.c.school_id)
        .where(courses.c.tenant_id == tenant)
        .order_by(courses.c.id)
    )
    if course is not None:
        query = query.where(courses.c.id == course)
    return tuple(
        ListedCourse(
            id=CourseId(row.id),
            title=row.title,
            code=row.code,
            platform=row.platform,
            school=row.school or "",
            mode=Mode(row.now_in),
            own_mode=None if row.mode is None else Mode(row.mode),
            read_at=row.synced_at,
            agreed_at=row.agreed_at,
        )
        for row in connection.execute(_behind(query, courses.c.id, part))
    )


def has_framework(connection: Connection, tenant: TenantId, framework: int) -> bool:
    """Whether a framework is the tenant's."""
    query = select(frameworks.c.id).where(
        frameworks.c.id == framework, frameworks.c.tenant_id == tenant
    )
    return connection.execute(query).first() is not None


def competencies_listed(
    connection: Connection, framework: int, part: After
) -> tuple[ListedCompetency, ...]:
    """A part of a framework's competencies by id, archived ones included."""
    query = (
        select(competencies)
        .where(competencies.c.framework_id == framework)
        .order_by(competencies.c.id)
    )
    return tuple(
        ListedCompetency(
            id=row.id,
            identifier=row.identifier,
            code=row.code,
            statement=row.statement,
            indicator=row.indicator,
            parent=row.parent_id,
            is_strand=row.is_strand,
            is_archived=row.is_archived,
        )
        for row in connection.execute(_behind(query, competencies.c.id, part))
    )


def _behind(query: Select[Any], key: Any, part: After) -> Select[Any]:  # noqa: ANN401 - a column
    query = query.limit(part.most)
    return query if part.id is None else query.where(key > part.id)
