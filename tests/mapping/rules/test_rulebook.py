from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.rulebook import Enrolments, RuleBook, check, in_force, next_change
from mapping.rules.scopes import SYSTEM_RULE, Scope, ScopedRule, ScopeRefused

# Ids are small, so that chance makes them meet.
IDS = st.integers(1, 4)
SAID = st.sampled_from(
    [{}, {"mastered": 2.0}, {"mastered": 3.5}, {"minimum_evidence": 3}, {"method": "mean"}]
)


@st.composite
def entry_lists(draw):
    places = draw(
        st.lists(
            st.tuples(st.sampled_from([s for s in Scope if s > 0]), IDS, st.integers(0, 9), SAID),
            max_size=12,
        )
    )
    return [
        ScopedRule(
            id=number,
            scope=scope,
            target=target if scope > Scope.DISTRICT else 0,
            version=number,
            effective_from=moment,
            definition=definition,
        )
        for number, (scope, target, moment, definition) in enumerate(places, 1)
    ]


def entry(scope, target, definition, *, since=0, version=1):
    return ScopedRule(
        id=version,
        scope=scope,
        target=target,
        version=version,
        effective_from=since,
        definition=definition,
    )


def column(*numbers):
    return np.array(numbers, dtype=np.int64)


def chain_by_hand(entries, at, framework_of, competency, course=None):
    """Which versions make the rule, found by looking through all of them for each scope."""
    places = [(Scope.DISTRICT, 0), (Scope.FRAMEWORK, framework_of.get(competency))]
    places += [(Scope.COURSE, course), (Scope.COMPETENCY, competency)]
    chain = [SYSTEM_RULE]
    for place in places:
        said = [e for e in entries if (e.scope, e.target) == place and e.effective_from <= at]
        newest = max(said, key=lambda e: (e.effective_from, e.version), default=SYSTEM_RULE)
        if newest.definition:
            chain.append(newest)
    return tuple(chain)


def course_by_hand(entries, at, speaks, courses, competency):
    """The course whose rule holds, None for none."""
    found = [(-1, -1, None)]
    for course in courses:
        last = chain_by_hand(entries, at, {}, -1, course)[-1]
        if last.scope is Scope.COURSE and (course, competency) in speaks:
            found.append((last.effective_from, last.id, course))
    return max(found, key=lambda row: row[:2])[-1]


def test_without_entries_the_systems_rule_holds_everywhere():
    book = RuleBook.of([], at=0)

    assert [effective.rule for effective in book.rules] == [MasteryRule()]
    assert book.rule_of(column(1, 2)).tolist() == [0, 0]


def test_a_single_rule_holds_for_everything():
    book = RuleBook.single(MasteryRule(mastered=2.0))

    found = book.assign(column(1, 2), column(5, 6), Enrolments.none())

    assert found.tolist() == [0, 0]
    assert book.rules[0].rule.mastered == 2.0


def test_a_framework_holds_for_its_competencies_and_a_competency_for_itself():
    entries = [
        entry(Scope.FRAMEWORK, 1, {"mastered": 2.0}),
        entry(Scope.COMPETENCY, 11, {"minimum_evidence": 5}),
    ]

    book = RuleBook.of(entries, at=0, framework_of={10: 1, 11: 1, 12: 2})

    rules = [book.rules[i].rule for i in book.rule_of(column(10, 11, 12))]
    assert [(rule.mastered, rule.minimum_evidence) for rule in rules] == [
        (2.0, 2),
        (2.0, 5),
        (3.0, 2),
    ]


def test_a_course_holds_for_its_learners_in_what_it_speaks_for():
    book = RuleBook.of([entry(Scope.COURSE, 7, {"mastered": 2.0})], at=0, speaks=[(7, 10), (8, 11)])
    enrolled = Enrolments(learner=column(1), course=column(7))

    found = book.assign(column(1, 1, 2), column(10, 11, 10), enrolled)

    assert [book.rules[i].rule.mastered for i in found] == [2.0, 3.0, 3.0]


def test_a_competency_goes_before_a_course():
    entries = [
        entry(Scope.COURSE, 7, {"mastered": 2.0, "minimum_evidence": 4}),
        entry(Scope.COMPETENCY, 10, {"mastered": 1.0}),
    ]
    book = RuleBook.of(entries, at=0, speaks=[(7, 10)])

    (found,) = book.assign(column(1), column(10), Enrolments(learner=column(1), course=column(7)))

    rule = book.rules[found].rule
    assert (rule.mastered, rule.minimum_evidence) == (1.0, 4)


def test_of_two_courses_the_one_effective_last_holds():
    entries = [
        entry(Scope.COURSE, 7, {"mastered": 2.0}, since=5, version=1),
        entry(Scope.COURSE, 8, {"mastered": 1.0}, since=4, version=2),
    ]
    book = RuleBook.of(entries, at=9, speaks=[(7, 10), (8, 10)])

    (found,) = book.assign(
        column(1), column(10), Enrolments(learner=column(1, 1), course=column(7, 8))
    )

    assert book.rules[found].rule.mastered == 2.0


def test_the_systems_own_entry_takes_the_place_of_the_built_in_one():
    system = entry(Scope.SYSTEM, 0, {"minimum_evidence": 4})

    book = RuleBook.of([system], at=0)

    assert book.rules[0].chain == (system,)
    assert book.rules[0].rule.minimum_evidence == 4


def test_nothing_said_withdraws_what_was_said_before():
    entries = [
        entry(Scope.DISTRICT, 0, {"mastered": 2.0}, since=1, version=1),
        entry(Scope.DISTRICT, 0, {}, since=2, version=2),
    ]

    found = [RuleBook.of(entries, at=at).rules[0].rule.mastered for at in (0, 1, 2)]

    assert found == [3.0, 2.0, 3.0]


def test_of_versions_effective_at_once_the_highest_holds():
    entries = [
        entry(Scope.DISTRICT, 0, {"mastered": 1.0}, since=1, version=2),
        entry(Scope.DISTRICT, 0, {"mastered": 2.0}, since=1, version=1),
    ]

    assert in_force(entries, 1) == {(Scope.DISTRICT, 0): entries[0]}


@settings(max_examples=40)
@given(entry_lists(), st.integers(0, 9), st.dictionaries(IDS, IDS))
def test_every_competency_has_the_rule_that_looking_by_hand_finds(entries, at, framework_of):
    book = RuleBook.of(entries, at=at, framework_of=framework_of)

    competencies = column(0, 1, 2, 3, 4)
    found = [book.rules[i].chain for i in book.rule_of(competencies)]
    assert found == [
        chain_by_hand(entries, at, framework_of, competency) for competency in competencies.tolist()
    ]


COURSES = st.lists(
    st.builds(
        entry,
        st.just(Scope.COURSE),
        IDS,
        SAID,
        since=st.integers(0, 9),
        version=st.integers(20, 99),
    ),
    max_size=8,
    unique_by=lambda said: said.version,
)


@settings(max_examples=50)
@given(
    st.builds(add, entry_lists(), COURSES),
    st.lists(st.tuples(IDS, st.sampled_from([2, 4])), min_size=3, max_size=8),
    st.lists(st.tuples(st.sampled_from([1, 3]), IDS), min_size=3, max_size=8),
    st.lists(st.tuples(IDS, st.integers(0, 5)), min_size=10, max_size=20),
)
def test_every_pair_has_the_rule_that_looking_by_hand_finds(entries, speaks, enrolled, pairs):
    at, framework_of = 6, {1: 1, 2: 1, 3: 2}
    book = RuleBook.of(entries, at=at, framework_of=framework_of, speaks=speaks)
    enrolments = Enrolments(
        learner=column(*(learner for learner, _ in enrolled)),
        course=column(*(course for _, course in enrolled)),
    )

    found = book.assign(
        column(*(learner for learner, _ in pairs)),
        column(*(competency for _, competency in pairs)),
        enrolments,
    )

    for (learner, competency), rule in zip(pairs, found.tolist(), strict=True):
        courses = [course for who, course in enrolled if who == learner]
        course = course_by_hand(entries, at, speaks, courses, competency)
        expected = chain_by_hand(entries, at, framework_of, competency, course)
        assert book.rules[rule].chain == expected


@settings(max_examples=50)
@given(entry_lists())
def test_between_two_changes_the_rules_stay_as_they_are(entries):
    at = 0

    while (change := next_change(entries, at)) is not None:
        books = [
            RuleBook.of(entries, at=moment, framework_of={1: 1}) for moment in (at, change - 1)
        ]
        assert [e.chain for e in books[0].rules] == [e.chain for e in books[1].rules]
        at = change

    assert all(entry.effective_from <= at for entry in entries)


def test_without_anything_to_come_there_is_no_next_change():
    assert next_change([entry(Scope.DISTRICT, 0, {}, since=5)], 5) is None


@settings(max_examples=50)
@given(entry_lists())
def test_versions_that_make_rules_are_not_refused(entries):
    check(entries, since=0, framework_of={1: 1}, speaks=[(1, 1)])


@pytest.mark.parametrize(
    ("added", "named"),
    [
        (entry(Scope.COURSE, 7, {"mastered": 9}), "course 7"),
        (entry(Scope.FRAMEWORK, 1, {"mastered": 9}), "framework 1"),
        (entry(Scope.COMPETENCY, 10, {"parameters": {"n": 5}}), "competency 10"),
        (entry(Scope.DISTRICT, 0, {"mastered": 2.0, "developing": 3.0}), "district"),
        (entry(Scope.DISTRICT, 0, {"mastered": 0.5}, since=9, version=2), "framework 2"),
    ],
)
def test_what_makes_no_rule_is_refused_wherever_and_whenever_it_would_hold(added, named):
    entries = [entry(Scope.FRAMEWORK, 2, {"developing": 1.0}), added]

    with pytest.raises(ScopeRefused, match=f"^The rule of the {named}: "):
        check(entries, since=0)


def test_a_combination_is_refused_where_a_competency_brings_scopes_together():
    entries = [
        entry(Scope.FRAMEWORK, 1, {"method": "recent_n"}),
        entry(Scope.COMPETENCY, 10, {"parameters": {"n": 5}}),
    ]

    check(entries, since=0, framework_of={10: 1})

    with pytest.raises(ScopeRefused, match="competency 10"):
        check(entries, since=0, framework_of={10: 2})


def test_what_is_over_is_not_refused_any_more():
    entries = [
        entry(Scope.DISTRICT, 0, {"mastered": 9}, since=1, version=1),
        entry(Scope.DISTRICT, 0, {"mastered": 2}, since=2, version=2),
    ]

    check(entries, since=2)

    with pytest.raises(ScopeRefused):
        check(entries, since=1)


def test_a_scope_that_makes_no_rule_is_left_out_and_told():
    entries = [
        entry(Scope.DISTRICT, 0, {"minimum_evidence": 3}),
        entry(Scope.FRAMEWORK, 1, {"mastered": 9}),
        entry(Scope.COMPETENCY, 10, {"recheck_days": 30}),
    ]

    book = RuleBook.of(entries, at=0, framework_of={10: 1, 11: 1})

    own, other = (book.rules[i].rule for i in book.rule_of(column(10, 11)))
    assert own == MasteryRule(minimum_evidence=3, recheck_days=30)
    assert other == MasteryRule(minimum_evidence=3)
    assert [(told.scope, told.target) for told in book.refused] == [(Scope.FRAMEWORK, 1)]


def test_a_system_that_makes_no_rule_gives_way_to_the_built_in_one():
    entries = [
        entry(Scope.SYSTEM, 0, {"mastered": 9}),
        entry(Scope.DISTRICT, 0, {"minimum_evidence": 3}),
    ]

    book = RuleBook.of(entries, at=0)

    assert book.rules[0].rule == MasteryRule(minimum_evidence=3)
    assert [told.scope for told in book.refused] == [Scope.SYSTEM]


def test_rules_that_hold_are_not_told_as_refused():
    assert RuleBook.of([entry(Scope.DISTRICT, 0, {"mastered": 2.0})], at=0).refused == ()
