"""Mastery over time: when it was first reached, whether it holds, when to show it again.

What was known at an earlier moment is a beginning of the evidence in its order. So the first
beginning that meets the rule dates mastery, and everything after it either holds it or not.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from mapping.columns import NO_MOMENT, BoolArray, CodeArray, FloatArray, IntArray
from mapping.estimators import Estimator
from mapping.estimators.beginnings import Running
from mapping.estimators.blocks import Block, blocks
from mapping.judgement.criteria import ages, days_after, days_before
from mapping.rules.mastery_rule import MasteryRule
from mapping.samples import Sample
from mapping.scales import reaches
from mapping.status import Status

AT_A_TIME = 1_000_000
"""Rows that are laid out at once to judge beginnings of segments: some 30 MB."""


Bar: TypeAlias = Callable[[IntArray, IntArray, FloatArray], BoolArray]
"""Whether beginnings of segments meet a rule: of segments, lengths and estimates, one a case."""


def history(sample: Sample, rule: MasteryRule, bar: Bar) -> tuple[FloatArray, IntArray]:
    """Estimate segments, and find with how many pieces each first met the rule.

    Segments of one length go side by side, and grow by a piece at a time; what does not go so is
    for ``first_met``. Both find the same.

    Args:
        sample: The evidence.
        rule: The rule.
        bar: Asks all that the rule asks for; nothing is met below ``rule.mastered``.

    Returns:
        What the rule's estimator gives, and the number of pieces, 0 for one that never met it;
        both of length segments.

    Source: product/requirements.md R09 ("the date first mastered").
    """
    estimate = np.full(sample.count.size, np.nan)
    found = np.zeros(sample.count.size, dtype=np.int64)
    left = [found[:0]]
    for block in blocks(sample):
        running = rule.how().running(rule.parameters, block.length)
        if running is None:
            left.append(block.segment)
        else:
            estimate[block.segment], found[block.segment] = _grown(block, running, rule, bar=bar)
    segment = np.sort(np.concatenate(left))
    if segment.size:
        some = _beginnings(sample, segment, sample.count[segment])
        estimate[segment] = rule.estimator()(some)
        found[segment] = first_met(
            some,
            rule.estimator(),
            lambda at, length, reached: bar(segment[at], length, reached),
            fewest=rule.minimum_evidence,
        )
    return estimate, found


def _grown(
    block: Block, running: Running, rule: MasteryRule, *, bar: Bar
) -> tuple[FloatArray, IntArray]:
    found = np.zeros(block.segment.size, dtype=np.int64)
    since = min(rule.minimum_evidence, block.length)
    estimate = np.full(found.size, np.nan)
    for length, estimate in enumerate(running(block, since), since):
        is_high = reaches(estimate, rule.mastered)
        is_high &= found == 0
        if rule.criteria is not None:
            high = np.flatnonzero(is_high)
            lengths = np.full(high.size, length, dtype=np.int64)
            is_high[high] = bar(block.segment[high], lengths, estimate[high])
        found[is_high] = length
    return estimate, found if block.length >= rule.minimum_evidence else np.zeros_like(found)


def first_met(
    sample: Sample, estimator: Estimator, bar: Bar, *, fewest: int, at_a_time: int = AT_A_TIME
) -> IntArray:
    """With how many pieces each segment first met a rule.

    Beginnings are judged a block of lengths at a time, twice as many in each block, and a
    segment that has met the rule is left out of those that follow. Where nothing the method
    could say would meet the rule, it is not asked.

    Args:
        sample: The evidence.
        estimator: The method.
        bar: The rule; a better estimate never makes it unmet.
        fewest: The length of the shortest beginning that may meet it, 1 or more.
        at_a_time: Rows laid out at once, 1 or more; one beginning is never divided.

    Returns:
        Length segments; 0 for one that never met it.

    Source: product/requirements.md R09 ("the date first mastered").
    """
    found = np.zeros(sample.count.size, dtype=np.int64)
    shortest = fewest
    while True:
        waiting = np.flatnonzero((found == 0) & (sample.count >= shortest))
        if waiting.size == 0:
            return found
        ends = np.minimum(sample.count[waiting], 2 * shortest - 1)
        segment, length = _cases(waiting, shortest, ends)
        is_open = bar(segment, length, np.full(segment.size, np.inf))
        segment, length = segment[is_open], length[is_open]
        for part in _parts(length, at_a_time):
            chosen = part[found[segment[part]] == 0]
            estimate = estimator(_beginnings(sample, segment[chosen], length[chosen]))
            met = chosen[bar(segment[chosen], length[chosen], estimate)]
            # Cases ascend by segment and length: written backwards, the shortest stays.
            found[segment[met[::-1]]] = length[met[::-1]]
        shortest *= 2


def _cases(segments: IntArray, shortest: int, ends: IntArray) -> tuple[IntArray, IntArray]:
    """Each segment with every length from the shortest to its end."""
    times = ends - shortest + 1
    before = np.cumsum(times) - times
    segment = np.repeat(segments, times)
    return segment, np.arange(segment.size) - np.repeat(before, times) + shortest


def _parts(length: IntArray, at_a_time: int) -> Iterator[IntArray]:
    """Runs of cases with so many rows together, or of a single case with more."""
    ends = np.cumsum(length)
    start = 0
    while start < length.size:
        laid = ends[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(ends, laid + at_a_time, side="right")))
        yield np.arange(start, end)
        start = end


def _beginnings(sample: Sample, segment: IntArray, length: IntArray) -> Sample:
    """The first rows of segments, each a segment of its own."""
    offsets = np.concatenate(([0], np.cumsum(length)))
    row = np.arange(offsets[-1]) + np.repeat(sample.offsets[segment] - offsets[:-1], length)
    return replace(
        sample,
        values=sample.values[row],
        weights=sample.weights[row],
        occurred_at=sample.occurred_at[row],
        offsets=offsets,
    )


def is_recheck_due(newest: IntArray, recheck_days: int | None, at: int | None) -> BoolArray:
    """Whether the newest piece is so old that mastery is to be shown again.

    Args:
        newest: When it occurred, in microseconds; one without a date grows no older.
        recheck_days: After how many days; None for never.
        at: The moment; None for outside time.
    """
    if recheck_days is None or at is None:
        return np.zeros(newest.shape, dtype=np.bool_)
    return np.not_equal(newest, NO_MOMENT) & (newest <= days_before(at, recheck_days))


def retained(status: CodeArray, *, was_met: BoolArray, only_aged: BoolArray) -> CodeArray:
    """What becomes of a status in the light of former mastery.

    Mastery that only time took away is a re-check, an invitation and never a silent demotion;
    mastery that newer evidence does not hold is not sustained.

    Args:
        status: By the evidence as it is.
        was_met: Whether the rule was met by an earlier beginning of the evidence.
        only_aged: Whether the rule was met when the newest piece came, and is met no longer or
            is to be shown again.

    Returns:
        The statuses, of the same length.

    Source: product/requirements.md R09.
    """
    is_lost = was_met & (status != Status.MASTERED)
    chosen: CodeArray = np.select(
        (only_aged, is_lost), (Status.RECHECK_DUE, Status.NOT_SUSTAINED), status
    ).astype(np.int8)
    return chosen


def earliest(*moments: IntArray) -> IntArray:
    """The earliest of several columns of moments, row by row; ``NO_MOMENT`` where none has one."""
    chosen = moments[0]
    for other in moments[1:]:
        both = np.minimum(chosen, other)
        chosen = np.where(chosen == NO_MOMENT, other, np.where(other == NO_MOMENT, chosen, both))
    return chosen


def still_to_come(moments: IntArray, at: int | None) -> IntArray:
    """The moments later than the present one, ``NO_MOMENT`` in place of the others."""
    if at is None:
        return np.full(moments.shape, NO_MOMENT, dtype=np.int64)
    return np.where(moments > at, moments, NO_MOMENT)


def retains(rule: MasteryRule) -> bool:
    """Whether a rule looks at how long ago mastery was shown."""
    return rule.recheck_days is not None or bool(ages(rule.criteria))


def next_review(
    newest: IntArray, was_met: BoolArray, rule: MasteryRule, *, at: int | None
) -> IntArray:
    """When the newest piece will be too old for something that the rule asks for.

    Args:
        newest: When it occurred.
        was_met: Whether the rule was met then; if not, time changes nothing.
        rule: The rule.
        at: The present moment; None for outside time.

    Returns:
        The next such moment, ``NO_MOMENT`` for none. A "newest within" clause is still met at
        the very end of its last day; a re-check is due as soon as its days are over.
    """
    expiries = [_just_after(days_after(newest, days)) for days in ages(rule.criteria)]
    if rule.recheck_days is not None:
        expiries.append(days_after(newest, rule.recheck_days))
    if at is None or not expiries:
        return np.full(newest.shape, NO_MOMENT, dtype=np.int64)
    following = earliest(*(still_to_come(moments, at) for moments in expiries))
    return np.where(was_met, following, NO_MOMENT)


def _just_after(moments: IntArray) -> IntArray:
    return np.where(moments == NO_MOMENT, NO_MOMENT, moments + 1)
