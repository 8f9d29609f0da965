"""The two scripts a district would write instead: the first one, and a careful one.

Both do the whole night: they read every gradebook, keep it in PostgreSQL, compute mastery by the
same rule and write the same words into the same columns. They have no cursors, so they read
everything each night; the first one writes every mark each night, too.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from threading import local
from typing import Any

import pandas as pd
import requests
import sqlalchemy
from canvasapi import Canvas
from sqlalchemy import Column, DateTime, Engine, Float, MetaData, String, Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.night_district import (
    DEVELOPING,
    FIRST_COURSE,
    LEAST_EVIDENCE,
    MASTERED,
    SKILLS,
    STRANDS,
    TOKEN,
    strand_title,
    subject_of,
)

THREADS = 8
FIRST, CAREFUL = "First script", "Careful script"
"""How the titles of their columns begin."""
_TOP = 4.0
_EPSILON = 1e-9
_HEADERS = {"Authorization": f"Bearer {TOKEN}"}
_TIMEOUT_SECONDS = 30
Marks = dict[tuple[str, str], str]
"""Words by column title and learner."""


class _Base(DeclarativeBase):
    pass


class Grade(_Base):
    """A row of the first script's table."""

    __tablename__ = "first_script_grades"

    id: Mapped[str] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(index=True)
    user_id: Mapped[str]
    assignment_id: Mapped[str]
    score: Mapped[float | None]
    workflow_state: Mapped[str]
    attempt: Mapped[int | None]
    submitted_at: Mapped[str | None]
    graded_at: Mapped[str | None]


def first_script(url: str, engine: Engine, courses: Sequence[int]) -> None:
    """canvasapi, ``session.merge``, a loop over rows, and a request for each mark."""
    _Base.metadata.create_all(engine)
    canvas = Canvas(url, TOKEN)
    with Session(engine) as session:
        for number in courses:
            course = canvas.get_course(number)
            titles = {one.id: one.name for one in course.get_assignments(per_page=100)}
            for row in course.get_multiple_submissions(student_ids=["all"], per_page=100):
                session.merge(_grade(row, number))
            session.commit()
            _put_one_by_one(url, course, _looped(session, number, titles))


def _grade(row: Any, course: int) -> Grade:  # noqa: ANN401 - canvasapi's objects have no types
    return Grade(
        id=row.id,
        course_id=course,
        user_id=row.user_id,
        assignment_id=row.assignment_id,
        score=row.score,
        workflow_state=row.workflow_state,
        attempt=row.attempt,
        submitted_at=row.submitted_at,
        graded_at=row.graded_at,
    )


def _put_one_by_one(url: str, course: Any, marks: Marks) -> None:  # noqa: ANN401 - as above
    ids = {one.title: one.id for one in course.get_custom_columns(per_page=100)}
    for (title, learner), words in marks.items():
        if title not in ids:
            ids[title] = course.create_custom_column(column={"title": title}).id
        address = f"{url}/api/v1/courses/{course.id}/custom_gradebook_columns/{ids[title]}"
        requests.put(
            f"{address}/data/{learner}",
            headers=_HEADERS,
            json={"column_data": {"content": words}},
            timeout=_TIMEOUT_SECONDS,
        ).raise_for_status()


def _looped(session: Session, course: int, titles: Mapping[str, str]) -> Marks:
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    for grade in session.query(Grade).filter_by(course_id=course):
        if grade.score is not None:
            skill = int(titles[grade.assignment_id].rstrip(".").rpartition(" ")[2])
            found[grade.user_id, skill].append(grade.score / 20.0 * _TOP)
    estimates: dict[str, dict[int, float]] = defaultdict(dict)
    for (learner, skill), values in found.items():
        if len(values) >= LEAST_EVIDENCE:
            estimates[learner][skill] = sum(values) / len(values)
    return dict(_marks(FIRST, course, estimates))


def _marks(
    whose: str, course: int, estimates: Mapping[str, Mapping[int, float]]
) -> Iterator[tuple[tuple[str, str], str]]:
    for learner, by_skill in estimates.items():
        for strand in range(STRANDS):
            skills = range(strand * SKILLS, (strand + 1) * SKILLS)
            values = [by_skill[skill] for skill in skills if skill in by_skill]
            if values:
                title = f"{whose}: {strand_title(subject_of(course - FIRST_COURSE), strand)}"
                yield (title, learner), _words(values)


def _words(values: Sequence[float]) -> str:
    mastered = sum(value >= MASTERED - _EPSILON for value in values)
    mean = sum(values) / len(values)
    working = "Developing" if mean >= DEVELOPING - _EPSILON else "Emerging"
    label = "Mastered" if mastered == len(values) else working
    return f"{label} ({mastered} of {SKILLS} competencies mastered)"


_METADATA = MetaData()
_GRADES = Table(
    "careful_grades",
    _METADATA,
    Column("assignment_id", String(32), primary_key=True),
    Column("user_id", String(32), primary_key=True),
    Column("score", Float),
    Column("workflow_state", String(32)),
    Column("submitted_at", DateTime(timezone=True)),
    Column("graded_at", DateTime(timezone=True)),
)
_WRITTEN = Table(
    "careful_marks",
    _METADATA,
    Column("course_id", sqlalchemy.Integer, primary_key=True),
    Column("title", String(255), primary_key=True),
    Column("user_id", String(32), primary_key=True),
    Column("words", String(255)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Careful:
    url: str
    engine: Engine
    sessions: local
    pool: ThreadPoolExecutor

    @property
    def session(self) -> requests.Session:
        """This thread's, whose connection is kept open."""
        if not hasattr(self.sessions, "own"):
            self.sessions.own = requests.Session()
            self.sessions.own.headers.update(_HEADERS)
        own: requests.Session = self.sessions.own
        return own

    def rows(self, path: str) -> Iterator[Mapping[str, Any]]:
        """A list, its links followed."""
        url: str | None = f"{self.url}/api/v1/{path}"
        while url is not None:
            reply = self.session.get(url, timeout=_TIMEOUT_SECONDS)
            reply.raise_for_status()
            yield from reply.json()
            url = reply.links.get("next", {}).get("url")


def careful_script(url: str, engine: Engine, courses: Sequence[int]) -> None:
    """Sessions and threads, upserts of many rows, pandas, and a request for each changed mark."""
    _METADATA.create_all(engine)
    with ThreadPoolExecutor(THREADS) as readers, ThreadPoolExecutor(THREADS) as writers:
        careful = _Careful(url=url, engine=engine, sessions=local(), pool=writers)
        for _ in readers.map(lambda course: _one_course(careful, course), courses):
            pass


def _one_course(careful: _Careful, course: int) -> None:
    path = f"courses/{course}"
    titles = {one["id"]: one["name"] for one in careful.rows(f"{path}/assignments?per_page=100")}
    rows = list(careful.rows(f"{path}/students/submissions?student_ids[]=all&per_page=100"))
    with careful.engine.begin() as connection:
        _upsert(
            connection,
            _GRADES,
            [
                {
                    "assignment_id": row["assignment_id"],
                    "user_id": row["user_id"],
                    "score": row["score"],
                    "workflow_state": row["workflow_state"],
                    "submitted_at": _moment(row["submitted_at"]),
                    "graded_at": _moment(row["graded_at"]),
                }
                for row in rows
            ],
            keys=("assignment_id", "user_id"),
        )
    _write(careful, course, _grouped(course, rows, titles))


def _upsert(
    connection: sqlalchemy.Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keys: Sequence[str],
) -> None:
    statement = insert(table)
    updates = {c.name: statement.excluded[c.name] for c in table.c if c.name not in keys}
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(keys), set_=updates), list(rows)
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _grouped(course: int, rows: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> Marks:
    frame = pd.DataFrame(rows, columns=["user_id", "assignment_id", "score"]).dropna()
    skills = {one: int(title.rstrip(".").rpartition(" ")[2]) for one, title in titles.items()}
    frame["skill"] = frame["assignment_id"].map(skills)
    frame["points"] = frame["score"] / 20.0 * _TOP
    grouped = frame.groupby(["user_id", "skill"])["points"].agg(["mean", "size"])
    enough = grouped[grouped["size"] >= LEAST_EVIDENCE]["mean"]
    estimates: dict[str, dict[int, float]] = defaultdict(dict)
    for (learner, skill), mean in enough.items():
        estimates[learner][skill] = mean
    return dict(_marks(CAREFUL, course, estimates))


def _write(careful: _Careful, course: int, marks: Marks) -> None:
    with careful.engine.begin() as connection:
        written = {
            (row.title, row.user_id): row.words
            for row in connection.execute(select(_WRITTEN).where(_WRITTEN.c.course_id == course))
        }
    changed = {key: words for key, words in marks.items() if written.get(key) != words}
    if not changed:
        return
    path = f"courses/{course}/custom_gradebook_columns"
    address = f"{careful.url}/api/v1/{path}"
    ids = {one["title"]: one["id"] for one in careful.rows(f"{path}?per_page=100")}
    for title in {title for title, _ in changed} - ids.keys():
        reply = careful.session.post(
            address, json={"column": {"title": title}}, timeout=_TIMEOUT_SECONDS
        )
        ids[title] = reply.json()["id"]

    def send(one: tuple[tuple[str, str], str]) -> None:
        (title, learner), words = one
        careful.session.put(
            f"{address}/{ids[title]}/data/{learner}",
            json={"column_data": {"content": words}},
            timeout=_TIMEOUT_SECONDS,
        ).raise_for_status()

    list(careful.pool.map(send, changed.items()))
    with careful.engine.begin() as connection:
        _upsert(
            connection,
            _WRITTEN,
            [
                {"course_id": course, "title": title, "user_id": learner, "words": words}
                for (title, learner), words in changed.items()
            ],
            keys=("course_id", "title", "user_id"),
        )
