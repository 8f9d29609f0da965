"""Writing statuses to a course's gradebook: only what changed, never over a person's mark.

What is wanted is put down before anything is sent; what was sent counts as standing only once
it was read back; what was sent and not seen is settled by reading before anything is sent again.
A column that cannot be written keeps no other from being written.

At every moment, whatever dies: a mark that does not stand as it shall is due, or a letter of it
is open. What is due is taken away in the transaction that puts the letters down; a letter that
ends otherwise than confirmed puts its learner down again.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from connectors.errors import GiveUp
from connectors.protocol import GradebookSink, Note
from mapping import passback
from mapping.passback import Plan
from mapping.records import (
    ColumnId,
    ColumnMarks,
    ColumnRef,
    CompetencyId,
    Counts,
    CourseId,
    FoundMark,
    LearnerId,
    LearnerRef,
    Mark,
    Mode,
    PassbackWay,
    WriteOutcome,
    WriteState,
)
from store import due, outbox
from store.courses import StoredCourse
from store.outbox import Letter, OutboxState, StandingMark
from store.sync_state import ItemState
from workers.desk import Desk, due_desk, effective_way, mark_of
from workers.work import Work

__all__ = ["effective_way", "push_course"]

FIRST_YES = "first_yes"
"""The cause where nobody agreed yet to a course's first push."""
_Cells = dict[tuple[CompetencyId, LearnerId], StandingMark]
_EXPECTED = frozenset({"competency_not_in_course"})
"""Causes that are no failure: a Moodle course need not name every competency of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """One column while it is being written, with what it said before."""

    strand: CompetencyId
    id: ColumnId
    ref: ColumnRef
    found: Mapping[LearnerRef, FoundMark]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sending:
    """What is about to be sent to one column, and the letters it carries."""

    strand: CompetencyId
    id: ColumnId
    marks: ColumnMarks
    by_ref: Mapping[LearnerRef, Letter]


@dataclass(slots=True, kw_only=True)
class _Push:
    """One course's writing; ``troubles`` holds why a strand's column could not be written.

    ``begun_at`` lies before the columns are read and becomes the time of what is sent, so that
    an LMS that compares times refuses it where a person wrote in between.
    """

    sink: GradebookSink
    work: Work
    desk: Desk
    begun_at: datetime
    troubles: dict[CompetencyId, GiveUp] = field(default_factory=dict)

    @contextmanager
    def apart(self, strands: Sequence[CompetencyId]) -> Iterator[None]:
        """Keep a trouble of some columns from the others."""
        try:
            yield
        except GiveUp as error:
            self.troubles.update(dict.fromkeys(strands, error))


def push_course(sink: GradebookSink, work: Work, course_id: CourseId) -> None:
    """Bring a course's gradebook up to date with where its learners stand.

    Where nothing changed, the LMS is not asked anything.

    Args:
        sink: The gradebooks of the course's platform.
        work: The item in hand.
        course_id: The course.
    """
    push = _Push(sink=sink, work=work, desk=_desk(work, course_id), begun_at=work.now())
    if (reason := reason_to_write_nothing(push.desk)) is not None:
        cause, message = reason
        with work.writing() as connection:
            work.finish(connection, Counts(), state=ItemState.SKIPPED, cause=cause, message=message)
        return
    if push.desk.unsettled:
        _settle_by_reading(push)
        push.desk = _desk(work, course_id)
    sendings = _prepare_all(push, _want(push))
    _send(push, sendings)
    _finish(push)


def reason_to_write_nothing(desk: Desk) -> tuple[str, str] | None:
    """Why nothing is written to a course: a word that groups, a sentence for a person."""
    reason = reason_of_mode(desk.course)
    return reason if reason[0] else reason_of_way(desk)


def reason_of_mode(course: StoredCourse) -> tuple[str, str]:
    """Why a course's gradebook is not to be written to yet, whichever way; empty where it is."""
    if course.mode is not Mode.OFFICIAL:
        return "mode", (
            f"The course is {course.mode.value}, not official, so nothing was written to its "
            "gradebook. What was written before stays as it is."
        )
    if course.agreed_at is None:
        return FIRST_YES, (
            "Nobody has agreed yet that Waymark writes to its gradebook, so nothing was written. "
            f'Look at what would be written with "waymark passback preview {course.id}", then '
            f'agree with "waymark passback agree {course.id}" or on the page Courses.'
        )
    return "", ""


def reason_of_way(desk: Desk) -> tuple[str, str] | None:
    """Why a course's way cannot be gone: a word that groups, a sentence for a person."""
    if desk.way is PassbackWay.NONE:
        return "no_way", "The way of this course is none, so nothing is written to its gradebook."
    if desk.way is PassbackWay.COMPETENCY and desk.course.kind != "moodle":
        return "way_not_possible", (
            "Ratings of the LMS's own competencies are written to Moodle only, so nothing was "
            "written here. Choose another way for this course or its school."
        )
    if desk.way is PassbackWay.MARK_COUNTED and desk.course.counted_from is None:
        return "not_agreed", (
            "Marks that count were chosen, and nobody has agreed to them for this course, so "
            f'nothing was written. Run "waymark passback preview {desk.course.id} --way '
            'mark_counted" to see what they would say, then "waymark passback set" as it tells.'
        )
    return None


def _desk(work: Work, course_id: CourseId) -> Desk:
    with work.reading() as connection:
        return due_desk(connection, course_id, now=work.now())


def _want(push: _Push) -> dict[CompetencyId, list[Letter]]:
    """Plan every column, and put what is to be written down, in one transaction."""
    cells: _Cells = {}
    desk = push.desk
    for strand, desired in desk.desired.items():
        learners = {desk.refs[learner]: learner for learner in desired if learner in desk.refs}
        for mark in desk.plan(strand).writes:
            cells[strand, learners[mark.learner_ref]] = StandingMark(
                words=mark.words, points=mark.points
            )
    work = push.work
    with work.writing() as connection:
        letters = outbox.want(
            connection, desk.course.id, desk.way, marks=cells, run=work.run.id, now=work.now()
        )
        due.settle(connection, desk.course.id, desk.due)
    by_strand: dict[CompetencyId, list[Letter]] = {}
    for letter in letters:
        by_strand.setdefault(letter.strand, []).append(letter)
    return by_strand


def _recorded_in(desk: Desk, column: _Column) -> dict[LearnerRef, Mark]:
    """What is known to stand in a column: nothing in one that had to be made anew."""
    _, ref = desk.columns.get(column.strand, (None, None))
    return desk.marks_in(column.strand) if ref == column.ref else {}


def _open_column(push: _Push, strand: CompetencyId) -> _Column:
    """Find or create a strand's column and read it."""
    course, spec = push.desk.course, push.desk.specs[strand]
    ref = push.sink.ensure_column(course.record.ref, spec)
    column = _column_id(push, strand, ref)
    found = push.sink.read_marks(course.record.ref, ref, spec)
    return _Column(strand=strand, id=column, ref=ref, found=found)


def _column_id(push: _Push, strand: CompetencyId, ref: ColumnRef) -> ColumnId:
    """What a column is kept under; one that is where it was needs no transaction."""
    column, known = push.desk.columns.get(strand, (None, None))
    if column is not None and known == ref:
        return column
    with push.work.writing() as connection:
        return outbox.save_column(
            connection, push.desk.course.id, strand, way=push.desk.way, ref=ref, now=push.work.now()
        )


def _settle_by_reading(push: _Push) -> None:
    """Settle what was sent and never seen: it stands there now, or it is wanted anew."""
    desk = push.desk
    for strand in sorted({letter.strand for letter in desk.unsettled}):
        letters = [letter for letter in desk.unsettled if letter.strand == strand]
        if strand not in desk.specs:
            reason = "Nothing in this course speaks for this strand any more."
            with push.work.writing() as connection:
                _end(connection, push, dict.fromkeys(letters, reason), state=OutboxState.SUPERSEDED)
            continue
        with push.apart([strand]):
            _settle_column(push, _open_column(push, strand), letters)


def _settle_column(push: _Push, column: _Column, letters: Sequence[Letter]) -> None:
    desk, work = push.desk, push.work
    writes = tuple(mark_of(desk.refs[x.learner], x) for x in letters if x.learner in desk.refs)
    settled = passback.settle(
        Plan(way=desk.way, writes=writes), column.found, _recorded_in(desk, column)
    )
    there = {mark.learner_ref for mark in settled.already_there}
    arrived = [x for x in letters if desk.refs.get(x.learner) in there]
    lost = [x for x in letters if desk.refs.get(x.learner) not in there]
    reason = "It was sent in an earlier try and does not stand in the gradebook."
    with work.writing() as connection:
        outbox.confirm(connection, column.id, arrived, now=work.now())
        # Another mark may be wanted by now, which while this one was open nobody could tell.
        _put_down_again(connection, push, arrived)
        _end(connection, push, dict.fromkeys(lost, reason), state=OutboxState.SUPERSEDED)


def _end(
    connection: Connection, push: _Push, reasons: Mapping[Letter, str], *, state: OutboxState
) -> None:
    """End letters that do not stand in the gradebook; their marks stay due."""
    outbox.settle(connection, reasons, state, now=push.work.now())
    _put_down_again(connection, push, list(reasons))


def _put_down_again(connection: Connection, push: _Push, letters: Sequence[Letter]) -> None:
    learners = {letter.learner for letter in letters}
    due.put_down_learners_in(connection, push.desk.course.id, learners, now=push.work.now())


def _prepare_all(
    push: _Push, wanted: Mapping[CompetencyId, Sequence[Letter]]
) -> Sequence[_Sending]:
    """Hold letters against what their columns say now, and put down what is about to be sent."""
    opened: list[tuple[_Column, Sequence[Letter]]] = []
    for strand, letters in sorted(wanted.items()):
        if strand in push.troubles:
            continue
        with push.apart([strand]):
            opened.append((_open_column(push, strand), letters))
    if not opened:
        return ()
    with push.work.writing() as connection:
        return [_prepare(connection, push, column, letters=letters) for column, letters in opened]


def _prepare(
    connection: Connection, push: _Push, column: _Column, *, letters: Sequence[Letter]
) -> _Sending:
    desk, work = push.desk, push.work
    by_ref = {desk.refs[letter.learner]: letter for letter in letters}
    plan = Plan(way=desk.way, writes=tuple(mark_of(ref, x) for ref, x in by_ref.items()))
    settled = passback.settle(plan, column.found, _recorded_in(desk, column))
    there = [by_ref[mark.learner_ref] for mark in settled.already_there]
    conflicts = {by_ref[one.learner_ref]: one.reason for one in settled.conflicts}
    outbox.confirm(connection, column.id, there, now=work.now())
    _end(connection, push, conflicts, state=OutboxState.CONFLICT)
    taken = outbox.take_to_send(
        connection, [by_ref[mark.learner_ref] for mark in settled.send], now=work.now()
    )
    ours = {letter.learner for letter in taken}
    marks = [mark for mark in settled.send if by_ref[mark.learner_ref].learner in ours]
    return _Sending(
        strand=column.strand,
        id=column.id,
        marks=ColumnMarks(column=column.ref, spec=desk.specs[column.strand], marks=marks),
        by_ref=by_ref,
    )


def _send(push: _Push, sendings: Sequence[_Sending]) -> None:
    """Write the columns of the course, and keep what was read back.

    Canvas takes the words of all columns at once and finishes them in one wait; every other
    way goes column by column, so that one that cannot be written stops no other.
    """
    filled = [sending for sending in sendings if sending.marks.marks]
    desk = push.desk
    is_bulk = desk.way is PassbackWay.WORDS and desk.course.kind == "canvas"
    for batch in [filled] if is_bulk else [[one] for one in filled]:
        if not batch:
            continue
        with push.apart([one.strand for one in batch]):
            _send_batch(push, batch)


def _send_batch(push: _Push, batch: Sequence[_Sending]) -> None:
    written = push.sink.write_marks(
        push.desk.course.record.ref, [one.marks for one in batch], now=push.begun_at
    )
    with push.work.writing() as connection:
        for sending, outcomes in zip(batch, written, strict=True):
            _keep(connection, push, sending, outcomes=outcomes)


def _keep(
    connection: Connection, push: _Push, sending: _Sending, *, outcomes: Sequence[WriteOutcome]
) -> None:
    letters = {outcome.learner_ref: sending.by_ref[outcome.learner_ref] for outcome in outcomes}
    confirmed = [letters[o.learner_ref] for o in outcomes if o.state is WriteState.CONFIRMED]
    refused = {letters[o.learner_ref]: o.reason for o in outcomes if o.state is WriteState.REFUSED}
    outbox.confirm(connection, sending.id, confirmed, now=push.work.now())
    _end(connection, push, refused, state=OutboxState.REFUSED)


def _finish(push: _Push) -> None:
    """End the item: failed where a column could not be written, with why."""
    work = push.work
    causes = {str(error): error.cause for error in push.troubles.values()}
    failed = [message for message, cause in causes.items() if cause not in _EXPECTED]
    expected = [message for message, cause in causes.items() if cause in _EXPECTED]
    with work.writing() as connection:
        work.tell(connection, push.sink.notes)
        work.tell(
            connection,
            [Note(cause=causes[one], message=" ".join(expected)) for one in expected[:1]],
        )
        pushed, refused = outbox.pushed_in(connection, work.run.id, push.desk.course.id)
        work.finish(
            connection,
            Counts(
                pushed=pushed,
                refused=refused,
                api_calls=push.sink.calls,
                quota=push.sink.quota,
            ),
            state=ItemState.FAILED if failed else ItemState.DONE,
            cause=causes[failed[0]] if failed else "",
            message=" ".join(failed),
        )
