"""CSV that a spreadsheet shows and does not run."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interchange.safe_csv import csv_lines, harmless

CELLS = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_cell_that_begins_a_formula_is_text(sign):
    assert harmless(f"{sign}1+1") == f"'{sign}1+1"


@given(CELLS)
def test_no_cell_begins_a_formula(cell):
    assert not harmless(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert harmless(cell).removeprefix("'") == cell.removeprefix("'") or cell.startswith("'")


@given(st.lists(st.tuples(CELLS, CELLS)))
def test_what_is_written_is_read_again(rows):
    text = "".join(csv_lines(("a", "b"), rows))

    read = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))

    assert text.startswith("\ufeff")
    assert read == [["a", "b"], *([harmless(one) for one in row] for row in rows)]
