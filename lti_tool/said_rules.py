"""What is said where about mastery, for pages and programs alike: places, versions, what holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from lti_tool.rule_places import NamedPlace, place_name, proposed, rule_held
from mapping.records import TenantId
from mapping.rules.mastery_rule import RuleRefused
from mapping.rules.scopes import EffectiveRule, Scope
from store import naming, rules
from store.grounds import proposed_book
from store.rules import RulePlace, StoredRule

SCOPES = (Scope.DISTRICT, Scope.FRAMEWORK, Scope.COURSE, Scope.COMPETENCY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said at one place, and the rule that holds there by it.

    ``versions`` are all that were ever said there, the newest first; ``version`` is the one in
    force, None where nothing was said.
    """

    named: NamedPlace
    versions: Sequence[StoredRule]
    version: StoredRule | None
    held: EffectiveRule

    @property
    def former(self) -> StoredRule | None:
        """What was in force before and said something else, None for nothing."""
        if self.version is None:
            return None
        now = self.version
        begun = (one for one in self.versions if one != now and _held_before(one, now))
        others = [one for one in begun if one.definition != now.definition]
        return rules.in_force(others, now.effective_from)

    def is_in_force(self, one: StoredRule) -> bool:
        """Whether this version is the one in force."""
        return self.version is not None and one.id == self.version.id

    def is_to_come(self, one: StoredRule) -> bool:
        """Whether this version will take force on a day to come and change something then."""
        if self.version is not None and one.effective_from <= self.version.effective_from:
            return False
        last = rules.in_force(self.versions, one.effective_from)
        return last == one and one.definition != self.without(one)

    def without(self, one: StoredRule) -> Mapping[str, Any]:
        """What would be said from a version's first moment on without it."""
        others = [other for other in self.versions if other.effective_from < one.effective_from]
        before = rules.in_force(others, one.effective_from)
        return {} if before is None else before.definition


def _held_before(one: StoredRule, now: StoredRule) -> bool:
    """Whether a version was ever in force: some are called off before their day."""
    if one.effective_from != now.effective_from or now.recorded_at is None:
        return True
    return now.recorded_at >= now.effective_from


def said_at(connection: Connection, tenant: TenantId, place: RulePlace, *, now: datetime) -> Said:
    """What is said at a place of a tenant."""
    found = rules.rule_versions(connection, tenant)
    versions = [one for one in reversed(found) if one.place == place]
    named = named_place(connection, tenant, place)
    begun = [one for one in versions if one.effective_from <= now]
    return Said(
        named=named,
        versions=versions,
        version=rules.in_force(begun, now),
        held=rule_held(rules.scoped_rules(connection, tenant), named, now),
    )


def place_at(
    connection: Connection, tenant: TenantId, scope: str, *, target: int
) -> RulePlace | None:
    """The place of a scope's name and a number, 0 for the district; None where there is none."""
    known = {one.name.lower(): one for one in SCOPES}
    if scope not in known:
        return None
    place = RulePlace(scope=known[scope], target=target)
    is_district = place.scope is Scope.DISTRICT
    if is_district != (target == 0):
        return None
    return place if is_district or place_name(connection, tenant, place) else None


def rule_tried(
    connection: Connection,
    tenant: TenantId,
    said: Said,
    *,
    definition: Mapping[str, Any],
    begins: datetime,
    now: datetime,
) -> EffectiveRule:
    """The rule that a change would make at a place, found good together with all others.

    Args:
        connection: A transaction.
        tenant: Whose rules.
        said: What is said at the place.
        definition: What would be said.
        begins: From when on.
        now: The moment.

    Raises:
        RuleRefused: It makes no rule, or would not hold though its day has been.
    """
    later = rules.overtaking(said.versions, begins=begins, now=now)
    if later is not None:
        problem = (
            f"Version {later.version} was set for a later day and would go on holding. Choose a "
            "day after it began, or leave the day empty."
        )
        raise RuleRefused([problem])
    entry = proposed(said.named.place, definition, begins)
    proposed_book(connection, tenant, entry)
    return rule_held((*rules.scoped_rules(connection, tenant), entry), said.named, begins)


def named_place(connection: Connection, tenant: TenantId, place: RulePlace) -> NamedPlace:
    """A place with what it is called."""
    if place.scope is Scope.DISTRICT:
        return NamedPlace(place=place, name="The district")
    framework = 0
    if place.scope is Scope.FRAMEWORK:
        framework = place.target
    elif place.scope is Scope.COMPETENCY:
        framework = naming.framework_of(connection, place.target)
    name = f"{place.scope.name.capitalize()} {place_name(connection, tenant, place)}"
    return NamedPlace(place=place, name=name, framework=framework)


def newest_version(connection: Connection, tenant: TenantId) -> str:
    """What tells that no rule was changed since a page was shown."""
    versions = rules.rule_versions(connection, tenant)
    return str(versions[-1].version) if versions else "0"
