"""What saying which places are which school would change, before anything is written.

Courses move with their place. With the school, what holds for them may become other: how far they
have come, the way of their marks and whether marks are written at all, and the mapping rules that
go by a school's name. Mastery rules have no scope of a school.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from mapping.alignment import matches, matches_course
from mapping.records import (
    CourseId,
    CourseState,
    MappingRule,
    Mode,
    PassbackWay,
    PlatformId,
    SchoolRef,
    TenantId,
)
from store import modes
from store.alignments import rules_in_force
from store.schools import Place, places_moved
from store.tables import courses, schools


class Marks(Enum):
    """What becomes of the marks of a course."""

    WRITTEN = "written"
    WAITING = "waiting"
    """They would be written, and somebody's yes is asked for first."""
    NOT_WRITTEN = "not written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """What holds for a course by its school and by its own choices; ``school`` is empty for none.

    ``rules`` are the mapping rules in force that speak of it by the name of this school and not by
    that of the other one, by their places from 1.
    """

    school: str
    mode: Mode
    way: PassbackWay
    marks: Marks
    rules: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedCourse:
    """A course that becomes another school's; ``place`` is what its LMS files it under."""

    id: CourseId
    title: str
    code: str
    place: str
    before: Holds
    after: Holds

    @property
    def begins(self) -> bool:
        """Whether marks come to be written, or to be written another way."""
        is_written = self.after.marks is Marks.WRITTEN
        is_other = self.before.marks is not Marks.WRITTEN or self.before.way is not self.after.way
        return is_written and is_other

    @property
    def ends(self) -> bool:
        """Whether marks are written no more."""
        is_written = self.after.marks is Marks.WRITTEN
        return self.before.marks is Marks.WRITTEN and not is_written

    @property
    def waits(self) -> bool:
        """Whether it comes to wait for somebody's yes."""
        return self.after.marks is Marks.WAITING and self.before.marks is not Marks.WAITING

    @property
    def rules_come(self) -> int:
        """How many mapping rules come to speak of it."""
        return len(self.after.rules)

    @property
    def rules_go(self) -> int:
        """How many mapping rules speak of it no more."""
        return len(self.before.rules)

    @property
    def is_other(self) -> bool:
        """Whether anything but the school's name changes for it."""
        parts = ((one.mode, one.way, one.marks, one.rules) for one in (self.before, self.after))
        return next(parts) != next(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """All that would move: courses for which most changes first, and the schools to be made."""

    courses: Sequence[MovedCourse]
    made: Sequence[str]
    places: int

    @property
    def begin(self) -> int:
        """In how many courses marks come to be written, or another way."""
        return sum(one.begins for one in self.courses)

    @property
    def end(self) -> int:
        """In how many courses marks are written no more."""
        return sum(one.ends for one in self.courses)

    @property
    def wait(self) -> int:
        """How many courses come to wait for somebody's yes."""
        return sum(one.waits for one in self.courses)

    @property
    def others(self) -> int:
        """For how many courses more changes than the school's name."""
        return sum(one.is_other for one in self.courses)

    @property
    def ways(self) -> Mapping[tuple[str, str], int]:
        """From which school to which, and how many courses; empty for no school."""
        return Counter((one.before.school, one.after.school) for one in self.courses)

    @property
    def digest(self) -> str:
        """What stands for all of it, in 64 signs."""
        told = sorted((one.id, _said(one.before), _said(one.after)) for one in self.courses)
        text = json.dumps([told, list(self.made), self.places], ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class _School(NamedTuple):
    """What a course has from its school."""

    name: str
    mode: Mode
    way: PassbackWay
    agreed_at: datetime | None


_Placed = tuple[int, MappingRule]
_NONE = _School("", Mode.SHADOW, PassbackWay.NONE, None)


def moves(
    connection: Connection, tenant: TenantId, wanted: Mapping[tuple[PlatformId, SchoolRef], str]
) -> Moves:
    """What saying so would change; see ``store.schools.fill``.

    Args:
        connection: A transaction.
        tenant: Whose places; what is not among them is passed over.
        wanted: The school of each place by its name, letter case aside; empty for none.
    """
    known = {one.casefold(): _school_of(row) for one, row in _rows(connection, tenant).items()}
    made = {}
    moved: dict[tuple[int, str], tuple[Place, _School]] = {}
    for place, name in places_moved(connection, tenant, wanted):
        if name and name.casefold() not in known:
            made[name] = known[name.casefold()] = _NONE._replace(name=name)
        school = known[name.casefold()] if name else _NONE
        moved[place.platform, place.ref] = (place, school)
    rules = _Telling(rules=_by_school(connection, tenant))
    found = [
        _moved(row, *moved[row.platform_id, row.school_ref], rules=rules)
        for row in _courses(connection, tenant)
        if (row.platform_id, row.school_ref) in moved
    ]
    return Moves(
        courses=sorted(
            (one for one in found if one.before.school != one.after.school), key=_first_told
        ),
        made=tuple(made),
        places=len(moved),
    )


def _rows(connection: Connection, tenant: TenantId) -> dict[str, modes.SchoolMode]:
    return {one.name: one for one in modes.school_modes(connection, tenant)}


def _school_of(row: modes.SchoolMode) -> _School:
    return _School(row.name, row.mode, row.way, row.agreed_at)


def _courses(connection: Connection, tenant: TenantId) -> Sequence[Any]:
    return connection.execute(
        select(
            *(courses, schools.c.name.label("school"), schools.c.mode.label("school_mode")),
            schools.c.passback_way.label("school_way"),
            schools.c.agreed_at.label("school_agreed_at"),
        )
        .outerjoin(schools, schools.c.id == courses.c.school_id)
        .where(courses.c.tenant_id == tenant, courses.c.gone_at.is_(None))
        .order_by(courses.c.title, courses.c.id)
    ).all()


def _by_school(connection: Connection, tenant: TenantId) -> list[_Placed]:
    """The rules in force that go by a school, by their places from 1."""
    found = enumerate(rules_in_force(connection, tenant), start=1)
    return [(at, rule) for at, rule in found if rule.school]


@dataclass(frozen=True, slots=True)
class _Telling:
    """Mapping rules that tell one school from another, found once for each two of them."""

    rules: Sequence[_Placed]
    known: dict[tuple[str, str], Sequence[_Placed]] = field(default_factory=dict)

    def apart(self, one: str, other: str) -> Sequence[_Placed]:
        """Those that match the name of one of two schools alone."""
        if (one, other) not in self.known:
            self.known[one, other] = [
                (at, rule)
                for at, rule in self.rules
                if matches(rule.school, one) is not matches(rule.school, other)
            ]
        return self.known[one, other]


def _moved(
    row: Any,  # noqa: ANN401 - a row
    place: Place,
    school: _School,
    *,
    rules: _Telling,
) -> MovedCourse:
    before = _before(row)
    telling = rules.apart(before.name, school.name)
    return MovedCourse(
        id=CourseId(row.id),
        title=row.title,
        code=row.code,
        place=place.called,
        before=_holds(row, before, kind=place.kind, rules=telling),
        after=_holds(row, school, kind=place.kind, rules=telling),
    )


def _before(row: Any) -> _School:  # noqa: ANN401 - a row
    if row.school is None:
        return _NONE
    way = PassbackWay(row.school_way)
    return _School(row.school, Mode(row.school_mode), way, row.school_agreed_at)


def _holds(
    row: Any,  # noqa: ANN401 - a row
    school: _School,
    *,
    kind: str,
    rules: Sequence[_Placed],
) -> Holds:
    mode = school.mode if row.mode is None else Mode(row.mode)
    way = school.way if row.passback_way is None else PassbackWay(row.passback_way)
    is_agreed = (row.agreed_at or school.agreed_at) is not None
    is_counted = row.counted_from is not None
    may_be = row.state == CourseState.ACTIVE.value and mode is Mode.OFFICIAL
    return Holds(
        school=school.name,
        mode=mode,
        way=way,
        marks=_marks(way, kind, is_agreed=is_agreed, is_counted=is_counted)
        if may_be
        else Marks.NOT_WRITTEN,
        rules=tuple(
            at
            for at, rule in rules
            if matches_course(rule, title=row.title, code=row.code, school=school.name)
        ),
    )


def _marks(way: PassbackWay, kind: str, *, is_agreed: bool, is_counted: bool) -> Marks:
    """What becomes of the marks of an official course in use, as the nights have it."""
    is_impossible = way is PassbackWay.COMPETENCY and kind != "moodle"
    if way is PassbackWay.NONE or is_impossible:
        return Marks.NOT_WRITTEN
    if not is_agreed or (way is PassbackWay.MARK_COUNTED and not is_counted):
        return Marks.WAITING
    return Marks.WRITTEN


def _first_told(one: MovedCourse) -> tuple[bool, bool, bool, bool, str, int]:
    return (not one.begins, not one.ends, not one.waits, not one.is_other, one.title, one.id)


def _said(one: Holds) -> tuple[str, str, str, str, tuple[int, ...]]:
    return (one.school, one.mode.value, one.way.value, one.marks.value, one.rules)
