"""A framework as plain CSV, with columns that a person may match; and the way out.

Which column is what is guessed by its name, in the words that people use for it.
"""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from interchange.assembling import Entry
from interchange.errors import FileRefused
from interchange.imported import Imported, Named, Notes
from interchange.table_rows import cut_off, framework_of, parts, place, problem
from interchange.tabular import Row, Table, write_table
from mapping.records import Competency, Framework, LinkKind

STRAND, COMPETENCY = "strand", "competency"
LINKS: Mapping[str, LinkKind] = {
    "precedes": LinkKind.PRECEDES,
    "exact_match_of": LinkKind.EXACT_MATCH_OF,
    "replaced_by": LinkKind.REPLACED_BY,
}
FIELDS = ("identifier", "code", "statement", "indicator", "parent", "type", "sequence", *LINKS)
"""What a column can be."""

_SYNONYMS: Mapping[str, Sequence[str]] = {
    "identifier": ("id", "guid", "uuid", "caseid", "idnumber", "identificador", "chave"),
    "code": (
        *("humancodingscheme", "standardcode", "shortcode", "codigo", "number", "numero"),
        *("standard", "reference", "notation", "clave", "sigla"),
    ),
    "statement": (
        *("fullstatement", "description", "text", "title", "competency", "standardtext"),
        *("learningstandard", "objective", "outcome", "enunciado", "descricao", "descripcion"),
        *("texto", "habilidade", "competencia", "aprendizaje", "objetivo"),
    ),
    "indicator": (
        *("abbreviatedstatement", "studentfriendly", "ican", "performanceindicator"),
        *("displayname", "friendlyname", "indicador"),
    ),
    "parent": (
        *("ischildof", "parentid", "parentcode", "parentidentifier", "parentidnumber"),
        *("smartlevelparent", "parentguid", "pai", "padre", "codigopai"),
    ),
    "type": ("cfitemtype", "itemtype", "kind", "level", "tipo"),
    "sequence": ("sequencenumber", "order", "sortorder", "position", "ordem", "orden"),
    "precedes": ("comesbefore", "prerequisiteof"),
    "exact_match_of": ("exactmatchof",),
    "replaced_by": ("replacedby",),
}
_STRANDS = frozenset(
    ("strand", "domain", "group", "heading", "cluster heading", "eixo", "ambito", "unidade")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """Rows being read, and what of each column there is."""

    at: Mapping[str, int]
    notes: Notes

    def cell(self, row: Row, name: str) -> str:
        at = self.at.get(name)
        return "" if at is None else row.cell(at)


def guessed_columns(header: Sequence[str]) -> dict[str, int]:
    """What each column seems to be: fields with the place of their column, from 0.

    A name that a field has itself goes before a word for it, and a column is one thing only.
    """
    plain = [_plain(name) for name in header]
    found: dict[str, int] = {}
    for field in FIELDS:
        wanted = (_plain(field), *_SYNONYMS[field])
        for word in wanted:
            if word in plain and plain.index(word) not in found.values():
                found[field] = plain.index(word)
                break
    return found


def read_plain(table: Table, named: Named, columns: Mapping[str, int] | None = None) -> Imported:
    """Read a framework, one competency a row.

    A parent is named by its identifier or its code. A competency without an identifier is known
    by its code, so that the next file finds it again.

    Args:
        table: What the file holds.
        named: What the framework is called.
        columns: Fields with the place of their column, from 0; None to go by the names.

    Returns:
        The framework, and what was not taken over.

    Raises:
        FileRefused: A column is missing, or no row can be used.
    """
    at = guessed_columns(table.header) if columns is None else dict(columns)
    problems = _column_problems(table.header, at)
    if problems:
        raise FileRefused(problems)
    notes = Notes()
    reading = _Reading(at=at, notes=notes)
    for number, name in enumerate(table.header):
        if name and number not in at.values():
            notes.warnings.append(f"The column {name!r} is not used.")
    rows = cut_off(table, notes)
    by_code = _identifiers_by_code(reading, rows)
    entries: list[Entry] = []
    associations: list[tuple[str, str, str]] = []
    linking = [(field, kind) for field, kind in LINKS.items() if field in at]
    for row in rows:
        entry = _entry(reading, row, by_code)
        if entry is None:
            continue
        entries.append(entry)
        name = entry.competency.identifier
        for field, kind in linking:
            listed = parts(reading.cell(row, field))
            associations += [(name, kind.value, by_code.get(one, one)) for one in listed]
    return framework_of(entries, named, notes, associations=associations)


def write_plain(framework: Framework) -> bytes:
    """A framework as CSV that ``read_plain`` reads as the same, and a spreadsheet opens safely."""
    links: dict[tuple[str, LinkKind], list[str]] = {}
    for link in framework.links:
        links.setdefault((link.origin, link.kind), []).append(link.destination)
    header = ("identifier", "code", "statement", "indicator", "parent", "type", *LINKS)
    return write_table(
        header,
        (
            (
                *(one.identifier, one.code, one.statement, one.indicator, one.parent or ""),
                STRAND if one.is_strand else COMPETENCY,
                *(" | ".join(links.get((one.identifier, kind), ())) for kind in LINKS.values()),
            )
            for one in framework.competencies
        ),
    )


def _column_problems(header: Sequence[str], at: Mapping[str, int]) -> list[str]:
    problems = []
    if "statement" not in at:
        problems.append("Say which column holds the statement.")
    if "identifier" not in at and "code" not in at:
        problems.append("Say which column holds the code, or the identifier.")
    if problems:
        problems.append(f"The columns are {', '.join(map(repr, header))}.")
    problems.extend(
        f"There is no column {place + 1}." for place in at.values() if not place < len(header)
    )
    return problems


def _identifiers_by_code(reading: _Reading, rows: Sequence[Row]) -> dict[str, str]:
    """What each code stands for; an identifier stands for itself."""
    found: dict[str, str] = {}
    for row in rows:
        code, identifier = reading.cell(row, "code"), reading.cell(row, "identifier")
        if code:
            found.setdefault(code, identifier or code)
    for row in rows:
        identifier = reading.cell(row, "identifier")
        if identifier:
            found[identifier] = identifier
    return found


def _entry(reading: _Reading, row: Row, by_code: Mapping[str, str]) -> Entry | None:
    code = reading.cell(row, "code")
    identifier = reading.cell(row, "identifier") or code
    statement, above = reading.cell(row, "statement"), reading.cell(row, "parent")
    indicator = reading.cell(row, "indicator")
    wrong = problem(identifier, statement, code + above + indicator)
    if wrong:
        reading.notes.fault(f"{place(row)}: {wrong}")
        return None
    return Entry(
        place=place(row),
        rank=_number(reading.cell(row, "sequence")),
        competency=Competency(
            identifier=identifier,
            code=code,
            statement=statement,
            indicator=indicator,
            parent=by_code.get(above, above) or None,
            is_strand=reading.cell(row, "type").casefold() in _STRANDS,
        ),
    )


def _number(cell: str) -> float:
    try:
        number = float(cell.replace(",", "."))
    except ValueError:
        return math.inf
    return number if math.isfinite(number) else math.inf


def _plain(name: str) -> str:
    """A column's name without case, accents, spaces and signs."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^a-z0-9]", "", apart)
