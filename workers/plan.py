"""Which courses a platform has, and which of them are to be read tonight."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from connectors.protocol import GradebookSource
from mapping.records import Counts, CourseId, CourseRef, CourseState, Cursor, PlatformId
from store import alignments, courses, due, readings, sync_state
from store.courses import StoredCourse
from store.sync_state import ItemState, Phase
from workers.work import Work

_HALF_A_DAY = timedelta(hours=12)
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
_GONE_MESSAGE = (
    "The LMS lists this course no longer: it was deleted there, or the service user may not see "
    "it any more. Nothing of it was lost here. If it should be read, see that the service user "
    "may see it."
)


def plan_platform(source: GradebookSource, work: Work, platform: PlatformId) -> None:
    """Find out which courses a platform has, and put down those that are to be read.

    Courses in which the LMS says that nothing happened are put down as unchanged.

    Args:
        source: The platform's gradebooks.
        work: The item in hand.
        platform: Which platform.
    """
    found = source.courses()
    listed = {course.ref for course in found}
    ended = {course.ref for course in found if course.state is CourseState.CONCLUDED}
    with work.writing() as connection:
        readings.forget_where_ended(connection, platform, ended)
        moved = courses.save_courses(connection, platform, found, tenant=work.run.tenant)
        due.put_down_courses(connection, moved, now=work.now())
        stored = [
            course
            for course in courses.courses_of(connection, work.run.tenant, platform=platform)
            if course.record.ref in listed
        ]
        resting = _may_rest(connection, work, stored)
    kept = source.unchanged(resting) if resting else {}
    cursors = {one.id: kept[one.record.ref] for one in stored if one.record.ref in kept}
    with work.writing() as connection:
        gone = readings.mark_listed(connection, platform, listed, now=work.now())
        readings.keep_cursors(connection, cursors, now=work.now())
        _put_down(connection, work, stored, unchanged=cursors, gone=gone)
        work.tell(connection, source.notes)
        work.finish(connection, Counts(api_calls=source.calls, quota=source.quota))


def is_sweep(work: Work, course: StoredCourse) -> bool:
    """Whether all scores of a course are read in this run, not only those that changed.

    Never by a cursor where there is none; by hand where a full run is asked for; else when the
    night of the course's own has come, which spreads courses over the days between two sweeps.
    """
    if work.run.is_full or course.cursor is None:
        return True
    return work.sweep_days > 0 and is_sweep_due(
        course.id, course.swept_at, days=work.sweep_days, now=work.run.started_at
    )


def is_sweep_due(course: CourseId, swept_at: datetime | None, *, days: int, now: datetime) -> bool:
    """Whether a course is to be read whole again.

    Args:
        course: Every course has a day of its own, by its id.
        swept_at: When it was last read whole.
        days: The most days between two sweeps.
        now: When the run began.

    Returns:
        True on the course's own day, unless it was read whole within the last 12 hours, and
        whenever the last sweep is ``days`` ago.
    """
    if swept_at is None or now - swept_at >= timedelta(days=days):
        return True
    is_its_day = (now.toordinal() + course) % days == 0
    return is_its_day and now - swept_at >= _HALF_A_DAY


def _may_rest(
    connection: Connection, work: Work, stored: Sequence[StoredCourse]
) -> Mapping[CourseRef, Cursor]:
    """Courses that need no reading if their LMS says that nothing happened in them."""
    mapping_set = alignments.mapping_in_force(connection, work.run.tenant)
    return {
        course.record.ref: course.cursor
        for course in stored
        if course.record.state is CourseState.ACTIVE
        and course.cursor is not None
        and not is_sweep(work, course)
        and course.aligned_to == readings.alignment_basis(mapping_set, course)
    }


def _put_down(
    connection: Connection,
    work: Work,
    stored: Sequence[StoredCourse],
    *,
    unchanged: Mapping[CourseId, Cursor],
    gone: Sequence[CourseId],
) -> None:
    to_read = readings.longest_first(
        connection,
        [one.id for one in stored if _is_to_be_read(one) and one.id not in unchanged],
    )
    sync_state.add_items(
        connection, work.run.id, Phase.PULL, places=[(course, 0) for course in to_read]
    )
    left_out = {
        **{one.id: _LEFT_OUT[one.record.state] for one in stored if not _is_to_be_read(one)},
        **dict.fromkeys(gone, ("gone", _GONE_MESSAGE)),
    }
    sync_state.add_unread(connection, work.run.id, left_out, state=ItemState.SKIPPED)
    sync_state.add_unread(
        connection, work.run.id, dict.fromkeys(unchanged, ("", "")), state=ItemState.UNCHANGED
    )


def _is_to_be_read(course: StoredCourse) -> bool:
    match course.record.state:
        case CourseState.ACTIVE:
            return True
        case CourseState.CONCLUDED:
            return course.cursor is None
        case CourseState.UNPUBLISHED:
            return False
