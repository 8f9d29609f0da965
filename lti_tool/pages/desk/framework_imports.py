"""Bringing a framework in: a file is sent, looked at as what it would change, and confirmed.

The file waits in the database between the two, so that it is sent once.
"""

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy import Connection

from interchange.errors import FileRefused
from interchange.framework_csv import FIELDS, guessed_columns
from interchange.framework_file import FileFormat
from interchange.tabular import header_of
from lti_tool.framework_files import MOST_BYTES, Sent, brought, read_sent
from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import (
    administrator,
    author_of,
    changing_administrator,
    to_page,
)
from lti_tool.pages.desk.frameworks import MOST_REASON
from lti_tool.pages.desk.mapping_forms import field_text
from mapping.progressions.graph import HierarchyRefused
from mapping.records import TenantId
from store import framework_drafts
from store.framework_diffs import framework_diff
from store.framework_drafts import FrameworkDraft
from store.framework_imports import bring_in
from store.framework_shelf import (
    Fetched,
    ListedFramework,
    all_frameworks,
    concerned,
    keep_fetched,
)
from store.frameworks import framework_id
from store.session import reading, writing
from workers import framework_fetches

blueprint = Blueprint("framework_imports", __name__)

MOST_SHOWN = 200
"""Lines of each list on a page; ``waymark framework import --all`` prints them whole."""
_MOST_SENT = MOST_BYTES + 65_536
_LONGEST_ADDRESS, _KEY_LENGTH = 1_024, 16
_TEXTS = {"identifier": 64, "title": 512, "language": 16, "form": 16}


@blueprint.get("/frameworks/import")
def choose_file(launch_id: str) -> Response:
    """Where a file is chosen."""
    return _form(administrator(launch_id), {}, {})


@blueprint.post("/frameworks/import")
def send_file(launch_id: str) -> Response:
    """Take a file in, and go on to what it would change."""
    administrator(launch_id)
    request.max_content_length = _MOST_SENT
    visit = changing_administrator(launch_id)
    sent = request.files.get("file")
    content = sent.read(MOST_BYTES + 1) if sent else b""
    typed: dict[str, str] = {
        name: request.form.get(name, "").strip()[:most] for name, most in _TEXTS.items()
    }
    try:
        form = _form_of(content, typed["form"])
    except FileRefused as error:
        return _form(visit, typed, {"file": str(error)})
    with writing(services().engine) as connection:
        target = request.form.get("target", "")
        draft = framework_drafts.keep_draft(
            connection,
            visit.record.tenant,
            name=(sent.filename if sent else "") or "file",
            content=content,
            choices=_chosen(
                {**typed, "form": form.value},
                target,
                all_frameworks(connection, visit.record.tenant),
            ),
            by=author_of(visit).by,
            now=services().now(),
        )
    return to_page(visit, f"frameworks/drafts/{draft}")


@blueprint.post("/frameworks/import/address")
def fetch_file(launch_id: str) -> Response:
    """Have a worker fetch a file from an address; nothing is brought in."""
    visit = changing_administrator(launch_id)
    address = field_text("address", _LONGEST_ADDRESS + 1)
    problem = _wrong_address(address)
    if not problem:
        author = author_of(visit)
        key = framework_fetches.ask(
            services().container, visit.record.tenant, address, by=author.by
        )
        if key is not None:
            return to_page(visit, f"frameworks/fetches/{key}")
        problem = "Another address is being fetched just now. Try again in a minute."
    return _form(visit, {"address": address}, {"address": problem})


@blueprint.get("/frameworks/fetches/<key>")
def fetched(launch_id: str, key: str) -> Response:
    """How far a fetch is; on to what the file would change once it is there.

    Raises:
        NotThere: There is none of this key.
    """
    visit = administrator(launch_id)
    if len(key) != _KEY_LENGTH or not (key.isascii() and key.isalnum()):
        raise NotThere
    found = framework_fetches.fetch(services().container, visit.record.tenant, key)
    if found is None:
        raise NotThere
    is_part = bool(request.headers.get("HX-Request"))
    if found.draft is not None and not is_part:
        return to_page(visit, f"frameworks/drafts/{found.draft}")
    template = "desk/_framework_fetch.html" if is_part else "desk/framework_fetch.html"
    return make_response(render_template(template, visit=visit, key=key, found=found))


@blueprint.get("/frameworks/drafts/<row_id:draft>")
def look(launch_id: str, draft: int) -> Response:
    """What a file would change."""
    visit = administrator(launch_id)
    return _preview(visit, _draft(visit, draft))


@blueprint.post("/frameworks/drafts/<row_id:draft>/columns")
def match_columns(launch_id: str, draft: int) -> Response:
    """Say what the columns of a plain CSV are."""
    visit = changing_administrator(launch_id)
    found = _draft(visit, draft)
    columns = {}
    for field in FIELDS:
        text = request.form.get(field, "")
        if text.isascii() and text.isdecimal() and len(text) < 5:  # noqa: PLR2004 - below any table
            columns[field] = int(text)
    with writing(services().engine) as connection:
        framework_drafts.choose(connection, found.id, {**found.choices, "columns": columns})
    return to_page(visit, f"frameworks/drafts/{draft}")


@blueprint.post("/frameworks/drafts/<row_id:draft>/confirm")
def confirm(launch_id: str, draft: int) -> Response:
    """Bring a framework in as it was shown."""
    visit = changing_administrator(launch_id)
    found = _draft(visit, draft)
    # Ids of drafts that are gone may be given anew: what was looked at is what is brought in.
    if request.form.get("digest") != _digest(found):
        return _preview(visit, found, problem="It is another file by now. Look at it again.")
    reason = request.form.get("reason", "").strip()[:MOST_REASON]
    is_partly = request.form.get("partly") == "yes"
    tenant = visit.record.tenant
    sent = _sent(found)
    try:
        with writing(services().engine) as connection:
            imported = read_sent(connection, tenant, sent)
            if not is_partly:
                imported.whole()
            bring_in(
                connection,
                tenant,
                imported.framework,
                brought=brought(sent, imported),
                author=author_of(visit, reason),
            )
            _keep_address(connection, tenant, found, identifier=imported.framework.identifier)
            framework_drafts.drop_draft(connection, tenant, found.id)
            framework = framework_id(connection, tenant, imported.framework.identifier)
    except (FileRefused, HierarchyRefused) as error:
        return _preview(visit, found, problem=str(error))
    return to_page(visit, f"frameworks/{framework}")


@blueprint.post("/frameworks/drafts/<row_id:draft>/drop")
def drop(launch_id: str, draft: int) -> Response:
    """Forget a file."""
    visit = changing_administrator(launch_id)
    with writing(services().engine) as connection:
        framework_drafts.drop_draft(connection, visit.record.tenant, draft)
    return to_page(visit, "frameworks")


def _keep_address(
    connection: Connection, tenant: TenantId, draft: FrameworkDraft, *, identifier: str
) -> None:
    """Where a framework came from, so that it can be asked for anything newer."""
    if draft.choices.get("address"):
        said = {name: draft.choices[name] for name in ("address", "etag", "last_modified")}
        keep_fetched(connection, tenant, identifier, fetched=Fetched(**said))


def _wrong_address(address: str) -> str:
    if len(address) > _LONGEST_ADDRESS:
        return "The address is longer than 1,024 characters."
    if not address.startswith("https://"):
        return "Give an address that begins with https://."
    return ""


def _form(visit: Visit, typed: Mapping[str, str], problems: Mapping[str, str]) -> Response:
    with reading(services().engine) as connection:
        listed = all_frameworks(connection, visit.record.tenant)
    page = render_template(
        "desk/framework_import.html",
        visit=visit,
        listed=listed,
        typed=typed,
        problems=problems,
        formats=tuple(FileFormat),
        most_megabytes=MOST_BYTES >> 20,
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK)


def _form_of(content: bytes, said: str) -> FileFormat:
    """The format of a file that can be looked at.

    Raises:
        FileRefused: It cannot.
        NotThere: There is no format of the name said.
    """
    if not content:
        raise FileRefused(["Choose a file first; this one is empty."])
    if len(content) > MOST_BYTES:
        most = f"{MOST_BYTES >> 20} MB"
        raise FileRefused([f"The file is larger than {most}. Divide it, or use the command."])
    if said and said not in {one.value for one in FileFormat}:
        raise NotThere
    sent = Sent(name="", content=content, form=said)
    form = sent.found_form()
    if form is not FileFormat.CASE:
        header_of(content)
    return form


def _chosen(
    typed: Mapping[str, str], target: str, listed: tuple[ListedFramework, ...]
) -> dict[str, Any]:
    """What was typed; of a framework that is there already, what it is known by."""
    for one in listed:
        if str(one.id) == target:
            known = {"identifier": one.identifier, "title": one.title, "language": one.language}
            return {**typed, **known}
    return {**typed, "identifier": ""}


def _draft(visit: Visit, draft: int) -> FrameworkDraft:
    with reading(services().engine) as connection:
        found = framework_drafts.draft_of(connection, visit.record.tenant, draft)
    if found is None:
        raise NotThere
    return found


def _sent(draft: FrameworkDraft) -> Sent:
    known = {name: draft.choices.get(name, "") for name in _TEXTS}
    columns = draft.choices.get("columns")
    return Sent(name=draft.name, content=draft.content, columns=columns, **known)


def _digest(draft: FrameworkDraft) -> str:
    said = f"{sorted(draft.choices.items())}".encode()
    return hashlib.sha256(draft.content + said).hexdigest()


def _preview(visit: Visit, draft: FrameworkDraft, *, problem: str = "") -> Response:
    tenant = visit.record.tenant
    sent = _sent(draft)
    matching = _matching(sent)
    shown: dict[str, Any] = {}
    try:
        with reading(services().engine) as connection:
            imported = read_sent(connection, tenant, sent)
            diff = framework_diff(connection, tenant, imported.framework)
            gone = concerned(connection, [row.id for row in diff.archived])
        shown = {"imported": imported, "diff": diff, "gone": gone}
    except FileRefused as error:
        problem = problem or str(error)
    page = render_template(
        "desk/framework_preview.html",
        visit=visit,
        draft=draft,
        digest=_digest(draft),
        form=sent.found_form(),
        matching=matching,
        problem=problem,
        most=MOST_SHOWN,
        **shown,
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK)


def _matching(sent: Sent) -> Mapping[str, Any] | None:
    """The columns of a plain CSV, and what each is taken for; None for other formats."""
    if sent.found_form() is not FileFormat.CSV:
        return None
    header = header_of(sent.content)
    at = guessed_columns(header) if sent.columns is None else sent.columns
    return {"header": header, "at": at, "fields": FIELDS}
