"""AGS scores and results, with the traps that a tool has to know.

A score that is not finished resets the grade; a score makes a new attempt unless told not to;
a comment is added each time; only the assignment's first line item reaches the gradebook.

Source: canvas.md 4.1.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, request

from simulators.canvas.advantage import (
    RESULTS_TYPE,
    ToolContext,
    sent_object,
    tool_context,
)
from simulators.canvas.cells import Cell, CellQuery, one_cell, select_cells
from simulators.canvas.grading import (
    Place,
    add_comment,
    await_review,
    clear_grade,
    set_grade,
    submit,
)
from simulators.canvas.line_items import find_line_item, is_first, own_line_item
from simulators.canvas.paging import paged
from simulators.canvas.tools import RESULT, SCORE
from simulators.canvas.wire import answer, is_true, refuse_lti
from simulators.canvas.world import db, lti_id, now, person_by_lti_id, world

blueprint = Blueprint("scores", __name__)

SUBMISSION = "https://canvas.instructure.com/lti/submission"
ACTIVITY = {"Initialized", "Started", "InProgress", "Submitted", "Completed"}
GRADING = {"FullyGraded", "Pending", "PendingManual", "Failed", "NotReady"}
COUNTED = {"FullyGraded", "PendingManual"}
REQUIRED = ("userId", "activityProgress", "gradingProgress", "timestamp")
RESULT_STRIDE = 1_000_000
FUTURE_SECONDS = 60
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Score:
    """A score that has passed the checks. ``given`` is None where it is not counted."""

    place: Place
    line_item: sqlite3.Row
    tool: int
    given: float | None
    maximum: float | None
    moment: tuple[int, int]
    sent: dict[str, Any]
    extension: dict[str, Any]

    @property
    def points(self) -> float | None:
        """In points of the line item; not capped."""
        if self.given is None:
            return None
        return self.given * self.line_item["maximum"] / self.maximum if self.maximum else self.given


@blueprint.post("/api/lti/courses/<course_id>/line_items/<line_item_id>/scores")
def post_score(course_id: str, line_item_id: str) -> Response:
    """Take a score; it is not asked whose line item it is."""
    context = tool_context(course_id, SCORE)
    row = find_line_item(context, line_item_id)
    score = _checked(context, row, sent_object())
    world().counters["scores_posted"] += 1
    if is_first(row):
        _write(score)
    _keep_result(score)
    result = row["id"] * RESULT_STRIDE + score.place.learner
    return answer(
        {
            "resultUrl": f"{context.url}/line_items/{row['id']}/results/{result}",
            SUBMISSION: {"content_items": score.extension.get("content_items", [])},
        }
    )


@blueprint.get("/api/lti/courses/<course_id>/line_items/<line_item_id>/results")
def results(course_id: str, line_item_id: str) -> Response:
    """The results of a line item, or of one learner in it."""
    context = tool_context(course_id, RESULT)
    row = find_line_item(context, line_item_id)
    sql = (
        "SELECT s.*, p.guid FROM ags_scores s JOIN people p ON p.id = s.user_id "
        "WHERE s.line_item_id = ? ORDER BY s.user_id"
    )
    found = db().execute(sql, (row["id"],)).fetchall()
    wanted = request.args.get("user_id")
    if wanted is not None:
        found = [kept for kept in found if wanted in {lti_id(kept["guid"]), str(kept["user_id"])}]
    cells = _cells(row)
    return paged(
        found,
        lambda kept: _result(context, (row, kept), cells.get(kept["user_id"])),
        content_type=RESULTS_TYPE,
    )


@blueprint.get("/api/lti/courses/<course_id>/line_items/<line_item_id>/results/<int:result_id>")
def result(course_id: str, line_item_id: str, result_id: int) -> Response:
    """One result."""
    context = tool_context(course_id, RESULT)
    row = own_line_item(context, line_item_id)
    sql = (
        "SELECT s.*, p.guid FROM ags_scores s JOIN people p ON p.id = s.user_id "
        "WHERE s.line_item_id = ? AND s.user_id = ?"
    )
    kept = db().execute(sql, (row["id"], result_id % RESULT_STRIDE)).fetchone()
    if kept is None:
        refuse_lti(404, "Result not found")
    cell = _cells(row).get(kept["user_id"])
    return answer(_result(context, (row, kept), cell), content_type=RESULTS_TYPE)


def _checked(context: ToolContext, row: sqlite3.Row, sent: dict[str, Any]) -> _Score:
    learner = _learner(context, sent)
    missing = [name for name in REQUIRED if sent.get(name) in (None, "")]
    if missing:
        refuse_lti(400, f"param is missing or the value is empty: {missing[0]}")
    moment = _timestamp(row, learner, sent["timestamp"])
    _refuse_numbers(row, sent)
    activity, grading = str(sent["activityProgress"]), str(sent["gradingProgress"])
    if activity not in ACTIVITY or grading not in GRADING:
        refuse_lti(422, "Invalid activityProgress or gradingProgress")
    _refuse_unpublished(row)
    is_counted = grading in COUNTED and sent.get("scoreGiven") is not None
    extension = sent.get(SUBMISSION)
    return _Score(
        place=Place(
            course=row["course_id"], assignment=row["assignment_id"], learner=learner, now=now()
        ),
        line_item=row,
        tool=context.tool,
        given=float(sent["scoreGiven"]) if is_counted else None,
        maximum=float(sent["scoreMaximum"]) if sent.get("scoreMaximum") is not None else None,
        moment=moment,
        sent=sent,
        extension=extension if isinstance(extension, dict) else {},
    )


def _learner(context: ToolContext, sent: dict[str, Any]) -> int:
    if sent.get("userId") in (None, ""):
        refuse_lti(400, "param is missing or the value is empty: userId")
    person = person_by_lti_id(str(sent["userId"]))
    sql = (
        "SELECT 1 FROM enrolments WHERE course_id = ? AND person_id = ? AND role = 'learner' "
        "AND state = 'active'"
    )
    is_open = context.course["state"] == "active"
    place = (context.course["id"], person["id"] if person else 0)
    if not is_open or db().execute(sql, place).fetchone() is None:
        refuse_lti(422, "User not found in course or is not a student")
    return int(place[1])


def _timestamp(row: sqlite3.Row, learner: int, text: object) -> tuple[int, int]:
    """When the tool says the score is from; older than its last one is refused, equal is not."""
    moment = _parsed(text, "timestamp")
    whole, micros = divmod((moment - EPOCH) // MICROSECOND, 1_000_000)
    sql = "SELECT * FROM ags_scores WHERE line_item_id = ? AND user_id = ?"
    kept = db().execute(sql, (row["id"], learner)).fetchone()
    if kept and (kept["timestamp"], kept["timestamp_micros"]) > (whole, micros):
        refuse_lti(400, "timestamp must be later than the last timestamp of this result")
    return whole, micros


def _parsed(text: object, field: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        refuse_lti(400, f"{field} could not be read")
    if moment.tzinfo is None:
        refuse_lti(400, f"{field} could not be read")
    return moment


def _refuse_numbers(row: sqlite3.Row, sent: dict[str, Any]) -> None:
    given, maximum = sent.get("scoreGiven"), sent.get("scoreMaximum")
    for value in (given, maximum):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            refuse_lti(422, "scoreGiven and scoreMaximum must be numbers")
    if given is None:
        return
    if given < 0:
        refuse_lti(422, "ScoreGiven must be greater than or equal to 0")
    is_pointless = maximum == 0 and row["maximum"] != 0
    if maximum is None or maximum < 0 or is_pointless:
        refuse_lti(422, "ScoreMaximum must be greater than 0")


def _refuse_unpublished(row: sqlite3.Row) -> None:
    sql = "SELECT is_published FROM assignments WHERE id = ?"
    if not db().execute(sql, (row["assignment_id"],)).fetchone()["is_published"]:
        refuse_lti(422, "This assignment cannot be graded at this time")


def _write(score: _Score) -> None:
    place, extension = score.place, score.extension
    _submit(score)
    if not is_true(extension.get("preserve_score", False)):
        _write_points(score)
    if score.sent.get("comment"):
        add_comment(db(), place, text=str(score.sent["comment"]), author="Someone")


def _submit(score: _Score) -> None:
    kind = score.extension.get("submission_type", "external_tool")
    is_new = is_true(score.extension.get("new_submission", kind != "none"))
    if not is_new:
        return
    standard = score.sent.get("submission")
    text = standard.get("submittedAt") if isinstance(standard, dict) else None
    text = text or score.sent.get("submittedAt") or score.extension.get("submitted_at")
    submitted_at = now() if text is None else int(_parsed(text, "submittedAt").timestamp())
    if submitted_at > now() + FUTURE_SECONDS:
        refuse_lti(400, "Provided submitted_at timestamp in the future")
    submit(db(), score.place, submitted_at=submitted_at)


def _write_points(score: _Score) -> None:
    points = score.points
    if points is None:
        clear_grade(db(), score.place)
        return
    if is_true(score.extension.get("prioritize_non_tool_grade", False)) and _has_score(score):
        return
    set_grade(db(), score.place, points=points, grader=-score.tool)
    if score.sent["gradingProgress"] == "PendingManual":
        await_review(db(), score.place)


def _has_score(score: _Score) -> bool:
    place = score.place
    cell = one_cell(db(), place.course, (place.assignment, place.learner))
    return cell is not None and cell.score is not None


def _keep_result(score: _Score) -> None:
    db().execute(
        "INSERT OR REPLACE INTO ags_scores (line_item_id, user_id, score, maximum, comment, "
        "timestamp, timestamp_micros) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            score.line_item["id"],
            score.place.learner,
            score.given,
            score.maximum,
            str(score.sent.get("comment") or ""),
            *score.moment,
        ),
    )


def _cells(row: sqlite3.Row) -> Mapping[int, Cell]:
    """The gradebook's cells of a line item by learner; none where it does not reach them."""
    if not is_first(row):
        return {}
    query = CellQuery(course=row["course_id"], assignments=[row["assignment_id"]])
    return {cell.learner_id: cell for cell in select_cells(db(), query)}


def _result(
    context: ToolContext, what: tuple[sqlite3.Row, sqlite3.Row], cell: Cell | None
) -> dict[str, object]:
    row, kept = what
    line_item_url = f"{context.url}/line_items/{row['id']}"
    payload: dict[str, object] = {
        "id": f"{line_item_url}/results/{row['id'] * RESULT_STRIDE + kept['user_id']}",
        "userId": lti_id(kept["guid"]),
        "scoreOf": line_item_url,
        "resultScore": _result_score(context, what, cell),
        "resultMaximum": kept["maximum"] if kept["maximum"] is not None else row["maximum"],
    }
    if kept["comment"]:
        payload["comment"] = kept["comment"]
    return payload


def _result_score(
    context: ToolContext, what: tuple[sqlite3.Row, sqlite3.Row], cell: Cell | None
) -> float | None:
    """The tool's raw score, or the gradebook's where a person has the last word."""
    row, kept = what
    if cell is None or cell.grader_id in {None, -context.tool} or not cell.maximum:
        return None if kept["score"] is None else float(kept["score"])
    maximum = kept["maximum"] if kept["maximum"] is not None else row["maximum"]
    return None if cell.score is None else cell.score * maximum / cell.maximum
