"""Levels, the statuses they are, and scales beside one another, as plain arithmetic."""

from itertools import pairwise
from math import isnan, nan

from mapping.status import Status


def highest_working(rule) -> int:
    cuts = [level.cut * rule.scale.top for level in rule.scale.levels]
    return max(index for index, cut in enumerate(cuts) if cut < rule.mastered - 1e-9)


def reached(estimate, rule) -> int:
    cuts = [level.cut * rule.scale.top for level in rule.scale.levels]
    return max(index for index, cut in enumerate(cuts) if estimate >= cut - 1e-9)


def working(estimate, rule) -> Status:
    if isnan(estimate):
        return Status.INSUFFICIENT
    level = min(reached(estimate, rule), highest_working(rule))
    return Status.DEVELOPING if level else Status.EMERGING


def level_of(estimate, status, rule) -> int:
    if isnan(estimate):
        return -1
    level = reached(estimate, rule)
    if status in {Status.EMERGING, Status.DEVELOPING, Status.NOT_SUSTAINED}:
        return min(level, highest_working(rule))
    return level


def worth(status, rule) -> float:
    """The points of the lowest level of a status."""
    highest = highest_working(rule)
    if status is Status.MASTERED:
        return max(_points(reached(rule.mastered, rule), rule), rule.mastered)
    level = {Status.EMERGING: 0, Status.DEVELOPING: min(1, highest)}.get(status, highest)
    points = _points(level, rule)
    return rule.scale.levels[level].cut * rule.scale.top if points >= rule.mastered else points


def _points(level, rule) -> float:
    points = rule.scale.levels[level].points
    if reached(points, rule) == level:
        return points
    return rule.scale.levels[level].cut * rule.scale.top


def carried(estimate, source, target) -> float:
    """From one scale to another: nothing, cuts, mastery and everything, with lines between."""
    if isnan(estimate) or _measure(source) == _measure(target):
        return estimate
    posts = [(0.0, 0.0), *_posts(source, target), (1.0, 1.0)]
    share = estimate / source.scale.top
    if share >= 1.0:
        return target.scale.top
    for (low, low_to), (high, high_to) in pairwise(posts):
        if low <= share < high:
            return (low_to + (share - low) / (high - low) * (high_to - low_to)) * target.scale.top
    return nan


def _measure(rule):
    return rule.scale.top, [level.cut for level in rule.scale.levels]


def _posts(source, target):
    before, after = source.mastered / source.scale.top, target.mastered / target.scale.top
    posts = []
    for is_above in (False, True):
        cuts = [
            [
                level.cut
                for level in rule.scale.levels
                if level.cut and (level.cut > mastery if is_above else level.cut < mastery)
            ]
            for rule, mastery in ((source, before), (target, after))
        ]
        if len(cuts[0]) == len(cuts[1]):
            posts += zip(*cuts, strict=True)
        if not is_above:
            posts.append((before, after))
    return posts


def agrees(plain, said, rule) -> bool:
    """Whether the estimate may stand beside what was said."""
    if isnan(plain.estimate):
        return False
    if plain.status is said:
        return True
    if plain.estimate >= rule.mastered - 1e-9:
        return said is Status.MASTERED
    return said in {Status.NOT_SUSTAINED, working(plain.estimate, rule)}
