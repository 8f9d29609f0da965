"""REST: submissions of a course and the grading of one.

Source: canvas.md 2.3, 2.4 and 4.2.
"""

import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Response, g, request

from simulators.canvas.accounts import graded_course
from simulators.canvas.assignments import find_assignment
from simulators.canvas.cells import (
    ANY_STATE,
    Cell,
    CellQuery,
    bookmark_values,
    earlier_cells,
    histories,
    one_cell,
    rubric_points,
    select_cells,
)
from simulators.canvas.gate import includes
from simulators.canvas.grading import (
    Place,
    add_comment,
    clear_grade,
    excuse,
    set_grade,
    set_late_status,
    set_rubric,
)
from simulators.canvas.paging import (
    bookmark_links,
    bookmark_of,
    current_bookmark,
    link_header,
    page_size,
    paged,
)
from simulators.canvas.rights import is_denied
from simulators.canvas.sections import SECTION_OFFSET
from simulators.canvas.wire import (
    FORBIDDEN,
    NOT_FOUND,
    answer,
    is_true,
    json_body,
    moment,
    nested,
    refuse,
)
from simulators.canvas.world import config, db, iso, now, world

blueprint = Blueprint("submissions", __name__)

MOST_STUDENTS = 100
GRADE_WORDS = {"complete": 1.0, "pass": 1.0, "incomplete": 0.0, "fail": 0.0}
_POINTS = re.compile(r"-?\d+(\.\d+)?")
_RUBRIC_FIELD = re.compile(r"rubric_assessment\[([^\]]+)\]\[points\]")


@blueprint.get("/api/v1/courses/<course_id>/students/submissions")
def for_students(course_id: str) -> Response:
    """The submissions of many learners and assignments."""
    course = graded_course(course_id)
    query = CellQuery(
        course=course["id"],
        learners=_wanted_students(course["id"]),
        assignments=_wanted_assignments(course["id"]),
        states=request.args.getlist("workflow_state") or None,
        graded_since=_since("graded_since"),
        submitted_since=_since("submitted_since"),
        enrolment_states=_enrolment_states(),
        by_graded_at=request.args.get("order") == "graded_at",
        descending=request.args.get("order_direction") == "descending",
    )
    if is_true(request.args.get("grouped", "")):
        return _grouped(query)
    if query.descending:
        cells = select_cells(db(), query)
        shape = _shaper(cells)
        return paged(cells, shape)
    return _bookmarked(query)


@blueprint.get("/api/v1/courses/<course_id>/assignments/<assignment_id>/submissions/<user_id>")
def submission(course_id: str, assignment_id: str, user_id: str) -> Response:
    """One submission."""
    course = graded_course(course_id)
    cell = _cell(course["id"], (assignment_id, user_id))
    return answer(_shaper([cell])(cell))


@blueprint.put("/api/v1/courses/<course_id>/assignments/<assignment_id>/submissions/<user_id>")
def grade(course_id: str, assignment_id: str, user_id: str) -> Response:
    """Grade, clear, excuse, assess or comment one submission."""
    course = graded_course(course_id)
    row = find_assignment(course["id"], assignment_id)
    cell = _cell(course["id"], (assignment_id, user_id))
    place = Place(course=course["id"], assignment=row["id"], learner=cell.learner_id, now=now())
    world().counters["grades_written"] += 1
    _grade(place, row, nested("submission"))
    _assess(place)
    text = nested("comment").get("text_comment")
    if text:
        person = g.person
        add_comment(
            db(), place, text=str(text), author=person["given_name"], author_id=person["id"]
        )
    written = _cell(course["id"], (assignment_id, user_id))
    payload = _shaper([written])(written)
    return answer(payload | {"all_submissions": [payload]})


def _cell(course_id: int, place: tuple[str, str]) -> Cell:
    if not all(text.isdigit() for text in place):
        refuse(404, NOT_FOUND)
    cell = one_cell(db(), course_id, (int(place[0]), int(place[1])))
    if cell is None:
        refuse(403, FORBIDDEN)
    return cell


def _grade(place: Place, row: sqlite3.Row, asked: dict[str, Any]) -> None:
    grader = g.person["id"]
    posted = asked.get("posted_grade")
    is_excused = is_true(asked.get("excuse", ""))
    if is_excused and posted not in {None, ""}:
        refuse(400, {"error": "Cannot simultaneously excuse and grade a submission"})
    if is_excused:
        excuse(db(), place, grader=grader)
    elif posted is not None and str(posted).strip() != "":
        points = _points(str(posted).strip(), row["maximum"])
        set_grade(db(), place, points=points, grader=grader)
    elif posted is not None or "excuse" in asked:
        clear_grade(db(), place)
    if "late_policy_status" in asked:
        status = str(asked["late_policy_status"] or "")
        seconds = asked.get("seconds_late_override")
        set_late_status(
            db(), place, status=status or None, seconds=None if seconds is None else int(seconds)
        )


def _points(text: str, maximum: float) -> float:
    if text.lower() in GRADE_WORDS:
        return GRADE_WORDS[text.lower()] * maximum
    if text.endswith("%") and _POINTS.fullmatch(text[:-1]):
        return float(text[:-1]) * maximum / 100
    if not _POINTS.fullmatch(text):
        refuse(400, {"error": "The grade could not be read."})
    return float(text)


def _assess(place: Place) -> None:
    found: dict[str, Any] = {
        match[1]: value
        for key, value in request.form.items()
        if (match := _RUBRIC_FIELD.fullmatch(key))
    }
    inside = json_body().get("rubric_assessment", {})
    found |= {key: value.get("points") for key, value in inside.items()}
    if not found:
        return
    sql = "SELECT id FROM criteria WHERE assignment_id = ?"
    known = {row["id"] for row in db().execute(sql, (place.assignment,))}
    if not known.issuperset(found):
        refuse(400, {"message": "invalid rubric_assessment"})
    points = {key: float(value) for key, value in found.items()}
    set_rubric(db(), place, points, grader=g.person["id"])


def _wanted_students(course_id: int) -> Sequence[int] | None:
    asked = request.args.getlist("student_ids[]") or request.args.getlist("student_ids")
    if "all" in asked:
        # Whoever may not see all grades is not refused: all are then the few one may see.
        return [] if is_denied("grades") else None
    if len(asked) > MOST_STUDENTS:
        refuse(400, {"error": "too many students"})
    wanted = [_student_id(text) for text in asked] or [g.person["id"]]
    sql = "SELECT person_id FROM enrolments WHERE course_id = ? AND role = 'learner'"
    visible = {row["person_id"] for row in db().execute(sql, (course_id,))}
    if not visible.issuperset(wanted):
        refuse(403, FORBIDDEN)
    return wanted


def _student_id(text: str) -> int:
    if text.startswith("sis_user_id:"):
        sql = "SELECT id FROM people WHERE sis_id = ?"
        row = db().execute(sql, (text.removeprefix("sis_user_id:"),)).fetchone()
        return int(row["id"]) if row else -1
    return int(text) if text.isdigit() else -1


def _wanted_assignments(course_id: int) -> Sequence[int] | None:
    """The assignments that were asked for; one bad one and the whole call is refused."""
    asked = request.args.getlist("assignment_ids[]") or request.args.getlist("assignment_ids")
    if not asked:
        return None
    sql = "SELECT id FROM assignments WHERE course_id = ? AND is_published"
    published = {str(row["id"]) for row in db().execute(sql, (course_id,))}
    if not published.issuperset(asked):
        refuse(403, {"error": "invalid assignment ids requested"})
    return [int(text) for text in asked]


def _since(name: str) -> float | None:
    text = request.args.get(name)
    return moment(text, name) if text else None


def _enrolment_states() -> Sequence[str]:
    names = {"active": ["active"], "concluded": ["concluded"]}
    return names.get(request.args.get("enrollment_state", ""), list(ANY_STATE))


def _bookmarked(query: CellQuery) -> Response:
    per_page = page_size()
    after = current_bookmark(2 if query.by_graded_at else 1)
    cells = select_cells(db(), query, after=after, limit=per_page + 1)
    shown = cells[:per_page]
    has_more = len(cells) > per_page
    token = bookmark_of(bookmark_values(shown[-1], query)) if has_more else None
    shape = _shaper(shown)
    link = link_header(bookmark_links(token), per_page)
    return answer([shape(cell) for cell in shown], headers={"Link": link})


def _grouped(query: CellQuery) -> Response:
    by_learner: dict[int, list[Cell]] = {}
    cells = select_cells(db(), query)
    for cell in cells:
        by_learner.setdefault(cell.learner_id, []).append(cell)
    shape = _shaper(cells)
    sql = "SELECT id, sis_id FROM people"
    sis_ids = {row["id"]: row["sis_id"] for row in db().execute(sql)}

    def group(learner: int) -> dict[str, object]:
        return {
            "user_id": learner,
            "section_id": SECTION_OFFSET + query.course,
            "sis_user_id": sis_ids[learner],
            "integration_id": None,
            "submissions": [shape(cell) for cell in by_learner[learner]],
        }

    return paged(sorted(by_learner), group)


def _shaper(cells: Sequence[Cell]) -> Callable[[Cell], dict[str, Any]]:
    """A function that shows one of these cells with what ``include[]`` asks for."""
    wanted = includes()
    rubrics = rubric_points(db(), cells) if "rubric_assessment" in wanted else None
    tries = histories(db(), cells) if "submission_history" in wanted else None
    left_out = set(request.args.getlist("exclude_response_fields[]"))
    kept = set(request.args.getlist("response_fields[]"))

    base_url, at = config()["base_url"], now()

    def shape(cell: Cell) -> dict[str, Any]:
        payload = submission_payload(cell, base_url, at=at)
        place = (cell.assignment_id, cell.learner_id)
        if rubrics is not None and place in rubrics:
            payload["rubric_assessment"] = {
                key: {"points": points, "rating_id": None, "comments": ""}
                for key, points in rubrics[place].items()
            }
        if tries is not None:
            payload["submission_history"] = [
                submission_payload(one, base_url, at=at)
                for one in (*earlier_cells(cell, tries.get(place, ())), cell)
            ]
        if "visibility" in wanted:
            payload["assignment_visible"] = True
        if "submission_comments" in wanted:
            payload["submission_comments"] = _comments(cell)
        if not left_out and not kept:
            return payload
        return {
            key: value
            for key, value in payload.items()
            if key not in left_out and (not kept or key in kept)
        }

    return shape


def submission_payload(cell: Cell, base_url: str, *, at: float) -> dict[str, Any]:
    """A submission as REST shows it at a moment; it has no updated_at there."""
    score = cell.score
    entered = None if cell.excused else cell.points
    return {
        "id": cell.id,
        "assignment_id": cell.assignment_id,
        "user_id": cell.learner_id,
        "attempt": cell.attempt or None,
        "body": None,
        "url": None,
        "cached_due_date": iso(cell.due_at),
        "entered_grade": grade_text(entered),
        "entered_score": entered,
        "excused": bool(cell.excused),
        "extra_attempts": None,
        "custom_grade_status_id": None,
        "grade": grade_text(score),
        "grade_matches_current_submission": cell.matches_submission is not False,
        "graded_at": iso(cell.graded_at),
        "grader_id": cell.grader_id,
        "grading_period_id": None,
        "late": cell.is_late,
        "late_policy_status": cell.late_policy_status,
        "missing": cell.is_missing(at),
        "points_deducted": cell.points_deducted if cell.is_late else None,
        "posted_at": iso(cell.posted_at),
        "preview_url": f"{base_url}/courses/submissions/{cell.id}?preview=1",
        "redo_request": False,
        "score": score,
        "seconds_late": cell.seconds_late,
        "submission_type": "online_text_entry" if cell.submitted_at else None,
        "submitted_at": iso(cell.submitted_at),
        "workflow_state": cell.workflow_state,
    }


def grade_text(points: float | None) -> str | None:
    """A grade as Canvas writes it: no needless decimals."""
    return None if points is None else f"{points:g}"


def _comments(cell: Cell) -> list[dict[str, object]]:
    return [
        said | {"id": cell.id * 100 + place, "created_at": iso(said["created_at"])}
        for place, said in enumerate(cell.comments())
    ]
