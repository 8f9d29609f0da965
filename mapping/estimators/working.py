"""Methods written out with their numbers, for somebody with pencil and paper.

Each function takes a sample of one segment that has an estimate, the method's parameters by name
and the language. What it returns ends with the estimate; every "... = ..." in it can be checked by
hand.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from mapping.columns import FloatArray
from mapping.estimators import averages, middles, sums, trends
from mapping.estimators.blocks import Block, blocks, lane_order, line_of
from mapping.samples import Sample
from mapping.scales import display, reaches, rounded
from mapping.status import label_in
from mapping.wording import ENGLISH, Translator, marked

MOST_TERMS = 12
"""With more scores a sum is given without its terms: nobody adds up two hundred by hand."""

_LAST_STEPS = 5
_LONG = 1e9
_NOTHING = 1e-7
_TIMES = " \N{MULTIPLICATION SIGN} "
_POWER = " ^ "


def figure(value: float, most: int = 4) -> str:
    """A number to go on with: two decimals where these are exact, else up to ``most``."""
    exact = rounded(value, 9)
    places = (places for places in range(2, most) if rounded(value, places) == exact)
    return display(value, next(places, most))


def _only(sample: Sample) -> Block:
    return next(iter(blocks(sample)))


def _plus(terms: Iterable[str]) -> str:
    return " + ".join(terms).replace("+ -", "- ")


def _listed(values: FloatArray) -> str:
    return ", ".join(figure(value) for value in values.tolist())


def _mean(values: FloatArray, average: float, words: Translator) -> str:
    """A plain mean; the average is handed in, as the method computed it."""
    if values.size > MOST_TERMS:
        total = figure(float(average) * values.size)
        return words.say(
            "{count} scores add up to {total}: {division}",
            count=values.size,
            total=total,
            division=f"{total} / {values.size} = {display(average)}",
        )
    if values.size == 1:
        return words.say("The only score: {score}", score=display(average))
    terms = _plus(figure(value) for value in values.tolist())
    return f"({terms}) / {values.size} = {display(average)}"


def _weighted_mean(
    values: FloatArray, weights: FloatArray, average: float, *, words: Translator
) -> str:
    if values.size > MOST_TERMS:
        total = float(weights.sum())
        added = figure(average * total, 6)
        return words.say(
            "{count} scores times their weights add up to {added}, the weights to {total}: "
            "{division}",
            count=values.size,
            added=added,
            total=f"{total:.10g}",
            division=f"{added} / {total:.10g} = {display(average)}",
        )
    shares = _weights(weights)
    terms = (
        f"{figure(value)}{_TIMES}{share}"
        for value, share in zip(values.tolist(), shares, strict=True)
    )
    return f"({_plus(terms)}) / ({' + '.join(shares)}) = {display(average)}"


def _weights(weights: FloatArray) -> list[str]:
    """Six digits of each weight; 0 for one that no hand could tell beside the greatest."""
    seen = np.where(weights < weights.max() * _NOTHING, 0.0, weights)
    return [
        np.format_float_positional(weight, precision=6, fractional=False, trim="-")
        for weight in seen.tolist()
    ]


def weighted_average(sample: Sample, *, words: Translator = ENGLISH) -> str:
    """Write the weighted mean of one segment out with its numbers.

    Args:
        sample: One segment, not empty.
        words: The language.

    Returns:
        "(3.00 + 2.00) / 2 = 2.50", or with the weights where they are not all 1.
    """
    average = float(sums.weighted_average(sample)[0])
    if sample.values.size == 1 or np.all(sample.weights == 1.0):
        return _mean(sample.values, average, words)
    return _weighted_mean(sample.values, sample.weights, average, words=words)


def mean(sample: Sample, *, words: Translator = ENGLISH) -> str:
    """The sum by the number."""
    return _mean(sample.values, float(sums.mean(sample)[0]), words)


def evidence_weighted(sample: Sample, *, half_life_days: float, words: Translator = ENGLISH) -> str:
    """The weighted mean with the weights that age left, and the ages."""
    average = float(sums.evidence_weighted(sample, half_life_days=half_life_days)[0])
    weights = sums.aged_weights(sample, half_life_days=half_life_days)
    ages = [f"{age:.4g}" for age in sums.ages(sample).tolist()]
    shown = (
        f" ({words.say('{ages} days', ages=', '.join(ages))})" if len(ages) <= MOST_TERMS else ""
    )
    worked = _weighted_mean(sample.values, weights, average, words=words)
    if half_life_days == 1:
        return words.say(
            "A weight halves with every day before the newest piece{ages}: {mean}",
            ages=shown,
            mean=worked,
        )
    return words.say(
        "A weight halves with every {days} days before the newest piece{ages}: {mean}",
        days=f"{half_life_days:g}",
        ages=shown,
        mean=worked,
    )


def latest(sample: Sample, *, words: Translator = ENGLISH) -> str:
    """The newest value."""
    return words.say("The latest score: {score}", score=display(sample.values[-1]))


def highest(sample: Sample, *, words: Translator = ENGLISH) -> str:
    """The highest value and what it is the highest of."""
    values = sample.values
    few = values.size <= MOST_TERMS
    among = _listed(values) if few else words.say("{count} scores", count=values.size)
    return words.say("The highest of {scores}: {score}", scores=among, score=display(values.max()))


def recent_n(sample: Sample, *, n: float, words: Translator = ENGLISH) -> str:
    """The mean of the newest values."""
    return _mean(sample.values[-int(n) :], float(averages.recent_n(_only(sample), n=n)[0]), words)


def best_n(sample: Sample, *, n: float, words: Translator = ENGLISH) -> str:
    """The mean of the highest values, the highest first."""
    ranked = np.sort(sample.values)[::-1][: int(n)]
    return _mean(ranked, float(averages.best_n(_only(sample), n=n)[0]), words)


def high_last(sample: Sample, *, words: Translator = ENGLISH) -> str:
    """The highest and the newest value, and half way between them."""
    highest_and_last = np.array([sample.values.max(), sample.values[-1]])
    return _mean(highest_and_last, float(averages.high_last(_only(sample))[0]), words)


def weighted_recent(sample: Sample, *, w: float, words: Translator = ENGLISH) -> str:
    """The mean before the newest value, and the two weighed."""
    values = sample.values
    if values.size == 1:
        return _single(sample, words)
    before = values[:-1]
    average = float(before.mean())
    estimate = float(averages.weighted_recent(_only(sample), w=w)[0])
    return words.say(
        "Before the latest: {mean} = {average}; {weighed}",
        mean=_mean(before, average, words).rpartition(" = ")[0],
        average=figure(average),
        weighed=f"{w:g}{_TIMES}{figure(values[-1])} + {1.0 - w:g}{_TIMES}{figure(average)}"
        f" = {display(estimate)}",
    )


def decaying_average(sample: Sample, *, w: float, words: Translator = ENGLISH) -> str:
    """Step by step; of a long run the last steps."""
    values = sample.values
    if values.size == 1:
        return _single(sample, words)
    first = max(0, values.size - 1 - _LAST_STEPS)
    average = _decayed(values[: first + 1], w)
    start = words.say("It starts at {average}", average=figure(average))
    lines = [
        words.say("{start}, from the first {count} scores", start=start, count=first + 1)
        if first
        else start
    ]
    for value in values[first + 1 :].tolist():
        step = f"{1.0 - w:g}{_TIMES}{figure(average)} + {w:g}{_TIMES}{figure(value)}"
        average = (1.0 - w) * average + w * value
        lines.append(f"{step} = {figure(average)}")
    lines[-1] = f"{step} = {display(average)}"
    return "; ".join(lines)


def _decayed(values: FloatArray, w: float) -> float:
    block = _only(_sample_of(values))
    return float(averages.decaying_average(block, w=w)[0])


def _sample_of(values: FloatArray) -> Sample:
    return Sample(
        values=values,
        weights=np.ones(values.size),
        occurred_at=np.zeros(values.size, dtype=np.int64),
        offsets=np.array([0, values.size]),
    )


def _single(sample: Sample, words: Translator) -> str:
    return words.say("The only score: {score}", score=display(sample.values[0]))


def n_mastery(sample: Sample, *, n: float, words: Translator = ENGLISH) -> str:
    """How many values are at mastery, and their mean."""
    values = sample.values
    is_mastered = reaches(values, sample.mastered)
    average = float(sums.n_mastery(sample, n=n)[0])
    return words.say(
        "{mastered} of {count} scores are {points} or more, at least {needed} are asked for: "
        "{mean}",
        mastered=int(is_mastered.sum()),
        count=values.size,
        points=figure(sample.mastered),
        needed=f"{n:g}",
        mean=_mean(values[is_mastered], average, words),
    )


def median(sample: Sample, *, words: Translator = ENGLISH) -> str:
    """The values in order, and the middle one or two."""
    ranked, size = np.sort(sample.values), sample.values.size
    middle = float(middles.median(_only(sample))[0])
    few = size <= MOST_TERMS
    among = _listed(ranked) if few else words.say("{count} scores in order", count=size)
    if size % 2:
        return words.say("The middle one of {scores}: {score}", scores=among, score=display(middle))
    low, high = figure(ranked[size // 2 - 1]), figure(ranked[size // 2])
    return words.say(
        "The middle two of {scores}: {division}",
        scores=among,
        division=f"({low} + {high}) / 2 = {display(middle)}",
    )


def weighted_median(sample: Sample, *, words: Translator = ENGLISH) -> str:
    """Half of the weight, and where it is reached from the lowest value on."""
    block = _only(sample)
    middle = float(middles.weighted_median(block)[0])
    order = lane_order(block.values)[:, 0]
    ranked, weights = sample.values[order], sample.weights[order]
    total = float(weights.sum())
    text = words.say(
        "Half of the weight: {division}", division=f"{total:.10g} / 2 = {total / 2.0:.10g}"
    )
    if ranked.size <= MOST_TERMS:
        reached = zip(ranked.tolist(), np.cumsum(weights).tolist(), strict=True)
        steps = ", ".join(
            words.say("{value} with {weight}", value=figure(value), weight=f"{weight:.10g}")
            for value, weight in reached
        )
        text = words.say(
            "{half}; from the lowest score on the weights add up to: {steps}",
            half=text,
            steps=steps,
        )
    return words.say("{half}; half is reached at {score}", half=text, score=display(middle))


def mode(sample: Sample, *, words: Translator = ENGLISH) -> str:
    """How many values each level has, and the most frequent one."""
    scale = sample.scale
    levels = middles.levels_of(sample.values, scale).tolist()
    tallies = Counter(levels)
    counted = ", ".join(
        f"{label_in(words, scale.levels[level].label)} {tallies[level]}"
        for level in sorted(tallies)
    )
    points = float(middles.mode(_only(sample))[0])
    most = max(tallies.values())
    winners = [level for level in sorted(tallies) if tallies[level] == most]
    told = {
        "levels": counted,
        "level": label_in(words, scale.levels[winners[-1]].label),
        "score": display(points),
    }
    if winners[1:]:
        return words.say(
            "Scores at each level: {levels}; the higher of the most frequent levels is {level}: "
            "{score}",
            **told,
        )
    return words.say(
        "Scores at each level: {levels}; the most frequent is {level}: {score}", **told
    )


def linear_trend(sample: Sample, *, words: Translator = ENGLISH) -> str:
    """The slope, the mean, and the line at the newest value."""
    if sample.values.size == 1:
        return _single(sample, words)
    block = _only(sample)
    size = block.length
    slope = float(block.slope[0])
    average = float(block.means[0])
    ahead = (size - 1) / 2.0
    # The slope is multiplied with half the length: it needs the more decimals.
    steep = figure(slope, 4 + len(str(size)))
    raw = average + ahead * slope
    estimate = float(trends.linear_trend(block)[0])
    return words.say(
        "{slope}; mean: {mean} = {average}; {line}",
        slope=_slope(block, steep, is_power=False, words=words),
        mean=_mean(sample.values, average, words).rpartition(" = ")[0],
        average=figure(average),
        line=f"{_plus((figure(average), steep))}{_TIMES}{ahead:g} = {_held(raw, estimate, words)}",
    )


def power_law(sample: Sample, *, words: Translator = ENGLISH) -> str:
    """The fitted curve and its value at the newest score, or the mean and why."""
    block = _only(sample)
    estimate = float(trends.power_law(block)[0])
    if not block.is_positive[0]:
        return words.say(
            "The power law is undefined for a score of 0, so the mean is taken: {mean}",
            mean=_mean(sample.values, estimate, words),
        )
    if block.length == 1:
        return _single(sample, words)
    slope = float(block.power_slope[0])
    start = float(block.mean_logarithm[0]) - slope * line_of(block.length, is_power=True).centre
    with np.errstate(over="ignore"):
        factor = float(np.exp(start))
        raw = float(np.exp(start + slope * np.log(block.length)))
    steep = figure(slope, 6)
    return words.say(
        "{slope}; the curve's factor is {factor}: {curve}",
        slope=_slope(block, steep, is_power=True, words=words),
        factor=f"{factor:.6g}",
        curve=f"{factor:.6g}{_TIMES}{block.length}{_POWER}{steep} = {_held(raw, estimate, words)}",
    )


def best_fit(sample: Sample, *, words: Translator = ENGLISH) -> str:
    """What each curve misses, and the curve that misses least."""
    if sample.values.size == 1:
        return _single(sample, words)
    block = _only(sample)
    average, line, power = (float(miss[0]) for miss in trends.misses(block))
    curve = int(trends.best_curve(block)[0])
    work = (mean, linear_trend, power_law)[curve](sample, words=words)
    shown = figure(power) if np.isfinite(power) else words.say("undefined for a score of 0")
    return words.say(
        _BEST[curve], average=figure(average), line=figure(line), power=shown, work=work
    )


_BEST = (
    marked(
        "All misses added up: average {average}, line {line}, power curve {power}; the average "
        "fits best. {work}"
    ),
    marked(
        "All misses added up: average {average}, line {line}, power curve {power}; the line "
        "fits best. {work}"
    ),
    marked(
        "All misses added up: average {average}, line {line}, power curve {power}; the power "
        "curve fits best. {work}"
    ),
)


def _slope(block: Block, steep: str, *, is_power: bool, words: Translator) -> str:
    """The slope in words, with the sums it comes from where they are few."""
    if block.length > MOST_TERMS:
        told = {"count": block.length, "slope": steep}
        if is_power:
            return words.say("Slope through the logarithms of {count} scores: {slope}", **told)
        return words.say("Slope through the numbers of {count} scores: {slope}", **told)
    line = line_of(block.length, is_power=is_power)
    apart = line.places - line.centre
    values = block.logarithms[:, 0] if is_power else block.values[:, 0]
    terms = _products(apart.tolist(), values.tolist(), most=6 if is_power else 4)
    square = figure(float(np.sum(apart * apart)), 6)
    division = f"({terms}) / {square} = {steep}"
    if is_power:
        return words.say("Slope through the logarithms: {division}", division=division)
    return words.say("Slope through the numbers: {division}", division=division)


def _products(factors: Sequence[float], values: Sequence[float], *, most: int) -> str:
    return _plus(
        f"{figure(factor, most)}{_TIMES}{figure(value, most)}"
        for factor, value in zip(factors, values, strict=True)
    )


def _held(raw: float, estimate: float, words: Translator) -> str:
    """A result, and where it left the scale what it is held to."""
    if display(estimate) == _displayed(raw):
        return display(estimate)
    return words.say(
        "{raw}; held to the end of the scale: {score}",
        raw=_displayed(raw),
        score=display(estimate),
    )


def _displayed(raw: float) -> str:
    return display(raw) if abs(raw) < _LONG else f"{raw:.3g}"
