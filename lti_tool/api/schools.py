"""Schools: which accounts and categories of the LMSs each of them is, its name and its mode."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from sqlalchemy import Connection

from lti_tool.api.fields import Digest
from lti_tool.api.operations import OPERATIONS, Call, Page, PageQuery, RowId, page_of
from lti_tool.api.problems import ChangedSince, NotHere, Unusable
from lti_tool.launch.services import services
from lti_tool.school_names import LONGEST_NAME, NAME_WRONG, can_be_kept, school_name, tidy
from mapping.records import Mode, PlatformId, SchoolId, SchoolRef, TenantId
from store import modes, schools
from store.api_tokens import Scope
from store.modes import SchoolMode
from store.school_moves import Holds as HoldsRecord
from store.school_moves import Moves, moves
from store.schools import NameRefused
from store.session import reading, writing

_MOST_PLACES = 1_000
_MOST_MOVES = 200
_Name = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]


class School(msgspec.Struct, frozen=True, kw_only=True):
    """A school; ``agreed_at`` is null while each of its courses needs a yes of its own."""

    id: int
    name: str
    mode: str
    way: str
    agreed_at: datetime | None
    courses: int


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An account of Canvas or a category of Moodle, by the LMS's own number.

    ``school`` is null where it is none, ``courses`` how many are filed there, ``examples`` the
    first and the last of their titles.
    """

    platform: int
    lms: str
    ref: str
    school: str | None
    courses: int
    examples: Sequence[str]


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Whatever the LMSs file courses under, LMS by LMS."""

    items: Sequence[Place]


class NewPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which school a place is, by the school's name; null for none."""

    platform: RowId
    ref: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
    school: _Name | None


class NewPlaces(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which schools some places are; a name that there is not yet makes a school.

    With ``is_dry`` it is only told what would move. The ``seen`` of that, sent back, has it refused
    where something else would move by now.
    """

    places: Annotated[Sequence[NewPlace], msgspec.Meta(max_length=_MOST_PLACES)]
    reason: str = ""
    is_dry: bool = False
    seen: Digest | None = None


class Holds(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a course; ``school`` is null for none.

    ``marks`` are "written", "waiting" for somebody's yes, or "not written". ``rules`` are the
    mapping rules in force, by their places from 1, that speak of the course by the name of this
    school and not by that of the other one.
    """

    school: str | None
    mode: str
    way: str
    marks: str
    rules: Sequence[int]


class MovedCourse(msgspec.Struct, frozen=True, kw_only=True):
    """A course that becomes another school's; ``begins`` where its marks come to be written."""

    id: int
    title: str
    code: str
    place: str
    begins: bool
    before: Holds
    after: Holds


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """The schools that were made, and how many places and courses are another school's now.

    With ``is_dry``: that would be. Of the courses ``changed`` have another mode, way or rules;
    in ``begin`` marks come to be written or go another way, in ``end`` they are written no more,
    and ``wait`` come to wait for somebody's yes. ``moves`` has those that change most first.
    """

    is_dry: bool
    made: Sequence[str]
    places: int
    courses: int
    changed: int
    begin: int
    end: int
    wait: int
    moves: Sequence[MovedCourse]
    seen: str


class NewName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a school is called from now on."""

    name: _Name
    reason: str = ""


class NewSchoolMode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a school has come."""

    mode: Literal["shadow", "advisory", "published", "official"]
    reason: str = ""


@OPERATIONS.add("GET", "/schools", scope=Scope.READ, answer=Page[School], query=PageQuery)
def list_schools(call: Call) -> Page[School]:
    """The district's schools, by id."""
    query: PageQuery = call.query
    found = [one for one in _schools(call) if query.after is None or one.id > query.after]
    return page_of([(one.id, one) for one in found[: query.limit + 1]], query.limit)


@OPERATIONS.add("GET", "/schools/<row_id:school_id>", scope=Scope.READ, answer=School)
def get_school(call: Call) -> School:
    """One school."""
    return _school(call)


@OPERATIONS.add(
    "PUT",
    "/schools/<row_id:school_id>/mode",
    scope=Scope.OPERATE,
    answer=School,
    takes=NewSchoolMode,
    example={"mode": "advisory", "reason": "Teachers were told."},
)
def set_school_mode(call: Call) -> School:
    """Choose who sees the results of a school's courses, and whether gradebooks are written to."""
    wanted: NewSchoolMode = call.body
    school = _school(call)
    author = call.caller.author(wanted.reason)
    with writing(services().engine) as connection:
        modes.set_school_mode(
            *(connection, call.caller.tenant, school.name), mode=Mode(wanted.mode), author=author
        )
    return _school(call)


@OPERATIONS.add(
    "PUT",
    "/schools/<row_id:school_id>/name",
    scope=Scope.OPERATE,
    answer=School,
    takes=NewName,
    example={"name": "Harbour School", "reason": "It moved."},
)
def rename_school(call: Call) -> School:
    """Call a school something else, unless mapping rules go by the name it has.

    Raises:
        Unusable: It cannot be called so.
    """
    wanted: NewName = call.body
    school = _school(call)
    author = call.caller.author(wanted.reason)
    try:
        name = school_name(wanted.name)
        with writing(services().engine) as connection:
            schools.rename(
                *(connection, call.caller.tenant, SchoolId(school.id)), name=name, author=author
            )
    except NameRefused as error:
        raise Unusable(str(error)) from error
    return _school(call)


@OPERATIONS.add("GET", "/school-places", scope=Scope.READ, answer=Places)
def list_school_places(call: Call) -> Places:
    """Whatever the LMSs file courses under, and which school each of it is."""
    with reading(services().engine) as connection:
        found = schools.places(connection, call.caller.tenant)
    return Places(items=[_told(one) for one in found])


@OPERATIONS.add(
    "PUT",
    "/school-places",
    scope=Scope.OPERATE,
    answer=Filled,
    takes=NewPlaces,
    example={"places": [{"platform": 1, "ref": "12", "school": "Harbour School"}], "reason": ""},
)
def set_school_places(call: Call) -> Filled:
    """Say which schools places are, or with ``is_dry`` see what that would move.

    A school that is made writes nothing before its mode is chosen. Courses that come to a school
    that is official may have marks written from the next run on: try it dry first.

    Raises:
        ChangedSince: Something else would move than was seen.
    """
    body: NewPlaces = call.body
    wanted = {
        (PlatformId(one.platform), SchoolRef(one.ref)): tidy(one.school or "")
        for one in body.places
    }
    tenant = call.caller.tenant
    opened = reading if body.is_dry else writing
    with opened(services().engine) as connection:
        _must_be_usable(connection, tenant, wanted)
        found = moves(connection, tenant, wanted)
        if not body.is_dry:
            if body.seen is not None and body.seen != found.digest:
                look = "PUT /school-places with is_dry"
                raise ChangedSince("Something else would move by now.", look)
            author = call.caller.author(body.reason)
            schools.fill(connection, tenant, wanted, author=author)
    return _filled(found, is_dry=body.is_dry)


def _must_be_usable(
    connection: Connection, tenant: TenantId, wanted: Mapping[tuple[PlatformId, SchoolRef], str]
) -> None:
    """Let on places that are some, and names that can be kept.

    Raises:
        Unusable: A place that is none, or a name that cannot be kept; nothing was changed.
    """
    there = {(one.platform, one.ref) for one in schools.places(connection, tenant)}
    problems = [
        *(f"No course is filed under {ref} of LMS {lms}." for lms, ref in wanted.keys() - there),
        *(NAME_WRONG for name in wanted.values() if not can_be_kept(name)),
    ]
    if problems:
        raise Unusable("Nothing was changed.", sorted(problems))


def _filled(found: Moves, *, is_dry: bool) -> Filled:
    return Filled(
        is_dry=is_dry,
        made=found.made,
        places=found.places,
        courses=len(found.courses),
        changed=found.others,
        begin=found.begin,
        end=found.end,
        wait=found.wait,
        moves=[
            MovedCourse(
                **{name: getattr(one, name) for name in ("id", "title", "code", "place", "begins")},
                before=_holds(one.before),
                after=_holds(one.after),
            )
            for one in found.courses[:_MOST_MOVES]
        ],
        seen=found.digest,
    )


def _holds(one: HoldsRecord) -> Holds:
    return Holds(
        school=one.school or None,
        mode=one.mode.value,
        way=one.way.value,
        marks=one.marks.value,
        rules=one.rules,
    )


def _school(call: Call) -> School:
    """The school that the address names.

    Raises:
        NotHere: The district has no such school.
    """
    wanted = call.ids["school_id"]
    found = next((one for one in _schools(call) if one.id == wanted), None)
    if found is None:
        raise NotHere("school")
    return found


def _schools(call: Call) -> list[School]:
    tenant = call.caller.tenant
    with reading(services().engine) as connection:
        found = modes.school_modes(connection, tenant)
        places = schools.places(connection, tenant)
    courses: Counter[str] = Counter()
    for place in places:
        courses[place.school] += place.courses
    return [_shown(one, courses[one.name]) for one in sorted(found, key=lambda one: one.id)]


def _shown(school: SchoolMode, courses: int) -> School:
    return School(
        id=school.id,
        name=school.name,
        mode=school.mode.value,
        way=school.way.value,
        agreed_at=school.agreed_at,
        courses=courses,
    )


def _told(place: schools.Place) -> Place:
    return Place(
        platform=place.platform,
        lms=place.lms,
        ref=place.ref,
        school=place.school or None,
        courses=place.courses,
        examples=place.examples,
    )
