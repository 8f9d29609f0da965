"""Courses, their modes, and where their learners stand."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Literal

import msgspec

from lti_tool.api.operations import OPERATIONS, Call, Page, PageQuery, page_of
from lti_tool.api.problems import NotHere
from lti_tool.launch.services import services
from mapping.records import CourseId, LearnerId, Mode
from store import listed, modes
from store.api_tokens import Scope
from store.listed import After, ListedCourse
from store.refreshes import RefreshCause
from store.reports import LearnerLine, StandingLine, course_standings
from store.session import reading, writing
from workers import queue

_OF_SCHOOL = "school"


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """A course.

    ``own_mode`` is null where the school's mode holds; ``read_at`` before its first night;
    ``agreed_at`` until somebody agreed that its gradebook is written to.
    """

    id: int
    title: str
    code: str
    platform: str
    school: str
    mode: str
    own_mode: str | None
    read_at: datetime | None
    agreed_at: datetime | None


class NewMode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a course has come; "school" gives the choice back to its school."""

    mode: Literal["shadow", "advisory", "published", "official", "school"]
    reason: str = ""


class Refreshing(msgspec.Struct, frozen=True, kw_only=True):
    """What comes of asking for a course to be read now."""

    state: Literal["started", "waiting", "asked before", "paused"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a learner stands in a competency; ``estimate`` is in points of the rule's scale."""

    competency: int
    code: str
    status: str
    estimate: float | None
    evidence_count: int


class LearnerStandings(msgspec.Struct, frozen=True, kw_only=True):
    """A learner of a course and where they stand, as teachers see it."""

    id: int
    name: str
    standings: Sequence[Standing]


@OPERATIONS.add("GET", "/courses", scope=Scope.READ, answer=Page[Course], query=PageQuery)
def list_courses(call: Call) -> Page[Course]:
    """The district's courses, by id."""
    query: PageQuery = call.query
    part = After(id=query.after, most=query.limit + 1)
    with reading(services().engine) as connection:
        found = listed.courses_listed(connection, call.caller.tenant, part)
    return page_of([(one.id, _told(one)) for one in found], query.limit)


@OPERATIONS.add("GET", "/courses/<row_id:course_id>", scope=Scope.READ, answer=Course)
def get_course(call: Call) -> Course:
    """One course."""
    return _told(_course(call))


@OPERATIONS.add(
    "PUT",
    "/courses/<row_id:course_id>/mode",
    scope=Scope.OPERATE,
    answer=Course,
    takes=NewMode,
    example={"mode": "published", "reason": "The pilot went well."},
)
def set_course_mode(call: Call) -> Course:
    """Choose who sees a course's results, and whether its gradebook is written to."""
    wanted: NewMode = call.body
    course = _course(call)
    with writing(services().engine) as connection:
        modes.set_course_mode(
            *(connection, call.caller.tenant, course.id),
            mode=None if wanted.mode == _OF_SCHOOL else Mode(wanted.mode),
            author=call.caller.author(wanted.reason),
        )
    return _told(_course(call))


@OPERATIONS.add(
    "POST",
    "/courses/<row_id:course_id>/refresh",
    scope=Scope.OPERATE,
    answer=Refreshing,
    status=HTTPStatus.ACCEPTED,
)
def refresh_course(call: Call) -> Refreshing:
    """Have a course read out of turn, once, as soon as nothing is in the way."""
    course = _course(call)
    come_of = queue.enqueue_refresh(
        *(services().container, call.caller.tenant, course.id),
        cause=RefreshCause.TEACHER,
        by=call.caller.author().by,
    )
    return Refreshing(state=come_of.value)


@OPERATIONS.add(
    "GET",
    "/courses/<row_id:course_id>/standings",
    scope=Scope.PEOPLE,
    answer=Page[LearnerStandings],
    query=PageQuery,
)
def list_standings(call: Call) -> Page[LearnerStandings]:
    """Where the learners of a course stand in what its line items speak for, by learner's id."""
    query: PageQuery = call.query
    course = _course(call)
    after = None if query.after is None else LearnerId(query.after)
    with reading(services().engine) as connection:
        found = course_standings(
            *(connection, call.caller.tenant, course.id), after=after, most=query.limit + 1
        )
    return page_of([(learner.id, _stands(learner, lines)) for learner, lines in found], query.limit)


def _course(call: Call) -> ListedCourse:
    """The course that the address names.

    Raises:
        NotHere: The district has no such course.
    """
    part = After(id=None, most=1)
    course = CourseId(call.ids["course_id"])
    with reading(services().engine) as connection:
        found = listed.courses_listed(connection, call.caller.tenant, part, course=course)
    if not found:
        raise NotHere("course")
    return found[0]


def _told(course: ListedCourse) -> Course:
    return Course(
        id=course.id,
        title=course.title,
        code=course.code,
        platform=course.platform,
        school=course.school,
        mode=course.mode.value,
        own_mode=None if course.own_mode is None else course.own_mode.value,
        read_at=course.read_at,
        agreed_at=course.agreed_at,
    )


def _stands(learner: LearnerLine, lines: Sequence[StandingLine]) -> LearnerStandings:
    standings = [_standing(one) for one in lines]
    return LearnerStandings(id=learner.id, name=learner.name, standings=standings)


def _standing(line: StandingLine) -> Standing:
    return Standing(
        competency=line.competency.id,
        code=line.competency.code,
        status=line.status.name.lower(),
        estimate=line.estimate,
        evidence_count=line.evidence_count,
    )
