"""Suggestions for a draft: unmapped work, the competencies it is like, and a person's choice."""

from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy import Connection

from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import administrator, changing_administrator, to_page
from lti_tool.pages.desk.mapping_forms import (
    draft_here,
    editor_of,
    field_text,
    known_competencies,
    typed_number,
)
from mapping.alignment import exactly
from mapping.records import WHATEVER_IS_LINKED, CourseId, MappingRule
from store import mapping_drafts, mapping_matching
from store.frameworks import framework_titles
from store.mapping_drafts import Draft, TooManyRules, rule_words
from store.reports import CourseLine, course_lines
from store.session import reading, writing
from workers.suggestions import SuggestedItem, suggestions_for

blueprint = Blueprint("mapping_suggestions", __name__)

_LONGEST = 512


@blueprint.get("/mappings/<row_id:draft_id>/suggestions")
def suggestions(launch_id: str, draft_id: int) -> str:
    """The work of one course that no rule speaks of, each with what it may speak for."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        return _page(connection, visit, draft_here(connection, visit, draft_id))


def _page(connection: Connection, visit: Visit, draft: Draft, *, problem: str = "") -> str:
    tenant = visit.record.tenant
    lines = course_lines(connection, tenant)
    chosen: CourseLine | None = None
    found: Sequence[SuggestedItem] = ()
    linked: Counter[str] = Counter()
    if request.values.get("course"):
        chosen = _course(lines, request.values["course"])
        rules = mapping_drafts.rules_in(connection, draft.id)
        found = suggestions_for(connection, tenant, rules, course=chosen.id)
        linked = mapping_matching.unused_links(connection, tenant, rules, course=chosen.id)
    return render_template(
        "desk/mapping_suggestions.html",
        visit=visit,
        draft=draft,
        courses=lines,
        chosen=chosen,
        pattern=exactly(chosen.title, _LONGEST) if chosen and chosen.title else "",
        found=found,
        linked=linked,
        frameworks=framework_titles(connection, tenant),
        problem=problem,
    )


@blueprint.post("/mappings/<row_id:draft_id>/suggestions")
def confirm(launch_id: str, draft_id: int) -> Response:
    """Make rules of the suggestions that were chosen, one or several at once."""
    visit = changing_administrator(launch_id)
    picks, frameworks = request.form.getlist("pick"), request.form.getlist("links")
    with writing(services().engine) as connection:
        draft = draft_here(connection, visit, draft_id)
        course = _course(
            course_lines(connection, visit.record.tenant), request.form.get("course", "")
        )
        fresh = _rules_of_links(connection, visit, frameworks)
        fresh += _rules(connection, visit, draft, course=course, picks=picks)
        problem = "" if fresh else "Choose at least one suggestion; nothing was added."
        if fresh:
            try:
                _add(connection, visit, draft, fresh=fresh)
            except TooManyRules as error:
                problem = str(error)
        if problem:
            page = _page(connection, visit, draft, problem=problem)
            return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)
    return to_page(visit, f"mappings/{draft_id}/suggestions?course={course.id}")


def _course(lines: Sequence[CourseLine], text: str) -> CourseLine:
    number = typed_number(text)
    found = next((one for one in lines if one.id == number), None)
    if found is None:
        raise NotThere
    return found


def _rules_of_links(
    connection: Connection, visit: Visit, identifiers: Sequence[str]
) -> list[MappingRule]:
    """Rules that go by what the LMS links work to, one for each framework.

    Raises:
        NotThere: The district has no such framework.
    """
    there = framework_titles(connection, visit.record.tenant)
    if not there.keys() >= set(identifiers):
        raise NotThere
    return [
        MappingRule(
            framework=identifier,
            competency=WHATEVER_IS_LINKED,
            course=field_text("pattern", _LONGEST),
        )
        for identifier in dict.fromkeys(identifiers)
    ]


def _rules(
    connection: Connection, visit: Visit, draft: Draft, *, course: CourseLine, picks: Sequence[str]
) -> list[MappingRule]:
    """Rules that speak of the chosen line items by their names.

    Raises:
        NotThere: A pick names no competency of the district.
    """
    held = mapping_drafts.rules_in(connection, draft.id)
    there = mapping_matching.course_coverage(
        connection, visit.record.tenant, held, course=CourseId(course.id)
    )
    items = {int(one.id): one for one in there.unmapped}
    known = {int(one.id): one for one in known_competencies(connection, visit)}
    pattern = field_text("pattern", _LONGEST)
    fresh = []
    for pick in picks:
        item_id, _, competency_id = pick.partition(":")
        item = items.get(typed_number(item_id))
        competency = known.get(typed_number(competency_id))
        if competency is None:
            raise NotThere
        # Work that somebody else mapped meanwhile needs no rule any more.
        if item is not None:
            fresh.append(
                MappingRule(
                    framework=competency.framework,
                    competency=competency.code,
                    course=pattern,
                    line_item=exactly(item.title, _LONGEST) if item.title else "*",
                )
            )
    return list(dict.fromkeys(fresh))


def _add(
    connection: Connection, visit: Visit, draft: Draft, *, fresh: Sequence[MappingRule]
) -> None:
    def edit(rules: list[MappingRule]) -> tuple[str, str]:
        rules.extend(fresh)
        return "", "; ".join(map(rule_words, fresh))

    mapping_drafts.change_rules(
        connection, visit.record.tenant, draft, editor=editor_of(visit), change=edit
    )
