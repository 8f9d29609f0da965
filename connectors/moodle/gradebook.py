"""Moodle's gradebook in the words of the connector protocol."""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from connectors.advantage import LINE_ITEM_READ, LineItems
from connectors.errors import GiveUp
from connectors.moodle import people
from connectors.moodle.report import (
    GradeReport,
    changed_since,
    columns_of,
    moment,
    next_cursor,
    scores_by_learner,
)
from connectors.moodle.webservice import Argument, Webservice
from connectors.moodle.words import FeedbackColumn
from connectors.platform import PlatformAccess, Services, open_client
from connectors.protocol import Finding, Note
from mapping import records
from mapping.records import (
    ColumnMarks,
    ColumnRef,
    ColumnSpec,
    CourseRef,
    CourseState,
    Cursor,
    Enrolment,
    FoundMark,
    LearnerRef,
    LineItem,
    PassbackWay,
    SchoolRef,
    ScorePage,
    Section,
    WriteOutcome,
)

_SITE = 1
"""The "course" that is the site's front page."""


class _Course(msgspec.Struct):
    id: int
    fullname: str
    shortname: str
    categoryid: int
    idnumber: str | None = None
    visible: int | None = None
    startdate: int | None = None
    enddate: int | None = None


class _Item(msgspec.Struct):
    id: str
    category: str | None = None


class _Items(msgspec.Struct, rename="camel"):
    grade_items: list[_Item]


class _Assignment(msgspec.Struct):
    id: int
    duedate: int | None = None


class _CourseAssignments(msgspec.Struct):
    assignments: list[_Assignment]


class _Assignments(msgspec.Struct):
    courses: list[_CourseAssignments]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gradebook:
    """A course's report with its columns, between ``line_items`` and ``scores``."""

    course: CourseRef
    report: GradeReport
    items: Sequence[LineItem]


class MoodleGradebook:
    """Reads and writes the gradebooks of one Moodle. See ``connectors.protocol``.

    Whoever calls ``ensure_column`` holds a lock on the course: Moodle itself lets two runs make
    the same column twice.
    """

    def __init__(self, access: PlatformAccess, services: Services) -> None:
        http = open_client(access, services)
        items = LineItems(http, services.tokens, access=access, reading=LINE_ITEM_READ)
        self._service = Webservice(http, access)
        self._column = FeedbackColumn(items, access)
        self._read: _Gradebook | None = None

    @property
    def calls(self) -> int:
        """Requests sent since the connector was made, tokens included."""
        return self._service.http.calls

    def courses(self) -> Sequence[records.Course]:
        """All courses but the site's front page.

        Moodle has no end of a gradebook: a course whose end date has passed can still be
        marked, so none is reported as concluded.

        Source: Moodle 4.5, core_course_get_courses.
        """
        found = self._service.call("core_course_get_courses", {}, list[_Course])
        return [_course(one) for one in found if one.id != _SITE]

    @property
    def notes(self) -> Sequence[Note]:
        """What was missing since the connector was made, each cause once."""
        return ()

    def unchanged(self, cursors: Mapping[CourseRef, Cursor]) -> Mapping[CourseRef, Cursor]:  # noqa: ARG002 - the protocol's
        """None: no feed of Moodle's is complete, so every report is read and compared."""
        return {}

    def self_check(self) -> Sequence[Finding]:
        """Nothing is checked yet."""
        return ()

    def sections(self, course: CourseRef) -> Sequence[Section]:  # noqa: ARG002 - the protocol's
        """No groups are read yet."""
        return ()

    def enrolments(self, course: CourseRef) -> Sequence[Enrolment]:
        """Learners and teachers of a course.

        Source: Moodle 4.5, core_enrol_get_enrolled_users.
        """
        return people.enrolments(self._service, course)

    def line_items(self, course: CourseRef) -> Sequence[LineItem]:
        """Columns of a course's gradebook; the report they come from is kept for ``scores``.

        Moodle has no rubric rows in its gradebook, so there are no criteria.
        """
        self._read = self._gradebook(course)
        return self._read.items

    def scores(self, course: CourseRef, since: Cursor | None = None) -> Iterator[ScorePage]:
        """Scores of a course, all or those of learners whose row changed.

        Args:
            course: The course.
            since: A cursor of an earlier read.

        Yields:
            One page: Moodle sends a course at once.
        """
        kept, self._read = self._read, None
        if kept is None or kept.course != course:
            kept = self._gradebook(course)
        found = scores_by_learner(kept.report, kept.items)
        scores = tuple(changed_since(found, since))
        yield ScorePage(scores=scores, cursor=next_cursor(found, since), read=len(scores))

    def ensure_column(self, course: CourseRef, spec: ColumnSpec) -> ColumnRef:
        """Find or make the column out of 0 points.

        Args:
            course: The course.
            spec: The column.

        Returns:
            The line item's URL.

        Raises:
            GiveUp: The way is to write nothing.
        """
        if spec.way is PassbackWay.NONE:
            raise GiveUp(
                f'The column "{spec.title}" is set to be written nowhere.',
                cause="no_passback",
                platform=self._service.platform,
            )
        self._read = None
        return self._column.ensure(course, spec)

    def read_marks(
        self,
        course: CourseRef,  # noqa: ARG002 - the protocol's; here the column says where it is
        column: ColumnRef,
        spec: ColumnSpec,  # noqa: ARG002 - the protocol's; Moodle's columns are all alike
    ) -> Mapping[LearnerRef, FoundMark]:
        """The words in the column."""
        return self._column.read(column)

    def write_marks(
        self,
        course: CourseRef,  # noqa: ARG002 - the protocol's; here the column says where it is
        writes: Sequence[ColumnMarks],
        *,
        now: datetime,
    ) -> Sequence[Sequence[WriteOutcome]]:
        """Write the marks' words and read them back."""
        return [
            self._column.write(one.column, one.marks, now=now) if one.marks else []
            for one in writes
        ]

    def _gradebook(self, course: CourseRef) -> _Gradebook:
        report = self._service.call(
            "gradereport_user_get_grade_items", {"courseid": course}, GradeReport
        )
        items = columns_of(
            report,
            own=self._column.own_ids(course),
            categories=self._categories(course),
            due=self._due(course),
        )
        return _Gradebook(course=course, report=report, items=items)

    def _categories(self, course: CourseRef) -> Mapping[str, str]:
        # The report names no category; this cheap call does, by the item.
        function = "core_grades_get_gradeitems"
        if not self._service.offers(function):
            return {}
        found = self._service.call(function, {"courseid": course}, _Items)
        return {item.id: html.unescape(item.category or "") for item in found.grade_items}

    def _due(self, course: CourseRef) -> Mapping[int, datetime]:
        function = "mod_assign_get_assignments"
        if not self._service.offers(function):
            return {}
        # Without the flag a service user, who is enrolled nowhere, is told nothing.
        wanted: dict[str, Argument] = {"courseids": [course], "includenotenrolledcourses": 1}
        found = self._service.call(function, wanted, _Assignments)
        due = {
            one.id: moment(one.duedate) for listed in found.courses for one in listed.assignments
        }
        return {ref: at for ref, at in due.items() if at is not None}


def _course(payload: _Course) -> records.Course:
    return records.Course(
        ref=CourseRef(str(payload.id)),
        title=html.unescape(payload.fullname),
        code=html.unescape(payload.shortname),
        school_ref=SchoolRef(str(payload.categoryid)),
        sis_id=payload.idnumber or None,
        state=CourseState.UNPUBLISHED if payload.visible == 0 else CourseState.ACTIVE,
        starts_at=moment(payload.startdate),
        ends_at=moment(payload.enddate),
    )
