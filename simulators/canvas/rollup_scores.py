"""How Canvas makes one number of a learner's results in an outcome.

Source: canvas.md 3.3.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

DEFAULT_WEIGHT = 65
DECAYING = ("decaying_average", "weighted_average", "standard_decaying_average")
METHODS = (*DECAYING, "n_mastery", "highest", "latest", "average")
RANGES = {
    "decaying_average": (1, 99),
    "weighted_average": (1, 99),
    "standard_decaying_average": (50, 99),
    "n_mastery": (1, 10),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An outcome; ``calculation_int`` None for a method that takes none, or its default."""

    id: int
    title: str
    points_possible: float
    mastery_points: float
    calculation_method: str
    calculation_int: int | None

    @property
    def number(self) -> int:
        """The method's number."""
        return DEFAULT_WEIGHT if self.calculation_int is None else self.calculation_int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one alignment says of a learner; ``when`` in seconds since 1970."""

    score: float
    percent: float | None
    when: int

    def value(self, outcome: Outcome) -> float:
        """The result on the outcome's own points."""
        if self.percent is None:
            return self.score
        return self.percent * (outcome.points_possible or outcome.mastery_points)


def hundredths(value: float) -> float:
    """Two decimals, halves away from zero."""
    return math.copysign(math.floor(abs(value) * 100 + 0.5) / 100, value)


def rollup_score(
    outcome: Outcome, results: Sequence[Result], *, has_new_decay: bool
) -> float | None:
    """A learner's number in an outcome, None where Canvas shows "unassessed".

    Args:
        outcome: The outcome.
        results: One for each alignment, in any order.
        has_new_decay: The feature ``outcomes_new_decaying_average_calculation``.
    """
    if not results:
        return None
    values = [one.value(outcome) for one in sorted(results, key=lambda one: one.when)]
    name = outcome.calculation_method
    if name == "standard_decaying_average" and not has_new_decay:
        name = "weighted_average"
    return _CALCULATIONS[name](values, outcome)


def _weighted(values: Sequence[float], outcome: Outcome) -> float:
    *before, last = values
    if not before:
        return hundredths(last)
    mean = sum(before) / len(before)
    return hundredths(last * 0.01 * outcome.number + mean * 0.01 * (100 - outcome.number))


def _decaying(values: Sequence[float], outcome: Outcome) -> float:
    total = values[0]
    for value in values[1:]:
        total = total * 0.01 * (100 - outcome.number) + value * 0.01 * outcome.number
    return hundredths(total)


def _n_mastery(values: Sequence[float], outcome: Outcome) -> float | None:
    wanted = outcome.calculation_int or 1
    enough = [value for value in values if value >= outcome.mastery_points]
    if len(values) < wanted or len(enough) < wanted:
        return None
    return hundredths(sum(enough) / len(enough))


_CALCULATIONS: Mapping[str, Callable[[Sequence[float], Outcome], float | None]] = {
    "decaying_average": _weighted,
    "weighted_average": _weighted,
    "standard_decaying_average": _decaying,
    "n_mastery": _n_mastery,
    "highest": lambda values, _: hundredths(max(values)),
    "latest": lambda values, _: hundredths(values[-1]),
    "average": lambda values, _: hundredths(sum(values) / len(values)),
}


def aggregated(scores: Sequence[float], stat: str) -> float | None:
    """The number of a class: the mean to two decimals, or the median as it is."""
    if not scores:
        return None
    if stat == "mean":
        return hundredths(sum(scores) / len(scores))
    ordered = sorted(scores)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2.0
