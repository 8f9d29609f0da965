from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.columns import NO_MOMENT
from mapping.judgement.judging import judge
from mapping.records import EvidenceKind
from mapping.rules.clauses import (
    AllOf,
    ChildrenMastered,
    EvidenceReaches,
    LineItemCounts,
    NewestWithin,
    SituationsReach,
)
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.rulebook import RuleBook
from mapping.rules.strands import Rollup, RollupMethod
from mapping.status import Status
from tests.mapping.judged import grounds, row_of, said, strands
from tests.mapping.tables import DAY
from tests.mapping.worlds import TWO_LEVELS

STRAND = 100
FAMILY = strands((1, STRAND), (2, STRAND), (3, STRAND))


def strand(by_competency, rule=None, hierarchy=FAMILY, **others):
    row = row_of(judge(grounds(by_competency, rule, hierarchy=hierarchy, **others)), STRAND)
    return {name: row[name] for name in ("status", "estimate", "evidence_count", "mastered_count")}


def status(by_competency, criteria, **others):
    return strand(by_competency, MasteryRule(criteria=criteria), **others)["status"]


def book(by_competency):
    """A rule of its own for some competencies, the plain one for all others."""
    rules = [MasteryRule(), *by_competency.values()]
    return replace(
        RuleBook.single(rules[0]),
        rules=tuple(RuleBook.single(rule).rules[0] for rule in rules),
        competency=np.array(list(by_competency)),
        rule=np.arange(1, len(rules)),
    )


@given(
    st.dictionaries(
        st.integers(1, 3),
        st.lists(st.floats(0.0, 4.0) | st.none(), min_size=1, max_size=4),
        min_size=1,
    )
)
def test_a_strand_agrees_with_its_rule_told_by_a_plain_loop(by_competency):
    table = judge(grounds(by_competency))
    children = [row_of(table, competency) for competency in by_competency]
    evident = [child for child in children if child["evidence_count"]]
    speaking = [child["estimate"] for child in children if child["status"] >= Status.EMERGING]

    found = strand(by_competency)

    mean = sum(speaking) / len(speaking) if speaking else float("nan")
    assert found["estimate"] == pytest.approx(mean, abs=1e-9, nan_ok=True)
    assert found["evidence_count"] == sum(child["evidence_count"] for child in children)
    assert found["mastered_count"] == sum(child["mastered_count"] for child in children)
    is_mastered = bool(evident) and all(child["mastered_count"] for child in evident)
    assert (found["status"] == Status.MASTERED) == is_mastered


def test_a_strand_is_mastered_when_all_that_has_evidence_is():
    assert strand({1: [3.0, 3.0], 2: [4.0, 4.0], 3: [None]}) == {
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
    row = row_of(judge(grounds({1: [4.0, 4.0], 2: other}, hierarchy=FAMILY)), STRAND)

    assert (row["status"], row["mastered_count"], row["level"]) == (status, 1, 1)
    assert row["estimate"] == pytest.approx(estimate)


def test_a_strand_of_low_children_is_emerging():
    assert strand({1: [1.0, 1.0], 2: [2.0, 2.0]})["status"] == Status.EMERGING


def test_a_strand_whose_children_all_lack_evidence_has_none():
    found = strand({1: [None]})

    assert (found["status"], found["evidence_count"]) == (Status.NO_EVIDENCE, 0)
    assert np.isnan(found["estimate"])


def test_a_strand_whose_children_have_too_little_evidence_needs_more():
    found = strand({1: [4.0], 2: [4.0]})

    assert (found["status"], found["evidence_count"]) == (Status.INSUFFICIENT, 2)
    assert np.isnan(found["estimate"])


def test_evidence_aligned_to_the_strand_itself_is_one_more_component():
    assert strand({1: [4.0, 4.0], STRAND: [2.0, 2.0]}) == {
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
    hierarchy = strands((1, 50), (2, 50), (50, STRAND), (3, STRAND))

    found = strand({1: [4.0, 4.0], 2: [2.0, 2.0], 3: [4.0, 4.0]}, hierarchy=hierarchy)

    assert found == {
        "status": Status.DEVELOPING,
        "estimate": 3.5,
        "evidence_count": 6,
        "mastered_count": 1,
    }


def test_a_competency_outside_the_hierarchy_keeps_its_standing():
    table = judge(grounds({1: [3.0, 3.0], 9: [1.0, 1.0]}, hierarchy=FAMILY))

    assert table.competency.tolist() == [1, 9, STRAND]


def test_the_rule_of_the_parent_judges_the_parent_on_its_own_scale():
    own = MasteryRule(scale=TWO_LEVELS, mastered=7.0)
    known = grounds({1: [4.0, 4.0], 2: [3.0, 3.0]}, hierarchy=FAMILY)

    row = row_of(judge(replace(known, book=book({STRAND: own}))), STRAND)

    assert (row["status"], row["rule"], row["level"]) == (Status.MASTERED, 1, 1)
    assert row["estimate"] == pytest.approx((10.0 + 7.0) / 2.0)


ALL_THREE = {1: [4.0, 4.0], 2: [4.0, 4.0], 3: [4.0, 4.0]}
CLAUSES = {
    "six pieces below it": (EvidenceReaches(count=6), EvidenceReaches(count=7)),
    "three of a kind": (
        EvidenceReaches(count=3, kind=EvidenceKind.APPLICATION),
        EvidenceReaches(count=4, kind=EvidenceKind.APPLICATION),
    ),
    "six activities": (SituationsReach(count=6), SituationsReach(count=7)),
    "a line item of a child": (LineItemCounts(pattern="*last*"), LineItemCounts(pattern="no")),
    "children": (ChildrenMastered(count=3), ChildrenMastered(count=4)),
}


@pytest.mark.parametrize(("met", "unmet"), CLAUSES.values(), ids=CLAUSES)
def test_criteria_of_a_parent_are_asked_of_all_that_is_below_it(met, unmet):
    line_items_of = {"*last*": frozenset({5}), "no": frozenset()}
    known = grounds(ALL_THREE, hierarchy=FAMILY, line_items_of=line_items_of)

    found = [
        row_of(judge(replace(known, book=book({STRAND: MasteryRule(criteria=c)}))), STRAND)
        for c in (met, unmet)
    ]

    assert [(row["status"], row["level"]) for row in found] == [
        (Status.MASTERED, 3),
        (Status.DEVELOPING, 1),
    ]
    assert found[1]["mastered_at"] == NO_MOMENT


def test_evidence_of_a_grandchild_is_below_the_top_parent():
    hierarchy = strands((1, 50), (50, STRAND), (2, STRAND))
    criteria = EvidenceReaches(count=4)
    known = grounds({1: [4.0, 4.0], 2: [4.0, 4.0]}, hierarchy=hierarchy)

    table = judge(replace(known, book=book({STRAND: MasteryRule(criteria=criteria)})))

    assert row_of(table, STRAND)["status"] == Status.MASTERED


def test_a_component_is_not_asked_for_its_parents_children():
    criteria = AllOf(clauses=(ChildrenMastered(), EvidenceReaches(count=4)))
    known = grounds({1: [4.0, 4.0], STRAND: [4.0, 4.0]}, hierarchy=FAMILY)

    table = judge(replace(known, book=book({STRAND: MasteryRule(criteria=criteria)})))

    assert row_of(table, STRAND)["status"] == Status.MASTERED


def test_all_children_are_those_with_evidence_or_a_judgement():
    rule = MasteryRule(
        criteria=ChildrenMastered(), rollup=Rollup(method=RollupMethod.MEAN), mastered=2.5
    )
    over = said({"competency": 2, "status": Status.DEVELOPING})
    known = grounds({1: [4.0, 4.0]}, hierarchy=FAMILY)

    rows = [
        row_of(judge(replace(known, book=book({STRAND: rule}), overrides=overrides)), STRAND)
        for overrides in (known.overrides, over)
    ]

    assert [row["status"] for row in rows] == [Status.MASTERED, Status.DEVELOPING]
    assert rows[1]["estimate"] == 3.0


def test_a_parent_of_whose_children_nothing_is_known_has_none_mastered():
    assert status({STRAND: [4.0, 4.0]}, ChildrenMastered()) == Status.DEVELOPING


def test_a_parent_whose_evidence_only_grew_old_is_due_for_a_recheck():
    criteria = NewestWithin(days=10)
    known = grounds(ALL_THREE, hierarchy=FAMILY, at=20 * DAY)
    parents = book({STRAND: MasteryRule(criteria=criteria)})

    row = row_of(judge(replace(known, book=parents)), STRAND)

    assert (row["status"], row["mastered_at"]) == (Status.RECHECK_DUE, 5 * DAY)


@pytest.mark.parametrize(
    ("at", "status", "review_at"),
    [(14 * DAY, Status.MASTERED, 15 * DAY), (15 * DAY, Status.RECHECK_DUE, NO_MOMENT)],
)
def test_a_parent_is_due_when_the_newest_piece_below_it_is(at, status, review_at):
    known = grounds(ALL_THREE, hierarchy=FAMILY, at=at)
    parents = book({STRAND: MasteryRule(recheck_days=10)})

    row = row_of(judge(replace(known, book=parents)), STRAND)

    assert (row["status"], row["review_at"]) == (status, review_at)


def test_children_due_for_a_recheck_count_as_mastered():
    rule = MasteryRule(recheck_days=10)

    table = judge(grounds({1: [4.0, 4.0], 2: [4.0, 4.0]}, rule, hierarchy=FAMILY, at=12 * DAY))

    assert row_of(table, 1)["status"] == Status.RECHECK_DUE
    assert row_of(table, STRAND)["status"] == Status.MASTERED
    assert row_of(table, STRAND)["mastered_count"] == 2


def test_a_parent_was_mastered_when_the_last_of_its_children_was():
    row = row_of(judge(grounds(ALL_THREE, hierarchy=FAMILY)), STRAND)

    assert row["mastered_at"] == 5 * DAY


def test_a_parent_changes_with_time_when_the_first_of_its_children_does():
    rule = MasteryRule(recheck_days=10)
    known = grounds(ALL_THREE, hierarchy=FAMILY, at=6 * DAY)
    children = book(dict.fromkeys((1, 2, 3), rule))

    row = row_of(judge(replace(known, book=children)), STRAND)

    assert row["review_at"] == 11 * DAY
