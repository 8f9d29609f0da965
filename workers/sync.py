"""Reading gradebooks: what changed in a course since it was read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from connectors.protocol import GradebookSource, Note
from mapping import alignment
from mapping.records import (
    Alignment,
    Counts,
    CourseId,
    Cursor,
    Enrolment,
    LearnerId,
    LearnerRef,
    LineItem,
    Score,
    ScorePage,
    Section,
    SectionRef,
)
from mapping.score_columns import ScoreColumns
from store import (
    alignments,
    courses,
    due,
    gradebook,
    item_rows,
    merging,
    readings,
    rules,
    sections,
    standings,
    sync_state,
    waiting,
)
from store.courses import StoredCourse
from store.gradebook import Reading, SavedScores
from store.item_rows import ItemChanges
from store.keepable import keepable_items, keepable_people
from store.readings import Finished
from store.sync_state import ItemState
from workers.plan import is_sweep
from workers.work import Work

_SCORES_A_TRANSACTION = 5_000


@dataclass(frozen=True, slots=True)
class _Part:
    """Scores for one transaction, as ``ScorePage`` has them."""

    scores: ScoreColumns
    read: int
    cursor: Cursor | None = None


def sync_course(source: GradebookSource, work: Work, course_id: CourseId) -> None:
    """Bring what Waymark knows of a course up to date with its gradebook.

    Everything read is kept page by page; the cursor moves when the last page is kept, so a
    reading that breaks off is simply read again.

    Args:
        source: The gradebooks of the course's platform.
        work: The item in hand.
        course_id: The course.
    """
    begun_at = work.now()
    with work.reading() as connection:
        course = courses.course(connection, course_id)
        known_sections = sections.section_refs(connection, course_id)
    people = _people(source, work, course)
    items = keepable_items(source.line_items(course.record.ref))
    known = None if is_sweep(work, course) else known_sections
    parts = _sections(source, course, people=people, known=known)
    with work.writing() as connection, _changed_marks_put_down(connection, work, course_id):
        readings.begin_reading(connection, course_id)
        changes = item_rows.changes_of(connection, course_id, items)
        _forget_where_missed(connection, course_id, people, changes=changes)
        learners = _save_people(connection, work, course, people=people, parts=parts)
        is_whole = is_sweep(work, courses.course(connection, course_id))
        stored_items = gradebook.save_line_items(connection, course_id, items)
        aligned, realigned = _align(connection, course, items=items)
        mapping = alignments.mapping_in_force(connection, course.tenant)
        waiting.mark_learners(connection, changes.learners | realigned, now=work.now())
        # Before a first mapping everything is read, so that a draft can be tried on real scores.
        wanted = items if mapping is None else aligned
        if (reason := _reason_to_skip(learners, items, wanted)) is not None:
            _skip(connection, source, work, reason=reason)
            return
        reading = gradebook.start_reading(
            connection, course_id, items=stored_items, learners=learners
        )
    cursor = _read_scores(
        source, work, course, reading=reading, since=None if is_whole else course.cursor
    )
    with work.writing() as connection:
        ended_at = work.now()
        finished = Finished(
            cursor=cursor,
            basis=readings.alignment_basis(mapping, course),
            is_sweep=is_whole,
            seconds=(ended_at - begun_at).total_seconds(),
            said=reading.to_keep,
        )
        readings.finish_reading(connection, course_id, finished, now=ended_at)
        work.tell(connection, (*source.notes, *_skipped(reading)))
        work.finish(connection, Counts(api_calls=source.calls, quota=source.quota))


def _people(source: GradebookSource, work: Work, course: StoredCourse) -> Sequence[Enrolment]:
    """Everybody in a course, each of them known from now on."""
    people = keepable_people(source.enrolments(course.record.ref))
    with work.reading() as connection:
        has_news = merging.has_news(connection, course, people)
    if has_news:
        # Apart from the rest, for other courses wait that meet somebody.
        with work.writing() as connection:
            merging.meet(connection, course, people)
    return people


@contextmanager
def _changed_marks_put_down(
    connection: Connection, work: Work, course_id: CourseId
) -> Iterator[None]:
    """Put a course's marks down where what is kept meanwhile may change them.

    Beside where learners stand they depend on who is in the course and on what its work speaks
    for. In a sweep all are looked at anyway.
    """
    before = _marks_made_of(connection, course_id)
    yield
    is_whole = is_sweep(work, courses.course(connection, course_id))
    if is_whole or before != _marks_made_of(connection, course_id):
        due.put_down_courses(connection, [course_id], now=work.now())


def _marks_made_of(connection: Connection, course_id: CourseId) -> object:
    people = courses.learner_refs_in(connection, course_id)
    return people, standings.competencies_in_course(connection, course_id)


def _sections(
    source: GradebookSource,
    course: StoredCourse,
    *,
    people: Sequence[Enrolment],
    known: frozenset[SectionRef] | None,
) -> Sequence[Section] | None:
    """The course's sections, asked for only where they may say something new.

    Args:
        source: The gradebooks of the course's platform.
        course: The course.
        people: Everybody in it.
        known: Sections kept already; None where all is read again.

    Returns:
        None where those kept already will do.
    """
    named = frozenset[SectionRef]().union(*(one.sections for one in people))
    if not named:
        return ()
    if known is not None and named <= known:
        return None
    found = {one.ref: one for one in source.sections(course.record.ref)}
    return [found.get(ref) or Section(ref=ref, title=ref) for ref in sorted(named | found.keys())]


def _forget_where_missed(
    connection: Connection,
    course_id: CourseId,
    people: Sequence[Enrolment],
    *,
    changes: ItemChanges,
) -> None:
    """Have the course read whole where scores passed by that no cursor tells of again.

    The cursor is forgotten, so that a reading that breaks off is begun again as a whole one.
    """
    if changes.has_returned or courses.has_newcomers(connection, course_id, people):
        readings.forget_cursor(connection, course_id)


def _save_people(
    connection: Connection,
    work: Work,
    course: StoredCourse,
    *,
    people: Sequence[Enrolment],
    parts: Sequence[Section] | None,
) -> Mapping[LearnerRef, LearnerId]:
    merging.follow_accounts(connection, course.id, now=work.now())
    before = courses.active_learners(connection, course.id)
    learners = courses.save_enrolments(connection, course.id, people)
    if rules.has_own_rule(connection, course.tenant, course.id):
        # Its rule holds for who is there: who came or left stands by another one now.
        moved = set(before) ^ set(courses.active_learners(connection, course.id))
        waiting.mark_learners(connection, moved, now=work.now())
    if parts is not None:
        sections.save_sections(connection, course.id, parts)
    sections.save_members(connection, course.id, people, learners=learners)
    return learners


def _skip(
    connection: Connection, source: GradebookSource, work: Work, *, reason: tuple[str, str]
) -> None:
    cause, message = reason
    work.tell(connection, source.notes)
    work.finish(
        connection,
        Counts(api_calls=source.calls, quota=source.quota),
        state=ItemState.SKIPPED,
        cause=cause,
        message=message,
    )


def _align(
    connection: Connection,
    course: StoredCourse,
    *,
    items: Sequence[LineItem],
) -> tuple[Sequence[Alignment], frozenset[LearnerId]]:
    """Apply the mapping in force, also to columns that are gone: their scores stay evidence.

    Returns:
        What the columns there are speak for, and the learners whose scores speak for something
        else now.
    """
    rules = alignments.rules_in_force(connection, course.tenant)
    known, keys = item_rows.known_line_items(connection, course.id)
    names = alignments.known_names(connection, course.tenant, rules)
    aligned = alignment.resolve(rules, course.record, known, known=names)
    touched = alignments.save_alignments(
        connection, course.id, aligned, items=keys, tenant=course.tenant
    )
    there = {item.ref for item in items}
    return [one for one in aligned if one.line_item_ref in there], frozenset(touched)


def _reason_to_skip(
    learners: Mapping[LearnerRef, LearnerId],
    items: Sequence[LineItem],
    wanted: Sequence[object],
) -> tuple[str, str] | None:
    """Why a course's scores need not be read: a word that groups, a sentence for a person."""
    if not learners:
        return "no_learners", "Nobody is enrolled as a learner; there is nothing to read yet."
    if not wanted:
        return "unmapped", (
            f"No mapping rule matches any of its {len(items)} line items, so no score of it "
            "counts for a competency; add a rule to the mapping, or leave it out on purpose."
        )
    return None


def _read_scores(
    source: GradebookSource,
    work: Work,
    course: StoredCourse,
    *,
    reading: Reading,
    since: Cursor | None,
) -> Cursor | None:
    cursor = None
    for part in _filled(source.scores(course.record.ref, since)):
        with work.writing() as connection:
            saved = gradebook.save_scores(
                connection, reading, part.scores, now=work.now(), run=work.run.id
            )
            _count(connection, work, pulled=part.read, saved=saved)
        cursor = part.cursor
    # A stream that ended without its cursor was not whole, and says nothing of what it left out.
    if since is None and cursor is not None:
        with work.writing() as connection:
            saved = gradebook.clear_unseen(connection, reading, now=work.now(), run=work.run.id)
            _count(connection, work, pulled=0, saved=saved)
    return cursor


def _skipped(reading: Reading) -> tuple[Note, ...]:
    if not reading.skipped:
        return ()
    message = (
        f"Scores that could not be kept, for their points are no number, or their moment or "
        f"attempt is none: {reading.skipped:,}. They were passed over, and what was known of them "
        "before stays. Enter those again whose score in the gradebook is not the one in Waymark."
    )
    return (Note(cause="unreadable_scores", message=message),)


def _filled(pages: Iterable[ScorePage]) -> Iterator[_Part]:
    """Pages joined to such a size that a transaction for each is worth its while."""
    scores: list[Score] = []
    read = 0
    for page in pages:
        scores.extend(page.scores)
        read += page.read
        if len(scores) >= _SCORES_A_TRANSACTION or page.cursor is not None:
            yield _Part(ScoreColumns.of(scores), read=read, cursor=page.cursor)
            scores, read = [], 0
    if scores or read:
        yield _Part(ScoreColumns.of(scores), read=read)


def _count(connection: Connection, work: Work, *, pulled: int, saved: SavedScores) -> None:
    counted = Counts(
        scores_pulled=pulled,
        scores_new=saved.new,
        scores_changed=saved.changed,
        scores_skipped=saved.skipped,
    )
    sync_state.count(connection, work.lease, counted)
