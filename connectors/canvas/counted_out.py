"""The way "mark, not counted" on Canvas: a score on an assignment left out of the course grade.

An LTI tool cannot make such an assignment. So the line item is created by LTI, its assignment is
found through Canvas's own API, left out of the final grade there, and that is read back before
the first score. Where any of it fails, nothing is written.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

from connectors.advantage import LineItems, OwnLineItem, OwnScore
from connectors.canvas.payloads import Assignment, Submission
from connectors.canvas.rest import CanvasRest
from connectors.errors import GiveUp, Gone, Unauthorized
from connectors.http import Reply
from connectors.platform import PlatformAccess
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

_SUBMISSION_TYPE = "https://canvas.instructure.com/lti/submission_type"
_SUBMISSION = "https://canvas.instructure.com/lti/submission"
_TOOL_MADE = (["none"], ["external_tool"])
_OF_ONE_LEARNER = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
_TOLERANCE = 0.005
"""In points: Canvas keeps two decimals of some scores."""


class CountedOutColumn:
    """Line items of Waymark whose assignments do not count.

    Source: Canvas LTI Advantage documentation, Line Items and Score; Canvas REST API,
    Assignments and Submissions.
    """

    def __init__(self, rest: CanvasRest, items: LineItems, access: PlatformAccess) -> None:
        self._rest = rest
        self._items = items
        self._access = access

    def own_assignments(self, course: CourseRef, assignments: Sequence[Assignment]) -> set[str]:
        """The ids of the assignments that stand for line items of Waymark.

        Args:
            course: The course.
            assignments: All of its assignments.

        Returns:
            Ids; empty also where LTI is not set up or the course is closed to it, for then
            Waymark has made none there.

        Raises:
            Unauthorized: There is no service token to be had: Waymark cannot tell its own
                columns from evidence.
        """
        if not self._access.has_services:
            return set()
        try:
            own = self._items.all(self._container(course))
        except Gone:
            return set()
        except Unauthorized as error:
            if error.cause != "service_refused":
                raise
            return set()
        return {
            str(assignment.id)
            for assignment in assignments
            if any(_stands_for(assignment, item) for item in own)
        }

    def ensure(self, course: CourseRef, spec: ColumnSpec) -> ColumnRef:
        """The line item with the tag, made where there is none, and proven not to count.

        Args:
            course: The course.
            spec: The column; ``maximum`` above 0.

        Returns:
            The assignment's id and the line item's URL.

        Raises:
            GiveUp: It cannot be proven, or somebody changed its maximum. What was made is
                deleted again.
        """
        self._refuse_unprovable()
        container = self._container(course)
        item = self._items.find(container, spec.tag)
        if item is not None:
            return self._proven(course, spec, item)
        item = self._items.create(
            container,
            label=spec.title,
            maximum=spec.maximum,
            tag=spec.tag,
            extra={_SUBMISSION_TYPE: {"type": "none"}},
        )
        try:
            return self._proven(course, spec, item)
        except GiveUp:
            # Nothing that could count is left behind.
            self._items.delete(item.id)
            raise

    def read(self, course: CourseRef, column: ColumnRef) -> Mapping[LearnerRef, FoundMark]:
        """Scores of the assignment. Canvas says who graded: a tool's number is negative."""
        assignment, _ = _parts(column)
        params = [("student_ids[]", "all"), ("assignment_ids[]", assignment)]
        path = f"courses/{course}/students/submissions"
        found: dict[LearnerRef, FoundMark] = {}
        for reply in self._rest.pages(path, params, passes={HTTPStatus.FORBIDDEN}):
            self._refuse_vanished(course, reply)
            for submission in reply.decode(list[Submission]):
                mark = _found(submission)
                if mark is not None:
                    found[LearnerRef(str(submission.user_id))] = mark
        return found

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
        """
        if not write.marks:
            return []
        _, item = _parts(write.column)
        refused: dict[LearnerRef, str] = {}
        for mark in write.marks:
            reason = self._send(item, write.spec, mark=mark, now=now)
            if reason:
                refused[mark.learner_ref] = reason
        found = self.read(course, write.column)
        return [_outcome(mark, refused, found.get(mark.learner_ref)) for mark in write.marks]

    def _send(self, item: str, spec: ColumnSpec, *, mark: Mark, now: datetime) -> str:
        """Why the score was refused; empty when Canvas took it."""
        score = OwnScore(
            user_id=mark.learner_ref,
            given=mark.points,
            maximum=spec.maximum,
            comment=mark.words,
            timestamp=now.astimezone(UTC).isoformat(timespec="milliseconds"),
            # Or every score would be a new attempt, handed in now, perhaps late.
            extra={_SUBMISSION: {"new_submission": False}},
        )
        reply = self._items.score(item, score, passes=_OF_ONE_LEARNER)
        if reply.status not in _OF_ONE_LEARNER:
            return ""
        return (
            f"Canvas refused the score ({reply.status}): is this an active student of the course?"
        )

    def _proven(self, course: CourseRef, spec: ColumnSpec, item: OwnLineItem) -> ColumnRef:
        if not math.isclose(item.score_maximum, spec.maximum):
            raise GiveUp(
                f'The column "{item.label}" on {self._access.name} is out of '
                f"{item.score_maximum:g} points, not {spec.maximum:g}: somebody changed it. "
                "Change it back, or delete the assignment there.",
                cause="maximum_changed",
                platform=self._access.name,
            )
        assignment = self._assignment_of(course, item)
        path = f"courses/{course}/assignments/{assignment.id}"
        if not assignment.omit_from_final_grade:
            wanted = {"assignment": {"omit_from_final_grade": True}}
            self._rest.write("PUT", path, payload=wanted, shape=Assignment)
        if not self._rest.get(path, Assignment).omit_from_final_grade:
            raise GiveUp(
                f'{self._access.name} does not leave "{assignment.name}" out of the course grade, '
                "so Waymark writes no marks there. Choose words for this course.",
                cause="would_count",
                platform=self._access.name,
            )
        return ColumnRef(f"{assignment.id} {item.id}")

    def _assignment_of(self, course: CourseRef, item: OwnLineItem) -> Assignment:
        # LTI does not name the assignment of a line item; it must be told without a doubt.
        assignments = self._rest.rows(f"courses/{course}/assignments", Assignment)
        candidates = [one for one in assignments if _stands_for(one, item)]
        if len(candidates) != 1:
            raise GiveUp(
                f'{self._access.name} has {len(candidates)} assignments like "{item.label}", so '
                "Waymark cannot tell which is its own. Rename the others.",
                cause="assignment_not_found",
                platform=self._access.name,
            )
        return candidates[0]

    def _refuse_unprovable(self) -> None:
        if not (self._access.has_services and self._access.api_token):
            raise GiveUp(
                f"Marks on {self._access.name} need both LTI and an access token: without the "
                "token nobody can see whether they would change course grades. Choose words, or "
                "enter what is missing.",
                cause="would_count",
                platform=self._access.name,
            )

    def _refuse_vanished(self, course: CourseRef, reply: Reply) -> None:
        if reply.status == HTTPStatus.FORBIDDEN:
            raise Gone(
                f"Waymark's column in course {course} on {self._access.name} was deleted or "
                "unpublished there, or the service user may not see its scores.",
                cause="column_gone",
                platform=self._access.name,
            )

    def _container(self, course: CourseRef) -> str:
        return f"{self._access.api_url}/api/lti/courses/{course}/line_items"


def _stands_for(assignment: Assignment, item: OwnLineItem) -> bool:
    """Whether an assignment is the one behind a line item.

    A link's line item carries the link's id. One made without a link has its label and maximum
    in common with the assignment, which Canvas keeps equal, and takes no submissions.
    """
    link = (assignment.external_tool_tag_attributes or {}).get("resource_link_id")
    if item.resource_link_id and link is not None:
        return item.resource_link_id == link
    return (
        assignment.submission_types in _TOOL_MADE
        and assignment.name == item.label
        and math.isclose(assignment.points_possible or 0.0, item.score_maximum)
    )


def _parts(column: ColumnRef) -> tuple[str, str]:
    assignment, _, item = column.partition(" ")
    return assignment, item


def _found(submission: Submission) -> FoundMark | None:
    points = submission.score if submission.entered_score is None else submission.entered_score
    if submission.excused:
        # A score would take the excuse away, so the cell must not look empty.
        return FoundMark(words="Excused", is_ours=False)
    if points is None:
        return None
    grader = None if submission.grader_id is None else int(submission.grader_id)
    return FoundMark(points=points, is_ours=None if grader is None else grader < 0)


def _outcome(
    mark: Mark, refused: Mapping[LearnerRef, str], found: FoundMark | None
) -> WriteOutcome:
    reason = refused.get(mark.learner_ref, "")
    if reason:
        return WriteOutcome(learner_ref=mark.learner_ref, state=WriteState.REFUSED, reason=reason)
    if _says(found, mark):
        return WriteOutcome(learner_ref=mark.learner_ref, state=WriteState.CONFIRMED)
    return WriteOutcome(
        learner_ref=mark.learner_ref,
        state=WriteState.UNCONFIRMED,
        reason="Canvas took the score, but the gradebook does not show it.",
    )


def _says(found: FoundMark | None, mark: Mark) -> bool:
    points = None if found is None else found.points
    if points is None or mark.points is None:
        return points is mark.points
    return math.isclose(points, mark.points, abs_tol=_TOLERANCE)
