"""Tables as bytes: CSV in any encoding, delimiter and line end that a district sends.

A row is counted as a spreadsheet counts it: a cell of several lines is in one row. The way out is
safe to open in a spreadsheet: no cell begins with a sign that makes it a formula.

Source: RFC 4180; OWASP, CSV Injection.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from interchange.encodings import Decoded, decoded
from interchange.errors import FileRefused

MOST_ROWS = 250_000
_DELIMITERS = (",", ";", "\t", "|")
_TRIED = 50
_TRIED_SIGNS = 65_536
_LONGEST_CELL = 131_072
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_GUARD = "'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Cells below the header; ``number`` from 1 counts the header and empty rows, too.

    ``line`` is the line of the file on which the row ends.
    """

    number: int
    line: int
    cells: Sequence[str]

    def cell(self, at: int | None) -> str:
        """One of its cells, from 0; empty where the row is too short, or for no column."""
        return self.cells[at] if at is not None and at < len(self.cells) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A header and what is below it; names and cells without white space around them.

    Attributes:
        header: The names of the columns, as written.
        rows: Those that are not empty.
        encoding: That the file was read in.
        delimiter: Between its cells.
        is_cut_off: Whether it ends in the middle of a row.
    """

    header: Sequence[str]
    rows: Sequence[Row]
    encoding: str
    delimiter: str
    is_cut_off: bool


def read_table(data: bytes, *, most_rows: int | None = None) -> Table:
    """Read a table.

    Args:
        data: CSV with a header: UTF-8, UTF-16 or Windows-1252; commas, semicolons, tabs or bars
            between cells; any line end.
        most_rows: How many are read; None for all.

    Returns:
        The table. A guard against formulas, as ``write_table`` puts it, is taken off.

    Raises:
        FileRefused: It is no table, or too long.
    """
    try:
        text = decoded(data)
    except UnicodeError as error:
        raise FileRefused(
            [f"The file is no text, or was cut off: {error}. Save it as CSV UTF-8."]
        ) from error
    if not text.text.strip():
        raise FileRefused(["The file is empty."])
    return _table(text, most_rows)


def header_of(data: bytes) -> Sequence[str]:
    """The names of a table's columns, for who needs no more of it.

    Raises:
        FileRefused: It is no table.
    """  # noqa: DOC502 - raised by read_table()
    return read_table(data, most_rows=1).header


def write_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """CSV that a spreadsheet opens as it is meant: UTF-8 with a mark, commas, no formulas."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([guarded(one) for one in header])
    writer.writerows([guarded(one) for one in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return _GUARD + cell if cell.lstrip(_GUARD).startswith(_FORMULA) else cell


def _unguarded(cell: str) -> str:
    is_guarded = cell.startswith(_GUARD) and cell.lstrip(_GUARD).startswith(_FORMULA)
    return cell[1:] if is_guarded else cell


def _table(text: Decoded, most_rows: int | None) -> Table:
    body, said = _without_hint(text.text)
    delimiter = said or _delimiter(body)
    header: Sequence[str] | None = None
    rows: list[Row] = []
    offset = 1 if said else 0
    for number, line, cells in _records(body, delimiter):
        if not any(cells):
            continue
        if header is None:
            header = cells
        else:
            rows.append(Row(number=number + offset, line=line + offset, cells=cells))
            if len(rows) == most_rows:
                break
        if len(rows) > MOST_ROWS:
            raise FileRefused([f"The file has more than {MOST_ROWS:,} rows. Divide it."])
    if header is None:
        raise FileRefused(["The file is empty."])
    return Table(
        header=header,
        rows=rows,
        encoding=text.encoding,
        delimiter=delimiter,
        is_cut_off=bool(rows)
        and not body.endswith(("\n", "\r"))
        and len(rows[-1].cells) < len(header),
    )


def _without_hint(text: str) -> tuple[str, str]:
    """The text after the line by which Excel tells itself the delimiter, and that delimiter."""
    head, _, rest = text.partition("\n")
    hint = head.rstrip("\r").strip('"')
    if hint[:4].lower() == "sep=" and len(hint) == len("sep=") + 1:
        return rest, hint[-1]
    return text, ""


def _records(text: str, delimiter: str) -> Iterator[tuple[int, int, Sequence[str]]]:
    """Number, last line and cells of each row.

    Raises:
        FileRefused: From here on it is no CSV.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        began = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise FileRefused([_broken(began, error)]) from error
        if cells is None:
            return
        yield number, reader.line_num, [_unguarded(cell.strip()) for cell in cells]


def _broken(line: int, error: csv.Error) -> str:
    if "unexpected end" in str(error) or "field limit" in str(error):
        return (
            f"Line {line}: a quotation mark is opened and not closed, or a cell is longer than "
            f"{_LONGEST_CELL:,} characters. The file may be cut off; export it again."
        )
    return f"Line {line}: this is not CSV ({error})."


def _delimiter(text: str) -> str:
    """The sign that gives the header more than one cell, and most rows as many as it has."""
    head = text[:_TRIED_SIGNS]
    is_all = len(head) == len(text)
    return max(_DELIMITERS, key=lambda one: _fit(head, one, is_all=is_all))


def _fit(head: str, delimiter: str, *, is_all: bool) -> tuple[float, int]:
    widths = []
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            if any(cells):
                widths.append(len(cells))
            if len(widths) > _TRIED:
                break
    except csv.Error:
        return (0.0, 0)
    if not is_all and len(widths) <= _TRIED:
        widths = widths[:-1]
    if not widths or widths[0] == 1:
        return (0.0, 0)
    alike = sum(width == widths[0] for width in widths[1:])
    return ((alike + 1) / len(widths), widths[0])
