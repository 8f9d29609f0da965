"""GraphQL: submissions with their rubrics and histories, field by field.

Every value is as it goes on the wire: ids are text, points are floating.
"""

import base64
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from simulators.canvas.cells import Cell, earlier_cells, histories, rubric_points
from simulators.canvas.graph_selection import Selected, picked
from simulators.canvas.submissions import grade_text
from simulators.canvas.world import iso

HISTORY_FIELDS = (
    "attempt",
    "score",
    "grade",
    "enteredScore",
    "excused",
    "state",
    "submittedAt",
    "gradedAt",
    "postedAt",
    "late",
    "missing",
)


class Page:
    """Some submissions of a course; what is costly is read when a field first asks for it."""

    def __init__(
        self, connection: sqlite3.Connection, course: int, cells: Sequence[Cell], *, now: float
    ) -> None:
        self.now = now
        self._connection = connection
        self._course = course
        self._cells = cells

    def rows(self) -> list["Row"]:
        """The submissions one by one, for graphql-core."""
        return [Row(cell, self) for cell in self._cells]

    def picked(self, fields: Sequence[Selected]) -> list[dict[str, Any]]:
        """What is selected of every submission."""
        readers = [(field.key, FIELDS[field.name], field.below) for field in fields]
        return [
            {
                key: picked(read(cell, self), below) if below else read(cell, self)
                for key, read, below in readers
            }
            for cell in self._cells
        ]

    @cached_property
    def _rubrics(self) -> Mapping[tuple[int, int], Mapping[str, float]]:
        return rubric_points(self._connection, self._cells)

    @cached_property
    def _histories(self) -> Mapping[tuple[int, int], Sequence[Any]]:
        return histories(self._connection, self._cells)

    @cached_property
    def _criteria(self) -> Mapping[tuple[int, str], Any]:
        sql = (
            "SELECT c.*, (SELECT MIN(o.outcome_id) FROM outcome_alignments o "
            "WHERE o.assignment_id = c.assignment_id AND o.criterion_id = c.id) AS outcome_id "
            "FROM criteria c JOIN assignments a ON a.id = c.assignment_id WHERE a.course_id = ?"
        )
        rows = self._connection.execute(sql, (self._course,))
        return {(row["assignment_id"], row["id"]): row for row in rows}

    def assessments(self, cell: Cell) -> list[dict[str, Any]]:
        """The rubric assessment of a submission, where there is one."""
        points = self._rubrics.get((cell.assignment_id, cell.learner_id))
        if points is None:
            return []
        return [
            {
                "__typename": "RubricAssessment",
                "_id": str(cell.id),
                "score": sum(points.values()),
                "artifactAttempt": cell.attempt,
                "assessmentRatings": [
                    self._rating(cell, key, value) for key, value in points.items()
                ],
            }
        ]

    def _rating(self, cell: Cell, key: str, points: float) -> dict[str, Any]:
        return {
            "__typename": "RubricAssessmentRating",
            "_id": f"{cell.id}_{key}",
            "points": points,
            "comments": None,
            "criterion": self._criterion(cell.assignment_id, key),
        }

    def _criterion(self, assignment_id: int, key: str) -> dict[str, Any] | None:
        row = self._criteria.get((assignment_id, key))
        if row is None:
            return None
        return {
            "__typename": "RubricCriterion",
            "_id": key,
            "description": row["title"],
            "points": row["maximum"],
            "learningOutcomeId": row["outcome_id"] and str(row["outcome_id"]),
        }

    def history(self, cell: Cell) -> list[dict[str, Any]]:
        """The attempts of a submission, oldest first; the newest is the submission itself."""
        tries = self._histories.get((cell.assignment_id, cell.learner_id), ())
        return [
            {
                "__typename": "SubmissionHistory",
                **{name: FIELDS[name](one, self) for name in HISTORY_FIELDS},
            }
            for one in (*earlier_cells(cell, tries), cell)
        ]


class Row:
    """A submission of a page; gives the value of a field by its name."""

    __slots__ = ("_cell", "_page")

    def __init__(self, cell: Cell, page: Page) -> None:
        self._cell = cell
        self._page = page

    def __getitem__(self, name: str) -> object:
        return FIELDS[name](self._cell, self._page)


def global_id(kind: str, number: int) -> str:
    """Canvas's id for the whole of its graph."""
    return base64.b64encode(f"{kind}-{number}".encode()).decode()


FIELDS: Mapping[str, Callable[[Cell, Page], object]] = {
    "__typename": lambda _cell, _page: "Submission",
    "id": lambda cell, _page: global_id("Submission", cell.id),
    "_id": lambda cell, _page: str(cell.id),
    "userId": lambda cell, _page: str(cell.learner_id),
    "assignmentId": lambda cell, _page: str(cell.assignment_id),
    "attempt": lambda cell, _page: cell.attempt,
    "score": lambda cell, _page: cell.score,
    "grade": lambda cell, _page: grade_text(cell.score),
    "enteredScore": lambda cell, _page: None if cell.excused else cell.points,
    "enteredGrade": lambda cell, _page: grade_text(cell.points),
    "deductedPoints": lambda cell, _page: cell.points_deducted if cell.is_late else None,
    "excused": lambda cell, _page: bool(cell.excused),
    "state": lambda cell, _page: cell.workflow_state,
    "latePolicyStatus": lambda cell, _page: cell.late_policy_status,
    "late": lambda cell, _page: cell.is_late,
    "missing": lambda cell, page: cell.is_missing(page.now),
    "secondsLate": lambda cell, _page: float(cell.seconds_late),
    "gradeMatchesCurrentSubmission": lambda cell, _page: cell.matches_submission is not False,
    "cachedDueDate": lambda cell, _page: iso(cell.due_at),
    "redoRequest": lambda _cell, _page: False,
    "submittedAt": lambda cell, _page: iso(cell.submitted_at),
    "gradedAt": lambda cell, _page: iso(cell.graded_at),
    "postedAt": lambda cell, _page: iso(cell.posted_at),
    "updatedAt": lambda cell, _page: iso(cell.updated_at),
    "rubricAssessmentsConnection": lambda cell, page: {
        "__typename": "RubricAssessmentConnection",
        "nodes": page.assessments(cell),
    },
    "submissionHistoriesConnection": lambda cell, page: {
        "__typename": "SubmissionHistoryConnection",
        "nodes": page.history(cell),
    },
}
"""The fields of a submission, each from its cell and its page."""
