"""The schools of a district: which accounts (Canvas) and categories (Moodle) each of them is.

Here schools are made, named and filled. Which there are, and their modes, is of ``store.modes``;
their ways into the gradebook are of ``store.ways``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from mapping.alignment import compiled, plain
from mapping.records import Mode, PassbackWay, PlatformId, SchoolId, SchoolRef, TenantId
from store import due, modes, registrations
from store.policy_changes import Author, PolicyKind, record_change
from store.tables import (
    courses,
    mapping_draft_rules,
    mapping_drafts,
    mapping_rules,
    mapping_sets,
    platforms,
    school_refs,
    schools,
)

NO_SCHOOL = "no school"


class NameRefused(Exception):  # noqa: N818 - named for what the person finds
    """A school cannot be called so; the message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What an LMS files courses under: an account of Canvas, a category of Moodle.

    Attributes:
        platform: Of which LMS.
        lms: What the district calls that LMS.
        kind: ``canvas`` or ``moodle``.
        ref: The LMS's own number of it.
        school: The school that it is, or a part of; empty for none.
        courses: How many courses are filed there now.
        examples: The first and the last of their titles.
    """

    platform: PlatformId
    lms: str
    kind: str
    ref: SchoolRef
    school: str
    courses: int
    examples: tuple[str, ...]

    @property
    def called(self) -> str:
        """What people find it by in the LMS."""
        return f"{'account' if self.kind == 'canvas' else 'category'} {self.ref} of {self.lms}"


@dataclass(frozen=True, slots=True)
class Filled:
    """What came of saying which places are which school."""

    made: tuple[str, ...]
    places: int
    courses: int


def places(connection: Connection, tenant: TenantId) -> tuple[Place, ...]:
    """Whatever courses are filed under now, and what is a school without any, LMS by LMS."""
    found = {(row.platform_id, row.ref): row for row in _filed(connection, tenant)}
    said = {(row.platform_id, row.ref): row for row in _said(connection, tenant)}
    lmss = connection.execute(
        select(platforms.c.id, platforms.c.name, platforms.c.kind).where(
            platforms.c.tenant_id == tenant
        )
    )
    names = {row.id: row for row in lmss}
    keys = sorted(
        found.keys() | said.keys(),
        key=lambda one: (names[one[0]].name, one[0], len(one[1]), one[1]),
    )
    return tuple(
        _place(names[key[0]], key[1], found=found.get(key), school=said.get(key)) for key in keys
    )


def fill(
    connection: Connection,
    tenant: TenantId,
    wanted: Mapping[tuple[PlatformId, SchoolRef], str],
    *,
    author: Author,
) -> Filled:
    """Say which school places are; a school that there is not yet is made, and writes nothing.

    Args:
        connection: A writing transaction.
        tenant: Whose places; what is not among them is passed over.
        wanted: The school of each place by its name, letter case aside; empty for none.
        author: Who says so.
    """
    known = {
        one.name.casefold(): (one.id, one.name) for one in modes.school_modes(connection, tenant)
    }
    made: list[str] = []
    moved = filed = 0
    for place, name in places_moved(connection, tenant, wanted):
        if name and name.casefold() not in known:
            known[name.casefold()] = (_make(connection, tenant, name, author=author), name)
            made.append(name)
        school, told = known[name.casefold()] if name else (None, NO_SCHOOL)
        filed += _put(connection, place, school, author=author)
        moved += 1
        change = author.change_of(
            PolicyKind.SCHOOL, place.called, before=place.school or NO_SCHOOL, after=told
        )
        record_change(connection, tenant, change)
    return Filled(tuple(made), moved, filed)


def places_moved(
    connection: Connection, tenant: TenantId, wanted: Mapping[tuple[PlatformId, SchoolRef], str]
) -> list[tuple[Place, str]]:
    """The places that would be another school than they are, each with that school's name."""
    found = (
        (place, wanted.get((place.platform, place.ref), place.school))
        for place in places(connection, tenant)
    )
    return [(place, name) for place, name in found if name.casefold() != place.school.casefold()]


def rename(
    connection: Connection, tenant: TenantId, school: SchoolId, *, name: str, author: Author
) -> bool:
    """Call a school something else; False where the tenant has none of this id.

    Raises:
        NameRefused: Another school is called so, or rules of a mapping or a draft go by the name
            it has.
    """
    known = {one.id: one.name for one in modes.school_modes(connection, tenant)}
    if school not in known:
        return False
    if name == known[school]:
        return True
    if any(one.casefold() == name.casefold() for at, one in known.items() if at != school):
        raise NameRefused("Another school is called so.")
    if _is_mapped(connection, tenant, known[school], then=name):
        raise NameRefused(
            f"Mapping rules go by the name “{known[school]}” and would no longer find this school. "
            "Change them first so that they find both names."
        )
    connection.execute(update(schools).where(schools.c.id == school).values(name=name))
    change = author.change_of(PolicyKind.SCHOOL, name, before=known[school], after=name)
    record_change(connection, tenant, change)
    return True


def _filed(connection: Connection, tenant: TenantId) -> list[Any]:
    query = (
        select(
            courses.c.platform_id,
            courses.c.school_ref.label("ref"),
            func.count().label("courses"),
            func.min(courses.c.title).label("first"),
            func.max(courses.c.title).label("last"),
        )
        .where(
            courses.c.tenant_id == tenant,
            courses.c.gone_at.is_(None),
            courses.c.school_ref != "",
        )
        .group_by(courses.c.platform_id, courses.c.school_ref)
    )
    return list(connection.execute(query).all())


def _said(connection: Connection, tenant: TenantId) -> list[Any]:
    query = (
        select(school_refs.c.platform_id, school_refs.c.ref, schools.c.name)
        .join(schools, schools.c.id == school_refs.c.school_id)
        .where(schools.c.tenant_id == tenant)
    )
    return list(connection.execute(query).all())


def _place(lms: Any, ref: str, *, found: Any, school: Any) -> Place:  # noqa: ANN401 - rows
    examples = () if found is None else (found.first, found.last)
    return Place(
        platform=PlatformId(lms.id),
        lms=lms.name,
        kind=lms.kind,
        ref=SchoolRef(ref),
        school="" if school is None else school.name,
        courses=0 if found is None else found.courses,
        examples=tuple(dict.fromkeys(examples)),
    )


def _make(connection: Connection, tenant: TenantId, name: str, *, author: Author) -> SchoolId:
    """A school from whose courses nothing leaves until somebody says so."""
    made = registrations.save_school(connection, tenant, name, passback_way=PassbackWay.NONE)
    connection.execute(update(schools).where(schools.c.id == made).values(mode=Mode.SHADOW.value))
    record_change(connection, tenant, author.change_of(PolicyKind.SCHOOL, name, after="made"))
    return made


def _put(connection: Connection, place: Place, school: SchoolId | None, *, author: Author) -> int:
    """Have a place be of a school; how many courses that are there moved."""
    at = (school_refs.c.platform_id == place.platform) & (school_refs.c.ref == place.ref)
    if school is None:
        connection.execute(delete(school_refs).where(at))
    else:
        registrations.save_school_refs(connection, place.platform, {place.ref: school})
    filed = (courses.c.platform_id == place.platform) & (courses.c.school_ref == place.ref)
    rows = connection.execute(select(courses.c.id, courses.c.gone_at).where(filed)).all()
    # Rules of a mapping may go by the school, so its courses are read anew.
    connection.execute(update(courses).where(filed).values(school_id=school, aligned_to=None))
    due.put_down_courses(connection, [row.id for row in rows], now=author.at)
    return sum(row.gone_at is None for row in rows)


def _is_mapped(connection: Connection, tenant: TenantId, name: str, *, then: str) -> bool:
    """Whether a rule of a mapping or of a draft means the school by its name, and not by another.

    Mappings of former times count as well: one may be put in force again.
    """
    for rules, sets, owner in (
        (mapping_rules, mapping_sets, mapping_rules.c.mapping_set_id),
        (mapping_draft_rules, mapping_drafts, mapping_draft_rules.c.draft_id),
    ):
        rows = connection.execute(
            select(rules.c.school)
            .distinct()
            .join(sets, sets.c.id == owner)
            .where(sets.c.tenant_id == tenant, rules.c.school != "")
        )
        for pattern in rows.scalars():
            match = compiled(pattern).match
            if match(plain(name)) and not match(plain(then)):
                return True
    return False
