"""Changes of rules that wait for a second person: proposed, then approved, declined or taken back.

Where a district wants a second person, nobody publishes a change of a rule that they proposed
themselves. Each step stands in the trail with who took it and why.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from mapping.records import TenantId
from mapping.rules.mastery_rule import RuleRefused
from mapping.rules.scopes import Scope, ScopedRule
from store import rules
from store.grounds import proposed_book
from store.mapping_drafts import Editor
from store.policy_changes import Author, PolicyKind, record_change
from store.rule_trail import as_json, keep_rule, place_in_words
from store.rules import RuleNote, RulePlace
from store.second_person import needs_second
from store.session import lock
from store.tables import rule_proposals, to_micros

_DESK = "rule proposals"
_UNSAVED = 2**62
"""Higher than any version, as what is said last goes before the others."""


class Outcome(Enum):
    """What became of a proposed change."""

    APPROVED = "approved"
    DECLINED = "declined"
    TAKEN_BACK = "taken back"


class Published(Enum):
    """What became of a change that somebody wanted to make."""

    HOLDS = "holds"
    WAITS = "waits"
    NO_NEWS = "no news"


class ProposalRefused(Exception):  # noqa: N818 - named for what happened
    """A step with a proposed change cannot be taken; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """What a place is to say, and from which moment on; None for as soon as it may."""

    place: RulePlace
    definition: Mapping[str, Any]
    begins: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A change that somebody proposed.

    Attributes:
        id: Its id.
        change: What is to be said where, and from when on.
        author: Who proposed it; ``author_key`` tells people of one name apart.
        author_key: Of them.
        reason: Why.
        proposed_at: When.
    """

    id: int
    change: RuleChange
    author: str
    author_key: str
    reason: str
    proposed_at: datetime

    def begins(self, now: datetime) -> datetime:
        """From when on it would hold if it were approved at a moment.

        A day that was to come and has come meanwhile is over: it holds from the yes on.
        """
        day = self.change.begins
        if day is None:
            return now
        return max(day, now) if day > self.proposed_at else day


def publish(
    connection: Connection, tenant: TenantId, change: RuleChange, *, editor: Editor
) -> Published:
    """Have a place say something, or propose it where the district wants a second person.

    Args:
        connection: A writing transaction.
        tenant: Whose rule.
        change: What is to be said where.
        editor: Who says so, when and why.
    """
    now, begins = editor.author.at, change.begins or editor.author.at
    place, definition = change.place, change.definition
    if not rules.is_news(connection, tenant, definition, place=place, begins=begins):
        return Published.NO_NEWS
    if needs_second(connection, tenant):
        _propose(connection, tenant, change, editor=editor)
        return Published.WAITS
    note = RuleNote(author=editor.author.by, reason=editor.author.reason, effective_from=begins)
    keep_rule(connection, tenant, place, definition=definition, note=note, now=now)
    return Published.HOLDS


def waiting(connection: Connection, tenant: TenantId) -> tuple[Proposal, ...]:
    """The changes that wait, the oldest first."""
    rows = connection.execute(_waiting(tenant).order_by(rule_proposals.c.id))
    return tuple(_proposal(row) for row in rows)


def find_waiting(connection: Connection, tenant: TenantId, proposal: int) -> Proposal | None:
    """One change that waits, None where the tenant has none of this id that does."""
    row = connection.execute(_waiting(tenant).where(rule_proposals.c.id == proposal)).one_or_none()
    return None if row is None else _proposal(row)


def approve(connection: Connection, tenant: TenantId, proposal: int, *, editor: Editor) -> Proposal:
    """Say yes to somebody else's change: it holds as they proposed it.

    Args:
        connection: A writing transaction.
        tenant: Whose rule.
        proposal: Which change.
        editor: Who says yes, when and why.

    Returns:
        What was approved.

    Raises:
        ProposalRefused: It waits no longer, is one's own, or makes no rule any more.
    """
    found = _held(connection, tenant, proposal)
    if found.author_key == editor.key:
        raise ProposalRefused(
            "You proposed this change yourself, and this district wants a second person. Ask "
            "another administrator to look at it and approve it."
        )
    now, change = editor.author.at, found.change
    begins = found.begins(now)
    entry = ScopedRule(
        id=_UNSAVED,
        scope=change.place.scope,
        target=change.place.target,
        version=_UNSAVED,
        effective_from=to_micros(begins),
        definition=change.definition,
    )
    try:
        proposed_book(connection, tenant, entry)
    except RuleRefused as error:
        raise ProposalRefused(
            f"With what holds by now this makes no rule: {error}. Decline it, and have it "
            "proposed anew."
        ) from error
    _require_not_overtaken(connection, tenant, change.place, begins=begins, now=now)
    _decide(connection, found, Outcome.APPROVED, author=editor.author)
    note = RuleNote(
        author=editor.author.by,
        reason=f"Proposed by {found.author}: {found.reason} Approved: {editor.author.reason}",
        effective_from=begins,
        is_agreed=True,
    )
    is_new = keep_rule(
        *(connection, tenant, change.place), definition=change.definition, note=note, now=now
    )
    if not is_new:
        _record(connection, tenant, found, after="approved; it is so already", author=editor.author)
    return found


def decline(connection: Connection, tenant: TenantId, proposal: int, *, editor: Editor) -> Proposal:
    """Say no to a change, or take one's own back.

    Args:
        connection: A writing transaction.
        tenant: Whose rule.
        proposal: Which change.
        editor: Who says no, when and why.

    Returns:
        What is not to be.

    Raises:
        ProposalRefused: It waits no longer.
    """  # noqa: DOC502 - raised by _held()
    found = _held(connection, tenant, proposal)
    is_own = found.author_key == editor.key
    outcome = Outcome.TAKEN_BACK if is_own else Outcome.DECLINED
    _decide(connection, found, outcome, author=editor.author)
    _record(connection, tenant, found, after=outcome.value, author=editor.author)
    return found


def _propose(
    connection: Connection, tenant: TenantId, change: RuleChange, *, editor: Editor
) -> None:
    author = editor.author
    values = {
        "tenant_id": tenant,
        "scope": change.place.scope.name.lower(),
        "target_id": change.place.target,
        "definition": json.dumps(dict(change.definition), sort_keys=True),
        "effective_from": change.begins,
        "author": author.by,
        "author_key": editor.key,
        "reason": author.reason,
        "proposed_at": author.at,
    }
    connection.execute(insert(rule_proposals).values(**values))
    said = rules.said_by_place(connection, tenant, now=author.at).get(change.place)
    told = author.change_of(
        PolicyKind.RULE,
        f"{place_in_words(connection, change.place)} (proposed)",
        before=as_json({} if said is None else said.definition),
        after=as_json(change.definition),
    )
    record_change(connection, tenant, told)


def _held(connection: Connection, tenant: TenantId, proposal: int) -> Proposal:
    """A change that waits, and that nobody else decides upon until this transaction is over.

    Raises:
        ProposalRefused: It waits no longer.
    """
    lock(connection, _DESK, tenant)
    found = find_waiting(connection, tenant, proposal)
    if found is None:
        raise ProposalRefused("This change waits no longer; somebody decided upon it.")
    return found


def _require_not_overtaken(
    connection: Connection, tenant: TenantId, place: RulePlace, *, begins: datetime, now: datetime
) -> None:
    versions = [one for one in rules.rule_versions(connection, tenant) if one.place == place]
    later = rules.overtaking(versions, begins=begins, now=now)
    if later is not None:
        raise ProposalRefused(
            f"Version {later.version} was set meanwhile for a later day and would go on holding. "
            "Decline this change, and have it proposed for today."
        )


def _decide(connection: Connection, found: Proposal, outcome: Outcome, *, author: Author) -> None:
    connection.execute(
        update(rule_proposals)
        .where(rule_proposals.c.id == found.id)
        .values(outcome=outcome.value, decided_by=author.by, decided_at=author.at)
    )


def _record(
    connection: Connection, tenant: TenantId, found: Proposal, *, after: str, author: Author
) -> None:
    name = place_in_words(connection, found.change.place)
    subject = f"{name} (proposed by {found.author})"
    told = author.change_of(PolicyKind.RULE, subject, before="proposed", after=after)
    record_change(connection, tenant, told)


def _waiting(tenant: TenantId) -> Select[Any]:
    return select(rule_proposals).where(
        rule_proposals.c.tenant_id == tenant, rule_proposals.c.outcome.is_(None)
    )


def _proposal(row: "Row[Any]") -> Proposal:
    return Proposal(
        id=row.id,
        change=RuleChange(
            place=RulePlace(scope=Scope[row.scope.upper()], target=row.target_id),
            definition=json.loads(row.definition),
            begins=row.effective_from,
        ),
        author=row.author,
        author_key=row.author_key,
        reason=row.reason,
        proposed_at=row.proposed_at,
    )
