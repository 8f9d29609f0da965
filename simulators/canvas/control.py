"""Control for stories and tests: what a person at the LMS, or bad luck, would do."""

from typing import Any

from flask import Blueprint, Response, request

from simulators.canvas.grading import (
    Place,
    apply_late_policy,
    clear_grade,
    excuse,
    set_grade,
    set_late_policy,
    submit,
)
from simulators.canvas.totals import course_grades
from simulators.canvas.wire import answer, refuse
from simulators.canvas.world import db, now, world

blueprint = Blueprint("control", __name__)


@blueprint.post("/_control/score")
def score() -> Response:
    """Give, clear or excuse a score as the course's teacher would."""
    sent = _sent("course", "learner", "assignment", "points")
    grade_as_teacher((sent["course"], sent["assignment"], sent["learner"]), sent["points"])
    return answer({"ok": True})


@blueprint.post("/_control/submission")
def submission() -> Response:
    """Hand something in as a learner would, now or at ``submitted_at`` (seconds)."""
    sent = _sent("course", "learner", "assignment")
    place = _place((sent["course"], sent["assignment"], sent["learner"]))
    submit(db(), place, submitted_at=int(sent.get("submitted_at", place.now)))
    return answer({"ok": True})


@blueprint.post("/_control/late_policy")
def late_policy() -> Response:
    """Change a course's late policy, which deducts anew at once."""
    sent = _sent("course", "percent")
    course, interval = int(sent["course"]), str(sent.get("interval", "day"))
    set_late_policy(db(), course, percent=float(sent["percent"]), interval=interval)
    return answer({"changed": apply_late_policy(db(), course, now())})


@blueprint.get("/_control/course_grades")
def grades() -> Response:
    """Every learner's course grade, in percent."""
    course = request.args.get("course", "")
    if not course.isdigit():
        refuse(400, {"error": "course is missing"})
    found = course_grades(db(), int(course))
    return answer({str(learner): grade.current for learner, grade in found.items()})


@blueprint.get("/_control/counters")
def counters() -> Response:
    """How many requests of each kind came, and what they wrote, since the start."""
    found = world().counters
    kinds = ("rest", "graphql", "lti", "token")
    writes = (
        "columns_created",
        "column_cells_written",
        "line_items_created",
        "scores_posted",
        "grades_written",
    )
    return answer(
        {
            "requests": {kind: found[kind] for kind in kinds},
            "writes": {name: found[name] for name in writes},
            "launches": found["launches"],
        }
    )


def grade_as_teacher(where: tuple[int, int, int], points: object) -> None:
    """Write a grade in the name of the course's first teacher.

    Args:
        where: Course, assignment and learner.
        points: A number, None to clear, or ``excused``.

    Raises:
        Refused: With 400 or 404, for what no teacher could do.
    """
    place = _place(where)
    teacher = _teacher(place.course)
    if points is None:
        clear_grade(db(), place)
    elif points == "excused":
        excuse(db(), place, grader=teacher)
    elif isinstance(points, int | float) and not isinstance(points, bool):
        set_grade(db(), place, points=float(points), grader=teacher)
    else:
        refuse(400, {"error": "points is a number, null or excused"})


def _place(where: tuple[int, int, int]) -> Place:
    course, assignment, learner = (int(number) for number in where)
    sql = (
        "SELECT 1 FROM assignments a JOIN enrolments e ON e.course_id = a.course_id "
        "WHERE a.course_id = ? AND a.id = ? AND a.is_published AND e.person_id = ? "
        "AND e.role = 'learner'"
    )
    if db().execute(sql, (course, assignment, learner)).fetchone() is None:
        refuse(404, {"error": "no such learner and published assignment in this course"})
    return Place(course=course, assignment=assignment, learner=learner, now=now())


def _teacher(course: int) -> int:
    sql = "SELECT person_id FROM enrolments WHERE course_id = ? AND role = 'teacher' ORDER BY id"
    return int(db().execute(sql, (course,)).fetchone()["person_id"])


def _sent(*required: str) -> dict[str, Any]:
    payload = request.get_json(silent=True)
    if not isinstance(payload, dict) or not payload.keys() >= set(required):
        refuse(400, {"error": f"a JSON object with {', '.join(required)} is needed"})
    return payload
