"""Changes of rules that wait for a second person: looked at with their effect, and decided upon."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy import Connection

from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import administrator, changing_administrator, to_page
from lti_tool.pages.desk.differences import differences
from lti_tool.pages.desk.mapping_forms import editor_of, field_text
from lti_tool.pages.desk.said_rules import newest_version, said_at
from lti_tool.pages.desk.trial_pages import shown_trial
from lti_tool.rule_places import proposed, rule_held
from mapping.rules.mastery_rule import RuleRefused
from mapping.rules.scopes import EffectiveRule
from store import rule_proposals, rules
from store.desk_roles import Right
from store.grounds import proposed_book
from store.rule_proposals import Proposal, ProposalRefused
from store.rule_trail import as_json
from store.session import reading, writing
from workers import trials
from workers.effects import Proposed

blueprint = Blueprint("rule_waiting", __name__)

_MOST_REASON = 2_000


@blueprint.get("/rules/waiting/<row_id:proposal_id>")
def one(launch_id: str, proposal_id: int) -> str:
    """A change that waits: what it says, who wants it and why."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        return _page(connection, visit, _proposal(connection, visit, proposal_id))


@blueprint.post("/rules/waiting/<row_id:proposal_id>/effect")
def try_out(launch_id: str, proposal_id: int) -> str:
    """What the change would do; nothing is changed."""
    visit = changing_administrator(launch_id)
    tenant, now = visit.record.tenant, services().now()
    with reading(services().engine) as connection:
        found = _proposal(connection, visit, proposal_id)
        purpose = _purpose(connection, visit, found)
    change = found.change
    entry = proposed(change.place, change.definition, found.begins(now))
    trial = trials.try_out(services().container, tenant, Proposed(rule=entry), purpose=purpose)
    with reading(services().engine) as connection:
        return _page(connection, visit, found, trial=shown_trial(connection, visit, trial))


@blueprint.post("/rules/waiting/<row_id:proposal_id>/approve")
def approve(launch_id: str, proposal_id: int) -> Response:
    """Say yes to somebody else's change, as it was looked at."""
    visit = changing_administrator(launch_id)
    with reading(services().engine) as connection:
        seen = newest_version(connection, visit.record.tenant)
    if request.form.get("seen", "") != seen:
        problem = "A rule was changed since you looked at the effect. Look at it once more."
        return _refused(visit, proposal_id, problem)
    return _decided(visit, proposal_id, rule_proposals.approve, told="approved")


@blueprint.post("/rules/waiting/<row_id:proposal_id>/decline")
def decline(launch_id: str, proposal_id: int) -> Response:
    """Say no to a change, or take one's own back."""
    visit = changing_administrator(launch_id)
    return _decided(visit, proposal_id, rule_proposals.decline, told="declined")


def _decided(
    visit: Visit, proposal_id: int, decide: Callable[..., Proposal], *, told: str
) -> Response:
    reason = field_text("reason", _MOST_REASON)
    if not reason:
        return _refused(visit, proposal_id, "Say why; it is kept with the change.")
    try:
        with writing(services().engine) as connection:
            _proposal(connection, visit, proposal_id)
            decide(*(connection, visit.record.tenant, proposal_id), editor=editor_of(visit, reason))
    except ProposalRefused as error:
        return _refused(visit, proposal_id, str(error))
    return to_page(visit, f"rules?decided={told}")


def _refused(visit: Visit, proposal_id: int, problem: str) -> Response:
    with reading(services().engine) as connection:
        found = _proposal(connection, visit, proposal_id)
        page = _page(connection, visit, found, problem=problem)
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)


def _page(
    connection: Connection,
    visit: Visit,
    found: Proposal,
    *,
    trial: Mapping[str, Any] | None = None,
    problem: str = "",
) -> str:
    said = said_at(connection, visit, found.change.place, now=services().now())
    held, problems = _held(connection, visit, found)
    before = {} if said.version is None else said.version.definition
    shown = {
        "trial": None,
        "may_change": visit.may(Right.DESIGN),
        "is_own": editor_of(visit).key == found.author_key,
        **(trial or {}),
    }
    return render_template(
        "desk/rule_waiting.html",
        visit=visit,
        proposal=found,
        said=said,
        held=held,
        problems=problems,
        parts=differences(as_json(before), as_json(found.change.definition)),
        problem=problem,
        **shown,
    )


def _purpose(connection: Connection, visit: Visit, found: Proposal) -> Mapping[str, Any]:
    """What a page has to know to offer the decision once the effect is known."""
    held, _ = _held(connection, visit, found)
    now = services().now()
    said = said_at(connection, visit, found.change.place, now=now)
    return {
        "kind": "proposal",
        "name": said.named.name,
        "page": f"rules/waiting/{found.id}",
        "sentence": held.rule.sentence() if held else "",
        "when": "later" if found.begins(now) > now else "",
        "day": f"{found.begins(now):%Y-%m-%d}",
        "seen": newest_version(connection, visit.record.tenant),
        "author_key": found.author_key,
    }


def _held(
    connection: Connection, visit: Visit, found: Proposal
) -> tuple[EffectiveRule | None, tuple[str, ...]]:
    """The rule as it would hold, or what is wrong with it by now."""
    now, tenant = services().now(), visit.record.tenant
    named = said_at(connection, visit, found.change.place, now=now).named
    begins = found.begins(now)
    entry = proposed(found.change.place, found.change.definition, begins)
    try:
        proposed_book(connection, tenant, entry)
        entries = (*rules.scoped_rules(connection, tenant), entry)
        return rule_held(entries, named, begins), ()
    except RuleRefused as error:
        return None, error.problems


def _proposal(connection: Connection, visit: Visit, proposal: int) -> Proposal:
    """A change of the visitor's district that waits.

    Raises:
        NotThere: It has none of this id that does.
    """
    found = rule_proposals.find_waiting(connection, visit.record.tenant, proposal)
    if found is None:
        raise NotThere
    return found
