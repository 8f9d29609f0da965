"""One learner's competencies, each with its status, and the evidence behind it."""

from collections import Counter
from collections.abc import Sequence

from flask import Blueprint, render_template, request
from sqlalchemy import Connection

from lti_tool.guards import Capacity, NotThere, Visit, own_learner, require, view_of_learner
from lti_tool.launch.services import services
from lti_tool.pages.explanations import explained, rule_of
from lti_tool.pages.focus import ShownFocus, shown_focus
from lti_tool.pages.visits import current_visit
from mapping.evidence import View
from mapping.records import CourseId, LearnerId
from mapping.status import Status
from store.reports import StandingLine, learner_line, learner_standings
from store.session import reading

blueprint = Blueprint("learner", __name__)


@blueprint.get("/me")
def me(launch_id: str) -> str:
    """A learner's own page, with what their teachers have released."""
    visit = current_visit(launch_id)
    require(visit, Capacity.LEARNER)
    with reading(services().engine) as connection:
        learner = own_learner(connection, visit)
        if learner is None:
            return render_template("nothing_yet.html", visit=visit)
        return _page(connection, visit, learner, view=View.LEARNER)


@blueprint.get("/learners/<row_id:learner_id>")
def one(launch_id: str, learner_id: int) -> str:
    """A learner's page for their teacher or guardian."""
    visit = current_visit(launch_id)
    require(visit, Capacity.TEACHER, Capacity.GUARDIAN)
    learner = LearnerId(learner_id)
    with reading(services().engine) as connection:
        view, course = view_of_learner(connection, visit, learner)
        # Statuses draw on every course; a teacher is shown those that their own course speaks for.
        within = course if view is View.TEACHER else None
        return _page(connection, visit, learner, view=view, course=within)


def _page(
    connection: Connection,
    visit: Visit,
    learner: LearnerId,
    *,
    view: View,
    course: CourseId | None = None,
) -> str:
    tenant = visit.record.tenant
    line = learner_line(connection, tenant, learner)
    if line is None:
        raise NotThere
    # A teacher looks at a learner whole; the link narrowed the class that they came from.
    focus = None if view is View.TEACHER else shown_focus(connection, visit)
    lines = [
        one
        for one in learner_standings(connection, tenant, learner, view=view, course=course)
        if focus is None or focus.has(one.competency.id)
    ]
    return render_template(
        "learner.html",
        visit=visit,
        learner=line,
        strands=explained(connection, tenant, learner, lines=lines, view=view),
        tally=_tally(lines),
        line_count=len(lines),
        rule=rule_of(connection, tenant),
        shown=_shown(focus),
        focus=focus,
        is_own=view is View.LEARNER and not visit.has(Capacity.GUARDIAN),
        is_teachers=view is View.TEACHER,
    )


def _shown(focus: ShownFocus | None) -> frozenset[str]:
    """The ids of the competencies whose evidence is open from the start."""
    named = focus.named if focus is not None and focus.is_narrow else ()
    return frozenset({request.args.get("show", ""), *map(str, named)})


def _tally(lines: Sequence[StandingLine]) -> tuple[tuple[Status, int], ...]:
    """How many competencies have each status, best first; strands are not counted besides."""
    counts = Counter(line.status for line in lines if not line.competency.is_strand)
    return tuple((status, counts[status]) for status in reversed(Status) if counts[status])
