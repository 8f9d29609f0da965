import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.progressions import NO_PARENT, Hierarchy, HierarchyRefused


def test_a_parent_that_is_not_listed_becomes_a_root():
    hierarchy = Hierarchy.of([(2, 1)])

    assert hierarchy.competency.tolist() == [1, 2]
    assert hierarchy.parent.tolist() == [NO_PARENT, 1]


def test_depth_counts_the_ancestors():
    hierarchy = Hierarchy.of([(3, 2), (2, 1), (1, None), (9, None)])

    assert hierarchy.depth_of(np.array([1, 2, 3, 9])).tolist() == [0, 1, 2, 0]
    assert hierarchy.deepest == 2


def test_children_are_the_direct_ones():
    hierarchy = Hierarchy.of([(3, 2), (2, 1), (4, 1)])

    assert hierarchy.children_of(1) == (2, 4)


def test_an_unknown_competency_has_no_parent_and_no_depth():
    hierarchy = Hierarchy.of([(2, 1)])

    assert hierarchy.parent_of(np.array([0, 5])).tolist() == [NO_PARENT, NO_PARENT]
    assert hierarchy.depth_of(np.array([0, 5])).tolist() == [0, 0]


def test_an_empty_hierarchy_knows_nobody():
    hierarchy = Hierarchy.of([])

    assert hierarchy.parent_of(np.array([1])).tolist() == [NO_PARENT]
    assert hierarchy.deepest == 0


@pytest.mark.parametrize(
    "parents", [[(1, 1)], [(1, 2), (2, 1)], [(1, 2), (2, 3), (3, 1), (4, None)]]
)
def test_a_competency_is_never_its_own_ancestor(parents):
    with pytest.raises(HierarchyRefused) as refused:
        Hierarchy.of(parents)

    assert 1 in refused.value.competencies
    assert 4 not in refused.value.competencies


def test_a_competency_has_one_parent():
    with pytest.raises(HierarchyRefused, match="twice: 5"):
        Hierarchy.of([(5, 1), (5, 2), (6, 1)])


@given(st.lists(st.integers(0, 8), min_size=1, max_size=8))
def test_a_child_lies_one_deeper_than_its_parent(choices):
    parents = [(n, choice if choice < n else None) for n, choice in enumerate(choices)]

    hierarchy = Hierarchy.of(parents)

    for child, parent in parents:
        if parent is not None:
            deep, shallow = hierarchy.depth_of(np.array([child, parent])).tolist()
            assert deep == shallow + 1
