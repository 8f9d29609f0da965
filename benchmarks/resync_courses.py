"""Courses whose gradebooks are read again, in a database of their own."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from sqlalchemy import Connection, Engine

from mapping.records import (
    Course,
    CourseId,
    CourseRef,
    Cursor,
    Enrolment,
    LearnerId,
    LearnerRef,
    LineItem,
    LineItemId,
    LineItemRef,
    PassbackWay,
    Person,
    Role,
    SchoolRef,
    Score,
    ScoreState,
)
from mapping.score_columns import ScoreColumns
from store import courses, gradebook, readings, registrations, whole_readings
from store.gradebook import ItemKey
from store.readings import Finished
from store.registrations import PlatformEntry
from store.secrets import SecretBox
from store.session import writing

LEARNERS = 200
ITEMS = 100
ROWS_A_COURSE = LEARNERS * ITEMS
NOW = datetime(2026, 11, 20, tzinfo=UTC)
_ROWS_A_TRANSACTION = 5_000
_ONE_CHANGED_IN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCourse:
    """A course, with the ids behind what the LMS calls its columns and people."""

    id: CourseId
    items: Mapping[ItemKey, LineItemId]
    learners: Mapping[LearnerRef, LearnerId]


def new_courses(engine: Engine, count: int) -> list[ReadCourse]:
    """Courses of one district with columns and people, and no scores yet."""
    with writing(engine) as connection:
        tenant = registrations.save_tenant(connection, "Bench", "UTC")
        platform = registrations.save_platform(
            connection, tenant, _PLATFORM, secrets=SecretBox("a benchmark's key, not a secret")
        )
        registrations.save_school(connection, tenant, "School", passback_way=PassbackWay.NONE)
        found = [
            Course(ref=CourseRef(str(n)), title=f"Course {n}", code="C", school_ref=SchoolRef("1"))
            for n in range(count)
        ]
        courses.save_courses(connection, platform, found, tenant=tenant)
        return [_filled(connection, one.id) for one in courses.courses_of(connection, tenant)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Every score of a course: as records, and as a night has them, in columns by the part."""

    scores: Sequence[Score]
    parts: Sequence[ScoreColumns]

    @classmethod
    def of(cls, scores: Sequence[Score]) -> Self:
        """A page of some scores."""
        return cls(scores=scores, parts=[ScoreColumns.of(part) for part in _parts(scores)])


def gradebook_page(*, is_changed: bool = False) -> Page:
    """What an LMS says of a course; where changed, two in a hundred are others."""
    page = [
        Score(
            line_item_ref=LineItemRef(str(item)),
            learner_ref=LearnerRef(str(learner)),
            state=ScoreState.GRADED,
            points=float((item * learner) % 21),
            attempt=1,
            submitted_at=NOW - timedelta(days=3, minutes=learner),
            graded_at=NOW - timedelta(days=1, minutes=item),
        )
        for learner in range(LEARNERS)
        for item in range(ITEMS)
    ]
    if not is_changed:
        return Page.of(page)
    return Page.of(
        [
            score._replace(points=21.0) if place % _ONE_CHANGED_IN == 0 else score
            for place, score in enumerate(page)
        ]
    )


def read_again(engine: Engine, course: ReadCourse, page: Page) -> None:
    """As the night does that reads all: each part is kept in a transaction, then the end."""
    _read(engine, course, page.parts)


def read_records_again(engine: Engine, course: ReadCourse, page: Page) -> None:
    """The same, and records are made columns first."""
    _read(engine, course, map(ScoreColumns.of, _parts(page.scores)))


def compare_again(engine: Engine, course: ReadCourse, page: Page) -> None:
    """The same where no digests of the reading before are kept: cells are read and compared."""
    with writing(engine) as connection:
        whole_readings.forget(connection, course.id)
    read_again(engine, course, page)


def _read(engine: Engine, course: ReadCourse, parts: Iterable[ScoreColumns]) -> None:
    with writing(engine) as connection:
        reading = gradebook.start_reading(
            connection, course.id, items=course.items, learners=course.learners
        )
    for part in parts:
        with writing(engine) as connection:
            gradebook.save_scores(connection, reading, part, now=NOW, run=None)
    with writing(engine) as connection:
        gradebook.clear_unseen(connection, reading, now=NOW, run=None)
    finished = Finished(cursor=Cursor("1"), basis="", is_sweep=True, said=reading.to_keep)
    with writing(engine) as connection:
        readings.finish_reading(connection, course.id, finished, now=NOW)


def _parts(page: Sequence[Score]) -> Iterator[Sequence[Score]]:
    for start in range(0, len(page), _ROWS_A_TRANSACTION):
        yield page[start : start + _ROWS_A_TRANSACTION]


def _filled(connection: Connection, course: CourseId) -> ReadCourse:
    people = [
        Enrolment(
            person=Person(ref=LearnerRef(str(n)), name=f"L{n}", sort_name=f"L{n}"),
            role=Role.LEARNER,
        )
        for n in range(LEARNERS)
    ]
    columns = [
        LineItem(ref=LineItemRef(str(n)), title=f"I{n}", category="", maximum=20.0)
        for n in range(ITEMS)
    ]
    learners = courses.save_enrolments(connection, course, people)
    items = gradebook.save_line_items(connection, course, columns)
    return ReadCourse(id=course, items=items, learners=learners)


_PLATFORM = PlatformEntry(
    kind="canvas",
    name="Canvas",
    issuer="https://lms.example",
    client_id="1",
    auth_url="https://lms.example/a",
    token_url="https://lms.example/t",  # noqa: S106 - an address
    jwks_url="https://lms.example/k",
    api_url="https://lms.example",
    api_token="none",  # noqa: S106 - no secret
)
