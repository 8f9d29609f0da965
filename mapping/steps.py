"""How a score becomes evidence where it is not taken as it is: by steps, in percent.

A mapping rule may say from how many percent on a score is worth the second level of the rating
scale, the third and so on; or that it is passed or failed, whatever the levels.
"""

import re
from itertools import pairwise

import numpy as np

from mapping.columns import FloatArray, IntArray
from mapping.scales import EPSILON, MOST_LEVELS, RatingScale

Steps = tuple[int, ...]
"""Whole percents, from 1 to 100, at which the second, third ... level begins; none: as it is."""

MOST_STEPS = MOST_LEVELS - 1
_PASSED = "pass"
_ITS_BITS = 7
_ALL_BITS = 127
_NUMBER = re.compile(r"[0-9]{1,3}%?")
_HIGHEST = 100


class StepsRefused(ValueError):  # noqa: N818 - named for what happened
    """A text says no steps; the message says what to write."""


def passed_from(percent: int) -> Steps:
    """The steps of pass and fail: every level above the lowest begins at once."""
    return (percent,) * MOST_STEPS


def steps_of(text: str) -> Steps:
    """Read steps as people write them.

    Args:
        text: ``pass 60``; or ``50 70 90`` for the second, third and fourth level; with or
            without percent signs; empty for none.

    Raises:
        StepsRefused: It is neither.
    """
    first, *others = text.casefold().split() or [""]
    if not first:
        return ()
    words = others if first == _PASSED else [first, *others]
    numbers = tuple(int(one.rstrip("%")) for one in words if _NUMBER.fullmatch(one))
    if len(numbers) != len(words) or not all(0 < one <= _HIGHEST for one in numbers):
        raise StepsRefused("Write whole percents from 1 to 100, for example pass 60 or 50 70 90.")
    if first == _PASSED:
        if len(numbers) != 1:
            raise StepsRefused("Say from how many percent on it is passed, for example pass 60.")
        return passed_from(numbers[0])
    if len(numbers) > MOST_STEPS or any(a >= b for a, b in pairwise(numbers)):
        raise StepsRefused(
            f"Each level begins at a higher percent than the one before it; at most {MOST_STEPS}."
        )
    return numbers


def is_pass(steps: Steps) -> bool:
    """Whether steps say pass or fail."""
    return len(steps) == MOST_STEPS and len(set(steps)) == 1


def steps_text(steps: Steps) -> str:
    """Steps as ``steps_of`` reads them."""
    return f"{_PASSED} {steps[0]}" if is_pass(steps) else " ".join(map(str, steps))


def steps_words(steps: Steps) -> str:
    """Steps in a sentence's part; empty for none."""
    if is_pass(steps):
        return f"passed from {steps[0]}% on"
    return ", ".join(f"level {at} from {one}%" for at, one in enumerate(steps, 2))


def packed(steps: Steps) -> int:
    """Steps as a whole number that a database and an array keep; 0 for none."""
    return sum(one << (_ITS_BITS * at) for at, one in enumerate(steps))


def unpacked(code: int) -> Steps:
    """Steps of the number that ``packed`` made of them."""
    found = []
    while code:
        found.append(code & _ALL_BITS)
        code >>= _ITS_BITS
    return tuple(found)


def stepped(fractions: FloatArray, codes: IntArray, scale: RatingScale) -> FloatArray:
    """What shares of what was possible are worth, each by the steps of its own.

    Args:
        fractions: Shares, clamped to 0 to 1; NaN stays NaN.
        codes: For each the number that ``packed`` made of its steps, 0 to take it as it is.
        scale: What the values are measured on; steps beyond its last level mean nothing.

    Returns:
        Scale points, 0 to the scale's top.
    """
    values = scale.to_scale(fractions)
    worth = np.array([scale.points_of(level) for level in range(len(scale.levels))])
    for code in np.unique(codes[codes != 0]).tolist():
        own = codes == code
        cuts = np.array(unpacked(code)) / 100.0
        level = np.searchsorted(cuts - EPSILON, fractions[own], side="right")
        found = worth[np.minimum(level, worth.size - 1)]
        values[own] = np.where(np.isnan(fractions[own]), np.nan, found)
    return values
