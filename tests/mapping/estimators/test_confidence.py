from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.estimators import METHODS, weighted_average
from mapping.estimators.confidence import (
    Confidence,
    confidence,
    effective_count,
    probability_of_mastery,
    spread,
    worked_confidence,
)
from mapping.estimators.sums import aged_weights
from mapping.samples import Sample
from tests.mapping.estimators.drawing import drawn, pieces_of, sample_of


# contracts/mastery-methods.md 2.2, row "Proposed: evidence-weighted estimate".
@pytest.mark.parametrize(
    ("passes", "trials", "expected"), [(2, 2, 0.49), (4, 4, 0.67), (9, 10, 0.68)]
)
def test_passes_give_their_golden_chances_of_four_in_five(passes, trials, expected):
    chance = probability_of_mastery([passes], [trials], 0.8)

    assert chance.round(2).tolist() == [expected]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=20), st.floats(0, 1))
def test_the_chance_is_the_area_under_the_posterior(pairs, cut):
    passes = [passed for passed, _ in pairs]
    trials = [passed + failed for passed, failed in pairs]

    chances = probability_of_mastery(passes, trials, cut)

    rates = (np.arange(20_000) + 0.5) / 20_000
    for (passed, failed), chance in zip(pairs, chances, strict=True):
        density = rates**passed * (1 - rates) ** failed
        assert chance == pytest.approx(density[rates >= cut].sum() / density.sum(), abs=2e-3)


@pytest.mark.parametrize(
    ("passes", "trials", "cut"), [([3], [2], 0.8), ([-1], [2], 0.8), ([1], [2], 1.1)]
)
def test_impossible_passes_are_refused(passes, trials, cut):
    with pytest.raises(ValueError, match="passes must be 0 to trials"):
        probability_of_mastery(passes, trials, cut)


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_effective_pieces_and_spread_agree_with_a_plain_loop(seed):
    sample = drawn(seed, segments=100)

    counts, spreads = effective_count(sample), spread(sample)

    for (scores, weights, _), count, wide in zip(pieces_of(sample), counts, spreads, strict=True):
        if not scores:
            assert (count, isnan(wide)) == (0.0, True)
            continue
        total = sum(weights)
        mean = sum(s * w for s, w in zip(scores, weights, strict=True)) / total
        square = sum(w * (s - mean) ** 2 for s, w in zip(scores, weights, strict=True)) / total
        assert count == pytest.approx(total**2 / sum(w * w for w in weights))
        assert wide == pytest.approx(square**0.5, abs=1e-7)


@pytest.mark.parametrize(
    ("scores", "label"),
    [
        ((), "no evidence"),
        ((4.0, 4.0), "thin evidence"),
        ((3.0, 3.0, 3.0), "fair evidence"),
        ((3.0, 3.0, 3.5, 3.0, 3.0), "good evidence"),
        ((1.0, 4.0, 1.0, 4.0, 4.0), "fair evidence"),
        ((2.5, 3.5, 2.5, 3.5, 2.5, 3.5), "good evidence"),
    ],
)
def test_many_pieces_close_together_say_much(scores, label):
    code = confidence(sample_of(scores))[0]

    assert Confidence(code).label == label


def test_one_heavy_piece_is_thin_evidence_among_many():
    sample = sample_of([3.0] * 6, weights=(100.0, 1, 1, 1, 1, 1))

    assert confidence(sample).tolist() == [Confidence.THIN]


def test_confidence_is_told_in_a_sentence():
    assert worked_confidence(sample_of([2.0, 3.0])) == (
        "Thin evidence: worth 2.00 equal pieces, 0.50 points from their average as a rule."
    )
    assert worked_confidence(sample_of([2.0])).startswith("Thin evidence: worth 1 piece, 0.00")


@given(st.integers(0, 2**32))
@settings(max_examples=10)
def test_ageing_weights_are_those_of_the_method(seed):
    sample = drawn(seed, segments=50)

    older = Sample(
        values=sample.values,
        weights=aged_weights(sample, half_life_days=100),
        occurred_at=sample.occurred_at,
        offsets=sample.offsets,
    )

    expected = METHODS["evidence_weighted"].estimate(sample, half_life_days=100)
    np.testing.assert_allclose(weighted_average(older), expected, rtol=0, atol=1e-12)
