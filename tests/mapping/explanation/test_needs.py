from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.explanation.needs import MOST_WAYS, Need, ways
from mapping.rules.clauses import (
    AllOf,
    ChildrenMastered,
    EvidenceReaches,
    LineItemCounts,
    SituationsReach,
    SomeOf,
    leaves,
)
from tests.mapping.trees import TREES

TASK, FINAL = EvidenceReaches(count=3), LineItemCounts(pattern="*final*")
PLACES, CHILDREN = SituationsReach(count=2), ChildrenMastered()
MISSING = {TASK: 3, FINAL: 1, PLACES: 0, CHILDREN: None}


def needed(tree):
    return [tuple(need.clause for need in way) for way in ways(tree, MISSING.__getitem__)]


def test_nothing_asked_is_met_by_nothing():
    assert ways(None, MISSING.__getitem__) == ((),)


def test_all_of_a_group_are_needed_but_what_is_met():
    assert needed(AllOf(clauses=(TASK, FINAL, PLACES, TASK))) == [(TASK, FINAL)]


def test_of_alternatives_the_least_to_do_comes_first():
    assert needed(SomeOf(count=1, clauses=(TASK, CHILDREN, FINAL))) == [(FINAL,), (TASK,)]


def test_a_group_that_holds_what_cannot_be_met_has_no_way():
    assert needed(AllOf(clauses=(FINAL, CHILDREN))) == []
    assert needed(SomeOf(count=2, clauses=(FINAL, CHILDREN))) == []


def test_so_many_of_a_group_are_chosen_in_every_way():
    tree = SomeOf(count=2, clauses=(TASK, FINAL, PLACES))

    assert needed(tree) == [(FINAL,), (TASK,), (FINAL, TASK)]


@settings(max_examples=40)
@given(TREES, st.integers(0, 3))
def test_every_way_meets_the_tree(tree, lacking):
    missing = {leaf: (number + lacking) % 3 for number, leaf in enumerate(leaves(tree))}

    found = ways(tree, missing.__getitem__)

    assert 1 <= len(found) <= MOST_WAYS
    for way in found:
        assert is_met(tree, {need.clause for need in way}, missing)
        assert all(need == Need(clause=need.clause, missing=missing[need.clause]) for need in way)


def is_met(clause, done, missing):
    if isinstance(clause, AllOf):
        return all(is_met(part, done, missing) for part in clause.clauses)
    if isinstance(clause, SomeOf):
        return sum(is_met(part, done, missing) for part in clause.clauses) >= clause.count
    return clause in done or missing[clause] == 0


def test_of_many_ways_only_the_easiest_are_looked_at():
    tasks = [EvidenceReaches(count=number) for number in range(1, 20)]

    found = ways(SomeOf(count=1, clauses=tuple(tasks)), lambda clause: clause.count)

    assert [way[0].missing for way in found] == list(range(1, MOST_WAYS + 1))
