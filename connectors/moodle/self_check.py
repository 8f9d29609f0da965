"""What the service user is told, held against what there is.

Most missing rights raise nothing: Moodle leaves out what may not be seen. So several functions
that should tell the same are compared. A few courses stand for all, because rights are given in
the whole system; a role that is given in some categories only shows in the list of courses.
"""

import html
from collections.abc import Callable, Iterator, Sequence

import msgspec

from connectors.errors import ConnectorError, Gone, Unauthorized
from connectors.moodle import courses, people
from connectors.moodle.assignments import (
    ASSIGNMENTS,
    DEFINITIONS,
    FILLINGS,
    GRADES,
    Assignments,
)
from connectors.moodle.book import ITEMS, REPORT, items_of, unseen_items
from connectors.moodle.competencies import (
    COMPETENCIES,
    COURSE_COMPETENCIES,
    FRAMEWORKS,
    RATINGS,
    SCALE_VALUES,
    course_competencies,
)
from connectors.moodle.courses import ListedCourse
from connectors.moodle.people import NO_PERMISSION, User
from connectors.moodle.report import GradeReport
from connectors.moodle.webservice import Argument, Site, Webservice
from connectors.protocol import Finding
from mapping.records import CourseRef, Role

SITE_INFO = "core_webservice_get_site_info"
QUIZZES = "mod_quiz_get_quizzes_by_courses"
SUMMARY = "tool_lp_data_for_user_competency_summary_in_course"
RATE = "core_competency_grade_competency_in_course"
NEEDED = (SITE_INFO, courses.ALL, people.ENROLLED, REPORT)
"""Functions without which no gradebook can be read."""
USEFUL = (
    courses.BY_FIELD,
    ITEMS,
    ASSIGNMENTS,
    GRADES,
    DEFINITIONS,
    FILLINGS,
    people.GROUPS,
    QUIZZES,
    FRAMEWORKS,
    COMPETENCIES,
    COURSE_COMPETENCIES,
    SCALE_VALUES,
    RATINGS,
    SUMMARY,
    RATE,
)
"""Functions that nights go without, and then know less."""

_LOOKED_AT = 3
_FIELDS = "id,idnumber,roles,groups"


class _Quiz(msgspec.Struct):
    name: str = ""


class _Quizzes(msgspec.Struct):
    quizzes: list[_Quiz]


class _SummaryIn(msgspec.Struct):
    cangrade: bool = False


class _Summary(msgspec.Struct):
    usercompetencysummary: _SummaryIn


class SelfCheck:
    """Looks at one Moodle as its service user."""

    def __init__(self, service: Webservice) -> None:
        self._service = service
        self._assignments = Assignments(service)

    def findings(self) -> Sequence[Finding]:
        """Every check, in the order in which a person would put things right.

        Returns:
            Findings; a course that cannot be read ends its own checks only.

        Raises:
            ConnectorError: Moodle cannot be asked at all.
        """  # noqa: DOC502 - raised by the web service
        try:
            self._service.call(SITE_INFO, {}, Site)
        except Unauthorized as error:
            return [_wrong("Service user", str(error))]
        functions = self._functions()
        if not functions.is_fine:
            return [functions]
        found = [functions, self._courses()]
        for course in self._some_courses():
            found += self._of_course(course)
        return _worst_of_each(found)

    def _functions(self) -> Finding:
        lacking = [name for name in NEEDED if not self._service.offers(name)]
        if lacking:
            return _wrong(
                "Functions of the service",
                f"Add to the web service: {', '.join(lacking)}. Without them nothing is read.",
            )
        lacking = [name for name in USEFUL if not self._service.offers(name)]
        known = f"{len(self._service.site.functions)} offered"
        if lacking:
            advice = f"Nights know less without: {', '.join(lacking)}."
            return _fine("Functions of the service", known, advice=advice)
        return _fine("Functions of the service", known)

    def _courses(self) -> Finding:
        name = "Courses"
        try:
            found = courses.without_site(self._service.call(courses.ALL, {}, list[ListedCourse]))
            return _fine(name, f"{len(found)} may be entered")
        except Unauthorized as error:
            if error.cause not in courses.NOT_VIEWABLE:
                return _wrong(name, str(error))
        closed = courses.a_closed_course(self._service, self._listed())
        named = f'"{html.unescape(closed.fullname)}"' if closed else "A course"
        return _wrong(
            name,
            f"{named} may not be entered, and perhaps others. Add moodle/course:view to the "
            "service user's role, in the system.",
        )

    def _listed(self) -> Sequence[ListedCourse]:
        offers = self._service.offers(courses.BY_FIELD)
        return courses.listed_courses(self._service) if offers else ()

    def _some_courses(self) -> Sequence[CourseRef]:
        """The first, the last and one from the middle."""
        try:
            found = [one.ref for one in courses.courses(self._service)]
        except ConnectorError:
            return ()
        middle = found[len(found) // 2 : len(found) // 2 + 1]
        return list(dict.fromkeys([*found[:1], *middle, *found[-1:]]))[:_LOOKED_AT]

    def _of_course(self, course: CourseRef) -> Iterator[Finding]:
        try:
            report = self._service.call(REPORT, {"courseid": course}, GradeReport)
        except Unauthorized as error:
            if error.cause not in courses.NOT_VIEWABLE:
                yield _wrong("Grade reports", str(error))
            return
        yield _fine("Grade reports", "can be read")
        everybody = people.users(self._service, course, fields=_FIELDS)
        yield _roster(report, everybody)
        if not everybody:
            return
        yield _identities(report, everybody)
        yield self._suspended(course)
        yield self._columns(course, report)
        yield self._attempts(course)
        yield self._groups(course, everybody)
        yield from self._competencies(course, everybody)

    def _suspended(self, course: CourseRef) -> Finding:
        name = "Suspended learners"
        refused = self._refused(lambda: people.suspended_ids(self._service, course))
        if refused:
            return _wrong(
                name, "They cannot be told from active ones. Add moodle/course:enrolreview."
            )
        return _fine(name, "can be told")

    def _columns(self, course: CourseRef, report: GradeReport) -> Finding:
        name = "Columns"
        listed = items_of(self._service, course)
        unseen = [html.unescape(item.itemname or "") for item in unseen_items(report, listed)]
        if not unseen:
            return _fine(name, "none is left out of the report" if listed else "not compared")
        right = self._right_to_columns(course, unseen)
        return _wrong(
            name,
            f'The report leaves out {len(unseen)} of {len(listed)}, for example "{unseen[0]}", '
            f"and says nothing of it. Add {right}.",
        )

    def _right_to_columns(self, course: CourseRef, unseen: Sequence[str]) -> str:
        """The capability that is lacking, told by which lists the columns are missing from."""
        assignments = {html.unescape(one.name) for one in self._assignments.listed(course)}
        quizzes = self._quizzes(course)
        if not assignments.union(quizzes).isdisjoint(unseen):
            return "moodle/grade:viewhidden"
        rights = [
            capability
            for capability, seen in (("mod/assign:view", assignments), ("mod/quiz:view", quizzes))
            if not seen
        ]
        return " or ".join(
            rights or ["moodle/course:viewhiddenactivities", "moodle/grade:viewhidden"]
        )

    def _quizzes(self, course: CourseRef) -> set[str]:
        if not self._service.offers(QUIZZES):
            return set()
        found = self._service.call(QUIZZES, {"courseids": [course]}, _Quizzes)
        return {html.unescape(one.name) for one in found.quizzes}

    def _attempts(self, course: CourseRef) -> Finding:
        name = "Attempts of assignments"
        refs = [one.id for one in self._assignments.listed(course)]
        if self._assignments.may_read_grades(refs):
            return _fine(name, "can be read")
        advice = "It stays unknown which attempt was marked. Add mod/assign:viewgrades."
        return _fine(name, advice=advice)

    def _groups(self, course: CourseRef, everybody: Sequence[User]) -> Finding:
        name = "Groups"
        if not self._service.offers(people.GROUPS):
            return _fine(name, advice=f"They are not read without the function {people.GROUPS}.")
        wanted: dict[str, Argument] = {"courseid": course}
        if self._refused(lambda: self._service.call(people.GROUPS, wanted, list[_Quiz])):
            return _fine(name, advice="They are not read. Add moodle/course:managegroups.")
        if all(user.groups is None for user in everybody):
            advice = "It stays unknown who is in them. Add moodle/site:accessallgroups."
            return _fine(name, advice=advice)
        return _fine(name, "can be read")

    def _competencies(self, course: CourseRef, everybody: Sequence[User]) -> Iterator[Finding]:
        name = "Competencies"
        if not self._service.offers(COURSE_COMPETENCIES):
            return
        if self._refused(lambda: course_competencies(self._service, course)):
            advice = "They cannot be read. Add moodle/competency:coursecompetencyview."
            yield _fine(name, advice=advice)
            return
        found = course_competencies(self._service, course)
        yield _fine(name, f"{len(found)} in a course looked at")
        learner = next((one for one in everybody if Role.LEARNER in one.held_roles), None)
        if found and learner and self._service.offers(SUMMARY):
            yield self._rating(course, learner, found[0].id)

    def _rating(self, course: CourseRef, learner: User, competency: int) -> Finding:
        name = "Rating of competencies"
        wanted: dict[str, Argument] = {
            "courseid": course,
            "userid": learner.id,
            "competencyid": competency,
        }
        try:
            summary = self._service.call(SUMMARY, wanted, _Summary).usercompetencysummary
        except (Unauthorized, Gone):
            advice = "Ratings cannot be read. Add moodle/competency:usercompetencyview."
            return _fine(name, advice=advice)
        if summary.cangrade:
            return _fine(name, "allowed")
        advice = "The way competency cannot be used. Add moodle/competency:competencygrade."
        return _fine(name, advice=advice)

    def _refused(self, ask: Callable[[], object]) -> bool:
        try:
            ask()
        except Unauthorized as error:
            if error.cause != NO_PERMISSION:
                raise
            return True
        return False


def _roster(report: GradeReport, everybody: Sequence[User]) -> Finding:
    """Whoever has grades must be among the enrolled."""
    name = "People"
    unnamed = {user.userid for user in report.usergrades} - {user.id for user in everybody}
    if unnamed:
        return _wrong(
            name,
            f"{len(unnamed)} learners have grades and are not in the list of people. Add "
            "moodle/user:viewdetails.",
        )
    return _fine(name, "all with grades are named")


def _identities(report: GradeReport, everybody: Sequence[User]) -> Finding:
    """The report tells ID numbers to whoever reads it, the list of people does not."""
    name = "ID numbers"
    if any(user.idnumber for user in everybody):
        return _fine(name, "can be read")
    if any(user.useridnumber for user in report.usergrades):
        return _wrong(
            name,
            "Learners have ID numbers, but the list of people leaves them out. Add "
            "moodle/site:viewuseridentity and moodle/user:viewalldetails.",
        )
    advice = (
        "Nobody has one in a course looked at. Without them a learner is not known again on "
        "another LMS."
    )
    return _fine(name, advice=advice)


def _worst_of_each(found: Sequence[Finding]) -> Sequence[Finding]:
    """One finding for each name: the first that is wrong, else the first with advice."""
    worst: dict[str, Finding] = {}
    for one in found:
        known = worst.setdefault(one.name, one)
        if _badness(one) > _badness(known):
            worst[one.name] = one
    return list(worst.values())


def _badness(one: Finding) -> int:
    return 2 if not one.is_fine else int(bool(one.advice))


def _wrong(name: str, advice: str) -> Finding:
    return Finding(name=name, is_fine=False, advice=advice)


def _fine(name: str, found: str = "", *, advice: str = "") -> Finding:
    return Finding(name=name, is_fine=True, found=found, advice=advice)
