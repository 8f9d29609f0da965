"""What an LMS's gradebook can be asked, in the words of ``mapping.records``.

One connector object serves one platform and one thread. Every method may raise the errors of
``connectors.errors`` and nothing else; none of them retries: the caller decides.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

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
    ScorePage,
    WriteOutcome,
)


class GradebookSource(Protocol):
    """Reads gradebooks."""

    @property
    def calls(self) -> int:
        """Requests sent since the connector was made, tokens included."""
        ...

    def courses(self) -> Sequence[Course]:
        """All courses whose gradebook may be read, in the LMS's order."""
        ...

    def enrolments(self, course: CourseRef) -> Sequence[Enrolment]:
        """Everybody in a course; one enrolment for each person and role."""
        ...

    def line_items(self, course: CourseRef) -> Sequence[LineItem]:
        """All columns of a course's gradebook, with rubric criteria, Waymark's own marked."""
        ...

    def scores(self, course: CourseRef, since: Cursor | None = None) -> Iterator[ScorePage]:
        """Scores of a course, all of them or those changed since a cursor.

        Args:
            course: The course.
            since: What the last page of an earlier, completed read carried; None reads all.

        Yields:
            Pages; the last one, and only it, carries the next cursor, whose time lies before
            the first request and overlaps, so that nothing falls between two reads.
        """
        ...


class GradebookSink(Protocol):
    """Writes marks to the columns that Waymark owns, and to no other."""

    @property
    def calls(self) -> int:
        """Requests sent since the connector was made, tokens included."""
        ...

    def ensure_column(self, course: CourseRef, spec: ColumnSpec) -> ColumnRef:
        """Find the column or create it, proven not to change any course grade.

        Raises:
            GiveUp: It cannot be had without changing a course grade, or not at all.
        """
        ...

    def read_marks(
        self, course: CourseRef, column: ColumnRef, spec: ColumnSpec
    ) -> Mapping[LearnerRef, FoundMark]:
        """What the column says now, for every learner who has something in it."""
        ...

    def write_marks(
        self, course: CourseRef, writes: Sequence[ColumnMarks], *, now: datetime
    ) -> Sequence[Sequence[WriteOutcome]]:
        """Write marks to columns of a course and read them back.

        All columns at once, because an LMS that takes them in one request finishes them in one
        wait.

        Returns:
            For each write one outcome for each of its marks, in the same order.
        """
        ...


class Gradebook(GradebookSource, GradebookSink, Protocol):
    """A gradebook that is both read and written: what ``connectors.connect`` returns."""
