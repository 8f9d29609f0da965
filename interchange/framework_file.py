"""A framework's file, whatever its format."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum

from interchange.canvas_csv import is_canvas, read_outcomes
from interchange.case import read_package
from interchange.errors import FileRefused
from interchange.framework_csv import read_plain
from interchange.imported import Imported, Named
from interchange.moodle_csv import is_moodle, read_competencies
from interchange.tabular import Table, read_table
from mapping.demonstrability import VAGUE_VERBS, vague_verb

_LOOKED_AT = 4_096


class FileFormat(Enum):
    """How a file says a framework."""

    CASE = "case"
    CANVAS = "canvas"
    MOODLE = "moodle"
    CSV = "csv"


def format_of(data: bytes) -> FileFormat:
    """The format that a file seems to have.

    Raises:
        FileRefused: It is neither JSON nor a table.
    """  # noqa: DOC502 - raised by read_table()
    head = data[:_LOOKED_AT].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if head.startswith((b"{", b"[")):
        return FileFormat.CASE
    return _table_format(read_table(data))


def _table_format(table: Table) -> FileFormat:
    if is_canvas(table.header):
        return FileFormat.CANVAS
    return FileFormat.MOODLE if is_moodle(table) else FileFormat.CSV


def read_framework(
    data: bytes,
    named: Named,
    *,
    form: FileFormat | None = None,
    columns: Mapping[str, int] | None = None,
    verbs: Mapping[str, Sequence[str]] | None = None,
) -> Imported:
    """Read a framework from a file.

    Args:
        data: The file.
        named: What the framework is called, where the file does not say.
        form: Its format; None to tell by what is in it.
        columns: Of plain CSV, fields with the place of their column, from 0.
        verbs: Those that cannot be demonstrated, by language; None for the usual ones.

    Returns:
        The framework, what was not taken over, and what should be looked at.

    Raises:
        FileRefused: It cannot be read at all.
    """  # noqa: DOC502 - raised by what reads the format
    if form is FileFormat.CASE or (form is None and format_of(data) is FileFormat.CASE):
        imported = read_package(data)
    else:
        imported = _from_table(read_table(data), named, form=form, columns=columns)
    vague = vague_statements(imported, verbs or VAGUE_VERBS)
    return replace(imported, warnings=(*imported.warnings, *vague))


def _from_table(
    table: Table,
    named: Named,
    *,
    form: FileFormat | None,
    columns: Mapping[str, int] | None,
) -> Imported:
    meant = form or _table_format(table)
    if meant is FileFormat.CANVAS:
        return read_outcomes(table, named)
    if meant is FileFormat.MOODLE:
        return read_competencies(table, named)
    return read_plain(table, named, columns)


def vague_statements(imported: Imported, verbs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Competencies whose statements nobody can be seen to do; strands are headings only."""
    framework = imported.framework
    return tuple(
        f'{one.code}: "{verb}" cannot be demonstrated; say what a learner does.'
        for one in framework.competencies
        if not one.is_strand and (verb := vague_verb(one.statement, framework.language, verbs))
    )


__all__ = ["FileFormat", "FileRefused", "format_of", "read_framework", "vague_statements"]
