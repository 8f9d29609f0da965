import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interchange.errors import FileRefused
from interchange.mapping_csv import COLUMNS, read_mapping, write_mapping
from interchange.tabular import guarded
from mapping.records import WHATEVER_IS_LINKED, EvidenceKind, MappingRule
from mapping.steps import passed_from, steps_text

HEADER = "framework,competency,course,line_item,category,criterion,weight,kind"


def mapping(*lines: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *lines, ""]).encode()


def problems(data: bytes) -> tuple[str, ...]:
    with pytest.raises(FileRefused) as refused:
        read_mapping(data)
    return refused.value.problems


def outcome(data: bytes):
    try:
        return read_mapping(data), ()
    except FileRefused as refused:
        return (), refused.problems


def test_a_line_is_a_rule_with_all_its_columns():
    (rule,) = read_mapping(mapping("F,N.1,Alg*,Quiz*,Tests,Row 1,2.5,recall"))

    assert rule == MappingRule(
        framework="F",
        competency="N.1",
        course="Alg*",
        line_item="Quiz*",
        category="Tests",
        criterion="Row 1",
        weight=2.5,
        kind=EvidenceKind.RECALL,
    )


def test_a_school_and_what_the_lms_links_are_said_in_columns_of_their_own():
    lines = mapping("F,*,North*", header="framework,competency,school")
    rules = read_mapping(lines)

    assert rules == (MappingRule(framework="F", competency=WHATEVER_IS_LINKED, school="North*"),)
    assert read_mapping(write_mapping(rules)) == rules


@pytest.mark.parametrize(
    ("text", "steps"), [("pass 60%", passed_from(60)), ("50 70", (50, 70)), ("", ())]
)
def test_how_a_score_counts_is_said_in_a_column(text, steps):
    (rule,) = read_mapping(mapping(f"F,N.1,{text}", header="framework,competency,counts_as"))

    assert rule.steps == steps
    assert read_mapping(write_mapping([rule])) == (rule,)


def test_what_does_not_say_how_a_score_counts_is_told_with_its_line():
    (problem,) = problems(mapping("F,N.1,90 50", header="framework,competency,counts_as"))

    assert problem.startswith("Line 2: '90 50' does not say how a score counts. Each level begins")


def test_only_framework_and_competency_are_needed():
    (rule,) = read_mapping(mapping("F,N.1", header="framework,competency"))

    assert rule == MappingRule(framework="F", competency="N.1")


def test_the_order_of_the_lines_is_kept():
    rules = read_mapping(mapping("F,B,,,,,,", "F,A,,,,,,"))

    assert [rule.competency for rule in rules] == ["B", "A"]


def test_a_file_with_a_header_alone_has_no_rules():
    assert read_mapping(mapping()) == ()


def test_a_byte_order_mark_is_no_part_of_the_header():
    assert len(read_mapping(b"\xef\xbb\xbf" + mapping("F,N.1,,,,,,"))) == 1


def test_spaces_around_names_of_columns_and_values_mean_nothing():
    (rule,) = read_mapping(mapping(" F , N.1 ", header="framework, competency"))

    assert rule == MappingRule(framework="F", competency="N.1")


def test_kinds_are_read_without_regard_to_case():
    (rule,) = read_mapping(mapping("F,N.1,,,,,,APPLICATION"))

    assert rule.kind is EvidenceKind.APPLICATION


@pytest.mark.parametrize("name", ["framework", "competency"])
def test_a_missing_column_is_named(name):
    left = "competency" if name == "framework" else "framework"

    assert problems(mapping(header=left)) == (f"The column {name} is missing.",)


def test_an_unknown_column_is_named_beside_those_there_are():
    (problem,) = problems(mapping(header=f"{HEADER},wheight"))

    assert problem == f"The column 'wheight' is not known; the columns are {', '.join(COLUMNS)}."


def test_a_column_that_is_there_twice_is_refused():
    found = problems(mapping(header="framework,competency,competency"))

    assert found == ("The column competency is there more than once.",)


def test_an_empty_file_is_refused():
    assert problems(b"") == ("The file is empty.",)


def test_every_wrong_line_is_told_with_its_number_in_the_file():
    found = problems(mapping("F,N.1,,,,,0,", "", "F,,,,,,,", "F,N.3,,,,,,guess"))

    assert found == (
        "Line 2: the weight '0' is not a number above 0.",
        "Line 4: competency is empty.",
        f"Line 5: the kind 'guess' is none of {', '.join(kind.value for kind in EvidenceKind)}.",
    )


@pytest.mark.parametrize("weight", ["0", "-1", "nan", "inf", "1e7", "heavy", "1,5"])
def test_a_weight_that_is_no_number_above_zero_is_refused(weight):
    (problem,) = problems(mapping(f'F,N.1,,,,,"{weight}",'))

    assert problem == f"Line 2: the weight '{weight}' is not a number above 0."


def test_a_value_too_long_to_be_kept_is_refused():
    (problem,) = problems(mapping(f"F,N.1,{'x' * 513},,,,,"))

    assert problem == "Line 2: course is longer than 512 characters."


def test_a_value_with_a_null_character_is_refused():
    assert problems(mapping("F,N.1,a\0b,,,,,")) == ("Line 2: course holds a null character.",)


def test_more_values_than_columns_are_refused():
    (problem,) = problems(mapping("F,N.1,,,,,,,left over"))

    assert problem == "Line 2: it has more values than the header has columns."


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-8-sig"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_file_is_read_as_a_spreadsheet_saved_it(encoding, sign):
    text = "framework,competency\r\nF,Frações\r\n".replace(",", sign)

    (rule,) = read_mapping(text.encode(encoding))

    assert rule == MappingRule(framework="F", competency="Frações")


def test_a_file_that_is_no_text_says_how_to_save_it():
    (problem,) = problems(b"framework,competency\nF,\x81\x8d\n")

    assert problem.endswith("Save it as CSV UTF-8.")


def test_a_quote_that_does_not_end_is_refused():
    (problem,) = problems(b'framework,competency\n"F,N.1\n')

    assert problem.startswith("Line 2: a quotation mark is opened and not closed")


_words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=20)
_patterns = st.one_of(st.just(""), _words)
_rules = st.builds(
    MappingRule,
    framework=_words,
    competency=_words,
    course=_patterns,
    line_item=_patterns,
    category=_patterns,
    criterion=_patterns,
    weight=st.floats(min_value=1e-6, max_value=1e6),
    kind=st.sampled_from(EvidenceKind),
    school=_patterns,
    steps=st.sampled_from([(), (50, 70), passed_from(60)]),
)


@given(st.lists(_rules, max_size=8))
def test_what_is_written_as_csv_is_read_back(rules):
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for rule in rules:
        values = [getattr(rule, name) for name in COLUMNS[:-1]] + [steps_text(rule.steps)]
        words = [v.value if isinstance(v, EvidenceKind) else str(v) for v in values]
        writer.writerow(map(guarded, words))

    assert read_mapping(text.getvalue().encode()) == tuple(rules)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_read_or_refused_with_a_reason(data):
    rules, found = outcome(HEADER.encode() + b"\n" + data)

    assert not (rules and found)
    assert all(rule.framework and rule.competency and rule.weight > 0 for rule in rules)
    assert all(problem.endswith(".") for problem in found)
