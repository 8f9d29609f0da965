"""Competencies of one's own: made, worded, put in order; and how each level of any looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy import Connection

from interchange.assembling import LONGEST_CODE, LONGEST_LANGUAGE, LONGEST_TITLE
from lti_tool import framework_edits
from lti_tool.framework_edits import (
    LONGEST_INDICATOR,
    LONGEST_STATEMENT,
    Edited,
    LevelWords,
    Said,
    languages_of,
)
from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import (
    administrator,
    author_of,
    changing_administrator,
    to_page,
)
from lti_tool.pages.desk.frameworks import MOST_REASON
from mapping.framework_edits import EditRefused
from mapping.records import Competency
from mapping.scales import Level
from store.framework_diffs import StoredRow
from store.indicators import indicators_of
from store.session import reading, writing

blueprint = Blueprint("framework_editor", __name__)

_LONGEST_PROGRESSION = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """A framework that is edited, and the competency of it that is; None for a new one."""

    visit: Visit
    edited: Edited
    row: StoredRow | None


@blueprint.get("/frameworks/new")
def new_framework(launch_id: str) -> Response:
    """Where a framework of one's own begins."""
    return _framework_form(administrator(launch_id), {}, {})


@blueprint.post("/frameworks/new")
def make_framework(launch_id: str) -> Response:
    """Make it."""
    visit = changing_administrator(launch_id)
    title = _typed("title", LONGEST_TITLE)
    language = _typed("language", LONGEST_LANGUAGE) or "en"
    try:
        with writing(services().engine) as connection:
            made = framework_edits.make_framework(
                *(connection, visit.record.tenant),
                title=title,
                language=language,
                author=author_of(visit),
            )
    except EditRefused as error:
        return _framework_form(visit, {"title": title, "language": language}, error.problems)
    return to_page(visit, f"frameworks/{made}")


@blueprint.get("/frameworks/<row_id:framework>/competencies/new")
def new_competency(launch_id: str, framework: int) -> Response:
    """Where a competency of one's own begins."""
    return _competency_form(_desk(administrator(launch_id), framework))


@blueprint.get("/frameworks/<row_id:framework>/competencies/<row_id:competency>")
def one(launch_id: str, framework: int, competency: int) -> Response:
    """A competency."""
    return _competency_form(_desk(administrator(launch_id), framework, competency))


@blueprint.post("/frameworks/<row_id:framework>/competencies/new")
def add(launch_id: str, framework: int) -> Response:
    """Add a competency."""
    return _save(changing_administrator(launch_id), framework)


@blueprint.post("/frameworks/<row_id:framework>/competencies/<row_id:competency>")
def edit(launch_id: str, framework: int, competency: int) -> Response:
    """Change a competency."""
    return _save(changing_administrator(launch_id), framework, competency)


@blueprint.post("/frameworks/<row_id:framework>/competencies/<row_id:competency>/archive")
def archive(launch_id: str, framework: int, competency: int) -> Response:
    """Archive a competency, or bring it back.

    Raises:
        NotThere: It is not to be edited here.
    """
    visit = changing_administrator(launch_id)
    tenant = visit.record.tenant
    try:
        with writing(services().engine) as connection:
            desk = _opened(connection, visit, framework, competency=competency)
            if not desk.edited.is_editable or desk.row is None:
                raise NotThere
            found = framework_edits.with_archived(
                desk.edited, desk.row, is_archived=not desk.row.is_archived
            )
            framework_edits.save(
                *(connection, tenant, desk.edited),
                found=found,
                author=author_of(visit, _reason()),
            )
    except EditRefused as error:
        return _competency_form(_desk(visit, framework, competency), problems=error.problems)
    return to_page(visit, f"frameworks/{framework}")


@blueprint.post("/frameworks/<row_id:framework>/competencies/<row_id:competency>/indicators")
def word_levels(launch_id: str, framework: int, competency: int) -> Response:
    """Say what each level of a competency looks like, in one language.

    Raises:
        NotThere: There is no such language.
    """
    visit = changing_administrator(launch_id)
    language = request.form.get("language", "")
    with writing(services().engine) as connection:
        desk = _opened(connection, visit, framework, competency=competency)
        if language not in languages_of(desk.edited.listed) or desk.row is None:
            raise NotThere
        labels = [one.label for one in framework_edits.levels_of(connection, visit.record.tenant)]
        texts = {
            level: _typed(f"level-{level}", LONGEST_INDICATOR)
            for level in range(len(labels))
            if f"level-{level}" in request.form
        }
        framework_edits.word_levels(
            *(connection, visit.record.tenant, desk.edited),
            row=desk.row,
            words=LevelWords(language=language, texts=texts, labels=labels),
            author=author_of(visit, _reason()),
        )
    page = f"frameworks/{framework}/competencies/{competency}?language={language}"
    return to_page(visit, page)


def _desk(visit: Visit, framework: int, competency: int | None = None) -> _Desk:
    with reading(services().engine) as connection:
        edited = framework_edits.open_framework(connection, visit.record.tenant, framework)
    return _found(visit, edited, competency)


def _opened(
    connection: Connection, visit: Visit, framework: int, *, competency: int | None
) -> _Desk:
    """The same, to be changed in this transaction."""
    edited = framework_edits.open_to_change(connection, visit.record.tenant, framework)
    return _found(visit, edited, competency)


def _found(visit: Visit, edited: Edited | None, competency: int | None) -> _Desk:
    """What is there.

    Raises:
        NotThere: The tenant has no such framework or competency, or a new one has no place there.
    """
    if edited is None:
        raise NotThere
    row = edited.row_of(competency)
    if row is None and (competency is not None or not edited.is_editable):
        raise NotThere
    return _Desk(visit=visit, edited=edited, row=row)


def _save(visit: Visit, framework: int, competency: int | None = None) -> Response:
    """Save what was typed.

    Raises:
        NotThere: It is not to be edited here.
    """
    typed = {
        "code": _typed("code", LONGEST_CODE),
        "statement": _typed("statement", LONGEST_STATEMENT),
        "indicator": _typed("indicator", LONGEST_INDICATOR),
        "parent": _typed("parent", LONGEST_CODE),
        "after": _typed("after", _LONGEST_PROGRESSION),
    }
    try:
        with writing(services().engine) as connection:
            desk = _opened(connection, visit, framework, competency=competency)
            if not desk.edited.is_editable:
                raise NotThere
            identifier = (
                desk.row.competency.identifier if desk.row else framework_edits.new_identifier()
            )
            found = framework_edits.with_said(
                *(desk.edited, identifier, _said(typed)), base=desk.edited.record
            )
            framework_edits.save(
                *(connection, visit.record.tenant, desk.edited),
                found=found,
                author=author_of(visit, _reason()),
            )
    except EditRefused as error:
        desk = _desk(visit, framework, competency)
        return _competency_form(desk, typed=typed, problems=error.problems)
    return to_page(visit, f"frameworks/{framework}")


def _said(typed: Mapping[str, str]) -> Said:
    return Said(
        code=typed["code"],
        statement=typed["statement"],
        indicator=typed["indicator"],
        part_of=typed["parent"],
        after=_listed(typed["after"]),
        is_strand=request.form.get("strand") == "yes",
    )


def _reason() -> str:
    return _typed("reason", MOST_REASON)


def _typed(name: str, most: int) -> str:
    return request.form.get(name, "").replace("\0", "").strip()[:most]


def _listed(text: str) -> Sequence[str]:
    return [one.strip() for one in text.replace("\n", ",").split(",") if one.strip()]


def _framework_form(
    visit: Visit, typed: Mapping[str, str], problems: Mapping[str, str]
) -> Response:
    page = render_template("desk/framework_new.html", visit=visit, typed=typed, problems=problems)
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK)


def _competency_form(
    desk: _Desk,
    *,
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response:
    listed = desk.edited.listed
    known = languages_of(listed)
    language = request.args.get("language", "")
    language = language if language in known else listed.language
    with reading(services().engine) as connection:
        levels = framework_edits.levels_of(connection, desk.visit.record.tenant)
        texts = indicators_of(connection, desk.row.id) if desk.row else {}
    page = render_template(
        "desk/competency.html",
        visit=desk.visit,
        framework=listed,
        row=desk.row,
        is_editable=desk.edited.is_editable,
        others=_others(desk),
        typed=typed if typed is not None else _stored(desk),
        problems=problems or {},
        levels=_worded(levels, texts, language),
        language=language,
        languages=known,
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK)


def _worded(
    levels: Sequence[Level], texts: Mapping[tuple[int, str], str], language: str
) -> list[Mapping[str, Any]]:
    return [
        {"number": number, "label": level.label, "text": texts.get((number, language), "")}
        for number, level in enumerate(levels)
    ]


def _others(desk: _Desk) -> list[Competency]:
    own = desk.row.competency.identifier if desk.row else ""
    return [one for one in desk.edited.record.competencies if one.identifier != own]


def _stored(desk: _Desk) -> Mapping[str, str]:
    if desk.row is None:
        return {}
    one = desk.row.competency
    return {
        "code": one.code,
        "statement": one.statement,
        "indicator": one.indicator,
        "parent": one.parent or "",
        "after": ", ".join(desk.edited.comes_after(one.identifier)),
    }
