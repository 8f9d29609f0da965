"""Frameworks for administrators: which there are, what is in them, out as files, put away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request

from lti_tool.framework_files import export_of
from lti_tool.guards import NotThere
from lti_tool.launch.services import services
from lti_tool.pages.administrators import (
    administrator,
    author_of,
    changing_administrator,
    to_page,
)
from mapping.demonstrability import VAGUE_VERBS, vague_verb
from mapping.records import TenantId
from store.framework_diffs import StoredFramework, StoredRow
from store.framework_imports import versions_of
from store.framework_shelf import (
    ListedFramework,
    address_of,
    all_frameworks,
    archive_framework,
    known_framework,
    restore_framework,
)
from store.session import reading, writing
from store.vague_verbs import set_verbs, verbs_of

blueprint = Blueprint("frameworks", __name__)

PAGE = 300
"""Competencies on one page."""
_DEEPEST = 6
"""Deeper ones are not set in any further."""
MOST_REASON = 2_000
_MOST_SEARCHED = 200
_MOST_VERBS = 10_000
_FORMS = ("case", "csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A competency in the tree; ``vague`` is the verb that cannot be demonstrated, if any."""

    row: StoredRow
    depth: int
    vague: str


@blueprint.get("/frameworks")
def frameworks(launch_id: str) -> str:
    """The tenant's frameworks; those that are archived when asked for."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        listed = all_frameworks(connection, visit.record.tenant)
    with_archived = request.args.get("archived") == "yes"
    return render_template(
        "desk/frameworks.html",
        visit=visit,
        listed=[one for one in listed if with_archived or one.archived_at is None],
        archived=sum(one.archived_at is not None for one in listed),
        with_archived=with_archived,
    )


@blueprint.get("/frameworks/<row_id:framework>")
def one(launch_id: str, framework: int) -> str:
    """A framework as a tree, or what of it was searched for; and its versions."""
    visit = administrator(launch_id)
    tenant = visit.record.tenant
    with reading(services().engine) as connection:
        listed, stored = found_framework(visit.record.tenant, framework)
        versions = versions_of(connection, framework)
        verbs = verbs_of(connection, tenant)
        address = address_of(connection, tenant, framework)
    wanted = request.args.get("q", "").strip()[:_MOST_SEARCHED]
    with_archived = request.args.get("archived") == "yes" or listed.archived_at is not None
    lines = _lines(listed, stored, verbs)
    found = [
        line
        for line in lines
        if (with_archived or not line.row.is_archived) and _is_meant(line.row, wanted.casefold())
    ]
    start = _start(request.args.get("from", ""), len(found))
    return render_template(
        "desk/framework.html",
        visit=visit,
        framework=listed,
        address=address,
        versions=versions,
        lines=found[start : start + PAGE],
        count=len(found),
        start=start,
        page=PAGE,
        wanted=wanted,
        with_archived=with_archived,
    )


def found_framework(tenant: TenantId, framework: int) -> tuple[ListedFramework, StoredFramework]:
    """A framework of the tenant, and what is in it.

    Raises:
        NotThere: The tenant has none such.
    """
    with reading(services().engine) as connection:
        known = known_framework(connection, tenant, framework)
    if known is None:
        raise NotThere
    return known


def _lines(
    listed: ListedFramework, stored: StoredFramework, verbs: Mapping[str, Sequence[str]]
) -> list[Line]:
    depths: dict[str, int] = {}
    lines = []
    for name, row in stored.rows.items():
        competency = row.competency
        # Parents stand before children, but for what was archived long ago.
        above = -1 if competency.parent is None else depths.get(competency.parent, 0)
        depths[name] = above + 1
        vague = (
            "" if competency.is_strand else vague_verb(competency.statement, listed.language, verbs)
        )
        lines.append(Line(row=row, depth=min(depths[name], _DEEPEST), vague=vague))
    return lines


def _is_meant(row: StoredRow, wanted: str) -> bool:
    one = row.competency
    return any(wanted in text.casefold() for text in (one.code, one.statement, one.indicator))


def _start(text: str, count: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 8):  # noqa: PLR2004 - below any count
        return 0
    start = int(text)
    return start if start < count else 0


@blueprint.get("/frameworks/<row_id:framework>/export")
def export(launch_id: str, framework: int) -> Response:
    """A framework as a file.

    Raises:
        NotThere: The tenant has none such, or there is no such format.
    """
    visit = administrator(launch_id)
    form = request.args.get("form", "")
    if form not in _FORMS:
        raise NotThere
    tenant, base = visit.record.tenant, services().origin
    with reading(services().engine) as connection:
        found = export_of(connection, tenant, framework, form=form, base=base)
    if found is None:
        raise NotThere
    headers = {"Content-Disposition": f'attachment; filename="{found.name}"'}
    return Response(found.content, mimetype=found.media_type, headers=headers)


@blueprint.post("/frameworks/<row_id:framework>/archive")
def archive(launch_id: str, framework: int) -> Response:
    """Put a framework away, or take it up again."""
    visit = changing_administrator(launch_id)
    listed, _ = found_framework(visit.record.tenant, framework)
    act = restore_framework if request.form.get("act") == "restore" else archive_framework
    reason = request.form.get("reason", "").strip()[:MOST_REASON]
    with writing(services().engine) as connection:
        act(connection, visit.record.tenant, listed, author=author_of(visit, reason))
    return to_page(visit, f"frameworks/{framework}")


@blueprint.get("/frameworks/verbs")
def verbs(launch_id: str) -> str:
    """The lists of verbs that cannot be demonstrated."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        lists = verbs_of(connection, visit.record.tenant)
    return render_template("desk/verbs.html", visit=visit, lists=lists, usual=VAGUE_VERBS)


@blueprint.post("/frameworks/verbs")
def change_verbs(launch_id: str) -> Response:
    """Set them."""
    visit = changing_administrator(launch_id)
    lists = {
        language: _typed_verbs(request.form.get(f"verbs-{language}", ""))
        for language in VAGUE_VERBS
        if f"verbs-{language}" in request.form
    }
    with writing(services().engine) as connection:
        set_verbs(connection, visit.record.tenant, lists, author=author_of(visit))
    return to_page(visit, "frameworks/verbs")


def _typed_verbs(text: str) -> Sequence[str]:
    lines = text[:_MOST_VERBS].replace("\0", "").splitlines()
    return tuple(dict.fromkeys(line.strip().casefold() for line in lines if line.strip()))
