import numpy as np
import pytest

from mapping.columns import NO_MOMENT, TableRefused
from mapping.evidence.joining import evidence
from mapping.evidence.tables import HEAVIEST, NOT_BRIDGED, AlignmentTable, ScoreTable
from tests.mapping.tables import alignment_table, score_table


@pytest.mark.parametrize("weight", [-1.0, HEAVIEST * 2, float("nan"), float("inf")])
def test_a_weight_out_of_its_range_is_refused(weight):
    with pytest.raises(TableRefused, match="weight"):
        alignment_table({"weight": weight})


@pytest.mark.parametrize("kind", [-1, 6])
def test_an_unknown_kind_is_refused(kind):
    with pytest.raises(TableRefused, match="kind"):
        alignment_table({"kind": kind})


def test_a_line_item_never_speaks_for_a_competency_twice():
    with pytest.raises(TableRefused, match="twice"):
        alignment_table({"weight": 1.0}, {"line_item": 2}, {"weight": 2.0})


def test_an_alignment_is_to_the_competency_itself_if_nothing_is_said():
    table = AlignmentTable.of({"line_item": [1], "competency": [2], "weight": [1.0], "kind": [0]})

    assert table.via.tolist() == [NOT_BRIDGED]


def test_a_score_is_neither_excluded_nor_removed_if_nothing_is_said():
    said = {"line_item": [1], "learner": [2], "state": [1], "points": [None], "minimum": [0.0]}
    said |= {"maximum": [4.0], "attempt": [1], "is_visible": [True], "is_late": [False]}
    said |= {"submitted_at": [5], "due_at": [5], "graded_at": [5]}

    table = ScoreTable.of(said)

    assert (table.is_excluded.tolist(), table.is_removed.tolist()) == ([False], [False])
    assert (table.given_at.tolist(), table.points_deducted.tolist()) == ([NO_MOMENT], [0.0])


def test_the_rows_of_a_learner_and_a_competency_are_found():
    aligned = alignment_table({"competency": 1}, {"competency": 2})
    table = evidence(score_table({"learner": 1}, {"learner": 2}, {"learner": 3}), aligned)

    found = table.of_learner(2).of_competency(1)

    assert (found.learner.tolist(), found.competency.tolist()) == ([2], [1])


def test_a_learner_without_evidence_has_no_rows():
    assert len(evidence(score_table({}), alignment_table({})).of_learner(8)) == 0


def test_some_rows_of_a_score_table_are_taken_in_the_order_asked_for():
    table = score_table({"points": 1.0}, {"points": 2.0}, {"points": 3.0})

    assert table.rows(np.array([2, 0])).points.tolist() == [3.0, 1.0]


def test_some_rows_of_an_alignment_table_are_taken():
    table = alignment_table({"competency": 1}, {"competency": 2})

    assert table.rows(np.array([False, True])).competency.tolist() == [2]


def test_steps_below_0_are_refused():
    with pytest.raises(TableRefused, match="Steps"):
        alignment_table({"steps": -1})
