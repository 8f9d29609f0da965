"""Rules of mastery: what holds where and by whom it was set; a change tried before it is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

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
from lti_tool.pages.desk import rule_forms
from lti_tool.pages.desk.mapping_forms import day_begins, editor_of, field_text, typed_number
from lti_tool.pages.desk.rule_forms import TypedRule, filled, methods, typed, with_method
from lti_tool.pages.desk.said_rules import (
    SCOPES,
    Said,
    newest_version,
    place_here,
    said_at,
    said_everywhere,
    version_of,
)
from lti_tool.pages.desk.scale_forms import ROWS, said_of
from lti_tool.pages.desk.trial_pages import shown_trial
from lti_tool.rule_places import THINGS, proposed
from lti_tool.said_rules import rule_tried
from mapping.records import TenantId
from mapping.rules.mastery_rule import RuleRefused
from mapping.rules.scopes import EffectiveRule
from store import naming, rule_proposals
from store.naming import Named
from store.rule_proposals import Published, RuleChange
from store.rule_trail import keep_rule, place_in_words
from store.rules import DISTRICT, RuleNote
from store.second_person import needs_second
from store.session import reading, writing
from workers import trials
from workers.effects import Proposed

blueprint = Blueprint("rules", __name__)

_MOST_REASON = 2_000
_UNSEEN = "(Published before its effect was known.)"
_LATER, _PAST = "later", "past"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A change that was typed: the rule as it would hold, or what is wrong.

    ``when`` tells a day to come and one that has been; empty for today and none.
    """

    typed: TypedRule
    begins: datetime
    day: str = ""
    when: str = ""
    held: EffectiveRule | None = None
    problems: Sequence[str] = ()

    def of(self, said: Said) -> RuleChange:
        """What is to be kept of it; there is a rule."""
        assert self.typed.definition is not None  # noqa: S101 - there is a rule
        return RuleChange(
            place=said.named.place,
            definition=self.typed.definition,
            begins=self.begins if self.day else None,
        )


@blueprint.get("/rules")
def all_rules(launch_id: str) -> str:
    """What holds where: the district's rule, and what narrower scopes change of it."""
    visit = administrator(launch_id)
    tenant, now = visit.record.tenant, services().now()
    sought, scope = request.args.get("called", "").strip()[:255], request.args.get("scope", "")
    with reading(services().engine) as connection:
        waiting = rule_proposals.waiting(connection, tenant)
        return render_template(
            "desk/rules.html",
            visit=visit,
            shown=said_everywhere(connection, visit, now=now),
            waiting=[(one, place_in_words(connection, one.change.place)) for one in waiting],
            needs_second=needs_second(connection, tenant),
            scopes=SCOPES[1:],
            scope=scope,
            sought=sought,
            found=_called(connection, tenant, scope, sought=sought) if sought else (),
        )


@blueprint.get("/rules/<scope>/<row_id:target>")
def one(launch_id: str, scope: str, target: int) -> str:
    """What is said at one place, its history, and the form that changes it."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        said = _said(connection, visit, scope, target=target)
        again = request.args.get("version", "")
        shown = version_of(said, typed_number(again)) if again else said.version
        form = filled(shown.definition if shown else {})
        if request.args.get("scale") == "held":
            # What moves a threshold of the wider scale has moved it there already.
            scale = {**said_of(said.held.rule.scale), "developing": ""}
            form = replace(form, said={**form.said, **scale})
        form = with_method(form, request.args.get("method", ""), request.args.get("parameters", ""))
        return _page(visit, said, form=form)


@blueprint.post("/rules/<scope>/<row_id:target>")
def try_out(launch_id: str, scope: str, target: int) -> Response:
    """Say what the rule would be in words, and what it would do; nothing is changed."""
    visit = changing_administrator(launch_id)
    with reading(services().engine) as connection:
        said = _said(connection, visit, scope, target=target)
        made = _change(connection, visit, said)
        if made.held is None or request.headers.get("HX-Request"):
            page = _page(visit, said, form=made.typed, made=made)
            return make_response(page, 200 if made.held is not None else 422)
        purpose = _purpose(connection, visit, said, made=made)
    change = made.of(said)
    entry = proposed(change.place, change.definition, made.begins)
    found = trials.try_out(
        services().container, visit.record.tenant, Proposed(rule=entry), purpose=purpose
    )
    with reading(services().engine) as connection:
        shown = shown_trial(connection, visit, found)
        return make_response(_page(visit, said, form=made.typed, made=made, trial=shown))


@blueprint.post("/rules/<scope>/<row_id:target>/publish")
def publish(launch_id: str, scope: str, target: int) -> Response:
    """Have a rule hold as it was looked at, or ask for a second person's yes."""
    visit = changing_administrator(launch_id)
    reason = field_text("reason", _MOST_REASON)
    with writing(services().engine) as connection:
        said = _said(connection, visit, scope, target=target)
        made = _change(connection, visit, said)
        problem = "" if reason else "Say why; it is kept with the rule."
        if request.form.get("seen", "") != newest_version(connection, visit.record.tenant):
            problem = "A rule was changed since you looked at the effect. Look at it once more."
        if made.held is None or problem:
            page = _page(visit, said, form=made.typed, made=made, problem=problem)
            return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)
        if request.form.get("unseen"):
            reason = f"{reason} {_UNSEEN}"
        done = rule_proposals.publish(
            *(connection, visit.record.tenant, made.of(said)), editor=editor_of(visit, reason)
        )
    if done is Published.WAITS:
        return to_page(visit, "rules?waits=yes#waiting")
    return to_page(visit, f"rules/{scope}/{target}?published={done.name.lower()}")


@blueprint.post("/rules/<scope>/<row_id:target>/back")
def go_back(launch_id: str, scope: str, target: int) -> Response:
    """Have what was said here before hold again, in one step; that needs no second person.

    Raises:
        NotThere: Nothing was said here before.
    """
    visit = changing_administrator(launch_id)
    reason = field_text("reason", _MOST_REASON)
    with writing(services().engine) as connection:
        said = _said(connection, visit, scope, target=target)
        former = said.former
        if said.version is None or (former is None and said.named.place == DISTRICT):
            raise NotThere
        note = RuleNote(
            author=author_of(visit).by,
            reason=reason or f"Back to what was said before version {said.version.version}.",
            is_agreed=True,
        )
        keep_rule(
            *(connection, visit.record.tenant, said.named.place),
            definition={} if former is None else former.definition,
            note=note,
            now=services().now(),
        )
    return to_page(visit, f"rules/{scope}/{target}?published=holds")


@blueprint.post("/rules/<scope>/<row_id:target>/call-off")
def call_off(launch_id: str, scope: str, target: int) -> Response:
    """Have a version that is to come not come: what is said before it goes on.

    Raises:
        NotThere: There is none of this number that is still to come.
    """
    visit = changing_administrator(launch_id)
    number = typed_number(request.form.get("version", ""))
    reason = field_text("reason", _MOST_REASON)
    with writing(services().engine) as connection:
        said = _said(connection, visit, scope, target=target)
        coming = version_of(said, number)
        if not said.is_to_come(coming):
            raise NotThere
        note = RuleNote(
            author=author_of(visit).by,
            reason=reason or f"Version {number} is called off.",
            effective_from=coming.effective_from,
            is_agreed=True,
        )
        keep_rule(
            *(connection, visit.record.tenant, said.named.place),
            definition=said.without(coming),
            note=note,
            now=services().now(),
        )
    return to_page(visit, f"rules/{scope}/{target}?published=called_off")


def _page(
    visit: Visit,
    said: Said,
    *,
    form: TypedRule,
    made: _Change | None = None,
    trial: Mapping[str, Any] | None = None,
    problem: str = "",
) -> str:
    return render_template(
        "desk/_rule_words.html" if request.headers.get("HX-Request") else "desk/rule.html",
        visit=visit,
        said=said,
        scope=said.named.place.scope.name.lower(),
        target=said.named.place.target,
        form=form,
        made=made,
        problem=problem,
        methods=methods(),
        forms=rule_forms,
        rows=_rows(form.said),
        given=request.form,
        published=request.args.get("published", ""),
        **(trial or {"trial": None}),
    )


def _rows(said: Mapping[str, str]) -> range:
    """The rows of a scale that a form shows: those with something in them, and two to be filled."""
    last = max((row for row in ROWS if said[f"level_{row}_label"]), default=0)
    return ROWS[: last + 2] if last else range(0)


def _said(connection: Connection, visit: Visit, scope: str, *, target: int) -> Said:
    place = place_here(connection, visit, scope, target=target)
    return said_at(connection, visit, place, now=services().now())


def _purpose(
    connection: Connection, visit: Visit, said: Said, *, made: _Change
) -> Mapping[str, Any]:
    """What a page has to know to offer publishing once the effect is known."""
    place = said.named.place
    return {
        "kind": "rule",
        "name": said.named.name,
        "page": f"rules/{place.scope.name.lower()}/{place.target}",
        "sentence": made.held.rule.sentence() if made.held else "",
        "when": made.when,
        "day": made.day,
        "seen": newest_version(connection, visit.record.tenant),
        "fields": {**made.typed.said, "from": made.day},
    }


def _change(connection: Connection, visit: Visit, said: Said) -> _Change:
    form, now = typed(request.form, said.held.rule.scale), services().now()
    day = request.form.get("from", "").strip()
    try:
        begins = day_begins(visit, day) or now
    except ValueError:
        problem = "The day is no day; write it as 2027-01-31, or leave it empty."
        return _Change(typed=form, begins=now, problems=[problem])
    when = _LATER if begins > now else _PAST if day else ""
    if form.definition is None:
        return _Change(typed=form, begins=begins, day=day, when=when)
    try:
        held = rule_tried(
            *(connection, visit.record.tenant, said),
            definition=form.definition,
            begins=begins,
            now=now,
        )
    except RuleRefused as error:
        return _Change(typed=form, begins=begins, day=day, problems=error.problems)
    return _Change(typed=form, begins=begins, day=day, when=when, held=held)


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
    return naming.holding(connection, tenant, THINGS[known[scope]], text=sought)
