import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.columns import NO_MOMENT
from mapping.evidence.tables import KINDS
from mapping.judgement.criteria import (
    Cases,
    Children,
    Ledger,
    Pieces,
    ages,
    clause_values,
    days_after,
    days_before,
    is_met,
)
from mapping.records import EvidenceKind
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
    walk,
)
from tests.mapping.tables import DAY
from tests.mapping.trees import TREES

RECALL, APPLICATION = (
    KINDS.index(EvidenceKind.RECALL),
    KINDS.index(EvidenceKind.APPLICATION),
)
LAST = np.iinfo(np.int64).max


def pieces(*segments):
    """Segments of (line item, course, kind, moment)."""
    rows = [row for segment in segments for row in segment]
    columns = [np.array([row[n] for row in rows], dtype=np.int64) for n in range(4)]
    return Pieces(
        line_item=columns[0],
        course=columns[1],
        kind=columns[2].astype(np.int8),
        occurred_at=columns[3],
        offsets=np.cumsum([0, *(len(segment) for segment in segments)]),
    )


def cases(tree, known, *, estimate=3.0, line_items_of=None, **others):
    """The whole of each segment."""
    ledger = Ledger.of(tree, known, line_items_of or {})
    segment = np.arange(known.offsets.size - 1)
    count = np.diff(known.offsets)
    return Cases(
        estimate=np.full(count.size, estimate),
        count=count,
        newest=ledger.newest(segment, count),
        found=ledger.found(segment, count),
        **others,
    )


def asked(tree, known, **others):
    value = clause_values(tree, cases(tree, known, **others))[0]
    return value.found.tolist(), value.is_met.tolist()


MONDAY = 4 * DAY
SAME_ITEM = [(1, 0, RECALL, MONDAY), (1, 0, RECALL, MONDAY + 1), (1, 1, RECALL, MONDAY + DAY)]
MIXED = [(1, 0, RECALL, NO_MOMENT), (2, 1, APPLICATION, MONDAY), (3, 1, RECALL, MONDAY + 1)]
NOTHING: list[tuple[int, int, int, int]] = []


@pytest.mark.parametrize(
    ("clause", "found", "met"),
    [
        (EvidenceReaches(count=3), [3, 3, 0], [True, True, False]),
        (EvidenceReaches(count=4), [3, 3, 0], [False, False, False]),
        (
            EvidenceReaches(count=1, kind=EvidenceKind.APPLICATION),
            [0, 1, 0],
            [False, True, False],
        ),
        (SituationsReach(count=2), [1, 3, 0], [False, True, False]),
        (SituationsReach(count=2, of=Situation.COURSE), [2, 2, 0], [True, True, False]),
        (SituationsReach(count=2, of=Situation.KIND), [1, 2, 0], [False, True, False]),
        (SituationsReach(count=2, of=Situation.DAY), [2, 1, 0], [True, False, False]),
        (LineItemCounts(pattern="*final*"), [0, 2, 0], [False, True, False]),
        (LineItemCounts(pattern="*project*"), [0, 1, 0], [False, True, False]),
        (LineItemCounts(pattern="*unknown*"), [0, 0, 0], [False, False, False]),
    ],
)
def test_clauses_count_pieces_of_their_sort(clause, found, met):
    line_items_of = {"*final*": frozenset({2, 3}), "*project*": frozenset({2})}

    answer = asked(clause, pieces(SAME_ITEM, MIXED, NOTHING), line_items_of=line_items_of)

    assert answer == (found, met)


def test_the_estimate_is_compared_within_the_noise_of_adding():
    known = pieces(SAME_ITEM)

    assert asked(EstimateReaches(points=3.0), known, estimate=3.0 - 1e-12) == (
        [3.0 - 1e-12],
        [True],
    )
    assert asked(EstimateReaches(points=3.0), known, estimate=2.9999)[1] == [False]
    assert asked(EstimateReaches(points=0.0), known, estimate=np.nan)[1] == [False]


NEWEST = MONDAY + DAY


@pytest.mark.parametrize(
    ("at", "found", "met"),
    [
        (NEWEST, 0.0, True),
        (NEWEST + 10 * DAY, 10.0, True),
        (NEWEST + 10 * DAY + 1, pytest.approx(10.0), False),
        (None, 0.0, True),
    ],
)
def test_the_newest_piece_is_recent_until_its_last_day_is_over(at, found, met):
    answer = asked(NewestWithin(days=10), pieces(SAME_ITEM), at=at)

    assert answer == ([found], [met])


def test_the_newest_piece_was_recent_when_it_came():
    found, met = asked(NewestWithin(days=1), pieces(SAME_ITEM), at=NEWEST * 9, grows_old=False)

    assert (found, met) == ([0.0], [True])


@pytest.mark.parametrize("grows_old", [True, False])
def test_evidence_without_a_date_is_not_recent_at_any_moment(grows_old):
    undated = pieces([(1, 0, RECALL, NO_MOMENT)], NOTHING)

    found, met = asked(NewestWithin(days=9), undated, at=DAY, grows_old=grows_old)

    assert np.isnan(found).all()
    assert met == [False, False]


def test_outside_time_any_piece_is_recent_and_no_piece_is_not():
    undated = pieces([(1, 0, RECALL, NO_MOMENT)], NOTHING)

    found, met = asked(NewestWithin(days=9), undated)

    assert found[0] == 0.0
    assert np.isnan(found[1])
    assert met == [True, False]


@pytest.mark.parametrize(
    ("count", "mastered", "evident", "met"),
    [
        (2, 1, 3, False),
        (2, 2, 3, True),
        (None, 2, 3, False),
        (None, 3, 3, True),
        (None, 0, 0, False),
    ],
)
def test_children_are_counted_and_all_means_those_with_evidence(count, mastered, evident, met):
    children = Children(mastered=np.array([mastered]), evident=np.array([evident]))

    answer = asked(ChildrenMastered(count=count), pieces(SAME_ITEM), children=children)

    assert answer == ([mastered], [met])


@pytest.mark.parametrize("count", [None, 1])
def test_a_competency_without_children_has_none_mastered(count):
    assert asked(ChildrenMastered(count=count), pieces(SAME_ITEM)) == ([0.0], [False])


MANY, SITUATIONS = EvidenceReaches(count=3), SituationsReach(count=2)


@pytest.mark.parametrize(
    ("tree", "found", "met"),
    [
        (AllOf(clauses=(MANY, SITUATIONS)), [1, 2], [False, True]),
        (SomeOf(count=1, clauses=(MANY, SITUATIONS)), [1, 2], [True, True]),
        (SomeOf(count=2, clauses=(MANY, SITUATIONS)), [1, 2], [False, True]),
        (AllOf(clauses=(MANY, SomeOf(count=1, clauses=(MANY, SITUATIONS)))), [2, 2], [True, True]),
    ],
)
def test_groups_count_the_clauses_in_them_that_are_met(tree, found, met):
    assert asked(tree, pieces(SAME_ITEM, MIXED)) == (found, met)


@settings(max_examples=40)
@given(TREES)
def test_every_clause_of_a_tree_is_told_in_its_order(tree):
    known = cases(tree, pieces(SAME_ITEM, MIXED, NOTHING), at=2 * MONDAY)

    values = clause_values(tree, known)

    assert [(value.clause, value.depth) for value in values] == list(walk(tree))
    assert is_met(tree, known).tolist() == values[0].is_met.tolist()


@settings(max_examples=40)
@given(
    TREES,
    st.lists(
        st.lists(
            st.tuples(
                st.integers(1, 4), st.integers(0, 2), st.integers(0, 3), st.integers(0, 9)
            ).map(lambda row: (*row[:3], row[3] * DAY)),
            max_size=6,
        ).map(lambda rows: sorted(rows, key=lambda row: row[3])),
        min_size=1,
        max_size=5,
    ),
)
def test_a_beginning_of_a_segment_is_asked_as_if_it_were_all(tree, segments):
    known = pieces(*segments)
    ledger = Ledger.of(tree, known, {"{PROJECT}": frozenset({2})})
    segment = np.repeat(np.arange(len(segments)), 7)
    length = np.minimum(np.tile(np.arange(7), len(segments)), np.diff(known.offsets)[segment])

    found, newest = ledger.found(segment, length), ledger.newest(segment, length)

    alone = [segments[s][:n] for s, n in zip(segment.tolist(), length.tolist(), strict=True)]
    expected = cases(tree, pieces(*alone), line_items_of={"{PROJECT}": frozenset({2})})
    assert {leaf: column.tolist() for leaf, column in found.items()} == {
        leaf: column.tolist() for leaf, column in expected.found.items()
    }
    assert newest.tolist() == expected.newest.tolist()


def test_only_newest_within_grows_old():
    tree = AllOf(clauses=(NewestWithin(days=9), MANY, NewestWithin(days=3)))

    assert (ages(tree), ages(MANY), ages(None)) == ((9, 3), (), ())


def test_days_before_and_after_stay_within_time():
    moments = np.array([NO_MOMENT, 0, LAST - DAY, LAST])

    assert days_before(10 * DAY, 3) == 7 * DAY
    assert days_before(NO_MOMENT + 5, 3) == NO_MOMENT + 1
    assert days_after(moments, 1).tolist() == [NO_MOMENT, DAY, LAST, NO_MOMENT]
