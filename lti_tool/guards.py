"""Who may see what: decided from the proven claims of this one launch, never from a user's past.

Whatever is not clearly allowed is not there: a page for another capacity, another course, another
learner or another tenant is answered like an address that does not exist.
"""

from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection

from lti_tool.launch.claims import VerifiedClaims
from lti_tool.launch.state import LaunchRecord
from mapping.evidence import View
from mapping.records import CourseId, CourseRef, LearnerId, LearnerRef
from store import registrations, reports
from store.registrations import Platform

_VOCABULARY = "http://purl.imsglobal.org/vocab/lis/v2/"
_MEMBERSHIP = _VOCABULARY + "membership#"
_INSTITUTION_ADMINISTRATOR = _VOCABULARY + "institution/person#Administrator"
_SYSTEM_ADMINISTRATOR = _VOCABULARY + "system/person#Administrator"
_ACCOUNT_PLACEMENT = "account_navigation"
_MOODLE = "moodle"


class Capacity(Enum):
    """As what a person came."""

    LEARNER = "learner"
    TEACHER = "teacher"
    GUARDIAN = "guardian"
    ADMINISTRATOR = "administrator"


_COURSE_ROLES = {
    "Instructor": Capacity.TEACHER,
    "Learner": Capacity.LEARNER,
    "Mentor": Capacity.GUARDIAN,
}


class NotThere(Exception):  # noqa: N818 - named for what the person finds
    """There is nothing at this address for this launch."""


class NotYourPage(Exception):  # noqa: N818 - named for what the person finds
    """The launch is proven, but came in no capacity that this page is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request that belongs to a launch, proven by its cookie; ``timezone`` is the tenant's."""

    launch_id: str
    record: LaunchRecord
    platform: Platform
    timezone: str

    def has(self, capacity: Capacity) -> bool:
        """Whether the launch came in this capacity."""
        return capacity.value in self.record.capacities


def course_of(claims: VerifiedClaims, platform: Platform) -> CourseRef | None:
    """The course of a launch, by the id that the platform's web services use.

    Source: contracts/canvas.md 5.4 (``canvas_course_id``), contracts/moodle.md 3.1 (context id).
    """
    if platform.kind == _MOODLE:
        return None if claims.context is None else CourseRef(claims.context)
    found = claims.custom.get("canvas_course_id")
    return None if found is None else CourseRef(found)


def person_of(claims: VerifiedClaims, platform: Platform) -> LearnerRef | None:
    """The person of a launch, by the id that the platform's web services use.

    Source: contracts/canvas.md 5.4 (``canvas_user_id``), contracts/moodle.md 3.1 (``sub``).
    """
    if claims.subject is None:
        return None
    if platform.kind == _MOODLE:
        return LearnerRef(claims.subject)
    found = claims.custom.get("canvas_user_id")
    return None if found is None else LearnerRef(found)


def capacities_of(claims: VerifiedClaims, platform: Platform) -> frozenset[Capacity]:
    """As what a person came, by this launch's roles.

    Only membership roles speak for a course: Canvas sends a person's institution roles with
    every launch, so somebody who teaches elsewhere would be a teacher everywhere.

    Args:
        claims: Of this launch.
        platform: Which sent it.

    Returns:
        Every capacity that the roles prove; an anonymous person has none.

    Source: LTI Core 1.3, appendix A.2; contracts/canvas.md 5.3; contracts/moodle.md 3.1.
    """
    if claims.subject is None:
        return frozenset()
    named = (role.removeprefix(_MEMBERSHIP) for role in claims.roles)
    found = {_COURSE_ROLES[name] for name in named if name in _COURSE_ROLES}
    if _is_administrator(claims, platform):
        found.add(Capacity.ADMINISTRATOR)
    return frozenset(found)


def _is_administrator(claims: VerifiedClaims, platform: Platform) -> bool:
    if platform.kind == _MOODLE:
        return _SYSTEM_ADMINISTRATOR in claims.roles
    is_of_account = not claims.is_in_course or claims.placement == _ACCOUNT_PLACEMENT
    return (
        _INSTITUTION_ADMINISTRATOR in claims.roles
        and is_of_account
        and course_of(claims, platform) is None
    )


def require(visit: Visit, *allowed: Capacity) -> None:
    """Let on only who came in one of these capacities.

    Raises:
        NotYourPage: In none of them.
    """
    if not any(visit.has(capacity) for capacity in allowed):
        raise NotYourPage


def launched_course(connection: Connection, visit: Visit) -> CourseId | None:
    """The course of the launch, None where there is none or it was not read yet."""
    if visit.record.course is None:
        return None
    return registrations.find_course(connection, visit.platform.id, visit.record.course)


def own_learner(connection: Connection, visit: Visit) -> LearnerId | None:
    """The learner that the person is, None where they are none that was read yet."""
    if visit.record.person is None:
        return None
    return registrations.find_learner(connection, visit.platform.id, visit.record.person)


def require_class(connection: Connection, visit: Visit, course: CourseId) -> None:
    """Let on a teacher of this very course, or an administrator.

    The course is still to be looked up within the tenant.

    Raises:
        NotThere: The launch is neither.
    """
    if visit.has(Capacity.ADMINISTRATOR):
        return
    if not visit.has(Capacity.TEACHER) or launched_course(connection, visit) != course:
        raise NotThere


def view_of_learner(
    connection: Connection, visit: Visit, learner: LearnerId
) -> tuple[View, CourseId]:
    """With whose eyes a launch may look at a learner, and within which course.

    A teacher sees the active learners of the launched course; a guardian those whom the LMS lets
    them observe there, and no more than the learner sees.

    Args:
        connection: A transaction.
        visit: Who asks.
        learner: Whom they ask about.

    Returns:
        The view and the launched course.

    Raises:
        NotThere: Not with any.
    """
    course = launched_course(connection, visit)
    if course is None:
        raise NotThere
    tenant = visit.record.tenant
    if visit.has(Capacity.TEACHER) and reports.is_enrolled(
        connection, tenant, course, learner=learner
    ):
        return View.TEACHER, course
    if learner in {child.id for child in children(connection, visit, course)}:
        return View.LEARNER, course
    raise NotThere


def children(
    connection: Connection, visit: Visit, course: CourseId
) -> tuple[reports.LearnerLine, ...]:
    """The learners whom a guardian may look at; nobody's for who is no guardian."""
    person = visit.record.person
    if person is None or not visit.has(Capacity.GUARDIAN):
        return ()
    return reports.children_of(connection, visit.record.tenant, course, guardian=person)
