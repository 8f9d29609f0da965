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
from store.tables import competencies, courses, frameworks

_NAMES = {
    Scope.FRAMEWORK: (frameworks, frameworks.c.title),
    Scope.COURSE: (courses, courses.c.title),
    Scope.COMPETENCY: (competencies, competencies.c.code + " " + competencies.c.statement),
}


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
    """
    count = len(rules.rule_versions(connection, tenant))
    said = rules.said_by_place(connection, tenant, now=now).get(place)
    rules.save_rule(connection, tenant, definition, now=now, place=place, note=note)
    if len(rules.rule_versions(connection, tenant)) == count:
        return False
    author = Author(by=note.author, at=now, reason=note.reason)
    change = author.change_of(
        PolicyKind.RULE,
        _name(connection, place),
        before=_as_json({} if said is None else said.definition),
        after=_as_json(definition),
    )
    record_change(connection, tenant, change)
    return True


def _name(connection: Connection, place: RulePlace) -> str:
    if place.scope not in _NAMES:
        return "The district"
    table, name = _NAMES[place.scope]
    found = connection.execute(select(name).where(table.c.id == place.target)).scalar()
    return f"{place.scope.name.capitalize()} {found or place.target}"


def _as_json(definition: Mapping[str, Any]) -> str:
    return json.dumps(dict(definition), sort_keys=True, ensure_ascii=False) if definition else ""
