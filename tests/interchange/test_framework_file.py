from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interchange.errors import FileRefused
from interchange.framework_csv import guessed_columns, read_plain, write_plain
from interchange.framework_file import FileFormat, format_of, read_framework
from interchange.imported import Named, OpenLink
from interchange.tabular import read_table
from mapping.records import CompetencyLink, LinkKind

NAMED = Named(identifier="f", title="Local", language="en")
CANVAS = (
    "vendor_guid,object_type,title,description,display_name,calculation_method,"
    "calculation_int,workflow_state,parent_guids,ratings,,,\n"
)
MOODLE = (
    '"Parent ID number","ID number","Short name",Description,"Description format",'
    '"Scale values","Scale configuration","Rule type (optional)","Rule outcome (optional)",'
    '"Rule config (optional)","Cross-referenced competency ID numbers","Exported ID (optional)",'
    '"Is framework",Taxonomy\n'
    ',FW,"History","<p>Of a ministry</p>",1,"a,b",[],,,,,,1,"competency"\n'
)


def read(text: str, **more):
    return read_framework(text.encode(), NAMED, **more)


def told(found):
    return [(c.identifier, c.code, c.parent, c.is_strand) for c in found.framework.competencies]


def test_plain_csv_is_read_by_the_names_of_its_columns():
    found = read("Código;Descrição;Pai\nN;Números;\nN.1;Contar;N\n", form=None)

    assert told(found) == [("N", "N", None, True), ("N.1", "N.1", "N", False)]
    assert found.framework.title == "Local"
    assert (found.skipped, found.unresolved, found.warnings) == ((), (), ())


def test_a_parent_is_found_by_its_code_or_its_identifier():
    found = read(
        "Identifier,fullStatement,Human Coding Scheme,Is Child Of\n"
        "id-1,Everything,M,\nid-2,A part,M.F,M\nid-3,Another,M.G,id-1\n"
    )

    assert [c.parent for c in found.framework.competencies] == [None, "id-1", "id-1"]


def test_columns_may_be_matched_by_a_person():
    table = read_table(b"A,B,C\nN.1,ignored,Counts\n")

    found = read_plain(table, NAMED, {"code": 0, "statement": 2})

    assert found.framework.competencies[0].statement == "Counts"
    assert found.warnings == ("The column 'B' is not used.",)


def test_a_columns_own_name_goes_before_a_word_for_it():
    columns = guessed_columns(["Title", "Statement", "ID", "Code", "?"])

    assert columns == {"identifier": 2, "code": 3, "statement": 1}


def test_missing_columns_are_told_with_those_there_are():
    with pytest.raises(FileRefused) as refused:
        read("x,y\n1,2\n", form=FileFormat.CSV)

    assert refused.value.problems == (
        "Say which column holds the statement.",
        "Say which column holds the code, or the identifier.",
        "The columns are 'x', 'y'.",
    )


def test_every_wrong_row_is_told_by_its_number_and_the_rest_is_read():
    found = read(
        "code,statement,parent\n"
        "A,Adds,\nA,Adds again,\n,Nothing,\nB,,\nC,Counts,gone\nD,Digs,E\nE,Eats,D\n"
        f"{'x' * 65},Long,\nF,Fl\0ies,\nG,cut"
    )

    assert [row[0] for row in told(found)] == ["A", "C", "D", "E"]
    assert found.faults == (
        "Row 11: the file ends in the middle of it: it was cut off.",
        "Row 4: it has neither a code nor an identifier.",
        "Row 5: it has no statement.",
        "Row 9: its identifier is longer than 64 characters.",
        "Row 10: it holds a null character.",
        "Row 3: A is there again; the first one is kept.",
        "Row 7: D is among its own ancestors; it has no parent now.",
    )
    assert found.unresolved == (OpenLink(origin="C", kind="isChildOf", destination="gone"),)
    with pytest.raises(FileRefused):
        found.whole()


def test_progressions_in_a_column_are_links_and_circles_are_told():
    found = read("code,statement,precedes\nA,Adds,B | Z\nB,Bakes,A\n")

    kept = CompetencyLink(origin="A", kind=LinkKind.PRECEDES, destination="B")
    assert found.framework.links == (kept,)
    assert found.faults == ("B precedes A: it would close a circle.",)
    assert found.unresolved == (OpenLink(origin="A", kind="precedes", destination="Z"),)


def test_formulas_in_cells_are_texts():
    found = read('code,statement\nA,"=HYPERLINK(""http://x"")"\n')

    assert found.framework.competencies[0].statement == '=HYPERLINK("http://x")'
    assert b"\"'=HYPERLINK" in write_plain(found.framework)


def test_canvas_outcomes_are_read_with_their_groups():
    found = read(
        CANVAS
        + "g,group,Number,,,,,active,,,,,\n"
        + "o1,outcome,N.1,<p>Counts &amp; adds</p>,I can count,highest,,active,g h,4,Good,1,Bad\n"
        + "o2,outcome,A long name without a description,,,,,active,g,,,,\n"
        + "o3,outcome,Gone,,,,,deleted,g,,,,\n"
        + "o4,thing,What,,,,,active,,,,,\n"
    )

    assert told(found) == [
        ("g", "g", None, True),
        ("o1", "N.1", "g", False),
        ("o2", "o2", "g", False),
    ]
    first = found.framework.competencies[1]
    assert (first.statement, first.indicator) == ("Counts & adds", "I can count")
    assert found.faults == ("Row 6: it is neither a group nor an outcome.",)
    assert found.skipped == (
        "Columns calculation_method, calculation_int, ratings: rules and scales say this here.",
        "o1 isChildOf h: it has a parent already.",
        "Row 5: it is deleted in Canvas.",
        "Row 6: it is neither a group nor an outcome.",
    )


def test_a_moodle_framework_is_read_with_the_names_it_has_there():
    found = read(
        MOODLE
        + ",S,Sources,,1,,,,,,,,,\n"
        + "S,S1,Dating,<b>Dates</b> a source,1,,,core\\rule,1,{},S2%2Cx,,,\n"
        + "S,S2,Judging,,1,,,,,,,,,\n"
        + "S,,Nameless,,1,,,,,,,,,\n"
    )

    assert (found.framework.identifier, found.framework.title) == ("FW", "History")
    assert found.framework.attribution == "Of a ministry"
    assert told(found)[1] == ("S1", "S1", "S", False)
    assert found.framework.competencies[1].statement == "Dating: Dates a source"
    assert found.unresolved == (OpenLink(origin="S1", kind="isRelatedTo", destination="S2,x"),)
    assert found.faults == ("Row 6: it has neither a code nor an identifier.",)
    assert found.skipped[0].startswith("Row 4: its rule in Moodle is not kept")


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b' \xef\xbb\xbf{"CFDocument": 1}', FileFormat.CASE),
        ('{"CFDocument": 1}'.encode("utf-16"), FileFormat.CASE),
        (CANVAS.encode() + b"g,group,N\n", FileFormat.CANVAS),
        (MOODLE.encode("utf-16"), FileFormat.MOODLE),
        (b"code;statement\nA;b\n", FileFormat.CSV),
    ],
)
def test_a_format_is_told_by_what_is_in_the_file(data, form):
    assert format_of(data) is form


@pytest.mark.parametrize("form", [FileFormat.CANVAS, FileFormat.MOODLE, FileFormat.CASE])
def test_a_file_that_is_not_what_it_is_said_to_be_is_refused(form):
    with pytest.raises(FileRefused):
        read("code,statement\nA,b\n", form=form)


def test_statements_that_nobody_can_show_are_pointed_out_but_not_of_strands():
    found = read("code,statement,parent\nA,Understand numbers,\nB,Know primes,A\nC,Counts,A\n")

    assert found.warnings == ('B: "know" cannot be demonstrated; say what a learner does.',)
    assert found.faults == ()


def test_a_district_may_list_verbs_of_its_own():
    text = "code,statement\nA,Explore numbers\nB,Know primes\n"

    found = read(text, verbs={"en": ("explore",)})

    assert [one[:1] for one in found.warnings] == ["A"]


_names = st.sampled_from(["A", "B", "C", "D", "=E", "-F", ""])
_lines = st.lists(st.tuples(_names, st.sampled_from(["Says", "=x", ""]), _names, _names))


@given(_lines)
def test_what_was_exported_comes_back_the_same_and_no_row_is_lost_unsaid(lines):
    body = "".join(f"{c},{s},{p},{n}\n" for c, s, p, n in lines)
    try:
        found = read("code,statement,parent,precedes\n" + body)
    except FileRefused:
        return

    again = read_framework(write_plain(found.framework), NAMED)
    rows_at_fault = [one for one in found.faults if one.startswith("Row")]
    assert again.framework == replace(found.framework, links=again.framework.links)
    assert set(again.framework.links) == set(found.framework.links)
    assert again.skipped == again.unresolved == ()
    filled = sum(any(line) for line in lines)
    cut = sum("ancestors" in one for one in rows_at_fault)
    assert len(found.framework.competencies) + len(rows_at_fault) - cut == filled
