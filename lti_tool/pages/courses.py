"""Schools and courses for administrators: how far each has come, and the first yes of each.

What is chosen here decides who sees results and what is written to gradebooks; every choice is
kept with its author.
"""

from flask import Blueprint, Response, render_template, request
from sqlalchemy import Connection

from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import (
    administrator,
    author_of,
    changing_administrator,
    to_page,
)
from mapping.records import CourseId, Mode
from store import first_pushes, modes, ways
from store.reports import course_lines
from store.session import reading, writing
from store.ways import CourseWay
from workers.previews import planned_course

blueprint = Blueprint("courses", __name__)

MOST_WAITING = 200
"""Courses whose first marks are counted on one page."""
_SCHOOLS = "school"


@blueprint.get("/courses")
def courses(launch_id: str) -> str:
    """The tenant's schools and courses: how far they have come, each with its class table."""
    visit = administrator(launch_id)
    tenant = visit.record.tenant
    with reading(services().engine) as connection:
        found = course_lines(connection, tenant)
        known = {one.id: one for one in ways.course_ways(connection, tenant)}
        schools = modes.school_modes(connection, tenant)
        waiting = modes.courses_waiting(connection, tenant)
    return render_template(
        "courses.html",
        visit=visit,
        courses=[(line, known[line.id]) for line in found],
        schools=schools,
        waiting=len(waiting),
        modes=tuple(Mode),
    )


@blueprint.get("/courses/waiting")
def waiting(launch_id: str) -> str:
    """The courses that wait for a first yes, each with how many marks it would write."""
    visit = administrator(launch_id)
    tenant = visit.record.tenant
    with reading(services().engine) as connection:
        found = modes.courses_waiting(connection, tenant)
        shown = found[:MOST_WAITING]
        marks = first_pushes.first_marks(connection, shown)
        known = {one.id: one for one in ways.course_ways(connection, tenant)}
    return render_template(
        "courses_waiting.html",
        visit=visit,
        waiting=[(known[one], marks[one]) for one in shown],
        more=len(found) - len(shown),
    )


@blueprint.get("/courses/changes")
def changes(launch_id: str) -> Response:
    """Where the changes were before they were searched."""
    return to_page(administrator(launch_id), "changes")


@blueprint.get("/courses/<row_id:course_id>")
def one(launch_id: str, course_id: int) -> str:
    """One course: its mode, and what would be written to its gradebook by what is known."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        course = _course(connection, visit, course_id)
    shown = planned_course(services().engine, course.id, now=services().now())
    return render_template(
        "course.html", visit=visit, course=course, shown=shown, modes=tuple(Mode)
    )


@blueprint.post("/courses/mode")
def set_mode(launch_id: str) -> Response:
    """Set the mode of a school, or of a course.

    Raises:
        NotThere: There is no such school, course or mode in the tenant.
    """
    visit = changing_administrator(launch_id)
    chosen, school = request.form.get("mode", ""), request.form.get("school", "")
    with writing(services().engine) as connection:
        if school:
            is_done = modes.set_school_mode(
                *(connection, visit.record.tenant, school),
                mode=_mode(chosen),
                author=author_of(visit),
            )
        else:
            is_done = modes.set_course_mode(
                *(connection, visit.record.tenant, _typed_course(request.form.get("course", ""))),
                mode=None if chosen == _SCHOOLS else _mode(chosen),
                author=author_of(visit),
            )
        if not is_done:
            raise NotThere
    return to_page(visit, "courses")


@blueprint.post("/courses/agree")
def agree(launch_id: str) -> Response:
    """Let the gradebooks of the chosen courses be written to for the first time."""
    visit = changing_administrator(launch_id)
    chosen = [_typed_course(one) for one in request.form.getlist("course")]
    with writing(services().engine) as connection:
        modes.agree(connection, visit.record.tenant, chosen, author=author_of(visit))
    return to_page(visit, "courses/waiting")


def _course(connection: Connection, visit: Visit, course_id: int) -> CourseWay:
    found = course_lines(connection, visit.record.tenant, course=CourseId(course_id))
    if not found:
        raise NotThere
    return ways.course_way(connection, CourseId(course_id))


def _typed_course(text: str) -> CourseId:
    # Digits beyond 18 fit no column.
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):  # noqa: PLR2004 - above
        raise NotThere
    return CourseId(int(text))


def _mode(text: str) -> Mode:
    known = {one.value: one for one in Mode}
    if text not in known:
        raise NotThere
    return known[text]
