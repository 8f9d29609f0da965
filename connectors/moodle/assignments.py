"""Assignment activities: when they are due, which attempt was marked, and rubrics.

An assignment holds grades of its own, which need not be what the gradebook says: a teacher may
have overridden, excluded or hidden those there. So nothing here ever gives the points of a cell.
Attempts of quizzes are not read: Moodle tells them only for one learner and quiz at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from connectors.errors import Unauthorized
from connectors.moodle.moments import moment
from connectors.moodle.webservice import Argument, Webservice
from mapping.plain_text import plain
from mapping.records import CourseRef, Criterion, CriterionRef

ASSIGNMENTS = "mod_assign_get_assignments"
GRADES = "mod_assign_get_grades"
DEFINITIONS = "core_grading_get_definitions"
FILLINGS = "core_grading_get_gradingform_instances"

_NO_RIGHTS = "1"
_IN_USE = 1

Cell = tuple[int, int]
"""An assignment's instance id and a user id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentFacts:
    """What the assignments of a course say beyond the grade report.

    ``due`` and ``criteria`` are by an assignment's instance id, ``attempts`` (from 1) and
    ``points`` of criteria by cell. ``filled`` holds the assignments whose rubrics could be
    read: there a criterion without points has none.
    """

    due: Mapping[int, datetime] = field(default_factory=dict)
    criteria: Mapping[int, Sequence[Criterion]] = field(default_factory=dict)
    attempts: Mapping[Cell, int] = field(default_factory=dict)
    points: Mapping[Cell, Mapping[CriterionRef, float]] = field(default_factory=dict)
    filled: frozenset[int] = frozenset()


class Assignment(msgspec.Struct):
    """An assignment activity."""

    id: int
    cmid: int = 0
    name: str = ""
    duedate: int | None = None
    attemptreopenmethod: str = "none"
    maxattempts: int = 1

    @property
    def may_reopen(self) -> bool:
        """Whether a learner may try again."""
        return self.maxattempts != 1 and self.attemptreopenmethod != "none"


class _CourseAssignments(msgspec.Struct):
    assignments: list[Assignment]


class _Assignments(msgspec.Struct):
    courses: list[_CourseAssignments]


class _Grade(msgspec.Struct):
    id: int
    userid: int
    attemptnumber: int = 0
    grade: str = "-1"


class _AssignmentGrades(msgspec.Struct):
    assignmentid: int
    grades: list[_Grade]


class _Warning(msgspec.Struct):
    warningcode: str = ""


class _Grades(msgspec.Struct):
    assignments: list[_AssignmentGrades]
    warnings: list[_Warning] = []

    @property
    def is_refused(self) -> bool:
        return any(one.warningcode == _NO_RIGHTS for one in self.warnings)


class _Level(msgspec.Struct):
    id: int
    score: float = 0.0


class _Row(msgspec.Struct):
    id: int
    sortorder: int = 0
    description: str = ""
    levels: list[_Level] = []


class _Rubric(msgspec.Struct):
    rubric_criteria: list[_Row] = []


class _Definition(msgspec.Struct):
    id: int
    method: str = ""
    rubric: _Rubric | None = None


class _Area(msgspec.Struct):
    cmid: int
    activemethod: str | None = None
    definitions: list[_Definition] = []


class _Areas(msgspec.Struct):
    areas: list[_Area]


class _Filling(msgspec.Struct):
    criterionid: int
    levelid: int | None = None


class _Fillings(msgspec.Struct):
    criteria: list[_Filling] = []


class _Instance(msgspec.Struct):
    itemid: int
    status: int = _IN_USE
    timemodified: int = 0
    rubric: _Fillings | None = None


class _Instances(msgspec.Struct):
    instances: list[_Instance]


class Assignments:
    """Reads the assignments of one Moodle, course after course."""

    def __init__(self, service: Webservice) -> None:
        self._service = service
        self._may_fill = True

    def of(self, course: CourseRef) -> AssignmentFacts:
        """What a course's assignments say; functions that the service lacks are left out.

        Args:
            course: The course.

        Returns:
            Facts. One request tells the due dates; where there are assignments a second one
            tells the rubrics. A third is sent only where attempts or fillings can be had, and
            one more for each rubric.

        Source: Moodle 4.5, mod_assign_get_assignments, mod_assign_get_grades,
        core_grading_get_definitions, core_grading_get_gradingform_instances.
        """
        found = self.listed(course)
        rubrics = self._rubrics(found)
        filled = self._filled(rubrics)
        reopened = {one.id for one in found if one.may_reopen}
        grades = list(self._grades(sorted(reopened | filled.keys())))
        cells = {grade.id: (assign, grade.userid) for assign, grade in grades}
        due = {one.id: moment(one.duedate) for one in found}
        return AssignmentFacts(
            due={ref: at for ref, at in due.items() if at is not None},
            criteria={ref: _criteria(rubric) for ref, rubric in rubrics.items()},
            attempts={
                (assign, grade.userid): _attempt(grade)
                for assign, grade in grades
                if assign in reopened
            },
            points=_points(rubrics, filled, cells),
            filled=frozenset(filled),
        )

    def listed(self, course: CourseRef) -> Sequence[Assignment]:
        """The assignments of a course that the service user may see."""
        if not self._service.offers(ASSIGNMENTS):
            return ()
        # Without the flag a service user, who is enrolled nowhere, is told nothing.
        wanted: dict[str, Argument] = {"courseids": [course], "includenotenrolledcourses": 1}
        found = self._service.call(ASSIGNMENTS, wanted, _Assignments)
        return [one for listed in found.courses for one in listed.assignments]

    def _grades(self, refs: Sequence[int]) -> Iterator[tuple[int, _Grade]]:
        """The assignments' own grades, newest attempts only."""
        if not refs or not self._service.offers(GRADES):
            return
        found = self._graded(refs)
        if found.is_refused:
            self._service.notes.add(
                "no_attempts",
                f"{self._service.platform} does not say which attempt was marked: its service "
                "user's role lacks mod/assign:viewgrades.",
            )
        for one in found.assignments:
            yield from ((one.assignmentid, grade) for grade in one.grades)

    def may_read_grades(self, refs: Sequence[int]) -> bool:
        """Whether the assignments' own grades may be read; nothing needs no right."""
        if not refs or not self._service.offers(GRADES):
            return not refs
        return not self._graded(refs).is_refused

    def _graded(self, refs: Sequence[int]) -> _Grades:
        wanted: dict[str, Argument] = {"assignmentids": list(refs), "since": 0}
        return self._service.call(GRADES, wanted, _Grades)

    def _rubrics(self, found: Sequence[Assignment]) -> Mapping[int, _Definition]:
        """Rubrics in use, by the assignment's instance id."""
        refs = {one.cmid: one.id for one in found if one.cmid}
        if not refs or not self._service.offers(DEFINITIONS):
            return {}
        wanted: dict[str, Argument] = {
            "cmids": list(refs),
            "areaname": "submissions",
            "activeonly": 1,
        }
        areas = self._service.call(DEFINITIONS, wanted, _Areas).areas
        return {
            refs[area.cmid]: definition
            for area in areas
            if area.activemethod == "rubric" and area.cmid in refs
            for definition in area.definitions
            if definition.method == "rubric" and definition.rubric is not None
        }

    def _filled(self, rubrics: Mapping[int, _Definition]) -> Mapping[int, Mapping[int, _Instance]]:
        """What was chosen, by instance id and by the id of the assignment's own grade."""
        filled = {}
        for ref, rubric in rubrics.items():
            instances = self._fillings(rubric)
            if instances is None:
                return {}
            filled[ref] = instances
        return filled

    def _fillings(self, rubric: _Definition) -> Mapping[int, _Instance] | None:
        if not self._may_fill or not self._service.offers(FILLINGS):
            return None
        wanted: dict[str, Argument] = {"definitionid": rubric.id, "since": 0}
        try:
            found = self._service.call(FILLINGS, wanted, _Instances).instances
        except Unauthorized as error:
            if error.cause != "nopermissions":
                raise
            self._may_fill = False
            self._service.notes.add(
                "no_fillings",
                f"{self._service.platform} does not say what was chosen in rubrics: its service "
                "user's role lacks moodle/grade:managegradingforms. Rubrics count by their "
                "total.",
            )
            return None
        ordered = sorted(found, key=lambda one: one.timemodified)
        return {one.itemid: one for one in ordered if one.status == _IN_USE}


def _attempt(grade: _Grade) -> int:
    """The newest attempt that has a mark: one that waits for it is not yet what counts."""
    return grade.attemptnumber + (float(grade.grade) >= 0)


def _criteria(definition: _Definition) -> Sequence[Criterion]:
    rows = sorted(_rows(definition), key=lambda row: row.sortorder)
    return [
        Criterion(
            ref=CriterionRef(str(row.id)),
            title=plain(row.description),
            maximum=max((level.score for level in row.levels), default=0.0),
        )
        for row in rows
    ]


def _rows(definition: _Definition) -> Sequence[_Row]:
    return definition.rubric.rubric_criteria if definition.rubric else ()


def _points(
    rubrics: Mapping[int, _Definition],
    filled: Mapping[int, Mapping[int, _Instance]],
    cells: Mapping[int, Cell],
) -> Mapping[Cell, Mapping[CriterionRef, float]]:
    found: dict[Cell, Mapping[CriterionRef, float]] = {}
    for ref, instances in filled.items():
        scores = {level.id: level.score for row in _rows(rubrics[ref]) for level in row.levels}
        for grade, instance in instances.items():
            if grade in cells and instance.rubric is not None:
                found[cells[grade]] = {
                    CriterionRef(str(one.criterionid)): scores[one.levelid]
                    for one in instance.rubric.criteria
                    if one.levelid in scores
                }
    return found
