"""What an LMS's gradebook can be asked, in the words of ``mapping.records``.

One connector object serves one platform and one thread. Every method may raise the errors of
``connectors.errors`` and nothing else. Single requests that only ask are sent again after a hiccup
(``connectors.retries``); beyond that nothing is repeated: the caller decides.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    Section,
    WriteOutcome,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something an LMS grants less of than Waymark can use; the work went on without it.

    Attributes:
        cause: A short fixed word that groups like notes in reports.
        message: What is missing, what it means and what to do, for an administrator.
    """

    cause: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one check of what the service user may see and do.

    Attributes:
        name: What was checked.
        is_fine: Whether nights can work with it.
        advice: What to do, naming the right to add; empty where all is well.
        found: What was seen, where that is worth telling.
    """

    name: str
    is_fine: bool
    advice: str = ""
    found: str = ""


class GradebookSource(Protocol):
    """Reads gradebooks."""

    @property
    def calls(self) -> int:
        """Requests sent since the connector was made, tokens included."""
        ...

    @property
    def quota(self) -> float | None:
        """The least that the LMS said was left of its allowance, None where it never did."""
        ...

    @property
    def notes(self) -> Sequence[Note]:
        """What was missing since the connector was made, each cause once."""
        ...

    def courses(self) -> Sequence[Course]:
        """All courses whose gradebook may be read, in the LMS's order."""
        ...

    def unchanged(self, cursors: Mapping[CourseRef, Cursor]) -> Mapping[CourseRef, Cursor]:
        """Courses of which nothing was touched since they were read, told in few requests.

        Args:
            cursors: What the last completed read of each course carried.

        Returns:
            The cursor to keep from now on, for each course that surely needs no reading;
            people, line items and scores are as they were. Empty where the LMS cannot tell.
        """
        ...

    def sections(self, course: CourseRef) -> Sequence[Section]:
        """The parts of a course's learners; ``enrolments`` says who is in which."""
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

    def self_check(self) -> Sequence[Finding]:
        """Compare what the service user may see and do with what nights need.

        LMSs shrink an answer rather than refuse it, so counts are held against each other.
        Writes nothing.
        """
        ...


class GradebookSink(Protocol):
    """Writes marks to the columns that Waymark owns, and to no other."""

    @property
    def calls(self) -> int:
        """Requests sent since the connector was made, tokens included."""
        ...

    @property
    def quota(self) -> float | None:
        """The least that the LMS said was left of its allowance, None where it never did."""
        ...

    @property
    def notes(self) -> Sequence[Note]:
        """What was missing since the connector was made, each cause once."""
        ...

    def ensure_column(self, course: CourseRef, spec: ColumnSpec) -> ColumnRef:
        """Find the column or create it.

        Proven not to change any course grade, unless the way is ``MARK_COUNTED``. For
        ``COMPETENCY`` the column is the LMS's own competency, which is never created.

        Raises:
            GiveUp: It cannot be had that way, or not at all.
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
