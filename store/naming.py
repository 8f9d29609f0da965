"""What persons call things on the command line, and which rows they mean by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from mapping.records import TenantId
from store.tables import competencies, courses, frameworks, learners

_MOST_LIKE = 50
"""Of what holds a text, the first by name."""
_MOST_DIGITS = 18
"""More fit no column of ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Something by its id and by what persons call it."""

    id: int
    name: str


def frameworks_called(connection: Connection, tenant: TenantId, called: str) -> tuple[Named, ...]:
    """Frameworks of a number, identifier or title."""
    query = select(frameworks.c.id, frameworks.c.title.label("name")).where(
        frameworks.c.tenant_id == tenant
    )
    names = (frameworks.c.identifier == called, _is(frameworks.c.title, called))
    return _found(connection, query, frameworks.c.id, called=called, names=names)


def courses_called(connection: Connection, tenant: TenantId, called: str) -> tuple[Named, ...]:
    """Courses of a number, title, code or SIS id."""
    query = select(courses.c.id, courses.c.title.label("name")).where(courses.c.tenant_id == tenant)
    names = (
        courses.c.sis_id == called,
        _is(courses.c.code, called),
        _is(courses.c.title, called),
    )
    return _found(connection, query, courses.c.id, called=called, names=names)


def competencies_called(connection: Connection, tenant: TenantId, called: str) -> tuple[Named, ...]:
    """Competencies of a number, code or identifier."""
    query = (
        select(
            competencies.c.id,
            (competencies.c.code + " " + competencies.c.statement).label("name"),
        )
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(frameworks.c.tenant_id == tenant)
    )
    names = (competencies.c.identifier == called, _is(competencies.c.code, called))
    return _found(connection, query, competencies.c.id, called=called, names=names)


def learners_called(connection: Connection, tenant: TenantId, called: str) -> tuple[Named, ...]:
    """Learners of a number, SIS id or name."""
    query = select(learners.c.id, learners.c.name).where(learners.c.tenant_id == tenant)
    names = (learners.c.sis_id == called, _is(learners.c.name, called))
    return _found(connection, query, learners.c.id, called=called, names=names)


def framework_of(connection: Connection, competency: int) -> int:
    """The number of a competency's framework."""
    query = select(competencies.c.framework_id).where(competencies.c.id == competency)
    return int(connection.execute(query).scalar_one())


def _is(column: ColumnElement[str], called: str) -> ColumnElement[bool]:
    return func.lower(column) == called.lower()


def _found(
    connection: Connection,
    query: Select[Any],
    number: ColumnElement[int],
    *,
    called: str,
    names: Sequence[ColumnElement[bool]],
) -> tuple[Named, ...]:
    """Those of a name; where there are none, the one of a number: a code may be a number."""
    rows = connection.execute(query.where(or_(*names)).order_by(number)).all()
    if not rows and called.isdecimal() and called.isascii() and len(called) <= _MOST_DIGITS:
        rows = connection.execute(query.where(number == int(called))).all()
    return tuple(Named(id=row.id, name=row.name) for row in rows)


def frameworks_like(connection: Connection, tenant: TenantId, text: str) -> tuple[Named, ...]:
    """Frameworks whose title or identifier holds a text, without regard to case."""
    query = select(frameworks.c.id, frameworks.c.title.label("name")).where(
        frameworks.c.tenant_id == tenant,
        _holds((frameworks.c.title, frameworks.c.identifier), text),
    )
    return _named(connection, query)


def courses_like(connection: Connection, tenant: TenantId, text: str) -> tuple[Named, ...]:
    """Courses whose title, code or SIS id holds a text, without regard to case."""
    query = select(courses.c.id, courses.c.title.label("name")).where(
        courses.c.tenant_id == tenant,
        _holds((courses.c.title, courses.c.code, courses.c.sis_id), text),
    )
    return _named(connection, query)


def competencies_like(connection: Connection, tenant: TenantId, text: str) -> tuple[Named, ...]:
    """Competencies whose code or statement holds a text, without regard to case."""
    name = (competencies.c.code + " " + competencies.c.statement).label("name")
    query = (
        select(competencies.c.id, name)
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(
            frameworks.c.tenant_id == tenant,
            competencies.c.is_archived.is_(False),
            _holds((competencies.c.code, competencies.c.statement), text),
        )
    )
    return _named(connection, query)


def _holds(columns: Sequence[ColumnElement[str]], text: str) -> ColumnElement[bool]:
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


def _named(connection: Connection, query: Select[Any]) -> tuple[Named, ...]:
    rows = connection.execute(query.order_by("name").limit(_MOST_LIKE))
    return tuple(Named(id=row.id, name=row.name) for row in rows)
