import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.evidence.tables import NOT_BRIDGED
from mapping.progressions.graph import (
    NO_PARENT,
    Hierarchy,
    HierarchyRefused,
    Links,
    acyclic,
    bridged,
)
from mapping.records import LinkKind
from tests.mapping.tables import alignment_table

PRECEDES, MATCHES, REPLACED = LinkKind.PRECEDES, LinkKind.EXACT_MATCH_OF, LinkKind.REPLACED_BY


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


def test_children_are_counted_all_or_only_some():
    hierarchy = Hierarchy.of([(3, 2), (2, 1), (4, 1), (9, None)])
    parents = np.array([1, 2, 9, 77])

    assert hierarchy.child_count(parents).tolist() == [2, 1, 0, 0]
    only = np.isin(hierarchy.competency, [4, 9])
    assert hierarchy.child_count(parents, of=only).tolist() == [1, 0, 0, 0]


def test_what_precedes_a_competency_and_what_follows_it_are_told_in_order():
    links = Links.of([(3, PRECEDES, 9), (1, PRECEDES, 9), (1, PRECEDES, 3), (1, PRECEDES, 3)])

    assert links.prerequisites_of(9) == (1, 3)
    assert links.next_after(1) == (3, 9)


def test_no_links_bridge_nothing_and_precede_nothing():
    links = Links.none()

    assert links.prerequisites_of(1) == ()
    assert links.source.size == links.target.size == links.steps.size == 0


@pytest.mark.parametrize(
    ("kind", "message"), [(PRECEDES, "precede one another"), (REPLACED, "replace one another")]
)
def test_links_in_a_circle_are_refused_with_the_competencies_named(kind, message):
    pairs = [(1, 2), (2, 3), (3, 1), (3, 4), (0, 1)]

    with pytest.raises(HierarchyRefused, match=message) as refused:
        Links.of((origin, kind, destination) for origin, destination in pairs)

    assert refused.value.competencies == (1, 2, 3)


def test_a_competency_that_precedes_itself_is_refused():
    with pytest.raises(HierarchyRefused, match=": 5"):
        Links.of([(5, PRECEDES, 5)])


def test_equivalents_of_one_another_are_no_circle():
    links = Links.of([(1, MATCHES, 2), (2, MATCHES, 1), (2, REPLACED, 1), (1, MATCHES, 1)])

    assert list(zip(links.source.tolist(), links.target.tolist(), strict=True)) == [(1, 2), (2, 1)]


def spoken(alignments, links):
    """Competency and via of each row, by line item."""
    table = bridged(alignments, links)
    rows = zip(
        table.line_item.tolist(),
        table.competency.tolist(),
        table.via.tolist(),
        table.weight.tolist(),
        table.kind.tolist(),
        strict=True,
    )
    return {(item, competency): rest for item, competency, *rest in rows}


def test_evidence_of_an_equivalent_speaks_for_a_competency_too():
    links = Links.of([(1, MATCHES, 2)])

    found = spoken(alignment_table({"competency": 2, "weight": 0.5, "kind": 2}), links)

    assert found == {(1, 2): [NOT_BRIDGED, 0.5, 2], (1, 1): [2, 0.5, 2]}


def test_evidence_goes_from_the_replaced_to_what_replaced_it_and_never_back():
    links = Links.of([(1, REPLACED, 2)])

    assert (1, 2) in spoken(alignment_table({"competency": 1}), links)
    assert (1, 1) not in spoken(alignment_table({"competency": 2}), links)


def test_equivalents_of_equivalents_are_bridged():
    links = Links.of([(1, REPLACED, 2), (3, MATCHES, 2)])

    assert spoken(alignment_table({"competency": 1}), links)[1, 3] == [1, 1.0, 0]


def test_a_line_item_s_own_alignment_goes_before_a_bridged_one():
    links = Links.of([(1, MATCHES, 2)])
    alignments = alignment_table({"competency": 1, "weight": 0.0}, {"competency": 2, "weight": 3.0})

    assert spoken(alignments, links) == {
        (1, 1): [NOT_BRIDGED, 0.0, 0],
        (1, 2): [NOT_BRIDGED, 3.0, 0],
    }


def test_of_several_equivalents_the_nearest_holds_then_the_lowest_id():
    links = Links.of([(5, MATCHES, 1), (5, MATCHES, 4), (5, MATCHES, 3), (1, MATCHES, 9)])
    alignments = alignment_table(*({"competency": c} for c in (3, 4, 9)))

    assert spoken(alignments, links)[1, 5][0] == 3
    assert spoken(alignments, links)[1, 1][0] == 9


def test_alignments_that_are_bridged_already_are_found_anew():
    first = bridged(alignment_table({"competency": 1}), Links.of([(1, MATCHES, 2)]))

    assert set(spoken(first, Links.of([(1, MATCHES, 3)]))) == {(1, 1), (1, 3)}
    assert set(spoken(first, Links.none())) == {(1, 1)}


def test_no_alignments_are_bridged_to_none():
    assert bridged(alignment_table(), Links.of([(1, MATCHES, 2)])).line_item.size == 0


def plain_bridges(aligned, links):
    """What a plain search finds for one line item: via by competency."""
    reached = dict.fromkeys(aligned, (0, NOT_BRIDGED))
    for start in sorted(aligned):
        seen, layer, steps = {start}, {start}, 0
        while layer:
            steps += 1
            layer = {
                there
                for here in layer
                for a, kind, b in links
                for there in ([b] if a == here else []) + ([a] if b == here else [])
                if kind is MATCHES or (kind is REPLACED and (a, b) == (here, there))
            } - seen
            seen |= layer
            for there in layer:
                reached[there] = min(reached.get(there, (99, 99)), (steps, start))
    return {competency: via for competency, (_, via) in reached.items()}


_LINKS = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from([MATCHES, REPLACED]), st.integers(0, 7)).map(
        # What replaces has the higher id, so that no circle comes about.
        lambda link: (min(link[0], link[2]), link[1], max(link[0], link[2]) + 1)
    ),
    max_size=8,
)


@settings(max_examples=40)
@given(st.dictionaries(st.integers(0, 5), st.sets(st.integers(0, 8), min_size=1)), _LINKS)
def test_many_line_items_are_bridged_as_a_plain_search_does(aligned, links):
    alignments = alignment_table(
        *(
            {"line_item": item, "competency": competency}
            for item, competencies in aligned.items()
            for competency in competencies
        )
    )

    found = {key: via for key, (via, *_) in spoken(alignments, Links.of(links)).items()}

    assert found == {
        (item, competency): via
        for item, competencies in aligned.items()
        for competency, via in plain_bridges(competencies, links).items()
    }


_PAIRS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=14)


@settings(max_examples=40)
@given(_PAIRS)
def test_what_is_kept_forms_no_circle_and_what_is_left_out_would_close_one(pairs):
    kept, left_out = acyclic(pairs)

    assert sorted([*kept, *left_out]) == sorted(pairs)
    Links.of((a, PRECEDES, b) for a, b in kept)
    for a, b in left_out:
        with pytest.raises(HierarchyRefused):
            Links.of((c, PRECEDES, d) for c, d in [*kept, (a, b)])
