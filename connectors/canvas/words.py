"""The way "words" on Canvas: a custom gradebook column, which teachers see and no grade counts.

Canvas takes a whole column in one request and writes it in the background, without checking who
is in the course; so every cell is read back.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from connectors.canvas.payloads import Column, ColumnDatum, Progress
from connectors.canvas.rest import CanvasRest
from connectors.errors import Gone
from mapping.records import (
    ColumnMarks,
    ColumnRef,
    ColumnSpec,
    CourseRef,
    FoundMark,
    LearnerRef,
    Mark,
    WriteOutcome,
    WriteState,
)

LONGEST_WORDS = 255
"""One longer text makes Canvas abandon the whole batch half-way."""
_BATCH = 500
_WAITS_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.5, *(3.0 for _ in range(40)))
_ENDED = ("completed", "failed")


class WordsColumn:
    """Custom gradebook columns of one Canvas.

    Source: Canvas REST API, Custom Gradebook Columns; Progress.
    """

    def __init__(self, rest: CanvasRest, sleep: Callable[[float], None]) -> None:
        self._rest = rest
        self._sleep = sleep

    def ensure(self, course: CourseRef, spec: ColumnSpec) -> ColumnRef:
        """The column with the title, made where there is none; it changes no grade."""
        path = f"courses/{course}/custom_gradebook_columns"
        title = spec.title[:LONGEST_WORDS]
        for column in self._rest.rows(path, Column, [("include_hidden", "true")]):
            if column.title == title and not column.teacher_notes:
                return ColumnRef(str(column.id))
        wanted = {"column": {"title": title, "hidden": False, "read_only": True}}
        made = self._rest.write("POST", path, payload=wanted, shape=Column)
        return ColumnRef(str(made.id))

    def read(self, course: CourseRef, column: ColumnRef) -> Mapping[LearnerRef, FoundMark]:
        """The cells that are not empty; Canvas does not say who wrote them."""
        path = f"courses/{course}/custom_gradebook_columns/{column}/data"
        return {
            LearnerRef(str(datum.user_id)): FoundMark(words=datum.content)
            for datum in self._rest.rows(path, ColumnDatum, [("include_hidden", "true")])
            if datum.content
        }

    def write(
        self, course: CourseRef, writes: Sequence[ColumnMarks]
    ) -> Sequence[Sequence[WriteOutcome]]:
        """Write the words of all columns in batches, wait for Canvas, and compare the cells."""
        fitting = iter(
            {"column_id": one.column, "user_id": mark.learner_ref, "content": mark.words}
            for one in writes
            for mark in one.marks
            if len(mark.words) <= LONGEST_WORDS
        )
        ends = []
        while batch := list(islice(fitting, _BATCH)):
            ends.append(self._put(course, batch))
        has_ended = all(end.workflow_state == "completed" for end in ends)
        return [self._outcomes(course, one, has_ended=has_ended) for one in writes]

    def _outcomes(
        self, course: CourseRef, write: ColumnMarks, *, has_ended: bool
    ) -> Sequence[WriteOutcome]:
        try:
            found = self.read(course, write.column) if write.marks else {}
        except Gone:
            # Canvas skips a column it no longer has and reports success.
            return [_vanished(mark) for mark in write.marks]
        return [
            _outcome(mark, found.get(mark.learner_ref), has_ended=has_ended) for mark in write.marks
        ]

    def _put(self, course: CourseRef, rows: Sequence[Mapping[str, str]]) -> Progress:
        path = f"courses/{course}/custom_gradebook_column_data"
        started = self._rest.write("PUT", path, payload={"column_data": rows}, shape=Progress)
        return self._ended(started)

    def _ended(self, progress: Progress) -> Progress:
        """The progress at its end, or as it is after two minutes: the queue may be long."""
        for wait_seconds in _WAITS_SECONDS:
            if progress.workflow_state in _ENDED:
                break
            self._sleep(wait_seconds)
            progress = self._rest.get(f"progress/{progress.id}", Progress)
        return progress


def _vanished(mark: Mark) -> WriteOutcome:
    return WriteOutcome(
        learner_ref=mark.learner_ref,
        state=WriteState.REFUSED,
        reason="The column was deleted while Waymark wrote to it; the next night makes it anew.",
    )


def _outcome(mark: Mark, found: FoundMark | None, *, has_ended: bool) -> WriteOutcome:
    if len(mark.words) > LONGEST_WORDS:
        reason = f"Canvas takes {LONGEST_WORDS} characters at most; this has {len(mark.words)}."
        return WriteOutcome(learner_ref=mark.learner_ref, state=WriteState.REFUSED, reason=reason)
    if found is not None and found.words == mark.words:
        return WriteOutcome(learner_ref=mark.learner_ref, state=WriteState.CONFIRMED)
    if has_ended:
        reason = "Canvas reported the column as written, but this cell does not say it."
        return WriteOutcome(learner_ref=mark.learner_ref, state=WriteState.REFUSED, reason=reason)
    return WriteOutcome(
        learner_ref=mark.learner_ref,
        state=WriteState.UNCONFIRMED,
        reason="Canvas has not finished writing the column, or it failed on the way.",
    )
