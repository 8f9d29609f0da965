"""Rows of a table as competencies: what every framework in CSV has in common."""

from collections.abc import Iterable, Sequence

from interchange.assembling import (
    LONGEST_CODE,
    LONGEST_LANGUAGE,
    LONGEST_STATEMENT,
    LONGEST_TITLE,
    Entry,
    assembled,
    linked,
)
from interchange.errors import FileRefused
from interchange.imported import Imported, Named, Notes
from interchange.tabular import Row, Table
from mapping.records import Competency, Framework

_PARTED = "|"
"""Between several identifiers in one cell."""


def place(row: Row) -> str:
    """Where a row is, for a person."""
    return f"Row {row.number}"


def cut_off(table: Table, notes: Notes) -> Sequence[Row]:
    """The rows of a table but the one it was cut off in."""
    if not table.is_cut_off:
        return table.rows
    *rows, last = table.rows
    notes.fault(f"{place(last)}: the file ends in the middle of it: it was cut off.")
    return rows


def problem(identifier: str, statement: str, code: str = "") -> str:
    """What is wrong with the texts of a row; empty where nothing is."""
    if not identifier:
        return "it has neither a code nor an identifier."
    if not statement:
        return "it has no statement."
    if len(identifier) > LONGEST_CODE:
        return f"its identifier is longer than {LONGEST_CODE} characters."
    if len(statement) > LONGEST_STATEMENT:
        return f"its statement is longer than {LONGEST_STATEMENT:,} characters."
    if any("\0" in text for text in (identifier, statement, code)):
        return "it holds a null character."
    return ""


def parts(cell: str, sign: str = _PARTED) -> list[str]:
    """Several values of one cell."""
    return [one.strip() for one in cell.split(sign) if one.strip()]


def framework_of(
    entries: Sequence[Entry],
    named: Named,
    notes: Notes,
    *,
    associations: Iterable[tuple[str, str, str]] = (),
    attribution: str = "",
) -> Imported:
    """A framework of what rows said.

    Args:
        entries: In the order of the file.
        named: What the framework is called.
        notes: What was noted of the rows.
        associations: Links, as ``assembling.linked`` takes them.
        attribution: Whom to thank for it.

    Raises:
        FileRefused: No row could be used.
    """
    competencies: Sequence[Competency] = assembled(entries, notes)
    if not competencies:
        raise FileRefused(["The file holds no competency that can be used.", *notes.skipped])
    links = linked(associations, competencies, notes)
    return notes.imported(
        Framework(
            identifier=named.identifier[:LONGEST_CODE],
            title=named.title[:LONGEST_TITLE],
            creator=named.creator[:LONGEST_TITLE],
            language=(named.language or "en")[:LONGEST_LANGUAGE],
            attribution=attribution,
            competencies=competencies,
            links=links,
        )
    )
