"""What could not be done, by cause, with what to do and a way to try it again."""

from flask import Blueprint, Response, render_template, request

from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import (
    administrator,
    changing_administrator,
    require_schools,
    to_page,
)
from mapping.records import CourseId
from store import modes
from store.dead import DeadGroup, dead_groups
from store.desk_roles import Right
from store.outbox_reports import unwritten_marks
from store.remedies import meaning_of
from store.retries import Wish, try_again
from store.session import reading, writing

blueprint = Blueprint("failures", __name__)

_MOST_CAUSE = 64
_MOST_DIGITS = 18


@blueprint.get("/failures")
def failures(launch_id: str) -> str:
    """Everything that failed and did not succeed since, and marks that were not written."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        groups = dead_groups(connection, visit.record.tenant, now=services().now())
        marks = unwritten_marks(connection, visit.record.tenant)
    asked = request.args.get("asked", "")
    return render_template(
        "failures.html",
        visit=visit,
        groups=[(group, meaning_of(group.cause), _courses(group)) for group in groups],
        marks=marks,
        asked=int(asked) if asked.isdecimal() and len(asked) < _MOST_DIGITS else None,
    )


@blueprint.post("/failures/retry")
def retry(launch_id: str) -> Response:
    """Ask for one course, one cause or all once more."""
    visit = changing_administrator(launch_id, Right.OPERATE)
    wish = _wish()
    with writing(services().engine) as connection:
        named = [] if wish.course is None else [wish.course]
        schools = modes.schools_of(connection, visit.record.tenant, named)
        require_schools(visit, schools or [None])  # many courses may be of any school
        meant = try_again(
            connection, visit.record.tenant, wish, by=_person(visit), now=services().now()
        )
    return to_page(visit, f"failures?asked={len(meant)}")


def _courses(group: DeadGroup) -> tuple[CourseId, ...]:
    """The courses of a group, each once."""
    return tuple(dict.fromkeys(one.course for one in group.items if one.course is not None))


def _wish() -> Wish:
    """What the form asks for.

    Raises:
        NotThere: It is none of ours: an empty wish would mean everything.
    """
    course, cause = request.form.get("course", ""), request.form.get("cause", "")
    if course.isdecimal() and len(course) <= _MOST_DIGITS:
        return Wish(course=CourseId(int(course)))
    if cause and len(cause) <= _MOST_CAUSE:
        return Wish(cause=cause)
    if request.form.get("all") == "yes":
        return Wish()
    raise NotThere


def _person(visit: Visit) -> str:
    return visit.record.name or visit.record.subject or "an administrator"
