import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.columns import NO_MOMENT, TableRefused
from mapping.evidence import (
    HEAVIEST,
    DatePolicy,
    Reason,
    View,
    evidence,
)
from mapping.records import ScoreState
from mapping.scales import DEFAULT_SCALE
from tests.mapping.tables import ALIGNMENTS, SCORES, alignment_table, score_table

ALIGNED = alignment_table({})


def seen(*scores, view=View.TEACHER):
    return evidence(score_table(*scores), ALIGNED, view=view)


def shape(table):
    """Everything a table says, row by row, comparable."""
    names = [name for name in table.__slots__ if name != "scale"]
    columns = [np.nan_to_num(getattr(table, name), nan=-99.0).tolist() for name in names]
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        ({}, Reason.COUNTED),
        ({"state": ScoreState.MISSING, "points": None}, Reason.MISSING),
        ({"state": ScoreState.EXCUSED, "points": None}, Reason.EXCUSED),
        ({"state": ScoreState.CLEARED, "points": None}, Reason.CLEARED),
        ({"state": ScoreState.NOT_GRADED, "points": None}, Reason.NOT_GRADED),
        ({"points": None}, Reason.NOT_GRADED),
        ({"maximum": 0.0}, Reason.NO_POINTS_POSSIBLE),
        ({"minimum": 1.0, "maximum": 1.0}, Reason.NO_POINTS_POSSIBLE),
        ({"maximum": float("inf")}, Reason.NO_POINTS_POSSIBLE),
        ({"maximum": None}, Reason.NO_POINTS_POSSIBLE),
    ],
)
def test_every_score_that_does_not_count_has_its_reason(score, reason):
    assert seen(score).reason.tolist() == [reason]


@pytest.mark.parametrize("state", set(ScoreState) - {ScoreState.GRADED})
def test_a_score_that_is_not_graded_is_never_a_zero(state):
    table = seen({"state": state, "points": 0.0})

    assert np.isnan(table.value).tolist() == [True]


def test_weight_nought_is_shown_but_does_not_count():
    table = evidence(score_table({"points": 75.0}), alignment_table({"weight": 0.0}))

    assert (table.reason.tolist(), table.value.tolist()) == ([Reason.NO_WEIGHT], [3.0])


def test_an_excused_score_of_weight_nought_is_excused_first():
    scores = score_table({"state": ScoreState.EXCUSED, "points": None})

    table = evidence(scores, alignment_table({"weight": 0.0}))

    assert table.reason.tolist() == [Reason.EXCUSED]


@pytest.mark.parametrize(
    ("points", "value"), [(120.0, 4.0), (100.0, 4.0), (75.0, 3.0), (0.0, 0.0), (-10.0, 0.0)]
)
def test_scores_beyond_their_range_are_clamped_to_it(points, value):
    assert seen({"points": points}).value.tolist() == [value]


def test_the_raw_points_stay_for_a_person_to_see():
    assert seen({"points": 120.0}).points.tolist() == [120.0]


def test_a_scales_lowest_level_is_worth_nothing():
    table = seen({"points": 1.0, "minimum": 1.0, "maximum": 5.0})

    assert table.value.tolist() == [0.0]


def test_a_hidden_score_counts_for_the_teacher():
    assert seen({"is_visible": False}).is_counted.tolist() == [True]


@pytest.mark.parametrize("state", ScoreState)
def test_a_hidden_score_tells_the_learner_neither_points_nor_state(state):
    table = seen({"is_visible": False, "state": state}, view=View.LEARNER)

    assert table.reason.tolist() == [Reason.HIDDEN]
    assert np.isnan([table.points[0], table.value[0]]).all()


def test_a_visible_score_counts_for_the_learner():
    assert seen({}, view=View.LEARNER).is_counted.tolist() == [True]


@pytest.mark.parametrize(
    ("policy", "moment"),
    [
        (DatePolicy.SUBMITTED_DUE_GRADED, 1),
        (DatePolicy.SUBMITTED_GRADED, 1),
        (DatePolicy.DUE_SUBMITTED_GRADED, 2),
    ],
)
def test_the_policy_names_the_moment_that_orders_evidence(policy, moment):
    scores = score_table({"submitted_at": 1, "due_at": 2, "graded_at": 3})

    assert evidence(scores, ALIGNED, dated=policy).occurred_at.tolist() == [moment]


@pytest.mark.parametrize(
    ("score", "moment"),
    [({"due_at": 2, "graded_at": 3}, 2), ({"graded_at": 3}, 3), ({}, NO_MOMENT)],
)
def test_a_moment_that_is_absent_gives_way_to_the_next(score, moment):
    assert seen(score).occurred_at.tolist() == [moment]


def test_the_policy_says_itself_in_a_sentence():
    assert DatePolicy.SUBMITTED_DUE_GRADED.sentence() == (
        "Evidence is ordered by when it was submitted, else due, else graded."
    )


def test_every_reason_has_a_sentence_of_its_own():
    assert len({reason.sentence for reason in Reason}) == len(Reason)


def test_one_score_speaks_for_every_competency_of_its_line_item():
    aligned = alignment_table({"competency": 2}, {"competency": 1, "weight": 0.5, "kind": 2})

    table = evidence(score_table({}), aligned)

    assert table.competency.tolist() == [1, 2]
    assert table.weight.tolist() == [0.5, 1.0]
    assert table.kind.tolist() == [2, 0]


def test_a_score_that_no_alignment_speaks_of_is_no_evidence():
    assert len(seen({"line_item": 99})) == 0


def test_no_scores_are_no_evidence():
    assert len(seen()) == 0


def test_no_alignments_make_no_evidence():
    assert len(evidence(score_table({}), alignment_table())) == 0


def test_the_rows_of_a_learner_and_a_competency_are_found():
    aligned = alignment_table({"competency": 1}, {"competency": 2})
    table = evidence(score_table({"learner": 1}, {"learner": 2}, {"learner": 3}), aligned)

    found = table.of_learner(2).of_competency(1)

    assert (found.learner.tolist(), found.competency.tolist()) == ([2], [1])


def test_a_learner_without_evidence_has_no_rows():
    assert len(seen({}).of_learner(8)) == 0


@pytest.mark.parametrize("weight", [-1.0, HEAVIEST * 2, float("nan"), float("inf")])
def test_a_weight_out_of_its_range_is_refused(weight):
    with pytest.raises(TableRefused, match="weight"):
        alignment_table({"weight": weight})


@pytest.mark.parametrize("kind", [-1, 3])
def test_an_unknown_kind_is_refused(kind):
    with pytest.raises(TableRefused, match="kind"):
        alignment_table({"kind": kind})


def test_a_line_item_never_speaks_for_a_competency_twice():
    with pytest.raises(TableRefused, match="twice"):
        alignment_table({"weight": 1.0}, {"line_item": 2}, {"weight": 2.0})


@given(SCORES, ALIGNMENTS, st.sampled_from(View))
def test_values_lie_on_the_scale_and_only_counted_rows_must_have_one(scores, alignments, view):
    table = evidence(score_table(*scores), alignment_table(*alignments), view=view)

    has_value = ~np.isnan(table.value)
    assert np.all((table.value[has_value] >= 0.0) & (table.value[has_value] <= 4.0))
    assert np.all(has_value[table.is_counted])


@given(SCORES, ALIGNMENTS)
def test_there_is_a_row_for_every_score_and_competency_it_speaks_for(scores, alignments):
    table = evidence(score_table(*scores), alignment_table(*alignments))

    pairs = sorted(
        (score["learner"], alignment["competency"], score["line_item"])
        for score in scores
        for alignment in alignments
        if score["line_item"] == alignment["line_item"]
    )
    rows = zip(
        table.learner.tolist(), table.competency.tolist(), table.line_item.tolist(), strict=True
    )
    assert sorted(rows) == pairs


@given(SCORES, ALIGNMENTS)
def test_evidence_ascends_by_learner_competency_moment_and_line_item(scores, alignments):
    table = evidence(score_table(*scores), alignment_table(*alignments))

    keys = [
        (row[0], row[1], row[3], row[2])
        for row in zip(
            table.learner.tolist(),
            table.competency.tolist(),
            table.line_item.tolist(),
            table.occurred_at.tolist(),
            strict=True,
        )
    ]
    assert keys == sorted(keys)


@given(SCORES, ALIGNMENTS, st.randoms(use_true_random=False))
def test_the_order_in_which_scores_arrive_changes_nothing(scores, alignments, rng):
    shuffled = rng.sample(scores, len(scores))
    aligned = alignment_table(*rng.sample(alignments, len(alignments)))

    table = evidence(score_table(*scores), alignment_table(*alignments))

    assert shape(evidence(score_table(*shuffled), aligned)) == shape(table)


@given(SCORES, ALIGNMENTS)
def test_hidden_points_change_nothing_in_what_the_learner_sees(scores, alignments):
    aligned = alignment_table(*alignments)
    other = [row if row["is_visible"] else {**row, "points": 42.0} for row in scores]

    table = evidence(score_table(*scores), aligned, view=View.LEARNER)

    assert shape(evidence(score_table(*other), aligned, view=View.LEARNER)) == shape(table)


@given(SCORES, ALIGNMENTS)
def test_the_tables_given_are_left_as_they_were(scores, alignments):
    given_scores, given_alignments = score_table(*scores), alignment_table(*alignments)

    evidence(given_scores, given_alignments, scale=DEFAULT_SCALE, view=View.LEARNER)

    assert shape(given_scores) == shape(score_table(*scores))
    assert shape(given_alignments) == shape(alignment_table(*alignments))
