"""Rules kept together with who changed them: what the desk, the commands and files go through."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from mapping.records import TenantId
from mapping.rules.scopes import Scope
from store import rules
from store.policy_changes import Author, PolicyKind, record_change
from store.rules import RuleNote, RulePlace
from store.second_person import needs_second
from store.session import lock
from store.tables import competencies, courses, frameworks

LOCKED = "rules"
"""What is locked while a rule is looked at and changed."""
_NAMES = {
    Scope.FRAMEWORK: (frameworks, frameworks.c.title),
    Scope.COURSE: (courses, courses.c.title),
    Scope.COMPETENCY: (competencies, competencies.c.code + " " + competencies.c.statement),
}


class SecondPersonNeeded(Exception):  # noqa: N818 - named for what happened
    """The district wants a second person's yes before a rule takes force."""


def keep_rule(
    connection: Connection,
    tenant: TenantId,
    place: RulePlace,
    *,
    definition: Mapping[str, Any],
    note: RuleNote,
    now: datetime,
) -> bool:
    """Have a place say something, and keep in the trail that it was changed.

    Args:
        connection: A writing transaction.
        tenant: Whose rule.
        place: Where.
        definition: What is said there from now on; empty for nothing any more.
        note: Who says so and why, and from when on.
        now: When.

    Returns:
        Whether that is anything new.

    Raises:
        SecondPersonNeeded: It is, and nobody else agreed to it.
    """
    lock(connection, LOCKED, tenant)
    begins = note.effective_from or now
    if not rules.is_news(connection, tenant, definition, place=place, begins=begins):
        return False
    if not note.is_agreed and needs_second(connection, tenant):
        raise SecondPersonNeeded
    said = rules.said_by_place(connection, tenant, now=now).get(place)
    rules.save_rule(connection, tenant, definition, now=now, place=place, note=note)
    author = Author(by=note.author, at=now, reason=note.reason)
    change = author.change_of(
        PolicyKind.RULE,
        place_in_words(connection, place),
        before=as_json({} if said is None else said.definition),
        after=as_json(definition),
    )
    record_change(connection, tenant, change)
    return True


def place_in_words(connection: Connection, place: RulePlace) -> str:
    """What the trail calls a place."""
    if place.scope not in _NAMES:
        return "The district"
    table, name = _NAMES[place.scope]
    found = connection.execute(select(name).where(table.c.id == place.target)).scalar()
    return f"{place.scope.name.capitalize()} {found or place.target}"


def as_json(definition: Mapping[str, Any]) -> str:
    """What a place says, for the trail; empty for nothing."""
    return json.dumps(dict(definition), sort_keys=True, ensure_ascii=False) if definition else ""
