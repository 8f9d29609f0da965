"""A dry run of writing to gradebooks: the same plan, the LMS read, nothing written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from connectors.errors import GiveUp, Gone
from connectors.protocol import GradebookSink
from mapping import passback
from mapping.records import (
    ColumnRef,
    CompetencyId,
    CourseId,
    FoundMark,
    LearnerId,
    LearnerRef,
    PassbackWay,
)
from store import ways
from store.session import reading, writing
from workers.desk import Desk, due_desk, set_desk
from workers.passback import reason_of_mode, reason_of_way


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedMark:
    """One mark that would be written; ``now`` is what the cell says, empty for nothing."""

    learner: str
    now: str
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedColumn:
    """What writing would do to one column.

    Attributes:
        title: The column's.
        is_new: Whether it would have to be made.
        marks: Marks that would be written.
        left: Cells that a person wrote, with the sentence that says so, by learner.
        unchanged: How many cells say already what they shall.
        withheld: How many learners have no status that may be written yet.
        trouble: Why the column could not be had; empty where it could.
    """

    title: str
    is_new: bool = False
    marks: Sequence[PreviewedMark] = ()
    left: Sequence[tuple[str, str]] = ()
    unchanged: int = 0
    withheld: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What writing would do to a course's gradebook, one way.

    ``reason`` says why nothing would be written at all; ``others`` counts columns made for
    other ways, which stay as they are.
    """

    course: CourseId
    title: str
    way: PassbackWay
    columns: Sequence[PreviewedColumn] = ()
    reason: str = ""
    others: Mapping[PassbackWay, int]


def preview_course(
    sink: GradebookSink,
    engine: Engine,
    course_id: CourseId,
    *,
    way: PassbackWay | None = None,
    now: datetime,
) -> Preview:
    """Say what writing would do, by reading the gradebook.

    A dry run of marks that count is recorded: whoever agrees to them must have seen it.

    Args:
        sink: The gradebooks of the course's platform; nothing is written to it.
        engine: The database.
        course_id: The course.
        way: Another way than the one chosen for the course.
        now: The present moment.

    Returns:
        What would be written, by column.
    """
    with reading(engine) as connection:
        desk = set_desk(connection, course_id, now=now, way=way)
        names = ways.learner_names(connection, list(desk.refs))
        counts = ways.column_counts(connection, course_id)
    shown = _shown(sink, desk, counts, names=names)
    if desk.way is PassbackWay.MARK_COUNTED:
        with writing(engine) as connection:
            ways.note_preview(connection, course_id, now)
    return shown


def preview_due(
    sink: GradebookSink, engine: Engine, course_id: CourseId, *, now: datetime
) -> Preview:
    """Say what a run would write to a course: the marks that may be out of date, and no others.

    Nothing is kept of it, and what is due stays due. Where every mark stands as it shall, the
    LMS is not asked.

    Args:
        sink: The gradebooks of the course's platform; nothing is written to it.
        engine: The database.
        course_id: The course.
        now: The present moment.

    Returns:
        What would be written, in the columns in which something would.
    """
    with reading(engine) as connection:
        desk = due_desk(connection, course_id, now=now)
        names = ways.learner_names(connection, list(desk.refs))
        counts = ways.column_counts(connection, course_id)
    return _shown(sink, desk, counts, names=names, is_narrow=True)


def planned_course(engine: Engine, course_id: CourseId, *, now: datetime) -> Preview:
    """Say what writing would do by what Waymark knows alone; no LMS is asked.

    For a page, which never waits for one, and for a first push, before which nothing of ours
    stands there.

    Args:
        engine: The database.
        course_id: The course.
        now: The present moment.

    Returns:
        What would be written, by column; what persons wrote in these columns is not known.
    """
    with reading(engine) as connection:
        desk = set_desk(connection, course_id, now=now)
        names = ways.learner_names(connection, list(desk.refs))
        counts = ways.column_counts(connection, course_id)
    return _shown(None, desk, counts, names=names)


def _shown(
    sink: GradebookSink | None,
    desk: Desk,
    counts: Mapping[PassbackWay, int],
    *,
    names: Mapping[LearnerId, str],
    is_narrow: bool = False,
) -> Preview:
    cause, reason = reason_of_way(desk) or ("", "")
    is_possible = cause in {"", "not_agreed"}
    strands = [one for one in desk.specs if not is_narrow or desk.plan(one).writes]
    return Preview(
        course=desk.course.id,
        title=desk.course.record.title,
        way=desk.way,
        columns=(
            [_previewed(sink, desk, strand, names=names) for strand in strands]
            if is_possible
            else ()
        ),
        reason=reason or reason_of_mode(desk.course)[1],
        others={one: count for one, count in counts.items() if one is not desk.way},
    )


def _previewed(
    sink: GradebookSink | None, desk: Desk, strand: CompetencyId, *, names: Mapping[LearnerId, str]
) -> PreviewedColumn:
    spec = desk.specs[strand]
    if sink is None:
        return _known(desk, strand, names=names)
    try:
        ref, found = _read(sink, desk, strand)
    except GiveUp as error:
        return PreviewedColumn(title=spec.title, trouble=str(error))
    planned = desk.plan(strand)
    known = {} if ref is None else desk.marks_in(strand)
    settled = passback.settle(planned, found, known)
    by_ref = {ref: names.get(learner, ref) for learner, ref in desk.refs.items()}
    return PreviewedColumn(
        title=spec.title,
        is_new=ref is None,
        marks=[
            PreviewedMark(
                learner=by_ref[mark.learner_ref],
                now=passback.said(found.get(mark.learner_ref, FoundMark()), desk.way),
                then=passback.said(mark, desk.way),
            )
            for mark in settled.send
        ],
        left=[(by_ref[one.learner_ref], one.reason) for one in settled.conflicts],
        unchanged=len(planned.unchanged) + len(settled.already_there),
        withheld=len(planned.withheld),
    )


def _known(desk: Desk, strand: CompetencyId, *, names: Mapping[LearnerId, str]) -> PreviewedColumn:
    """What would be written to a column as far as Waymark knows what stands there."""
    planned, known = desk.plan(strand), desk.marks_in(strand)
    by_ref = {ref: names.get(learner, ref) for learner, ref in desk.refs.items()}
    return PreviewedColumn(
        title=desk.specs[strand].title,
        is_new=strand not in desk.columns,
        marks=[
            PreviewedMark(
                learner=by_ref[mark.learner_ref],
                now=passback.said(known.get(mark.learner_ref, FoundMark()), desk.way),
                then=passback.said(mark, desk.way),
            )
            for mark in planned.writes
        ],
        unchanged=len(planned.unchanged),
        withheld=len(planned.withheld),
    )


def _read(
    sink: GradebookSink, desk: Desk, strand: CompetencyId
) -> tuple[ColumnRef | None, Mapping[LearnerRef, FoundMark]]:
    """A column and what it says; none where it would have to be made."""
    course, spec = desk.course.record.ref, desk.specs[strand]
    _, ref = desk.columns.get(strand, (None, None))
    if desk.way is PassbackWay.COMPETENCY:
        # The LMS's own, which asking for does not make.
        ref = sink.ensure_column(course, spec)
    if ref is None:
        return None, {}
    try:
        return ref, sink.read_marks(course, ref, spec)
    except Gone:
        return None, {}
