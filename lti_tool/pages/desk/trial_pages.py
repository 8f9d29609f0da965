"""A change being tried, what came of it, and what it means for one learner: now and then."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy import Connection

from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import administrator
from lti_tool.pages.desk import effects
from lti_tool.pages.desk.mapping_forms import editor_of
from lti_tool.pages.explanations import Explained, explained
from mapping.evidence.tables import View
from mapping.records import CompetencyId, LearnerId
from mapping.status import Status
from store.desk_roles import Right
from store.frameworks import competencies_of
from store.grounds import Policy
from store.reports import (
    CompetencyLine,
    LearnerLine,
    StandingLine,
    learner_line,
    learner_standings,
)
from store.second_person import needs_second
from store.session import reading
from workers import trials
from workers.effects import policy_tried
from workers.trials import Trial

blueprint = Blueprint("trials", __name__)

_KEY_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Of whom and what a status is explained."""

    visit: Visit
    learner: LearnerLine
    line: StandingLine


@blueprint.get("/trials/<key>")
def trial(launch_id: str, key: str) -> Response:
    """How far a trial is, and what came of it."""
    visit = administrator(launch_id)
    found = trial_here(visit, key)
    is_part = bool(request.headers.get("HX-Request"))
    if is_part and found.effect is None:
        return make_response(render_template("desk/_progress.html", visit=visit, trial=found))
    with reading(services().engine) as connection:
        shown = shown_trial(connection, visit, found)
    template = "desk/_trial.html" if is_part else "desk/trial.html"
    response = make_response(render_template(template, visit=visit, **shown))
    if is_part:
        # The part that asked is only how far it is; now there is more to show.
        response.headers["HX-Retarget"] = "#trial"
    return response


@blueprint.get("/trials/<key>/learners/<row_id:learner_id>/<row_id:competency_id>")
def reasons(launch_id: str, key: str, *, learner_id: int, competency_id: int) -> str:
    """Why a learner stands where they stand, beside why they would stand elsewhere.

    Raises:
        NotThere: The district has no such learner or competency.
    """
    visit = administrator(launch_id)
    found, tenant, now = trial_here(visit, key), visit.record.tenant, services().now()
    with reading(services().engine) as connection:
        learner = learner_line(connection, tenant, LearnerId(learner_id))
        if learner is None:
            raise NotThere
        line = _line(connection, visit, learner, competency=CompetencyId(competency_id))
        asked = _Asked(visit=visit, learner=learner, line=line)
        before = _explained(connection, asked, policy=None)
        tried = policy_tried(connection, tenant, found.proposed, now=now)
        after = _as_judged(_explained(connection, asked, policy=tried))
    return render_template(
        "desk/trial_reasons.html",
        visit=visit,
        trial=found,
        learner=learner,
        before=before,
        after=after,
    )


def trial_here(visit: Visit, key: str) -> Trial:
    """A trial of the visitor's district.

    Raises:
        NotThere: It has none of this key, or had it long ago.
    """
    if len(key) != _KEY_LENGTH or not key.isalnum() or not key.isascii():
        raise NotThere
    found = trials.trial(services().container, visit.record.tenant, key)
    if found is None:
        raise NotThere
    return found


def shown_trial(connection: Connection, visit: Visit, found: Trial) -> Mapping[str, Any]:
    """What templates show of a trial."""
    return {
        "trial": found,
        "shown": None if found.effect is None else effects.shown(connection, visit, found.effect),
        "needs_second": needs_second(connection, visit.record.tenant),
        "may_change": visit.may(Right.DESIGN),
        "is_own": found.purpose.get("author_key") == editor_of(visit).key,
    }


def _explained(connection: Connection, asked: _Asked, *, policy: Policy | None) -> Explained:
    # Which rule judged what stands is no matter where it is judged anew.
    line = asked.line if policy is None else replace(asked.line, rule=None)
    (strand,) = explained(
        connection,
        asked.visit.record.tenant,
        asked.learner.id,
        lines=[line],
        view=View.TEACHER,
        policy=policy,
    )
    return strand.head or strand.members[0]


def _as_judged(one: Explained) -> Explained:
    """With the standing that its own reasons give."""
    trace = one.trace
    line = replace(
        one.line,
        status=trace.status,
        level=trace.level,
        estimate=trace.estimate,
        evidence_count=trace.evidence_count,
        mastered_count=trace.mastered_count,
        override=trace.override,
    )
    return replace(one, line=line, is_newer=False)


def _line(
    connection: Connection, visit: Visit, learner: LearnerLine, *, competency: CompetencyId
) -> StandingLine:
    """Where a learner stands in a competency, also where no work of theirs speaks for it yet.

    Raises:
        NotThere: The district has no such competency.
    """
    tenant = visit.record.tenant
    for line in learner_standings(connection, tenant, learner.id, view=View.TEACHER):
        if line.competency.id == competency:
            return line
    for one in competencies_of(connection, tenant):
        if one.id == competency:
            known = CompetencyLine(
                id=one.id,
                code=one.code,
                statement=one.statement,
                indicator=one.indicator,
                strand=one.parent,
                is_strand=one.is_strand,
            )
            return StandingLine(
                competency=known,
                status=Status.NO_EVIDENCE,
                estimate=None,
                evidence_count=0,
                mastered_count=0,
            )
    raise NotThere
