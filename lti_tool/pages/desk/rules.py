"""Rules of mastery: what holds where and by whom it was set; a change tried before it is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy import Connection

from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import (
    administrator,
    author_of,
    changing_administrator,
    to_page,
)
from lti_tool.pages.desk import effects
from lti_tool.pages.desk.mapping_forms import day_begins, field_text, typed_number
from lti_tool.pages.desk.rule_forms import TypedRule, filled, methods, typed
from lti_tool.rule_places import NamedPlace, place_name, proposed, rule_held
from mapping.records import TenantId
from mapping.rules.mastery_rule import RuleRefused
from mapping.rules.scopes import EffectiveRule, Scope
from store import naming, rules
from store.grounds import proposed_book
from store.naming import Named
from store.rule_trail import keep_rule
from store.rules import DISTRICT, RuleNote, RulePlace, StoredRule
from store.session import reading, writing
from workers import trials
from workers.effects import Proposed

blueprint = Blueprint("rules", __name__)

SCOPES = (Scope.DISTRICT, Scope.FRAMEWORK, Scope.COURSE, Scope.COMPETENCY)
_FINDERS = {
    Scope.FRAMEWORK: naming.frameworks_like,
    Scope.COURSE: naming.courses_like,
    Scope.COMPETENCY: naming.competencies_like,
}
_MOST_REASON = 2_000
_KEY_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said at one place, and the rule that holds there by it."""

    named: NamedPlace
    version: StoredRule | None
    held: EffectiveRule


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proposal:
    """A change that was typed: the rule as it would hold, or what is wrong."""

    typed: TypedRule
    begins: datetime
    held: EffectiveRule | None = None
    problems: Sequence[str] = ()


@blueprint.get("/rules")
def all_rules(launch_id: str) -> str:
    """What holds where: the district's rule, and what narrower scopes change of it."""
    visit = administrator(launch_id)
    tenant, now = visit.record.tenant, services().now()
    sought, scope = request.args.get("called", "").strip()[:255], request.args.get("scope", "")
    with reading(services().engine) as connection:
        shown = _in_force(connection, visit, now=now)
        found = _called(connection, tenant, scope, sought=sought) if sought else ()
    return render_template(
        "desk/rules.html",
        visit=visit,
        shown=shown,
        scopes=SCOPES[1:],
        scope=scope,
        sought=sought,
        found=found,
    )


@blueprint.get("/rules/mastery")
def mastery(launch_id: str) -> str:
    """How mastery works here: the rules in force in plain words, to be printed."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        shown = _in_force(connection, visit, now=services().now())
    return render_template("desk/mastery.html", visit=visit, shown=shown)


@blueprint.get("/rules/<scope>/<row_id:target>")
def one(launch_id: str, scope: str, target: int) -> str:
    """What is said at one place, its history, and the form that changes it."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        place = _place(connection, visit, scope, target=target)
        said = _said(connection, visit, place, now=services().now())
        again = request.args.get("version", "")
        form = filled(said.version.definition if said.version else {})
        if again:
            form = filled(
                _version(connection, visit, place, version=typed_number(again)).definition
            )
        return _page(connection, visit, said, form=form)


@blueprint.post("/rules/<scope>/<row_id:target>")
def try_out(launch_id: str, scope: str, target: int) -> Response:
    """Say what the rule would be in words, and what it would do; nothing is changed."""
    visit = changing_administrator(launch_id)
    with reading(services().engine) as connection:
        place = _place(connection, visit, scope, target=target)
        said = _said(connection, visit, place, now=services().now())
        made = _proposal(connection, visit, said.named)
        is_in_words = bool(request.headers.get("HX-Request"))
        if made.held is None or is_in_words:
            page = _page(connection, visit, said, form=made.typed, made=made)
            return make_response(page, 200 if made.held is not None else 422)
    assert made.typed.definition is not None  # noqa: S101 - there is a rule
    entry = proposed(place, made.typed.definition, made.begins)
    found = trials.try_out(services().container, visit.record.tenant, Proposed(rule=entry))
    with reading(services().engine) as connection:
        shown = None if isinstance(found, str) else effects.shown(connection, visit, found)
        page = _page(
            connection,
            visit,
            said,
            form=made.typed,
            made=made,
            shown=shown,
            trial=found if isinstance(found, str) else "",
        )
    return make_response(page)


@blueprint.get("/trials/<key>")
def trial(launch_id: str, key: str) -> str:
    """How far a trial is, and what came of it.

    Raises:
        NotThere: There is none of this key.
    """
    visit = administrator(launch_id)
    if len(key) != _KEY_LENGTH or not key.isalnum() or not key.isascii():
        raise NotThere
    found = trials.trial(services().container, visit.record.tenant, key)
    if found is None:
        raise NotThere
    with reading(services().engine) as connection:
        shown = None if found.effect is None else effects.shown(connection, visit, found.effect)
    is_part = bool(request.headers.get("HX-Request"))
    template = "desk/_trial.html" if is_part else "desk/trial.html"
    return render_template(template, visit=visit, key=key, trial=found, shown=shown)


@blueprint.post("/rules/<scope>/<row_id:target>/publish")
def publish(launch_id: str, scope: str, target: int) -> Response:
    """Have a rule hold, as it was looked at."""
    visit = changing_administrator(launch_id)
    reason = field_text("reason", _MOST_REASON)
    with writing(services().engine) as connection:
        place = _place(connection, visit, scope, target=target)
        said = _said(connection, visit, place, now=services().now())
        made = _proposal(connection, visit, said.named)
        problem = "" if reason else "Say why; it is kept with the rule."
        if request.form.get("seen", "") != _seen(connection, visit.record.tenant):
            problem = "A rule was changed since you looked at the effect. Look at it once more."
        if made.held is None or problem:
            page = _page(connection, visit, said, form=made.typed, made=made, problem=problem)
            return make_response(page, 422)
        assert made.typed.definition is not None  # noqa: S101 - there is a rule
        note = RuleNote(
            author=author_of(visit).by,
            reason=reason,
            effective_from=made.begins,
        )
        keep_rule(
            *(connection, visit.record.tenant, place),
            definition=made.typed.definition,
            note=note,
            now=services().now(),
        )
    return to_page(visit, f"rules/{scope}/{target}?published=yes")


@blueprint.post("/rules/<scope>/<row_id:target>/back")
def go_back(launch_id: str, scope: str, target: int) -> Response:
    """Have what was said here before hold again, in one step.

    Raises:
        NotThere: Nothing was said here before.
    """
    visit = changing_administrator(launch_id)
    reason = field_text("reason", _MOST_REASON)
    with writing(services().engine) as connection:
        place = _place(connection, visit, scope, target=target)
        now = services().now()
        said = _said(connection, visit, place, now=now)
        former = _former(connection, visit, said, now=now)
        if said.version is None or (former is None and place == DISTRICT):
            raise NotThere
        definition = {} if former is None else former.definition
        note = RuleNote(
            author=author_of(visit).by,
            reason=reason or f"Back to what was said before version {said.version.version}.",
        )
        keep_rule(
            *(connection, visit.record.tenant, place),
            definition=definition,
            note=note,
            now=now,
        )
    return to_page(visit, f"rules/{scope}/{target}?published=yes")


def _page(  # noqa: PLR0913 - what the page may have to show
    connection: Connection,
    visit: Visit,
    said: Said,
    *,
    form: TypedRule,
    made: _Proposal | None = None,
    shown: effects.ShownEffect | None = None,
    trial: str = "",
    problem: str = "",
) -> str:
    return render_template(
        "desk/_rule_words.html" if request.headers.get("HX-Request") else "desk/rule.html",
        visit=visit,
        said=said,
        scope=said.named.place.scope.name.lower(),
        target=said.named.place.target,
        history=_history(connection, visit, said.named.place),
        former=_former(connection, visit, said, now=services().now()),
        form=form,
        made=made,
        shown=shown,
        trial=trial,
        problem=problem,
        methods=methods(),
        seen=_seen(connection, visit.record.tenant),
        given=request.form,
        is_published=request.args.get("published") == "yes",
    )


def _proposal(connection: Connection, visit: Visit, named: NamedPlace) -> _Proposal:
    form, now = typed(request.form), services().now()
    try:
        begins = day_begins(visit, request.form.get("from", "")) or now
    except ValueError:
        problem = "The day is no day; write it as 2027-01-31, or leave it empty."
        return _Proposal(typed=form, begins=now, problems=[problem])
    if form.definition is None:
        return _Proposal(typed=form, begins=begins)
    entry = proposed(named.place, form.definition, begins)
    try:
        proposed_book(connection, visit.record.tenant, entry)
        entries = (*rules.scoped_rules(connection, visit.record.tenant), entry)
        held = rule_held(entries, named, begins)
    except RuleRefused as error:
        return _Proposal(typed=form, begins=begins, problems=error.problems)
    return _Proposal(typed=form, begins=begins, held=held)


def _in_force(connection: Connection, visit: Visit, *, now: datetime) -> list[Said]:
    """What holds at every place that says something, the district first."""
    said = rules.said_by_place(connection, visit.record.tenant, now=now)
    places = sorted(said.keys() | {DISTRICT}, key=lambda one: (one.scope, one.target))
    return [
        _said(connection, visit, place, now=now)
        for place in places
        if place == DISTRICT or said[place].definition
    ]


def _said(connection: Connection, visit: Visit, place: RulePlace, *, now: datetime) -> Said:
    tenant = visit.record.tenant
    versions = [one for one in rules.rule_versions(connection, tenant) if one.place == place]
    named = _named(connection, tenant, place)
    held = rule_held(rules.scoped_rules(connection, tenant), named, now)
    return Said(named=named, version=rules.in_force(versions, now), held=held)


def _history(connection: Connection, visit: Visit, place: RulePlace) -> list[StoredRule]:
    """Every version of a place, the newest first."""
    found = rules.rule_versions(connection, visit.record.tenant)
    return [one for one in reversed(found) if one.place == place]


def _former(
    connection: Connection, visit: Visit, said: Said, *, now: datetime
) -> StoredRule | None:
    """What was said at a place before what is said now, None for nothing."""
    if said.version is None:
        return None
    others = [one for one in _history(connection, visit, said.named.place) if one != said.version]
    return rules.in_force(others, now)


def _version(connection: Connection, visit: Visit, place: RulePlace, *, version: int) -> StoredRule:
    """A version of a place.

    Raises:
        NotThere: It has none of this number.
    """
    for one in _history(connection, visit, place):
        if one.version == version:
            return one
    raise NotThere


def _place(connection: Connection, visit: Visit, scope: str, *, target: int) -> RulePlace:
    """The place that an address names.

    Raises:
        NotThere: It is none of the visitor's district.
    """
    known = {one.name.lower(): one for one in SCOPES}
    if scope not in known:
        raise NotThere
    place = RulePlace(scope=known[scope], target=target)
    is_district = place.scope is Scope.DISTRICT
    if is_district != (target == 0):
        raise NotThere
    if not is_district and not _target_name(connection, visit.record.tenant, place):
        raise NotThere
    return place


def _named(connection: Connection, tenant: TenantId, place: RulePlace) -> NamedPlace:
    if place.scope is Scope.DISTRICT:
        return NamedPlace(place=place, name="The district")
    framework = 0
    if place.scope is Scope.FRAMEWORK:
        framework = place.target
    elif place.scope is Scope.COMPETENCY:
        framework = naming.framework_of(connection, place.target)
    name = f"{place.scope.name.capitalize()} {_target_name(connection, tenant, place)}"
    return NamedPlace(place=place, name=name, framework=framework)


def _target_name(connection: Connection, tenant: TenantId, place: RulePlace) -> str:
    return place_name(connection, tenant, place)


def _called(
    connection: Connection, tenant: TenantId, scope: str, *, sought: str
) -> Sequence[Named]:
    """What is called so.

    Raises:
        NotThere: There is no such scope.
    """
    known = {one.name.lower(): one for one in SCOPES[1:]}
    if scope not in known:
        raise NotThere
    return _FINDERS[known[scope]](connection, tenant, sought)


def _seen(connection: Connection, tenant: TenantId) -> str:
    """What tells that no rule was changed since a page was shown."""
    versions = rules.rule_versions(connection, tenant)
    return str(versions[-1].version) if versions else "0"
