"""Outcomes as Canvas exports them.

A group is a strand. Ratings and the way Canvas calculates mastery are not taken over: here rules
and scales say that.

Source: Canvas, Outcomes Import Format Documentation.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from interchange.assembling import CHILD, LONGEST_CODE, Entry
from interchange.errors import FileRefused
from interchange.imported import Imported, Named, Notes
from interchange.table_rows import cut_off, framework_of, parts, place, problem
from interchange.tabular import Row, Table
from mapping.plain_text import plain
from mapping.records import Competency

REQUIRED = ("vendor_guid", "object_type", "title")
_GROUP, _OUTCOME, _GONE = "group", "outcome", "deleted"
_NOT_KEPT = ("calculation_method", "calculation_int", "mastery_points", "ratings")


class _Names(NamedTuple):
    code: str
    statement: str
    indicator: str


def is_canvas(header: Sequence[str]) -> bool:
    """Whether these are the columns of Canvas's outcomes."""
    return set(REQUIRED) <= {name.casefold() for name in header}


def read_outcomes(table: Table, named: Named) -> Imported:
    """Read outcomes and their groups.

    An outcome's description is its statement, and its title, where it is short, its code.

    Args:
        table: What the file holds.
        named: What the framework is called; the file does not say.

    Returns:
        The framework, and what was not taken over.

    Raises:
        FileRefused: It is not Canvas's, or no row can be used.
    """
    if not is_canvas(table.header):
        raise FileRefused([f"A file of Canvas's has the columns {', '.join(REQUIRED)}."])
    at = {name.casefold(): number for number, name in enumerate(table.header)}
    notes = Notes()
    unkept = [name for name in _NOT_KEPT if name in at]
    if unkept:
        notes.left_out(f"Columns {', '.join(unkept)}: rules and scales say this here.")
    found = [_entry(row, at, notes) for row in cut_off(table, notes)]
    return framework_of([one for one in found if one is not None], named, notes)


def _entry(row: Row, at: Mapping[str, int], notes: Notes) -> Entry | None:
    kind = row.cell(at["object_type"]).casefold()
    if kind not in {_GROUP, _OUTCOME}:
        notes.fault(f"{place(row)}: it is neither a group nor an outcome.")
        return None
    if row.cell(at.get("workflow_state")).casefold() == _GONE:
        notes.left_out(f"{place(row)}: it is deleted in Canvas.")
        return None
    names = _names(row, at, is_group=kind == _GROUP)
    identifier = row.cell(at["vendor_guid"])
    wrong = problem(identifier, names.statement, names.code + names.indicator)
    if wrong:
        notes.fault(f"{place(row)}: {wrong}")
        return None
    parent, *others = parts(row.cell(at.get("parent_guids")), " ") or [""]
    for other in others:
        notes.left_out(f"{identifier} {CHILD} {other}: it has a parent already.")
    return Entry(
        place=place(row),
        competency=Competency(
            identifier=identifier,
            code=names.code,
            statement=names.statement,
            indicator=names.indicator,
            parent=parent or None,
            is_strand=kind == _GROUP,
        ),
    )


def _names(row: Row, at: Mapping[str, int], *, is_group: bool) -> _Names:
    title = row.cell(at["title"])
    text = plain(row.cell(at.get("description")))
    shown = row.cell(at.get("display_name"))
    if is_group or not text:
        return _Names(code="", statement=title, indicator="" if is_group else shown)
    is_code = len(title) <= LONGEST_CODE
    statement = text if is_code or text.startswith(title) else f"{title}: {text}"
    return _Names(code=title if is_code else "", statement=statement, indicator=shown)
