"""A district of any size, straight into PostgreSQL: schools, courses, learners and their scores.

A school has a thousand learners and fifty courses of six subjects; a learner is in one course of
each, with fifty line items, so has three hundred scores. Two learners in a hundred are in a course
of the next school. Rows lie as a night writes them: course by course, learner by learner.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, func, insert, select, text

from mapping.columns import NO_MOMENT, IntArray
from mapping.records import CourseId, EnrolmentState, ScoreState, TenantId
from mapping.rules.mastery_rule import MasteryRule
from store import registrations, rules, schema
from store.cells import FIELDS, NO_SECOND, ROW, Cells, keys_of
from store.course_cells import keep_cells
from store.packing import LATE, RETRIED, SECONDS_BEFORE_2000, VISIBLE
from store.session import write_arrays, write_rows, writing
from store.tables import (
    alignments,
    competencies,
    courses,
    earlier_attempts,
    enrolments,
    frameworks,
    learners,
    line_items,
    mapping_sets,
    platforms,
    score_events,
    to_micros,
)

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
LEARNERS, COURSES, SUBJECTS, ITEMS = 1_000, 50, 6, 50
"""Of a school; line items of a course."""
SCORES = LEARNERS * SUBJECTS * ITEMS
"""Of a school."""
_STRANDS, _EACH = 12, 6
"""Strands of the framework, two of each subject, and the competencies of each."""
_OF_SUBJECT = _STRANDS * _EACH // SUBJECTS
_DAY = 86_400
_NOW_2000 = to_micros(NOW) // 1_000_000 - SECONDS_BEFORE_2000
_STATES = (ScoreState.GRADED, ScoreState.NOT_GRADED, ScoreState.MISSING, ScoreState.EXCUSED)
_SHARES = (0.91, 0.05, 0.02, 0.02)
_MOVED, _HIDDEN, _LATE, _DEDUCTED, _RETRIED, _EARLIER = 0.02, 0.02, 0.04, 0.01, 0.01, 0.01
_UNDUE, _UNSUBMITTED, _ALSO = 0.4, 0.1, 0.1
_AT = ("submitted_at", "graded_at")
_INDEXED = (score_events, earlier_attempts)


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """What was written."""

    tenant: TenantId
    schools: int

    @property
    def rows(self) -> int:
        """Scores."""
        return self.schools * SCORES


def write_district(engine: Engine, *, schools: int, items: int = ITEMS, seed: int = 1) -> District:
    """Fill an empty database.

    Args:
        engine: PostgreSQL, as a superuser: rows are written without asking for each whether its
            course and learner are there.
        schools: A thousand learners each.
        items: Line items of a course; a learner has six times as many scores.
        seed: The same gives the same rows.
    """
    schema.migrate(engine)
    rng = np.random.default_rng(seed)
    with writing(engine) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        tenant = _framework(connection)
        _courses(connection, tenant, schools)
        due = _items(connection, schools, rng, each=items)
        _people(connection, tenant, schools)
    indexes = _without_indexes(engine)
    for school in range(schools):
        with writing(engine) as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            _scores(connection, school, schools=schools, items=due, rng=rng)
        scores_written = (school + 1) * LEARNERS * SUBJECTS * items
        _progress(f"{scores_written:,} scores written")
    with writing(engine) as connection:
        for statement in indexes:
            connection.execute(text(statement))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    _progress("indexes made\n")
    return District(tenant=tenant, schools=schools)


def _framework(connection: Connection) -> TenantId:
    tenant = registrations.save_tenant(connection, "District", "UTC")
    connection.execute(
        insert(frameworks).values(
            id=1,
            tenant_id=tenant,
            identifier="F",
            title="Framework",
            creator="",
            language="en",
            licence="",
            attribution="",
        )
    )
    connection.execute(insert(competencies), [_competency(n) for n in range(_STRANDS)])
    below = [_competency(n, n % _STRANDS) for n in range(_STRANDS, _STRANDS * (_EACH + 1))]
    connection.execute(insert(competencies), below)
    connection.execute(
        insert(mapping_sets).values(tenant_id=tenant, version=1, digest="", published_at=NOW)
    )
    rules.save_rule(connection, tenant, MasteryRule().definition(), now=NOW)
    connection.execute(insert(platforms).values(id=1, tenant_id=tenant, **_PLATFORM))
    return tenant


_PLATFORM = {
    "kind": "canvas",
    "name": "Canvas",
    "is_active": False,
    **dict.fromkeys(
        ("issuer", "client_id", "auth_url", "token_url", "jwks_url", "api_url", "api_token"), ""
    ),
}


def _competency(number: int, parent: int | None = None) -> dict[str, Any]:
    return {
        "id": number + 1,
        "framework_id": 1,
        "identifier": str(number),
        "code": f"C{number}",
        "statement": "",
        "indicator": "",
        "parent_id": None if parent is None else parent + 1,
        "position": number,
        "is_strand": parent is None,
        "is_archived": False,
    }


def _courses(connection: Connection, tenant: TenantId, schools: int) -> None:
    rows = [(n + 1, tenant, 1, str(n), f"Course {n}", "active") for n in range(schools * COURSES)]
    columns = ("id", "tenant_id", "platform_id", "ref", "title", "state", "code")
    write_rows(connection, courses, [(*row, "") for row in rows], columns=columns)


def _items(
    connection: Connection, schools: int, rng: np.random.Generator, *, each: int
) -> IntArray:
    """Line items, due some day of the year, and what they speak for; returns when each is due."""
    size = schools * COURSES * each
    due = _NOW_2000 - rng.integers(-30, 240, size) * _DAY
    is_due = rng.random(size) >= _UNDUE
    course = np.arange(size) // each
    rows = zip(
        (np.arange(size) + 1).tolist(),
        (course + 1).tolist(),
        np.where(is_due, (due + SECONDS_BEFORE_2000) * 1_000_000, NO_MOMENT).tolist(),
        strict=True,
    )
    write_rows(
        connection,
        line_items,
        [
            (n, of, str(n), *_ITEM, None if at == NO_MOMENT else at, True, False)
            for n, of, at in rows
        ],
        columns=(
            *("id", "course_id", "ref", "title", "category", "grading", "minimum", "maximum"),
            *("due_at", "is_published", "is_removed"),
        ),
    )
    subject = course % COURSES % SUBJECTS
    first = rng.integers(0, _OF_SUBJECT, size)
    also = np.flatnonzero(rng.random(size) < _ALSO)
    # The competencies of a subject stand in its two strands.
    item = np.concatenate((np.arange(size), also))
    which = np.concatenate((first, (first[also] + 1) % _OF_SUBJECT))
    strand = subject[item] * 2 + which % 2
    competency = _STRANDS + which // 2 * _STRANDS + strand
    told = zip((item + 1).tolist(), (competency + 1).tolist(), strict=True)
    write_rows(
        connection,
        alignments,
        [(one, of, 1.0, "summative") for one, of in told],
        columns=("line_item_id", "competency_id", "weight", "kind"),
    )
    return due


_ITEM = ("Activity", "", "points", 0.0, 20.0)


def _people(connection: Connection, tenant: TenantId, schools: int) -> None:
    write_rows(
        connection,
        learners,
        [(n + 1, tenant, f"L{n}", f"L{n}") for n in range(schools * LEARNERS)],
        columns=("id", "tenant_id", "name", "sort_name"),
    )


def _scores(
    connection: Connection,
    school: int,
    *,
    schools: int,
    items: IntArray,
    rng: np.random.Generator,
) -> None:
    learner, course = _places(school, schools, rng)
    active = [EnrolmentState.ACTIVE.value]
    write_rows(
        connection,
        enrolments,
        [
            (*pair, *active)
            for pair in zip((course + 1).tolist(), (learner + 1).tolist(), strict=True)
        ],
        columns=("course_id", "learner_id", "state"),
    )
    # Course by course, as they are read.
    order = np.lexsort((learner, course))
    learner, course = learner[order], course[order]
    each = items.size // (schools * COURSES)
    cell = np.repeat(np.arange(learner.size), each)
    item = course[cell] * each + np.tile(np.arange(each), learner.size)
    columns = _said(learner[cell], item, due=items, rng=rng)
    _keep(connection, columns, course=course[cell] + 1)
    is_retried = (columns["flags"] & RETRIED) != 0
    before = {name: column[is_retried] for name, column in columns.items()}
    before |= {"attempt": before["attempt"] - 1, "recorded_at": np.full(before["flags"].size, 0)}
    write_arrays(connection, score_events, before)
    _histories(connection, columns, rng)


def _keep(connection: Connection, columns: Mapping[str, Any], *, course: IntArray) -> None:
    """Keep cells that stand by course, learner and line item."""
    keys = keys_of(columns["line_item_id"], columns["learner_id"])
    rows = np.empty(keys.size, ROW)
    for name in FIELDS:
        column = columns[name]
        rows[name] = np.where(column == NO_MOMENT, NO_SECOND, column) if name in _AT else column
    starts = np.flatnonzero(np.append(True, course[1:] != course[:-1]))
    for start, end in zip(starts, np.append(starts[1:], keys.size), strict=True):
        cells = Cells(keys[start:end], rows[start:end])
        keep_cells(connection, CourseId(int(course[start])), cells)


def _places(school: int, schools: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Learner and course: one course of each subject, mostly at the learner's own school."""
    learner = np.repeat(np.arange(LEARNERS), SUBJECTS)
    subject = np.tile(np.arange(SUBJECTS), LEARNERS)
    of_subject = np.bincount(np.arange(COURSES) % SUBJECTS)[subject]
    course = subject + SUBJECTS * (rng.random(learner.size) * of_subject).astype(np.int64)
    where = (school + (rng.random(learner.size) < _MOVED)) % schools
    return school * LEARNERS + learner, where * COURSES + course


def _said(
    learner: IntArray, item: IntArray, *, due: IntArray, rng: np.random.Generator
) -> Mapping[str, Any]:
    size = learner.size
    state = rng.choice(_STATES, size, p=_SHARES).astype(np.int64)
    is_graded = state == ScoreState.GRADED
    share = np.clip(rng.normal(0.75, 0.2, size), 0.0, 1.1)
    submitted = due[item] - rng.integers(-_DAY, 3 * _DAY, size)
    is_retried = rng.random(size) < _RETRIED
    flags = (
        state
        | np.where(rng.random(size) < _HIDDEN, 0, VISIBLE)
        | np.where(rng.random(size) < _LATE, LATE, 0)
        | np.where(is_retried, RETRIED, 0)
    )
    return {
        "points": np.where(is_graded, np.round(share * 20.0, 1), np.nan),
        "points_deducted": np.where(rng.random(size) < _DEDUCTED, 1.0, np.nan),
        "line_item_id": item + 1,
        "learner_id": learner + 1,
        "submitted_at": np.where(rng.random(size) < _UNSUBMITTED, NO_MOMENT, submitted),
        "graded_at": np.where(is_graded, submitted + rng.integers(0, 7 * _DAY, size), NO_MOMENT),
        "attempt": 1 + is_retried,
        "flags": flags,
    }


def _histories(
    connection: Connection, columns: Mapping[str, Any], rng: np.random.Generator
) -> None:
    size = columns["attempt"].size
    row = np.flatnonzero(rng.random(size) < _EARLIER)
    names = ("line_item_id", "learner_id", "submitted_at", "graded_at")
    write_arrays(
        connection,
        earlier_attempts,
        {
            **{name: columns[name][row] for name in names},
            "points": np.round(rng.random(row.size) * 20.0, 1),
            "number": np.zeros(row.size, dtype=np.int64),
            "is_late": np.zeros(row.size, dtype=np.bool_),
        },
    )


def _without_indexes(engine: Engine) -> list[str]:
    """Drop what makes writing slow; returns the statements that make it again."""
    with writing(engine) as connection:
        return [again for table in _INDEXED for again in _bared(connection, table.name)]


def _bared(connection: Connection, table: str) -> list[str]:
    named = {"name": table}
    keys = connection.execute(text(_KEYS), named).all()
    indexes = connection.execute(text(_INDEXES), named).all()
    own = {key for key, _ in keys}
    for key, _ in keys:
        connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {key}"))
    others = [(index, again) for index, again in indexes if index not in own]
    for index, _ in others:
        connection.execute(text(f"DROP INDEX {index}"))
    made = [f"ALTER TABLE {table} ADD CONSTRAINT {key} {again}" for key, again in keys]
    return [*made, *(again for _, again in others)]


_KEYS = (
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE conrelid = cast(:name AS regclass) AND contype IN ('p', 'f') ORDER BY contype DESC"
)
_INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :name"


def found_district(engine: Engine) -> District | None:
    """What an earlier benchmark wrote; None where the database is empty."""
    with writing(engine) as connection:
        if not connection.dialect.has_table(connection, learners.name):
            return None
        tenant, people = connection.execute(
            select(func.min(learners.c.tenant_id), func.count()).select_from(learners)
        ).one()
    return None if tenant is None else District(tenant=tenant, schools=people // LEARNERS)


def _progress(told: str) -> None:
    sys.stderr.write(f"\r{told}")
    sys.stderr.flush()
