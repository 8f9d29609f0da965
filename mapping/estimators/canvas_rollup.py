"""What Canvas itself would show: its outcome results, rollups and class figures.

A district sees Canvas's number beside ours. The averages are our own methods, called as Canvas
calls them; what differs is which values go in, how they are scaled, and that Canvas rounds to two
decimals. Canvas's results are one for each alignment, the newest attempt only. Results of an
alignment with a mastery of its own are scaled by ``mapping.crosswalks.scaled_percent`` first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from mapping.columns import (
    BoolArray,
    FloatArray,
    IntArray,
    TableRefused,
    segment_sum,
    typed,
)
from mapping.estimators import METHODS
from mapping.samples import Sample
from mapping.scales import EPSILON

DEFAULT_INT = 65
"""What Canvas takes where a method needs a number and has none."""

_TYPES: Mapping[str, DTypeLike] = MappingProxyType(
    {
        "score": np.float64,
        "percent": np.float64,
        "possible": np.float64,
        "association": np.int64,
        "is_quiz": np.bool_,
        "seconds": np.int64,
    }
)
_POOLED = ("decaying_average", "weighted_average", "standard_decaying_average", "latest", "average")
_PLAIN = MappingProxyType({"highest": "highest", "latest": "latest", "average": "mean"})
_SHARES = ("decaying_average", "weighted_average", "standard_decaying_average")


class CanvasMethodRefused(ValueError):  # noqa: N818 - named for what happened
    """No calculation method that Canvas has, or a number it does not take with it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CanvasResults:
    """Outcome results in columns, one segment for each learner and outcome; make one with ``of``.

    ``score`` is in points, NaN for none (Canvas leaves those out); ``percent`` a fraction 0 to 1
    of ``possible``, NaN for none; ``association`` is the id of the assignment or quiz and
    ``is_quiz`` whether it is a classic quiz; ``seconds`` since 1970 of the submission, else of
    the assessment.
    """

    score: FloatArray
    percent: FloatArray
    possible: FloatArray
    association: IntArray
    is_quiz: BoolArray
    seconds: IntArray
    offsets: IntArray

    @classmethod
    def of(cls, columns: Mapping[str, ArrayLike], offsets: ArrayLike) -> Self:
        """Make a table of sequences by column name; rows of a segment are put in order of time.

        Results of the same second, which Canvas leaves to chance, stay in their order.

        Raises:
            TableRefused: A column is missing, unknown, or not of its type or length; the offsets
                do not run from 0 to the number of rows.
        """
        table = typed(columns, _TYPES)
        bounds = np.asarray(offsets, dtype=np.int64)
        size = table["score"].size
        if bounds[0] != 0 or bounds[-1] != size or np.any(np.diff(bounds) < 0):
            raise TableRefused("The offsets do not run from 0 to the number of rows")
        segment = np.repeat(np.arange(bounds.size - 1), np.diff(bounds))
        order = np.lexsort((table["seconds"], segment))
        is_scored = ~np.isnan(table["score"][order])
        before = np.concatenate(([0], np.cumsum(is_scored)))
        kept = order[is_scored]
        return cls(**{name: column[kept] for name, column in table.items()}, offsets=before[bounds])


@dataclass(frozen=True, slots=True, kw_only=True)
class CanvasOutcome:
    """An outcome, or the mastery scale that holds in its place.

    Attributes:
        points_possible: Its highest rating.
        mastery_points: Where mastery begins.
        method: As Canvas stores it; empty means "highest".
        number: What goes with the method, in percent or times; None for Canvas's default.
        has_new_decaying: Whether the account's feature "outcomes_new_decaying_average_calculation"
            is on.

    Raises:
        CanvasMethodRefused: The method is unknown, or the number outside what Canvas takes.

    Source: contracts/canvas.md 3.3.
    """

    points_possible: float
    mastery_points: float
    method: str = "highest"
    number: int | None = None
    has_new_decaying: bool = True

    def __post_init__(self) -> None:
        limits = _limits(self.method or "highest")
        if limits is None and self.number is not None:
            raise CanvasMethodRefused(f"The method {self.method} takes no number.")
        if self.method == "n_mastery" and self.number is None:
            raise CanvasMethodRefused("The method n_mastery needs a number.")
        if limits and self.number is not None and not limits[0] <= self.number <= limits[1]:
            raise CanvasMethodRefused(
                f"The number of {self.method} must be {limits[0]} to {limits[1]}."
            )

    def values(self, results: CanvasResults) -> FloatArray:
        """What each result is worth, in the outcome's points.

        Classic quizzes on the same assignment are pooled for every method but "highest" and
        "n_mastery".

        Source: contracts/canvas.md 3.3.
        """
        full = self.points_possible or self.mastery_points
        plain = np.where(np.isnan(results.percent), results.score, results.percent * full)
        if self.method not in _POOLED:
            return plain
        is_pooled = results.is_quiz & ~np.isnan(results.percent) & (results.possible > 0.0)
        return np.where(is_pooled, _pooled(results, is_pooled) * self.points_possible, plain)

    def rollup(self, results: CanvasResults) -> FloatArray:
        """One number for each learner and outcome, as Canvas's gradebook shows it.

        Returns:
            Length segments, two decimals, NaN where Canvas shows "unassessed".

        Source: contracts/canvas.md 3.3.
        """
        values = self.values(results)
        sample = Sample(
            values=values,
            weights=np.ones(values.size),
            occurred_at=results.seconds * 1_000_000,
            offsets=results.offsets,
            mastered=self.mastery_points,
        )
        name, parameters = self._ours()
        return two_decimals(METHODS[name].estimate(sample, **parameters))

    def _ours(self) -> tuple[str, dict[str, float]]:
        """Our method and parameters for what Canvas stores."""
        method = self.method or "highest"
        if method in _PLAIN:
            return _PLAIN[method], {}
        number = DEFAULT_INT if self.number is None else self.number
        if method == "n_mastery":
            return method, {"n": number}
        is_true = method == "standard_decaying_average" and self.has_new_decaying
        return ("decaying_average" if is_true else "weighted_recent"), {"w": number / 100.0}


def _limits(method: str) -> tuple[int, int] | None:
    if method in _PLAIN:
        return None
    if method in _SHARES:
        return (50, 99) if method == "standard_decaying_average" else (1, 99)
    if method == "n_mastery":
        return (1, 10)
    raise CanvasMethodRefused(f"Canvas has no method {method}.")


def _pooled(results: CanvasResults, is_pooled: BoolArray) -> FloatArray:
    """The fraction earned in all results of a segment on the same association."""
    segment = np.repeat(np.arange(results.offsets.size - 1), np.diff(results.offsets))
    order = np.lexsort((results.association, segment))
    order = order[is_pooled[order]]
    if order.size == 0:
        return np.full(segment.size, np.nan)
    keys = (segment[order], results.association[order])
    is_first = np.concatenate(
        ([True], (keys[0][1:] != keys[0][:-1]) | (keys[1][1:] != keys[1][:-1]))
    )
    offsets = np.append(np.flatnonzero(is_first), order.size)
    possible = results.possible[order]
    earned = segment_sum(possible * results.percent[order], offsets)
    fractions = np.full(segment.size, np.nan)
    fractions[order] = np.repeat(earned / segment_sum(possible, offsets), np.diff(offsets))
    return fractions


def class_mean(rollups: FloatArray) -> float:
    """The mean of the learners that have a number, two decimals; NaN without any.

    Source: contracts/canvas.md 3.3.
    """
    present = rollups[~np.isnan(rollups)]
    return float(two_decimals(present.mean()[np.newaxis])[0]) if present.size else float("nan")


def class_median(rollups: FloatArray) -> float:
    """The median of the learners that have a number, which Canvas does not round.

    Source: contracts/canvas.md 3.3.
    """
    present = rollups[~np.isnan(rollups)]
    return float(np.median(present)) if present.size else float("nan")


def rating_of(score: float, points: Sequence[float]) -> int | None:
    """Which rating a rounded score has.

    Args:
        score: A rollup; NaN for none.
        points: The ratings' points, the highest first.

    Returns:
        The index of the first rating that the score reaches; None below all of them.

    Source: contracts/canvas.md 3.3.
    """
    return next((index for index, least in enumerate(points) if least <= score), None)


def two_decimals(values: FloatArray) -> FloatArray:
    """Round as Canvas does, halves away from zero; NaN stays NaN.

    Source: contracts/canvas.md 3.3.
    """
    return _half_away(values, places=2)


def _half_away(values: FloatArray, *, places: int) -> FloatArray:
    step = 10.0**places
    # The noise of binary fractions must not keep a half from being one: 2.675 is a half.
    return np.asarray(
        np.sign(values) * np.floor(np.abs(values) * step + (0.5 + EPSILON * step)) / step
    )
