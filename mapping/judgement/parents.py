"""From the standings of children to that of their parent, by the roll-up of the parent's rule.

A part is a child's standing, or that of the evidence aligned to the parent itself. A part speaks
when it has enough evidence and an estimate. Estimates of children are first carried to the
parent's scale, see ``carried``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from mapping.columns import (
    NO_MOMENT,
    BoolArray,
    CodeArray,
    FloatArray,
    IntArray,
    segment_sum,
    segment_tally,
)
from mapping.crosswalks import PercentCrosswalk
from mapping.progressions.graph import Hierarchy
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.strands import RollupMethod
from mapping.scales import display, reaches
from mapping.status import NO_LEVEL, OverrideState, StandingTable, Status, is_mastered, label_in
from mapping.wording import ENGLISH, Translator

_TIMES = " \N{MULTIPLICATION SIGN} "
_NEVER = int(np.iinfo(np.int64).max)


def strand_standings(
    parts: StandingTable,
    is_child: BoolArray,
    offsets: IntArray,
    *,
    rule: MasteryRule,
    hierarchy: Hierarchy,
    codes: Mapping[int, str],
) -> StandingTable:
    """Make parents up of their parts.

    Args:
        parts: Standings of children and of the evidence aligned to the parents themselves, each
            segment those of one learner and parent; estimates in points of the rule's scale.
        is_child: Length parts; false for evidence aligned to the parent itself.
        offsets: Length parents + 1, strictly ascending from 0 to parts.
        rule: The parents'.
        hierarchy: Knows the children that have no row, which count as not mastered where the
            roll-up asks for every child.
        codes: The codes of competencies, by which the roll-up names children.

    Returns:
        A row for each segment, in the order of the segments. ``mastered_at`` is when the last of
        its mastered parts was mastered, ``NO_MOMENT`` while the parent is not; ``review_at`` the
        earliest of its parts'. ``override`` is none, and ``rule`` that of the first part: who
        calls knows the index of the parents' rule.

    Source: contracts/mastery-methods.md 2.2, rows "Children rules" and "Parent roll-up".
    """
    family = _Family(parts, is_child, offsets, rule=rule, hierarchy=hierarchy, codes=codes)
    method = _METHODS[rule.rollup.method]
    estimate = method.estimate(family)
    level = rule.scale.levels_of(estimate)
    is_met = method.is_met(family, estimate) & _has_mandatory(family)
    status = _statuses(family, is_met, level)
    return replace(
        parts.rows(offsets[:-1]),
        competency=family.parent,
        status=status,
        level=level,
        estimate=estimate,
        evidence_count=segment_tally(parts.evidence_count, offsets),
        mastered_count=segment_tally(family.is_mastered & is_child, offsets),
        mastered_at=np.where(status == Status.MASTERED, _last_mastery(family), NO_MOMENT),
        review_at=_earliest(parts.review_at, offsets),
        override=np.full(offsets.size - 1, OverrideState.NONE, dtype=np.int8),
    )


def carried(
    estimate: FloatArray, rule_index: IntArray, rules: Sequence[MasteryRule], *, to: MasteryRule
) -> FloatArray:
    """Carry estimates to the scale of another rule, cut to cut.

    Args:
        estimate: In points of the scale of each row's rule; NaN stays NaN.
        rule_index: Which of ``rules`` each row has, of the same length.
        rules: Any rules.
        to: The rule whose scale is wanted.

    Returns:
        Estimates in points of that scale, of the same length; unchanged where the scales measure
        alike.

    Source: contracts/mastery-methods.md 2.2, "Canvas percent scaling".
    """
    result = estimate.copy()
    for index in np.unique(rule_index).tolist():
        if not _measures_alike(rules[index], to):
            rows = rule_index == index
            result[rows] = joined(rules[index], to).forward(estimate[rows])
    return result


def joined(source: MasteryRule, target: MasteryRule) -> PercentCrosswalk:
    """Join the scales of two rules where mastery begins.

    The cuts below mastery are joined too where both rules have equally many, and likewise those
    above it.

    Args:
        source: The rule whose estimates are carried.
        target: The rule they are carried to.

    Returns:
        The crosswalk between the rules' scales.
    """
    below, above = (_paired(source, target, is_above=is_above) for is_above in (False, True))
    mastery = (source.mastered / source.scale.top, target.mastered / target.scale.top)
    return PercentCrosswalk(
        source=source.scale, target=target.scale, anchors=(*below, mastery, *above)
    )


def worked_rollup(
    parts: StandingTable,
    is_child: BoolArray,
    *,
    rule: MasteryRule,
    hierarchy: Hierarchy,
    codes: Mapping[int, str],
    words: Translator = ENGLISH,
) -> str:
    """Write the roll-up of one parent out with its numbers.

    Args:
        parts: The parts of one learner and parent, at least one; estimates in points of the
            rule's scale.
        is_child: Length parts; false for evidence aligned to the parent itself.
        rule: The parent's.
        hierarchy: As for ``strand_standings``.
        codes: As for ``strand_standings``.
        words: The language.

    Returns:
        Such as "(3.50 + 2.00) / 2 = 2.75"; empty where there is no estimate.
    """
    offsets = np.array([0, len(parts)])
    family = _Family(parts, is_child, offsets, rule=rule, hierarchy=hierarchy, codes=codes)
    method = _METHODS[rule.rollup.method]
    estimate = float(method.estimate(family)[0])
    return "" if np.isnan(estimate) else words.figures(method.worked(family, estimate, words))


def _measures_alike(one: MasteryRule, other: MasteryRule) -> bool:
    return np.array_equal(one.scale.cuts, other.scale.cuts) and one.scale.top == other.scale.top


def _paired(
    source: MasteryRule, target: MasteryRule, *, is_above: bool
) -> tuple[tuple[float, float], ...]:
    before, after = (_cuts(rule, is_above=is_above) for rule in (source, target))
    return tuple(zip(before, after, strict=True)) if len(before) == len(after) else ()


def _cuts(rule: MasteryRule, *, is_above: bool) -> list[float]:
    """The cuts above mastery, or those between nothing and mastery, as fractions."""
    mastery = rule.mastered / rule.scale.top
    cuts = [level.cut for level in rule.scale.levels if level.cut > 0.0]
    return [cut for cut in cuts if (cut > mastery if is_above else cut < mastery)]


class _Family:
    """Parts in segments, with what the methods ask of them.

    ``parent`` and ``lacking``, the number of children without any evidence, are of length
    segments; the other columns of length parts.
    """

    def __init__(
        self,
        parts: StandingTable,
        is_child: BoolArray,
        offsets: IntArray,
        *,
        rule: MasteryRule,
        hierarchy: Hierarchy,
        codes: Mapping[int, str],
    ) -> None:
        self.parts, self.is_child, self.offsets = parts, is_child, offsets
        self.rule, self.hierarchy, self.codes = rule, hierarchy, codes
        above = np.where(is_child, hierarchy.parent_of(parts.competency), parts.competency)
        self.parent: IntArray = above[offsets[:-1]]
        self.is_mastered: BoolArray = is_mastered(parts.status)
        self.is_evidenced: BoolArray = parts.status >= Status.EMERGING
        self.has_evidence: BoolArray = self.is_evidenced | (parts.evidence_count > 0)
        self.speaks: BoolArray = self.is_evidenced & ~np.isnan(parts.estimate)

    def children_short(self, is_enough: BoolArray) -> IntArray:
        """How many children of each parent are not among these parts, length segments."""
        enough = segment_tally(self.is_child & is_enough, self.offsets)
        return self.hierarchy.child_count(self.parent) - enough

    def weights(self) -> FloatArray:
        """The weight of each part, 1 where the roll-up does not name it."""
        rollup = self.rule.rollup
        ids, at = np.unique(self.parts.competency, return_inverse=True)
        named = [rollup.weights.get(self.codes.get(i, ""), 1.0) for i in ids.tolist()]
        return np.array(named, dtype=np.float64)[at]

    def mean(self, weights: FloatArray) -> FloatArray:
        """The weighted mean of the parts that speak, NaN where none with a weight does."""
        heard = np.where(self.speaks, weights, 0.0)
        values = np.where(heard > 0.0, self.parts.estimate, 0.0)
        sums, totals = (segment_sum(column, self.offsets) for column in (values * heard, heard))
        means = np.full(totals.size, np.nan)
        np.divide(sums, totals, out=means, where=totals > 0.0)
        return means

    def heard(self) -> FloatArray:
        """The estimates of the parts that speak."""
        return self.parts.estimate[self.speaks]


def _statuses(family: _Family, is_met: BoolArray, level: CodeArray) -> CodeArray:
    offsets = family.offsets
    is_evidenced = segment_tally(family.is_evidenced, offsets) > 0
    working = np.minimum(level, len(family.rule.working_cuts) - 1)
    has_evidence = segment_tally(family.has_evidence, offsets) > 0
    cases: Sequence[tuple[BoolArray, Status]] = (
        (~has_evidence, Status.NO_EVIDENCE),
        (~is_evidenced, Status.INSUFFICIENT),
        (is_met, Status.MASTERED),
        (level == NO_LEVEL, Status.INSUFFICIENT),
        (working > 0, Status.DEVELOPING),
    )
    conditions, statuses = zip(*cases, strict=True)
    chosen: CodeArray = np.select(conditions, statuses, Status.EMERGING).astype(np.int8)
    return chosen


def _has_mandatory(family: _Family) -> BoolArray:
    hierarchy, mandatory = family.hierarchy, family.rule.rollup.mandatory
    ids = np.array([i for i, code in family.codes.items() if code in mandatory], dtype=np.int64)
    is_named = np.isin(family.parts.competency, ids) & family.is_child
    mastered = segment_tally(is_named & family.is_mastered, family.offsets)
    needed = hierarchy.child_count(family.parent, of=np.isin(hierarchy.competency, ids))
    return np.equal(mastered, needed)


def _last_mastery(family: _Family) -> IntArray:
    """When the last of the mastered parts was; those without evidence that counts ask nothing."""
    moments = np.where(family.is_mastered, family.parts.mastered_at, NO_MOMENT)
    return np.maximum.reduceat(moments, family.offsets[:-1]) if moments.size else moments


def _earliest(moments: IntArray, offsets: IntArray) -> IntArray:
    if moments.size == 0:
        return moments
    known = np.where(moments == NO_MOMENT, _NEVER, moments)
    earliest = np.minimum.reduceat(known, offsets[:-1])
    return np.where(earliest == _NEVER, NO_MOMENT, earliest)


def _mean(family: _Family) -> FloatArray:
    return family.mean(np.ones(len(family.parts)))


def _weighted(family: _Family) -> FloatArray:
    return family.mean(family.weights())


def _lowest(family: _Family) -> FloatArray:
    if len(family.parts) == 0:
        return np.zeros(0)
    heard = np.where(family.speaks, family.parts.estimate, np.inf)
    lowest = np.minimum.reduceat(heard, family.offsets[:-1])
    is_known = np.isfinite(lowest) & (family.children_short(family.speaks) == 0)
    return np.where(is_known, lowest, np.nan)


def _mode(family: _Family) -> FloatArray:
    scale, segments = family.rule.scale, family.offsets.size - 1
    width = len(scale.levels)
    segment = np.repeat(np.arange(segments), np.diff(family.offsets))[family.speaks]
    cell = segment * width + scale.levels_of(family.heard())
    counts = np.bincount(cell, minlength=segments * width).reshape(segments, width)
    # Of equal counts argmax takes the first: the highest level, when read from above.
    level = width - 1 - counts[:, ::-1].argmax(axis=1)
    points = np.array([scale.points_of(index) for index in range(width)])
    return np.where(counts.sum(axis=1) > 0, points[level], np.nan)


def _none_short(family: _Family, _estimate: FloatArray) -> BoolArray:
    short = segment_tally(family.has_evidence & ~family.is_mastered, family.offsets)
    mastered = segment_tally(family.is_mastered, family.offsets)
    return np.asarray((mastered > 0) & (short == 0))


def _all_mastered(family: _Family, estimate: FloatArray) -> BoolArray:
    absent = family.children_short(family.is_mastered)
    return _none_short(family, estimate) & np.equal(absent, 0)


def _reaches(family: _Family, estimate: FloatArray) -> BoolArray:
    return reaches(estimate, family.rule.mastered)


def _points(family: _Family) -> FloatArray:
    """What the mastered children are worth together, length segments."""
    worth = np.where(family.is_child & family.is_mastered, family.weights(), 0.0)
    return segment_sum(worth, family.offsets)


def _has_points(family: _Family, _estimate: FloatArray) -> BoolArray:
    return reaches(_points(family), family.rule.rollup.required_points)


def _worked_mean(family: _Family, estimate: float, words: Translator) -> str:
    heard = [display(value) for value in family.heard().tolist()]
    if len(heard) == 1:
        return words.say("the only one with enough evidence: {result}", result=display(estimate))
    return f"({' + '.join(heard)}) / {len(heard)} = {display(estimate)}"


def _worked_weighted(family: _Family, estimate: float, words: Translator) -> str:
    weights = family.weights()[family.speaks]
    if np.all(weights == 1.0):
        return _worked_mean(family, estimate, words)
    pairs = zip(family.heard().tolist(), weights.tolist(), strict=True)
    terms = " + ".join(f"{display(value)}{_TIMES}{weight:g}" for value, weight in pairs)
    total = " + ".join(f"{weight:g}" for weight in weights.tolist())
    return f"({terms}) / ({total}) = {display(estimate)}"


def _worked_lowest(family: _Family, estimate: float, words: Translator) -> str:
    heard = ", ".join(display(value) for value in family.heard().tolist())
    return words.say("the lowest of {values} = {result}", values=heard, result=display(estimate))


def _worked_mode(family: _Family, estimate: float, words: Translator) -> str:
    scale = family.rule.scale
    counts = np.bincount(scale.levels_of(family.heard()), minlength=len(scale.levels)).tolist()
    told = ", ".join(
        f"{label_in(words, level.label)}{_TIMES}{count}"
        for level, count in zip(scale.levels, counts, strict=True)
        if count
    )
    return words.say(
        "most common level of {levels}: {level} = {result}",
        levels=told,
        level=label_in(words, scale.level_of(estimate).label),
        result=display(estimate),
    )


def _worked_points(family: _Family, estimate: float, words: Translator) -> str:
    worth = family.weights()[family.is_child & family.is_mastered].tolist()
    points = words.say(
        "{points} of {required} points",
        points=" + ".join(f"{one:g}" for one in worth) or "0",
        required=f"{family.rule.rollup.required_points:g}",
    )
    return f"{points}; {_worked_mean(family, estimate, words)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Method:
    estimate: Callable[[_Family], FloatArray]
    is_met: Callable[[_Family, FloatArray], BoolArray]
    worked: Callable[[_Family, float, Translator], str]


_METHODS: Mapping[RollupMethod, _Method] = MappingProxyType(
    {
        RollupMethod.ALL_WITH_EVIDENCE: _Method(
            estimate=_mean, is_met=_none_short, worked=_worked_mean
        ),
        RollupMethod.ALL_CHILDREN: _Method(
            estimate=_mean, is_met=_all_mastered, worked=_worked_mean
        ),
        RollupMethod.MEAN: _Method(estimate=_mean, is_met=_reaches, worked=_worked_mean),
        RollupMethod.WEIGHTED: _Method(
            estimate=_weighted, is_met=_reaches, worked=_worked_weighted
        ),
        RollupMethod.LOWEST: _Method(estimate=_lowest, is_met=_reaches, worked=_worked_lowest),
        RollupMethod.MODE: _Method(estimate=_mode, is_met=_reaches, worked=_worked_mode),
        RollupMethod.POINTS: _Method(estimate=_mean, is_met=_has_points, worked=_worked_points),
    }
)
