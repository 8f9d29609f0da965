"""Marks on Canvas: a score on an assignment that counts in the course grade, or is left out.

An LTI tool cannot make an assignment that does not count. So the line item is created by LTI, its
assignment is found through Canvas's own API, left out of the final grade there, and that is read
back before the first score and before every later night's. One that is to count is proven, too.
Where any of it fails, nothing is written.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from connectors.advantage import LineItems, OwnLineItem
from connectors.canvas.own_assignments import container_of, own_assignments, stands_for
from connectors.canvas.payloads import Assignment
from connectors.canvas.rest import CanvasRest
from connectors.canvas.score_cells import SUBMISSION_TYPE, ScoreCells, column_ref
from connectors.errors import GiveUp, Gone
from connectors.platform import PlatformAccess
from mapping.records import (
    ColumnMarks,
    ColumnRef,
    ColumnSpec,
    CourseRef,
    FoundMark,
    LearnerRef,
    PassbackWay,
    WriteOutcome,
)


class MarkColumns:
    """Line items of Waymark and their assignments on one Canvas.

    Source: Canvas LTI Advantage documentation, Line Items and Score; Canvas REST API,
    Assignments and Submissions.
    """

    def __init__(self, rest: CanvasRest, items: LineItems, access: PlatformAccess) -> None:
        self._rest = rest
        self._items = items
        self._access = access
        self._cells = ScoreCells(rest, items, access)

    def own_assignments(self, course: CourseRef, assignments: Sequence[Assignment]) -> set[str]:
        """The ids of the assignments that stand for line items of Waymark."""
        return own_assignments(self._items, self._access, course, assignments=assignments)

    def ensure(self, course: CourseRef, spec: ColumnSpec) -> ColumnRef:
        """The line item with the tag, made where there is none, and proven to be as wanted.

        Args:
            course: The course.
            spec: The column; ``maximum`` above 0.

        Returns:
            The assignment's id and the line item's URL.

        Raises:
            GiveUp: It cannot be proven, or somebody changed it since. What was made now is
                deleted again.
        """
        self._refuse_unprovable()
        item, is_new = self._found_or_made(course, spec)
        try:
            return self._proven(course, spec, item, is_new=is_new)
        except GiveUp:
            if is_new:
                # Nothing that could count by accident is left behind.
                self._items.delete(item.id)
            raise

    def read(self, course: CourseRef, column: ColumnRef) -> Mapping[LearnerRef, FoundMark]:
        """Scores of the assignment with the words beside them, and who gave them."""
        return self._cells.read(course, column)

    def write(
        self, course: CourseRef, write: ColumnMarks, *, now: datetime
    ) -> Sequence[WriteOutcome]:
        """Send scores one by one, then read the assignment and compare.

        Args:
            course: The course.
            write: The column that ``ensure`` returned, with its marks; without points, a mark
                takes back the score.
            now: Becomes the scores' timestamp.

        Returns:
            One outcome for each mark.

        Raises:
            GiveUp: The course or the column is closed to the tool by now.
        """  # noqa: DOC502 - raised by _explained()
        if not write.marks:
            return []
        with self._explained(course):
            return self._cells.write(course, write, now=now)

    def _found_or_made(self, course: CourseRef, spec: ColumnSpec) -> tuple[OwnLineItem, bool]:
        container = container_of(self._access, course)
        with self._explained(course):
            item = self._items.find(container, spec.tag)
            if item is not None:
                return item, False
            made = self._items.create(
                container,
                label=spec.title,
                maximum=spec.maximum,
                tag=spec.tag,
                extra={SUBMISSION_TYPE: {"type": "none"}},
            )
            return made, True

    def _proven(
        self, course: CourseRef, spec: ColumnSpec, item: OwnLineItem, *, is_new: bool
    ) -> ColumnRef:
        self._refuse_changed(spec, item)
        assignment = self._assignment_of(course, item)
        path = f"courses/{course}/assignments/{assignment.id}"
        column = column_ref(assignment, item)
        if spec.way is PassbackWay.MARK_NOT_COUNTED and not assignment.omit_from_final_grade:
            if not is_new and self._cells.read(course, column):
                raise self._would_count(assignment)
            wanted = {"assignment": {"omit_from_final_grade": True}}
            self._rest.write("PUT", path, payload=wanted, shape=Assignment)
        self._prove(spec, self._rest.get(path, Assignment))
        return column

    def _prove(self, spec: ColumnSpec, assignment: Assignment) -> None:
        """Refuse a column that is not what its way says, as Canvas tells it now."""
        if not assignment.published:
            raise self._refusal(
                f'The assignment "{assignment.name}" on {self._access.name} is not published, so '
                "it takes no marks. Publish it, or delete it: Waymark makes it anew.",
                "column_unpublished",
            )
        is_counting = not assignment.omit_from_final_grade
        if is_counting and spec.way is PassbackWay.MARK_NOT_COUNTED:
            raise self._would_count(assignment)
        if not is_counting and spec.way is PassbackWay.MARK_COUNTED:
            raise self._refusal(
                f'"{assignment.name}" on {self._access.name} is left out of the course grade, '
                "though its marks are to count: somebody changed that. Waymark writes nothing "
                'there. Clear "do not count this assignment towards the final grade" in Canvas, '
                "or choose another way for this course.",
                "would_not_count",
            )

    def _would_count(self, assignment: Assignment) -> GiveUp:
        return self._refusal(
            f'{self._access.name} does not leave "{assignment.name}" out of the course grade, so '
            'Waymark writes no marks there. Check "do not count this assignment towards the final '
            'grade" in Canvas, or choose words for this course.',
            "would_count",
        )

    def _refuse_changed(self, spec: ColumnSpec, item: OwnLineItem) -> None:
        if not math.isclose(item.score_maximum, spec.maximum):
            raise self._refusal(
                f'The column "{item.label}" on {self._access.name} is out of '
                f"{item.score_maximum:g} points, not {spec.maximum:g}: somebody changed it. "
                "Change it back, or delete the assignment there.",
                "maximum_changed",
            )

    def _assignment_of(self, course: CourseRef, item: OwnLineItem) -> Assignment:
        # LTI does not name the assignment of a line item; it must be told without a doubt.
        assignments = self._rest.rows(f"courses/{course}/assignments", Assignment)
        candidates = [one for one in assignments if stands_for(one, item)]
        if len(candidates) != 1:
            raise self._refusal(
                f'{self._access.name} has {len(candidates)} assignments like "{item.label}", so '
                "Waymark cannot tell which is its own. Rename the others.",
                "assignment_not_found",
            )
        return candidates[0]

    def _refuse_unprovable(self) -> None:
        has_api = bool(self._access.api_token) or self._access.user_tokens is not None
        if not (self._access.has_services and has_api):
            raise self._refusal(
                f"Marks on {self._access.name} need both LTI and access to its API: without it "
                "nobody can see whether they would change course grades, or whose marks stand "
                "there. Choose words, or enter what is missing.",
                "would_count",
            )

    @contextmanager
    def _explained(self, course: CourseRef) -> Iterator[None]:
        """Say of a course that is closed to the tool what that means.

        Raises:
            Gone: It is.
            GiveUp: Something else is the matter.
        """
        try:
            yield
        except GiveUp as error:
            if error.cause not in {"not_found", "refused_request"}:
                raise
            raise Gone(
                f"{self._access.name} takes no marks for course {course}: it has concluded or was "
                "deleted, and Canvas closes it to tools then, or Waymark's column in it was "
                "deleted. What stands there stays as it is.",
                cause="course_closed",
                platform=self._access.name,
            ) from error

    def _refusal(self, message: str, cause: str) -> GiveUp:
        return GiveUp(message, cause=cause, platform=self._access.name)
