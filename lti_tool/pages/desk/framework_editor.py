"""Competencies of one's own: made, worded, put in order; and how each level of any looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, make_response, render_template, request

from interchange.assembling import LONGEST_CODE, LONGEST_LANGUAGE, LONGEST_TITLE
from lti_tool.framework_files import slug
from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import (
    administrator,
    author_of,
    changing_administrator,
    to_page,
)
from lti_tool.pages.desk.frameworks import MOST_REASON, found_framework
from lti_tool.pages.explanations import rule_of
from mapping.framework_edits import EditRefused, with_competency, without_competency
from mapping.records import Competency, Framework, LinkKind
from mapping.scales import Level
from store.framework_diffs import StoredFramework, StoredRow
from store.framework_imports import Brought, bring_in
from store.framework_shelf import ListedFramework, framework_of
from store.frameworks import framework_id
from store.indicators import indicators_of, set_indicators
from store.policy_changes import PolicyKind, record_change
from store.session import reading, writing

blueprint = Blueprint("framework_editor", __name__)

_EDITOR = Brought(source="editor", form="editor", is_local=True)
_LONGEST_STATEMENT, _LONGEST_INDICATOR = 4_000, 2_000
_LONGEST_PROGRESSION = 4_000
_LANGUAGES = ("en", "pt", "es", "fr")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """A framework that is edited, and the competency of it that is; None for a new one."""

    visit: Visit
    listed: ListedFramework
    stored: StoredFramework
    row: StoredRow | None

    @property
    def record(self) -> Framework:
        return framework_of(self.stored, self.listed.identifier)

    @property
    def is_editable(self) -> bool:
        """Whether it was made here, and is in use; what was imported would be imported again."""
        return self.listed.is_local and self.listed.archived_at is None


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
    tenant = visit.record.tenant
    found = Framework(
        identifier=slug(title), title=title, creator="", language=language, competencies=()
    )
    with writing(services().engine) as connection:
        is_taken = framework_id(connection, tenant, found.identifier) is not None
        if title and not is_taken:
            bring_in(connection, tenant, found, brought=_EDITOR, author=author_of(visit))
        known = framework_id(connection, tenant, found.identifier)
    if not title or is_taken:
        problem = "There is one of this name." if is_taken else "Give it a title."
        return _framework_form(visit, {"title": title, "language": language}, {"title": problem})
    return to_page(visit, f"frameworks/{known}")


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
    return _save(_desk(changing_administrator(launch_id), framework))


@blueprint.post("/frameworks/<row_id:framework>/competencies/<row_id:competency>")
def edit(launch_id: str, framework: int, competency: int) -> Response:
    """Change a competency."""
    return _save(_desk(changing_administrator(launch_id), framework, competency))


@blueprint.post("/frameworks/<row_id:framework>/competencies/<row_id:competency>/archive")
def archive(launch_id: str, framework: int, competency: int) -> Response:
    """Archive a competency, or bring it back.

    Raises:
        NotThere: It is not to be edited here.
    """
    desk = _desk(changing_administrator(launch_id), framework, competency)
    if not desk.is_editable or desk.row is None:
        raise NotThere
    one = desk.row.competency
    try:
        if desk.row.is_archived:
            found = with_competency(desk.record, _rooted(desk, one), after=())
        else:
            found = without_competency(desk.record, one.identifier)
    except EditRefused as error:
        return _competency_form(desk, problems=error.problems)
    _bring(desk, found)
    return to_page(desk.visit, f"frameworks/{framework}")


@blueprint.post("/frameworks/<row_id:framework>/competencies/<row_id:competency>/indicators")
def word_levels(launch_id: str, framework: int, competency: int) -> Response:
    """Say what each level of a competency looks like, in one language.

    Raises:
        NotThere: There is no such language.
    """
    desk = _desk(changing_administrator(launch_id), framework, competency)
    language = request.form.get("language", "")
    if language not in _languages(desk.listed) or desk.row is None:
        raise NotThere
    author = author_of(desk.visit, _typed("reason", MOST_REASON))
    tenant = desk.visit.record.tenant
    with writing(services().engine) as connection:
        levels = rule_of(connection, tenant).scale.levels
        texts = {
            (level, language): _typed(f"level-{level}", _LONGEST_INDICATOR)
            for level in range(len(levels))
            if f"level-{level}" in request.form
        }
        before = set_indicators(connection, desk.row.id, texts)
        for (level, _), old in before.items():
            change = author.change_of(
                PolicyKind.FRAMEWORK,
                f"{desk.listed.title}: {desk.row.competency.code}, {levels[level].label} "
                f"({language})",
                before=old,
                after=texts[level, language],
            )
            record_change(connection, tenant, change)
    page = f"frameworks/{framework}/competencies/{competency}?language={language}"
    return to_page(desk.visit, page)


def _desk(visit: Visit, framework: int, competency: int | None = None) -> _Desk:
    listed, stored = found_framework(visit.record.tenant, framework)
    row = next((one for one in stored.rows.values() if one.id == competency), None)
    desk = _Desk(visit=visit, listed=listed, stored=stored, row=row)
    if (competency is not None and row is None) or (competency is None and not desk.is_editable):
        raise NotThere
    return desk


def _save(desk: _Desk) -> Response:
    if not desk.is_editable:
        raise NotThere
    typed = {
        "code": _typed("code", LONGEST_CODE),
        "statement": _typed("statement", _LONGEST_STATEMENT),
        "indicator": _typed("indicator", _LONGEST_INDICATOR),
        "parent": _typed("parent", LONGEST_CODE),
        "after": _typed("after", _LONGEST_PROGRESSION),
    }
    problems = {
        name: sentence
        for name, sentence in (
            ("code", "Give it a code, such as N.1."),
            ("statement", "Say what a learner is able to do."),
        )
        if not typed[name]
    }
    before = desk.row.competency if desk.row else None
    changed = Competency(
        identifier=before.identifier if before else str(uuid4()),
        code=typed["code"],
        statement=typed["statement"],
        indicator=typed["indicator"],
        parent=typed["parent"] or None,
        is_strand=request.form.get("strand") == "yes",
    )
    if problems:
        return _competency_form(desk, typed=typed, problems=problems)
    try:
        found = with_competency(desk.record, changed, after=_listed(typed["after"]))
    except EditRefused as error:
        return _competency_form(desk, typed=typed, problems=error.problems)
    _bring(desk, found, was=before, now=changed)
    return to_page(desk.visit, f"frameworks/{desk.listed.id}")


def _bring(
    desk: _Desk, found: Framework, *, was: Competency | None = None, now: Competency | None = None
) -> None:
    """Save the framework; a changed competency stands in the trail with its words, too."""
    author = author_of(desk.visit, _typed("reason", MOST_REASON))
    tenant = desk.visit.record.tenant
    with writing(services().engine) as connection:
        bring_in(connection, tenant, found, brought=_EDITOR, author=author)
        if now is not None and (was is None or _words(was) != _words(now)):
            change = author.change_of(
                PolicyKind.FRAMEWORK,
                f"{desk.listed.title}: {now.code}",
                before="" if was is None else _words(was),
                after=_words(now),
            )
            record_change(connection, tenant, change)


def _words(one: Competency) -> str:
    return f"{one.code}: {one.statement}" + (f" ({one.indicator})" if one.indicator else "")


def _rooted(desk: _Desk, one: Competency) -> Competency:
    """A competency that comes back; at the top, where what it was part of is archived."""
    above = desk.stored.rows.get(one.parent or "")
    return replace(one, parent=None) if above is None or above.is_archived else one


def _typed(name: str, most: int) -> str:
    return request.form.get(name, "").replace("\0", "").strip()[:most]


def _listed(text: str) -> Sequence[str]:
    return [one.strip() for one in text.replace("\n", ",").split(",") if one.strip()]


def _languages(listed: ListedFramework) -> Sequence[str]:
    return tuple(dict.fromkeys((listed.language, *_LANGUAGES)))


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
    language = request.args.get("language", desk.listed.language)
    known = _languages(desk.listed)
    language = language if language in known else desk.listed.language
    with reading(services().engine) as connection:
        levels = rule_of(connection, desk.visit.record.tenant).scale.levels
        texts = indicators_of(connection, desk.row.id) if desk.row else {}
    page = render_template(
        "desk/competency.html",
        visit=desk.visit,
        framework=desk.listed,
        row=desk.row,
        is_editable=desk.is_editable,
        others=_others(desk),
        typed=typed if typed is not None else _said(desk),
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
    return [one for one in desk.record.competencies if one.identifier != own]


def _said(desk: _Desk) -> Mapping[str, str]:
    if desk.row is None:
        return {}
    one = desk.row.competency
    codes = {known.identifier: known.code for known in desk.record.competencies}
    after = [
        codes[link.origin]
        for link in desk.record.links
        if link.kind is LinkKind.PRECEDES and link.destination == one.identifier
    ]
    return {
        "code": one.code,
        "statement": one.statement,
        "indicator": one.indicator,
        "parent": one.parent or "",
        "after": ", ".join(after),
    }
