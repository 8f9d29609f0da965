"""GraphQL: the submissions of a course, changed since a moment.

The schema is the part of Canvas's that a reader of gradebooks needs, with Canvas's limits.
Errors of a query are answered with 200 and ``errors``.

Source: canvas.md 2.5.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from flask import Blueprint, Response, g
from graphql import GraphQLError, GraphQLResolveInfo, execute_sync

from simulators.canvas.cells import (
    Cell,
    CellQuery,
    count_cells,
    histories,
    rubric_points,
    select_cells,
)
from simulators.canvas.graph_schema import checked, gradebook_schema
from simulators.canvas.submissions import grade_text
from simulators.canvas.wire import answer, json_body, nested, parameter
from simulators.canvas.world import db, iso, now

blueprint = Blueprint("graph", __name__)

DEFAULT_PAGE = 20
LARGEST_PAGE = 100
DEFAULT_STATES = ["submitted", "pending_review", "graded"]
WORKFLOW = {"active": "available", "unpublished": "claimed", "concluded": "completed"}


@blueprint.post("/api/graphql")
def graphql() -> Response:
    """Answer one query."""
    text = parameter("query") or ""
    variables = json_body().get("variables") or nested("variables")
    document, errors = checked(text)
    if document is None:
        return answer({"errors": [error.formatted for error in errors]})
    result = execute_sync(
        gradebook_schema(),
        document,
        root_value={"course": _course, "courses": _courses},
        variable_values=variables,
        operation_name=json_body().get("operationName"),
        field_resolver=_look_up,
    )
    return answer(dict(result.formatted))


def _look_up(source: Mapping[str, Any], info: "GraphQLResolveInfo[Any]", **arguments: Any) -> Any:  # noqa: ANN401 - any field
    value = source[info.field_name]
    return value(**arguments) if callable(value) else value


def _course(id: str | None = None, sisId: str | None = None) -> dict[str, Any] | None:  # noqa: A002, N803 - Canvas's names
    column, value = ("id", id) if id is not None else ("sis_id", sisId)
    row = db().execute(f"SELECT * FROM courses WHERE {column} = ?", (value,)).fetchone()  # noqa: S608 - own words
    if row is None or not _may_read(row["id"]):
        return None
    return {
        "id": _global_id("Course", row["id"]),
        "_id": row["id"],
        "name": row["title"],
        "courseCode": row["code"],
        "sisId": row["sis_id"],
        "state": WORKFLOW[row["state"]],
        "submissionsConnection": lambda **wanted: _Page(row["id"], wanted).connection(),
    }


def _courses(
    ids: Sequence[str] = (),
    sisIds: Sequence[str] = (),  # noqa: N803 - Canvas's name
) -> list[dict[str, Any]]:
    found = [_course(id=text) for text in ids] + [_course(sisId=text) for text in sisIds]
    return [course for course in found if course is not None]


def _may_read(course_id: int) -> bool:
    if g.person["role"] == "administrator":
        return True
    sql = "SELECT 1 FROM enrolments WHERE course_id = ? AND person_id = ? AND role = 'teacher'"
    return db().execute(sql, (course_id, g.person["id"])).fetchone() is not None


def _global_id(kind: str, number: int) -> str:
    return base64.b64encode(f"{kind}-{number}".encode()).decode()


class _Page:
    """One page of a course's submissions; what is costly is read when a field asks for it."""

    def __init__(self, course_id: int, wanted: Mapping[str, Any]) -> None:
        self._query = _query(course_id, wanted)
        first = wanted.get("first")
        self._size = DEFAULT_PAGE if first is None else max(0, min(first, LARGEST_PAGE))
        self._offset = _offset(wanted.get("after"))
        self._now = now()

    def connection(self) -> dict[str, Any]:
        found = select_cells(db(), self._query, limit=self._size + 1, offset=self._offset)
        self._cells = found[: self._size]
        end = self._offset + len(self._cells)
        return {
            "nodes": lambda: [self._node(cell) for cell in self._cells],
            "edges": self._edges,
            "pageInfo": {
                "hasNextPage": len(found) > self._size,
                "hasPreviousPage": self._offset > 0,
                "startCursor": _cursor(self._offset + 1) if self._cells else None,
                "endCursor": _cursor(end) if self._cells else None,
                "totalCount": lambda: count_cells(db(), self._query),
            },
        }

    def _edges(self) -> list[dict[str, Any]]:
        return [
            {"cursor": _cursor(self._offset + place), "node": self._node(cell)}
            for place, cell in enumerate(self._cells, 1)
        ]

    @cached_property
    def _rubrics(self) -> Mapping[tuple[int, int], Mapping[str, float]]:
        return rubric_points(db(), self._cells)

    @cached_property
    def _histories(self) -> Mapping[tuple[int, int], Sequence[Any]]:
        return histories(db(), self._cells)

    @cached_property
    def _criteria(self) -> Mapping[tuple[int, str], Any]:
        sql = (
            "SELECT c.* FROM criteria c JOIN assignments a ON a.id = c.assignment_id "
            "WHERE a.course_id = ?"
        )
        rows = db().execute(sql, (self._query.course,))
        return {(row["assignment_id"], row["id"]): row for row in rows}

    def _node(self, cell: Cell) -> dict[str, Any]:
        return _grade_fields(cell, self._now) | {
            "id": _global_id("Submission", cell.id),
            "_id": cell.id,
            "userId": cell.learner_id,
            "assignmentId": cell.assignment_id,
            "enteredGrade": grade_text(cell.points),
            "deductedPoints": cell.points_deducted if cell.is_late else None,
            "latePolicyStatus": cell.late_policy_status,
            "secondsLate": cell.seconds_late,
            "gradeMatchesCurrentSubmission": cell.matches_submission is not False,
            "cachedDueDate": iso(cell.due_at),
            "redoRequest": False,
            "updatedAt": iso(cell.updated_at),
            "rubricAssessmentsConnection": self._connector(cell, self._assessments),
            "submissionHistoriesConnection": self._connector(cell, self._history),
        }

    def _connector(
        self, cell: Cell, nodes: Callable[[Cell], list[dict[str, Any]]]
    ) -> Callable[..., dict[str, Any]]:
        return lambda **_page: {"nodes": nodes(cell)}

    def _assessments(self, cell: Cell) -> list[dict[str, Any]]:
        points = self._rubrics.get((cell.assignment_id, cell.learner_id))
        if points is None:
            return []
        ratings = [
            {
                "_id": f"{cell.id}_{key}",
                "points": value,
                "comments": None,
                "criterion": self._criterion(cell.assignment_id, key),
            }
            for key, value in points.items()
        ]
        return [
            {
                "_id": cell.id,
                "score": sum(points.values()),
                "artifactAttempt": cell.attempt,
                "assessmentRatings": ratings,
            }
        ]

    def _criterion(self, assignment_id: int, key: str) -> dict[str, Any] | None:
        row = self._criteria.get((assignment_id, key))
        if row is None:
            return None
        return {
            "_id": key,
            "description": row["title"],
            "points": row["maximum"],
            "learningOutcomeId": None,
        }

    def _history(self, cell: Cell) -> list[dict[str, Any]]:
        current = _grade_fields(cell, self._now)
        tries = self._histories.get((cell.assignment_id, cell.learner_id), ())
        older = [
            current
            | {
                "attempt": row["number"],
                "score": row["points"],
                "grade": grade_text(row["points"]),
                "enteredScore": row["points"],
                "state": "submitted" if row["graded_at"] is None else "graded",
                "submittedAt": iso(row["submitted_at"]),
                "gradedAt": iso(row["graded_at"]),
            }
            for row in tries[:-1]
        ]
        return [*older, current]


def _grade_fields(cell: Cell, at: float) -> dict[str, Any]:
    score = cell.score
    return {
        "attempt": cell.attempt,
        "score": score,
        "grade": grade_text(score),
        "enteredScore": None if cell.excused else cell.points,
        "excused": bool(cell.excused),
        "state": cell.workflow_state,
        "submittedAt": iso(cell.submitted_at),
        "gradedAt": iso(cell.graded_at),
        "postedAt": iso(cell.posted_at),
        "late": cell.is_late,
        "missing": cell.is_missing(at),
    }


def _query(course_id: int, wanted: Mapping[str, Any]) -> CellQuery:
    chosen = wanted.get("filter") or {}
    order = (wanted.get("orderBy") or [{}])[0]
    students = wanted.get("studentIds")
    return CellQuery(
        course=course_id,
        learners=None if students is None else [int(text) for text in students if text.isdigit()],
        states=chosen.get("states") or DEFAULT_STATES,
        updated_since=_moment(chosen.get("updatedSince")),
        graded_since=_moment(chosen.get("gradedSince")),
        submitted_since=_moment(chosen.get("submittedSince")),
        by_graded_at=order.get("field") == "gradedAt",
        descending=order.get("direction") == "descending",
    )


def _moment(text: object) -> float | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise GraphQLError(f"{text!r} is not a valid DateTime") from error
    if found.tzinfo is None:
        raise GraphQLError(f"{text!r} is not a valid DateTime")
    return found.timestamp()


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def _offset(cursor: str | None) -> int:
    """The position behind which a page begins; a readable but senseless cursor is the start."""
    if not cursor:
        return 0
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise GraphQLError(f'Invalid cursor: "{cursor}"') from error
    return int(text) if text.isdigit() else 0
