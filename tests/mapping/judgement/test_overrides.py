from dataclasses import replace

import numpy as np
import pytest

from mapping.columns import NO_MOMENT, TableRefused
from mapping.evidence.tables import View
from mapping.judgement.judging import judge
from mapping.judgement.overrides import OVERRIDABLE, OverrideTable
from mapping.rules.clauses import EvidenceReaches
from mapping.rules.mastery_rule import MasteryRule
from mapping.status import OverrideState, Status
from tests.mapping.judged import grounds, row_of, said, strands
from tests.mapping.tables import DAY
from tests.mapping.worlds import TWO_LEVELS

MASTERED = {"competency": 1, "status": Status.MASTERED}
LATER = 90 * DAY


def judged(values, *overrides, at=LATER, rule=None):
    return row_of(judge(grounds({1: values}, rule, overrides=said(*overrides), at=at)), 1)


def test_what_a_person_said_goes_before_what_is_computed():
    row = judged([1.0, 1.0], {**MASTERED, "given_at": 5 * DAY})

    assert (row["status"], row["override"]) == (Status.MASTERED, OverrideState.IN_FORCE)
    assert (row["level"], row["estimate"], row["mastered_count"]) == (2, 3.0, 1)
    assert (row["mastered_at"], row["evidence_count"]) == (5 * DAY, 2)


def test_without_overrides_the_computed_standing_is_had():
    known = grounds({1: [1.0, 1.0]}, overrides=said(MASTERED), at=LATER)

    row = row_of(judge(replace(known, overrides=OverrideTable.none())), 1)

    assert (row["status"], row["override"]) == (Status.EMERGING, OverrideState.NONE)


@pytest.mark.parametrize(
    ("values", "status", "level", "estimate"),
    [
        ([3.6, 3.8], Status.MASTERED, 3, 3.7),
        ([3.6], Status.MASTERED, 3, 3.6),
        ([3.6, 3.8], Status.DEVELOPING, 1, 2.0),
        ([3.6, 3.8], Status.EMERGING, 0, 1.0),
        ([3.6, 3.8], Status.NOT_SUSTAINED, 1, 2.0),
        ([2.5, 2.5], Status.DEVELOPING, 1, 2.5),
        ([1.5, 1.5], Status.NOT_SUSTAINED, 0, 1.5),
        ([None], Status.EMERGING, 0, 1.0),
    ],
)
def test_an_estimate_that_agrees_stays_and_any_other_becomes_the_levels_own(
    values, status, level, estimate
):
    row = judged(values, {"competency": 1, "status": status})

    assert (row["status"], row["level"]) == (status, level)
    assert row["estimate"] == pytest.approx(estimate)


def test_saying_what_was_computed_changes_no_number():
    rule = MasteryRule(criteria=EvidenceReaches(count=9))

    row = judged([4.0, 4.0], {"competency": 1, "status": Status.DEVELOPING}, rule=rule)

    assert (row["estimate"], row["level"]) == (4.0, 1)


@pytest.mark.parametrize(
    ("mastered", "status", "level", "estimate"),
    [
        (7.0, Status.DEVELOPING, 0, 0.0),
        (7.0, Status.MASTERED, 1, 10.0),
        (9.0, Status.DEVELOPING, 1, 7.0),
        (9.5, Status.MASTERED, 1, 10.0),
        (5.0, Status.MASTERED, 0, 5.0),
    ],
)
def test_a_scale_of_two_levels_has_a_place_for_each_judgement(mastered, status, level, estimate):
    rule = MasteryRule(scale=TWO_LEVELS, mastered=mastered)

    row = judged([None], {"competency": 1, "status": status}, rule=rule)

    assert (row["level"], row["estimate"]) == (level, estimate)


@pytest.mark.parametrize(
    ("at", "status", "review_at"),
    [
        (9 * DAY, Status.EMERGING, 10 * DAY),
        (10 * DAY, Status.MASTERED, 20 * DAY),
        (20 * DAY - 1, Status.MASTERED, 20 * DAY),
        (20 * DAY, Status.EMERGING, NO_MOMENT),
        (None, Status.MASTERED, NO_MOMENT),
    ],
)
def test_an_override_holds_from_when_it_is_given_until_its_end(at, status, review_at):
    row = judged([1.0, 1.0], {**MASTERED, "given_at": 10 * DAY, "until": 20 * DAY}, at=at)

    assert (row["status"], row["review_at"]) == (status, review_at)


def test_a_judgement_without_any_evidence_has_a_row():
    known = grounds({}, overrides=said({**MASTERED, "given_at": 3}), at=LATER)

    row = row_of(judge(known), 1)

    assert (row["status"], row["evidence_count"]) == (Status.MASTERED, 0)
    assert (row["mastered_at"], row["rule"]) == (3, 0)


def test_a_judgement_that_is_over_leaves_no_row_without_evidence():
    known = grounds({}, overrides=said({**MASTERED, "until": DAY}), at=LATER)

    assert len(judge(known)) == 0


def test_evidence_newer_than_a_judgement_makes_it_out_of_date():
    states = [
        judged([1.0, 1.0, 1.0], {**MASTERED, "given_at": given_at})["override"]
        for given_at in (2 * DAY - 1, 2 * DAY)
    ]

    assert states == [OverrideState.OUT_OF_DATE, OverrideState.IN_FORCE]


def test_evidence_that_a_learner_may_not_see_makes_nothing_out_of_date_for_them():
    known = grounds({1: [1.0, 1.0]}, overrides=said({**MASTERED, "given_at": DAY - 1}), at=LATER)
    is_visible = np.array([True, False])
    hidden = replace(known, scores=replace(known.scores, is_visible=is_visible))

    states = [row_of(judge(hidden, view), 1)["override"] for view in View]

    assert states == [OverrideState.OUT_OF_DATE, OverrideState.IN_FORCE]


def test_a_child_counts_as_what_was_said_of_it():
    hierarchy = strands((1, 100), (2, 100))
    values = {1: [1.0, 1.0], 2: [4.0, 4.0]}

    row = row_of(
        judge(grounds(values, hierarchy=hierarchy, overrides=said(MASTERED), at=LATER)), 100
    )

    assert (row["status"], row["estimate"], row["mastered_count"]) == (Status.MASTERED, 3.5, 2)
    assert (row["evidence_count"], row["override"]) == (4, OverrideState.NONE)


def test_a_child_without_evidence_counts_when_a_person_spoke_of_it():
    known = grounds({}, hierarchy=strands((1, 100)), overrides=said(MASTERED), at=LATER)

    row = row_of(judge(known), 100)

    assert (row["status"], row["estimate"], row["evidence_count"]) == (Status.MASTERED, 3.0, 0)


def test_a_parent_overridden_keeps_count_of_its_children_and_of_their_newest_evidence():
    hierarchy = strands((1, 100), (2, 100))
    over = said({"competency": 100, "status": Status.EMERGING, "given_at": DAY})
    values = {1: [4.0, 4.0], 2: [4.0, 4.0]}

    row = row_of(judge(grounds(values, hierarchy=hierarchy, overrides=over, at=LATER)), 100)

    assert (row["status"], row["mastered_count"]) == (Status.EMERGING, 2)
    assert row["override"] == OverrideState.OUT_OF_DATE


def test_an_override_of_a_parent_with_neither_evidence_nor_children_has_a_row():
    over = said({"competency": 100, "status": Status.DEVELOPING})

    row = row_of(judge(grounds({}, hierarchy=strands((1, 100)), overrides=over)), 100)

    assert (row["status"], row["mastered_count"]) == (Status.DEVELOPING, 0)


def test_overrides_are_put_in_order():
    table = said({"competency": 2, "status": 4}, {"competency": 1, "status": 3})

    assert (table.competency.tolist(), table.status.tolist()) == ([1, 2], [3, 4])


@pytest.mark.parametrize(
    "rows",
    [
        [MASTERED, MASTERED],
        *([{"competency": 1, "status": s}] for s in Status if s not in OVERRIDABLE),
    ],
)
def test_overrides_that_cannot_be_are_refused(rows):
    with pytest.raises(TableRefused):
        said(*rows)
