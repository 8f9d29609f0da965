"""The control API: how a story plays the teacher, reads totals, and makes the server ill.

No Moodle has it. It stays out of the counters and out of the faults.
"""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulators.moodle.faults import tally
from simulators.moodle.gradebook import Gradebook, read_gradebook
from simulators.moodle.site import site
from simulators.moodle.teacher import EXCUSED, UnknownCellError, enter_score

blueprint = Blueprint("control", __name__, url_prefix="/_control")


@blueprint.post("/score")
def score() -> tuple[Response, int]:
    """Enter a score as a teacher would: {course, learner, assignment, points}.

    ``learner`` is the site's user id or the district's own id, ``assignment`` a grade item id
    (a tool's line item too), ``points`` a number, null to clear, or excused.
    """
    sent: dict[str, Any] = request.get_json()
    points = sent["points"]
    if points is not None and points != EXCUSED and not isinstance(points, int | float):
        return jsonify(error="points must be a number, null or excused"), 400
    cell = (int(sent["course"]), _learner(sent["learner"]), int(sent["assignment"]))
    try:
        enter_score(site().connection, cell, points, now=site().now)
    except UnknownCellError as error:
        return jsonify(error=str(error)), 404
    return jsonify(ok=True), 200


def _learner(sent: object) -> int:
    row = site().row("SELECT id FROM people WHERE sis_id = ?", str(sent))
    return int(row["id"]) if row else int(str(sent)) if str(sent).isdigit() else 0


@blueprint.get("/course_grades")
def course_grades() -> Response:
    """Course totals: learner id -> per cent of the learner's own maximum, null without grades."""
    here = site()
    course = request.args.get("course", 0, type=int)
    book = read_gradebook(here, course)
    rows = here.rows(
        "SELECT person_id FROM enrolments WHERE course_id = ? AND role = 'learner'", course
    )
    return jsonify({row["person_id"]: _percentage(book, row["person_id"]) for row in rows})


def _percentage(book: Gradebook, learner: int) -> float | None:
    total = book.course_total(learner)
    return None if total.points is None else round(100 * total.points / total.maximum, 5)


@blueprint.post("/rights")
def set_rights() -> Response:
    """What the service user may: {missing, closed, granted, without, suspended}.

    ``missing`` and ``granted`` are lists of capabilities, ``closed`` of courses, ``without`` of
    functions; what is left out goes back to what it was at first.
    """
    sent: dict[str, Any] = request.get_json()
    for name in ("missing", "closed", "granted", "without"):
        value = " ".join(str(word) for word in sent.get(name, []))
        site().write("INSERT OR REPLACE INTO config VALUES (?, ?)", name, value)
    suspended = str(sent.get("suspended", False))
    site().write("INSERT OR REPLACE INTO config VALUES ('suspended', ?)", suspended)
    return jsonify(ok=True)


@blueprint.get("/counters")
def counters() -> Response:
    """Requests since the start by kind of path, REST calls by function, and AGS writes."""
    return jsonify(tally().counters())
