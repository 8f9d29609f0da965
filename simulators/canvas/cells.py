"""Gradebook cells as Canvas sees them: one for each learner and published assignment.

A cell where nothing ever happened exists too; it is unsubmitted. REST, GraphQL, course grades
and the pages all read cells here and nowhere else.

Source: canvas.md 2.3 and 2.4.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

ID_STRIDE = 1_000_000
"""A submission's id is its assignment's, times this, plus its learner's."""
FAR_FUTURE = 253402300799
STATES = {"submitted", "unsubmitted", "pending_review", "graded"}
SUBMITTABLE = {"assignment", "quiz"}
ANY_STATE = ("active", "suspended", "concluded")

_CELL_COLUMNS = f"""
    p.assignment_id * {ID_STRIDE} + p.learner_id AS id, p.assignment_id, p.learner_id,
    p.maximum, p.due_at, p.kind,
    CASE WHEN g.state IN ('graded', 'excused') THEN 'graded'
         WHEN g.state IN ('submitted', 'pending_review') THEN g.state
         ELSE 'unsubmitted' END AS workflow_state,
    g.state, g.points, COALESCE(g.points_deducted, 0) AS points_deducted,
    COALESCE(g.attempt, 0) AS attempt, g.submitted_at,
    CASE WHEN g.excused THEN COALESCE(g.graded_at, g.updated_at) ELSE g.graded_at END
        AS graded_at,
    g.posted_at, COALESCE(g.excused, 0) AS excused, g.grader_id,
    COALESCE(g.updated_at, p.created_at) AS updated_at, COALESCE(g.comment, '') AS comment,
    g.late_policy_status, g.seconds_late_override
"""
_PLACES = """
    SELECT a.id AS assignment_id, l.person_id AS learner_id,
        a.maximum, a.due_at, a.kind, MAX(a.created_at, l.created_at) AS created_at
    FROM assignments a
    JOIN enrolments l ON l.course_id = a.course_id AND l.role = 'learner'
    WHERE a.course_id = :course AND a.is_published
        AND l.state IN (SELECT value FROM json_each(:enrolment_states))
        AND NOT EXISTS (SELECT 1 FROM unassigned u
            WHERE u.assignment_id = a.id AND u.learner_id = l.person_id)
"""
_JOIN = """
    FROM ({}) p
    LEFT JOIN grades g ON g.assignment_id = p.assignment_id AND g.learner_id = p.learner_id
"""
_BY_PLACE = "ORDER BY assignment_id {0}, learner_id {0}"
_MOMENT = f"COALESCE(graded_at, {FAR_FUTURE})"
_PAGE = "LIMIT :limit OFFSET :offset"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellQuery:
    """Which cells of a course; None is no restriction. The ``since`` are strict (``>``)."""

    course: int
    learners: Sequence[int] | None = None
    assignments: Sequence[int] | None = None
    states: Sequence[str] | None = None
    updated_since: float | None = None
    graded_since: float | None = None
    submitted_since: float | None = None
    due_between: tuple[float, float] | None = None
    enrolment_states: Sequence[str] = ANY_STATE
    by_graded_at: bool = False
    descending: bool = False


class Cell(NamedTuple):
    """A submission. ``points`` are as entered; moments are seconds since 1970."""

    id: int
    assignment_id: int
    learner_id: int
    maximum: float
    due_at: int | None
    kind: str
    workflow_state: str
    state: str | None
    points: float | None
    points_deducted: float
    attempt: int
    submitted_at: int | None
    graded_at: int | None
    posted_at: int | None
    excused: int
    grader_id: int | None
    updated_at: int
    comment: str
    late_policy_status: str | None
    seconds_late_override: int | None

    @property
    def score(self) -> float | None:
        """Points after the late deduction, never below zero because of it."""
        if self.points is None or self.excused:
            return None
        if not self.points_deducted:
            return self.points
        return round(max(self.points - self.points_deducted, min(self.points, 0.0)), 2)

    @property
    def seconds_late(self) -> int:
        """How much later than due it was handed in, 0 where it was not."""
        if self.late_policy_status not in {None, "late"}:
            return 0
        if self.late_policy_status == "late" and self.seconds_late_override is not None:
            return self.seconds_late_override
        if self.due_at is None or self.submitted_at is None:
            return 0
        return max(0, self.submitted_at - self.due_at)

    @property
    def is_late(self) -> bool:
        """Whether Canvas calls it late."""
        return self.late_policy_status == "late" or self.seconds_late > 0

    def is_missing(self, now: float) -> bool:
        """Whether Canvas calls it missing: told so, or due, expected and not there."""
        if self.late_policy_status is not None or self.excused:
            return self.late_policy_status == "missing" and not self.excused
        if self.state == "missing":
            return True
        is_expected = self.kind in SUBMITTABLE and self.submitted_at is None
        is_due = self.due_at is not None and self.due_at < now
        return is_expected and is_due and self.workflow_state == "unsubmitted"

    @property
    def matches_submission(self) -> bool | None:
        """Whether the grade belongs to the newest attempt; None without a grade."""
        if self.graded_at is None:
            return None
        return self.submitted_at is None or self.graded_at >= self.submitted_at

    def comments(self) -> list[dict[str, Any]]:
        """What was said of it, oldest first."""
        said = json.loads(self.comment) if self.comment.startswith("[") else []
        return list(said)


def select_cells(
    connection: sqlite3.Connection,
    query: CellQuery,
    *,
    after: Sequence[int] | None = None,
    limit: int = -1,
    offset: int = 0,
) -> Sequence[Cell]:
    """Read cells in the query's order.

    Args:
        connection: The state.
        query: Which cells.
        after: The bookmark of the last row already read: its id, or graded_at and id.
        limit: The most rows to read; negative for all.
        offset: How many rows to leave out first.
    """
    values = {
        **_values(query),
        "after_id": after[-1] if after else None,
        "after_moment": after[0] if after else None,
        "limit": limit,
        "offset": offset,
    }
    rows = connection.execute(_page_of(query, is_continued=after is not None), values)
    return [Cell._make(row) for row in rows]


def count_cells(connection: sqlite3.Connection, query: CellQuery) -> int:
    """How many cells a query has."""
    sql = f"SELECT COUNT(*) FROM ({_cells(query, _places(query))})"  # noqa: S608 - own words
    return int(connection.execute(sql, _values(query)).fetchone()[0])


def one_cell(connection: sqlite3.Connection, course: int, place: tuple[int, int]) -> Cell | None:
    """The cell of an assignment and a learner, in this order."""
    query = CellQuery(course=course, assignments=[place[0]], learners=[place[1]])
    return next(iter(select_cells(connection, query)), None)


def bookmark_values(cell: Cell, query: CellQuery) -> Sequence[int]:
    """What ``select_cells`` needs to continue behind a cell."""
    if query.by_graded_at:
        return [FAR_FUTURE if cell.graded_at is None else cell.graded_at, cell.id]
    return [cell.id]


def rubric_points(
    connection: sqlite3.Connection, cells: Sequence[Cell]
) -> Mapping[tuple[int, int], Mapping[str, float]]:
    """Points by rubric criterion, for the cells that have been assessed so."""
    rows = connection.execute(
        "SELECT p.* FROM json_each(:ids) wanted JOIN criterion_points p "
        "ON p.assignment_id = wanted.value / :stride AND p.learner_id = wanted.value % :stride",
        _wanted(cells),
    )
    found: dict[tuple[int, int], dict[str, float]] = {}
    for row in rows:
        place = (row["assignment_id"], row["learner_id"])
        found.setdefault(place, {})[row["criterion_id"]] = row["points"]
    return found


def histories(
    connection: sqlite3.Connection, cells: Sequence[Cell]
) -> Mapping[tuple[int, int], Sequence[sqlite3.Row]]:
    """The attempts of each cell, oldest first."""
    rows = connection.execute(
        "SELECT t.* FROM json_each(:ids) wanted JOIN attempts t "
        "ON t.assignment_id = wanted.value / :stride AND t.learner_id = wanted.value % :stride "
        "ORDER BY t.number",
        _wanted(cells),
    )
    found: dict[tuple[int, int], list[sqlite3.Row]] = {}
    for row in rows:
        found.setdefault((row["assignment_id"], row["learner_id"]), []).append(row)
    return found


def earlier_cells(cell: Cell, tries: Sequence[sqlite3.Row]) -> Sequence[Cell]:
    """A cell as it was at the end of each attempt but the newest, oldest first.

    The newest is the cell itself. An attempt that nobody graded holds the score of the one
    before it, as the cell then did.
    """
    found: list[Cell] = []
    points, graded_at = None, None
    for row in tries[:-1]:
        if row["graded_at"] is not None:
            points, graded_at = row["points"], row["graded_at"]
        found.append(
            cell._replace(
                attempt=row["number"],
                points=points,
                points_deducted=0.0,
                excused=0,
                workflow_state="submitted" if graded_at is None else "graded",
                submitted_at=row["submitted_at"],
                graded_at=graded_at,
            )
        )
    return found


def _wanted(cells: Sequence[Cell]) -> dict[str, Any]:
    return {"ids": json.dumps([cell.id for cell in cells]), "stride": ID_STRIDE}


def _values(query: CellQuery) -> dict[str, Any]:
    return {
        "course": query.course,
        "stride": ID_STRIDE,
        "enrolment_states": json.dumps(query.enrolment_states),
        "learners": json.dumps(query.learners),
        "assignments": json.dumps(query.assignments),
        "states": json.dumps(query.states),
        "updated_at": query.updated_since,
        "graded_at": query.graded_since,
        "submitted_at": query.submitted_since,
        "due_from": query.due_between[0] if query.due_between else None,
        "due_until": query.due_between[1] if query.due_between else None,
    }


def _page_of(query: CellQuery, *, is_continued: bool) -> str:
    """One page of cells; grades are read for the page alone, wherever they do not choose it."""
    places = _places(query)
    direction = "DESC" if query.descending else "ASC"
    if query.by_graded_at:
        behind = f"({_MOMENT}, id) > (:after_moment, :after_id)" if is_continued else "1"
        order = f"ORDER BY {_MOMENT} {direction}, id {direction}"
        return f"SELECT * FROM ({_cells(query, places)}) WHERE {behind} {order} {_PAGE}"  # noqa: S608 - own words
    if is_continued:
        places += " AND (a.id, l.person_id) > (:after_id / :stride, :after_id % :stride)"
    order = _BY_PLACE.format(direction)
    if _grade_conditions(query):
        return f"{_cells(query, places)} {order} {_PAGE}"
    return f"{_cells(query, f'{places} {order} {_PAGE}')} {order}"


def _places(query: CellQuery) -> str:
    sql = _PLACES
    if query.learners is not None:
        sql += " AND l.person_id IN (SELECT value FROM json_each(:learners))"
    if query.assignments is not None:
        sql += " AND a.id IN (SELECT value FROM json_each(:assignments))"
    if query.due_between is not None:
        sql += " AND a.due_at BETWEEN :due_from AND :due_until"
    return sql


def _cells(query: CellQuery, places: str) -> str:
    where = " AND ".join(_grade_conditions(query)) or "1"
    return f"SELECT * FROM (SELECT {_CELL_COLUMNS} {_JOIN.format(places)}) WHERE {where}"  # noqa: S608 - own words


def _grade_conditions(query: CellQuery) -> list[str]:
    moments = {
        "updated_at": query.updated_since,
        "graded_at": query.graded_since,
        "submitted_at": query.submitted_since,
    }
    where = [f"{name} > :{name}" for name, since in moments.items() if since is not None]
    if query.states is not None and not STATES.issubset(query.states):
        where.append("workflow_state IN (SELECT value FROM json_each(:states))")
    return where
