"""Reading gradebooks: which courses there are, and what changed in one of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection

from connectors.protocol import GradebookSource
from mapping import alignment
from mapping.records import (
    Alignment,
    Counts,
    CourseId,
    CourseState,
    Cursor,
    LearnerId,
    LearnerRef,
    LineItem,
    LineItemId,
    PlatformId,
    Score,
    ScorePage,
)
from store import alignments, courses, gradebook, sync_state
from store.courses import StoredCourse
from store.gradebook import ItemKey, Reading, SavedScores
from store.sync_state import ItemState, Phase
from workers.work import Work

_SCORES_A_TRANSACTION = 1_000
_LEFT_OUT = {
    CourseState.UNPUBLISHED: (
        "unpublished",
        "The course is not published yet; it is read once it is.",
    ),
    CourseState.CONCLUDED: (
        "concluded",
        "The course has ended and was read before; its evidence is kept and it is not read again.",
    ),
}


def plan_platform(source: GradebookSource, work: Work, platform: PlatformId) -> None:
    """Find out which courses a platform has, and put down those that are to be read.

    Args:
        source: The platform's gradebooks.
        work: The item in hand.
        platform: Which platform.
    """
    found = source.courses()
    with work.writing() as connection:
        courses.save_courses(connection, platform, found, tenant=work.run.tenant)
        listed = {course.ref for course in found}
        stored = [
            course
            for course in courses.courses_of(connection, work.run.tenant, platform=platform)
            if course.record.ref in listed
        ]
        to_read = [course for course in stored if _is_to_be_read(course)]
        sync_state.add_items(
            connection, work.run.id, Phase.PULL, places=[(course.id, 0) for course in to_read]
        )
        for course in stored:
            if course not in to_read:
                cause, message = _LEFT_OUT[course.record.state]
                sync_state.skip_item(
                    connection, work.run.id, course.id, cause=cause, message=message
                )
        work.finish(connection, Counts(api_calls=source.calls))


def sync_course(source: GradebookSource, work: Work, course_id: CourseId) -> None:
    """Bring what Waymark knows of a course up to date with its gradebook.

    Everything read is kept page by page; the cursor moves when the last page is kept, so a
    reading that breaks off is simply read again.

    Args:
        source: The gradebooks of the course's platform.
        work: The item in hand.
        course_id: The course.
    """
    with work.reading() as connection:
        course = courses.course(connection, course_id)
    people = source.enrolments(course.record.ref)
    items = source.line_items(course.record.ref)
    with work.writing() as connection:
        learners = courses.save_enrolments(connection, course_id, people)
        stored_items = gradebook.save_line_items(connection, course_id, items)
        aligned = _align(connection, work, course, items=items, stored=stored_items)
        if (reason := _reason_to_skip(learners, items, aligned)) is not None:
            cause, message = reason
            counted = Counts(api_calls=source.calls)
            work.finish(connection, counted, state=ItemState.SKIPPED, cause=cause, message=message)
            return
        reading = gradebook.start_reading(
            connection, course_id, items=stored_items, learners=learners
        )
    cursor = _read_scores(source, work, course, reading=reading)
    with work.writing() as connection:
        courses.finish_reading(connection, course_id, cursor=cursor, now=work.now())
        work.finish(connection, Counts(api_calls=source.calls))


def _is_to_be_read(course: StoredCourse) -> bool:
    match course.record.state:
        case CourseState.ACTIVE:
            return True
        case CourseState.CONCLUDED:
            return course.cursor is None
        case CourseState.UNPUBLISHED:
            return False


def _align(
    connection: Connection,
    work: Work,
    course: StoredCourse,
    *,
    items: Sequence[LineItem],
    stored: Mapping[ItemKey, LineItemId],
) -> Sequence[Alignment]:
    rules = alignments.rules_in_force(connection, course.tenant)
    aligned = alignment.resolve(rules, course.record, items)
    touched = alignments.save_alignments(
        connection, course.id, aligned, items=stored, tenant=course.tenant
    )
    gradebook.mark_for_recompute(connection, touched, now=work.now())
    return aligned


def _reason_to_skip(
    learners: Mapping[LearnerRef, LearnerId],
    items: Sequence[LineItem],
    aligned: Sequence[Alignment],
) -> tuple[str, str] | None:
    """Why a course's scores need not be read: a word that groups, a sentence for a person."""
    if not learners:
        return "no_learners", "Nobody is enrolled as a learner; there is nothing to read yet."
    if not aligned:
        return "unmapped", (
            f"No mapping rule matches any of its {len(items)} line items, so no score of it "
            "counts for a competency; add a rule to the mapping, or leave it out on purpose."
        )
    return None


def _read_scores(
    source: GradebookSource, work: Work, course: StoredCourse, *, reading: Reading
) -> Cursor | None:
    since = None if work.run.is_full else course.cursor
    cursor = None
    for page in _filled(source.scores(course.record.ref, since)):
        with work.writing() as connection:
            saved = gradebook.save_scores(
                connection, reading, page.scores, now=work.now(), run=work.run.id
            )
            _count(connection, work, pulled=page.read, saved=saved)
        cursor = page.cursor
    if since is None:
        with work.writing() as connection:
            saved = gradebook.clear_unseen(connection, reading, now=work.now(), run=work.run.id)
            _count(connection, work, pulled=0, saved=saved)
    return cursor


def _filled(pages: Iterable[ScorePage]) -> Iterator[ScorePage]:
    """Pages joined to such a size that a transaction for each is worth its while."""
    scores: list[Score] = []
    read = 0
    for page in pages:
        scores.extend(page.scores)
        read += page.read
        if len(scores) >= _SCORES_A_TRANSACTION or page.cursor is not None:
            yield ScorePage(scores=scores, cursor=page.cursor, read=read)
            scores, read = [], 0
    if scores or read:
        yield ScorePage(scores=scores, read=read)


def _count(connection: Connection, work: Work, *, pulled: int, saved: SavedScores) -> None:
    counted = Counts(scores_pulled=pulled, scores_new=saved.new, scores_changed=saved.changed)
    sync_state.count(connection, work.lease, counted)
