"""Rules of mastery: what is said where and what holds by it; said anew, tried, gone back on."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection

from lti_tool.api.fields import NeededReason, Seen, day_begins
from lti_tool.api.operations import OPERATIONS, Call, Later, Page, PageQuery, page_of
from lti_tool.api.problems import ChangedSince, NotHere, Refused, Unusable
from lti_tool.api.trials import Trial, tried
from lti_tool.launch.services import services
from lti_tool.rule_places import proposed
from lti_tool.said_rules import Said, newest_version, place_at, rule_tried, said_at
from mapping.records import TenantId
from mapping.rules.mastery_rule import RuleRefused
from store import rule_proposals, rules
from store.api_tokens import Scope
from store.rule_proposals import Proposal, ProposalRefused, RuleChange
from store.rule_trail import LOCKED, keep_rule
from store.rules import DISTRICT, RuleNote, RulePlace, StoredRule
from store.session import lock, reading, writing
from workers.effects import Proposed

_PLACE = "/rules/<any(district,framework,course,competency):scope>/<row_id:target>"
_MOST_KEYS = 50

Definition = Annotated[dict[str, Any], msgspec.Meta(max_length=_MOST_KEYS)]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One version of what a place says; ``target`` is the id of a framework, course or competency.

    An empty definition says nothing any more. Versions count up through the district, whatever
    the place.
    """

    version: int
    scope: str
    target: int
    definition: Mapping[str, Any]
    effective_from: datetime
    author: str
    reason: str


class RulesInForce(msgspec.Struct, frozen=True, kw_only=True):
    """What every place says at present; ``seen`` goes back with what is written."""

    items: Sequence[Rule]
    seen: str


class RuleProposal(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a rule that waits for a second person; ``effective_from`` is null for at once."""

    id: int
    scope: str
    target: int
    definition: Mapping[str, Any]
    effective_from: datetime | None
    author: str
    reason: str
    proposed_at: datetime
    is_own: bool


class RuleProposals(msgspec.Struct, frozen=True, kw_only=True):
    """The changes that wait, the oldest first; ``seen`` goes back with approving one."""

    items: Sequence[RuleProposal]
    seen: str


class RuleThere(msgspec.Struct, frozen=True, kw_only=True):
    """The rule of a place with what it is made of.

    ``says`` is what the place itself says, null where it never did; ``holds`` is the whole rule
    there, with wider places' words where it is silent, and ``comes_from`` tells for each part which
    place settled it; ``waiting`` are changes of it that a second person has not approved yet;
    ``seen`` goes back with what is written.
    """

    scope: str
    target: int
    name: str
    says: Rule | None
    holds: Mapping[str, Any]
    comes_from: Mapping[str, str]
    in_words: Sequence[str]
    waiting: Sequence[RuleProposal]
    seen: str


class NewRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a place shall say, in place of all that it says: why, and from which day on."""

    definition: Definition
    reason: NeededReason
    seen: Seen
    begins: date | None = msgspec.field(default=None, name="from")


class RuleToTry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a place might say, and from which day on."""

    definition: Definition
    begins: date | None = msgspec.field(default=None, name="from")


class Declining(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a change is not to be."""

    reason: NeededReason


class Deciding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why something is to hold, and what was seen."""

    reason: NeededReason
    seen: Seen


_EXAMPLE = {"definition": {"mastered": 3.0, "minimum_evidence": 3}, "from": "2027-02-01"}


@OPERATIONS.add("GET", "/rules", scope=Scope.READ, answer=RulesInForce)
def list_rules(call: Call) -> RulesInForce:
    """What every place says of mastery at present; the built-in rule holds for the rest."""
    tenant = call.caller.tenant
    with reading(services().engine) as connection:
        found = rules.said_by_place(connection, tenant, now=services().now())
        seen = newest_version(connection, tenant)
    return RulesInForce(items=[_told(one) for one in found.values()], seen=seen)


@OPERATIONS.add("GET", _PLACE, scope=Scope.READ, answer=RuleThere)
def get_rule(call: Call) -> RuleThere:
    """The rule of a place, with what comes from where; the district's target is 0."""
    with reading(services().engine) as connection:
        return _there(connection, call, _place(connection, call))


@OPERATIONS.add("GET", f"{_PLACE}/versions", scope=Scope.READ, answer=Page[Rule], query=PageQuery)
def list_rule_versions(call: Call) -> Page[Rule]:
    """All that a place ever said or is to say, the newest first, by version."""
    query: PageQuery = call.query
    with reading(services().engine) as connection:
        found = _said(connection, call, _place(connection, call)).versions
    behind = [one for one in found if query.after is None or one.version < query.after]
    told = [(one.version, _told(one)) for one in behind[: query.limit + 1]]
    return page_of(told, query.limit)


@OPERATIONS.add(
    "PUT",
    _PLACE,
    scope=Scope.DESIGN,
    answer=RuleThere,
    takes=NewRule,
    example={**_EXAMPLE, "reason": "As agreed in the faculty.", "seen": "12"},
)
def set_rule(call: Call) -> RuleThere:
    """Have a place say something of mastery, now or from a day on; an empty definition nothing.

    What it says already may be sent again. A definition that makes no rule is refused, and
    everything that is wrong with it is told. Where the district wants a second person, the change
    waits until another administrator approves it.
    """
    wanted: NewRule = call.body
    tenant = call.caller.tenant
    with writing(services().engine) as connection:
        lock(connection, LOCKED, tenant)
        place = _place(connection, call)
        now = services().now()
        day = day_begins(connection, tenant, wanted.begins)
        change = RuleChange(place=place, definition=wanted.definition, begins=day)
        if not _is_said(connection, call, change):
            _require_seen(connection, tenant, wanted.seen)
            said = _said(connection, call, place)
            _try(connection, tenant, said, definition=wanted.definition, begins=day or now)
            editor = call.caller.editor(wanted.reason.strip())
            rule_proposals.publish(connection, tenant, change, editor=editor)
        return _there(connection, call, place)


@OPERATIONS.add(
    "POST",
    f"{_PLACE}/trials",
    scope=Scope.DESIGN,
    answer=Trial,
    takes=RuleToTry,
    may_be_later=True,
    example=_EXAMPLE,
)
def try_rule(call: Call) -> Trial | Later:
    """Try on all evidence where learners would stand under a rule; nothing is changed.

    One that begins later is tried as if it held today. Up to 3,000 learners are judged at once.
    In a larger district the trial is begun, and the answer says where to ask for it.
    """
    wanted: RuleToTry = call.body
    tenant = call.caller.tenant
    with reading(services().engine) as connection:
        place = _place(connection, call)
        begins = day_begins(connection, tenant, wanted.begins) or services().now()
        said = _said(connection, call, place)
        _try(connection, tenant, said, definition=wanted.definition, begins=begins)
    return tried(call, Proposed(rule=proposed(place, wanted.definition, begins)))


@OPERATIONS.add(
    "POST",
    f"{_PLACE}/back",
    scope=Scope.DESIGN,
    answer=RuleThere,
    takes=Deciding,
    example={"reason": "Too many were asked to show it again.", "seen": "13"},
)
def go_back_on_rule(call: Call) -> RuleThere:
    """Have what was said at a place before hold again; nothing, where nothing was.

    That needs no second person.

    Raises:
        Refused: Nothing was said here, or by the district nothing before.
    """
    with writing(services().engine) as connection:
        said = _seen_said(connection, call)
        former, place = said.former, said.named.place
        if said.version is None or (former is None and place == DISTRICT):
            detail = "Nothing was said here before, so there is nothing to go back to."
            raise Refused(HTTPStatus.CONFLICT, detail)
        definition = {} if former is None else former.definition
        _keep(connection, call, place, definition=definition)
        return _there(connection, call, place)


@OPERATIONS.add(
    "POST",
    f"{_PLACE}/versions/<row_id:version>/call-off",
    scope=Scope.DESIGN,
    answer=RuleThere,
    takes=Deciding,
    example={"reason": "The faculty wants another week.", "seen": "13"},
)
def call_rule_off(call: Call) -> RuleThere:
    """Have a version that is to come not come: what is said before it goes on.

    Raises:
        NotHere: There is none of this number that is still to come.
    """
    with writing(services().engine) as connection:
        said = _seen_said(connection, call)
        place = said.named.place
        for one in said.versions:
            if one.version == call.ids["version"] and said.is_to_come(one):
                before = said.without(one)
                _keep(connection, call, place, definition=before, begins=one.effective_from)
                return _there(connection, call, place)
    raise NotHere("version to come")


@OPERATIONS.add("GET", "/rule-proposals", scope=Scope.READ, answer=RuleProposals)
def list_rule_proposals(call: Call) -> RuleProposals:
    """The changes of rules that wait for a second person."""
    tenant = call.caller.tenant
    with reading(services().engine) as connection:
        found = rule_proposals.waiting(connection, tenant)
        seen = newest_version(connection, tenant)
    return RuleProposals(items=[_proposal_told(call, one) for one in found], seen=seen)


@OPERATIONS.add(
    "POST",
    "/rule-proposals/<row_id:proposal_id>/approve",
    scope=Scope.DESIGN,
    answer=RuleThere,
    takes=Deciding,
    example={"reason": "Looked at with the faculty.", "seen": "13"},
)
def approve_rule(call: Call) -> RuleThere:
    """Say yes to somebody else's change of a rule; all tokens of one person are that person."""
    wanted: Deciding = call.body
    with writing(services().engine) as connection:
        _require_proposal(connection, call)
        _require_seen(connection, call.caller.tenant, wanted.seen)
        return _decided(connection, call, rule_proposals.approve, reason=wanted.reason)


@OPERATIONS.add(
    "POST",
    "/rule-proposals/<row_id:proposal_id>/decline",
    scope=Scope.DESIGN,
    answer=RuleThere,
    takes=Declining,
    example={"reason": "It asks for more than a term can show."},
)
def decline_rule(call: Call) -> RuleThere:
    """Say no to a change of a rule, or take one's own back."""
    wanted: Declining = call.body
    with writing(services().engine) as connection:
        _require_proposal(connection, call)
        return _decided(connection, call, rule_proposals.decline, reason=wanted.reason)


def _place(connection: Connection, call: Call) -> RulePlace:
    """The place that the address names.

    Raises:
        NotHere: It is none of the district.
    """
    scope = call.words["scope"]
    found = place_at(connection, call.caller.tenant, scope, target=call.ids["target"])
    if found is None:
        raise NotHere(scope)
    return found


def _said(connection: Connection, call: Call, place: RulePlace) -> Said:
    return said_at(connection, call.caller.tenant, place, now=services().now())


def _seen_said(connection: Connection, call: Call) -> Said:
    """What is said at the place of the address, as it was looked at; held until all is done."""
    wanted: Deciding = call.body
    lock(connection, LOCKED, call.caller.tenant)
    place = _place(connection, call)
    _require_seen(connection, call.caller.tenant, wanted.seen)
    return _said(connection, call, place)


def _is_said(connection: Connection, call: Call, change: RuleChange) -> bool:
    """Whether a change is made, or proposed by the caller: what is sent twice is done once."""
    tenant, place = call.caller.tenant, change.place
    begins = change.begins or services().now()
    if not rules.is_news(connection, tenant, change.definition, place=place, begins=begins):
        return True
    key = call.caller.editor().key
    waiting = rule_proposals.waiting(connection, tenant)
    return any((one.change, one.author_key) == (change, key) for one in waiting)


def _require_seen(connection: Connection, tenant: TenantId, seen: str) -> None:
    """Refuse what was decided by a look at other rules than hold now.

    Raises:
        ChangedSince: One was changed.
    """
    if newest_version(connection, tenant) != seen:
        raise ChangedSince("A rule was changed since you looked.", "GET /rules")


def _require_proposal(connection: Connection, call: Call) -> None:
    """See that the change that the address names waits.

    Raises:
        NotHere: The district has none such that does.
    """
    number = call.ids["proposal_id"]
    if rule_proposals.find_waiting(connection, call.caller.tenant, number) is None:
        raise NotHere("change that waits")


def _decided(
    connection: Connection, call: Call, decide: Callable[..., Proposal], *, reason: str
) -> RuleThere:
    """Decide upon the change that the address names.

    Raises:
        Refused: That cannot be.
    """
    editor = call.caller.editor(reason.strip())
    try:
        found = decide(connection, call.caller.tenant, call.ids["proposal_id"], editor=editor)
    except ProposalRefused as error:
        raise Refused(HTTPStatus.CONFLICT, str(error)) from error
    return _there(connection, call, found.change.place)


def _try(
    connection: Connection,
    tenant: TenantId,
    said: Said,
    *,
    definition: Mapping[str, Any],
    begins: datetime,
) -> None:
    """See that a change makes a rule.

    Raises:
        Unusable: It makes none.
    """
    now = services().now()
    try:
        rule_tried(connection, tenant, said, definition=definition, begins=begins, now=now)
    except RuleRefused as error:
        raise Unusable("This makes no rule; see docs/rules.md.", error.problems) from error


def _keep(
    connection: Connection,
    call: Call,
    place: RulePlace,
    *,
    definition: Mapping[str, Any],
    begins: datetime | None = None,
) -> None:
    wanted: Deciding = call.body
    note = RuleNote(
        author=call.caller.author().by,
        reason=wanted.reason.strip(),
        effective_from=begins,
        is_agreed=True,
    )
    now = services().now()
    keep_rule(connection, call.caller.tenant, place, definition=definition, note=note, now=now)


def _there(connection: Connection, call: Call, place: RulePlace) -> RuleThere:
    said = _said(connection, call, place)
    rule = said.held.rule
    waiting = rule_proposals.waiting(connection, call.caller.tenant)
    return RuleThere(
        scope=place.scope.name.lower(),
        target=place.target,
        name=said.named.name,
        says=None if said.version is None else _told(said.version),
        holds=rule.definition(),
        comes_from={part: scope.name.lower() for part, scope in said.held.origin.items()},
        in_words=[rule.sentence(), said.held.origin_sentence(), *rule.policy.sentences()],
        waiting=[_proposal_told(call, one) for one in waiting if one.change.place == place],
        seen=newest_version(connection, call.caller.tenant),
    )


def _proposal_told(call: Call, one: Proposal) -> RuleProposal:
    return RuleProposal(
        id=one.id,
        scope=one.change.place.scope.name.lower(),
        target=one.change.place.target,
        definition=one.change.definition,
        effective_from=one.change.begins,
        author=one.author,
        reason=one.reason,
        proposed_at=one.proposed_at,
        is_own=one.author_key == call.caller.editor().key,
    )


def _told(one: StoredRule) -> Rule:
    return Rule(
        version=one.version,
        scope=one.place.scope.name.lower(),
        target=one.place.target,
        definition=one.definition,
        effective_from=one.effective_from,
        author=one.author,
        reason=one.reason,
    )
