"""The cells of Waymark's assignments: what a score says, whose it is, and writing one.

Canvas adds the comment of a score anew each time it is sent, so the words are sent only where
they are not the last thing said there already.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

from connectors.advantage import LineItems, OwnLineItem, OwnScore
from connectors.canvas.payloads import Assignment, Submission
from connectors.canvas.rest import CanvasRest
from connectors.errors import Gone
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

SUBMISSION_TYPE = "https://canvas.instructure.com/lti/submission_type"
_SUBMISSION = "https://canvas.instructure.com/lti/submission"
_OF_ONE_LEARNER = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
_TOLERANCE = 0.005
"""In points: Canvas keeps two decimals of some scores."""
_SHARD = 10**13
"""A global id of Canvas is the local one and this many times the shard."""
_REASONS = (
    (b"has concluded", "the course has concluded."),
    (b"not a student", "this is no active student of the course."),
    (
        b"timestamp",
        "Canvas has a newer score of Waymark's; the server's clock may be wrong.",
    ),
    (
        b"cannot be graded",
        "the grading period is closed, or the assignment is not published.",
    ),
)
_UNTOLD = "the grading period may be closed, or this may be no active student of the course."


def column_ref(assignment: Assignment, item: OwnLineItem) -> ColumnRef:
    """A column is an assignment's id and a line item's URL."""
    return ColumnRef(f"{assignment.id} {item.id}")


class ScoreCells:
    """Reads and writes the scores of one Canvas's line items.

    Source: Canvas REST API, Submissions; Canvas LTI Advantage documentation, Score.
    """

    def __init__(self, rest: CanvasRest, items: LineItems, access: PlatformAccess) -> None:
        self._rest = rest
        self._items = items
        self._access = access
        self._tools = _tool_numbers(access)
        self._seen: tuple[ColumnRef, Mapping[LearnerRef, FoundMark]] | None = None

    def read(self, course: CourseRef, column: ColumnRef) -> Mapping[LearnerRef, FoundMark]:
        """Scores of the assignment.

        Canvas says who graded: a person, or a tool by its number with a minus. Another tool's
        is nobody's that Waymark knows.
        """
        assignment, _ = _parts(column)
        params = [
            ("student_ids[]", "all"),
            ("assignment_ids[]", assignment),
            ("include[]", "submission_comments"),
        ]
        path = f"courses/{course}/students/submissions"
        found: dict[LearnerRef, FoundMark] = {}
        for reply in self._rest.pages(path, params, passes={HTTPStatus.FORBIDDEN}):
            self._refuse_vanished(course, reply)
            for submission in reply.decode(list[Submission]):
                mark = self._found(submission)
                if mark is not None:
                    found[LearnerRef(str(submission.user_id))] = mark
        self._seen = (column, found)
        return found

    def write(
        self, course: CourseRef, write: ColumnMarks, *, now: datetime
    ) -> Sequence[WriteOutcome]:
        """Send scores one by one, then read the assignment and compare."""
        _, item = _parts(write.column)
        before = self._before(course, write.column)
        refused: dict[LearnerRef, str] = {}
        for mark in write.marks:
            cell = before.get(mark.learner_ref)
            is_said = cell is not None and cell.words == mark.words
            score = _score(mark, write.spec, comment="" if is_said else mark.words, now=now)
            reason = self._send(item, score)
            if reason:
                refused[mark.learner_ref] = reason
        found = self.read(course, write.column)
        return [_outcome(mark, refused, found.get(mark.learner_ref)) for mark in write.marks]

    def _before(self, course: CourseRef, column: ColumnRef) -> Mapping[LearnerRef, FoundMark]:
        """What the column said when it was read last."""
        if self._seen is not None and self._seen[0] == column:
            return self._seen[1]
        return self.read(course, column)

    def _send(self, item: str, score: OwnScore) -> str:
        """Why the score was refused; empty when Canvas took it."""
        reply = self._items.score(item, score, passes=_OF_ONE_LEARNER)
        if reply.status not in _OF_ONE_LEARNER:
            return ""
        why = next((said for word, said in _REASONS if word in reply.body), _UNTOLD)
        return f"Canvas refused the score ({reply.status}): {why}"

    def _found(self, submission: Submission) -> FoundMark | None:
        points = submission.score if submission.entered_score is None else submission.entered_score
        if submission.excused:
            # A score would take the excuse away, so the cell must not look empty.
            return FoundMark(words="Excused", is_ours=False)
        if points is None:
            return None
        return FoundMark(
            points=points, words=_last_words(submission), is_ours=self._is_ours(submission)
        )

    def _is_ours(self, submission: Submission) -> bool | None:
        if submission.grader_id is None:
            return None
        grader = int(submission.grader_id)
        if grader > 0:
            return False
        return True if -grader % _SHARD in self._tools else None

    def _refuse_vanished(self, course: CourseRef, reply: Reply) -> None:
        if reply.status == HTTPStatus.FORBIDDEN:
            raise Gone(
                f"Waymark's column in course {course} on {self._access.name} was deleted or "
                "unpublished there, or the service user may not see its scores.",
                cause="column_gone",
                platform=self._access.name,
            )


def _tool_numbers(access: PlatformAccess) -> frozenset[int]:
    """Waymark's numbers among the tools of the account: deployment ids begin with them."""
    heads = (ref.partition(":")[0] for ref in (access.deployment_ref, *access.deployments))
    return frozenset(int(head) % _SHARD for head in heads if head.isdecimal())


def _parts(column: ColumnRef) -> tuple[str, str]:
    assignment, _, item = column.partition(" ")
    return assignment, item


def _score(mark: Mark, spec: ColumnSpec, *, comment: str, now: datetime) -> OwnScore:
    return OwnScore(
        user_id=mark.learner_ref,
        given=mark.points,
        maximum=spec.maximum,
        comment=comment,
        timestamp=now.astimezone(UTC).isoformat(timespec="milliseconds"),
        # Or every score would be a new attempt, handed in now, perhaps late.
        extra={_SUBMISSION: {"new_submission": False}},
    )


def _last_words(submission: Submission) -> str | None:
    """What a tool said last; None where Canvas does not tell, or no tool said anything.

    Comments of people are theirs and change nothing of a mark.
    """
    said = [one for one in submission.submission_comments or () if one.author_id is None]
    return said[-1].comment if said else None


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
    has_words = found is None or found.words in (None, mark.words)
    return has_words and math.isclose(points, mark.points, abs_tol=_TOLERANCE)
