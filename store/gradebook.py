"""Line items and scores: what the gradebooks say now, and everything they ever said."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, select, type_coerce, update

from mapping.records import (
    CompetencyId,
    CourseId,
    LearnerId,
    LearnerRef,
    LineItem,
    LineItemId,
    RunId,
    Score,
    ScoreState,
)
from store.attempts import AttemptKey, keep_attempts, known_attempts, values_of
from store.item_rows import ItemKey, item_key, item_rows, stored_items
from store.packing import STATE, Second2000, flags, to_second
from store.session import upsert, write_rows
from store.tables import (
    alignments,
    line_items,
    score_events,
    scores,
    to_micros,
)
from store.waiting import mark_learners, mark_pairs

_FIELDS = tuple(c.name for c in scores.c if c.name not in ("line_item_id", "learner_id"))
_FLAGS = _FIELDS.index("flags")
_CELL = ("line_item_id", "learner_id")
_Cell = tuple[int, int]
_Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedScores:
    """How many scores were new and how many said something else than before."""

    new: int = 0
    changed: int = 0


@dataclass(slots=True, kw_only=True)
class Reading:
    """One course being read: what was known before, brought up to date page by page.

    Held by the one who holds the course, so nothing else changes these scores meanwhile. Where
    nothing was known of it, ``is_first``, learners are put down for recomputation whole: that
    they are told apart by competency would cost more than it saves.
    """

    course: CourseId
    items: Mapping[ItemKey, LineItemId]
    learners: Mapping[LearnerRef, LearnerId]
    known: dict[_Cell, _Values]
    attempts: dict[AttemptKey, _Values]
    speaks_for: Mapping[int, Sequence[CompetencyId]] = field(default_factory=dict)
    is_first: bool = False
    seen: set[_Cell] = field(default_factory=set)


def save_line_items(
    connection: Connection, course_id: CourseId, found: Sequence[LineItem]
) -> Mapping[ItemKey, LineItemId]:
    """Keep a course's columns as they are now; one row more for each rubric criterion.

    Columns that vanished are marked as removed and keep their scores. Waymark's own columns
    are left out: they are never evidence.

    Returns:
        The line item behind each (line item, criterion) reference.
    """
    rows = [row for item in found if not item.is_own for row in item_rows(course_id, item)]
    before = stored_items(connection, course_id)
    after = {(row["ref"], row["criterion_ref"]): row for row in rows}
    changed = [row for key, row in after.items() if before.get(key, (0, None))[1] != row]
    upsert(connection, line_items, changed, keys=("course_id", "ref", "criterion_ref"))
    vanished = [number for key, (number, _) in before.items() if key not in after]
    if vanished:
        connection.execute(
            update(line_items).where(line_items.c.id.in_(vanished)).values(is_removed=True)
        )
    now = stored_items(connection, course_id) if changed else before
    return {item_key(*key): LineItemId(now[key][0]) for key in after}


def start_reading(
    connection: Connection,
    course_id: CourseId,
    *,
    items: Mapping[ItemKey, LineItemId],
    learners: Mapping[LearnerRef, LearnerId],
) -> Reading:
    """Take in what is known of a course's scores before reading it."""
    rows = connection.execute(
        select(
            scores.c.line_item_id,
            scores.c.learner_id,
            *(
                type_coerce(scores.c[name], Integer)
                if isinstance(scores.c[name].type, Second2000)
                else scores.c[name]
                for name in _FIELDS
            ),
        )
        .join(line_items, line_items.c.id == scores.c.line_item_id)
        .where(line_items.c.course_id == course_id)
    )
    known = {(row[0], row[1]): tuple(row[2:]) for row in rows}
    return Reading(
        course=course_id,
        items=items,
        learners=learners,
        known=known,
        attempts=known_attempts(connection, course_id),
        speaks_for=_alignments(connection, course_id),
        is_first=not known,
    )


def save_scores(
    connection: Connection,
    reading: Reading,
    page: Sequence[Score],
    *,
    now: datetime,
    run: RunId | None,
) -> SavedScores:
    """Keep what a page of scores says that was not known.

    Each difference is appended to the score events and becomes the current score; what it
    speaks for is put down for recomputation in the same transaction, as it is for earlier
    attempts that say something new. A score that says what is known writes nothing. Scores of
    people or columns that are not in the reading are passed over.

    Args:
        connection: A writing transaction.
        reading: The course's reading; brought up to date.
        page: Scores as the LMS sent them.
        now: When they were read.
        run: The run that read them.
    """
    found: dict[_Cell, _Values] = {}
    earlier: dict[AttemptKey, _Values] = {}
    for score in page:
        item = reading.items.get((score.line_item_ref, score.criterion_ref))
        learner = reading.learners.get(score.learner_ref)
        if item is not None and learner is not None:
            found[item, learner] = _values(score)
            for attempt in score.earlier:
                earlier[item, learner, attempt.number] = values_of(attempt)
    reading.seen.update(found)
    retold = keep_attempts(connection, reading.attempts, earlier, now=now, run=run)
    _mark(connection, reading, retold, now=now)
    return _append(connection, reading, found, now=now, run=run)


def clear_unseen(
    connection: Connection, reading: Reading, *, now: datetime, run: RunId | None
) -> SavedScores:
    """After a full reading: a grade that the LMS no longer holds was taken away.

    Only for learners of whom the reading had something: an LMS leaves out whole people for
    reasons that say nothing of their grades. And only in columns that are published: an LMS
    leaves the others out, and keeps their grades.
    """
    present = {learner for _, learner in reading.seen}
    items = _published(connection, reading.course)
    gone = {
        cell: _cleared(values)
        for cell, values in reading.known.items()
        if cell not in reading.seen
        and cell[1] in present
        and cell[0] in items
        and values[_FLAGS] & STATE not in (ScoreState.CLEARED, ScoreState.NOT_GRADED)
    }
    return _append(connection, reading, gone, now=now, run=run)


def _append(
    connection: Connection,
    reading: Reading,
    found: Mapping[_Cell, _Values],
    *,
    now: datetime,
    run: RunId | None,
) -> SavedScores:
    different = {cell: v for cell, v in found.items() if reading.known.get(cell) != v}
    # An empty cell that was never anything else is no news.
    news = {
        cell: values
        for cell, values in different.items()
        if cell in reading.known or values[_FLAGS] & STATE != ScoreState.NOT_GRADED
    }
    if not news:
        return SavedScores()
    rows = [(*cell, *values) for cell, values in news.items()]
    written = (*_CELL, *_FIELDS)
    write_rows(connection, scores, rows, columns=written, keys=_CELL)
    recorded = (to_micros(now), run)
    write_rows(
        connection,
        score_events,
        [(*row, *recorded) for row in rows],
        columns=(*written, "recorded_at", "run_id"),
    )
    _mark(connection, reading, news, now=now)
    new = sum(cell not in reading.known for cell in news)
    reading.known.update(news)
    return SavedScores(new=new, changed=len(news) - new)


def _mark(
    connection: Connection, reading: Reading, cells: Collection[_Cell], *, now: datetime
) -> None:
    """Put down what cells speak for; a cell that speaks for nothing changes no standing."""
    telling = [cell for cell in cells if cell[0] in reading.speaks_for]
    if reading.is_first:
        mark_learners(connection, {LearnerId(learner) for _, learner in telling}, now=now)
        return
    pairs = {
        (LearnerId(learner), competency)
        for item, learner in telling
        for competency in reading.speaks_for[item]
    }
    mark_pairs(connection, pairs, now=now)


def _alignments(connection: Connection, course_id: CourseId) -> dict[int, tuple[CompetencyId, ...]]:
    """What each line item of a course speaks for."""
    rows = connection.execute(
        select(alignments.c.line_item_id, alignments.c.competency_id)
        .join(line_items, line_items.c.id == alignments.c.line_item_id)
        .where(line_items.c.course_id == course_id)
    )
    found: dict[int, tuple[CompetencyId, ...]] = {}
    for item, competency in rows:
        found[item] = (*found.get(item, ()), CompetencyId(competency))
    return found


def _published(connection: Connection, course_id: CourseId) -> set[int]:
    rows = connection.execute(
        select(line_items.c.id).where(
            line_items.c.course_id == course_id,
            line_items.c.is_published.is_(True),
            line_items.c.is_removed.is_(False),
        )
    )
    return {row[0] for row in rows}


def _values(score: Score) -> _Values:
    return (
        score.points,
        score.points_deducted or None,
        None if score.submitted_at is None else to_second(score.submitted_at),
        None if score.graded_at is None else to_second(score.graded_at),
        score.attempt,
        flags(
            score.state,
            is_visible=score.is_visible,
            is_late=score.is_late,
            is_overridden=score.is_overridden,
        ),
    )


def _cleared(values: _Values) -> _Values:
    fields = dict(zip(_FIELDS, values, strict=True))
    cleared = fields["flags"] & ~STATE | int(ScoreState.CLEARED)
    return tuple({**fields, "flags": cleared, "points": None}.values())
