import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mapping.pairs import NOWHERE, Pairs, closure, joined, pairs_of, root_of
from mapping.progressions.graph import Hierarchy
from tests.mapping.tables import alignment_table

HIERARCHY = Hierarchy.of([(1, 10), (2, 10), (10, 20), (3, 30)])
PAIRS = st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 4)), max_size=12)


def pairs(rows):
    table = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return Pairs.of(table[:, 0], table[:, 1])


def listed(table):
    return list(zip(table.learner.tolist(), table.competency.tolist(), strict=True))


@given(PAIRS, PAIRS)
def test_pairs_are_found_where_they_are(rows, sought):
    table = pairs(rows)
    asked = np.array(sought, dtype=np.int64).reshape(-1, 2)

    found = table.find(asked[:, 0], asked[:, 1])

    assert listed(table) == sorted(set(rows))
    expected = [listed(table).index(pair) if pair in rows else NOWHERE for pair in sought]
    assert found.tolist() == expected


@given(st.lists(st.integers(0, 5), max_size=8), st.lists(st.integers(0, 5), max_size=8).map(sorted))
def test_every_two_equal_ids_are_joined(left, ascending):
    row, other = joined(np.array(left, dtype=np.int64), np.array(ascending, dtype=np.int64))

    expected = [
        (a, b) for a, one in enumerate(left) for b, two in enumerate(ascending) if one == two
    ]
    assert list(zip(row.tolist(), other.tolist(), strict=True)) == expected


def test_the_pairs_of_scores_are_those_their_line_items_speak_for():
    alignments = alignment_table(
        {"line_item": 1, "competency": 5},
        {"line_item": 1, "competency": 6},
        {"line_item": 2, "competency": 5},
    )

    found = pairs_of(np.array([7, 7, 8, 9]), np.array([1, 2, 2, 3]), alignments)

    assert listed(found) == [(7, 5), (7, 6), (8, 5)]


def test_the_closure_has_everything_above():
    found = closure(pairs([(7, 1), (8, 3), (8, 4)]), HIERARCHY)

    assert listed(found) == [(7, 1), (7, 10), (7, 20), (8, 3), (8, 4), (8, 30)]
    assert listed(closure(Pairs.none(), HIERARCHY)) == []


def test_the_root_is_the_topmost_ancestor():
    assert root_of(np.array([1, 10, 20, 3, 99]), HIERARCHY).tolist() == [20, 20, 20, 30, 99]
