"""The mapping: the set in force, those before it, and the way back to one of them."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

import msgspec
from sqlalchemy import Connection

from lti_tool.api.fields import NeededReason, Seen
from lti_tool.api.operations import OPERATIONS, Call, Page, PageQuery, page_of
from lti_tool.api.problems import NotHere, Refused
from lti_tool.launch.services import services
from mapping.records import EvidenceKind
from mapping.records import MappingRule as RuleRecord
from mapping.steps import steps_text
from store import alignments, mapping_publishing
from store.api_tokens import Scope
from store.mapping_drafts import MOST_RULES
from store.mapping_publishing import PublishingRefused
from store.mapping_publishing import Version as StoredVersion
from store.second_person import needs_second
from store.session import reading, writing

_NAMED = r"^[^\x00]*[^\x00\s][^\x00]*$"

_Name = Annotated[str, msgspec.Meta(max_length=512, pattern=_NAMED)]
Pattern = Annotated[str, msgspec.Meta(max_length=512, pattern=r"^[^\x00]*$")]


class MappingRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which line items speak for a competency, by shell patterns; an empty one matches all.

    A competency ``*`` means those of the framework that the LMS itself links the work to;
    ``counts_as`` is empty where a score is taken as it is, else ``pass 60`` or the percents at
    which the second, third and further levels begin, as ``50 70 90``.
    """

    framework: _Name
    competency: _Name
    school: Pattern = ""
    course: Pattern = ""
    line_item: Pattern = ""
    category: Pattern = ""
    criterion: Pattern = ""
    weight: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] = 1.0
    kind: EvidenceKind = EvidenceKind.SKILL
    counts_as: Annotated[str, msgspec.Meta(max_length=64)] = ""


Rules = Annotated[Sequence[MappingRule], msgspec.Meta(max_length=MOST_RULES)]


class MappingInForce(msgspec.Struct, frozen=True, kw_only=True):
    """The mapping in force, rules in order of precedence.

    ``id`` and ``version`` are null where there is none; ``needs_second`` says that a draft is
    published by another person than the one who changed it last; ``seen`` goes back with a request
    to restore a version.
    """

    id: int | None
    version: int | None
    needs_second: bool
    seen: str
    rules: Sequence[MappingRule]


class MappingVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping set that is or was in force; ``restored`` is whose rules came back with it."""

    version: int
    title: str
    author: str
    reason: str
    published_at: datetime
    effective_from: datetime | None
    restored: int | None
    count: int
    is_in_force: bool


class WholeMappingVersion(MappingVersion, frozen=True, kw_only=True):
    """A mapping set with its rules."""

    rules: Sequence[MappingRule]


class Restoring(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Going back to a version: why, and what was in force at the last look."""

    seen: Seen
    reason: NeededReason


@OPERATIONS.add("GET", "/mapping", scope=Scope.READ, answer=MappingInForce)
def get_mapping(call: Call) -> MappingInForce:
    """The mapping in force."""
    tenant = call.caller.tenant
    with reading(services().engine) as connection:
        versions = mapping_publishing.versions_of(connection, tenant)
        found = alignments.rules_in_force(connection, tenant)
        is_second = needs_second(connection, tenant)
    return MappingInForce(
        id=versions[0].id if versions else None,
        version=versions[0].version if versions else None,
        needs_second=is_second,
        seen=str(versions[0].version if versions else 0),
        rules=rules_told(found),
    )


@OPERATIONS.add(
    "GET", "/mapping/versions", scope=Scope.READ, answer=Page[MappingVersion], query=PageQuery
)
def list_mapping_versions(call: Call) -> Page[MappingVersion]:
    """Every mapping set that was ever published, the newest first, by version."""
    query: PageQuery = call.query
    with reading(services().engine) as connection:
        found = mapping_publishing.versions_of(connection, call.caller.tenant)
    behind = [one for one in found if query.after is None or one.version < query.after]
    told = [(one.version, version_told(one)) for one in behind[: query.limit + 1]]
    return page_of(told, query.limit)


@OPERATIONS.add(
    "GET", "/mapping/versions/<row_id:version>", scope=Scope.READ, answer=WholeMappingVersion
)
def get_mappingversion_here(call: Call) -> WholeMappingVersion:
    """A version with its rules."""
    with reading(services().engine) as connection:
        found = version_here(connection, call)
        rules = alignments.rules_of(connection, found.id)
    told = msgspec.structs.asdict(version_told(found))
    return WholeMappingVersion(**told, rules=rules_told(rules))


@OPERATIONS.add(
    "POST",
    "/mapping/versions/<row_id:version>/restore",
    scope=Scope.DESIGN,
    answer=MappingVersion,
    takes=Restoring,
    example={"seen": "4", "reason": "Version 4 left the essays out."},
)
def restore_mapping(call: Call) -> MappingVersion:
    """Put the rules of a former version in force again, as a new version.

    Raises:
        NotHere: There is no such version.
        Refused: Its rules are in force, or another version is than was seen.
    """
    wanted: Restoring = call.body
    author = call.caller.author(wanted.reason.strip())
    try:
        with writing(services().engine) as connection:
            done = mapping_publishing.roll_back(
                *(connection, call.caller.tenant, call.ids["version"]),
                author=author,
                seen=int(wanted.seen),
            )
    except PublishingRefused as error:
        raise Refused(HTTPStatus.CONFLICT, str(error)) from error
    if done is None:
        raise NotHere("version")
    return version_told(done)


def version_here(connection: Connection, call: Call) -> StoredVersion:
    """The version that the address names.

    Raises:
        NotHere: There is none of this number.
    """
    for one in mapping_publishing.versions_of(connection, call.caller.tenant):
        if one.version == call.ids["version"]:
            return one
    raise NotHere("version")


def version_told(one: StoredVersion) -> MappingVersion:
    """A version as programs read it."""
    return MappingVersion(
        version=one.version,
        title=one.title,
        author=one.author,
        reason=one.reason,
        published_at=one.published_at,
        effective_from=one.effective_from,
        restored=one.restored,
        count=one.rules,
        is_in_force=one.is_in_force,
    )


def rules_told(rules: Sequence[RuleRecord]) -> list[MappingRule]:
    """Rules as programs read and write them, in their order."""
    return [
        MappingRule(
            framework=one.framework,
            competency=one.competency,
            school=one.school,
            course=one.course,
            line_item=one.line_item,
            category=one.category,
            criterion=one.criterion,
            weight=one.weight,
            kind=one.kind,
            counts_as=steps_text(one.steps),
        )
        for one in rules
    ]
