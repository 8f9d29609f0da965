"""What is said where about mastery, for whoever visits."""

from datetime import datetime

from sqlalchemy import Connection

from lti_tool import said_rules
from lti_tool.guards import NotThere, Visit
from lti_tool.said_rules import SCOPES, Said, newest_version
from store import rules
from store.rules import DISTRICT, RulePlace, StoredRule

__all__ = [
    "SCOPES",
    "Said",
    "newest_version",
    "place_here",
    "said_at",
    "said_everywhere",
    "version_of",
]


def said_at(connection: Connection, visit: Visit, place: RulePlace, *, now: datetime) -> Said:
    """What is said at a place of the visitor's district."""
    return said_rules.said_at(connection, visit.record.tenant, place, now=now)


def said_everywhere(connection: Connection, visit: Visit, *, now: datetime) -> list[Said]:
    """What holds at every place that says something, the district first."""
    said = rules.said_by_place(connection, visit.record.tenant, now=now)
    places = sorted(said.keys() | {DISTRICT}, key=lambda one: (one.scope, one.target))
    return [
        said_at(connection, visit, place, now=now)
        for place in places
        if place == DISTRICT or said[place].definition
    ]


def version_of(said: Said, number: int) -> StoredRule:
    """A version of a place by its number.

    Raises:
        NotThere: It has none of this number.
    """
    for one in said.versions:
        if one.version == number:
            return one
    raise NotThere


def place_here(connection: Connection, visit: Visit, scope: str, *, target: int) -> RulePlace:
    """The place that an address names.

    Raises:
        NotThere: It is none of the visitor's district.
    """
    found = said_rules.place_at(connection, visit.record.tenant, scope, target=target)
    if found is None:
        raise NotThere
    return found
