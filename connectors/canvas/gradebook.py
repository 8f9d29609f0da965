"""Canvas's gradebook in the words of the connector protocol."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from connectors.advantage import LineItems
from connectors.canvas.counted_out import CountedOutColumn
from connectors.canvas.courses import (
    COURSE_FILTERS,
    ENROLLMENT_FILTERS,
    course_of,
    enrolments_of,
    line_item_of,
)
from connectors.canvas.payloads import Assignment, Course, Enrollment, Group
from connectors.canvas.rest import CanvasRest
from connectors.canvas.submissions import scores_of, submission_pages
from connectors.canvas.words import WordsColumn
from connectors.errors import GiveUp
from connectors.paging import cursor_before, moment_of
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

OVERLAP = timedelta(minutes=10)
"""How far a read reaches back before the last one's first request."""


class CanvasGradebook:
    """Reads and writes the gradebooks of one Canvas account. See ``connectors.protocol``.

    Whoever calls ``ensure_column`` holds a lock on the course: Canvas itself lets two runs make
    the same column twice.
    """

    def __init__(self, access: PlatformAccess, services: Services) -> None:
        http = open_client(access, services)
        items = LineItems(http, services.tokens, access=access, page_size=100)
        self._now = services.now
        self._rest = CanvasRest(http, access)
        self._words = WordsColumn(self._rest, services.sleep)
        self._counted_out = CountedOutColumn(self._rest, items, access)
        self._known: tuple[CourseRef, Sequence[LineItem]] | None = None

    @property
    def calls(self) -> int:
        """Requests sent since the connector was made, tokens included."""
        return self._rest.http.calls

    def courses(self) -> Sequence[records.Course]:
        """All courses of the account and its sub-accounts.

        Source: Canvas REST API, Accounts, list active courses in an account.
        """
        rows = self._rest.rows("accounts/self/courses", Course, COURSE_FILTERS)
        return [course_of(row) for row in rows]

    @property
    def notes(self) -> Sequence[Note]:
        """What was missing since the connector was made, each cause once."""
        return ()

    def unchanged(self, cursors: Mapping[CourseRef, Cursor]) -> Mapping[CourseRef, Cursor]:  # noqa: ARG002 - the protocol's
        """Nothing is told to be unchanged yet: every course is read."""
        return {}

    def self_check(self) -> Sequence[Finding]:
        """Nothing is checked yet."""
        return ()

    def sections(self, course: CourseRef) -> Sequence[Section]:  # noqa: ARG002 - the protocol's
        """No sections are read yet."""
        return ()

    def enrolments(self, course: CourseRef) -> Sequence[Enrolment]:
        """Learners, teachers and observers of a course.

        Source: Canvas REST API, Enrollments.
        """
        path = f"courses/{course}/enrollments"
        return enrolments_of(self._rest.rows(path, Enrollment, ENROLLMENT_FILTERS))

    def line_items(self, course: CourseRef) -> Sequence[LineItem]:
        """Assignments of a course with their rubric rows.

        Source: Canvas REST API, Assignments, Assignment Groups.
        """
        path = f"courses/{course}"
        groups = {
            str(group.id): group.name
            for group in self._rest.rows(f"{path}/assignment_groups", Group)
        }
        assignments = list(self._rest.rows(f"{path}/assignments", Assignment))
        own = self._counted_out.own_assignments(course, assignments)
        found = [line_item_of(one, groups, is_own=str(one.id) in own) for one in assignments]
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
        cursor = cursor_before(self._now(), OVERLAP)
        moment = moment_of(since)
        items = {item.ref: item for item in self._items(course)}
        for page in submission_pages(self._rest, course, moment):
            is_last = not page.page_info.has_next_page or page.page_info.end_cursor is None
            yield ScorePage(
                scores=tuple(scores_of(page.nodes, items, is_full=moment is None)),
                cursor=cursor if is_last else None,
                read=len(page.nodes),
            )

    def ensure_column(self, course: CourseRef, spec: ColumnSpec) -> ColumnRef:
        """Find or make a custom gradebook column, or an assignment that is not counted."""
        self._known = None
        if self._is_words(spec):
            return self._words.ensure(course, spec)
        return self._counted_out.ensure(course, spec)

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
        return self._counted_out.read(course, column)

    def write_marks(
        self, course: CourseRef, writes: Sequence[ColumnMarks], *, now: datetime
    ) -> Sequence[Sequence[WriteOutcome]]:
        """Write marks and read them back: all words in one go, then mark by mark."""
        words = [one for one in writes if self._is_words(one.spec)]
        outcomes = iter(self._words.write(course, words))
        return [
            next(outcomes)
            if self._is_words(one.spec)
            else self._counted_out.write(course, one, now=now)
            for one in writes
        ]

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
