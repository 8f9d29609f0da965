import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.evidence import View, evidence
from mapping.progressions import Hierarchy
from mapping.rules import MasteryRule
from mapping.scales import Level, RatingScale
from mapping.status import STRAND_SENTENCE, Status, standings
from tests.mapping.tables import (
    ALIGNMENTS,
    SCORES,
    alignment_table,
    evidence_of,
    expected_standings,
    score_table,
)

RULE = MasteryRule()
STRAND = 100
STRANDS = Hierarchy.of([(1, STRAND), (2, STRAND), (3, STRAND)])

RULES = st.builds(
    MasteryRule,
    mastered=st.floats(2.0, 4.0),
    developing=st.floats(0.0, 1.99),
    minimum_evidence=st.integers(1, 4),
)


def by_pair(table):
    names = ("status", "estimate", "evidence_count", "mastered_count")
    columns = [getattr(table, name).tolist() for name in names]
    pairs = zip(table.learner.tolist(), table.competency.tolist(), strict=True)
    return dict(zip(pairs, zip(*columns, strict=True), strict=True))


def only(values):
    table = standings(evidence_of({1: values}), RULE)
    return Status(table.status[0]), table.estimate[0], table.evidence_count[0]


def strand(by_competency, hierarchy=STRANDS):
    table = standings(evidence_of(by_competency), RULE, hierarchy)
    (row,) = np.flatnonzero(table.competency == STRAND)
    return {
        "status": Status(table.status[row]),
        "estimate": float(table.estimate[row]),
        "evidence_count": int(table.evidence_count[row]),
        "mastered_count": int(table.mastered_count[row]),
    }


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ([None], Status.NO_EVIDENCE),
        ([4.0], Status.INSUFFICIENT),
        ([4.0, None], Status.INSUFFICIENT),
        ([1.0, 1.5], Status.EMERGING),
        ([2.0, 2.0], Status.DEVELOPING),
        ([2.9, 3.0], Status.DEVELOPING),
        ([2.9, 3.1], Status.MASTERED),
        ([3.0, 3.0, None], Status.MASTERED),
    ],
)
def test_the_rule_decides_the_status(values, status):
    assert only(values)[0] is status


def test_one_piece_has_an_estimate_but_no_level_yet():
    assert only([3.5]) == (Status.INSUFFICIENT, 3.5, 1)


def test_without_evidence_there_is_no_estimate():
    status, estimate, count = only([None, None])

    assert (status, count) == (Status.NO_EVIDENCE, 0)
    assert np.isnan(estimate)


def test_an_estimate_a_hair_below_the_cut_is_not_rounded_up_to_it():
    assert only([2.999, 2.9999])[0] is Status.DEVELOPING


def test_no_evidence_makes_no_standings():
    assert len(standings(evidence_of({}), RULE, STRANDS)) == 0


def test_a_rule_on_another_scale_is_refused():
    levels = (
        Level(label="Not yet", points=0.0, symbol="o", cut=0.0),
        Level(label="Met", points=4.0, symbol="x", cut=1.0),
    )
    other = MasteryRule(scale=RatingScale(levels=levels))

    with pytest.raises(ValueError, match="different scales"):
        standings(evidence_of({1: [3.0]}), other)


@given(SCORES, ALIGNMENTS, RULES, st.sampled_from(View))
def test_the_columns_agree_with_a_plain_loop(scores, alignments, rule, view):
    table = standings(evidence(score_table(*scores), alignment_table(*alignments), view=view), rule)

    expected = expected_standings(scores, alignments, rule, view)
    found = by_pair(table)
    assert found.keys() == expected.keys()
    for pair, (status, estimate, count) in expected.items():
        assert found[pair][0] == status
        assert found[pair][1] == pytest.approx(estimate, abs=1e-9, nan_ok=True)
        assert found[pair][2:] == (count, int(status is Status.MASTERED))


@given(SCORES, ALIGNMENTS, st.integers(0, 3))
def test_one_learners_standings_are_those_of_the_district(scores, alignments, learner):
    hierarchy = Hierarchy.of([(0, 10), (1, 10), (2, 11), (11, 12)])
    everybody = evidence(score_table(*scores), alignment_table(*alignments))

    alone = by_pair(standings(everybody.of_learner(learner), RULE, hierarchy))

    together = by_pair(standings(everybody, RULE, hierarchy))
    theirs = {pair: row for pair, row in together.items() if pair[0] == learner}
    assert repr(alone) == repr(theirs)


@given(SCORES, ALIGNMENTS)
def test_standings_ascend_with_one_row_for_each_pair(scores, alignments):
    hierarchy = Hierarchy.of([(0, 10), (1, 10), (2, 11), (11, 12), (12, 3)])

    table = standings(evidence(score_table(*scores), alignment_table(*alignments)), RULE, hierarchy)

    pairs = list(zip(table.learner.tolist(), table.competency.tolist(), strict=True))
    assert pairs == sorted(set(pairs))


@given(
    st.dictionaries(
        st.integers(1, 3),
        st.lists(st.floats(0.0, 4.0) | st.none(), min_size=1, max_size=4),
        min_size=1,
    )
)
def test_a_strand_agrees_with_its_rule_told_by_a_plain_loop(by_competency):
    children = by_pair(standings(evidence_of(by_competency), RULE)).values()
    evident = [child for child in children if child[2] > 0]
    speaking = [child for child in children if child[0] >= Status.EMERGING]

    found = strand(by_competency)

    mean = sum(child[1] for child in speaking) / len(speaking) if speaking else float("nan")
    assert found["estimate"] == pytest.approx(mean, abs=1e-9, nan_ok=True)
    assert found["evidence_count"] == sum(child[2] for child in children)
    assert found["mastered_count"] == sum(child[0] == Status.MASTERED for child in children)
    is_mastered = bool(evident) and all(child[0] == Status.MASTERED for child in evident)
    assert (found["status"] is Status.MASTERED) == is_mastered


def test_a_strand_is_mastered_when_all_that_has_evidence_is():
    found = strand({1: [3.0, 3.0], 2: [4.0, 4.0], 3: [None]})

    assert found == {
        "status": Status.MASTERED,
        "estimate": 3.5,
        "evidence_count": 4,
        "mastered_count": 2,
    }


@pytest.mark.parametrize(
    ("other", "status", "estimate"),
    [
        ([2.9, 2.9], Status.DEVELOPING, 3.45),
        ([0.0, 0.0], Status.DEVELOPING, 2.0),
        ([4.0], Status.DEVELOPING, 4.0),
    ],
)
def test_one_child_short_of_mastery_keeps_a_strand_at_developing(other, status, estimate):
    found = strand({1: [4.0, 4.0], 2: other})

    assert (found["status"], found["mastered_count"]) == (status, 1)
    assert found["estimate"] == pytest.approx(estimate)


def test_a_strand_of_low_children_is_emerging():
    assert strand({1: [1.0, 1.0], 2: [2.0, 2.0]})["status"] is Status.EMERGING


def test_a_strand_whose_children_all_lack_evidence_has_none():
    found = strand({1: [None]})

    assert (found["status"], found["evidence_count"]) == (Status.NO_EVIDENCE, 0)
    assert np.isnan(found["estimate"])


def test_a_strand_whose_children_have_too_little_evidence_needs_more():
    found = strand({1: [4.0], 2: [4.0]})

    assert (found["status"], found["evidence_count"]) == (Status.INSUFFICIENT, 2)
    assert np.isnan(found["estimate"])


def test_evidence_aligned_to_the_strand_itself_is_one_more_component():
    found = strand({1: [4.0, 4.0], STRAND: [2.0, 2.0]})

    assert found == {
        "status": Status.DEVELOPING,
        "estimate": 3.0,
        "evidence_count": 4,
        "mastered_count": 1,
    }


def test_mastery_of_the_strands_own_evidence_is_no_competency_mastered():
    found = strand({1: [4.0, 4.0], STRAND: [4.0, 4.0]})

    assert (found["status"], found["mastered_count"]) == (Status.MASTERED, 1)


def test_a_strand_without_evidence_below_it_is_judged_like_a_competency():
    found = strand({STRAND: [3.0, 3.0]})

    assert (found["status"], found["mastered_count"]) == (Status.MASTERED, 1)


def test_strands_of_strands_follow_their_strands():
    hierarchy = Hierarchy.of([(1, 50), (2, 50), (50, STRAND), (3, STRAND)])

    found = strand({1: [4.0, 4.0], 2: [2.0, 2.0], 3: [4.0, 4.0]}, hierarchy)

    assert found == {
        "status": Status.DEVELOPING,
        "estimate": 3.5,
        "evidence_count": 6,
        "mastered_count": 1,
    }


def test_a_competency_outside_the_hierarchy_keeps_its_standing():
    table = standings(evidence_of({1: [3.0, 3.0], 9: [1.0, 1.0]}), RULE, STRANDS)

    assert table.competency.tolist() == [1, 9, STRAND]


def test_every_status_is_told_by_words_and_symbol_of_its_own():
    assert len({status.label for status in Status}) == len(Status)
    assert len({status.symbol for status in Status}) == len(Status)


@pytest.mark.parametrize("words", [*(status.label for status in Status), STRAND_SENTENCE])
def test_no_words_for_learners_speak_of_failing(words):
    assert not re.search(r"\b(fail\w*|behind)\b", words, re.IGNORECASE)
