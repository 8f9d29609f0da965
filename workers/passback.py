"""Writing statuses to a course's gradebook: only what changed, never over a person's mark.

What is wanted is put down before anything is sent; what was sent counts as standing only once
it was read back; what was sent and not seen is settled by reading before anything is sent again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from connectors.protocol import GradebookSink
from mapping import passback
from mapping.evidence import View
from mapping.passback import Plan, Wanted
from mapping.records import (
    ColumnId,
    ColumnMarks,
    ColumnRef,
    ColumnSpec,
    CompetencyId,
    Counts,
    CourseId,
    FoundMark,
    LearnerId,
    LearnerRef,
    Mark,
    PassbackWay,
    WriteOutcome,
    WriteState,
)
from mapping.status import Status
from store import courses, frameworks, outbox, standings
from store.courses import StoredCourse
from store.frameworks import StoredCompetency
from store.outbox import Letter, OutboxState, StandingMark
from store.standings import Standing
from workers.recompute import current_rule
from workers.work import Work

_TITLE_CHARACTERS = 200
_Cells = dict[tuple[CompetencyId, LearnerId], StandingMark]
_UNSEEN = Standing(status=Status.NO_EVIDENCE, estimate=None, evidence_count=0, mastered_count=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """A course with everything that decides what its gradebook shall say."""

    course: StoredCourse
    way: PassbackWay
    refs: Mapping[LearnerId, LearnerRef]
    desired: Mapping[CompetencyId, Mapping[LearnerId, Wanted]]
    recorded: Mapping[tuple[CompetencyId, LearnerId], StandingMark]
    specs: Mapping[CompetencyId, ColumnSpec]
    columns: Mapping[CompetencyId, tuple[ColumnId, ColumnRef]]
    unsettled: Sequence[Letter]


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

    id: ColumnId
    marks: ColumnMarks
    by_ref: Mapping[LearnerRef, Letter]


def push_course(sink: GradebookSink, work: Work, course_id: CourseId) -> None:
    """Bring a course's gradebook up to date with where its learners stand.

    Where nothing changed, the LMS is not asked anything.

    Args:
        sink: The gradebooks of the course's platform.
        work: The item in hand.
        course_id: The course.
    """
    desk = _desk(work, course_id)
    if desk.unsettled:
        _settle_by_reading(sink, work, desk)
        desk = _desk(work, course_id)
    wanted = _want(work, desk)
    sendings = [
        _prepare(sink, work, desk, strand=strand, letters=letters)
        for strand, letters in sorted(wanted.items())
    ]
    _send(sink, work, desk, sendings=sendings)
    with work.writing() as connection:
        pushed, refused = outbox.pushed_in(connection, work.run.id, course_id)
        work.finish(connection, Counts(pushed=pushed, refused=refused, api_calls=sink.calls))


def effective_way(kind: str, way: PassbackWay) -> PassbackWay:
    """The way that a platform can go without touching a course grade.

    A number cannot be kept out of Moodle's course total by a tool, so words are written there.
    """
    if kind == "moodle" and way is PassbackWay.MARK_NOT_COUNTED:
        return PassbackWay.WORDS
    return way


def _desk(work: Work, course_id: CourseId) -> _Desk:
    with work.reading() as connection:
        course = courses.course(connection, course_id)
        way = effective_way(course.kind, course.way)
        learners = courses.active_learners(connection, course_id)
        strands = standings.strands_in_course(connection, course_id)
        totals = standings.assessed_competencies(connection, course.tenant)
        known = {c.id: c for c in frameworks.competencies_of(connection, course.tenant)}
        now_standing = standings.standings_of(connection, learners, competency_ids=strands)
        top = current_rule(connection, course.tenant)[1].scale.top
        return _Desk(
            course=course,
            way=way,
            refs=courses.learner_refs(connection, course.platform, learners),
            desired={
                strand: {
                    learner: _wanted(
                        now_standing.get((learner, strand, View.LEARNER), _UNSEEN),
                        total=totals.get(strand, 0) if known[strand].is_strand else 0,
                    )
                    for learner in learners
                }
                for strand in strands
            },
            recorded=outbox.standing_marks(connection, course_id, way),
            specs=_specs([known[strand] for strand in strands], way, maximum=top),
            columns=outbox.columns(connection, course_id, way),
            unsettled=outbox.unsettled(connection, course_id, way),
        )


def _specs(
    strands: Sequence[StoredCompetency], way: PassbackWay, *, maximum: float
) -> dict[CompetencyId, ColumnSpec]:
    """One column for each strand; strands of one name are told apart by their code."""
    names = Counter(strand.statement for strand in strands)
    titles = {
        strand.id: strand.statement
        if names[strand.statement] == 1
        else f"{strand.statement} ({strand.code})"
        for strand in strands
    }
    return {
        strand.id: ColumnSpec(
            tag=f"waymark:{strand.code}",
            title=f"Waymark: {titles[strand.id]}"[:_TITLE_CHARACTERS],
            way=way,
            maximum=maximum,
        )
        for strand in strands
    }


def _wanted(standing: Standing, *, total: int) -> Wanted:
    return Wanted(
        status=standing.status,
        estimate=standing.estimate,
        mastered_count=min(standing.mastered_count, total),
        competency_total=total,
    )


def _want(work: Work, desk: _Desk) -> dict[CompetencyId, list[Letter]]:
    """Plan every column, and put what is to be written down, in one transaction."""
    cells: _Cells = {}
    for strand, desired in desk.desired.items():
        planned = _plan(desk, strand, desired)
        learners = {desk.refs[learner]: learner for learner in desired if learner in desk.refs}
        for mark in planned.writes:
            cells[strand, learners[mark.learner_ref]] = StandingMark(
                words=mark.words, points=mark.points
            )
    with work.writing() as connection:
        letters = outbox.want(
            connection, desk.course.id, desk.way, marks=cells, run=work.run.id, now=work.now()
        )
    by_strand: dict[CompetencyId, list[Letter]] = {}
    for letter in letters:
        by_strand.setdefault(letter.strand, []).append(letter)
    return by_strand


def _plan(desk: _Desk, strand: CompetencyId, desired: Mapping[LearnerId, Wanted]) -> Plan:
    return passback.plan(
        {desk.refs[learner]: w for learner, w in desired.items() if learner in desk.refs},
        _recorded(desk, strand),
        desk.way,
    )


def _recorded_in(desk: _Desk, column: _Column) -> dict[LearnerRef, Mark]:
    """What is known to stand in a column: nothing in one that had to be made anew."""
    _, ref = desk.columns.get(column.strand, (None, None))
    return _recorded(desk, column.strand) if ref == column.ref else {}


def _recorded(desk: _Desk, strand: CompetencyId) -> dict[LearnerRef, Mark]:
    return {
        desk.refs[learner]: _mark(desk.refs[learner], mark)
        for (place, learner), mark in desk.recorded.items()
        if place == strand and learner in desk.refs
    }


def _mark(ref: LearnerRef, mark: StandingMark | Letter) -> Mark:
    return Mark(learner_ref=ref, words=mark.words, points=mark.points)


def _open_column(sink: GradebookSink, work: Work, desk: _Desk, *, strand: CompetencyId) -> _Column:
    """Find or create a strand's column and read it."""
    spec = desk.specs[strand]
    ref = sink.ensure_column(desk.course.record.ref, spec)
    with work.writing() as connection:
        column = outbox.save_column(connection, desk.course.id, strand, way=desk.way, ref=ref)
    found = sink.read_marks(desk.course.record.ref, ref, spec)
    return _Column(strand=strand, id=column, ref=ref, found=found)


def _settle_by_reading(sink: GradebookSink, work: Work, desk: _Desk) -> None:
    """Settle what was sent and never seen: it stands there now, or it is wanted anew."""
    for strand in sorted({letter.strand for letter in desk.unsettled}):
        letters = [letter for letter in desk.unsettled if letter.strand == strand]
        if strand not in desk.specs:
            _give_up(work, letters, "Nothing in this course speaks for this strand any more.")
            continue
        column = _open_column(sink, work, desk, strand=strand)
        plan = Plan(
            way=desk.way,
            writes=tuple(_mark(desk.refs[x.learner], x) for x in letters if x.learner in desk.refs),
        )
        settled = passback.settle(plan, column.found, _recorded_in(desk, column))
        there = {mark.learner_ref for mark in settled.already_there}
        arrived = [x for x in letters if desk.refs.get(x.learner) in there]
        with work.writing() as connection:
            outbox.confirm(connection, column.id, arrived, now=work.now())
        _give_up(
            work,
            [x for x in letters if x not in arrived],
            "It was sent in an earlier try and does not stand in the gradebook.",
        )


def _give_up(work: Work, letters: Sequence[Letter], reason: str) -> None:
    with work.writing() as connection:
        for letter in letters:
            outbox.settle(connection, letter, OutboxState.SUPERSEDED, reason=reason, now=work.now())


def _prepare(
    sink: GradebookSink,
    work: Work,
    desk: _Desk,
    *,
    strand: CompetencyId,
    letters: Sequence[Letter],
) -> _Sending:
    """Hold a column's letters against what it says now, and put down what is about to be sent."""
    column = _open_column(sink, work, desk, strand=strand)
    by_ref = {desk.refs[letter.learner]: letter for letter in letters}
    plan = Plan(way=desk.way, writes=tuple(_mark(ref, x) for ref, x in by_ref.items()))
    settled = passback.settle(plan, column.found, _recorded_in(desk, column))
    there = [by_ref[mark.learner_ref] for mark in settled.already_there]
    with work.writing() as connection:
        outbox.confirm(connection, column.id, there, now=work.now())
        for conflict in settled.conflicts:
            outbox.settle(
                connection,
                by_ref[conflict.learner_ref],
                OutboxState.CONFLICT,
                reason=conflict.reason,
                now=work.now(),
            )
        to_send = [by_ref[mark.learner_ref] for mark in settled.send]
        outbox.mark_sent(connection, to_send, now=work.now())
    return _Sending(
        id=column.id,
        marks=ColumnMarks(column=column.ref, spec=desk.specs[strand], marks=settled.send),
        by_ref=by_ref,
    )


def _send(sink: GradebookSink, work: Work, desk: _Desk, *, sendings: Sequence[_Sending]) -> None:
    """Write all columns of the course at once, and keep what was read back."""
    filled = [sending for sending in sendings if sending.marks.marks]
    if not filled:
        return
    written = sink.write_marks(
        desk.course.record.ref, [sending.marks for sending in filled], now=work.now()
    )
    with work.writing() as connection:
        for sending, outcomes in zip(filled, written, strict=True):
            _keep(connection, sending, outcomes, now=work.now())


def _keep(
    connection: Connection,
    sending: _Sending,
    outcomes: Sequence[WriteOutcome],
    *,
    now: datetime,
) -> None:
    letters = {outcome.learner_ref: sending.by_ref[outcome.learner_ref] for outcome in outcomes}
    confirmed = [letters[o.learner_ref] for o in outcomes if o.state is WriteState.CONFIRMED]
    outbox.confirm(connection, sending.id, confirmed, now=now)
    for outcome in outcomes:
        if outcome.state is WriteState.REFUSED:
            outbox.settle(
                connection,
                letters[outcome.learner_ref],
                OutboxState.REFUSED,
                reason=outcome.reason,
                now=now,
            )
