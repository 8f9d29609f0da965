"""Every method as a plain loop over one list of scores, written apart from the real ones."""

from collections import Counter
from math import exp, fsum, log


def weighted_average(scores, weights, **_):
    return fsum(s * w for s, w in zip(scores, weights, strict=True)) / fsum(weights)


def mean(scores, *_, **__):
    return fsum(scores) / len(scores)


def weighted_median(scores, weights, **_):
    half = fsum(weights) / 2
    reached = 0.0
    for score, weight in sorted(zip(scores, weights, strict=True)):
        reached += weight
        if reached >= half - 1e-9:
            return score
    raise AssertionError


def median(scores, *_, **__):
    ordered = sorted(scores)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def level_of(score, scale):
    index = 0
    for place, level in enumerate(scale.levels):
        if score >= level.cut * scale.top - 1e-9:
            index = place
    return index


def mode(scores, *_, scale, **__):
    tally = Counter(level_of(score, scale) for score in scores)
    winner = max(tally, key=lambda level: (tally[level], level))
    points = scale.levels[winner].points
    return points if level_of(points, scale) == winner else scale.levels[winner].cut * scale.top


def latest(scores, *_, **__):
    return scores[-1]


def highest(scores, *_, **__):
    return max(scores)


def recent_n(scores, *_, n, **__):
    return mean(scores[-n:])


def best_n(scores, *_, n, **__):
    return mean(sorted(scores, reverse=True)[:n])


def high_last(scores, *_, **__):
    return (max(scores) + scores[-1]) / 2


def decaying_average(scores, *_, w, **__):
    average = scores[0]
    for score in scores[1:]:
        average = (1 - w) * average + w * score
    return average


def weighted_recent(scores, *_, w, **__):
    if len(scores) == 1:
        return scores[0]
    return w * scores[-1] + (1 - w) * mean(scores[:-1])


def n_mastery(scores, *_, n, mastered, **__):
    kept = [score for score in scores if score >= mastered - 1e-9]
    return mean(kept) if len(kept) >= n else None


def _fit(xs, ys):
    """Intercept and slope by the normal equations."""
    if len(xs) == 1:
        return ys[0], 0.0
    count, sx, sy = len(xs), fsum(xs), fsum(ys)
    sxx = fsum(x * x for x in xs)
    sxy = fsum(x * y for x, y in zip(xs, ys, strict=True))
    slope = (count * sxy - sx * sy) / (count * sxx - sx * sx)
    return (sy - slope * sx) / count, slope


def _line(scores):
    start, slope = _fit(range(1, len(scores) + 1), scores)
    return [start + slope * place for place in range(1, len(scores) + 1)]


def _power(scores):
    places = range(1, len(scores) + 1)
    start, slope = _fit([log(place) for place in places], [log(score) for score in scores])
    return [exp(start) * place**slope for place in places]


def linear_trend(scores, *_, scale, **__):
    return min(max(_line(scores)[-1], 0.0), scale.top)


def power_law(scores, *_, scale, **__):
    if min(scores) <= 0:
        return mean(scores)
    return min(max(_power(scores)[-1], 0.0), scale.top)


def best_fit(scores, *_, scale, **__):
    curves = [[mean(scores)] * len(scores), _line(scores)]
    if min(scores) > 0:
        curves.append(_power(scores))
    best, least = None, None
    for curve in curves:
        miss = fsum(abs(one - score) for one, score in zip(curve, scores, strict=True))
        if least is None or miss < least - 1e-9:
            best, least = curve[-1], miss
    return min(max(best, 0.0), scale.top)


def evidence_weighted(scores, weights, *, days, half_life_days, **_):
    dated = [day for day in days if day is not None]
    ages = [0.0 if not dated else max(dated) - (min(dated) if day is None else day) for day in days]
    aged = [
        weight * 0.5 ** (age / half_life_days) for weight, age in zip(weights, ages, strict=True)
    ]
    return weighted_average(scores, aged)
