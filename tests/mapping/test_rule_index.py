"""Rules applied to many courses at once mean what they mean for one."""

from hypothesis import given
from hypothesis import strategies as st

from mapping.alignment import resolve
from mapping.lms_links import KnownNames
from mapping.records import (
    WHATEVER_IS_LINKED,
    Course,
    CourseRef,
    Criterion,
    CriterionRef,
    Grading,
    LineItem,
    LineItemRef,
    MappingRule,
    SchoolRef,
)
from mapping.rule_index import Hit, RuleIndex

WORDS = st.sampled_from(["", "Quiz", "quiz one", "Éssay", "essay", "Lab"])
PATTERNS = st.sampled_from(["", "*", "quiz*", "ESSAY", "éss*", "?ab", "[lq]*", "nothing"])
RULES = st.builds(
    MappingRule,
    framework=st.just("F"),
    competency=st.sampled_from(["N.1", "N.2", WHATEVER_IS_LINKED]),
    school=st.sampled_from(["", "north*", "x"]),
    course=PATTERNS,
    line_item=PATTERNS,
    category=PATTERNS,
    criterion=PATTERNS,
    weight=st.sampled_from([1.0, 2.0]),
    steps=st.sampled_from([(), (50, 80)]),
)


KNOWN = KnownNames([("F", "n1", "N.1"), ("F", "n2", "N.2"), ("F", "n3", "n2")])
LINKS = st.lists(
    st.sampled_from([("n1",), ("N2", "N.1"), ("other", "N.2"), ("other",)]), max_size=2
).map(tuple)


def item(ref, title="Quiz", **more):
    return LineItem(
        ref=LineItemRef(ref), title=title, category=more.pop("category", ""), maximum=10.0, **more
    )


def course(title="Algebra", code="ALG"):
    return Course(
        ref=CourseRef("c"), title=title, code=code, school_ref=SchoolRef("s"), school="North"
    )


@st.composite
def columns(draw):
    titles = draw(st.lists(st.tuples(WORDS, WORDS, st.lists(WORDS, max_size=2)), max_size=4))
    return [
        item(
            str(at),
            title,
            category=category,
            grading=draw(st.sampled_from(Grading)),
            is_published=draw(st.booleans()),
            links=draw(LINKS),
            criteria=tuple(
                Criterion(ref=CriterionRef(f"{at}.{n}"), title=one, maximum=4.0, links=draw(LINKS))
                for n, one in enumerate(criteria)
            ),
        )
        for at, (title, category, criteria) in enumerate(titles)
    ]


@given(st.lists(RULES, max_size=6), WORDS, WORDS, columns(), columns())
def test_it_finds_what_resolving_course_by_course_finds(rules, title, code, first, second):
    index = RuleIndex(rules, KNOWN)

    for items in (first, second):
        place = course(title, code)
        found = {}
        for hit in index.hits(place, items):
            rule = rules[hit.rule]
            key = (hit.ref, hit.criterion or None, hit.competency)
            found.setdefault(key, (rule.weight, rule.kind, rule.steps))

        resolved = {
            (one.line_item_ref, one.criterion_ref, one.competency): (
                one.weight,
                one.kind,
                one.steps,
            )
            for one in resolve(rules, place, items, known=KNOWN)
        }
        assert found == resolved


def test_every_rule_that_speaks_of_an_item_is_told_in_their_order():
    rules = [MappingRule(framework="F", competency="N.1", line_item=one) for one in ("q*", "x", "")]

    assert RuleIndex(rules).hits(course(), [item("1")]) == [
        Hit(0, "1", "", "N.1"),
        Hit(2, "1", "", "N.1"),
    ]


def test_a_set_of_more_rules_than_a_machine_word_has_bits():
    rules = [MappingRule(framework="F", competency="N.1", line_item=f"Quiz {n}") for n in range(99)]

    assert RuleIndex(rules).hits(course(), [item("1", "Quiz 98")]) == [Hit(98, "1", "", "N.1")]
