"""Mapping sets for administrators: the one in force, drafts, former ones, and the way back."""

from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request

from interchange.mapping_csv import write_mapping
from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import (
    administrator,
    author_of,
    changing_administrator,
    to_page,
)
from lti_tool.pages.desk.mapping_forms import (
    draft_here,
    editor_of,
    field_text,
    typed_number,
)
from mapping.records import MappingRule
from store import mapping_drafts, mapping_publishing
from store.alignments import rules_of
from store.mapping_publishing import PublishingRefused
from store.second_person import needs_second
from store.session import reading, writing

blueprint = Blueprint("mapping_sets", __name__)

_EMPTY = "empty"
_LONGEST_REASON = 2_000


@blueprint.get("/mappings")
def mappings(launch_id: str) -> str:
    """What is in force, what is in the making, and what was in force before."""
    return _page(administrator(launch_id))


def _page(visit: Visit, *, problem: str = "") -> str:
    tenant = visit.record.tenant
    with reading(services().engine) as connection:
        return render_template(
            "desk/mappings.html",
            visit=visit,
            problem=problem,
            versions=mapping_publishing.versions_of(connection, tenant),
            drafts=mapping_drafts.drafts_of(connection, tenant),
            needs_second=needs_second(connection, tenant),
        )


@blueprint.post("/mappings/new")
def new(launch_id: str) -> Response:
    """Begin a draft: empty, or as a version, its courses' names moved on to a new term.

    Raises:
        NotThere: There is no such version.
    """
    visit = changing_administrator(launch_id)
    source = request.form.get("source", _EMPTY)
    title = field_text("title") or "Untitled"
    with writing(services().engine) as connection:
        version, rules = None, tuple[MappingRule, ...]()
        if source != _EMPTY:
            known = mapping_publishing.versions_of(connection, visit.record.tenant)
            version = next((one for one in known if one.version == typed_number(source)), None)
            if version is None:
                raise NotThere
            rules = mapping_drafts.carried_forward(
                rules_of(connection, version.id),
                former=field_text("former"),
                new=field_text("new"),
            )
        draft = mapping_drafts.new_draft(
            connection,
            visit.record.tenant,
            title,
            editor=editor_of(visit),
            rules=rules,
            based_on=None if version is None else version.version,
        )
    return to_page(visit, f"mappings/{draft}")


@blueprint.post("/mappings/<row_id:draft_id>/discard")
def discard(launch_id: str, draft_id: int) -> Response:
    """Throw a draft away."""
    visit = changing_administrator(launch_id)
    with writing(services().engine) as connection:
        draft = draft_here(connection, visit, draft_id)
        mapping_drafts.discard(connection, visit.record.tenant, draft, author=author_of(visit))
    return to_page(visit, "mappings")


@blueprint.post("/mappings/rollback")
def rollback(launch_id: str) -> Response:
    """Put the rules of a former version in force again, in one step.

    Raises:
        NotThere: There is no such version.
    """
    visit = changing_administrator(launch_id)
    version = typed_number(request.form.get("version", ""))
    reason = field_text("reason", _LONGEST_REASON)
    if not reason:
        return _refused(visit, "Say why the former rules shall hold again; it is kept with them.")
    try:
        with writing(services().engine) as connection:
            done = mapping_publishing.roll_back(
                connection, visit.record.tenant, version, author=author_of(visit, reason)
            )
    except PublishingRefused as error:
        return _refused(visit, str(error))
    if done is None:
        raise NotThere
    return to_page(visit, "mappings")


@blueprint.get("/mappings/versions/<row_id:version>.csv")
def exported(launch_id: str, version: int) -> Response:
    """A version's rules as CSV.

    Raises:
        NotThere: There is no such version.
    """
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        known = mapping_publishing.versions_of(connection, visit.record.tenant)
        found = next((one for one in known if one.version == version), None)
        if found is None:
            raise NotThere
        rules = rules_of(connection, found.id)
    return csv_file(write_mapping(rules), f"mapping-{version}.csv")


def csv_file(data: bytes, name: str) -> Response:
    """A table to be saved."""
    response = make_response(data)
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _refused(visit: Visit, problem: str) -> Response:
    return make_response(_page(visit, problem=problem), HTTPStatus.UNPROCESSABLE_ENTITY)
