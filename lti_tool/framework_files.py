"""Files of frameworks, on their way in and out: what pages and the command do alike."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath

from sqlalchemy import Connection

from interchange.case_export import write_package
from interchange.framework_csv import write_plain
from interchange.framework_file import FileFormat, format_of, read_framework
from interchange.imported import Imported, Named
from mapping.records import TenantId
from store.framework_diffs import stored_framework
from store.framework_imports import Brought, versions_of
from store.framework_shelf import framework_of, known_framework
from store.vague_verbs import verbs_of

MOST_BYTES = 32 * 1024 * 1024
"""The largest file that is taken; 200,000 rows of CSV have about 20 MB."""
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A file that somebody sent, and what they said of it; empty is for what is in it to say."""

    name: str
    content: bytes
    form: str = ""
    identifier: str = ""
    title: str = ""
    language: str = ""
    columns: Mapping[str, int] | None = None

    def found_form(self) -> FileFormat:
        """Its format, as said or as it looks.

        Raises:
            FileRefused: It has none.
        """  # noqa: DOC502 - raised by format_of()
        return FileFormat(self.form) if self.form else format_of(self.content)


def read_sent(connection: Connection, tenant: TenantId, sent: Sent) -> Imported:
    """Read a file, with the district's own list of verbs.

    Raises:
        FileRefused: It cannot be read at all.
    """  # noqa: DOC502 - raised by read_framework()
    form = sent.found_form()
    stem = PurePath(sent.name.replace("\\", "/")).name.rpartition(".")[0] or sent.name
    identifier = sent.identifier or slug(sent.title or stem)
    known = stored_framework(connection, tenant, identifier).details
    named = Named(
        identifier=identifier,
        title=sent.title or known.get("title", stem),
        language=sent.language or known.get("language", "en"),
        creator=known.get("creator", ""),
    )
    verbs = verbs_of(connection, tenant)
    imported = read_framework(sent.content, named, form=form, columns=sent.columns, verbs=verbs)
    return imported if form is FileFormat.CASE else _with_details(imported, known)


def _with_details(imported: Imported, known: Mapping[str, str]) -> Imported:
    """What a table does not say of a framework stays as it is known."""
    found = imported.framework
    kept = replace(
        found,
        licence=found.licence or known.get("licence", ""),
        attribution=found.attribution or known.get("attribution", ""),
    )
    return replace(imported, framework=kept)


def brought(sent: Sent, imported: Imported) -> Brought:
    """Where a framework comes from, for its versions."""
    report: dict[str, Sequence[str]] = {
        "skipped": imported.skipped,
        "unresolved": [str(one) for one in imported.unresolved],
        "warnings": imported.warnings,
    }
    return Brought(source=sent.name, form=sent.found_form().value, report=report)


def slug(text: str) -> str:
    """A name as an identifier: small letters and digits, with hyphens between words."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_NAME] or "framework"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A file on its way out."""

    name: str
    content: bytes
    media_type: str


def export_of(
    connection: Connection, tenant: TenantId, framework: int, *, form: str, base: str
) -> Export | None:
    """A framework as a file, without what is archived; None where the tenant has none such.

    Args:
        connection: A transaction.
        tenant: Whose it is.
        framework: Its id.
        form: ``case`` or ``csv``.
        base: Where Waymark is.
    """
    known = known_framework(connection, tenant, framework)
    if known is None:
        return None
    listed, stored = known
    record = framework_of(stored, listed.identifier)
    name = slug(record.title)
    if form == FileFormat.CSV.value:
        return Export(name=f"{name}.csv", content=write_plain(record), media_type="text/csv")
    return Export(
        name=f"{name}.case.json",
        content=write_package(record, changed_at=_changed_at(connection, framework), base=base),
        media_type="application/json",
    )


def _changed_at(connection: Connection, framework: int) -> datetime:
    versions = versions_of(connection, framework)
    return versions[0].at if versions else datetime.fromisoformat("2000-01-01T00:00:00+00:00")
