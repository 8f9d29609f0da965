"""Frameworks: which there are, what is in them, their versions; taken out, put away."""

from datetime import datetime
from typing import Literal

import msgspec

from lti_tool.api.fields import Reason
from lti_tool.api.operations import OPERATIONS, Call, Page, PageQuery, page_of
from lti_tool.api.problems import NotHere
from lti_tool.framework_files import Export, export_of
from lti_tool.launch.services import services
from mapping.records import TenantId
from store import framework_shelf, listed
from store.api_tokens import Scope
from store.framework_imports import versions_of
from store.framework_shelf import ListedFramework
from store.listed import After
from store.session import reading, writing


class Framework(msgspec.Struct, frozen=True, kw_only=True):
    """A framework; ``identifier`` is its CASE GUID, or what an import made in its place.

    ``present`` and ``archived`` are numbers of competencies, ``archived_at`` is when the framework
    itself was put away.
    """

    id: int
    identifier: str
    title: str
    creator: str
    language: str
    licence: str
    address: str
    is_local: bool
    archived_at: datetime | None
    present: int
    archived: int
    versions: int
    changed_at: datetime | None


class FrameworkVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A framework as it once became: by whom, from where, and how many competencies changed."""

    number: int
    at: datetime
    by: str
    source: str
    form: str
    added: int
    changed: int
    archived: int
    restored: int


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


class ExportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As what a framework is taken out: CASE 1.1, or CSV that a spreadsheet opens safely."""

    format: Literal["case", "csv"] = "case"


class NewState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a framework is used, and why."""

    state: Literal["in use", "archived"]
    reason: Reason = ""


@OPERATIONS.add("GET", "/frameworks", scope=Scope.READ, answer=Page[Framework], query=PageQuery)
def list_frameworks(call: Call) -> Page[Framework]:
    """The district's frameworks by id, archived ones included."""
    query: PageQuery = call.query
    with reading(services().engine) as connection:
        found = framework_shelf.all_frameworks(connection, call.caller.tenant)
    behind = [one for one in found if query.after is None or one.id > query.after]
    return page_of([(one.id, _told(one)) for one in behind[: query.limit + 1]], query.limit)


@OPERATIONS.add("GET", "/frameworks/<row_id:framework_id>", scope=Scope.READ, answer=Framework)
def get_framework(call: Call) -> Framework:
    """One framework."""
    return told_framework(call.caller.tenant, call.ids["framework_id"])


@OPERATIONS.add(
    "GET",
    "/frameworks/<row_id:framework_id>/versions",
    scope=Scope.READ,
    answer=Page[FrameworkVersion],
    query=PageQuery,
)
def list_framework_versions(call: Call) -> Page[FrameworkVersion]:
    """What a framework became over time, the newest first, by number."""
    query: PageQuery = call.query
    told_framework(call.caller.tenant, call.ids["framework_id"])
    with reading(services().engine) as connection:
        found = versions_of(connection, call.ids["framework_id"])
    behind = [one for one in found if query.after is None or one.number < query.after]
    told = [
        (one.number, msgspec.convert(one, FrameworkVersion, from_attributes=True))
        for one in behind[: query.limit + 1]
    ]
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


@OPERATIONS.add(
    "GET",
    "/frameworks/<row_id:framework_id>/export",
    scope=Scope.READ,
    answer=Export,
    query=ExportQuery,
    files=("application/json", "text/csv"),
)
def export_framework(call: Call) -> Export:
    """A framework as a file, without what is archived.

    Raises:
        NotHere: The district has no such framework.
    """
    query: ExportQuery = call.query
    with reading(services().engine) as connection:
        found = export_of(
            *(connection, call.caller.tenant, call.ids["framework_id"]),
            form=query.format,
            base=services().origin,
        )
    if found is None:
        raise NotHere("framework")
    return found


@OPERATIONS.add(
    "PUT",
    "/frameworks/<row_id:framework_id>/state",
    scope=Scope.DESIGN,
    answer=Framework,
    takes=NewState,
    example={"state": "archived", "reason": "A new curriculum."},
)
def set_framework_state(call: Call) -> Framework:
    """Put a framework away, or take it up again; statuses in it are kept."""
    wanted: NewState = call.body
    acts = {
        "archived": framework_shelf.archive_framework,
        "in use": framework_shelf.restore_framework,
    }
    tenant, framework = call.caller.tenant, call.ids["framework_id"]
    with writing(services().engine) as connection:
        found = framework_shelf.all_frameworks(connection, tenant, only=framework)
        for one in found:
            author = call.caller.author(wanted.reason)
            acts[wanted.state](connection, tenant, one, author=author)
    return told_framework(tenant, framework)


def told_framework(tenant: TenantId, framework: int) -> Framework:
    """A framework of the district.

    Raises:
        NotHere: It has none of this id.
    """
    with reading(services().engine) as connection:
        found = framework_shelf.all_frameworks(connection, tenant, only=framework)
    if not found:
        raise NotHere("framework")
    return _told(found[0])


def _told(one: ListedFramework) -> Framework:
    return msgspec.convert(one, Framework, from_attributes=True)
