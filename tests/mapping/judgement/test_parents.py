from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.columns import NO_MOMENT
from mapping.judgement.parents import carried, joined, strand_standings, worked_rollup
from mapping.progressions.graph import Hierarchy
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.strands import Rollup, RollupMethod
from mapping.scales import DEFAULT_SCALE, Level, RatingScale
from mapping.status import OverrideState, Status
from tests.mapping.standing_rows import LEARNER, standing_table

STRAND = 100
CHILDREN = (1, 2, 3)
HIERARCHY = Hierarchy.of((child, STRAND) for child in CHILDREN)
CODES = {1: "N.1", 2: "N.2", 3: "N.3", STRAND: "N"}

MASTERED, DEVELOPING = Status.MASTERED, Status.DEVELOPING
NONE, SHORT = Status.NO_EVIDENCE, Status.INSUFFICIENT

ALONE = "the only one with enough evidence"


def rule_of(method, **more):
    return MasteryRule(rollup=Rollup(method=method, **more))


def part(competency, estimate, status=None, **more):
    """A part whose status follows from its estimate, if it is not told."""
    plain = MASTERED if estimate >= 3.0 else DEVELOPING if estimate >= 2.0 else Status.EMERGING
    status = plain if status is None else status
    counts = {NONE: 0, SHORT: 1}
    return {
        "competency": competency,
        "estimate": estimate,
        "status": status,
        "evidence_count": counts.get(status, 2),
        **more,
    }


def silent(competency, status=NONE):
    return part(competency, nan, status)


def columns(parts):
    table = standing_table(*parts)
    return table, table.competency != STRAND


def strand(parts, rule):
    table, is_child = columns(parts)
    found = strand_standings(
        table,
        is_child,
        np.array([0, len(parts)]),
        rule=rule,
        hierarchy=HIERARCHY,
        codes=CODES,
    )
    assert found.competency.tolist() == [STRAND]
    return found


def judged(parts, rule):
    found = strand(parts, rule)
    return Status(found.status[0]), float(found.estimate[0])


def worked(parts, rule):
    table, is_child = columns(parts)
    return worked_rollup(table, is_child, rule=rule, hierarchy=HIERARCHY, codes=CODES)


def of(*estimates):
    return [part(child, estimate) for child, estimate in zip(CHILDREN, estimates, strict=False)]


GOLDEN = {
    RollupMethod.ALL_WITH_EVIDENCE: [
        (of(3.0, 4.0), MASTERED, 3.5),
        (of(4.0, 2.9), DEVELOPING, 3.45),
        (of(1.0, 2.0), Status.EMERGING, 1.5),
        ([*of(3.0), silent(2), silent(3)], MASTERED, 3.0),
        ([*of(4.0), silent(2, SHORT)], DEVELOPING, 4.0),
    ],
    RollupMethod.ALL_CHILDREN: [
        (of(3.0, 4.0, 3.5), MASTERED, 3.5),
        (of(3.0, 4.0), DEVELOPING, 3.5),
        ([*of(3.0, 4.0), silent(3)], DEVELOPING, 3.5),
        (of(3.0, 4.0, 2.0), DEVELOPING, 3.0),
    ],
    RollupMethod.MEAN: [
        (of(4.0, 2.0), MASTERED, 3.0),
        (of(4.0, 1.9), DEVELOPING, 2.95),
        (of(2.9, 3.1, 3.0), MASTERED, 3.0),
        ([*of(4.0), silent(2, SHORT)], MASTERED, 4.0),
    ],
    RollupMethod.LOWEST: [
        (of(4.0, 3.0, 3.5), MASTERED, 3.0),
        (of(4.0, 2.5, 3.5), DEVELOPING, 2.5),
        (of(4.0, 3.0), SHORT, nan),
        ([*of(4.0, 3.0), silent(3)], SHORT, nan),
        ([*of(4.0, 3.0), silent(3, SHORT)], SHORT, nan),
    ],
    RollupMethod.MODE: [
        (of(3.0, 3.4, 1.0), MASTERED, 3.0),
        (of(2.0, 2.5, 4.0), DEVELOPING, 2.0),
        (of(2.0, 3.0), MASTERED, 3.0),
        (of(1.0, 2.0, 4.0), MASTERED, 4.0),
        (of(1.0, 0.0, 4.0), Status.EMERGING, 1.0),
    ],
}


@pytest.mark.parametrize(
    ("method", "parts", "status", "estimate"),
    [(method, *vector) for method, vectors in GOLDEN.items() for vector in vectors],
)
def test_each_method_gives_its_golden_vectors(method, parts, status, estimate):
    found = judged(parts, rule_of(method))

    assert found == (status, pytest.approx(estimate, nan_ok=True))


@pytest.mark.parametrize(
    ("weights", "estimate"),
    [({}, 3.0), ({"N.1": 3.0}, 3.5), ({"N.1": 0.0, "N.2": 1.0}, 2.0), ({"N": 9.0}, 3.0)],
)
def test_weights_are_those_of_the_children_s_codes(weights, estimate):
    found = judged(of(4.0, 2.0), rule_of(RollupMethod.WEIGHTED, weights=weights))

    assert found[1] == estimate


def test_children_of_no_weight_alone_give_no_estimate():
    rule = rule_of(RollupMethod.WEIGHTED, weights={"N.1": 0.0, "N.2": 1.0})

    status, estimate = judged(of(4.0), rule)

    assert status is SHORT
    assert isnan(estimate)


@pytest.mark.parametrize(
    ("parts", "required", "status"),
    [
        (of(4.0, 1.0), 2.0, MASTERED),
        (of(1.0, 4.0), 2.0, DEVELOPING),
        (of(3.0, 3.0), 3.0, MASTERED),
        ([*of(1.0, 4.0), part(STRAND, 4.0)], 2.0, DEVELOPING),
    ],
)
def test_points_of_mastered_children_make_a_strand_mastered(parts, required, status):
    rule = rule_of(RollupMethod.POINTS, weights={"N.1": 2.0}, required_points=required)

    assert judged(parts, rule)[0] is status


@pytest.mark.parametrize("method", RollupMethod)
@pytest.mark.parametrize("missing", [part(2, 2.9), silent(2), None])
def test_a_strand_is_never_mastered_without_its_mandatory_children(method, missing):
    parts = [part(1, 4.0), *([missing] if missing else []), part(3, 4.0)]
    rule = rule_of(method, mandatory=frozenset({"N.2", "of another strand"}))

    assert judged(parts, rule)[0] is not MASTERED


@pytest.mark.parametrize("method", RollupMethod)
def test_a_strand_with_all_its_children_is_mastered_by_every_method(method):
    rule = rule_of(method, mandatory=frozenset({"N.2"}))

    assert judged(of(3.0, 4.0, 3.5), rule)[0] is MASTERED


@pytest.mark.parametrize("method", RollupMethod)
def test_children_without_evidence_give_their_strand_none(method):
    status, estimate = judged([silent(1), silent(2)], rule_of(method))

    assert status is NONE
    assert isnan(estimate)


@pytest.mark.parametrize("method", RollupMethod)
def test_children_that_need_more_evidence_make_their_strand_need_more(method):
    status, estimate = judged([silent(1, SHORT), silent(2)], rule_of(method))

    assert status is SHORT
    assert isnan(estimate)


def test_evidence_of_the_strand_itself_is_one_more_part_and_no_child():
    found = strand([*of(4.0), part(STRAND, 2.0)], rule_of(RollupMethod.ALL_WITH_EVIDENCE))

    assert (found.status[0], found.estimate[0]) == (DEVELOPING, 3.0)
    assert (found.evidence_count[0], found.mastered_count[0]) == (4, 1)


def test_a_child_whose_recheck_is_due_counts_as_mastered_and_one_not_sustained_does_not():
    rule = rule_of(RollupMethod.ALL_WITH_EVIDENCE)

    assert judged([part(1, 3.0, Status.RECHECK_DUE)], rule)[0] is MASTERED
    assert judged([part(1, 2.5, Status.NOT_SUSTAINED)], rule)[0] is DEVELOPING


def test_a_child_said_to_be_mastered_without_evidence_counts_as_mastered():
    by_a_person = part(1, nan, MASTERED, evidence_count=0)

    status, estimate = judged([by_a_person], rule_of(RollupMethod.ALL_WITH_EVIDENCE))

    assert status is MASTERED
    assert isnan(estimate)


def test_a_child_without_an_estimate_leaves_that_of_the_others_as_it_is():
    by_a_person = part(1, nan, MASTERED, evidence_count=0)

    found = judged([by_a_person, part(2, 3.5)], rule_of(RollupMethod.ALL_WITH_EVIDENCE))

    assert found == (MASTERED, 3.5)


def test_a_child_said_to_be_developing_without_an_estimate_leaves_the_strand_without_one():
    by_a_person = part(1, nan, DEVELOPING, evidence_count=0)

    assert judged([by_a_person], rule_of(RollupMethod.ALL_WITH_EVIDENCE))[0] is SHORT


def test_a_strand_is_mastered_when_the_last_of_its_children_is():
    parts = [part(1, 3.0, mastered_at=50), part(2, 4.0, mastered_at=70, review_at=900)]

    found = strand(parts, rule_of(RollupMethod.ALL_WITH_EVIDENCE))

    assert found.mastered_at.tolist() == [70]
    assert found.review_at.tolist() == [900]


def test_a_strand_that_is_not_mastered_has_no_moment_of_mastery():
    parts = [part(1, 3.0, mastered_at=50), part(2, 1.0)]

    found = strand(parts, rule_of(RollupMethod.ALL_WITH_EVIDENCE))

    assert found.mastered_at.tolist() == [NO_MOMENT]
    assert found.review_at.tolist() == [NO_MOMENT]


def test_overrides_of_children_are_none_of_their_strand():
    overridden = part(1, 3.0, override=OverrideState.IN_FORCE)

    found = strand([overridden], rule_of(RollupMethod.ALL_WITH_EVIDENCE))

    assert found.override.tolist() == [OverrideState.NONE]


def test_a_scale_with_one_working_level_knows_but_one_step_below_mastery():
    two = RatingScale(
        levels=(
            Level(label="Not yet", points=0.0, symbol="o", cut=0.0),
            Level(label="Met", points=1.0, symbol="x", cut=0.6),
        )
    )
    rule = MasteryRule(scale=two, mastered=0.6)

    assert judged([part(1, 1.0, MASTERED), part(2, 0.5, DEVELOPING)], rule)[0] is Status.EMERGING


@pytest.mark.parametrize("method", RollupMethod)
def test_no_parts_make_no_parents(method):
    found = strand_standings(
        standing_table(),
        np.zeros(0, dtype=np.bool_),
        np.zeros(1, dtype=np.int64),
        rule=rule_of(method),
        hierarchy=HIERARCHY,
        codes=CODES,
    )

    assert len(found) == 0


ESTIMATES = (0.0, 1.0, 1.9, 2.0, 2.5, 3.0, 3.2, 3.5, 4.0)
MANY = 2000


def random_families(rng):
    """Status, estimate and count of evidence of some of the parts, in many families."""
    size = (MANY, 4)
    is_there = rng.random(size) < 0.8
    is_there[:, 0] |= ~is_there.any(axis=1)
    status, count = rng.integers(0, len(Status), size), rng.integers(2, 6, size)
    # A family of many mastered parts is rare otherwise.
    status[rng.random(size) < 0.5] = MASTERED
    estimate = rng.choice(ESTIMATES, size)
    return [
        {
            competency: (Status(status[row, at]), float(estimate[row, at]), int(count[row, at]))
            for at, competency in enumerate((*CHILDREN, STRAND))
            if is_there[row, at]
        }
        for row in range(MANY)
    ]


def random_rule(method, rng):
    is_weighed = method in (RollupMethod.WEIGHTED, RollupMethod.POINTS)
    weights = {CODES[c]: float(rng.uniform(0.5, 3.0)) for c in (1, 3, STRAND)}
    return rule_of(
        method,
        weights=weights if is_weighed else {},
        required_points=float(rng.integers(1, 4)) if method is RollupMethod.POINTS else 1.0,
        mandatory=frozenset(rng.choice(["N.1", "N.3", "X"], rng.integers(0, 3)).tolist()),
    )


def rows_of(family, learner):
    for competency, (status, estimate, count) in sorted(family.items()):
        is_silent = status in (NONE, SHORT)
        yield {
            "learner": learner,
            "competency": competency,
            "status": status,
            "estimate": nan if is_silent else estimate,
            "evidence_count": {NONE: 0, SHORT: 1}.get(status, count),
        }


def plainly(family, rule):
    """What a family comes to by plain loops: status and estimate."""
    rollup = rule.rollup
    speaking = {c: p for c, p in family.items() if p[0] not in (NONE, SHORT)}
    if not speaking:
        return (SHORT if any(p[0] is SHORT for p in family.values()) else NONE), nan
    estimate = plain_estimate(speaking, rollup)
    met = plainly_met(family, estimate, rollup)
    mastered = {c for c, p in speaking.items() if p[0].is_mastered}
    for child in CHILDREN:
        met = met and (CODES[child] not in rollup.mandatory or child in mastered)
    if met:
        return MASTERED, estimate
    if isnan(estimate):
        return SHORT, nan
    return (DEVELOPING if estimate >= 2.0 - 1e-9 else Status.EMERGING), estimate


def plain_estimate(speaking, rollup):
    values = [p[1] for p in speaking.values()]
    if rollup.method is RollupMethod.WEIGHTED:
        weights = [rollup.weights.get(CODES[c], 1.0) for c in speaking]
        total = sum(value * weight for value, weight in zip(values, weights, strict=True))
        return total / sum(weights)
    if rollup.method is RollupMethod.LOWEST:
        return min(values) if set(CHILDREN) <= speaking.keys() else nan
    if rollup.method is RollupMethod.MODE:
        levels = [sum(value >= cut for cut in (2.0, 3.0, 3.5)) for value in values]
        most = max(levels.count(level) for level in levels)
        return 1.0 + max(level for level in levels if levels.count(level) == most)
    return sum(values) / len(values)


def plainly_met(family, estimate, rollup):
    mastered = {c for c, p in family.items() if p[0].is_mastered}
    unmastered = {c for c, p in family.items() if p[0] is not NONE} - mastered
    if rollup.method is RollupMethod.ALL_WITH_EVIDENCE:
        return bool(mastered) and not unmastered
    if rollup.method is RollupMethod.ALL_CHILDREN:
        return not unmastered and set(CHILDREN) <= mastered
    if rollup.method is RollupMethod.POINTS:
        points = sum(rollup.weights.get(CODES[c], 1.0) for c in mastered - {STRAND})
        return points >= rollup.required_points - 1e-9
    return estimate >= 3.0 - 1e-9


@pytest.mark.parametrize("method", RollupMethod)
@settings(max_examples=5)
@given(st.integers(0, 2**32 - 1))
def test_ten_thousand_families_come_to_what_plain_loops_say(method, seed):
    rng = np.random.default_rng(seed)
    families, rule = random_families(rng), random_rule(method, rng)
    rows = [row for learner, family in enumerate(families) for row in rows_of(family, learner)]
    table, is_child = columns(rows)
    offsets = np.cumsum([0, *map(len, families)])

    found = strand_standings(table, is_child, offsets, rule=rule, hierarchy=HIERARCHY, codes=CODES)

    expected = [plainly(family, rule) for family in families]
    assert found.status.tolist() == [status for status, _ in expected]
    assert np.allclose(found.estimate, [estimate for _, estimate in expected], equal_nan=True)
    assert found.learner.tolist() == list(range(MANY))
    assert found.mastered_count.tolist() == [
        sum(p[0].is_mastered for c, p in family.items() if c != STRAND) for family in families
    ]


@pytest.mark.parametrize(
    ("parts", "rule", "text"),
    [
        (of(3.5, 2.0), rule_of(RollupMethod.MEAN), "(3.50 + 2.00) / 2 = 2.75"),
        (of(3.5, 2.0), rule_of(RollupMethod.WEIGHTED), "(3.50 + 2.00) / 2 = 2.75"),
        (
            of(3.5, 2.0),
            rule_of(RollupMethod.WEIGHTED, weights={"N.1": 3.0}),
            "(3.50 \N{MULTIPLICATION SIGN} 3 + 2.00 \N{MULTIPLICATION SIGN} 1) / (3 + 1) = 3.13",
        ),
        (of(3.5, 2.0, 4.0), rule_of(RollupMethod.LOWEST), "the lowest of 3.50, 2.00, 4.00 = 2.00"),
        (
            of(3.1, 1.0, 3.2),
            rule_of(RollupMethod.MODE),
            (
                "most common level of Emerging \N{MULTIPLICATION SIGN} 1, "
                "Proficient \N{MULTIPLICATION SIGN} 2: Proficient = 3.00"
            ),
        ),
        (
            of(3.5, 2.0, 4.0),
            rule_of(RollupMethod.POINTS, weights={"N.1": 2.0}, required_points=4.0),
            "2 + 1 of 4 points; (3.50 + 2.00 + 4.00) / 3 = 3.17",
        ),
        (
            of(1.0),
            rule_of(RollupMethod.POINTS),
            "0 of 1 points; the only one with enough evidence: 1.00",
        ),
        (
            [*of(3.5), silent(2)],
            rule_of(RollupMethod.ALL_CHILDREN),
            "the only one with enough evidence: 3.50",
        ),
        ([silent(1)], rule_of(RollupMethod.MEAN), ""),
    ],
)
def test_a_rollup_is_written_out_with_its_numbers(parts, rule, text):
    assert worked(parts, rule) == text


FIVE = RatingScale(
    levels=tuple(
        Level(label=f"L{n}", points=float(n), symbol=str(n), cut=cut)
        for n, cut in enumerate((0.0, 0.35, 0.55, 0.75, 0.95), 1)
    )
)
ON_FOUR = MasteryRule()
ON_FIVE = MasteryRule(scale=FIVE, mastered=3.75)


def test_estimates_are_carried_from_mastery_to_mastery():
    estimate = np.array([3.0, 3.75, nan, 0.0, 5.0])

    found = carried(estimate, np.array([0, 1, 1, 1, 1]), [ON_FOUR, ON_FIVE], to=ON_FOUR)

    assert found.tolist() == pytest.approx([3.0, 3.0, nan, 0.0, 4.0], nan_ok=True)


def test_estimates_on_a_scale_that_measures_alike_stay_as_they_are():
    stricter = MasteryRule(mastered=3.5)

    found = carried(np.array([3.0]), np.array([0]), [stricter], to=ON_FOUR)

    assert found.tolist() == [3.0]


def test_cuts_are_joined_where_both_rules_have_equally_many():
    assert joined(ON_FOUR, ON_FIVE).anchors == ((0.75, 0.75), (0.875, 0.95))


def test_mastery_at_the_top_of_a_scale_becomes_mastery():
    at_the_top = MasteryRule(mastered=4.0)

    crosswalk = joined(at_the_top, ON_FIVE)

    assert crosswalk.forward([0.0, 4.0]).tolist() == [0.0, 5.0]
    assert joined(ON_FIVE, at_the_top).forward([3.75]).tolist() == [4.0]


@settings(max_examples=40)
@given(st.lists(st.floats(0.0, 4.0), min_size=1), st.floats(0.1, 4.0), st.floats(0.1, 5.0))
def test_carrying_keeps_order_and_what_is_mastered(estimates, before, after):
    source = MasteryRule(mastered=before)
    target = MasteryRule(scale=FIVE, mastered=after)
    values = np.sort(estimates)

    found = carried(values, np.zeros(values.size, dtype=np.int64), [source], to=target)

    assert np.all(np.diff(found) >= 0.0)
    assert found.min() >= 0.0
    assert found.max() <= 5.0
    assert np.all(found[values >= before] >= after - 1e-9)


def test_a_learner_of_the_rows_is_that_of_the_parent():
    assert strand(of(3.0), ON_FOUR).learner.tolist() == [LEARNER]


def test_the_default_scale_has_the_levels_that_these_tests_count():
    assert [level.cut * 4.0 for level in DEFAULT_SCALE.levels] == [0.0, 2.0, 3.0, 3.5]
