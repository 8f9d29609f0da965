"""Moodle's enrolled people and their groups in the words of ``mapping.records``."""

import html
from collections.abc import Sequence

import msgspec

from connectors.errors import Unauthorized
from connectors.moodle.webservice import Argument, Webservice
from mapping.records import (
    CourseRef,
    Enrolment,
    EnrolmentState,
    LearnerRef,
    Person,
    Role,
    Section,
    SectionRef,
)

ENROLLED = "core_enrol_get_enrolled_users"
GROUPS = "core_group_get_course_groups"
NO_PERMISSION = "nopermissions"

# Asking for fields keeps the answer fifty times smaller, and e-mail addresses out of it.
_FIELDS = "id,idnumber,roles,lastname,firstname"
_ONLY_SUSPENDED: Argument = {"name": "onlysuspended", "value": 1}
_ROLES = {
    "student": Role.LEARNER,
    "editingteacher": Role.TEACHER,
    "teacher": Role.TEACHER,
}


class _UserRole(msgspec.Struct):
    shortname: str


class _Group(msgspec.Struct):
    id: int
    name: str = ""
    idnumber: str | None = None


class User(msgspec.Struct):
    """An enrolled person; a key that the service user may not read is left out by Moodle."""

    id: int
    fullname: str = ""
    firstname: str | None = None
    lastname: str | None = None
    idnumber: str | None = None
    roles: list[_UserRole] = []
    groups: list[_Group] | None = None

    @property
    def held_roles(self) -> Sequence[Role]:
        """Roles by their short name: the name itself is empty unless it was changed."""
        found = [_ROLES[role.shortname] for role in self.roles if role.shortname in _ROLES]
        return list(dict.fromkeys(found))


def enrolments(
    service: Webservice, course: CourseRef, *, with_groups: bool = False
) -> Sequence[Enrolment]:
    """Learners and teachers of a course, one enrolment for each person and role.

    The list names suspended people without marking them, so they alone are asked for once
    more, which is a short answer.

    Args:
        service: Moodle.
        course: The course.
        with_groups: Whether to ask for everybody's groups, which makes the answer longer.

    Returns:
        Enrolments in Moodle's order. People with neither role are left out.

    Source: Moodle 4.5, core_enrol_get_enrolled_users.
    """
    everybody = users(service, course, fields=_FIELDS + (",groups" if with_groups else ""))
    suspended = _suspended(service, course) if everybody else frozenset()
    return [
        Enrolment(
            person=_person(user),
            role=role,
            state=EnrolmentState.SUSPENDED if user.id in suspended else EnrolmentState.ACTIVE,
            sections=frozenset(SectionRef(str(group.id)) for group in user.groups or ()),
        )
        for user in everybody
        for role in user.held_roles
    ]


def sections(service: Webservice, course: CourseRef) -> Sequence[Section]:
    """The groups of a course; none, with a note, where they may not be read.

    Raises:
        Unauthorized: The course may not be entered.

    Source: Moodle 4.5, core_group_get_course_groups.
    """
    if not service.offers(GROUPS):
        service.notes.add(
            "no_groups",
            f"{service.platform} tells no groups: add the function {GROUPS} to the web service.",
        )
        return ()
    try:
        found = service.call(GROUPS, {"courseid": course}, list[_Group])
    except Unauthorized as error:
        if error.cause != NO_PERMISSION:
            raise
        service.notes.add(
            "no_groups",
            f"{service.platform} tells no groups: its service user's role lacks "
            "moodle/course:managegroups.",
        )
        return ()
    return [
        Section(
            ref=SectionRef(str(group.id)),
            title=html.unescape(group.name),
            sis_id=group.idnumber or None,
            is_group=True,
        )
        for group in {group.id: group for group in found}.values()
    ]


def users(
    service: Webservice, course: CourseRef, *options: Argument, fields: str
) -> Sequence[User]:
    """The enrolled people of a course, each once, with some of their fields."""
    chosen = [*options, {"name": "userfields", "value": fields}]
    arguments: dict[str, Argument] = {"courseid": course, "options": chosen}
    found = service.call(ENROLLED, arguments, list[User])
    return list({user.id: user for user in found}.values())


def suspended_ids(service: Webservice, course: CourseRef) -> frozenset[int]:
    """Who is suspended in a course; needs ``moodle/course:enrolreview``."""
    return frozenset(user.id for user in users(service, course, _ONLY_SUSPENDED, fields="id"))


def _suspended(service: Webservice, course: CourseRef) -> frozenset[int]:
    try:
        return suspended_ids(service, course)
    except Unauthorized as error:
        if error.cause != NO_PERMISSION:
            raise
    service.notes.add(
        "suspended_unknown",
        f"{service.platform} does not say who is suspended: its service user's role lacks "
        "moodle/course:enrolreview. Suspended learners count as active until it is added.",
    )
    return frozenset()


def _person(user: User) -> Person:
    sort_name = f"{user.lastname}, {user.firstname}" if user.lastname else user.fullname
    return Person(
        ref=LearnerRef(str(user.id)),
        name=user.fullname,
        sort_name=sort_name.removesuffix(", None"),
        sis_id=user.idnumber or None,
    )
