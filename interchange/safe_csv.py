"""CSV for spreadsheets, in which no cell is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table as CSV, a line at a time.

    Args:
        head: The names of the columns.
        rows: One cell for each column.

    Yields:
        Lines with their ends, the head first. A byte order mark before it tells spreadsheets that
        the text is UTF-8.

    Source: RFC 4180; OWASP, CSV Injection: cells that begin a formula get an apostrophe.
    """
    yield "\ufeff" + _line(head)
    for row in rows:
        yield _line([harmless(cell) for cell in row])


def harmless(cell: str) -> str:
    """A cell that a spreadsheet shows and does not run."""
    return f"'{cell}" if cell.startswith(_BEGINS_A_FORMULA) else cell


def _line(cells: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
