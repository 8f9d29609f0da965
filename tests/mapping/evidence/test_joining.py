from math import inf, nan
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.columns import NO_MOMENT, runs
from mapping.evidence.joining import evidence, next_arrival
from mapping.evidence.policy import EvidencePolicy, LatePolicy
from mapping.evidence.tables import Reason, View
from mapping.records import EvidenceKind, ScoreState
from mapping.scales import DEFAULT_SCALE
from tests.mapping.plain_evidence import plain_evidence
from tests.mapping.tables import (
    ALIGNMENTS,
    POLICIES,
    PRESENTS,
    SCORES,
    alignment_table,
    many_scores,
    score_table,
    shape,
)

ALIGNED = alignment_table({})
SELF = list(EvidenceKind).index(EvidenceKind.SELF)
APPLICATION = list(EvidenceKind).index(EvidenceKind.APPLICATION)
VIEWS = st.sampled_from(View)
EVERY = [
    {
        "line_item": item,
        "competency": competency,
        "weight": [1.0, 2.0, 0.0][(item + competency) % 3],
        "kind": (item * competency) % len(EvidenceKind),
    }
    for item in range(6)
    for competency in range(3)
]
"""Every line item of ``many_scores`` speaks for three competencies."""


def seen(*scores, view=View.TEACHER, policy=None, at=None):
    return evidence(score_table(*scores), ALIGNED, view=view, policy=policy, at=at)


def said(table):
    """The same in the words of the plain loop."""
    moments = [None if moment == NO_MOMENT else moment for moment in table.occurred_at.tolist()]
    columns = (
        table.learner.tolist(),
        table.competency.tolist(),
        table.line_item.tolist(),
        table.attempt.tolist(),
        moments,
        table.reason.tolist(),
    )
    return list(zip(*columns, strict=True))


def numbers(table):
    columns = (table.points, table.value, table.weight)
    return np.nan_to_num(np.stack(columns), nan=-99.0)


def agrees(table, pieces):
    expected = [
        (p.learner, p.competency, p.line_item, p.attempt, p.occurred_at, p.reason) for p in pieces
    ]
    assert said(table) == expected
    plain = [[p.points for p in pieces], [p.value for p in pieces], [p.weight for p in pieces]]
    plain = np.array(plain, dtype=np.float64).reshape(3, -1)
    np.testing.assert_allclose(numbers(table), np.nan_to_num(plain, nan=-99.0), rtol=1e-12)


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        ({}, Reason.COUNTED),
        ({"state": ScoreState.MISSING, "points": None}, Reason.MISSING),
        ({"state": ScoreState.EXCUSED, "points": None}, Reason.EXCUSED),
        ({"state": ScoreState.CLEARED, "points": None}, Reason.CLEARED),
        ({"state": ScoreState.NOT_GRADED, "points": None}, Reason.NOT_GRADED),
        ({"is_excluded": True}, Reason.EXCLUDED),
        ({"points": None}, Reason.UNUSABLE),
        ({"points": inf}, Reason.UNUSABLE),
        ({"maximum": nan}, Reason.UNUSABLE),
        ({"maximum": inf}, Reason.UNUSABLE),
        ({"minimum": -inf}, Reason.UNUSABLE),
        ({"minimum": -1e308, "maximum": 1e308}, Reason.UNUSABLE),
        ({"maximum": 0.0}, Reason.NO_POINTS_POSSIBLE),
        ({"minimum": 1.0, "maximum": 1.0}, Reason.NO_POINTS_POSSIBLE),
        ({"points": -0.5}, Reason.BELOW_MINIMUM),
        ({"points": 0.5, "minimum": 1.0}, Reason.BELOW_MINIMUM),
    ],
)
def test_every_score_that_does_not_count_has_its_reason(score, reason):
    assert seen(score).reason.tolist() == [reason]


@pytest.mark.parametrize("state", set(ScoreState) - {ScoreState.GRADED})
def test_a_score_that_is_not_graded_is_never_a_zero(state):
    table = seen({"state": state, "points": 0.0})

    assert np.isnan([table.points[0], table.value[0]]).all()


@pytest.mark.parametrize(
    ("score", "points"),
    [({"points": -5.0}, -5.0), ({"maximum": 0.0}, 100.0), ({"maximum": inf}, nan)],
)
def test_what_cannot_be_measured_keeps_its_points_if_they_are_a_number_at_all(score, points):
    table = seen(score)

    np.testing.assert_equal(table.points.tolist(), [points])
    assert np.isnan(table.value).all()


def test_weight_nought_is_shown_but_does_not_count():
    table = evidence(score_table({"points": 75.0}), alignment_table({"weight": 0.0}))

    assert (table.reason.tolist(), table.value.tolist()) == ([Reason.NO_WEIGHT], [3.0])


def test_a_weight_too_small_for_a_number_is_none():
    policy = EvidencePolicy(kind_weights={EvidenceKind.RECALL: 0.1})

    table = evidence(score_table({}), alignment_table({"weight": 5e-324}), policy=policy)

    assert table.reason.tolist() == [Reason.NO_WEIGHT]


def test_an_excused_score_of_weight_nought_is_excused_first():
    scores = score_table({"state": ScoreState.EXCUSED, "points": None})

    table = evidence(scores, alignment_table({"weight": 0.0}))

    assert table.reason.tolist() == [Reason.EXCUSED]


def test_the_learners_own_judgement_is_shown_but_does_not_count():
    table = evidence(score_table({"points": 75.0}), alignment_table({"kind": SELF}))

    assert (table.reason.tolist(), table.value.tolist()) == ([Reason.KIND], [3.0])


def test_the_learners_own_judgement_counts_where_the_policy_says_so():
    policy = EvidencePolicy(kind_weights={EvidenceKind.SELF: 0.5})

    table = evidence(score_table({}), alignment_table({"kind": SELF}), policy=policy)

    assert (table.reason.tolist(), table.weight.tolist()) == ([Reason.COUNTED], [0.5])


def test_the_weight_of_a_kind_multiplies_that_of_the_alignment():
    policy = EvidencePolicy(kind_weights={EvidenceKind.APPLICATION: 3.0})
    aligned = alignment_table({"kind": APPLICATION, "weight": 2.0})

    assert evidence(score_table({}), aligned, policy=policy).weight.tolist() == [6.0]


@pytest.mark.parametrize(
    ("points", "value"), [(120.0, 4.0), (1e308, 4.0), (100.0, 4.0), (75.0, 3.0), (0.0, 0.0)]
)
def test_extra_credit_is_worth_the_top_of_the_scale_and_keeps_its_points(points, value):
    table = seen({"points": points})

    assert (table.value.tolist(), table.points.tolist()) == ([value], [points])


def test_a_scales_lowest_level_is_worth_nothing():
    table = seen({"points": 1.0, "minimum": 1.0, "maximum": 5.0})

    assert table.value.tolist() == [0.0]


@pytest.mark.parametrize(
    ("late", "points", "value"),
    [(LatePolicy.BEFORE_DEDUCTION, 75.0, 3.0), (LatePolicy.AFTER_DEDUCTION, 50.0, 2.0)],
)
def test_a_late_deduction_counts_only_where_the_policy_says_so(late, points, value):
    late_score = {"points": 75.0, "points_deducted": 25.0, "is_late": True}

    table = seen(late_score, policy=EvidencePolicy(late=late))

    assert (table.points.tolist(), table.value.tolist()) == ([points], [value])


def test_a_deduction_of_more_than_was_earned_leaves_nothing():
    policy = EvidencePolicy(late=LatePolicy.AFTER_DEDUCTION)

    table = seen({"points": 10.0, "points_deducted": 25.0}, policy=policy)

    assert (table.reason.tolist(), table.value.tolist()) == ([Reason.COUNTED], [0.0])


def test_a_deduction_that_is_no_number_makes_points_unusable_where_it_counts():
    score = {"points_deducted": nan}

    kept = seen(score, policy=EvidencePolicy(late=LatePolicy.AFTER_DEDUCTION))

    assert (seen(score).is_counted.tolist(), kept.reason.tolist()) == ([True], [Reason.UNUSABLE])


@pytest.mark.parametrize(("keeps", "reason"), [(True, Reason.COUNTED), (False, Reason.REMOVED)])
def test_evidence_of_a_deleted_line_item_stays_as_the_policy_says(keeps, reason):
    table = seen({"is_removed": True}, policy=EvidencePolicy(keeps_removed=keeps))

    assert table.reason.tolist() == [reason]


@pytest.mark.parametrize(
    ("at", "reason"), [(None, Reason.COUNTED), (9, Reason.FUTURE), (10, Reason.COUNTED)]
)
def test_what_is_dated_in_the_future_waits_for_its_day(at, reason):
    assert seen({"submitted_at": 10}, at=at).reason.tolist() == [reason]


def test_undated_evidence_is_never_in_the_future():
    assert seen({}, at=0).reason.tolist() == [Reason.COUNTED]


def test_the_next_arrival_is_the_first_future_moment_of_each_segment():
    aligned = alignment_table({"line_item": 1}, {"line_item": 2}, {"line_item": 3})
    scores = score_table(
        {"learner": 1, "line_item": 1, "submitted_at": 5},
        {"learner": 1, "line_item": 2, "submitted_at": 30},
        {"learner": 1, "line_item": 3, "submitted_at": 20},
        {"learner": 2, "line_item": 1, "submitted_at": 5},
        {"learner": 3, "line_item": 1, "submitted_at": 40},
    )
    table = evidence(scores, aligned, at=10)

    found = next_arrival(table, runs((table.learner, table.competency)))

    assert found.tolist() == [20, NO_MOMENT, 40]


def test_nothing_arrives_where_there_is_no_evidence():
    assert next_arrival(seen(at=1), np.zeros(1, dtype=np.int64)).tolist() == []


def test_what_a_learner_may_not_see_never_arrives_for_them():
    table = seen({"is_visible": False, "submitted_at": 30}, view=View.LEARNER, at=1)

    assert next_arrival(table, np.array([0, 1])).tolist() == [NO_MOMENT]


def dropped(values, least_count, **score):
    scores = [
        {"line_item": item, "submitted_at": item, "points": value, **score}
        for item, value in enumerate(values)
    ]
    aligned = alignment_table(*({"line_item": item} for item in range(len(values))))
    policy = EvidencePolicy(drop_lowest_from=least_count)
    table = evidence(score_table(*scores), aligned, policy=policy)
    return [item for item, code in enumerate(table.reason.tolist()) if code == Reason.LOWEST]


@pytest.mark.parametrize(
    ("values", "least_count", "expected"),
    [
        ([80, 70, 90, 75], 4, [1]),
        ([80, 70, 90], 4, []),
        ([80, 70, 70, 75], 4, [1]),
        ([80, 70, 90, 75], 0, []),
        ([None, 70, 90, 75], 4, []),
        ([], 2, []),
    ],
)
def test_of_enough_pieces_the_oldest_lowest_one_is_left_out(values, least_count, expected):
    assert dropped(values, least_count) == expected


def test_every_reason_has_a_sentence_of_its_own():
    assert len({reason.sentence for reason in Reason}) == len(Reason)


def test_one_score_speaks_for_every_competency_of_its_line_item():
    aligned = alignment_table({"competency": 2}, {"competency": 1, "weight": 0.5, "kind": 2})

    table = evidence(score_table({}), aligned)

    assert table.competency.tolist() == [1, 2]
    assert table.weight.tolist() == [0.5, 1.0]
    assert table.kind.tolist() == [2, 0]


def test_evidence_by_way_of_an_equivalent_says_so():
    aligned = alignment_table({"competency": 2, "via": 9})

    assert evidence(score_table({}), aligned).via.tolist() == [9]


@pytest.mark.parametrize("line_item", [-1, 0, 2, 99])
def test_a_score_that_no_alignment_speaks_of_is_no_evidence(line_item):
    assert len(seen({"line_item": line_item})) == 0


def test_line_items_far_apart_find_their_alignments():
    aligned = alignment_table({"line_item": 3}, {"line_item": 10**12})
    scores = score_table({"line_item": 10**12}, {"line_item": 4}, {"line_item": 10**13})

    assert evidence(scores, aligned).line_item.tolist() == [10**12]


def test_no_scores_are_no_evidence():
    assert len(seen()) == 0


def test_no_alignments_make_no_evidence():
    assert len(evidence(score_table({}, {"line_item": 0}), alignment_table())) == 0


@settings(max_examples=15)
@given(st.integers(0, 2**32), POLICIES, VIEWS, PRESENTS)
def test_a_plain_loop_comes_to_the_same_evidence(seed, policy, view, at):
    scores = many_scores(Random(seed), 700)
    aligned = alignment_table(*EVERY)

    table = evidence(score_table(*scores), aligned, policy=policy, view=view, at=at)

    agrees(table, plain_evidence(scores, EVERY, policy, view=view, at=at))


@settings(max_examples=50)
@given(SCORES, ALIGNMENTS, POLICIES, VIEWS, PRESENTS)
def test_a_plain_loop_comes_to_the_same_few_pieces(scores, alignments, policy, view, at):
    table = evidence(
        score_table(*scores), alignment_table(*alignments), policy=policy, view=view, at=at
    )

    agrees(table, plain_evidence(scores, alignments, policy, view=view, at=at))


@settings(max_examples=50)
@given(SCORES, ALIGNMENTS, POLICIES, VIEWS)
def test_values_lie_on_the_scale_and_what_counts_has_one(scores, alignments, policy, view):
    table = evidence(score_table(*scores), alignment_table(*alignments), view=view, policy=policy)

    has_value = ~np.isnan(table.value)
    assert np.all((table.value[has_value] >= 0.0) & (table.value[has_value] <= 4.0))
    assert np.all(has_value[table.is_counted] & (table.weight[table.is_counted] > 0.0))


@given(SCORES, ALIGNMENTS, POLICIES, st.randoms(use_true_random=False))
def test_the_order_in_which_scores_arrive_changes_nothing(scores, alignments, policy, rng):
    shuffled = rng.sample(scores, len(scores))
    aligned = alignment_table(*rng.sample(alignments, len(alignments)))

    table = evidence(score_table(*scores), alignment_table(*alignments), policy=policy)

    assert shape(evidence(score_table(*shuffled), aligned, policy=policy)) == shape(table)


@given(SCORES, ALIGNMENTS)
def test_the_tables_given_are_left_as_they_were(scores, alignments):
    given_scores, given_alignments = score_table(*scores), alignment_table(*alignments)

    evidence(given_scores, given_alignments, scale=DEFAULT_SCALE, view=View.LEARNER)

    assert shape(given_scores) == shape(score_table(*scores))
    assert shape(given_alignments) == shape(alignment_table(*alignments))
