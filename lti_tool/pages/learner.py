"""One learner's competencies, each with its status, and the evidence behind it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template, request
from sqlalchemy import Connection

from lti_tool.guards import (
    Capacity,
    NotThere,
    Visit,
    launched_course,
    may_judge,
    own_learner,
    require,
    require_shown,
    view_of_learner,
)
from lti_tool.launch.services import services
from lti_tool.pages.explanations import Strand, beside_theirs, distinct_rules, explained
from lti_tool.pages.focus import ShownFocus, shown_focus
from lti_tool.pages.next_steps import next_steps
from lti_tool.pages.visits import current_visit
from mapping.evidence.tables import View
from mapping.records import CourseId, LearnerId
from mapping.status import LADDER, Status
from store.reports import learner_line, learner_standings
from store.session import reading

blueprint = Blueprint("learner", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many competencies have a status of a name."""

    status: Status
    label: str
    count: int


@blueprint.get("/me")
def me(launch_id: str) -> str:
    """A learner's own page, with what their teachers have released."""
    visit = current_visit(launch_id)
    require(visit, Capacity.LEARNER)
    with reading(services().engine) as connection:
        learner, course = own_learner(connection, visit), launched_course(connection, visit)
        if learner is None or course is None:
            return render_template("nothing_yet.html", visit=visit)
        require_shown(connection, visit, course, view=View.LEARNER)
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
    strands = explained(connection, tenant, learner, lines=lines, view=view)
    if view is View.TEACHER:
        theirs = learner_standings(connection, tenant, learner, view=View.LEARNER, course=course)
        strands = beside_theirs(strands, theirs)
    return render_template(
        "learner.html",
        visit=visit,
        learner=line,
        strands=strands,
        tally=tally(strands),
        next_steps=next_steps(connection, tenant, learner, view=view, course=course, shown=lines),
        line_count=len(lines),
        rules=distinct_rules(strands),
        shown=_shown(focus),
        focus=focus,
        is_own=view is View.LEARNER and not visit.has(Capacity.GUARDIAN),
        is_teachers=view is View.TEACHER,
        judge=_judge(visit, learner, view),
    )


def _judge(visit: Visit, learner: LearnerId, view: View) -> str:
    """Where who looks may judge for themselves, empty where they may not."""
    is_theirs = view is View.TEACHER and may_judge(visit)
    return f"/l/{visit.launch_id}/learners/{learner}/judge" if is_theirs else ""


def _shown(focus: ShownFocus | None) -> frozenset[str]:
    """The ids of the competencies whose evidence is open from the start."""
    named = focus.named if focus is not None and focus.is_narrow else ()
    return frozenset({request.args.get("show", ""), *map(str, named)})


def tally(strands: Sequence[Strand]) -> tuple[Tally, ...]:
    """How many competencies have each status, best first; strands are not counted besides."""
    members = [one for strand in strands for one in strand.members]
    counts = Counter((one.line.status, one.label) for one in members)
    levels = {(one.line.status, one.label): one.line.level for one in members}
    rising = sorted(counts, key=lambda name: (LADDER.index(name[0]), levels[name]))
    return tuple(
        Tally(status=status, label=label, count=counts[status, label])
        for status, label in reversed(rising)
    )
