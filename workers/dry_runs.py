"""What a run would write to all gradebooks: for whoever asked for a run without writing.

A dry run reads and computes as every run does and has no push. What it would have pushed is
found here, the same plan over the same marks, each gradebook read, nothing written.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from connectors.errors import ConnectorError
from connectors.protocol import GradebookSink
from mapping.records import CourseId, PlatformId, RunId
from store import sync_state, totals
from store.courses import StoredCourse
from store.session import writing
from workers.previews import Preview, preview_due
from workers.pushes import OTHER_MODE, UNAGREED, WRITTEN, sort_out


@dataclass(frozen=True, slots=True, kw_only=True)
class DryMark:
    """One mark that a run would write, or would leave.

    ``stands`` is what the cell says, ``then`` what it would say; ``why_not`` is empty where it
    would be written.
    """

    course: CourseId
    title: str
    column: str
    learner: str
    stands: str
    then: str
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a run would write to all gradebooks.

    Attributes:
        marks: By course and column.
        troubles: Courses or columns that could not be looked at, each with why.
        other_modes: Courses with marks out of date that are not official: nothing would leave.
        unagreed: Such as wait for a first yes; their marks are shown, with that as why not.
    """

    marks: Sequence[DryMark]
    troubles: Sequence[tuple[str, str]]
    other_modes: int
    unagreed: int

    @property
    def to_write(self) -> int:
        """How many marks would be written."""
        return sum(not mark.why_not for mark in self.marks)


def dry_run(
    engine: Engine,
    run_id: RunId,
    sinks: Callable[[PlatformId], GradebookSink],
    *,
    threads: int,
    now: datetime,
) -> DryRun:
    """Say what a run would write, had it been one that writes.

    Args:
        engine: The database.
        run_id: A run that has read and computed.
        sinks: Opens the gradebooks of a platform, for one thread; nothing is written to them.
        threads: How many courses are looked at at a time.
        now: The present moment.
    """
    with writing(engine) as connection:
        run = sync_state.run(connection, run_id)
        # As a run does before it writes; nothing of it leaves.
        totals.refresh_totals(connection, run.tenant, now=now)
        found = sort_out(connection, run)
    asked = sorted((*found[WRITTEN], *found[UNAGREED]), key=lambda one: (one.record.title, one.id))

    def look(course: StoredCourse) -> Preview | str:
        try:
            return preview_due(sinks(course.platform), engine, course.id, now=now)
        except ConnectorError as error:
            return str(error)

    with ThreadPoolExecutor(max(1, threads), thread_name_prefix="dry") as pool:
        looked = list(zip(asked, pool.map(look, asked), strict=True))
    shown = [preview for _, preview in looked if isinstance(preview, Preview)]
    return DryRun(
        marks=[mark for preview in shown for mark in _marks(preview)],
        troubles=[
            *((course.record.title, told) for course, told in looked if isinstance(told, str)),
            *(
                (f"{preview.title}, {column.title}", column.trouble)
                for preview in shown
                for column in preview.columns
                if column.trouble
            ),
        ],
        other_modes=len(found[OTHER_MODE]),
        unagreed=len(found[UNAGREED]),
    )


def _marks(preview: Preview) -> Iterator[DryMark]:
    for column in preview.columns:
        for mark in column.marks:
            yield DryMark(
                course=preview.course,
                title=preview.title,
                column=column.title,
                learner=mark.learner,
                stands=mark.now,
                then=mark.then,
                why_not=preview.reason,
            )
        for learner, reason in column.left:
            yield DryMark(
                course=preview.course,
                title=preview.title,
                column=column.title,
                learner=learner,
                stands="",
                then="",
                why_not=reason,
            )
