from hypothesis import given, settings

from mapping.rules.clauses import AllOf, EvidenceReaches, NewestWithin, SomeOf, leaves, walk
from tests.mapping.trees import TREES

ONE, TWO, THREE = (NewestWithin(days=days) for days in (1, 2, 3))


def test_a_tree_is_walked_each_group_before_what_is_in_it():
    inner = SomeOf(count=1, clauses=(TWO, THREE))

    found = list(walk(AllOf(clauses=(ONE, inner))))

    assert found == [(AllOf(clauses=(ONE, inner)), 0), (ONE, 1), (inner, 1), (TWO, 2), (THREE, 2)]


def test_the_leaves_of_a_tree_come_in_its_order():
    tree = AllOf(clauses=(THREE, SomeOf(count=1, clauses=(ONE, TWO)), EvidenceReaches(count=2)))

    assert leaves(tree) == (THREE, ONE, TWO, EvidenceReaches(count=2))


def test_no_tree_has_no_leaves():
    assert leaves(None) == ()


@settings(max_examples=40)
@given(TREES)
def test_every_clause_of_a_tree_is_walked_once_and_groups_lie_above_leaves(tree):
    found = list(walk(tree))

    groups = [clause for clause, _ in found if isinstance(clause, AllOf | SomeOf)]
    assert len(found) == 1 + sum(len(group.clauses) for group in groups)
    assert len(leaves(tree)) == len(found) - len(groups)
