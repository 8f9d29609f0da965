from itertools import pairwise
from math import inf, isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.crosswalks import (
    CrosswalkRefused,
    LevelCrosswalk,
    PercentCrosswalk,
    levels_lost,
    recut,
    scaled_percent,
)
from mapping.scales import DEFAULT_SCALE, Level, RatingScale, ScaleRefused


def scale_of(*cuts, top=None):
    return RatingScale(
        levels=tuple(
            Level(
                label=f"L{n}",
                points=float(n) if top is None or n < len(cuts) else top,
                symbol=str(n),
                cut=cut,
            )
            for n, cut in enumerate(cuts, 1)
        )
    )


FIVE = scale_of(0.0, 0.35, 0.55, 0.75, 0.95)
TO_FIVE = LevelCrosswalk(source=DEFAULT_SCALE, target=FIVE, pairs=(0, 1, 3, 4))

_hundredths = st.integers(1, 99).map(lambda number: number / 100)


@st.composite
def scales(draw, size=None):
    inner = draw(st.integers(1, 9)) if size is None else size - 1
    cuts = draw(st.sets(_hundredths, min_size=inner, max_size=inner))
    return scale_of(0.0, *sorted(cuts), top=draw(st.sampled_from([11.0, 100.0])))


def plainly_bent(fraction, anchors):
    """Cut to cut by a plain loop over the straight lines."""
    ends = [(0.0, 0.0), *anchors, (1.0, 1.0)]
    for (a, b), (c, d) in pairwise(ends):
        if a <= fraction <= c and a < c:
            return b + (d - b) * (fraction - a) / (c - a)
    raise AssertionError


def test_a_result_becomes_what_its_level_becomes():
    carried = TO_FIVE.forward([0.0, 1.9, 2.0, 3.0, 3.4, 4.0, nan])

    assert carried.tolist()[:6] == [1.0, 1.0, 2.0, 4.0, 4.0, 5.0]
    assert isnan(carried[6])


def test_four_levels_become_five_and_come_back():
    there = TO_FIVE.forward([1.0, 2.0, 3.0, 4.0])

    assert TO_FIVE.back(there).tolist() == [1.0, 2.0, 3.0, 4.0]
    assert levels_lost(TO_FIVE) == ()


def test_a_level_that_nothing_became_goes_nowhere_back():
    assert isnan(TO_FIVE.back(3.0))


def test_levels_that_become_one_cannot_come_back():
    merging = LevelCrosswalk(source=FIVE, target=DEFAULT_SCALE, pairs=(0, 1, 1, 2, 3))

    assert levels_lost(merging) == (1, 2)
    assert merging.sentence() == (
        "L1 becomes Emerging; L2 becomes Developing; L3 becomes Developing; "
        "L4 becomes Proficient; L5 becomes Exemplary. These cannot come back: L2, L3."
    )


def test_a_crosswalk_of_levels_is_said_in_words():
    assert TO_FIVE.sentence() == (
        "Emerging becomes L1; Developing becomes L2; Proficient becomes L4; "
        "Exemplary becomes L5. Every level can come back."
    )


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        ((0, 1, 2), "Each of the 4 levels needs one"),
        ((0, 1, 2, 5), "Level 4 cannot become level 6"),
        ((-1, 1, 2, 3), "Level 1 cannot become level 0"),
        ((0, 2, 1, 3), "Proficient would become a lower level than Developing"),
    ],
)
def test_pairs_that_are_no_crosswalk_are_refused(pairs, problem):
    with pytest.raises(CrosswalkRefused, match=problem):
        LevelCrosswalk(source=DEFAULT_SCALE, target=FIVE, pairs=pairs)


@given(scales(), scales(), st.data())
def test_a_level_comes_back_unless_another_became_the_same(source, target, data):
    index = st.integers(0, len(target.levels) - 1)
    size = len(source.levels)
    pairs = tuple(sorted(data.draw(st.lists(index, min_size=size, max_size=size))))
    crosswalk = LevelCrosswalk(source=source, target=target, pairs=pairs)

    carried = crosswalk.forward([source.points_of(level) for level in range(size)])

    assert target.levels_of(carried).tolist() == list(pairs)
    shared = [level for level in range(size) if pairs.count(pairs[level]) > 1]
    assert list(levels_lost(crosswalk)) == shared


def test_cuts_become_cuts_and_what_lies_between_is_carried_along():
    crosswalk = PercentCrosswalk.of(DEFAULT_SCALE, FIVE, {2: 3})

    carried = crosswalk.forward([0.0, 1.5, 3.0, 3.5, 4.0, 4.5, nan])

    assert carried.tolist()[:6] == [0.0, 1.875, 3.75, 4.375, 5.0, 5.0]
    assert isnan(carried[6])


def test_scales_of_equally_many_levels_are_joined_at_every_cut():
    other = scale_of(0.0, 0.4, 0.6, 0.9)

    crosswalk = PercentCrosswalk.of(DEFAULT_SCALE, other)

    assert crosswalk.anchors == ((0.5, 0.4), (0.75, 0.6), (0.875, 0.9))


def test_a_crosswalk_of_percent_is_said_in_words():
    assert PercentCrosswalk.of(DEFAULT_SCALE, FIVE, {2: 3}).sentence() == (
        "0.00 becomes 0.00, 3.00 becomes 3.75, 4.00 becomes 5.00; "
        "what lies between is carried along. Every level can come back."
    )


def test_levels_that_begin_beyond_a_full_score_cannot_come_back():
    strict = scale_of(0.0, 1.0)

    crosswalk = PercentCrosswalk.of(DEFAULT_SCALE, strict, {2: 1})

    assert levels_lost(crosswalk) == (2,)


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        (None, "4 and 5 levels: say which"),
        ({1: 5}, "Level 2 cannot become level 6"),
        ({4: 1}, "Level 5 cannot become level 2"),
        ({1: 2, 2: 1}, "cuts must rise: 0.5 would become 0.55, and 0.75 0.35"),
        ({1: 1, 2: 1}, "cuts must rise"),
        ({0: 1}, "above 0 and at most 1, not 0"),
    ],
)
def test_scales_that_do_not_join_are_refused(pairs, problem):
    with pytest.raises(CrosswalkRefused, match=problem):
        PercentCrosswalk.of(DEFAULT_SCALE, FIVE, pairs)


@given(st.data(), st.integers(2, 10), st.lists(st.floats(0.0, 1.0), min_size=1, max_size=50))
def test_percent_is_carried_as_by_a_plain_loop_and_comes_back(data, size, fractions):
    source, target = data.draw(scales(size)), data.draw(scales(size))
    crosswalk = PercentCrosswalk.of(source, target)

    carried = crosswalk.forward(np.array(fractions) * source.top)

    plain = [plainly_bent(fraction, crosswalk.anchors) * target.top for fraction in fractions]
    assert carried == pytest.approx(plain, abs=1e-9)
    assert crosswalk.back(carried) / source.top == pytest.approx(fractions, abs=1e-7)
    assert np.all(np.diff(carried[np.argsort(fractions)]) >= 0.0)
    assert levels_lost(crosswalk) == ()


@pytest.mark.parametrize(
    ("given_fraction", "scaled"), [(0.3, 0.375), (0.6, 0.75), (0.8, 0.875), (1.0, 1.0)]
)
def test_percent_is_scaled_as_canvas_does(given_fraction, scaled):
    assert float(scaled_percent(given_fraction, alignment=0.6, outcome=0.75)) == scaled


def test_scaled_percent_has_four_decimals_halves_up():
    assert scaled_percent([1 / 3, 0.50002], alignment=0.5, outcome=0.8).tolist() == [0.5333, 0.8]
    assert scaled_percent(0.00005, alignment=1.0, outcome=0.5).tolist() == 0.0
    assert scaled_percent(0.0001, alignment=1.0, outcome=0.5).tolist() == 0.0001


def test_percent_beyond_the_possible_is_clamped_and_none_stays_none():
    low, high, none = scaled_percent([-1.0, 1.2, nan], alignment=0.6, outcome=0.75).tolist()

    assert (low, high) == (0.0, 1.0)
    assert isnan(none)


def test_percent_stays_as_it_is_where_mastery_begins_alike():
    assert float(scaled_percent(0.123456, alignment=0.6, outcome=0.6)) == 0.123456


@pytest.mark.parametrize("mastery", [0.0, -0.5, 1.01, nan, inf])
def test_mastery_is_a_fraction(mastery):
    with pytest.raises(CrosswalkRefused, match="above 0 and at most 1"):
        scaled_percent(0.5, alignment=mastery, outcome=0.75)
    with pytest.raises(CrosswalkRefused, match="above 0 and at most 1"):
        scaled_percent(0.5, alignment=0.6, outcome=mastery)


def test_a_cut_moves_and_carries_the_others_along():
    moved = recut(DEFAULT_SCALE, {0.75: 0.6})

    assert [level.cut for level in moved.levels] == pytest.approx([0.0, 0.4, 0.6, 0.8])
    assert [level.label for level in moved.levels] == [
        level.label for level in DEFAULT_SCALE.levels
    ]


def test_no_cut_moves_where_none_is_named():
    assert recut(DEFAULT_SCALE, {}) == DEFAULT_SCALE


@pytest.mark.parametrize("cuts", [{0.5: 1.0}, {0.5: 0.0}, {0.5: 0.8, 0.75: 0.7}, {0.5: nan}])
def test_cuts_that_would_not_rise_are_refused(cuts):
    with pytest.raises(ScaleRefused):
        recut(DEFAULT_SCALE, cuts)


@given(scales(), _hundredths, _hundredths)
def test_moved_cuts_lie_where_a_plain_loop_puts_them(scale, before, after):
    moved = recut(scale, {before: after})

    plain = [plainly_bent(level.cut, [(before, after)]) for level in scale.levels]
    assert [level.cut for level in moved.levels] == pytest.approx(plain)
