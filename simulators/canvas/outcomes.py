"""REST: outcomes, their results and rollups.

An outcome is aligned to rows of rubrics; each row that a learner was assessed by is one result,
overwritten by the next assessment. What is aligned is told to the simulator by hand.

Source: canvas.md 3.1 to 3.3.
"""

import math
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from flask import Blueprint, Response, request

from simulators.canvas.accounts import graded_course
from simulators.canvas.cells import Cell, CellQuery, rubric_points, select_cells
from simulators.canvas.paging import paged
from simulators.canvas.rollup_scores import (
    METHODS,
    RANGES,
    Outcome,
    Result,
    aggregated,
    rollup_score,
)
from simulators.canvas.wire import NOT_FOUND, answer, parameter, parameters, refuse
from simulators.canvas.world import config, db, iso
from simulators.state import open_state

blueprint = Blueprint("outcomes", __name__)

NEW_DECAY = "outcomes_new_decaying_average_calculation"
"""A setting: 1 where the district has switched this feature on."""
_TABLES = """
CREATE TABLE IF NOT EXISTS outcomes (
    id INTEGER PRIMARY KEY, course_id INTEGER NOT NULL, title TEXT NOT NULL,
    points_possible REAL NOT NULL, mastery_points REAL NOT NULL,
    calculation_method TEXT NOT NULL, calculation_int INTEGER
);
CREATE TABLE IF NOT EXISTS outcome_guids (
    outcome_id INTEGER PRIMARY KEY, vendor_guid TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS outcome_alignments (
    outcome_id INTEGER, assignment_id INTEGER, criterion_id TEXT, mastery_percent REAL,
    PRIMARY KEY (outcome_id, assignment_id, criterion_id)
) WITHOUT ROWID;
"""


class _Assessed(NamedTuple):
    """A learner's result with what it is a result of."""

    outcome: Outcome
    cell: Cell
    criterion: str
    possible: float
    result: Result


def prepare(path: Path) -> None:
    """Make room for outcomes in a state file."""
    with closing(open_state(path)) as connection, connection:
        connection.executescript(_TABLES)


@blueprint.post("/_control/outcome")
def align_outcome() -> Response:
    """Make an outcome of a course and align it to rows of rubrics.

    ``{"course", "title", "points_possible", "mastery_points", "calculation_method",
    "calculation_int", "vendor_guid", "alignments": [{"assignment", "criterion",
    "mastery_percent"}]}``. Without a vendor's GUID it is one that a teacher made in Canvas. Rows
    that are aligned are called as the outcome from then on, as those taken from one are.
    """
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict) or not sent.keys() >= {"course", "title", "alignments"}:
        refuse(400, {"error": "a JSON object with course, title, alignments is needed"})
    method = str(sent.get("calculation_method") or "highest")
    number = sent.get("calculation_int")
    _refuse_method(method, number)
    cursor = db().execute(
        "INSERT INTO outcomes (course_id, title, points_possible, mastery_points, "
        "calculation_method, calculation_int) VALUES (?, ?, ?, ?, ?, ?)",
        (
            int(sent["course"]),
            str(sent["title"]),
            float(sent.get("points_possible", 4)),
            float(sent.get("mastery_points", 3)),
            method,
            number,
        ),
    )
    if sent.get("vendor_guid"):
        sql = "INSERT INTO outcome_guids VALUES (?, ?)"
        db().execute(sql, (cursor.lastrowid, str(sent["vendor_guid"])))
    rows = [
        (cursor.lastrowid, one["assignment"], one["criterion"], one.get("mastery_percent"))
        for one in sent["alignments"]
    ]
    db().executemany("INSERT INTO outcome_alignments VALUES (?, ?, ?, ?)", rows)
    db().executemany(
        "UPDATE criteria SET title = ? WHERE assignment_id = ? AND id = ?",
        [(str(sent["title"]), one["assignment"], one["criterion"]) for one in sent["alignments"]],
    )
    return answer({"outcome": cursor.lastrowid})


@blueprint.get("/api/v1/outcomes/<outcome_id>")
def one_outcome(outcome_id: str) -> Response:
    """What an outcome is."""
    row = db().execute("SELECT * FROM outcomes WHERE id = ?", (outcome_id,)).fetchone()
    if row is None:
        refuse(404, NOT_FOUND)
    graded_course(str(row["course_id"]))
    return answer(_outcome_payload(_outcome(row), row["course_id"]))


@blueprint.get("/api/v1/courses/<course_id>/outcome_results")
def results(course_id: str) -> Response:
    """The results of a course, the newest of each learner and alignment only."""
    course = graded_course(course_id)
    found = _assessed(course["id"])
    return paged(found, _result_payload, wrap=lambda rows: {"outcome_results": rows})


@blueprint.get("/api/v1/courses/<course_id>/outcome_rollups")
def rollups(course_id: str) -> Response:
    """One number for each learner and outcome, or for the course as a whole."""
    course = graded_course(course_id)
    scores = _scores(_assessed(course["id"]))
    if parameter("aggregate") == "course":
        return answer({"rollups": [_aggregate(course, scores)]})
    learners = _wanted_learners(course["id"])
    return paged(
        learners,
        lambda learner: {
            "scores": [
                _score_payload(outcome, score, count)
                for (outcome, who), (score, count) in scores.items()
                if who == learner and score is not None
            ],
            "links": {"user": str(learner), "section": str(course["id"])},
        },
        wrap=lambda rows: {"rollups": rows},
    )


def _refuse_method(method: str, number: object) -> None:
    if method not in METHODS:
        refuse(400, {"error": f"calculation_method is one of {', '.join(METHODS)}"})
    low, high = RANGES.get(method, (None, None))
    if number is not None and (
        low is None or not isinstance(number, int) or not low <= number <= (high or 0)
    ):
        refuse(400, {"error": "calculation_int is not valid for this calculation_method"})


def _scores(
    found: Sequence[_Assessed],
) -> Mapping[tuple[Outcome, int], tuple[float | None, int]]:
    grouped: dict[tuple[Outcome, int], list[Result]] = defaultdict(list)
    for one in found:
        grouped[one.outcome, one.cell.learner_id].append(one.result)
    has_new_decay = config().get(NEW_DECAY) == "1"
    return {
        key: (rollup_score(key[0], rows, has_new_decay=has_new_decay), len(rows))
        for key, rows in grouped.items()
    }


def _aggregate(
    course: sqlite3.Row, scores: Mapping[tuple[Outcome, int], tuple[float | None, int]]
) -> dict[str, Any]:
    stat = parameter("aggregate_stat") or "mean"
    if stat not in {"mean", "median"}:
        refuse(400, {"errors": [{"message": "invalid aggregate_stat"}]})
    by_outcome: dict[Outcome, list[float]] = defaultdict(list)
    for (outcome, _), (score, _) in scores.items():
        if score is not None:
            by_outcome[outcome].append(score)
    return {
        "name": course["title"],
        "scores": [
            _score_payload(outcome, aggregated(values, stat), len(values))
            for outcome, values in by_outcome.items()
        ],
        "links": {"course": str(course["id"])},
    }


def _assessed(course: int) -> list[_Assessed]:
    """What the learners asked for were assessed by, in the outcomes asked for."""
    learners, outcomes = _wanted_learners(course), _wanted_outcomes(course)
    aligned = _alignments(course)
    query = CellQuery(course=course, learners=learners, assignments=sorted({a for a, _ in aligned}))
    cells = select_cells(db(), query)
    points = rubric_points(db(), cells)
    return [
        found
        for cell in cells
        for criterion, score in points.get((cell.assignment_id, cell.learner_id), {}).items()
        for row in aligned.get((cell.assignment_id, criterion), ())
        if row["outcome_id"] in outcomes and score is not None
        for found in [_one(cell, row, score, outcome=outcomes[row["outcome_id"]])]
    ]


def _one(cell: Cell, row: sqlite3.Row, score: float, *, outcome: Outcome) -> _Assessed:
    possible = row["maximum"]
    percent = score / possible if possible else None
    own = outcome.mastery_points / outcome.points_possible if outcome.points_possible else 0.0
    if percent is not None and row["mastery_percent"] and row["mastery_percent"] != own:
        percent = _rescaled(percent, row["mastery_percent"], own)
    when = cell.submitted_at or cell.graded_at or cell.updated_at
    result = Result(score=score, percent=percent, when=int(when))
    return _Assessed(outcome, cell, row["criterion_id"], possible, result)


def _rescaled(percent: float, alignment: float, outcome: float) -> float:
    """Carry the alignment's mastery to the outcome's, in straight lines on both sides."""
    if percent < alignment:
        carried = percent * outcome / alignment
    elif alignment >= 1:
        carried = 1.0
    else:
        carried = outcome + (percent - alignment) * (1 - outcome) / (1 - alignment)
    return math.floor(carried * 10_000 + 0.5) / 10_000


def _alignments(course: int) -> dict[tuple[int, str], list[sqlite3.Row]]:
    rows = db().execute(
        "SELECT l.*, c.maximum FROM outcome_alignments l "
        "JOIN outcomes o ON o.id = l.outcome_id AND o.course_id = ? "
        "JOIN criteria c ON c.assignment_id = l.assignment_id AND c.id = l.criterion_id",
        (course,),
    )
    found: dict[tuple[int, str], list[sqlite3.Row]] = defaultdict(list)
    for row in rows:
        found[row["assignment_id"], row["criterion_id"]].append(row)
    return found


def _wanted_learners(course: int) -> list[int]:
    sql = (
        "SELECT person_id FROM enrolments WHERE course_id = ? AND role = 'learner' "
        "AND state = 'active' ORDER BY person_id"
    )
    there = [row["person_id"] for row in db().execute(sql, (course,))]
    return _chosen("user_ids", there)


def _wanted_outcomes(course: int) -> dict[int, Outcome]:
    rows = db().execute("SELECT * FROM outcomes WHERE course_id = ? ORDER BY id", (course,))
    outcomes = {row["id"]: _outcome(row) for row in rows}
    return {one: outcomes[one] for one in _chosen("outcome_ids", list(outcomes))}


def _chosen(name: str, there: list[int]) -> list[int]:
    asked = parameters(name)
    if not asked:
        return there
    if not set(asked) <= {str(one) for one in there}:
        refuse(400, {"errors": [{"message": f"can only include {name} in the specified context"}]})
    return [one for one in there if str(one) in asked]


def _outcome(row: sqlite3.Row) -> Outcome:
    return Outcome(
        id=row["id"],
        title=row["title"],
        points_possible=row["points_possible"],
        mastery_points=row["mastery_points"],
        calculation_method=row["calculation_method"],
        calculation_int=row["calculation_int"],
    )


def _outcome_payload(outcome: Outcome, course: int) -> dict[str, Any]:
    payload = {
        "id": outcome.id,
        "title": outcome.title,
        "points_possible": outcome.points_possible,
        "mastery_points": outcome.mastery_points,
        "calculation_method": outcome.calculation_method,
        "context_id": course,
        "context_type": "Course",
    }
    if outcome.calculation_method in RANGES:
        payload["calculation_int"] = outcome.number
    return payload


def _result_payload(one: _Assessed) -> dict[str, Any]:
    return {
        "id": int(f"{one.outcome.id}{one.cell.id}"),
        "score": one.result.score,
        "percent": one.result.percent,
        "possible": one.possible,
        "submitted_or_assessed_at": iso(one.result.when),
        "hidden": False,
        "hide_points": False,
        "links": {
            "user": str(one.cell.learner_id),
            "learning_outcome": str(one.outcome.id),
            "alignment": f"assignment_{one.cell.assignment_id}",
            "assignment": f"assignment_{one.cell.assignment_id}",
        },
    }


def _score_payload(outcome: Outcome, score: float | None, count: int) -> dict[str, Any]:
    return {
        "score": score,
        "title": outcome.title,
        "count": count,
        "hide_points": False,
        "links": {"outcome": str(outcome.id)},
    }
