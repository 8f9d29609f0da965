from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.columns import NO_MOMENT
from mapping.evidence.policy import Attempts, EvidencePolicy
from mapping.evidence.tables import KINDS, View
from mapping.judgement.grounds import Grounds
from mapping.judgement.judging import judge, judge_pairs
from mapping.pairs import Pairs, closure
from mapping.progressions.graph import Hierarchy
from mapping.records import EvidenceKind, ScoreState
from mapping.rules.clauses import EvidenceReaches, NewestWithin, leaves
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.rulebook import RuleBook
from mapping.rules.strands import Rollup, RollupMethod
from mapping.status import LADDER, StandingTable, Status
from tests.mapping.judged import grounds, row_of
from tests.mapping.plain_judgement import plain_standings
from tests.mapping.tables import DAY, LEARNER, alignment_table, score_table
from tests.mapping.worlds import METHODS, MONOTONE, PARENTS, World, score, world

SEEDS = st.integers(0, 2**32)
COLUMNS = StandingTable.__slots__


def by_pair(table):
    names = [name for name in COLUMNS if name not in {"learner", "competency"}]
    columns = zip(*(getattr(table, name).tolist() for name in names), strict=True)
    rows = [dict(zip(names, row, strict=True)) for row in columns]
    pairs = zip(table.learner.tolist(), table.competency.tolist(), strict=True)
    return dict(zip(pairs, rows, strict=True))


def moment(value):
    return NO_MOMENT if value is None else value


def assert_equal(found, expected):
    """Estimates may differ in the last digits, by what was summed beside them."""
    for name in COLUMNS:
        tolerance = 1e-9 if name == "estimate" else 0
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=0, atol=tolerance, err_msg=name
        )


@settings(max_examples=80)
@given(SEEDS, st.sampled_from(View))
def test_the_columns_agree_with_a_plain_loop(seed, view):
    here = world(seed, learners=15)

    found = by_pair(judge(here.grounds(), view))

    expected = plain_standings(here, view)
    assert found.keys() == expected.keys()
    for pair, plain in expected.items():
        assert found[pair] == {
            "status": plain.status,
            "level": plain.level,
            "estimate": pytest.approx(plain.estimate, abs=1e-9, nan_ok=True),
            "evidence_count": plain.count,
            "mastered_count": plain.mastered,
            "mastered_at": moment(plain.mastered_at),
            "review_at": moment(plain.review_at),
            "override": plain.override,
            "rule": plain.rule,
        }, (pair, plain)


@settings(max_examples=20)
@given(SEEDS, st.integers(0, 7), st.sampled_from(View))
def test_one_learners_standings_are_those_of_the_district(seed, learner, view):
    everybody = world(seed, learners=8)
    alone = World(
        scores=[row for row in everybody.scores if row["learner"] == learner],
        alignments=everybody.alignments,
        rules=everybody.rules,
        rule_of_competency=everybody.rule_of_competency,
        rule_of_course=everybody.rule_of_course,
        enrolments=everybody.enrolments,
        overrides=[row for row in everybody.overrides if row["learner"] == learner],
        at=everybody.at,
    )

    found = judge(alone.grounds(), view)

    table = judge(everybody.grounds(), view)
    assert_equal(found, table.rows(table.learner == learner))


@settings(max_examples=20)
@given(SEEDS)
def test_the_order_of_scores_and_alignments_does_not_matter(seed):
    here = world(seed, learners=8)
    expected = judge(here.grounds())
    random = Random(seed)
    random.shuffle(here.scores)
    random.shuffle(here.alignments)
    random.shuffle(here.overrides)
    random.shuffle(here.enrolments)

    found = judge(here.grounds())

    assert_equal(found, expected)


@settings(max_examples=20)
@given(SEEDS)
def test_standings_ascend_with_one_row_for_each_pair(seed):
    table = judge(world(seed, learners=8).grounds())

    pairs = list(zip(table.learner.tolist(), table.competency.tolist(), strict=True))
    assert pairs == sorted(set(pairs))


@settings(max_examples=25)
@given(SEEDS)
def test_what_is_hidden_changes_nothing_that_a_learner_sees(seed):
    here = world(seed, learners=8)
    random = Random(seed)
    other = replace(
        here,
        scores=[
            row
            if row["is_visible"]
            else {
                **row,
                "points": random.uniform(0.0, 2.0 * row["maximum"]),
                "points_deducted": random.random(),
                "graded_at": random.randint(0, 90) * DAY,
                "given_at": random.randint(0, 90) * DAY,
            }
            for row in here.scores
        ],
    )

    found = judge(other.grounds(), View.LEARNER)

    expected = judge(here.grounds(), View.LEARNER)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@settings(max_examples=25)
@given(SEEDS, st.sampled_from(MONOTONE), st.sampled_from(RollupMethod))
def test_a_better_piece_never_lowers_a_status_by_a_monotone_method(seed, method, rollup):
    here = world(seed, learners=8)
    here.rules = [
        replace(
            rule,
            method=method,
            parameters=METHODS[method],
            policy=EvidencePolicy(),
            recheck_days=None,
            rollup=Rollup(method=rollup),
            criteria=None if _looks_at_time(rule) else rule.criteria,
        )
        for rule in here.rules
    ]
    here.overrides = []
    random = Random(seed)
    better = replace(here, scores=[_bettered(row, random) for row in here.scores])

    before, after = judge(here.grounds()), judge(better.grounds())

    rank = np.argsort(LADDER)
    is_kept = rank[before.status] <= rank[after.status]
    # The most common level of children may fall when one leaves a level that was as common.
    is_parent = np.isin(before.competency, list(PARENTS.values()))
    assert np.all(is_kept | (is_parent & (rollup is RollupMethod.MODE)))


def _looks_at_time(rule):
    return any(isinstance(leaf, NewestWithin) for leaf in leaves(rule.criteria))


def _bettered(row, random):
    if row["points"] is None or random.random() < 0.7:
        return row
    return {**row, "points": row["points"] + random.random() * row["maximum"]}


@settings(max_examples=25)
@given(SEEDS, st.sampled_from(View))
def test_some_pairs_judged_anew_stand_as_all_of_them_do(seed, view):
    here = world(seed, learners=8)
    random = Random(seed)
    whole = judge(here.grounds(), view)
    chosen = [row for row in range(len(whole)) if random.random() < 0.1]
    pairs = Pairs.of(whole.learner[chosen], whole.competency[chosen])

    found = judge_pairs(here.grounds(), pairs, view)

    wanted = closure(pairs, Hierarchy.of(PARENTS.items()))
    assert_equal(found, whole.rows(wanted.find(whole.learner, whole.competency) >= 0))


_ANY = st.floats(width=64) | st.sampled_from([5e-324, 1.8e308, -1.8e308, 1e300, 2.2e-308, None])


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(_ANY, _ANY, _ANY, _ANY, st.integers(-(2**63), 2**63 - 1), st.booleans()),
        min_size=1,
        max_size=20,
    ),
    st.floats(0.0, 1e6),
    SEEDS,
    st.none() | st.integers(-(2**62), 2**62),
)
def test_no_numbers_of_a_gradebook_stop_the_night(rows, weight, seed, at):
    scores = [
        {
            "line_item": number % 7,
            "attempt": number,
            "points": points,
            "minimum": minimum,
            "maximum": maximum,
            "points_deducted": deducted,
            "submitted_at": when,
            "is_visible": is_visible,
        }
        for number, (points, minimum, maximum, deducted, when, is_visible) in enumerate(rows)
    ]
    here = world(seed, learners=0)
    alignments = [
        {"line_item": item, "competency": item % 3, "weight": weight} for item in range(7)
    ]
    known = replace(
        here.grounds(),
        scores=score_table(*scores),
        alignments=alignment_table(*alignments),
        at=at,
    )

    tables = [judge(known, view) for view in View]

    for table in tables:
        assert len(table) >= 1
        tops = np.array([rule.scale.top for rule in here.rules])[table.rule]
        is_silent = np.isnan(table.estimate)
        assert np.all(is_silent | ((table.estimate >= 0.0) & (table.estimate <= tops + 1e-9)))


def test_nothing_known_makes_no_standings():
    assert len(judge(grounds({}, hierarchy=Hierarchy.of([(1, 100)])))) == 0


def test_each_competency_is_judged_by_its_own_rule():
    strict = MasteryRule(mastered=3.5)
    shared = grounds({1: [3.0, 3.0], 2: [3.0, 3.0]})
    book = replace(
        RuleBook.single(MasteryRule()),
        rules=tuple(RuleBook.single(rule).rules[0] for rule in (MasteryRule(), strict)),
        competency=np.array([2]),
        rule=np.array([1]),
    )

    table = judge(replace(shared, book=book))

    assert table.status.tolist() == [Status.MASTERED, Status.DEVELOPING]
    assert table.rule.tolist() == [0, 1]


def test_rules_may_read_the_same_scores_as_different_evidence():
    best = MasteryRule(policy=EvidencePolicy(attempts=Attempts.BEST), minimum_evidence=1)
    last = MasteryRule(minimum_evidence=1)
    scores = score_table(
        {"attempt": 1, "points": 90.0, "submitted_at": 1},
        {"attempt": 2, "points": 10.0, "submitted_at": 2},
    )
    book = replace(
        RuleBook.single(last),
        rules=tuple(RuleBook.single(rule).rules[0] for rule in (last, best)),
        competency=np.array([2]),
        rule=np.array([1]),
    )
    alignments = alignment_table({"competency": 1}, {"competency": 2})

    table = judge(Grounds(scores=scores, alignments=alignments, book=book))

    assert table.estimate.tolist() == pytest.approx([0.4, 3.6])


def test_five_high_recalls_are_no_mastery_where_an_application_is_asked_for():
    rule = MasteryRule(criteria=EvidenceReaches(count=1, kind=EvidenceKind.APPLICATION))
    scores = [{"line_item": item, "points": 95.0} for item in range(5)]
    alignments = [
        {"line_item": item, "kind": KINDS.index(EvidenceKind.RECALL)} for item in range(5)
    ]
    known = Grounds(
        scores=score_table(*scores),
        alignments=alignment_table(*alignments),
        book=RuleBook.single(rule),
    )

    table = judge(known)

    assert (table.status.tolist(), table.level.tolist()) == ([Status.DEVELOPING], [1])
    assert rule.label(Status.DEVELOPING, 1) == "Developing"
    assert table.estimate.tolist() == [3.8]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ([None], Status.NO_EVIDENCE),
        ([4.0], Status.INSUFFICIENT),
        ([4.0, None], Status.INSUFFICIENT),
        ([1.0, 1.5], Status.EMERGING),
        ([2.0, 2.0], Status.DEVELOPING),
        ([2.9, 3.0], Status.DEVELOPING),
        ([2.999, 2.9999], Status.DEVELOPING),
        ([2.9, 3.1], Status.MASTERED),
        ([3.0, 3.0, None], Status.MASTERED),
    ],
)
def test_the_rule_decides_the_status(values, status):
    assert row_of(judge(grounds({1: values})), 1)["status"] == status


def test_one_piece_has_an_estimate_but_no_status_of_a_level_yet():
    row = row_of(judge(grounds({1: [3.5]})), 1)

    assert (row["status"], row["estimate"], row["evidence_count"]) == (
        Status.INSUFFICIENT,
        3.5,
        1,
    )


def test_without_evidence_there_is_no_estimate_and_no_level():
    row = row_of(judge(grounds({1: [None, None]})), 1)

    assert (row["status"], row["evidence_count"], row["level"]) == (Status.NO_EVIDENCE, 0, -1)
    assert np.isnan(row["estimate"])


def test_a_cell_that_holds_no_score_has_a_row_and_no_evidence():
    known = Grounds(
        scores=score_table({"state": ScoreState.NOT_GRADED, "points": None}),
        alignments=alignment_table({}),
        book=RuleBook.single(MasteryRule()),
    )

    assert judge(known).status.tolist() == [Status.NO_EVIDENCE]


def test_random_scores_of_a_learner_are_many():
    # Guards the worlds themselves: nothing is shown by worlds in which nothing happens.
    statuses = np.concatenate([judge(world(seed).grounds()).status for seed in range(12)])

    assert np.all(np.bincount(statuses, minlength=len(Status)) > 0)
    assert score(Random(1), LEARNER, 1)["learner"] == LEARNER
