"""A mapping set looked over before it holds: what it covers, what it changes, and publishing it."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy import Connection

from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import administrator, changing_administrator, to_page
from lti_tool.pages.desk.mapping_forms import (
    day_begins,
    draft_here,
    editor_of,
    field_text,
    known_competencies,
    typed_number,
)
from mapping.records import CourseId, MappingRule
from store import mapping_drafts, mapping_matching, mapping_publishing
from store.alignments import UnknownCompetencyError, has_mapping, rules_digest, rules_in_force
from store.mapping_drafts import Draft
from store.mapping_publishing import Publication, PublishingRefused
from store.remapping import effect_on_alignments
from store.reports import course_lines
from store.second_person import needs_second
from store.session import reading, writing

blueprint = Blueprint("mapping_review", __name__)

_LONGEST_REASON = 2_000
_MOST_SHOWN = 200


@blueprint.get("/mappings/coverage")
def coverage_in_force(launch_id: str) -> str:
    """What the mapping set in force covers, and what drifted since it was published.

    Raises:
        NotThere: None is in force.
    """
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        if not has_mapping(connection, visit.record.tenant):
            raise NotThere
        rules = rules_in_force(connection, visit.record.tenant)
        return _coverage(connection, visit, rules, draft=None)


@blueprint.get("/mappings/<row_id:draft_id>/coverage")
def coverage(launch_id: str, draft_id: int) -> str:
    """What a draft would cover."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        draft = draft_here(connection, visit, draft_id)
        rules = mapping_drafts.rules_in(connection, draft.id)
        return _coverage(connection, visit, rules, draft=draft)


def _coverage(
    connection: Connection, visit: Visit, rules: Sequence[MappingRule], *, draft: Draft | None
) -> str:
    tenant = visit.record.tenant
    lines = course_lines(connection, tenant)
    known = known_competencies(connection, visit)
    found = mapping_matching.survey(connection, tenant, rules)
    chosen, matrix, rows = None, None, []
    if request.args.get("course"):
        number = CourseId(typed_number(request.args["course"]))
        chosen = next((one for one in lines if one.id == number), None)
        if chosen is None:
            raise NotThere
        matrix = mapping_matching.course_coverage(connection, tenant, rules, course=number)
        spoken = {place for _, place in matrix.cells}
        rows = [one for one in known if (one.framework, one.code) in spoken]
    silent = [
        one for one in known if not one.is_strand and (one.framework, one.code) not in found.reached
    ]
    is_in_force = draft is None
    drifted = mapping_matching.drift(connection, tenant) if is_in_force else ()
    return render_template(
        "desk/mapping_coverage.html",
        visit=visit,
        draft=draft,
        courses=lines,
        chosen=chosen,
        matrix=matrix,
        rows=rows,
        rules=rules,
        survey=found,
        idle=[(at + 1, rule) for at, rule in enumerate(rules) if not found.hits[at]],
        silent=silent,
        most=_MOST_SHOWN,
        competencies=sum(not one.is_strand for one in known),
        drifted=drifted,
        is_watched=is_in_force and mapping_matching.is_watched(connection, tenant),
        rule_words=mapping_drafts.rule_words,
    )


@blueprint.get("/mappings/<row_id:draft_id>/publish")
def preview(launch_id: str, draft_id: int) -> str:
    """What a draft would change, and the form that publishes it."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        return _preview(connection, visit, draft_here(connection, visit, draft_id))


def _preview(connection: Connection, visit: Visit, draft: Draft, *, problem: str = "") -> str:
    tenant = visit.record.tenant
    rules = mapping_drafts.rules_in(connection, draft.id)
    is_second = needs_second(connection, tenant)
    return render_template(
        "desk/mapping_publish.html",
        visit=visit,
        draft=draft,
        count=len(rules),
        effect=effect_on_alignments(connection, tenant, rules),
        archived=[
            (at + 1, one.rule)
            for at, one in enumerate(mapping_drafts.draft_rules(connection, draft.id))
            if one.is_archived
        ],
        seen=rules_digest(rules),
        is_same=rules == rules_in_force(connection, tenant),
        waits_for_second=is_second and editor_of(visit).key == draft.changed_by,
        most=_MOST_SHOWN,
        problem=problem,
        said=request.form,
    )


@blueprint.post("/mappings/<row_id:draft_id>/publish")
def publish(launch_id: str, draft_id: int) -> Response:
    """Publish a draft as it was looked at, now or from a day to come on."""
    visit = changing_administrator(launch_id)
    reason = field_text("reason", _LONGEST_REASON)
    problem = "" if reason else "Say why; it is kept with the mapping set."
    try:
        begins = day_begins(visit, request.form.get("from", ""))
    except ValueError:
        begins, problem = None, "The day is no day; write it as 2027-01-31, or leave it empty."
    if not problem:
        said = Publication(
            by=editor_of(visit, reason), effective_from=begins, seen=request.form.get("seen", "")
        )
        try:
            with writing(services().engine) as connection:
                draft_here(connection, visit, draft_id)
                mapping_publishing.publish_draft(
                    connection, visit.record.tenant, draft_id, publication=said
                )
        except (PublishingRefused, UnknownCompetencyError) as error:
            problem = str(error)
        else:
            return to_page(visit, "mappings")
    with reading(services().engine) as connection:
        draft = draft_here(connection, visit, draft_id)
        page = _preview(connection, visit, draft, problem=problem)
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)
