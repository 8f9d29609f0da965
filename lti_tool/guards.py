"""Who may see what: decided from the proven claims of this one launch, never from a user's past.

Whatever is not clearly allowed is not there: a page for another capacity, another course, another
learner or another tenant is answered like an address that does not exist.
"""

import re
from dataclasses import dataclass, field
from enum import Enum

from sqlalchemy import Connection

from lti_tool.launch.claims import DEEP_LINKING_MESSAGE, REVIEW_MESSAGE, VerifiedClaims
from lti_tool.launch.state import LaunchRecord
from mapping.evidence.tables import View
from mapping.records import CourseId, CourseRef, LearnerId, LearnerRef, Mode
from store import courses, registrations, reports
from store.desk_roles import Right, Seat
from store.registrations import Platform

_VOCABULARY = "http://purl.imsglobal.org/vocab/lis/v2/"
_MEMBERSHIP = _VOCABULARY + "membership#"
# Canvas writes the principal role of a sub-role in lower case.
_SUB_ROLE = re.compile(re.escape(_VOCABULARY) + "membership/(?P<principal>[A-Za-z]+)#(?P<name>.+)")
_TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
_INSTITUTION_ADMINISTRATOR = _VOCABULARY + "institution/person#Administrator"
_SYSTEM_ADMINISTRATOR = _VOCABULARY + "system/person#Administrator"
_COURSE_ADMINISTRATOR = _MEMBERSHIP + "Administrator"
"""Runs this one course. In full only: the short word has stood for an institution's too."""
_ACCOUNT_PLACEMENT = "account_navigation"
_MOODLE = "moodle"


class Capacity(Enum):
    """As what a person came.

    An ASSISTANT is a TEACHER who sees the class and configures nothing. A DESIGNER places links
    and sees no learner. A TEST_USER is an LMS's view as a learner who does not exist.
    """

    LEARNER = "learner"
    TEACHER = "teacher"
    ASSISTANT = "assistant"
    DESIGNER = "designer"
    GUARDIAN = "guardian"
    ADMINISTRATOR = "administrator"
    TEST_USER = "test_user"


_COURSE_ROLES = {
    "Instructor": frozenset({Capacity.TEACHER}),
    "Learner": frozenset({Capacity.LEARNER}),
    "Mentor": frozenset({Capacity.GUARDIAN}),
    "ContentDeveloper": frozenset({Capacity.DESIGNER}),
}
_TEACHING = frozenset({Capacity.TEACHER})
_ASSISTING = frozenset({Capacity.TEACHER, Capacity.ASSISTANT})
_SUB_ROLES = {
    "instructor": {
        "ExternalInstructor": _TEACHING,
        "Grader": _ASSISTING,
        "GuestInstructor": _ASSISTING,
        "Lecturer": _TEACHING,
        "PrimaryInstructor": _TEACHING,
        "SecondaryInstructor": _TEACHING,
        "TeachingAssistant": _ASSISTING,
        "TeachingAssistantAssociation": _ASSISTING,
        "TeachingAssistantGroup": _ASSISTING,
        "TeachingAssistantOffering": _ASSISTING,
        "TeachingAssistantSection": _ASSISTING,
        "TeachingAssistantTemplate": _ASSISTING,
    },
    "learner": dict.fromkeys(
        ("ExternalLearner", "GuestLearner", "Learner", "NonCreditLearner"),
        frozenset({Capacity.LEARNER}),
    ),
    "mentor": {"Mentor": frozenset({Capacity.GUARDIAN})},
    "contentdeveloper": dict.fromkeys(
        ("ContentDeveloper", "ContentExpert", "ExternalContentExpert"),
        frozenset({Capacity.DESIGNER}),
    ),
}
PLACING = (Capacity.TEACHER, Capacity.DESIGNER)
"""Who may place links in a course."""


class NotThere(Exception):  # noqa: N818 - named for what the person finds
    """There is nothing at this address for this launch."""


class NotYourPage(Exception):  # noqa: N818 - named for what the person finds
    """The launch is proven, but came in no capacity that this page is for."""


class NotShownYet(Exception):  # noqa: N818 - named for what the person finds
    """There are results, and the course has not come so far that this person sees them."""


class NotShownToTeachers(NotShownYet):
    """The course is a shadow: only administrators see its results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request that belongs to a launch, proven by its cookie or bearer.

    ``timezone`` is the tenant's; ``csrf`` goes into every form that changes something; ``seat`` is
    an administrator's at the desk, once a page asked for it.
    """

    launch_id: str
    record: LaunchRecord
    platform: Platform
    timezone: str
    csrf: str = field(default="", repr=False)
    seat: Seat | None = None

    def may(self, right: Right) -> bool:
        """Whether the person may change this at the desk."""
        return self.seat is not None and self.seat.may(right)

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

    Raises:
        NotYourPage: The message is for other roles: links are placed by who teaches or designs a
            course, and nobody but them or the learner reviews a learner's submission.

    Source: LTI Core 1.3, appendix A.2; contracts/canvas.md 5.3; contracts/moodle.md 3.1.
    """
    found = _proven(claims, platform)
    if claims.message == DEEP_LINKING_MESSAGE and found.isdisjoint(PLACING):
        raise NotYourPage
    is_own_work = claims.subject is not None and claims.review_of == claims.subject
    if claims.message == REVIEW_MESSAGE and Capacity.TEACHER not in found and not is_own_work:
        raise NotYourPage
    return found


def _proven(claims: VerifiedClaims, platform: Platform) -> frozenset[Capacity]:
    if claims.subject is None:
        return frozenset()
    if _TEST_USER in claims.roles:
        # The learner does not exist, and whoever looks through their eyes shall see nobody else.
        return frozenset({Capacity.TEST_USER})
    found = frozenset[Capacity]().union(*map(_of_role, claims.roles))
    if _is_administrator(claims, platform):
        return found | {Capacity.ADMINISTRATOR}
    return found


def _of_role(role: str) -> frozenset[Capacity]:
    """What one role proves: a membership role, its short word, or a sub-role that is known."""
    if role == _COURSE_ADMINISTRATOR:
        return _TEACHING
    named = _COURSE_ROLES.get(role.removeprefix(_MEMBERSHIP))
    match = _SUB_ROLE.fullmatch(role)
    if named is None and match is not None:
        named = _SUB_ROLES.get(match["principal"].lower(), {}).get(match["name"])
    return named or frozenset()


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


def require_shown(connection: Connection, visit: Visit, course: CourseId, *, view: View) -> None:
    """Let on only where a course shows its results to who looks with such eyes.

    Teachers see them from advisory on, learners and families from published on, administrators
    always. A learner's page tells of all their courses; it is shown as a whole wherever it is
    opened from a course that has come so far, and from no other.

    Raises:
        NotShownYet: The course does not.
        NotShownToTeachers: Not even to teachers.
    """
    mode = courses.mode_of(connection, course)
    if visit.has(Capacity.ADMINISTRATOR):
        return
    if view is View.TEACHER and not mode.reaches(Mode.ADVISORY):
        raise NotShownToTeachers
    if view is View.LEARNER and not mode.reaches(Mode.PUBLISHED):
        raise NotShownYet


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
        NotShownToTeachers: The course is a shadow, and the launch no administrator's.
    """  # noqa: DOC502 - raised by require_shown()
    if visit.has(Capacity.ADMINISTRATOR):
        return
    if not visit.has(Capacity.TEACHER) or launched_course(connection, visit) != course:
        raise NotThere
    require_shown(connection, visit, course, view=View.TEACHER)


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
        NotShownYet: With some, once the course shows its results to them.
    """  # noqa: DOC502 - raised by require_shown()
    course = launched_course(connection, visit)
    if course is None:
        raise NotThere
    tenant = visit.record.tenant
    if visit.has(Capacity.TEACHER) and reports.is_enrolled(
        connection, tenant, course, learner=learner
    ):
        view = View.TEACHER
    elif learner in {child.id for child in children(connection, visit, course)}:
        view = View.LEARNER
    else:
        raise NotThere
    require_shown(connection, visit, course, view=view)
    return view, course


def may_judge(visit: Visit) -> bool:
    """Whether a launch may give statuses and say which evidence counts.

    That is a teacher's; an assistant changes nothing.
    """
    return visit.has(Capacity.TEACHER) and not visit.has(Capacity.ASSISTANT)


def judged_course(connection: Connection, visit: Visit, learner: LearnerId) -> CourseId:
    """The course as whose teacher a launch may judge a learner.

    Args:
        connection: A transaction.
        visit: Who asks.
        learner: Whom they want to judge.

    Returns:
        The launched course.

    Raises:
        NotYourPage: The launch is no teacher's, or an assistant's.
        NotThere: The learner is not active in the launched course.
        NotShownToTeachers: The course is a shadow.
    """  # noqa: DOC502 - raised by require_shown()
    if not may_judge(visit):
        raise NotYourPage
    course = launched_course(connection, visit)
    if course is None or not reports.is_enrolled(
        connection, visit.record.tenant, course, learner=learner
    ):
        raise NotThere
    require_shown(connection, visit, course, view=View.TEACHER)
    return course


def children(
    connection: Connection, visit: Visit, course: CourseId
) -> tuple[reports.LearnerLine, ...]:
    """The learners whom a guardian may look at; nobody's for who is no guardian.

    What the LMS's roster says of them, and what the launch says, must both allow it. Moodle's
    ids are the same in both. Canvas names people otherwise in launches than in its roster, so
    there the roster alone says who they are, and the launch only whether there is anybody.
    """
    record = visit.record
    if record.person is None or not visit.has(Capacity.GUARDIAN):
        return ()
    if visit.platform.kind == _MOODLE and record.mentees is not None:
        mentees = [LearnerRef(one) for one in record.mentees]
        return reports.learners_among(
            connection, record.tenant, course, platform=visit.platform.id, refs=mentees
        )
    if record.mentees == ():
        return ()
    return reports.children_of(connection, record.tenant, course, guardian=record.person)


def reviewed_learner(connection: Connection, visit: Visit) -> LearnerId | None:
    """Whose submission a teacher came to review, None where it cannot be told.

    Canvas names the learner otherwise than its roster does (contracts/canvas.md 5.3).
    """
    named = visit.record.review_of
    if named is None or visit.platform.kind != _MOODLE:
        return None
    return registrations.find_learner(connection, visit.platform.id, LearnerRef(named))
