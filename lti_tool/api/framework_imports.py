"""Files of frameworks: sent, looked at line by line, and brought in as they were looked at."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Connection

from interchange.errors import FileRefused
from interchange.framework_csv import FIELDS, guessed_columns
from interchange.framework_file import FileFormat
from interchange.imported import Imported
from interchange.tabular import header_of
from lti_tool.api.fields import Digest, Reason, Word
from lti_tool.api.frameworks import Framework, told_framework
from lti_tool.api.operations import OPERATIONS, Call, Page, RowId, page_of
from lti_tool.api.problems import ChangedSince, NotHere, Unusable
from lti_tool.framework_files import MOST_BYTES, Sent, brought, read_sent
from lti_tool.launch.services import services
from mapping.progressions.graph import HierarchyRefused
from mapping.records import CompetencyId, TenantId
from store import framework_drafts
from store.api_tokens import Scope
from store.framework_diffs import FrameworkDiff, framework_diff
from store.framework_drafts import FrameworkDraft
from store.framework_imports import bring_in, digest_of
from store.framework_shelf import concerned
from store.frameworks import framework_id
from store.session import lock, reading, writing

MOST_LINES = 5_000
_TEXTS = ("identifier", "title", "language", "form")
_CSV = FileFormat.CSV.value

_Identifier = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[^\x00]*$")]
_Language = Annotated[str, msgspec.Meta(max_length=16, pattern=r"^[^\x00]*$")]
_Named = Annotated[str, msgspec.Meta(max_length=512, pattern=r"^[^\x00]*$")]


class FileQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said of a file; empty is for what is in it to say."""

    name: Word = "file"
    format: FileFormat | None = None
    identifier: _Identifier = ""
    title: _Named = ""
    language: _Language = ""


class LineQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lines: at most ``limit`` behind the one numbered ``after``."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_LINES)] = 200
    after: RowId | None = None


class FrameworkImport(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was sent, and what it would do; it is kept for a day.

    ``lines`` counts what it would do by kind; ``seen`` stands for all of it, and is null where
    ``problems`` say why the file cannot be used as it is. ``header`` and ``columns`` are of a plain
    CSV, where a column's field may be said otherwise.
    """

    id: int
    name: str
    format: str
    identifier: str = ""
    title: str = ""
    language: str = ""
    is_new: bool = False
    header: Sequence[str] = ()
    columns: Mapping[str, str] = {}
    lines: Mapping[str, int] = {}
    problems: Sequence[str] = ()
    seen: str | None = None


class ImportLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a file would do, or a record that it would not.

    ``kind`` is "added", "changed", "restored" or "archived" of a competency; "detail" of the
    framework itself; "skipped" for a record that is fine and not kept, "fault" for one that is
    wrong, "unresolved" for a link out of the file, "warning", and "problem" where the file cannot
    be used as it is. ``was`` has the fields that change, as they are. ``learners`` stand in an
    archived competency, ``alignments`` speak for it.
    """

    number: int
    kind: str
    code: str = ""
    statement: str = ""
    was: Mapping[str, str | bool | None] = {}
    why: str = ""
    learners: int = 0
    alignments: int = 0


class NewColumns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the columns of a plain CSV are: for each field the name of its column."""

    columns: Annotated[dict[str, Word], msgspec.Meta(max_length=len(FIELDS))]


class Applying(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bringing a file in as it was looked at; ``is_partly`` leaves wrong records out."""

    seen: Digest
    is_partly: bool = False
    reason: Reason = ""


@OPERATIONS.add(
    "POST",
    "/framework-imports",
    scope=Scope.DESIGN,
    answer=FrameworkImport,
    takes=bytes,
    query=FileQuery,
    status=HTTPStatus.CREATED,
    most_bytes=MOST_BYTES,
)
def send_framework(call: Call) -> FrameworkImport:
    """Send a file, CASE or CSV, to see what it would change; nothing is brought in.

    Raises:
        Unusable: It is no file of a framework.
    """
    query: FileQuery = call.query
    said = "" if query.format is None else query.format.value
    sent = Sent(name=query.name, content=call.body, form=said)
    try:
        if not sent.content:
            raise Unusable("Send a file; this one is empty.")
        form = sent.found_form()
        if form is not FileFormat.CASE:
            header_of(sent.content)
    except FileRefused as error:
        raise Unusable(str(error), error.problems) from error
    choices = {
        "identifier": query.identifier.strip(),
        "title": query.title.strip(),
        "language": query.language.strip(),
        "form": form.value,
    }
    by = call.caller.author()
    with writing(services().engine) as connection:
        draft = framework_drafts.keep_draft(
            *(connection, call.caller.tenant),
            name=query.name or "file",
            content=sent.content,
            choices=choices,
            by=by.by,
            now=by.at,
        )
        return _told(connection, call.caller.tenant, _draft(connection, call, draft))


@OPERATIONS.add(
    "GET",
    "/framework-imports/<row_id:import_id>",
    scope=Scope.DESIGN,
    answer=FrameworkImport,
)
def get_framework_import(call: Call) -> FrameworkImport:
    """A file that was sent, and what it would do now."""
    with reading(services().engine) as connection:
        return _told(connection, call.caller.tenant, _draft(connection, call))


@OPERATIONS.add(
    "GET",
    "/framework-imports/<row_id:import_id>/lines",
    scope=Scope.DESIGN,
    answer=Page[ImportLine],
    query=LineQuery,
)
def list_import_lines(call: Call) -> Page[ImportLine]:
    """All that a file would add, change, archive and leave out, one by one."""
    query: LineQuery = call.query
    begin = 0 if query.after is None else query.after
    with reading(services().engine) as connection:
        looked = _looked(connection, call.caller.tenant, _draft(connection, call))
        part = list(_lines(looked))[begin : begin + query.limit + 1]
        gone = concerned(connection, [one.gone for one in part if one.gone is not None])
    told = []
    for one in part:
        whom = None if one.gone is None else gone.get(one.gone)
        line = one.line
        if whom is not None:
            line = msgspec.structs.replace(line, learners=whom.learners, alignments=whom.alignments)
        told.append((line.number, line))
    return page_of(told, query.limit)


@OPERATIONS.add(
    "PUT",
    "/framework-imports/<row_id:import_id>/columns",
    scope=Scope.DESIGN,
    answer=FrameworkImport,
    takes=NewColumns,
    example={"columns": {"code": "Nummer", "statement": "Kompetenz"}},
)
def set_import_columns(call: Call) -> FrameworkImport:
    """Say what the columns of a plain CSV are; a field that is not named has none.

    Raises:
        Unusable: The file has no such column, or no columns at all, or there is no such field.
    """
    wanted: NewColumns = call.body
    with writing(services().engine) as connection:
        draft = _draft(connection, call)
        header = _header(draft)
        unknown = [
            *(f"There is no field {one!r}." for one in wanted.columns if one not in FIELDS),
            *(
                f"There is no column {one!r}."
                for one in wanted.columns.values()
                if one not in header
            ),
        ]
        if unknown:
            known = (
                f"The fields are {', '.join(FIELDS)}; the columns of a plain CSV stand in header."
            )
            raise Unusable(known, unknown)
        columns = {name: header.index(column) for name, column in wanted.columns.items()}
        framework_drafts.choose(connection, draft.id, {**draft.choices, "columns": columns})
        return _told(connection, call.caller.tenant, _draft(connection, call))


@OPERATIONS.add(
    "POST",
    "/framework-imports/<row_id:import_id>/apply",
    scope=Scope.DESIGN,
    answer=Framework,
    takes=Applying,
    example={
        "seen": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "reason": "The curriculum of 2027.",
    },
)
def apply_framework_import(call: Call) -> Framework:
    """Bring a framework in as it was looked at.

    What it no longer holds is archived, and its statuses are kept.

    Raises:
        ChangedSince: The file would do something else by now.
        Unusable: It cannot be used, or records are wrong and were not to be left out.
    """
    wanted: Applying = call.body
    tenant = call.caller.tenant
    with writing(services().engine) as connection:
        # Whoever changes a framework holds this, so what is compared is what is brought in.
        lock(connection, "frameworks", tenant)
        draft = _draft(connection, call)
        looked = _looked(connection, tenant, draft)
        if looked.imported is None or looked.diff is None:
            raise Unusable("The file cannot be used as it is.", looked.problems)
        if _seen(looked) != wanted.seen:
            look = f"GET /framework-imports/{draft.id}"
            raise ChangedSince("The file would do something else by now.", look)
        if looked.imported.faults and not wanted.is_partly:
            detail = "Records are wrong. Send is_partly true to leave those out, or mend the file."
            raise Unusable(detail, looked.imported.faults)
        found = looked.imported.framework
        try:
            bring_in(
                *(connection, tenant, found),
                brought=brought(sent_of(draft), looked.imported),
                author=call.caller.author(wanted.reason),
            )
        except HierarchyRefused as error:
            raise Unusable(str(error)) from error
        framework_drafts.drop_draft(connection, tenant, draft.id)
        framework = framework_id(connection, tenant, found.identifier)
    assert framework is not None  # noqa: S101 - it was brought in
    return told_framework(tenant, framework)


@OPERATIONS.add(
    "DELETE",
    "/framework-imports/<row_id:import_id>",
    scope=Scope.DESIGN,
    answer=None,
    status=HTTPStatus.NO_CONTENT,
)
def drop_framework_import(call: Call) -> None:
    """Forget a file."""
    with writing(services().engine) as connection:
        draft = _draft(connection, call)
        framework_drafts.drop_draft(connection, call.caller.tenant, draft.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """A file as it is read now, and what it would change; neither where it cannot be read."""

    sent: Sent
    imported: Imported | None = None
    diff: FrameworkDiff | None = None
    problems: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line, and the id of the competency that goes with it."""

    line: ImportLine
    gone: CompetencyId | None = None


def sent_of(draft: FrameworkDraft) -> Sent:
    """The file of a draft, with what was chosen for it."""
    known = {name: draft.choices.get(name, "") for name in _TEXTS}
    columns = draft.choices.get("columns")
    return Sent(name=draft.name, content=draft.content, columns=columns, **known)


def _draft(connection: Connection, call: Call, draft: int | None = None) -> FrameworkDraft:
    """The file that the address names, or another.

    Raises:
        NotHere: The district has none such, or no longer.
    """
    number = call.ids["import_id"] if draft is None else draft
    found = framework_drafts.draft_of(connection, call.caller.tenant, number)
    if found is None:
        raise NotHere("file")
    return found


def _looked(connection: Connection, tenant: TenantId, draft: FrameworkDraft) -> _Looked:
    sent = sent_of(draft)
    try:
        imported = read_sent(connection, tenant, sent)
    except FileRefused as error:
        return _Looked(sent=sent, problems=error.problems)
    diff = framework_diff(connection, tenant, imported.framework)
    return _Looked(sent=sent, imported=imported, diff=diff)


def _told(connection: Connection, tenant: TenantId, draft: FrameworkDraft) -> FrameworkImport:
    looked = _looked(connection, tenant, draft)
    header = _header(draft)
    at = looked.sent.columns
    columns = (guessed_columns(header) if at is None else at) if header else {}
    told = FrameworkImport(
        id=draft.id,
        name=draft.name,
        format=looked.sent.form,
        header=header,
        columns={name: header[place] for name, place in columns.items() if place < len(header)},
        problems=looked.problems[:MOST_LINES],
    )
    if looked.diff is None:
        return told
    found = looked.diff.found
    counts: dict[str, int] = {}
    for one in _lines(looked):
        counts[one.line.kind] = counts.get(one.line.kind, 0) + 1
    return msgspec.structs.replace(
        told,
        identifier=found.identifier,
        title=found.title,
        language=found.language,
        is_new=looked.diff.stored.id is None,
        lines=counts,
        seen=_seen(looked),
    )


def _header(draft: FrameworkDraft) -> Sequence[str]:
    """The columns of a plain CSV, none of other formats."""
    return header_of(draft.content) if draft.choices.get("form") == _CSV else ()


def _seen(looked: _Looked) -> str:
    """What stands for all that was looked at, and for the file itself."""
    assert looked.diff is not None  # noqa: S101 - it can be read
    digest = hashlib.sha256(digest_of(looked.diff.found).encode())
    digest.update(msgspec.json.encode([one.line for one in _lines(looked)]))
    digest.update(str((looked.diff.stored.id, looked.diff.stored.is_archived)).encode())
    return digest.hexdigest()


def _lines(looked: _Looked) -> Iterator[_Line]:
    """All lines, those of competencies first, numbered from 1."""
    for number, (kind, values, gone) in enumerate(_said(looked), start=1):
        yield _Line(line=ImportLine(number=number, kind=kind, **values), gone=gone)


_Said = tuple[
    Literal[
        "detail",
        "added",
        "changed",
        "restored",
        "archived",
        "skipped",
        "fault",
        "unresolved",
        "warning",
        "problem",
    ],
    dict[str, Any],
    CompetencyId | None,
]


def _said(looked: _Looked) -> Iterator[_Said]:
    for why in looked.problems:
        yield "problem", {"why": why}, None
    if looked.diff is not None and looked.imported is not None:
        yield from _changes(looked.diff)
        yield from _remarks(looked.imported)


def _changes(diff: FrameworkDiff) -> Iterator[_Said]:
    for name, was in diff.details.items():
        now = getattr(diff.found, name)
        yield "detail", {"code": name, "statement": now, "was": {name: was}}, None
    for one in diff.added:
        yield "added", {"code": one.code, "statement": one.statement}, None
    for changed in diff.changed:
        told = {"code": changed.now.code, "statement": changed.now.statement}
        kind: Literal["changed", "restored"] = "restored" if changed.is_restored else "changed"
        yield kind, {**told, "was": dict(changed.fields)}, None
    for row in diff.archived:
        told = {"code": row.competency.code, "statement": row.competency.statement}
        yield "archived", told, row.id


def _remarks(imported: Imported) -> Iterator[_Said]:
    faults = set(imported.faults)
    for why in imported.skipped:
        yield "fault" if why in faults else "skipped", {"why": why}, None
    for link in imported.unresolved:
        yield "unresolved", {"why": str(link)}, None
    for why in imported.warnings:
        yield "warning", {"why": why}, None
