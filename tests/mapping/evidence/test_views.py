import numpy as np
import pytest
from hypothesis import given, settings

from mapping.columns import NO_MOMENT
from mapping.evidence.joining import evidence
from mapping.evidence.tables import Reason, View
from mapping.records import ScoreState
from tests.mapping.tables import (
    ALIGNMENTS,
    POLICIES,
    PRESENTS,
    SCORES,
    alignment_table,
    score_table,
    shape,
)


def seen(score, view=View.TEACHER):
    return evidence(score_table(score), alignment_table({}), view=view)


def test_a_hidden_score_counts_for_the_teacher():
    assert seen({"is_visible": False}).is_counted.tolist() == [True]


@pytest.mark.parametrize("state", ScoreState)
def test_a_hidden_score_tells_the_learner_neither_points_nor_state(state):
    table = seen({"is_visible": False, "state": state}, view=View.LEARNER)

    assert table.reason.tolist() == [Reason.HIDDEN]
    assert np.isnan([table.points[0], table.value[0]]).all()


def test_a_hidden_score_does_not_tell_the_learner_when_it_was_graded():
    table = seen({"is_visible": False, "graded_at": 5, "given_at": 6}, view=View.LEARNER)

    assert table.occurred_at.tolist() == [NO_MOMENT]


def test_a_visible_score_counts_for_the_learner():
    assert seen({}, view=View.LEARNER).is_counted.tolist() == [True]


@settings(max_examples=40)
@given(SCORES, ALIGNMENTS, POLICIES, PRESENTS)
def test_nothing_of_a_hidden_grade_changes_what_the_learner_sees(scores, alignments, policy, at):
    aligned = alignment_table(*alignments)
    grade = {"points": 42.0, "points_deducted": 3.0, "state": ScoreState.GRADED, "graded_at": 7}
    other = [row if row["is_visible"] else {**row, **grade, "given_at": 9} for row in scores]

    table = evidence(score_table(*scores), aligned, view=View.LEARNER, policy=policy, at=at)

    again = evidence(score_table(*other), aligned, view=View.LEARNER, policy=policy, at=at)
    assert shape(again) == shape(table)


@settings(max_examples=40)
@given(SCORES, ALIGNMENTS, POLICIES, PRESENTS)
def test_without_hidden_scores_the_learner_sees_the_same(scores, alignments, policy, at):
    aligned = alignment_table(*alignments)
    shown = [row for row in scores if row["is_visible"]]

    table = evidence(score_table(*scores), aligned, view=View.LEARNER, policy=policy, at=at)

    again = evidence(score_table(*shown), aligned, view=View.LEARNER, policy=policy, at=at)
    is_told = table.reason != Reason.HIDDEN
    assert shape(again) == [row for row, told in zip(shape(table), is_told, strict=True) if told]
