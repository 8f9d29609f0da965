"""Moodle's gradebook in the words of the connector protocol."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from connectors.advantage import LINE_ITEM_READ, LineItems
from connectors.errors import GiveUp, Unauthorized
from connectors.moodle import courses, people
from connectors.moodle.book import Book, Books
from connectors.moodle.ratings import Ratings
from connectors.moodle.report import changed_since, next_cursor, scores_by_learner
from connectors.moodle.self_check import SelfCheck
from connectors.moodle.webservice import Webservice
from connectors.moodle.words import LineItemColumns
from connectors.platform import PlatformAccess, Services, open_client
from connectors.protocol import Finding, Note
from mapping.records import (
    ColumnMarks,
    ColumnRef,
    ColumnSpec,
    Course,
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


class MoodleGradebook:
    """Reads and writes the gradebooks of one Moodle. See ``connectors.protocol``.

    A column is looked for and made under a lock: Moodle itself lets two runs make the same one
    twice.
    """

    def __init__(self, access: PlatformAccess, services: Services) -> None:
        http = open_client(access, services)
        items = LineItems(http, services.tokens, access=access, reading=LINE_ITEM_READ)
        self._service = Webservice(http, access)
        self._columns = LineItemColumns(items, access)
        self._ratings = Ratings(self._service)
        self._lock = services.lock
        self._books = Books(self._service, self._columns.own_ids)
        self._read: Book | None = None
        self._ungrouped: CourseRef | None = None

    @property
    def calls(self) -> int:
        """Requests sent since the connector was made, tokens included."""
        return self._service.http.calls

    @property
    def quota(self) -> float | None:
        """The least that was left of the allowance; Moodle itself has none."""
        return self._service.http.quota

    def courses(self) -> Sequence[Course]:
        """All courses but the site's front page. See ``connectors.moodle.courses``."""
        return courses.courses(self._service)

    @property
    def notes(self) -> Sequence[Note]:
        """What was missing since the connector was made, each cause once."""
        return self._service.notes.all

    def unchanged(self, cursors: Mapping[CourseRef, Cursor]) -> Mapping[CourseRef, Cursor]:  # noqa: ARG002 - the protocol's
        """None: no feed of Moodle's is complete, so every report is read and compared."""
        return {}

    def self_check(self) -> Sequence[Finding]:
        """Hold what the service user is told against what there is; a few courses are looked at.

        Looking at a learner's rating lets Moodle make an empty one, which nobody sees.
        """
        return SelfCheck(self._service).findings()

    def sections(self, course: CourseRef) -> Sequence[Section]:
        """The groups of a course."""
        found = people.sections(self._service, course)
        self._ungrouped = None if found else course
        return found

    def enrolments(self, course: CourseRef) -> Sequence[Enrolment]:
        """Learners and teachers of a course, with their groups.

        Args:
            course: The course.

        Returns:
            Enrolments; without groups where ``sections`` just found none.

        Raises:
            Unauthorized: There are learners, but Moodle names nobody.
        """  # noqa: DOC502 - raised by _refuse_empty_roster()
        found = people.enrolments(self._service, course, with_groups=self._ungrouped != course)
        if not found:
            self._refuse_empty_roster(course)
        return found

    def _refuse_empty_roster(self, course: CourseRef) -> None:
        # Without this right the list is empty and no error: everybody would seem to have left.
        if self._books.report(course).usergrades:
            raise Unauthorized(
                f"{self._service.platform} shows grades of a course, but names nobody in it. Add "
                "moodle/user:viewdetails to its service user's role.",
                cause="no_people",
                platform=self._service.platform,
            )

    def line_items(self, course: CourseRef) -> Sequence[LineItem]:
        """Columns of a course's gradebook; the report they come from is kept for ``scores``."""
        self._read = self._books.read(course)
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
            kept = self._books.read(course)
        found = scores_by_learner(kept.report, kept.items, facts=kept.facts)
        scores = tuple(changed_since(found, since))
        yield ScorePage(scores=scores, cursor=next_cursor(found, since), read=len(scores))

    def ensure_column(self, course: CourseRef, spec: ColumnSpec) -> ColumnRef:
        """Find or make a line item, or find the course's own competency.

        Args:
            course: The course.
            spec: The column.

        Returns:
            The line item's URL, or which competency it is.

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
        if spec.way is PassbackWay.COMPETENCY:
            return self._ratings.find(course, spec)
        with self._lock(f"columns:{course}"):
            return self._columns.ensure(course, spec)

    def read_marks(
        self, course: CourseRef, column: ColumnRef, spec: ColumnSpec
    ) -> Mapping[LearnerRef, FoundMark]:
        """What the column says, or who has which rating."""
        if spec.way is PassbackWay.COMPETENCY:
            return self._ratings.read(course, column)
        return self._columns.read(column, spec)

    def write_marks(
        self, course: CourseRef, writes: Sequence[ColumnMarks], *, now: datetime
    ) -> Sequence[Sequence[WriteOutcome]]:
        """Write marks, or rate learners, and read it back."""
        return [self._write(course, one, now) if one.marks else [] for one in writes]

    def _write(
        self, course: CourseRef, write: ColumnMarks, now: datetime
    ) -> Sequence[WriteOutcome]:
        if write.spec.way is PassbackWay.COMPETENCY:
            return self._ratings.write(course, write)
        return self._columns.write(write, now=now)
