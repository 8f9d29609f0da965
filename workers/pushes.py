"""Which gradebooks a run writes to: those in which a mark may be out of date, and that may be."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from mapping.records import CourseState, Mode, PassbackWay
from store import courses, due, outbox, run_notes, sync_state, totals, work_places
from store.courses import StoredCourse
from store.sync_state import ItemState, Phase, Run
from workers.desk import effective_way
from workers.passback import FIRST_YES

_DRY = (
    "dry_run",
    "This was a dry run: nothing was written. A run without --dry-run writes what has changed.",
)
WRITTEN, OTHER_MODE, UNAGREED = "written", "mode", FIRST_YES


def add_pushes(connection: Connection, run: Run, *, now: datetime) -> None:
    """Put down the courses to write to, and tell how many are held back by the district.

    Args:
        connection: A writing transaction, while nothing is read.
        run: The run, which knows the gradebooks that it read.
        now: When.
    """
    totals.refresh_totals(connection, run.tenant, now=now)
    sorted_out = sort_out(connection, run)
    if run.is_dry:
        if sorted_out[WRITTEN] or sorted_out[UNAGREED]:
            _tell(connection, run, ItemState.SKIPPED, reason=_DRY, now=now)
        return
    to_write = list(sorted_out[WRITTEN])
    # The longest first, or the last worker is left with them: only Canvas takes words whole.
    to_write.sort(key=lambda one: one.kind == "canvas" and one.way is PassbackWay.WORDS)
    sync_state.add_items(
        connection, run.id, Phase.PUSH, places=[(course.id, 0) for course in to_write]
    )
    if sorted_out[UNAGREED]:
        reason = (FIRST_YES, _unagreed(sorted_out[UNAGREED]))
        _tell(connection, run, ItemState.SKIPPED, reason=reason, now=now)
    if sorted_out[OTHER_MODE]:
        item = _tell(connection, run, ItemState.DONE, reason=("", ""), now=now)
        run_notes.keep_notes_of(connection, item, {"mode": _of_modes(sorted_out[OTHER_MODE])})


def _tell(
    connection: Connection, run: Run, state: ItemState, *, reason: tuple[str, str], now: datetime
) -> int:
    return work_places.add_settled(
        connection, run.id, Phase.PUSH, state=state, reason=reason, now=now
    )


def sort_out(connection: Connection, run: Run) -> Mapping[str, Sequence[StoredCourse]]:
    """The courses of a run with marks that may be out of date, by what becomes of them.

    Args:
        connection: A transaction.
        run: A run that has read what it reads.

    Returns:
        Courses that are written to, those that are not official, and those that are and wait
        for somebody's yes. Left out are courses of no way and such as the run does not know.
    """
    known = set(sync_state.courses_known(connection, run.id))
    is_due = due.courses_due(connection, run.tenant)
    open_ways = outbox.open_ways(connection, run.tenant)
    found: dict[str, list[StoredCourse]] = {WRITTEN: [], OTHER_MODE: [], UNAGREED: []}
    for course in courses.courses_of(connection, run.tenant):
        way = effective_way(course.kind, course.way)
        may_be_written = (
            course.id in known
            and course.record.state is CourseState.ACTIVE
            and way is not PassbackWay.NONE
        )
        if may_be_written and (course.id in is_due or (course.id, way) in open_ways):
            found[_fate(course)].append(course)
    return found


def _fate(course: StoredCourse) -> str:
    if course.mode is not Mode.OFFICIAL:
        return OTHER_MODE
    return WRITTEN if course.agreed_at is not None else UNAGREED


def _unagreed(waiting: Sequence[StoredCourse]) -> str:
    count = len(waiting)
    who = "1 course waits" if count == 1 else f"{count:,} courses wait"
    return (
        f"{who} for a first yes, so nothing was written there. Look at one with "
        '"waymark passback preview COURSE"; agree with "waymark passback agree COURSE", with '
        "--school or --all, or on the page Courses."
    )


def _of_modes(held: Sequence[StoredCourse]) -> str:
    modes = Counter(course.mode for course in held)
    told = ", ".join(f"{modes[one]} {one.value}" for one in Mode if one in modes)
    return f"Not official, so that nothing is written to their gradebooks: {told}."
