"""A gradebook read again that has not changed: what it costs the database."""

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, select

from benchmarks.timing import Row, rate
from mapping.records import (
    Course,
    CourseId,
    CourseRef,
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
from store import courses, gradebook, registrations, schema
from store.gradebook import ItemKey
from store.registrations import PlatformEntry
from store.secrets import SecretBox
from store.session import open_engine, upsert, writing
from store.tables import scores as scores_table

_LEARNERS = 200
_ITEMS = 100
ROWS = _LEARNERS * _ITEMS
_NOW = datetime(2026, 11, 20, tzinfo=UTC)


def run() -> list[Row]:
    """Measure scores a second of a course saved again, on SQLite."""
    page = _page()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'bench.db'}")
        schema.migrate(engine)
        with writing(engine) as connection:
            course = _course(connection)
            items, learners = _items(connection, course)
            first = gradebook.start_reading(connection, course, items=items, learners=learners)
            gradebook.save_scores(connection, first, page, now=_NOW, run=None)

        def ours() -> None:
            with writing(engine) as connection:
                reading = gradebook.start_reading(
                    connection, course, items=items, learners=learners
                )
                gradebook.save_scores(connection, reading, page, now=_NOW, run=None)

        with writing(engine) as connection:
            rows = [dict(row) for row in connection.execute(select(scores_table)).mappings()]

        def peer() -> None:
            with writing(engine) as connection:
                upsert(connection, scores_table, rows, keys=("line_item_id", "learner_id"))

        def limit() -> None:
            with writing(engine) as connection:
                connection.exec_driver_sql("SELECT * FROM scores").fetchall()

        measured = [
            Row(
                benchmark="resync",
                role="ours",
                what="snapshot, difference, nothing to write",
                rate=rate(ROWS, ours),
            ),
            Row(
                benchmark="resync",
                role="peer",
                what="upsert of every row through Core",
                rate=rate(ROWS, peer),
            ),
            Row(
                benchmark="resync",
                role="limit",
                what="reading the rows with the driver",
                rate=rate(ROWS, limit),
            ),
        ]
        engine.dispose()
    return measured


def _course(connection: Connection) -> CourseId:
    tenant = registrations.save_tenant(connection, "Bench", "UTC")
    platform = registrations.save_platform(
        connection,
        tenant,
        PlatformEntry(
            kind="canvas",
            name="Canvas",
            issuer="https://lms.example",
            client_id="1",
            auth_url="https://lms.example/a",
            token_url="https://lms.example/t",  # noqa: S106 - an address
            jwks_url="https://lms.example/k",
            api_url="https://lms.example",
            api_token="none",  # noqa: S106 - no secret
        ),
        secrets=SecretBox("a benchmark's secret key, not a secret"),
    )
    registrations.save_school(connection, tenant, "School", passback_way=PassbackWay.NONE)
    found = Course(ref=CourseRef("1"), title="Course", code="C", school_ref=SchoolRef("1"))
    courses.save_courses(connection, platform, [found], tenant=tenant)
    return courses.courses_of(connection, tenant)[0].id


def _items(
    connection: Connection, course: CourseId
) -> tuple[Mapping[ItemKey, LineItemId], Mapping[LearnerRef, LearnerId]]:
    people = [
        Enrolment(
            person=Person(ref=LearnerRef(str(n)), name=f"L{n}", sort_name=f"L{n}"),
            role=Role.LEARNER,
        )
        for n in range(_LEARNERS)
    ]
    line_items = [
        LineItem(ref=LineItemRef(str(n)), title=f"I{n}", category="", maximum=20.0)
        for n in range(_ITEMS)
    ]
    learners = courses.save_enrolments(connection, course, people)
    return gradebook.save_line_items(connection, course, line_items), learners


def _page() -> list[Score]:
    return [
        Score(
            line_item_ref=LineItemRef(str(item)),
            learner_ref=LearnerRef(str(learner)),
            state=ScoreState.GRADED,
            points=float((item * learner) % 21),
            graded_at=_NOW,
        )
        for learner in range(_LEARNERS)
        for item in range(_ITEMS)
    ]
