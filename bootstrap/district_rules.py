"""The rules of a district file: the district's own, and those of narrower scopes.

What the file says holds; a rule that it says no longer is withdrawn. Rules that persons set in
another way for a narrower scope stay as they are, unless the file says something of the same.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from interchange.errors import FileRefused
from mapping.records import CourseRef, TenantId
from mapping.rules.scopes import Scope, ScopeRefused
from store import frameworks, registrations, rules
from store.grounds import check_rules
from store.rule_trail import keep_rule
from store.rules import DISTRICT, RulePlace

AUTHOR = "district file"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEntry:
    """A rule of a narrower scope: of a framework, of a competency of one, or of a course."""

    definition: Mapping[str, Any]
    framework: str = ""
    competency: str = ""
    course: str = ""
    reason: str = ""

    @property
    def shape_problem(self) -> str:
        """What is wrong with the place it names, empty for nothing."""
        if not self.definition:
            return "its rule says nothing; leave the entry out instead."
        if self.course and (self.framework or self.competency):
            return "it names a course and a framework or competency; a rule has one place."
        if self.course and not all(self.course.partition(":")):
            return 'a course is written as its platform\'s name and its id: "Canvas:101".'
        if not self.course and not self.framework:
            return "it names no place: give framework, framework and competency, or course."
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictRules:
    """What a file says of rules: the district's definition, and entries of narrower scopes."""

    district: Mapping[str, Any]
    entries: Sequence[RuleEntry]


@dataclass(slots=True, kw_only=True)
class _Found:
    """Entries by their place; what is wrong, and what is only not known yet."""

    places: dict[RulePlace, tuple[int, RuleEntry]]
    problems: list[str]
    unknown: list[str]


def save_district_rules(
    connection: Connection, tenant: TenantId, said: DistrictRules, *, now: datetime
) -> Sequence[str]:
    """Have the rules of a file hold from now on.

    Args:
        connection: A writing transaction; the frameworks are saved.
        tenant: Whose rules.
        said: What the file says.
        now: The moment.

    Returns:
        A sentence for each rule of a course that no LMS has told of yet.

    Raises:
        FileRefused: An entry names what is not there, or rules make none together; every such
            entry is named.
    """
    found = _places(connection, tenant, said.entries)
    if found.problems:
        raise FileRefused(found.problems)
    note = rules.RuleNote(author=AUTHOR, is_agreed=True)
    keep = partial(keep_rule, connection, tenant, now=now)
    keep(DISTRICT, definition=said.district, note=note)
    for place in _withdrawn(connection, tenant, found.places.keys(), now=now):
        keep(place, definition={}, note=note)
    for place, (_, entry) in found.places.items():
        why = rules.RuleNote(author=AUTHOR, reason=entry.reason, is_agreed=True)
        keep(place, definition=entry.definition, note=why)
    problems = _refusals(connection, tenant, found, now=now)
    if problems:
        raise FileRefused(problems)
    return found.unknown


def _withdrawn(
    connection: Connection,
    tenant: TenantId,
    kept: Container[RulePlace],
    *,
    now: datetime,
) -> list[RulePlace]:
    return [
        place
        for place, one in rules.said_by_place(connection, tenant, now=now).items()
        if one.author == AUTHOR and place != DISTRICT and place not in kept and one.definition
    ]


def _places(connection: Connection, tenant: TenantId, entries: Sequence[RuleEntry]) -> _Found:
    found = _Found(places={}, problems=[], unknown=[])
    for number, entry in enumerate(entries, 1):
        problem = entry.shape_problem
        place = None if problem else _place(connection, tenant, entry)
        if place is None and not problem and entry.course:
            found.unknown.append(
                f"rules, entry {number}: no LMS has told of the course {entry.course} yet; load "
                "the file again after the first night."
            )
        elif place is None:
            found.problems.append(f"rules, entry {number}: {problem or _absent(entry)}")
        elif place in found.places:
            twin = found.places[place][0]
            found.problems.append(f"rules, entry {number}: entry {twin} is for the same.")
        else:
            found.places[place] = (number, entry)
    return found


def _place(connection: Connection, tenant: TenantId, entry: RuleEntry) -> RulePlace | None:
    if entry.course:
        return _course_place(connection, tenant, entry.course)
    if not entry.competency:
        number = frameworks.framework_id(connection, tenant, entry.framework)
        return None if number is None else RulePlace(scope=Scope.FRAMEWORK, target=number)
    known = {
        (one.framework, one.code): one.id for one in frameworks.competencies_of(connection, tenant)
    }
    competency = known.get((entry.framework, entry.competency))
    return None if competency is None else RulePlace(scope=Scope.COMPETENCY, target=competency)


def _course_place(connection: Connection, tenant: TenantId, course: str) -> RulePlace | None:
    name, _, ref = course.partition(":")
    for platform in registrations.platforms(connection, tenant):
        if platform.name == name:
            number = registrations.find_course(connection, platform.id, CourseRef(ref))
            return None if number is None else RulePlace(scope=Scope.COURSE, target=number)
    return None


def _absent(entry: RuleEntry) -> str:
    if entry.competency:
        return f"the framework {entry.framework!r} has no competency {entry.competency!r}."
    return f"there is no framework {entry.framework!r}; name it by its identifier."


def _refusals(
    connection: Connection, tenant: TenantId, found: _Found, *, now: datetime
) -> list[str]:
    """What makes no rule together; after each such entry the others are asked without it."""
    problems = []
    left = dict(found.places)
    while True:
        try:
            check_rules(connection, tenant, now=now)
        except ScopeRefused as error:
            place = RulePlace(scope=error.scope, target=error.target)
            said = " ".join(error.problems)
            problems.append(f"rules, entry {left[place][0]}: {said}" if place in left else said)
            if left.pop(place, None) is None:
                return problems
            rules.withdraw_rule(connection, tenant, now=now, place=place)
        else:
            return problems
