"""Moodle's courses in the words of ``mapping.records``."""

import html
from collections.abc import Sequence

import msgspec

from connectors.errors import Unauthorized
from connectors.moodle.moments import moment
from connectors.moodle.webservice import Argument, Webservice
from mapping.records import Course, CourseRef, CourseState, SchoolRef

NOT_VIEWABLE = frozenset({"errorcoursecontextnotvalid", "requireloginerror"})
"""Error codes for a course that the service user may not enter."""
ALL = "core_course_get_courses"
BY_FIELD = "core_course_get_courses_by_field"

_SITE = 1
"""The "course" that is the site's front page."""


class ListedCourse(msgspec.Struct):
    """A course as Moodle lists it; most of it comes only to those who may change it."""

    id: int
    fullname: str
    shortname: str
    categoryid: int
    idnumber: str | None = None
    visible: int | None = None
    startdate: int | None = None
    enddate: int | None = None


class _Listed(msgspec.Struct):
    courses: list[ListedCourse]


class _Any(msgspec.Struct):
    pass


def courses(service: Webservice) -> Sequence[Course]:
    """All courses but the site's front page.

    Moodle refuses the whole list if one course may not be entered. Then another list is taken,
    which needs no right and says less; what can be read of each course shows as it is read.

    Moodle has no end of a gradebook: a course whose end date has passed can still be marked,
    so none is reported as concluded.

    Args:
        service: Moodle.

    Returns:
        The courses in Moodle's order.

    Raises:
        Unauthorized: Neither list can be had.

    Source: Moodle 4.5, core_course_get_courses, core_course_get_courses_by_field.
    """
    try:
        return [_course(one) for one in without_site(service.call(ALL, {}, list[ListedCourse]))]
    except Unauthorized as error:
        if error.cause not in NOT_VIEWABLE or not service.offers(BY_FIELD):
            raise
    listed = listed_courses(service)
    closed = a_closed_course(service, listed)
    named = f'"{html.unescape(closed.fullname)}"' if closed else "one of them"
    service.notes.add(
        "closed_course",
        f"{service.platform} lets its service user enter not every course: {named} is closed to "
        "it, and perhaps others. Such courses are not read. Give it a role with "
        "moodle/course:view in the system, or in every category.",
    )
    return [_course(one) for one in listed]


def listed_courses(service: Webservice) -> Sequence[ListedCourse]:
    """All courses that are shown to anybody, without the site's front page; no right is needed."""
    return without_site(service.call(BY_FIELD, {}, _Listed).courses)


def a_closed_course(service: Webservice, listed: Sequence[ListedCourse]) -> ListedCourse | None:
    """A course that makes Moodle refuse the list, found by halving it.

    Args:
        service: Moodle.
        listed: Courses of which at least one may not be entered.

    Returns:
        The first of them, or None if all may be entered by now.
    """
    while len(listed) > 1:
        half = len(listed) // 2
        listed = listed[:half] if _is_refused(service, listed[:half]) else listed[half:]
    return listed[0] if listed and _is_refused(service, listed) else None


def _is_refused(service: Webservice, some: Sequence[ListedCourse]) -> bool:
    wanted: dict[str, Argument] = {"options": {"ids": [one.id for one in some]}}
    try:
        service.call(ALL, wanted, list[_Any])
    except Unauthorized as error:
        if error.cause in NOT_VIEWABLE:
            return True
        raise
    return False


def without_site(listed: Sequence[ListedCourse]) -> Sequence[ListedCourse]:
    """A list of courses, each once, without the one that is the site's front page."""
    return [one for one in {one.id: one for one in listed}.values() if one.id != _SITE]


def _course(payload: ListedCourse) -> Course:
    return Course(
        ref=CourseRef(str(payload.id)),
        title=html.unescape(payload.fullname),
        code=html.unescape(payload.shortname),
        school_ref=SchoolRef(str(payload.categoryid)),
        sis_id=payload.idnumber or None,
        state=CourseState.UNPUBLISHED if payload.visible == 0 else CourseState.ACTIVE,
        starts_at=moment(payload.startdate),
        ends_at=moment(payload.enddate),
    )
