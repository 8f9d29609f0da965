"""The editor of a mapping draft: its rules in order, what one would match, rules from a file."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy import Connection

from interchange.errors import FileRefused
from interchange.mapping_csv import MappingRows, read_mapping_rows, write_mapping
from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import administrator, changing_administrator, to_page
from lti_tool.pages.desk.mapping_forms import (
    KINDS,
    TypedRule,
    blank,
    draft_here,
    editor_of,
    filled,
    fingerprint,
    known_competencies,
    options,
    rule_to_try,
    typed,
    typed_number,
)
from lti_tool.pages.desk.mapping_sets import csv_file
from mapping.records import WHATEVER_IS_LINKED, MappingRule
from mapping.steps import steps_words
from store import mapping_drafts, mapping_matching
from store.frameworks import StoredCompetency, framework_titles
from store.mapping_drafts import Draft, TooManyRules, rule_words
from store.session import reading, writing
from store.ways import school_names

blueprint = Blueprint("mapping_rules", __name__)

_ON_A_PAGE = 50
_LARGEST_FILE = 8 * 1024 * 1024
"""Bytes; a rule has about 100."""
_MOST_PROBLEMS = 200
_CHANGED = (
    "Somebody changed this draft meanwhile, so nothing was done. Look at the rules as they are now."
)


@blueprint.get("/mappings/<row_id:draft_id>")
def editor(launch_id: str, draft_id: int) -> str:
    """A draft's rules, and a form for one more or for one of them.

    Raises:
        NotThere: The district has no such draft, or the draft no such rule.
    """
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        draft = draft_here(connection, visit, draft_id)
        chosen = request.args.get("edit")
        form, at, was = blank(), None, ""
        if chosen is not None:
            at = typed_number(chosen)
            rules = mapping_drafts.rules_in(connection, draft.id)
            if at >= len(rules):
                raise NotThere
            form = filled(rules[at], known_competencies(connection, visit))
            was = fingerprint(rules[at])
        return _page(connection, visit, draft, form=form, at=at, was=was)


def _page(connection: Connection, visit: Visit, draft: Draft, **more: Any) -> str:  # noqa: ANN401 - what the template shows
    rules = mapping_drafts.draft_rules(connection, draft.id)
    begin = min(typed_number(request.args.get("from", "0")), max(len(rules) - 1, 0))
    begin -= begin % _ON_A_PAGE
    known = known_competencies(connection, visit)
    nothing = {"form": blank(), "at": None, "was": "", "matched": None, "report": None}
    shown = {**nothing, "problem": "", **more}
    return render_template(
        "desk/mapping_draft.html",
        visit=visit,
        draft=draft,
        rules=[
            (begin + n, one, fingerprint(one.rule))
            for n, one in enumerate(rules[begin : begin + _ON_A_PAGE])
        ],
        begin=begin,
        count=len(rules),
        step=_ON_A_PAGE,
        kinds=KINDS,
        steps_words=steps_words,
        options=options(known, ""),
        frameworks=framework_titles(connection, visit.record.tenant),
        schools=school_names(connection, visit.record.tenant),
        **shown,
    )


@blueprint.get("/mappings/<row_id:draft_id>/matches")
def matched(launch_id: str, draft_id: int) -> str:
    """The part of the form that says what the patterns match."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        draft_here(connection, visit, draft_id)
        found = _matches(connection, visit, request.args)
    return render_template("desk/_mapping_matches.html", matched=found)


@blueprint.get("/mappings/<row_id:draft_id>/competencies")
def competencies(launch_id: str, draft_id: int) -> str:
    """Competencies to choose from that hold what was typed."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        draft_here(connection, visit, draft_id)
        known = known_competencies(connection, visit)
    found = options(known, request.args.get("competency", "")[:255])
    return render_template("desk/_competency_options.html", options=found)


@blueprint.post("/mappings/<row_id:draft_id>/rules")
def save(launch_id: str, draft_id: int) -> Response:
    """Add a rule, put another in the place of one, or only try what it matches."""
    visit = changing_administrator(launch_id)
    place = request.form.get("at", "")
    with writing(services().engine) as connection:
        draft = draft_here(connection, visit, draft_id)
        form = typed(request.form, known_competencies(connection, visit))
        is_tried = request.form.get("act") == "try"
        if is_tried or form.rule is None:
            shown = {
                "form": TypedRule(said=form.said) if is_tried else form,
                "at": typed_number(place) if place else None,
                "was": request.form.get("is", ""),
                "matched": _matches(connection, visit, request.form),
            }
            status = HTTPStatus.OK if is_tried else HTTPStatus.UNPROCESSABLE_ENTITY
            return make_response(_page(connection, visit, draft, **shown), status)
        if place and not _is_as_shown(connection, draft, typed_number(place)):
            page = _page(connection, visit, draft, form=form, problem=_CHANGED)
            return make_response(page, HTTPStatus.CONFLICT)
        edit = _put(form.rule, place)
        return _changed(connection, visit, draft, edit=edit)


@blueprint.post("/mappings/<row_id:draft_id>/move")
def move(launch_id: str, draft_id: int) -> Response:
    """Move a rule one place up or down, or remove it.

    Raises:
        NotThere: There is no such draft, or nothing of the kind to do.
    """
    visit = changing_administrator(launch_id)
    at, act = typed_number(request.form.get("at", "")), request.form.get("act", "")
    with writing(services().engine) as connection:
        draft = draft_here(connection, visit, draft_id)
        if not _is_as_shown(connection, draft, at):
            page = _page(connection, visit, draft, problem=_CHANGED)
            return make_response(page, HTTPStatus.CONFLICT)
        edits = {"up": _move(at, -1), "down": _move(at, 1), "remove": _remove(at)}
        if act not in edits:
            raise NotThere
        return _changed(connection, visit, draft, edit=edits[act], at=at)


@blueprint.post("/mappings/<row_id:draft_id>/import")
def import_rules(launch_id: str, draft_id: int) -> Response:
    """Take rules from a CSV file, all or none, or all that are good."""
    request.max_content_length = _LARGEST_FILE
    visit = changing_administrator(launch_id)
    sent = request.files.get("file")
    data = sent.read() if sent is not None else b""
    with writing(services().engine) as connection:
        draft = draft_here(connection, visit, draft_id)
        try:
            found = _usable(read_mapping_rows(data), known_competencies(connection, visit))
        except FileRefused as error:
            found = MappingRows(rules=(), problems=error.problems)
        is_whole = request.form.get("how") != "good"
        fresh = [] if found.problems and is_whole else [rule for _, rule in found.rules]
        if fresh:
            edit = _take(fresh, is_instead=request.form.get("where") == "instead")
            if (refused := _try_change(connection, visit, draft, edit=edit)) is not None:
                return refused
        report = {
            "taken": len(fresh),
            "good": len(found.rules),
            "problems": found.problems[:_MOST_PROBLEMS],
            "more": max(len(found.problems) - _MOST_PROBLEMS, 0),
        }
        page = _page(connection, visit, draft_here(connection, visit, draft_id), report=report)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if found.problems else HTTPStatus.OK
        return make_response(page, status)


@blueprint.get("/mappings/<row_id:draft_id>/rules.csv")
def exported(launch_id: str, draft_id: int) -> Response:
    """A draft's rules as CSV."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        draft = draft_here(connection, visit, draft_id)
        rules = mapping_drafts.rules_in(connection, draft.id)
    return csv_file(write_mapping(rules), f"mapping-draft-{draft_id}.csv")


def _is_as_shown(connection: Connection, draft: Draft, at: int) -> bool:
    """Whether a rule is still the one that the page of the form showed."""
    rules = mapping_drafts.rules_in(connection, draft.id)
    return at < len(rules) and fingerprint(rules[at]) == request.form.get("is")


_Edit = Callable[[list[MappingRule]], tuple[str, str]]


def _changed(
    connection: Connection, visit: Visit, draft: Draft, *, edit: _Edit, at: int | None = None
) -> Response:
    """Change a draft and go back to its page, where one was."""
    refused = _try_change(connection, visit, draft, edit=edit)
    if refused is not None:
        return refused
    place = draft.rules if at is None else at
    return to_page(visit, f"mappings/{draft.id}?from={place}#rules")


def _try_change(
    connection: Connection, visit: Visit, draft: Draft, *, edit: _Edit
) -> Response | None:
    try:
        mapping_drafts.change_rules(
            connection, visit.record.tenant, draft, editor=editor_of(visit), change=edit
        )
    except TooManyRules as error:
        page = _page(connection, visit, draft, problem=str(error))
        return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)
    return None


def _put(rule: MappingRule, place: str) -> _Edit:
    """Add a rule, or put it in the place of the one that was shown."""

    def edit(rules: list[MappingRule]) -> tuple[str, str]:
        if not place:
            rules.append(rule)
            return "", rule_words(rule)
        at = typed_number(place)
        former, rules[at] = rules[at], rule
        return rule_words(former), rule_words(rule)

    return edit


def _move(at: int, by: int) -> _Edit:
    def edit(rules: list[MappingRule]) -> tuple[str, str]:
        to = min(max(at + by, 0), len(rules) - 1)
        rules.insert(to, rules.pop(at))
        return f"rule {at + 1}", f"rule {to + 1}: {rule_words(rules[to])}"

    return edit


def _remove(at: int) -> _Edit:
    def edit(rules: list[MappingRule]) -> tuple[str, str]:
        return rule_words(rules.pop(at)), "removed"

    return edit


def _take(fresh: Sequence[MappingRule], *, is_instead: bool) -> _Edit:
    def edit(rules: list[MappingRule]) -> tuple[str, str]:
        before = f"{len(rules)} rules"
        if is_instead:
            rules.clear()
        rules.extend(fresh)
        return before, f"{len(rules)} rules, {len(fresh)} of them from a file"

    return edit


def _usable(found: MappingRows, known: Sequence[StoredCompetency]) -> MappingRows:
    """The same without rules for competencies that are not there, each of them told."""
    there = {(one.framework, one.code) for one in known}
    there |= {(one.framework, WHATEVER_IS_LINKED) for one in known}
    good, problems = [], list(found.problems)
    for line, rule in found.rules:
        if (rule.framework, rule.competency) in there:
            good.append((line, rule))
        else:
            problems.append(
                f"Line {line}: there is no competency {rule.competency!r} in a framework "
                f"{rule.framework!r}. Import the framework first, or correct the line."
            )
    return MappingRows(rules=good, problems=problems)


def _matches(
    connection: Connection,
    visit: Visit,
    said: Any,  # noqa: ANN401 - a form or a query
) -> mapping_matching.RuleMatches | None:
    rule = rule_to_try(said)
    if rule is None:
        return None
    return mapping_matching.rule_matches(connection, visit.record.tenant, rule)
