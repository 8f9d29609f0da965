from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.columns import NO_MOMENT
from mapping.estimators import weighted_average
from mapping.judgement.judging import judge
from mapping.judgement.retention import (
    earliest,
    first_met,
    history,
    is_recheck_due,
    next_review,
    retains,
)
from mapping.rules.clauses import NewestWithin
from mapping.rules.mastery_rule import MasteryRule
from mapping.samples import Sample
from mapping.status import Status
from tests.mapping.judged import grounds, row_of
from tests.mapping.tables import DAY

RECHECKED = MasteryRule(recheck_days=100)
RECENT = MasteryRule(criteria=NewestWithin(days=30))


def sample(segments):
    values = np.array([value for segment in segments for value in segment], dtype=np.float64)
    return Sample(
        values=values,
        weights=np.ones(values.size),
        occurred_at=np.arange(values.size),
        offsets=np.cumsum([0, *(len(segment) for segment in segments)]),
    )


def reaching(cut):
    return lambda _segment, _length, estimate: estimate >= cut


def judged(values, rule, at):
    return row_of(judge(grounds({1: values}, rule, at=at)), 1)


def test_mastery_dates_from_the_piece_that_first_met_the_rule():
    row = judged([1.0, 4.0, 4.0, 4.0], MasteryRule(), 5 * DAY)

    assert (row["status"], row["mastered_at"]) == (Status.MASTERED, 2 * DAY)


def test_without_retention_mastery_that_does_not_hold_is_a_plain_level_with_its_date():
    row = judged([4.0, 4.0, 0.0, 0.0], MasteryRule(), 5 * DAY)

    assert (row["status"], row["mastered_at"]) == (Status.DEVELOPING, 1 * DAY)


def test_newer_evidence_that_does_not_hold_mastery_says_not_sustained_and_keeps_the_date():
    row = judged([4.0, 4.0, 0.0, 0.0], RECHECKED, 5 * DAY)

    assert (row["status"], row["mastered_at"]) == (Status.NOT_SUSTAINED, 1 * DAY)
    assert (row["estimate"], row["level"], row["mastered_count"]) == (2.0, 1, 0)


def test_what_was_never_mastered_is_not_lost():
    row = judged([2.0, 2.0, 0.0], RECHECKED, 5 * DAY)

    assert (row["status"], row["mastered_at"]) == (Status.EMERGING, NO_MOMENT)


def test_mastery_shown_again_holds_and_dates_from_the_first_time():
    row = judged([4.0, 4.0, 0.0, 4.0, 4.0], RECHECKED, 5 * DAY)

    assert (row["status"], row["mastered_at"]) == (Status.MASTERED, 1 * DAY)


@pytest.mark.parametrize(
    ("at", "status", "review_at"),
    [
        (1 * DAY, Status.MASTERED, 101 * DAY),
        (101 * DAY - 1, Status.MASTERED, 101 * DAY),
        (101 * DAY, Status.RECHECK_DUE, NO_MOMENT),
        (4000 * DAY, Status.RECHECK_DUE, NO_MOMENT),
        (None, Status.MASTERED, NO_MOMENT),
    ],
)
def test_a_recheck_is_due_so_many_days_after_the_newest_piece(at, status, review_at):
    row = judged([4.0, 4.0], RECHECKED, at)

    assert (row["status"], row["review_at"]) == (status, review_at)
    assert row["mastered_count"] == 1


@pytest.mark.parametrize(
    ("at", "status", "review_at"),
    [
        (31 * DAY, Status.MASTERED, 31 * DAY + 1),
        (31 * DAY + 1, Status.RECHECK_DUE, NO_MOMENT),
    ],
)
def test_a_rule_unmet_only_because_time_went_by_is_an_invitation(at, status, review_at):
    row = judged([4.0, 4.0], RECENT, at)

    assert (row["status"], row["review_at"]) == (status, review_at)


def test_low_evidence_has_no_moment_at_which_time_would_change_it():
    row = judged([1.0, 1.0], replace(RECENT, recheck_days=5), 2 * DAY)

    assert (row["status"], row["review_at"]) == (Status.EMERGING, NO_MOMENT)


@pytest.mark.parametrize(
    ("rule", "expected"), [(MasteryRule(), False), (RECHECKED, True), (RECENT, True)]
)
def test_a_rule_looks_at_time_for_a_recheck_or_recent_evidence(rule, expected):
    assert retains(rule) is expected


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.integers(0, 4).map(float), max_size=12), min_size=1, max_size=20),
    st.integers(1, 4),
    st.sampled_from([2.0, 3.0, 3.5]),
    st.integers(1, 40),
)
def test_the_first_beginning_that_meets_a_rule_is_found(segments, fewest, cut, at_a_time):
    found = first_met(
        sample(segments), weighted_average, reaching(cut), fewest=fewest, at_a_time=at_a_time
    )

    expected = [
        next(
            (n for n in range(fewest, len(s) + 1) if sum(s[:n]) / n >= cut),
            0,
        )
        for s in segments
    ]
    assert found.tolist() == expected


@settings(max_examples=10)
@given(
    st.lists(st.lists(st.integers(0, 4).map(float), max_size=45), min_size=1, max_size=8),
    st.sampled_from(("weighted_average", "decaying_average", "evidence_weighted")),
    st.integers(1, 4),
)
def test_what_grows_by_a_piece_at_a_time_is_found_as_if_laid_out(segments, method, fewest):
    rule = MasteryRule(method=method, minimum_evidence=fewest)

    def bar(_segment, length, estimate):
        return (length >= fewest) & (estimate >= rule.mastered - 1e-9)

    estimate, found = history(sample(segments), rule, bar)

    expected = first_met(sample(segments), rule.estimator(), bar, fewest=fewest)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(estimate, rule.estimator()(sample(segments)))


def test_a_segment_of_thousands_is_laid_out_in_parts():
    laid_out = []

    def estimator(part):
        laid_out.append(part.values.size)
        return weighted_average(part)

    found = first_met(
        sample([[0.0] * 2000, [4.0]]), estimator, reaching(3.0), fewest=1, at_a_time=100_000
    )

    assert found.tolist() == [0, 1]
    assert max(laid_out) <= 100_000
    assert sum(laid_out) == 2000 * 2001 // 2 + 1


def test_a_method_is_not_asked_where_nothing_it_says_would_do():
    def estimator(part):
        assert part.values.size == 0
        return weighted_average(part)

    found = first_met(sample([[4.0, 4.0]]), estimator, lambda _s, length, _e: length > 2, fewest=1)

    assert found.tolist() == [0]


def test_undated_evidence_is_never_due():
    newest = np.array([NO_MOMENT, 0])

    assert is_recheck_due(newest, 1, 5 * DAY).tolist() == [False, True]
    assert not is_recheck_due(newest, None, 5 * DAY).any()
    assert not is_recheck_due(newest, 1, None).any()


def test_the_earliest_of_moments_leaves_out_those_there_are_not():
    columns = (
        np.array([NO_MOMENT, 5, NO_MOMENT, 3]),
        np.array([7, NO_MOMENT, NO_MOMENT, 2]),
        np.array([9, 4, NO_MOMENT, 8]),
    )

    assert earliest(*columns).tolist() == [7, 4, NO_MOMENT, 2]
    assert earliest(columns[0]).tolist() == columns[0].tolist()


def test_the_next_review_is_the_next_moment_something_grows_too_old():
    rule = MasteryRule(criteria=NewestWithin(days=10), recheck_days=20)
    newest, was_met = np.array([0, 0]), np.array([True, False])

    def following(at):
        return next_review(newest, was_met, rule, at=at).tolist()

    assert following(0) == [10 * DAY + 1, NO_MOMENT]
    assert following(15 * DAY) == [20 * DAY, NO_MOMENT]
    assert following(20 * DAY) == [NO_MOMENT, NO_MOMENT]
    assert following(None) == [NO_MOMENT, NO_MOMENT]
