import fnmatch
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.alignment import coverage, exactly, matches, plain, resolve
from mapping.lms_links import KnownNames
from mapping.records import (
    WHATEVER_IS_LINKED,
    Course,
    CourseRef,
    Criterion,
    CriterionRef,
    EvidenceKind,
    Grading,
    LineItem,
    LineItemRef,
    MappingRule,
    SchoolRef,
)

COURSE = Course(
    ref=CourseRef("2"), title="Mathematics 6A", code="MATH-6A", school_ref=SchoolRef("1")
)
REASONING = Criterion(ref=CriterionRef("c1"), title="Mathematical reasoning", maximum=4.0)
LAYOUT = Criterion(ref=CriterionRef("c2"), title="Layout", maximum=2.0)
RULE = MappingRule(competency="EF06MA07", framework="bncc")


def item(ref, title="Quiz 3: Fractions", category="Quizzes", **facts):
    return LineItem(ref=LineItemRef(ref), title=title, category=category, maximum=10.0, **facts)


def aligned(rule, *items, course=COURSE):
    return [(found.line_item_ref, found.criterion_ref) for found in resolve([rule], course, items)]


@pytest.mark.parametrize(
    ("pattern", "text", "is_match"),
    [
        ("", "anything", True),
        ("*fractions*", "Quiz 3: FRACTIONS, part 1", True),
        ("fractions", "Quiz 3: Fractions", False),
        ("Quiz ?", "quiz 3", True),
        ("Quiz ?", "quiz 13", False),
        ("Quiz [12]", "quiz 3", False),
        ("álgebra", "A\N{COMBINING ACUTE ACCENT}LGEBRA", True),
        ("STRASSE", "Straße", True),
        ("a.c", "abc", False),
        ("*two*lines*", "two\nlines", True),
    ],
)
def test_patterns_are_shell_patterns_without_case(pattern, text, is_match):
    assert matches(pattern, text) is is_match


@given(st.text(), st.text())
def test_every_text_is_a_pattern(pattern, text):
    assert matches(pattern, text) in {True, False}


@given(st.text(alphabet="ab*?", min_size=1), st.text(alphabet="ab"))
def test_plain_patterns_match_as_fnmatch_does(pattern, text):
    assert matches(pattern, text) == fnmatch.fnmatchcase(text, pattern)


@given(st.text())
def test_a_text_between_stars_matches_itself_anywhere(text):
    plain = text.translate({ord(sign): None for sign in "*?["})

    assert matches(f"*{plain}*", f"before {plain} after")


def test_no_pattern_can_make_matching_explode():
    is_match = matches("*a" * 40 + "b", "a" * 5000)

    assert not is_match


@pytest.mark.parametrize(
    "rule",
    [
        RULE,
        replace(RULE, course="mathematics*"),
        replace(RULE, course="math-6?"),
        replace(RULE, line_item="*fractions*"),
        replace(RULE, category="quiz*"),
    ],
)
def test_a_rule_aligns_what_all_its_patterns_match(rule):
    assert aligned(rule, item("5")) == [("5", None)]


@pytest.mark.parametrize(
    "rule",
    [
        replace(RULE, course="science*"),
        replace(RULE, line_item="*decimals*"),
        replace(RULE, category="projects"),
        replace(RULE, line_item="*fractions*", category="projects"),
        replace(RULE, criterion="*reasoning*"),
    ],
)
def test_a_rule_aligns_nothing_that_one_of_its_patterns_does_not_match(rule):
    assert aligned(rule, item("5")) == []


@pytest.mark.parametrize(
    "facts", [{"is_own": True}, {"is_published": False}, {"grading": Grading.NOT_GRADED}]
)
@pytest.mark.parametrize("criterion", ["", "*"])
def test_own_columns_and_ungraded_items_are_never_evidence(facts, criterion):
    rule = replace(RULE, criterion=criterion)

    assert aligned(rule, item("5", criteria=(REASONING,), **facts)) == []


def test_a_criterion_pattern_aligns_the_rubric_rows_it_matches():
    rule = replace(RULE, criterion="*REASONING*")

    assert aligned(rule, item("5", criteria=(LAYOUT, REASONING)), item("6")) == [("5", "c1")]


def test_an_alignment_carries_the_rules_facts():
    rule = replace(RULE, weight=2.0, kind=EvidenceKind.APPLICATION)

    (found,) = resolve([rule], COURSE, [item("5")])

    assert (found.framework, found.competency) == ("bncc", "EF06MA07")
    assert (found.weight, found.kind) == (2.0, EvidenceKind.APPLICATION)


def test_the_first_of_two_rules_for_the_same_item_and_competency_wins():
    rules = [replace(RULE, weight=3.0), RULE]

    found = resolve(rules, COURSE, [item("5")])

    assert [alignment.weight for alignment in found] == [3.0]


def test_one_item_may_speak_for_several_competencies_and_frameworks():
    rules = [RULE, replace(RULE, competency="EF06MA08"), replace(RULE, framework="ccss")]

    assert len(resolve(rules, COURSE, [item("5")])) == 3


@given(st.lists(st.sampled_from(["EF06MA07", "EF06MA08", "EF06MA09"]), max_size=6))
def test_repeating_rules_changes_nothing(competencies):
    rules = [replace(RULE, competency=competency) for competency in competencies]
    items = [item("5"), item("6")]

    assert resolve(rules + rules, COURSE, items) == resolve(rules, COURSE, items)


def test_coverage_names_the_rules_and_items_that_do_not_meet():
    used = replace(RULE, line_item="*fractions*")
    shadowed = replace(RULE, course="math-6a")
    useless = replace(RULE, course="science*")
    items = [item("5"), item("6"), item("7", is_own=True), item("8", title="Essay")]
    other = replace(COURSE, ref=CourseRef("3"), title="Homeroom", code="HR")

    found = coverage([used, useless], [(COURSE, items), (other, [])])
    everything = coverage([used, shadowed, useless], [(COURSE, items)])

    assert found.unmatched_rules == (useless,)
    assert found.unmatched_items == (("2", "8"),)
    assert found.matched_items == 2
    assert (everything.unmatched_rules, everything.unmatched_items) == ((useless,), ())


def test_an_item_with_a_matching_criterion_is_covered():
    rule = replace(RULE, criterion="*reasoning*")

    found = coverage([rule], [(COURSE, [item("5", criteria=(REASONING,))])])

    assert (found.matched_items, found.unmatched_items) == (1, ())


@given(st.text(min_size=1, max_size=60), st.text(max_size=60))
def test_a_pattern_of_one_text_matches_it_and_no_other(text, other):
    pattern = exactly(text, 512)

    assert matches(pattern, text)
    assert matches(pattern, other) == (plain(text) == plain(other))


@given(st.text(alphabet="ab*?[", min_size=1, max_size=60))
def test_the_pattern_of_a_long_text_matches_what_begins_as_it_does(text):
    pattern = exactly(text, 10)

    assert len(pattern) <= 10
    assert matches(pattern, text)


@pytest.mark.parametrize(
    ("school", "is_meant"), [("", True), ("north*", True), ("*", True), ("south*", False)]
)
def test_a_rule_for_a_school_speaks_of_its_courses_alone(school, is_meant):
    north = replace(COURSE, school="North School")

    found = aligned(replace(RULE, school=school), item("5"), course=north)

    assert bool(found) is is_meant


def test_a_course_of_no_school_is_meant_by_no_schools_name():
    assert aligned(replace(RULE, school="north*"), item("5")) == []


LINKED = replace(RULE, competency=WHATEVER_IS_LINKED)
KNOWN = KnownNames([("bncc", "guid-7", "EF06MA07"), ("bncc", "guid-8", "EF06MA08")])
SEVEN = replace(REASONING, links=(("GUID-7", "Fractions"),))
EIGHT = replace(LAYOUT, links=(("another-guid", "ef06ma08"),))


def linked(rules, *items):
    return [
        (one.line_item_ref, one.criterion_ref, one.competency)
        for one in resolve(rules, COURSE, items, known=KNOWN)
    ]


def test_by_links_each_row_speaks_for_what_the_lms_names_by_identifier_or_by_code():
    strange = replace(LAYOUT, ref="c3", links=(("unknown", "Unknown"),))

    found = linked([LINKED], item("5", criteria=(SEVEN, EIGHT, strange, REASONING)))

    assert found == [("5", "c1", "EF06MA07"), ("5", "c2", "EF06MA08")]


def test_a_whole_line_item_may_be_linked_to_several_competencies():
    whole = item("5", links=(("guid-7",), ("guid-8",)), criteria=(SEVEN,))

    found = linked([LINKED], whole)
    rows = linked([replace(LINKED, criterion="*")], whole)

    assert found == [("5", None, "EF06MA07"), ("5", None, "EF06MA08"), ("5", "c1", "EF06MA07")]
    assert rows == [("5", "c1", "EF06MA07")]


def test_by_links_a_rule_keeps_to_its_patterns_and_its_framework():
    work = item("5", criteria=(SEVEN,))

    for other in ({"line_item": "essay"}, {"criterion": "layout"}, {"framework": "ccss"}):
        assert linked([replace(LINKED, **other)], work) == []


def test_a_rule_by_name_before_one_by_links_settles_the_weight():
    first = replace(RULE, criterion="*reason*", weight=3.0)

    found = resolve([first, LINKED], COURSE, [item("5", criteria=(SEVEN,))], known=KNOWN)

    assert [(one.competency, one.weight) for one in found] == [("EF06MA07", 3.0)]


def test_an_identifier_is_surer_than_a_code():
    known = KnownNames([("F", "a", "b"), ("F", "b", "c")])

    assert known.codes("F", [("b",), ("B", "a"), ("none", "a"), ("none",)]) == ("c", "b")
