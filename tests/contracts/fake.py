"""A gradebook in memory that keeps every promise of the connector protocol.

Tests of the floors above use it instead of an LMS. It can be told what to hold, and be made to
fail; what is written to it is kept in ``marks``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.errors import ConnectorError, GiveUp, Gone
from connectors.protocol import Finding, Note
from mapping.records import (
    ColumnMarks,
    ColumnRef,
    ColumnSpec,
    Course,
    CourseRef,
    Cursor,
    Enrolment,
    EnrolmentState,
    FoundMark,
    LearnerRef,
    LineItem,
    LineItemRef,
    Mark,
    PassbackWay,
    Role,
    SchoolRef,
    Score,
    ScorePage,
    ScoreState,
    Section,
    WriteOutcome,
    WriteState,
)
from mapping.records import Person as PersonRecord


@dataclass
class FakeGradebook:
    """Holds courses, people, columns, scores and marks."""

    course_list: list[Course] = field(default_factory=list)
    people: dict[CourseRef, list[Enrolment]] = field(default_factory=dict)
    columns: dict[CourseRef, list[LineItem]] = field(default_factory=dict)
    marks: dict[ColumnRef, dict[LearnerRef, FoundMark]] = field(default_factory=dict)
    parts: dict[CourseRef, list[Section]] = field(default_factory=dict)
    touched: set[CourseRef] = field(default_factory=set)
    """Courses of which it cannot tell that they are as they were read."""
    failure: ConnectorError | None = None
    page_size: int = 2
    calls: int = 0
    left: float | None = None
    """Of its allowance."""
    _scores: dict[CourseRef, list[Score]] = field(default_factory=dict)
    _read: dict[CourseRef, object] = field(default_factory=dict)

    def set_score(self, course: CourseRef, score: Score) -> None:
        """Put a score into the gradebook; a newer one for its cell replaces the older."""
        kept = [one for one in self._scores.get(course, []) if _cell(one) != _cell(score)]
        self._scores[course] = [*kept, score]

    def forget_scores(self, course: CourseRef) -> None:
        """Be a gradebook in which nothing was scored yet."""
        self._scores.pop(course, None)

    def courses(self) -> Sequence[Course]:
        self._called()
        return list(self.course_list)

    @property
    def quota(self) -> float | None:
        return self.left

    @property
    def notes(self) -> Sequence[Note]:
        return ()

    def unchanged(self, cursors: Mapping[CourseRef, Cursor]) -> Mapping[CourseRef, Cursor]:
        self._called()
        return {
            course: cursor
            for course, cursor in cursors.items()
            if course not in self.touched and self._read.get(course) == self._held(course)
        }

    def self_check(self) -> Sequence[Finding]:
        self._called()
        return ()

    def sections(self, course: CourseRef) -> Sequence[Section]:
        self._called(course)
        return list(self.parts.get(course, []))

    def enrolments(self, course: CourseRef) -> Sequence[Enrolment]:
        self._called(course)
        return list(self.people.get(course, []))

    def line_items(self, course: CourseRef) -> Sequence[LineItem]:
        self._called(course)
        return list(self.columns.get(course, []))

    def scores(self, course: CourseRef, since: Cursor | None = None) -> Iterator[ScorePage]:
        self._called(course)
        held = self._scores.get(course, [])
        known = _known(since)
        news = [one for one in held if known.get(_name(one)) != repr(one)]
        cursor = Cursor(json.dumps({_name(one): repr(one) for one in held}))
        starts = range(0, max(len(news), 1), self.page_size)
        for start in starts:
            rows = news[start : start + self.page_size]
            is_last = start == starts[-1]
            if is_last:
                self._read[course] = self._held(course)
            yield ScorePage(scores=rows, cursor=cursor if is_last else None, read=len(rows))

    def ensure_column(self, course: CourseRef, spec: ColumnSpec) -> ColumnRef:
        self._called(course)
        if spec.way is PassbackWay.NONE:
            raise GiveUp("The column is set to be written nowhere.", cause="no_passback")
        ref = ColumnRef(f"{course}/{spec.tag}")
        if ref not in self.marks:
            self.marks[ref] = {}
            own = LineItem(
                ref=LineItemRef(ref), title=spec.title, category="", maximum=0.0, is_own=True
            )
            self.columns.setdefault(course, []).append(own)
        return ref

    def read_marks(
        self,
        course: CourseRef,
        column: ColumnRef,
        spec: ColumnSpec,  # noqa: ARG002 - the protocol's
    ) -> Mapping[LearnerRef, FoundMark]:
        self._called(course)
        return dict(self.marks[column])

    def write_marks(
        self,
        course: CourseRef,
        writes: Sequence[ColumnMarks],
        *,
        now: datetime,  # noqa: ARG002 - the protocol's
    ) -> Sequence[Sequence[WriteOutcome]]:
        self._called(course)
        return [[self._write(course, one.column, mark) for mark in one.marks] for one in writes]

    def _write(self, course: CourseRef, column: ColumnRef, mark: Mark) -> WriteOutcome:
        learners = {
            one.person.ref for one in self.people.get(course, []) if one.role is Role.LEARNER
        }
        if mark.learner_ref not in learners:
            return WriteOutcome(
                learner_ref=mark.learner_ref,
                state=WriteState.REFUSED,
                reason="This person is no learner of the course.",
            )
        self.marks[column][mark.learner_ref] = FoundMark(
            words=mark.words, points=mark.points, is_ours=True
        )
        return WriteOutcome(learner_ref=mark.learner_ref, state=WriteState.CONFIRMED)

    def _held(self, course: CourseRef) -> object:
        """Everything a course holds that people put there."""
        columns = [one for one in self.columns.get(course, []) if not one.is_own]
        held = (self.people.get(course, []), columns, self._scores.get(course, []))
        return tuple(tuple(one) for one in held)

    def _called(self, course: CourseRef | None = None) -> None:
        self.calls += 1
        if self.failure is not None:
            raise self.failure
        if course is not None and course not in {one.ref for one in self.course_list}:
            raise Gone(f"There is no course {course}.", cause="course_gone")


def small_gradebook() -> FakeGradebook:
    """One course of three learners, one of them suspended, with a teacher and two columns."""
    course = CourseRef("c1")
    book = FakeGradebook(
        course_list=[Course(ref=course, title="Algebra", code="ALG", school_ref=SchoolRef("s1"))],
        columns={
            course: [
                LineItem(ref=LineItemRef(ref), title=ref, category="Quizzes", maximum=10.0)
                for ref in ("quiz 1", "quiz 2")
            ]
        },
        people={course: [enrolled(name) for name in ("ada", "bo", "cy", "teacher")]},
    )
    for learner, points in (("ada", 9.0), ("bo", 4.0), ("cy", 6.0)):
        book.set_score(course, graded("quiz 1", learner, points))
    return book


def graded(item: str, learner: str, points: float) -> Score:
    """A plain score."""
    return Score(
        line_item_ref=LineItemRef(item),
        learner_ref=LearnerRef(learner),
        state=ScoreState.GRADED,
        points=points,
    )


def enrolled(name: str) -> Enrolment:
    """Somebody of a class by what they are called."""
    person = PersonRecord(ref=LearnerRef(name), name=name.title(), sort_name=name, sis_id=name)
    enrolled = Enrolment(person=person, role=Role.TEACHER if name == "teacher" else Role.LEARNER)
    return replace(enrolled, state=EnrolmentState.SUSPENDED) if name == "cy" else enrolled


def _cell(score: Score):
    return score.line_item_ref, score.learner_ref, score.criterion_ref


def _name(score: Score) -> str:
    return "/".join(str(part) for part in _cell(score))


def _known(since: Cursor | None) -> dict[str, str]:
    try:
        found = json.loads(since or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
