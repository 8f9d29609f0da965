"""Line items and scores: what the gradebooks say now, and everything they ever said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, select, update

from mapping.records import (
    CompetencyId,
    CourseId,
    LearnerId,
    LearnerRef,
    LineItem,
    LineItemId,
    RunId,
    ScoreState,
)
from mapping.score_columns import ScoreColumns
from store.arrays import Array, array_of
from store.attempts import AttemptKey, Values, attempts_of, keep_attempts, known_attempts
from store.cells import (
    FIELDS,
    Cells,
    Keys,
    items_of,
    keys_in,
    learners_of,
    packed,
)
from store.course_cells import cells_of, keep_cells
from store.item_rows import ItemKey, item_key, item_rows, stored_items
from store.packing import STATE
from store.session import lock, upsert, write_arrays
from store.tables import alignments, line_items, score_events, to_micros
from store.waiting import mark_learners, mark_pairs
from store.whole_readings import Retold, take_back


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedScores:
    """How many scores were new and how many said something else than before.

    ``skipped`` are those that said what no gradebook can mean, or no database keep.
    """

    new: int = 0
    changed: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """What was known of a course: its cells, and what its line items speak for.

    Where nothing was known of it, ``is_first``, learners are put down for recomputation whole:
    that they are told apart by competency would cost more than it saves.
    """

    cells: Cells
    speaks_for: Mapping[int, Sequence[CompetencyId]]
    is_first: bool


@dataclass(slots=True, kw_only=True)
class Reading:
    """One course being read: what was known before, brought up to date page by page.

    Held by the one who holds the course, so nothing else changes these scores meanwhile. What was
    known is looked up with the first scores that may be news: a course that says what it said
    before, or nothing, is not read back.
    """

    course: CourseId
    items: Mapping[ItemKey, LineItemId]
    learners: Mapping[LearnerRef, LearnerId]
    retold: Retold
    seen: list[Keys] = field(default_factory=list)
    skipped: int = 0
    has_news: bool = False
    _book: _Book | None = None
    _attempts: dict[AttemptKey, Values] | None = None

    def book(self, connection: Connection) -> _Book:
        """What was known of the course."""
        if self._book is None:
            cells = cells_of(connection, self.course)
            self._book = _Book(
                cells=cells,
                speaks_for=_alignments(connection, self.course),
                is_first=not len(cells),
            )
        return self._book

    def attempts(self, connection: Connection) -> dict[AttemptKey, Values]:
        """What was known of earlier attempts."""
        if self._attempts is None:
            self._attempts = known_attempts(connection, self.course)
        return self._attempts

    @property
    def to_keep(self) -> bytes | None:
        """What the next whole reading is to know of this one."""
        return self.retold.to_keep(has_news=self.has_news)


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
    """Begin to read a course's scores, which nobody else does meanwhile."""
    lock(connection, "course", course_id)
    return Reading(
        course=course_id,
        items=items,
        learners=learners,
        retold=take_back(connection, course_id),
    )


def save_scores(
    connection: Connection,
    reading: Reading,
    page: ScoreColumns,
    *,
    now: datetime,
    run: RunId | None,
) -> SavedScores:
    """Keep what a page of scores says that was not known.

    Each difference is appended to the score events and becomes the current score; what it
    speaks for is put down for recomputation in the same transaction, as it is for earlier
    attempts that say something new. A score that says what is known writes nothing. Scores of
    people or columns that are not in the reading are passed over, and so is what says nothing
    that can be kept: the rest of the page is.

    Args:
        connection: A writing transaction.
        reading: The course's reading; brought up to date.
        page: Scores as the LMS sent them.
        now: When they were read.
        run: The run that read them.
    """
    if not len(page):
        return SavedScores()
    keys, rows = packed(page, reading.items, reading.learners)
    # Also what cannot be kept: the LMS has something there, so nothing was taken away.
    reading.seen.append(keys[keys > 0])
    if reading.retold.says_again(page, keys, rows):
        return SavedScores()
    is_kept = page.is_readable & (keys > 0)
    earlier, unfit = attempts_of(keys, page.earlier, is_kept)
    if earlier:
        known = reading.attempts(connection)
        retold = keep_attempts(connection, known, earlier, now=now, run=run)
        _mark(connection, reading, keys_in(retold), now=now)
    found = Cells.of(keys, rows) if is_kept.all() else Cells.of(keys[is_kept], rows[is_kept])
    saved = _append(connection, reading, found, now=now, run=run)
    skipped = int(np.count_nonzero(~page.is_readable & (keys > 0))) + unfit
    reading.skipped += skipped
    return replace(saved, skipped=skipped)


def clear_unseen(
    connection: Connection, reading: Reading, *, now: datetime, run: RunId | None
) -> SavedScores:
    """After a full reading: a grade that the LMS no longer holds was taken away.

    Only for learners of whom the reading had something: an LMS leaves out whole people for
    reasons that say nothing of their grades. And only in columns that are published: an LMS
    leaves the others out, and keeps their grades.
    """
    published = _published(connection, reading.course)
    if reading.retold.ends_alike(published):
        return SavedScores()
    known = reading.book(connection).cells
    seen = np.concatenate([np.empty(0, np.int64), *reading.seen])
    gone = known.where(
        ~np.isin(known.keys, seen)
        & np.isin(known.learners(), learners_of(seen))
        & np.isin(known.items(), published)
        & ~np.isin(known.states(), (ScoreState.CLEARED, ScoreState.NOT_GRADED))
    )
    gone.rows["flags"] = gone.rows["flags"] & ~STATE | int(ScoreState.CLEARED)
    gone.rows["points"] = np.nan
    return _append(connection, reading, gone, now=now, run=run)


def _append(
    connection: Connection,
    reading: Reading,
    found: Cells,
    *,
    now: datetime,
    run: RunId | None,
) -> SavedScores:
    known = reading.book(connection).cells
    is_known, is_other = known.compared(found)
    if not is_other.any():
        return SavedScores()
    # An empty cell that was never anything else is no news.
    is_news = is_other & (is_known | (found.states() != ScoreState.NOT_GRADED))
    news = found.where(is_news)
    if not len(news):
        return SavedScores()
    lock(connection, "course", reading.course)
    columns: dict[str, Array] = {
        "line_item_id": news.items().astype(np.int32),
        "learner_id": news.learners().astype(np.int32),
        **{name: np.ascontiguousarray(news.rows[name]) for name in FIELDS},
    }
    keep_cells(connection, reading.course, news)
    recorded = {
        "recorded_at": np.full(len(news), to_micros(now), np.int64),
        "run_id": array_of(score_events.c.run_id, [run] * len(news)),
    }
    write_arrays(connection, score_events, {**columns, **recorded})
    _mark(connection, reading, news.keys, now=now)
    known.put(news)
    reading.has_news = True
    changed = int(np.count_nonzero(is_news & is_known))
    return SavedScores(new=len(news) - changed, changed=changed)


def _mark(connection: Connection, reading: Reading, keys: Keys, *, now: datetime) -> None:
    """Put down what cells speak for; a cell that speaks for nothing changes no standing."""
    if not len(keys):
        return
    book = reading.book(connection)
    telling = keys[np.isin(items_of(keys), list(book.speaks_for))]
    if book.is_first:
        learner_ids = np.unique(learners_of(telling)).tolist()
        mark_learners(connection, map(LearnerId, learner_ids), now=now)
        return
    cells = zip(items_of(telling).tolist(), learners_of(telling).tolist(), strict=True)
    pairs = {
        (LearnerId(learner), competency)
        for item, learner in cells
        for competency in book.speaks_for[item]
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


def _published(connection: Connection, course_id: CourseId) -> list[int]:
    rows = connection.execute(
        select(line_items.c.id).where(
            line_items.c.course_id == course_id,
            line_items.c.is_published.is_(True),
            line_items.c.is_removed.is_(False),
        )
    )
    return [row[0] for row in rows]
