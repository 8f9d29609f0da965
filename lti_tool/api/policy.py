"""What a district decided: frameworks, the mapping and the rules in force, and who changed what."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from lti_tool.api.operations import OPERATIONS, Call, Page, PageQuery, page_of
from lti_tool.api.problems import NotHere
from lti_tool.launch.services import services
from store import alignments, listed, rules
from store.api_tokens import Scope
from store.listed import After
from store.session import reading


class Framework(msgspec.Struct, frozen=True, kw_only=True):
    """A framework; ``identifier`` is its CASE GUID, or what an import made in its place."""

    id: int
    identifier: str
    title: str
    creator: str
    language: str
    licence: str


class Competency(msgspec.Struct, frozen=True, kw_only=True):
    """A competency; ``parent`` is the id of what it is part of."""

    id: int
    identifier: str
    code: str
    statement: str
    indicator: str
    parent: int | None
    is_strand: bool
    is_archived: bool


class MappingRule(msgspec.Struct, frozen=True, kw_only=True):
    """Which line items speak for a competency, by shell patterns; an empty one matches all."""

    framework: str
    competency: str
    course: str
    line_item: str
    category: str
    criterion: str
    weight: float
    kind: str


class MappingInForce(msgspec.Struct, frozen=True, kw_only=True):
    """The mapping in force, rules in order of precedence; ``id`` is null where there is none."""

    id: int | None
    rules: Sequence[MappingRule]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What one scope says of mastery; ``target`` is the id of a framework, course or competency."""

    version: int
    scope: str
    target: int
    definition: Mapping[str, Any]
    effective_from: datetime
    author: str
    reason: str


class RulesInForce(msgspec.Struct, frozen=True, kw_only=True):
    """What every scope says at present."""

    items: Sequence[Rule]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change: who, what, from what to what, when and why."""

    id: int
    kind: str
    subject: str
    before: str
    after: str
    by: str
    at: datetime
    reason: str
    course: int | None
    school: str


@OPERATIONS.add("GET", "/frameworks", scope=Scope.READ, answer=Page[Framework], query=PageQuery)
def list_frameworks(call: Call) -> Page[Framework]:
    """The district's frameworks, by id."""
    query: PageQuery = call.query
    part = After(id=query.after, most=query.limit + 1)
    with reading(services().engine) as connection:
        found = listed.frameworks_listed(connection, call.caller.tenant, part)
    told = [(one.id, msgspec.convert(one, Framework, from_attributes=True)) for one in found]
    return page_of(told, query.limit)


@OPERATIONS.add(
    "GET",
    "/frameworks/<row_id:framework_id>/competencies",
    scope=Scope.READ,
    answer=Page[Competency],
    query=PageQuery,
)
def list_competencies(call: Call) -> Page[Competency]:
    """A framework's competencies by id, archived ones included.

    Raises:
        NotHere: The district has no such framework.
    """
    query: PageQuery = call.query
    part = After(id=query.after, most=query.limit + 1)
    framework = call.ids["framework_id"]
    with reading(services().engine) as connection:
        if not listed.has_framework(connection, call.caller.tenant, framework):
            raise NotHere("framework")
        found = listed.competencies_listed(connection, framework, part)
    told = [(one.id, msgspec.convert(one, Competency, from_attributes=True)) for one in found]
    return page_of(told, query.limit)


@OPERATIONS.add("GET", "/mapping", scope=Scope.READ, answer=MappingInForce)
def get_mapping(call: Call) -> MappingInForce:
    """The mapping in force."""
    with reading(services().engine) as connection:
        current = alignments.mapping_in_force(connection, call.caller.tenant)
        found = alignments.rules_in_force(connection, call.caller.tenant)
    return MappingInForce(
        id=current,
        rules=[
            MappingRule(
                framework=one.framework,
                competency=one.competency,
                course=one.course,
                line_item=one.line_item,
                category=one.category,
                criterion=one.criterion,
                weight=one.weight,
                kind=one.kind.value,
            )
            for one in found
        ],
    )


@OPERATIONS.add("GET", "/rules", scope=Scope.READ, answer=RulesInForce)
def list_rules(call: Call) -> RulesInForce:
    """What every scope says of mastery at present; the built-in rule holds for the rest."""
    with reading(services().engine) as connection:
        found = rules.said_by_place(connection, call.caller.tenant, now=services().now())
    return RulesInForce(
        items=[
            Rule(
                version=one.version,
                scope=place.scope.name.lower(),
                target=place.target,
                definition=one.definition,
                effective_from=one.effective_from,
                author=one.author,
                reason=one.reason,
            )
            for place, one in found.items()
        ]
    )


@OPERATIONS.add("GET", "/changes", scope=Scope.READ, answer=Page[Change], query=PageQuery)
def list_changes(call: Call) -> Page[Change]:
    """The trail of changes, the newest first."""
    query: PageQuery = call.query
    part = After(id=query.after, most=query.limit + 1)
    with reading(services().engine) as connection:
        found = listed.changes_listed(connection, call.caller.tenant, part)
    told = [(one.id, msgspec.convert(one, Change, from_attributes=True)) for one in found]
    return page_of(told, query.limit)
