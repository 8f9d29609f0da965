"""Schools: which accounts and categories of the LMSs each of them is, its name and its mode."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from lti_tool.api.operations import OPERATIONS, Call, Page, PageQuery, RowId, page_of
from lti_tool.api.problems import NotHere, Unusable
from lti_tool.launch.services import services
from lti_tool.school_names import LONGEST_NAME, NAME_WRONG, can_be_kept, school_name, tidy
from mapping.records import Mode, PlatformId, SchoolId, SchoolRef
from store import modes, schools
from store.api_tokens import Scope
from store.modes import SchoolMode
from store.schools import NameRefused
from store.session import reading, writing

_MOST_PLACES = 1_000
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
    """Which schools some places are; a name that there is not yet makes a school."""

    places: Annotated[Sequence[NewPlace], msgspec.Meta(max_length=_MOST_PLACES)]
    reason: str = ""


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """The schools that were made, and how many places and courses are another school's now."""

    made: Sequence[str]
    places: int
    courses: int


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
    """Say which schools places are; one that is made writes nothing before its mode is chosen.

    Raises:
        Unusable: A place that is none, or a name that cannot be kept; nothing was changed.
    """
    body: NewPlaces = call.body
    wanted = {
        (PlatformId(one.platform), SchoolRef(one.ref)): tidy(one.school or "")
        for one in body.places
    }
    author = call.caller.author(body.reason)
    with writing(services().engine) as connection:
        there = {(one.platform, one.ref) for one in schools.places(connection, call.caller.tenant)}
        problems = [
            *(
                f"No course is filed under {ref} of LMS {lms}."
                for lms, ref in wanted.keys() - there
            ),
            *(NAME_WRONG for name in wanted.values() if not can_be_kept(name)),
        ]
        if problems:
            raise Unusable("Nothing was changed.", sorted(problems))
        done = schools.fill(connection, call.caller.tenant, wanted, author=author)
    return Filled(made=done.made, places=done.places, courses=done.courses)


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
