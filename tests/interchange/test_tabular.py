import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interchange.errors import FileRefused
from interchange.tabular import guarded, read_table, write_table

ROWS = [["code", "statement"], ["N.1", "Frações, ½; “já”"], ["N.2", 'Says "so"\nin two lines']]


def written(rows, *, delimiter=",", end="\r\n") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    return out.getvalue()


def cells(table):
    return [list(table.header), *(list(row.cells) for row in table.rows)]


def refusal(data: bytes) -> str:
    with pytest.raises(FileRefused) as refused:
        read_table(data)
    return refused.value.problems[0]


def outcome(data: bytes):
    try:
        return read_table(data), ()
    except FileRefused as refused:
        return None, refused.problems


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"]
)
def test_a_table_is_the_same_in_every_encoding_delimiter_and_line_end(encoding, delimiter, end):
    table = read_table(written(ROWS, delimiter=delimiter, end=end).encode(encoding))

    assert cells(table) == ROWS
    assert table.delimiter == delimiter
    assert not table.is_cut_off


def test_excels_own_word_of_the_delimiter_is_heard_and_counts_as_a_row():
    table = read_table(b"sep=;\r\ncode;statement, whole\r\nN.1;a,b,c\r\n")

    assert cells(table) == [["code", "statement, whole"], ["N.1", "a,b,c"]]
    assert table.rows[0].number == 3


def test_commas_within_statements_are_no_delimiters():
    table = read_table(b"code;statement\n1;a, b, c\n2;d, e\n3;f, g, h, i\n")

    assert cells(table)[1] == ["1", "a, b, c"]


def test_rows_are_counted_as_a_spreadsheet_does():
    table = read_table(b'code,statement\nA,"two\nlines"\n\n,\nB,x\n')

    assert [(row.number, row.line) for row in table.rows] == [(2, 3), (5, 6)]


def test_a_row_that_the_file_ends_in_is_seen():
    assert read_table(b"a,b,c\n1,2,3\n4,5").is_cut_off
    assert not read_table(b"a,b,c\n1,2,3\n4,5\n").is_cut_off
    assert not read_table(b"a,b,c\n1,2,3").is_cut_off


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf \r\n", "The file is empty."),
        (b"\n,,\n", "The file is empty."),
        (b'a,b\n1,"never closed\n2,3\n', "Line 2: a quotation mark is opened and not closed"),
        (b'a,b\n1,"x"y\n', "Line 2: this is not CSV"),
        ("a,b\n1,Ü".encode() + "Ü".encode()[:1], "The file is no text, or was cut off"),
        ("a,b\n1,2".encode("utf-16")[:-1], "The file is no text, or was cut off"),
        (b"a,b\n1,\x81\x8d\n", "The file is no text, or was cut off"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(data, said):
    assert refusal(data).startswith(said)


def test_two_hundred_thousand_rows_are_read_and_far_more_are_refused():
    rows = b"code,statement\n" + b"N,Statement of it\n" * 200_000

    assert len(read_table(rows).rows) == 200_000
    assert "250,000" in refusal(rows + b"N,Statement\n" * 60_000)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=1", "''-1"])
def test_no_cell_that_is_written_is_a_formula_and_each_is_read_back(cell):
    data = write_table(["a", "b"], [[cell, "x"]])

    ((written_cell, _),) = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))[1:]
    assert written_cell.startswith("'")
    assert read_table(data).rows[0].cells[0] == cell.strip() or cell[0] in "\t\r"


_plain = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(str.strip)


@given(st.lists(st.lists(_plain, min_size=2, max_size=2).filter(any), min_size=2, max_size=6))
def test_what_is_written_is_read_back(rows):
    header = ["first", "second"]

    assert cells(read_table(write_table(header, rows))) == [header, *rows]


@given(_plain)
def test_a_guarded_cell_begins_with_no_sign_of_a_formula(cell):
    assert not guarded(cell).startswith(("=", "+", "-", "@"))


@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_a_table_or_refused_with_sentences(data):
    table, problems = outcome(data)

    assert any(table.header) if table else problems
    assert all(one.endswith(".") for one in problems)
