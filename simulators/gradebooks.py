"""Draws one course's gradebook: its columns, and every cell of it.

Some awkward cells are certain in every course with at least eight learners (see ``CERTAIN``),
the others come by chance, with the frequencies seen in real gradebooks.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulators.catalogue import ADVISORY_TITLES, CRITERIA, SYLLABI, Offer, Topic
from simulators.district import Assignment, Attempt, Criterion, Grade
from simulators.response import Abilities, points_for

SCALE = ("Not yet", "Developing", "Proficient", "Exemplary")
DEDUCTION_A_DAY = 0.05
"""Late work loses this part of the maximum for each day begun (Canvas's late policy)."""

CERTAIN = {
    (0, 2): "excused",
    (1, 3): "missing",
    (2, 4): "late",
    (3, 0): "overridden",
    (4, 6): "hidden",
    (5, 7): "submitted",
    (6, 0): "retried",
    (7, 8): "untouched",
}
"""What surely happens to the n-th learner of a course in its m-th column, counted from 0."""

_CHANCES = (
    ("missing", 0.03),
    ("untouched", 0.008),
    ("excused", 0.012),
    ("late", 0.06),
    ("submitted", 0.006),
    ("overridden", 0.01),
    ("hidden", 0.004),
)
_RETRY_CHANCE = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """An assignment and how hard it is; ``codes`` by criterion id, "" for the whole."""

    assignment: Assignment
    codes: dict[str, str]
    difficulty: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The school term; ``now`` is when the district was drawn."""

    starts_at: datetime
    ends_at: datetime
    now: datetime

    def progress(self, moment: datetime) -> float:
        """The part of the term that has passed, in [0, 1]."""
        share = (moment - self.starts_at) / (self.ends_at - self.starts_at)
        return min(1.0, max(0.0, share))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sketch:
    """A column before it has an id and a date."""

    title: str
    category: str
    kind: str
    maximum: float
    code: str
    is_scale: bool = False


class Planner:
    """Makes the columns of all courses of one LMS; ids run on from course to course."""

    def __init__(self, rng: random.Random, lms: str, *, first_id: int) -> None:
        self._rng = rng
        self._lms = lms
        self._next_id = first_id
        self._has_draft = False

    def columns(self, offer: Offer, term: Term) -> Sequence[Column]:
        """The columns of a course, oldest first; the last two are due after today."""
        sketches = list(_sketches(offer, self._lms))
        last_past = len(sketches) - 3
        columns = []
        for position, sketch in enumerate(sketches):
            due_at = _due(term, position, last_past)
            is_posted = position != last_past - 1
            columns.append(self._column(sketch, due_at, is_posted=is_posted))
        if not self._has_draft:
            self._has_draft = True
            columns.append(self._draft(columns[-1].assignment.due_at))
        return columns

    def _column(self, sketch: _Sketch, due_at: datetime, *, is_posted: bool) -> Column:
        criteria = self._criteria(sketch)
        assignment = Assignment(
            id=self._take_id(),
            title=sketch.title,
            category=sketch.category,
            maximum=float(len(SCALE)) if sketch.is_scale else sketch.maximum,
            due_at=due_at,
            kind=sketch.kind,
            scale=SCALE if sketch.is_scale else (),
            is_posted=is_posted,
            criteria=criteria,
        )
        codes = {"": sketch.code, **{row.id: CRITERIA[row.title] for row in criteria}}
        return Column(assignment=assignment, codes=codes, difficulty=self._rng.gauss(0.0, 0.45))

    def _draft(self, due_at: datetime) -> Column:
        assignment = Assignment(
            id=self._take_id(),
            title="Draft: End-of-term showcase",
            category="Projects",
            maximum=50.0,
            due_at=due_at,
            is_published=False,
        )
        return Column(assignment=assignment, codes={"": "habits"}, difficulty=0.0)

    def _take_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _criteria(self, sketch: _Sketch) -> Sequence[Criterion]:
        if self._lms != "canvas" or sketch.category != "Projects":
            return ()
        return tuple(
            Criterion(
                id=f"_{self._rng.randrange(1000, 9999)}_{number}",
                title=title,
                maximum=sketch.maximum / 4,
            )
            for number, title in enumerate(CRITERIA)
        )


def _due(term: Term, position: int, last_past: int) -> datetime:
    """Due dates run evenly to three days ago; what comes after is due in the next weeks."""
    if position > last_past:
        days = timedelta(days=6 * (position - last_past))
        return term.now.replace(hour=23, minute=59, second=59, microsecond=0) + days
    span = (term.now - timedelta(days=3)) - (term.starts_at + timedelta(days=5))
    due_at = term.starts_at + timedelta(days=5) + span * (position / max(1, last_past))
    return due_at.replace(hour=23, minute=59, second=59, microsecond=0)


def _sketches(offer: Offer, lms: str) -> Iterator[_Sketch]:
    if not offer.syllabus:
        yield from _advisory()
        return
    months = iter(("August", "September", "October", "November"))
    topics = SYLLABI[offer.syllabus].topics
    for number, topic in enumerate(topics, 1):
        yield from _of_topic(number, topic, lms)
        if number % 2 == 0:
            yield _Sketch(
                title=f"Participation in {next(months)}",
                category="Participation",
                kind="manual",
                maximum=10.0,
                code="habits",
            )
    yield _Sketch(
        title="Study habits survey",
        category="Participation",
        kind="assignment",
        maximum=5.0,
        code="habits",
    )
    yield _Sketch(
        title="Notebook check", category="Homework", kind="assignment", maximum=10.0, code="habits"
    )


def _of_topic(number: int, topic: Topic, lms: str) -> Iterator[_Sketch]:
    yield _Sketch(
        title=f"Homework {number}: {topic.name}",
        category="Homework",
        kind="assignment",
        maximum=20.0,
        code=topic.code,
    )
    yield _Sketch(
        title=f"Quiz {number}: {topic.name}",
        category="Quizzes",
        kind="quiz",
        maximum=10.0 if number % 2 else 25.0,
        code=topic.code,
    )
    if topic.project:
        yield _Sketch(
            title=f"Project: {topic.project}",
            category="Projects",
            kind="assignment",
            maximum=100.0,
            code=topic.code,
        )
    if number % 2:
        yield _Sketch(
            title=f"Exit ticket: {topic.name}",
            category="Classwork",
            kind="assignment",
            maximum=4.0,
            code=topic.code,
            is_scale=lms == "moodle",
        )


def _advisory() -> Iterator[_Sketch]:
    for number in range(32):
        title = ADVISORY_TITLES[number % len(ADVISORY_TITLES)]
        yield _Sketch(
            title=f"{title} {number // len(ADVISORY_TITLES) + 1}",
            category="Advisory",
            kind="assignment",
            maximum=10.0,
            code="habits",
        )


class Grader:
    """Draws the cells of gradebooks."""

    def __init__(self, rng: random.Random, lms: str, abilities: Abilities) -> None:
        self._rng = rng
        self._lms = lms
        self._abilities = abilities

    def grades(
        self, columns: Sequence[Column], learners: Sequence[int], term: Term
    ) -> Iterator[Grade]:
        """The cells of a course, column by column; cells where nothing happened are absent."""
        for m, column in enumerate(columns):
            if not column.assignment.is_published or column.assignment.due_at > term.now:
                continue
            for n, learner in enumerate(learners):
                event = CERTAIN.get((n, m)) or self._event()
                grade = self._cell(column, learner, (event, term))
                if grade is not None:
                    yield grade

    def _event(self) -> str:
        draw = self._rng.random()
        for event, chance in _CHANCES:
            if draw < chance:
                return event
            draw -= chance
        return ""

    def _cell(self, column: Column, learner: int, what: tuple[str, Term]) -> Grade | None:
        event, term = what
        item = column.assignment
        if event == "untouched":
            return None
        if event == "missing" or (event == "excused" and self._lms == "canvas"):
            return Grade(learner=learner, assignment=item.id, state=event)
        attempts = self._attempts(column, learner, what)
        last = attempts[-1]
        is_waiting = last.graded_at > term.now or (event == "submitted" and item.kind != "manual")
        state = "submitted" if is_waiting else "excused" if event == "excused" else "graded"
        if state == "submitted" and item.kind == "manual":
            return None
        return Grade(
            learner=learner,
            assignment=item.id,
            state=state,
            attempts=attempts,
            points_deducted=self._deduction(item, last) if event == "late" else 0.0,
            overridden=self._override(item, last) if event == "overridden" else None,
            is_hidden=event == "hidden" and self._lms == "moodle",
        )

    def _attempts(self, column: Column, learner: int, what: tuple[str, Term]) -> Sequence[Attempt]:
        event, term = what
        item = column.assignment
        is_retried = event == "retried" or self._rng.random() < _RETRY_CHANCE
        count = 2 if item.kind == "quiz" and is_retried else 1
        submitted_at = item.due_at - timedelta(minutes=self._rng.randrange(5, 4000))
        if event == "late":
            submitted_at = item.due_at + timedelta(hours=self._rng.randrange(1, 70))
        attempts = []
        for number in range(count):
            attempts.append(self._attempt(column, learner, (submitted_at, 0.5 * number, term)))
            submitted_at += timedelta(minutes=self._rng.randrange(40, 900))
        return attempts

    def _attempt(self, column: Column, learner: int, what: tuple[datetime, float, Term]) -> Attempt:
        submitted_at, gain, term = what
        item = column.assignment
        progress = term.progress(submitted_at)
        shares = {
            key: self._abilities.share(
                self._abilities.at(learner, code, progress) + gain, column.difficulty
            )
            for key, code in column.codes.items()
        }
        is_machine = item.kind == "quiz"
        waiting = timedelta(minutes=0 if is_machine else self._rng.randrange(300, 7000))
        return Attempt(
            submitted_at=submitted_at,
            points=_level(shares[""]) if item.scale else points_for(shares[""], item.maximum),
            graded_at=submitted_at + waiting,
            criteria={row.id: points_for(shares[row.id], row.maximum) for row in item.criteria},
        )

    def _deduction(self, item: Assignment, last: Attempt) -> float:
        if self._lms != "canvas" or last.submitted_at <= item.due_at:
            return 0.0
        days = (last.submitted_at - item.due_at).days + 1
        return round(min(last.points, days * DEDUCTION_A_DAY * item.maximum), 2)

    def _override(self, item: Assignment, last: Attempt) -> float | None:
        if self._lms != "moodle":
            return None
        step = max(1.0, round(item.maximum * 0.1))
        return last.points + step if last.points + step <= item.maximum else last.points - step


def _level(share: float) -> float:
    return float(min(len(SCALE), 1 + int(share * len(SCALE))))
