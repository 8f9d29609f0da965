"""Where a rule is set by the names that persons use, and the rule that holds there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import numpy as np
from sqlalchemy import Connection

from lti_tool.cli_context import printable, the_one_called
from mapping.records import TenantId
from mapping.rules.rulebook import Enrolments, RuleBook
from mapping.rules.scopes import EffectiveRule, Scope, ScopedRule
from store import naming, rules
from store.naming import Thing
from store.rules import RulePlace

SCOPES = tuple(scope.name.lower() for scope in Scope if scope is not Scope.SYSTEM)
"""What a rule can be set for, by name."""
THINGS: Mapping[Scope, Thing] = {
    Scope.FRAMEWORK: Thing.FRAMEWORK,
    Scope.COURSE: Thing.COURSE,
    Scope.COMPETENCY: Thing.COMPETENCY,
}
"""What the target of a scope is."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 2**62
"""Higher than any version: what is proposed goes before what was said for the same moment."""
_ANYBODY = _ANYTHING = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPlace:
    """Where a rule is set, with what that is called.

    ``framework`` is the one that it belongs to, 0 for none or several.
    """

    place: RulePlace
    name: str
    framework: int = 0


def place_called(
    connection: Connection, tenant: TenantId, scope: str, *, target: str
) -> NamedPlace:
    """The place that somebody names.

    Args:
        connection: A transaction.
        tenant: Whose district.
        scope: One of ``SCOPES``.
        target: The number, code or title of what the scope is; empty for the district.

    Raises:
        UsageError: The target is missing, or there can be none.
        ClickException: There is nothing of this name, or more than one.
    """  # noqa: DOC502 - ClickException is raised by the_one_called()
    chosen = Scope[scope.upper()]
    if chosen is Scope.DISTRICT:
        if target:
            raise click.UsageError("Say with --scope what the target is.")
        return NamedPlace(place=rules.DISTRICT, name="The district")
    if not target:
        raise click.UsageError(f"Say which {scope}, with --target.")
    one = the_one_called(
        naming.called(connection, tenant, THINGS[chosen], name=target), target, scope
    )
    return NamedPlace(
        place=RulePlace(scope=chosen, target=one.id),
        name=f"{scope.capitalize()} {printable(one.name)}",
        framework=_framework(connection, chosen, one.id),
    )


def place_name(connection: Connection, tenant: TenantId, place: RulePlace) -> str:
    """What the target of a place is called, empty for a district's."""
    thing = THINGS.get(place.scope)
    found = (
        None if thing is None else naming.numbered(connection, tenant, thing, number=place.target)
    )
    return "" if found is None else found.name


def proposed(place: RulePlace, definition: Mapping[str, Any], begins: datetime) -> ScopedRule:
    """A version that was not saved."""
    return ScopedRule(
        id=_LAST,
        scope=place.scope,
        target=place.target,
        version=_LAST,
        effective_from=micros(begins),
        definition=definition,
    )


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970 in UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def rule_held(entries: Sequence[ScopedRule], named: NamedPlace, moment: datetime) -> EffectiveRule:
    """The rule that holds at a place and moment, where nothing narrower says otherwise.

    Args:
        entries: Every version of every scope.
        named: The place. A course speaks for competencies of any framework: what frameworks say
            is left out there.
        moment: The moment.
    """
    place = named.place
    is_competency, is_course = place.scope is Scope.COMPETENCY, place.scope is Scope.COURSE
    thing = place.target if is_competency else _ANYTHING
    above = {(Scope.SYSTEM, 0), (Scope.DISTRICT, 0), (Scope.FRAMEWORK, named.framework)}
    said = above | {(place.scope, place.target)}
    book = RuleBook.of(
        [entry for entry in entries if (entry.scope, entry.target) in said],
        at=micros(moment),
        framework_of={thing: named.framework},
        speaks=[(place.target, thing)] if is_course else [],
    )
    enrolled = np.array([place.target] if is_course else [], dtype=np.int64)
    there = Enrolments(learner=np.full(enrolled.shape, _ANYBODY), course=enrolled)
    held = book.assign(np.array([_ANYBODY]), np.array([thing]), there)
    return book.rules[int(held[0])]


def _framework(connection: Connection, scope: Scope, target: int) -> int:
    if scope is Scope.FRAMEWORK:
        return target
    return naming.framework_of(connection, target) if scope is Scope.COMPETENCY else 0
