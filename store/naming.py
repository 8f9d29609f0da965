"""What persons call things, and which rows they mean by it.

``called`` finds what is called just so, for whoever types a name; ``holding`` finds all whose
names hold a text, for whoever looks for one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select, true

from mapping.records import TenantId
from store.tables import competencies, courses, frameworks, learners

_MOST_HELD = 50
"""Of what holds a text, the first by name."""
_MOST_DIGITS = 18
"""More fit no column of ids."""


class Thing(Enum):
    """What may be named."""

    FRAMEWORK = "framework"
    COURSE = "course"
    COMPETENCY = "competency"
    LEARNER = "learner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Something by its id and by what persons call it."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """How things of a kind are named.

    Attributes:
        all: Their numbers and names; ``of`` is the column of their tenant.
        of: That column.
        number: The column of their numbers.
        ref: What is written exactly so.
        words: What is written with or without capitals.
        searched: What is searched for a text.
        is_present: Whether they are there to be looked for, and not only to be named.
    """

    all: Select[Any]
    of: ColumnElement[int]
    number: ColumnElement[int]
    ref: ColumnElement[str]
    words: Sequence[ColumnElement[str]]
    searched: Sequence[ColumnElement[str]]
    is_present: ColumnElement[bool]


_NAMES: Mapping[Thing, _Names] = {
    Thing.FRAMEWORK: _Names(
        all=select(frameworks.c.id, frameworks.c.title.label("name")),
        of=frameworks.c.tenant_id,
        number=frameworks.c.id,
        ref=frameworks.c.identifier,
        words=(frameworks.c.title,),
        searched=(frameworks.c.title, frameworks.c.identifier),
        is_present=true(),
    ),
    Thing.COURSE: _Names(
        all=select(courses.c.id, courses.c.title.label("name")),
        of=courses.c.tenant_id,
        number=courses.c.id,
        ref=courses.c.sis_id,
        words=(courses.c.code, courses.c.title),
        searched=(courses.c.title, courses.c.code, courses.c.sis_id),
        is_present=true(),
    ),
    Thing.COMPETENCY: _Names(
        all=select(
            competencies.c.id,
            (competencies.c.code + " " + competencies.c.statement).label("name"),
        ).join(frameworks, frameworks.c.id == competencies.c.framework_id),
        of=frameworks.c.tenant_id,
        number=competencies.c.id,
        ref=competencies.c.identifier,
        words=(competencies.c.code,),
        searched=(competencies.c.code, competencies.c.statement),
        is_present=competencies.c.is_archived.is_(False),
    ),
    Thing.LEARNER: _Names(
        all=select(learners.c.id, learners.c.name),
        of=learners.c.tenant_id,
        number=learners.c.id,
        ref=learners.c.sis_id,
        words=(learners.c.name,),
        searched=(learners.c.name, learners.c.sis_id),
        is_present=true(),
    ),
}


def called(
    connection: Connection, tenant: TenantId, thing: Thing, *, name: str
) -> tuple[Named, ...]:
    """Things of a tenant of this name, code, identifier or SIS id, else the one of this number.

    A code may be a number: then what has that code is meant.
    """
    names = _NAMES[thing]
    is_so = or_(names.ref == name, *(func.lower(column) == name.lower() for column in names.words))
    rows = connection.execute(
        names.all.where(names.of == tenant, is_so).order_by(names.number)
    ).all()
    if not rows and name.isdecimal() and name.isascii() and len(name) <= _MOST_DIGITS:
        found = numbered(connection, tenant, thing, number=int(name))
        return () if found is None else (found,)
    return tuple(Named(id=row.id, name=row.name) for row in rows)


def numbered(
    connection: Connection, tenant: TenantId, thing: Thing, *, number: int
) -> Named | None:
    """A thing of a tenant by its number, None where there is none."""
    names = _NAMES[thing]
    query = names.all.where(names.of == tenant, names.number == number)
    row = connection.execute(query).one_or_none()
    return None if row is None else Named(id=row.id, name=row.name)


def holding(
    connection: Connection, tenant: TenantId, thing: Thing, *, text: str
) -> tuple[Named, ...]:
    """Things of a tenant whose names hold a text, capitals or not; the first by name."""
    names = _NAMES[thing]
    holds = or_(*(column.icontains(text, autoescape=True) for column in names.searched))
    query = names.all.where(names.of == tenant, names.is_present, holds)
    rows = connection.execute(query.order_by("name").limit(_MOST_HELD))
    return tuple(Named(id=row.id, name=row.name) for row in rows)


def framework_of(connection: Connection, competency: int) -> int:
    """The number of a competency's framework."""
    query = select(competencies.c.framework_id).where(competencies.c.id == competency)
    return int(connection.execute(query).scalar_one())
