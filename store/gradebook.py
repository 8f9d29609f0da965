"""Line items and scores: what the gradebooks say now, and everything they ever said."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, select, type_coerce, update

from mapping.records import (
    CourseId,
    CriterionRef,
    Grading,
    LearnerId,
    LearnerRef,
    LineItem,
    LineItemId,
    LineItemRef,
    RunId,
    Score,
    ScoreState,
)
from store.attempts import AttemptKey, keep_attempts, known_attempts, values_of
from store.session import chunks, upsert, write_rows
from store.tables import (
    Instant,
    line_items,
    optional_micros,
    recompute_queue,
    score_events,
    scores,
    to_micros,
)

ItemKey = tuple[LineItemRef, CriterionRef | None]
_FIELDS = tuple(c.name for c in scores.c if c.name not in ("line_item_id", "learner_id"))
_STATE = _FIELDS.index("state")
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

    Held by the one who holds the course, so nothing else changes these scores meanwhile.
    """

    course: CourseId
    items: Mapping[ItemKey, LineItemId]
    learners: Mapping[LearnerRef, LearnerId]
    known: dict[_Cell, _Values]
    attempts: dict[AttemptKey, _Values]
    seen: set[_Cell] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChanges:
    """How a course's columns changed since it was read.

    Attributes:
        has_returned: Whether a column is there again that was removed or not published; no
            cursor tells what its scores became meanwhile.
        learners: Learners with a score that is worth something else now, for its column's range
            or due date is another.
    """

    has_returned: bool
    learners: frozenset[LearnerId]


def save_line_items(
    connection: Connection, course_id: CourseId, found: Sequence[LineItem]
) -> Mapping[ItemKey, LineItemId]:
    """Keep a course's columns as they are now; one row more for each rubric criterion.

    Columns that vanished are marked as removed and keep their scores. Waymark's own columns
    are left out: they are never evidence.

    Returns:
        The line item behind each (line item, criterion) reference.
    """
    rows = [row for item in found if not item.is_own for row in _item_rows(course_id, item)]
    before = _stored_items(connection, course_id)
    after = {(row["ref"], row["criterion_ref"]): row for row in rows}
    changed = [row for key, row in after.items() if before.get(key, (0, None))[1] != row]
    upsert(connection, line_items, changed, keys=("course_id", "ref", "criterion_ref"))
    vanished = [number for key, (number, _) in before.items() if key not in after]
    if vanished:
        connection.execute(
            update(line_items).where(line_items.c.id.in_(vanished)).values(is_removed=True)
        )
    now = _stored_items(connection, course_id) if changed else before
    return {
        (LineItemRef(ref), CriterionRef(criterion) if criterion else None): LineItemId(now[key][0])
        for key in after
        for ref, criterion in (key,)
    }


def changes_of(
    connection: Connection, course_id: CourseId, found: Sequence[LineItem]
) -> ItemChanges:
    """What becomes of a course's columns when the ones found are saved.

    Args:
        connection: A transaction.
        course_id: The course, its columns not saved yet.
        found: Its columns now.
    """
    before = _stored_items(connection, course_id)
    rows = [row for item in found if not item.is_own for row in _item_rows(course_id, item)]
    pairs = [
        (*before[key], row) for row in rows if (key := (row["ref"], row["criterion_ref"])) in before
    ]
    measured = [
        number
        for number, old, new in pairs
        if any(old[name] != new[name] for name in ("minimum", "maximum", "due_at"))
    ]
    return ItemChanges(
        has_returned=any(_is_there(new) and not _is_there(old) for _, old, new in pairs),
        learners=_learners_in(connection, measured),
    )


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
            *(type_coerce(c, BigInteger) if isinstance(c.type, Instant) else c for c in scores.c)
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

    Each difference is appended to the score events and becomes the current score; its learner
    is put down for recomputation in the same transaction. A score that says what is known
    writes nothing. Scores of people or columns that are not in the reading are passed over.
    Earlier attempts are kept beside; no status depends on them, so nothing is recomputed.

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
    keep_attempts(connection, reading.attempts, earlier)
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
        and values[_STATE] not in (ScoreState.CLEARED, ScoreState.NOT_GRADED)
    }
    return _append(connection, reading, gone, now=now, run=run)


def mark_for_recompute(
    connection: Connection, learner_ids: Iterable[LearnerId], *, now: datetime
) -> None:
    """Put learners down for recomputation; a later mark replaces an earlier one."""
    token = to_micros(now)
    upsert(
        connection,
        recompute_queue,
        [{"learner_id": learner, "token": token} for learner in sorted(set(learner_ids))],
        keys=("learner_id",),
    )


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
        if cell in reading.known or values[_STATE] != ScoreState.NOT_GRADED
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
    mark_for_recompute(connection, {LearnerId(cell[1]) for cell in news}, now=now)
    new = sum(cell not in reading.known for cell in news)
    reading.known.update(news)
    return SavedScores(new=new, changed=len(news) - new)


def _published(connection: Connection, course_id: CourseId) -> set[int]:
    rows = connection.execute(
        select(line_items.c.id).where(
            line_items.c.course_id == course_id,
            line_items.c.is_published.is_(True),
            line_items.c.is_removed.is_(False),
        )
    )
    return {row[0] for row in rows}


def _item_rows(course_id: CourseId, item: LineItem) -> list[dict[str, Any]]:
    row = {
        "course_id": course_id,
        "ref": item.ref,
        "criterion_ref": "",
        "title": item.title,
        "criterion": "",
        "category": item.category,
        "grading": item.grading.value,
        "minimum": item.minimum,
        "maximum": item.maximum,
        "due_at": item.due_at,
        "is_published": item.is_published,
        "is_removed": False,
    }
    return [
        row,
        *(
            {
                **row,
                "criterion_ref": criterion.ref,
                "criterion": criterion.title,
                "grading": Grading.POINTS.value,
                "minimum": 0.0,
                "maximum": criterion.maximum,
            }
            for criterion in item.criteria
        ),
    ]


def _is_there(row: Mapping[str, Any]) -> bool:
    return bool(row["is_published"]) and not row["is_removed"]


def _learners_in(connection: Connection, item_ids: Sequence[int]) -> frozenset[LearnerId]:
    found: set[LearnerId] = set()
    for part in chunks(item_ids):
        rows = connection.execute(
            select(scores.c.learner_id).where(scores.c.line_item_id.in_(part)).distinct()
        )
        found.update(LearnerId(row[0]) for row in rows)
    return frozenset(found)


def _stored_items(
    connection: Connection, course_id: CourseId
) -> dict[tuple[str, str], tuple[int, dict[str, Any]]]:
    rows = connection.execute(select(line_items).where(line_items.c.course_id == course_id))
    stored = {}
    for row in rows.mappings():
        values = dict(row)
        number = values.pop("id")
        stored[values["ref"], values["criterion_ref"]] = (number, values)
    return stored


def _values(score: Score) -> _Values:
    return (
        int(score.state),
        score.points,
        score.points_deducted,
        score.attempt,
        score.is_visible,
        score.is_late,
        score.is_overridden,
        optional_micros(score.submitted_at),
        optional_micros(score.graded_at),
    )


def _cleared(values: _Values) -> _Values:
    fields = dict(zip(_FIELDS, values, strict=True))
    return tuple({**fields, "state": int(ScoreState.CLEARED), "points": None}.values())
