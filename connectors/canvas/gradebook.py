"""Canvas's gradebook in the words of the connector protocol."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar

from connectors.advantage import LineItems
from connectors.canvas.access import check_access
from connectors.canvas.courses import (
    COURSE_FILTERS,
    ENROLLMENT_FILTERS,
    course_of,
    enrolments_of,
    group_of,
    line_item_of,
    section_of,
)
from connectors.canvas.marks import MarkColumns
from connectors.canvas.payloads import (
    Assignment,
    Course,
    Enrollment,
    Group,
    GroupRow,
    SectionRow,
)
from connectors.canvas.probe import unchanged_courses
from connectors.canvas.reading import REFUSED, Listed, ScoreReader, note_refusal
from connectors.canvas.rest import REFUSALS, CanvasRest, GraphqlRefused, is_refused
from connectors.canvas.words import WordsColumn
from connectors.errors import GiveUp
from connectors.lms_clock import LmsClock
from connectors.notes import Notes
from connectors.platform import PlatformAccess, Services, open_client
from connectors.protocol import Finding, Note
from mapping import records
from mapping.records import (
    ColumnMarks,
    ColumnRef,
    ColumnSpec,
    CourseRef,
    Cursor,
    Enrolment,
    FoundMark,
    LearnerRef,
    LineItem,
    PassbackWay,
    ScorePage,
    Section,
    WriteOutcome,
)

T = TypeVar("T")

NO_PARTS = (
    "The {name} of courses cannot be read, so classes cannot be shown by them; everything else "
    "goes on. Add the scope url:GET|/api/v1/courses/:course_id/{name} to the developer key, or "
    "give the service user the permission to see the list of users."
)


class CanvasGradebook:
    """Reads and writes the gradebooks of one Canvas account. See ``connectors.protocol``.

    A column is looked for and made under a lock: Canvas itself lets two runs make the same one
    twice.
    """

    def __init__(self, access: PlatformAccess, services: Services) -> None:
        http = open_client(access, services)
        items = LineItems(http, services.tokens, access=access, page_size=100)
        self._now = services.now
        self._lock = services.lock
        self._rest = CanvasRest(http, access, LmsClock(services.now))
        self._words = WordsColumn(self._rest, services.sleep)
        self._marks = MarkColumns(self._rest, items, access)
        self._notes = Notes()
        self._reader = ScoreReader(self._rest, self._notes, services.now)
        self._known: tuple[CourseRef, Sequence[LineItem]] | None = None
        self._listed: Listed | None = None

    @property
    def calls(self) -> int:
        """Requests sent since the connector was made, tokens included."""
        return self._rest.http.calls

    @property
    def quota(self) -> float | None:
        """The least that was left of the token's allowance, in Canvas's units.

        Source: Canvas, throttling: ``X-Rate-Limit-Remaining``.
        """
        return self._rest.http.quota

    def courses(self) -> Sequence[records.Course]:
        """All courses of the account and its sub-accounts, blueprints left out.

        Source: Canvas REST API, Accounts, list active courses in an account.
        """
        rows = self._rest.rows("accounts/self/courses", Course, COURSE_FILTERS)
        return [course_of(row, now=self._now()) for row in rows]

    @property
    def notes(self) -> Sequence[Note]:
        """What was missing since the connector was made, each cause once."""
        return self._notes.all

    def unchanged(self, cursors: Mapping[CourseRef, Cursor]) -> Mapping[CourseRef, Cursor]:
        """Courses of which nothing was touched since they were read, twenty a request.

        Args:
            cursors: What the last completed read of each course carried.

        Returns:
            New cursors of those that surely need no reading; none where GraphQL is refused.
        """
        if self._notes.has(REFUSED):
            return {}
        try:
            return unchanged_courses(self._rest, cursors, now=self._now())
        except GraphqlRefused:
            note_refusal(self._notes)
            return {}

    def self_check(self) -> Sequence[Finding]:
        """What the service user may see and do, asked one by one.

        Source: Canvas REST API and developer keys.
        """
        return check_access(self._rest)

    def sections(self, course: CourseRef) -> Sequence[Section]:
        """Sections and groups of a course.

        Source: Canvas REST API, Sections, Groups.
        """
        self._begin(course)
        sections = self._parts(course, "sections", SectionRow)
        groups = self._parts(course, "groups", GroupRow)
        return [*map(section_of, sections), *map(group_of, groups)]

    def enrolments(self, course: CourseRef) -> Sequence[Enrolment]:
        """Learners, teachers and observers of a course, with their sections and groups.

        Source: Canvas REST API, Enrollments.
        """
        listed = self._begin(course)
        path = f"courses/{course}/enrollments"
        found = list(self._rest.rows(path, Enrollment, ENROLLMENT_FILTERS))
        listed.keep_people(found)
        return enrolments_of(found)

    def line_items(self, course: CourseRef) -> Sequence[LineItem]:
        """Assignments of a course with their rubric rows.

        Source: Canvas REST API, Assignments, Assignment Groups.
        """
        listed = self._begin(course)
        path = f"courses/{course}"
        groups = {
            str(group.id): group.name
            for group in self._rest.rows(f"{path}/assignment_groups", Group)
        }
        assignments = list(self._rest.rows(f"{path}/assignments", Assignment))
        own = self._marks.own_assignments(course, assignments)
        found = [line_item_of(one, groups, is_own=str(one.id) in own) for one in assignments]
        listed.keep_columns(assignments)
        self._known = (course, found)
        return found

    def scores(self, course: CourseRef, since: Cursor | None = None) -> Iterator[ScorePage]:
        """Submissions of a course, all or those touched since the cursor's moment.

        Args:
            course: The course.
            since: A cursor of an earlier read.

        Yields:
            Pages of at most a hundred submissions; rows of the last ten minutes before the
            cursor come again.
        """
        listed = self._begin(course)
        items = {item.ref: item for item in self._items(course)}
        self._listed = None
        yield from self._reader.pages(listed, items, since)

    def ensure_column(self, course: CourseRef, spec: ColumnSpec) -> ColumnRef:
        """Find or make a custom gradebook column, or an assignment that is not counted."""
        self._known = None
        is_words = self._is_words(spec)
        with self._lock(f"columns:{course}"):
            if is_words:
                return self._words.ensure(course, spec)
            return self._marks.ensure(course, spec)

    def read_marks(
        self, course: CourseRef, column: ColumnRef, spec: ColumnSpec
    ) -> Mapping[LearnerRef, FoundMark]:
        """What the column says.

        Args:
            course: The course.
            column: What ``ensure_column`` returned.
            spec: The column.

        Returns:
            Marks by learner. A mark that is not counted has no words here: they are a comment
            of the submission.
        """
        if self._is_words(spec):
            return self._words.read(course, column)
        return self._marks.read(course, column)

    def write_marks(
        self, course: CourseRef, writes: Sequence[ColumnMarks], *, now: datetime
    ) -> Sequence[Sequence[WriteOutcome]]:
        """Write marks and read them back: all words in one go, then mark by mark."""
        words = [one for one in writes if self._is_words(one.spec)]
        outcomes = iter(self._words.write(course, words))
        return [
            next(outcomes) if self._is_words(one.spec) else self._marks.write(course, one, now=now)
            for one in writes
        ]

    def _parts(self, course: CourseRef, name: str, shape: type[T]) -> Sequence[T]:
        """Rows of a list that evidence can do without."""
        found: list[T] = []
        passes = REFUSALS - {HTTPStatus.NOT_FOUND}
        for reply in self._rest.pages(f"courses/{course}/{name}", passes=passes):
            if is_refused(reply):
                self._notes.add(f"{name}_refused", NO_PARTS.format(name=name))
                return []
            found += reply.decode(list[shape])  # type: ignore[valid-type]
        return found

    def _begin(self, course: CourseRef) -> Listed:
        """What was listed of a course since its scores were read last."""
        if self._listed is None or self._listed.course != course:
            self._listed = Listed(course=course, begun_at=self._now())
        return self._listed

    def _items(self, course: CourseRef) -> Sequence[LineItem]:
        if self._known is not None and self._known[0] == course:
            return self._known[1]
        return self.line_items(course)

    def _is_words(self, spec: ColumnSpec) -> bool:
        if spec.way is PassbackWay.NONE:
            raise GiveUp(
                f'The column "{spec.title}" is set to be written nowhere.',
                cause="no_passback",
                platform=self._rest.platform,
            )
        return spec.way is PassbackWay.WORDS
