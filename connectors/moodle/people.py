"""Moodle's enrolled people in the words of ``mapping.records``."""

from collections.abc import Sequence

import msgspec

from connectors.moodle.webservice import Argument, Webservice
from mapping.records import CourseRef, Enrolment, EnrolmentState, LearnerRef, Person, Role

# Asking for fields keeps the answer fifty times smaller, and e-mail addresses out of it.
_FIELDS: Argument = {"name": "userfields", "value": "id,idnumber,roles,lastname,firstname"}
_ONLY_ACTIVE: Argument = {"name": "onlyactive", "value": 1}
_ROLES = {
    "student": Role.LEARNER,
    "editingteacher": Role.TEACHER,
    "teacher": Role.TEACHER,
}


class _UserRole(msgspec.Struct):
    shortname: str


class _User(msgspec.Struct):
    id: int
    fullname: str = ""
    firstname: str | None = None
    lastname: str | None = None
    idnumber: str | None = None
    roles: list[_UserRole] = []


def enrolments(service: Webservice, course: CourseRef) -> Sequence[Enrolment]:
    """Learners and teachers of a course, one enrolment for each person and role.

    The list names suspended people without marking them, so it is asked for twice: who is not
    among the active is suspended.

    Args:
        service: Moodle.
        course: The course.

    Returns:
        Enrolments in Moodle's order. People with neither role are left out.

    Source: Moodle 4.5, core_enrol_get_enrolled_users.
    """
    everybody = _users(service, course, [_FIELDS])
    active = {user.id for user in _users(service, course, [_ONLY_ACTIVE, _FIELDS])}
    return [
        Enrolment(
            person=_person(user),
            role=role,
            state=EnrolmentState.ACTIVE if user.id in active else EnrolmentState.SUSPENDED,
        )
        for user in everybody
        for role in _roles(user)
    ]


def _users(service: Webservice, course: CourseRef, options: Sequence[Argument]) -> list[_User]:
    arguments: dict[str, Argument] = {"courseid": course, "options": options}
    return service.call("core_enrol_get_enrolled_users", arguments, list[_User])


def _roles(user: _User) -> Sequence[Role]:
    """Roles by their short name: the name itself is empty unless it was changed."""
    found = [_ROLES[role.shortname] for role in user.roles if role.shortname in _ROLES]
    return list(dict.fromkeys(found))


def _person(user: _User) -> Person:
    sort_name = f"{user.lastname}, {user.firstname}" if user.lastname else user.fullname
    return Person(
        ref=LearnerRef(str(user.id)),
        name=user.fullname,
        sort_name=sort_name.removesuffix(", None"),
        sis_id=user.idnumber or None,
    )
