import re
from itertools import product

import pytest
from hypothesis import given, settings

from mapping.records import EvidenceKind
from mapping.rules.clause_sentences import clause_sentence, has_list, phrases, points_and_level
from mapping.rules.clauses import (
    AllOf,
    ChildrenMastered,
    EstimateReaches,
    EvidenceReaches,
    LineItemCounts,
    NewestWithin,
    Situation,
    SituationsReach,
    SomeOf,
    leaves,
    walk,
)
from mapping.scales import DEFAULT_SCALE
from tests.mapping.trees import SHOUTING, TREES

ONE, TWO, THREE = LEAVES = tuple(NewestWithin(days=days) for days in (1, 2, 3))
DAY, DAYS, MORE_DAYS = (
    "the newest evidence is at most 1 day old",
    "the newest evidence is at most 2 days old",
    "the newest evidence is at most 3 days old",
)


def both(*clauses):
    return AllOf(clauses=clauses)


def some(count, *clauses):
    return SomeOf(count=count, clauses=clauses)


def said(tree):
    return phrases(tree, DEFAULT_SCALE)


@pytest.mark.parametrize(
    ("clause", "sentence"),
    [
        (EstimateReaches(points=3.0), "The estimate is at least 3.00 (Proficient)."),
        (EstimateReaches(points=3.2), "The estimate is at least 3.20."),
        (EvidenceReaches(count=1), "At least 1 piece of evidence counts."),
        (EvidenceReaches(count=3), "At least 3 pieces of evidence count."),
        (
            EvidenceReaches(count=1, kind=EvidenceKind.APPLICATION),
            "At least 1 application task counts.",
        ),
        (
            EvidenceReaches(count=2, kind=EvidenceKind.OBSERVATION),
            "At least 2 observations by a teacher count.",
        ),
        (SituationsReach(count=2), "The evidence comes from at least 2 different activities."),
        (
            SituationsReach(count=2, of=Situation.KIND),
            "The evidence is of at least 2 different kinds.",
        ),
        (NewestWithin(days=1), "The newest evidence is at most 1 day old."),
        (
            LineItemCounts(pattern="*final {x}*"),
            'Evidence from an activity with a title like "*final {x}*" counts.',
        ),
        (ChildrenMastered(), "All of its competencies that have evidence are mastered."),
        (ChildrenMastered(count=1), "At least 1 of its competencies is mastered."),
        (ChildrenMastered(count=2), "At least 2 of its competencies are mastered."),
        (AllOf(clauses=(ONE, TWO)), "All of these:"),
        (SomeOf(count=2, clauses=LEAVES), "At least 2 of these 3:"),
    ],
)
def test_a_clause_says_itself_in_one_sentence(clause, sentence):
    assert clause_sentence(clause, DEFAULT_SCALE) == sentence


@pytest.mark.parametrize("kind", [None, *EvidenceKind])
def test_every_kind_of_evidence_has_words_of_its_own(kind):
    one, two = (clause_sentence(EvidenceReaches(count=n, kind=kind), DEFAULT_SCALE) for n in (1, 2))

    assert one.startswith("At least 1 ")
    assert two.startswith("At least 2 ")
    assert two.endswith(" count.")


def test_points_are_said_with_the_level_that_begins_there():
    assert points_and_level(3.5, DEFAULT_SCALE) == "3.50 (Exemplary)"


def test_no_criteria_are_said_by_nothing():
    assert said(None) == []
    assert not has_list(None)


def test_clauses_that_must_all_hold_stand_side_by_side():
    assert said(both(ONE, TWO, THREE)) == [DAY, DAYS, MORE_DAYS]


def test_one_of_two_is_either_or():
    assert said(some(1, ONE, TWO)) == [f"either {DAY} or {DAYS}"]


def test_an_either_or_stands_beside_other_clauses():
    assert said(both(some(1, ONE, TWO), THREE)) == [f"either {DAY} or {DAYS}", MORE_DAYS]


def test_some_of_several_are_a_list():
    assert said(some(2, ONE, TWO, THREE)) == [
        f"at least 2 of these 3: (a) {DAY}; (b) {DAYS}; (c) {MORE_DAYS}"
    ]


def test_two_in_a_list_are_both():
    assert said(some(1, both(ONE, TWO), THREE)) == [
        f"at least 1 of these 2: (a) both {DAY} and {DAYS}; (b) {MORE_DAYS}"
    ]


def test_a_list_in_a_list_has_labels_that_say_where_it_belongs():
    tree = some(2, ONE, some(2, ONE, TWO, THREE), both(ONE, TWO, THREE))

    (told,) = said(tree)

    assert told == (
        f"at least 2 of these 3: (a) {DAY}; "
        f"(b) at least 2 of these 3: (b.1) {DAY}; (b.2) {DAYS}; (b.3) {MORE_DAYS}; "
        f"(c) all of these: (c.1) {DAY}; (c.2) {DAYS}; (c.3) {MORE_DAYS}"
    )


def test_labels_grow_with_every_list_that_stands_in_another():
    inmost = some(2, ONE, TWO, THREE)

    (told,) = said(some(2, ONE, TWO, some(2, ONE, TWO, inmost)))

    assert re.findall(r"\(([a-z][a-z0-9.]*)\)", told) == [
        *("a", "b", "c", "c.1", "c.2", "c.3"),
        *("c.3.1", "c.3.2", "c.3.3"),
    ]


def test_a_list_among_clauses_that_must_all_hold_makes_one_list_of_them():
    (told,) = said(both(some(2, ONE, TWO, THREE), ONE))

    inner = f"(a.1) {DAY}; (a.2) {DAYS}; (a.3) {MORE_DAYS}"
    assert told == f"all of these: (a) at least 2 of these 3: {inner}; (b) {DAY}"


@pytest.mark.parametrize(
    ("tree", "plain"),
    [
        (both(both(ONE)), ONE),
        (some(1, ONE), ONE),
        (both(ONE, both(TWO, THREE)), both(ONE, TWO, THREE)),
        (some(1, ONE, some(1, TWO, THREE)), some(1, ONE, TWO, THREE)),
        (some(2, ONE, TWO), both(ONE, TWO)),
        (some(2, both(ONE), TWO, THREE), some(2, ONE, TWO, THREE)),
    ],
)
def test_groups_that_change_nothing_are_not_said(tree, plain):
    assert said(tree) == said(plain)


def test_a_list_of_more_than_an_alphabet_goes_on_with_two_letters():
    (told,) = said(some(1, *(NewestWithin(days=days) for days in range(1, 29))))

    assert re.findall(r"\((\w+)\)", told)[24:] == ["y", "z", "aa", "ab"]


def _trees():
    """Groups of up to four of three leaves, and groups of such groups and leaves."""
    pairs = [(ONE, TWO), (TWO, ONE), (ONE, THREE), (TWO, THREE), (ONE, TWO, THREE)]
    flat = [*LEAVES, *(group for parts in pairs for group in _groups(parts))]
    deeper = [group for parts in product(flat, flat) for group in _groups(parts)]
    mixed = [
        group
        for inner in flat + deeper[::7]
        for parts in ((inner, ONE), (ONE, inner, TWO), (inner, THREE, THREE), (inner, inner))
        for group in _groups(parts)
    ]
    wide = [group for parts in product(LEAVES, repeat=4) for group in _groups(parts)]
    return flat + deeper + mixed + wide


def _groups(parts):
    return [both(*parts), *(some(count, *parts) for count in range(1, len(parts) + 1))]


def _holds(clause, true):
    if isinstance(clause, AllOf):
        return all(_holds(part, true) for part in clause.clauses)
    if isinstance(clause, SomeOf):
        return sum(_holds(part, true) for part in clause.clauses) >= clause.count
    return clause in true


def _truths(tree):
    worlds = product((False, True), repeat=len(LEAVES))
    return tuple(
        _holds(tree, [leaf for leaf, holds in zip(LEAVES, world, strict=True) if holds])
        for world in worlds
    )


def test_two_trees_that_ask_for_different_things_are_never_said_alike():
    asked = {}

    for tree in _trees():
        asked.setdefault(", and ".join(said(tree)), set()).add(_truths(tree))

    assert len(asked) > 1000
    assert all(len(truths) == 1 for truths in asked.values())


@settings(max_examples=40)
@given(TREES)
def test_every_threshold_of_a_tree_is_said(tree):
    told = " ".join(said(tree))

    for leaf in leaves(tree):
        assert clause_sentence(leaf, DEFAULT_SCALE)[1:-1] in told


@settings(max_examples=40)
@given(TREES)
def test_only_the_last_of_several_clauses_may_be_a_list(tree):
    told = said(tree)

    assert all(": (" not in clause for clause in told[:-1])
    assert has_list(tree) == (": (" in told[-1])


@settings(max_examples=40)
@given(TREES)
def test_every_english_word_of_every_clause_can_be_translated(tree):
    told = [
        *phrases(tree, DEFAULT_SCALE, SHOUTING),
        *(clause_sentence(clause, DEFAULT_SCALE, SHOUTING) for clause, _ in walk(tree)),
    ]

    # Left are labels of the list and of the scale.
    plain = re.sub(r"\([a-z][a-z0-9.]*\)|\((Developing|Proficient|Exemplary)\)", "", " ".join(told))
    assert plain == plain.upper()
