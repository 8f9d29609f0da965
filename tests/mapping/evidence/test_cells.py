import numpy as np
import pytest

from mapping.columns import NO_MOMENT
from mapping.evidence.cells import moments
from mapping.evidence.policy import DatePolicy
from tests.mapping.tables import score_table

SDG, SG, DSG = DatePolicy


def moment(score, dated=SDG, *, is_shown=True):
    table = score_table(score)
    return moments(table, dated, np.full(1, is_shown)).tolist()[0]


@pytest.mark.parametrize(("dated", "expected"), [(SDG, 1), (SG, 1), (DSG, 2)])
def test_the_policy_names_the_moment_that_orders_evidence(dated, expected):
    assert moment({"submitted_at": 1, "due_at": 2, "graded_at": 3}, dated) == expected


@pytest.mark.parametrize(
    ("score", "dated", "expected"),
    [
        ({"due_at": 2, "graded_at": 3}, SDG, 2),
        ({"due_at": 2, "graded_at": 3}, SG, 3),
        ({"submitted_at": 1, "graded_at": 3}, DSG, 1),
        ({"due_at": 2}, SDG, 2),
        ({"due_at": 2}, SG, NO_MOMENT),
        ({"graded_at": 3}, SDG, 3),
        ({}, SDG, NO_MOMENT),
    ],
)
def test_a_moment_that_is_absent_gives_way_to_the_next(score, dated, expected):
    assert moment(score, dated) == expected


def test_make_up_work_handed_in_late_is_as_old_as_its_own_handing_in():
    assert moment({"submitted_at": 5, "due_at": 2, "graded_at": 9}) == 5


@pytest.mark.parametrize(
    ("score", "dated", "expected"),
    [
        ({"due_at": 9, "graded_at": 3}, SDG, 3),
        ({"submitted_at": 1, "due_at": 3, "graded_at": 3}, DSG, 3),
        ({"submitted_at": 1, "due_at": 9, "graded_at": 3}, DSG, 1),
    ],
)
def test_a_due_date_after_the_grading_is_not_believed(score, dated, expected):
    assert moment(score, dated) == expected


@pytest.mark.parametrize("dated", DatePolicy)
def test_the_date_that_a_teacher_gave_goes_first(dated):
    score = {"submitted_at": 1, "due_at": 2, "graded_at": 3, "given_at": 7}

    assert moment(score, dated) == 7


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        ({"graded_at": 3}, NO_MOMENT),
        ({"given_at": 3}, NO_MOMENT),
        ({"due_at": 9, "graded_at": 3}, 9),
    ],
)
def test_what_is_not_shown_tells_nothing_of_its_grading(score, expected):
    assert moment(score, is_shown=False) == expected
