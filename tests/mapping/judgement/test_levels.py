import numpy as np
import pytest

from mapping.judgement.levels import (
    highest_working_level,
    plain_status,
    shown_levels,
    working_status,
)
from mapping.rules.mastery_rule import MasteryRule
from mapping.scales import DEFAULT_SCALE, Level, RatingScale
from mapping.status import NO_LEVEL, Status
from tests.mapping.worlds import FIVE_LEVELS, TWO_LEVELS

NOT_YET, MASTERED = False, True


def shown(estimate, status, rule):
    return shown_levels(np.array([estimate]), np.array([status], dtype=np.int8), rule).item()


@pytest.mark.parametrize(
    ("scale", "mastered", "highest"),
    [
        (DEFAULT_SCALE, 3.0, 1),
        (DEFAULT_SCALE, 3.2, 2),
        (DEFAULT_SCALE, 0.5, 0),
        (DEFAULT_SCALE, 1e-10, 0),
        (FIVE_LEVELS, 3.2, 3),
        (TWO_LEVELS, 7.0, 0),
    ],
)
def test_working_levels_begin_below_mastery(scale, mastered, highest):
    assert highest_working_level(MasteryRule(scale=scale, mastered=mastered)) == highest


def test_a_cut_that_is_mastery_but_for_the_noise_of_multiplying_is_no_working_level():
    levels = (
        Level(label="Not yet", points=0.0, symbol="o", cut=0.0),
        Level(label="Met", points=3.0, symbol="x", cut=0.6),
    )
    rule = MasteryRule(scale=RatingScale(levels=levels), mastered=1.8)

    assert rule.mastered > 0.6 * 3.0
    assert highest_working_level(rule) == 0


@pytest.mark.parametrize(
    ("estimate", "status"),
    [
        (0.0, Status.EMERGING),
        (1.99, Status.EMERGING),
        (2.0, Status.DEVELOPING),
        (4.0, Status.DEVELOPING),
        (np.nan, Status.INSUFFICIENT),
    ],
)
def test_what_is_not_mastered_is_of_a_working_level(estimate, status):
    assert working_status(np.array([estimate]), MasteryRule()).item() == status


def test_five_levels_have_one_emerging_and_developing_for_the_others():
    rule = MasteryRule(scale=FIVE_LEVELS, mastered=3.2)

    statuses = working_status(np.array([0.1, 0.9, 1.7, 2.5]), rule)

    assert statuses.tolist() == [Status.EMERGING, *[Status.DEVELOPING] * 3]


@pytest.mark.parametrize(
    ("estimate", "status", "level"),
    [
        (3.9, Status.MASTERED, 3),
        (3.9, Status.RECHECK_DUE, 3),
        (3.9, Status.DEVELOPING, 1),
        (1.0, Status.NOT_SUSTAINED, 0),
        (3.9, Status.INSUFFICIENT, 3),
        (np.nan, Status.NO_EVIDENCE, NO_LEVEL),
    ],
)
def test_no_level_beside_a_status_says_mastery_of_somebody_who_is_not(estimate, status, level):
    assert shown(estimate, status, MasteryRule()) == level


@pytest.mark.parametrize(
    ("estimate", "count", "is_met", "status"),
    [
        (np.nan, 0, NOT_YET, Status.NO_EVIDENCE),
        (4.0, 1, NOT_YET, Status.INSUFFICIENT),
        (np.nan, 5, NOT_YET, Status.INSUFFICIENT),
        (4.0, 2, MASTERED, Status.MASTERED),
        (4.0, 2, NOT_YET, Status.DEVELOPING),
    ],
)
def test_a_status_needs_evidence_then_enough_of_it_then_all_that_is_asked(
    estimate, count, is_met, status
):
    found = plain_status(
        np.array([estimate]), np.array([count]), MasteryRule(), is_met=np.array([is_met])
    )

    assert found.item() == status
