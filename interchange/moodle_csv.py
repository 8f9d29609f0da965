"""A competency framework as Moodle exports it.

Moodle writes the names of the columns in the language of whoever exports; their order is fixed,
so a file is known by the number of its columns and the one row that is the framework.

Source: Moodle 4.5, admin/tool/lpimportcsv.
"""

from collections.abc import Sequence
from dataclasses import replace

from interchange.assembling import Entry
from interchange.errors import FileRefused
from interchange.imported import Imported, Named, Notes
from interchange.table_rows import cut_off, framework_of, parts, place, problem
from interchange.tabular import Row, Table
from mapping.plain_text import plain
from mapping.records import Competency

_WIDTH = 14
_PARENT, _IDNUMBER, _NAME, _TEXT = range(4)
_RULE, _RELATED, _IS_FRAMEWORK = 7, 10, 12
_COMMA = "%2C"
_RELATED_TO = "isRelatedTo"


def is_moodle(table: Table) -> bool:
    """Whether this is a framework as Moodle exports one."""
    return len(table.header) == _WIDTH and sum(map(_is_framework, table.rows)) == 1


def read_competencies(table: Table, named: Named) -> Imported:
    """Read a framework and its competencies.

    A competency's name and description become one statement, as when it is read from Moodle
    itself; its ID number is what it is known by.

    Args:
        table: What the file holds.
        named: What the framework is called where the file does not say.

    Returns:
        The framework, and what was not taken over.

    Raises:
        FileRefused: It is not Moodle's, or no row can be used.
    """
    if not is_moodle(table):
        raise FileRefused(
            [f"A file of Moodle's has {_WIDTH} columns and one row that is the framework."]
        )
    notes = Notes()
    rows = cut_off(table, notes)
    head = next(row for row in table.rows if _is_framework(row))
    above = {row.cell(_PARENT) for row in rows}
    entries = [
        entry
        for row in rows
        if row is not head and (entry := _entry(row, above, notes)) is not None
    ]
    known = replace(
        named,
        identifier=head.cell(_IDNUMBER) or named.identifier,
        title=plain(head.cell(_NAME)) or named.title,
    )
    return framework_of(
        entries,
        known,
        notes,
        associations=[one for row in rows for one in _related(row)],
        attribution=plain(head.cell(_TEXT)),
    )


def _is_framework(row: Row) -> bool:
    return row.cell(_IS_FRAMEWORK) == "1"


def _entry(row: Row, above: set[str], notes: Notes) -> Entry | None:
    identifier, name, text = row.cell(_IDNUMBER), row.cell(_NAME), plain(row.cell(_TEXT))
    name = plain(name)
    is_strand = identifier in above
    statement = text if text.startswith(name) or name == identifier else f"{name}: {text}"
    wrong = problem(identifier, name if is_strand or not text else statement)
    if wrong:
        notes.fault(f"{place(row)}: {wrong}")
        return None
    if row.cell(_RULE):
        notes.left_out(f"{place(row)}: its rule in Moodle is not kept; rules are set here.")
    return Entry(
        place=place(row),
        competency=Competency(
            identifier=identifier,
            code=identifier,
            statement=name if is_strand or not text else statement,
            parent=row.cell(_PARENT) or None,
            is_strand=is_strand,
        ),
    )


def _related(row: Row) -> Sequence[tuple[str, str, str]]:
    return [
        (row.cell(_IDNUMBER), _RELATED_TO, one.replace(_COMMA, ","))
        for one in parts(row.cell(_RELATED), ",")
    ]
