"""Calculation methods: evidence in segments -> one estimate a segment.

Every method is columnar: ``(values, weights, offsets) -> estimates``, with values in scale
points, oldest first inside a segment. The same function serves one learner's trace and a
district's millions. A method joins by one entry in ``METHODS``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from mapping.columns import FloatArray, IntArray
from mapping.scales import display, is_number

_TIMES = " \N{MULTIPLICATION SIGN} "


class Estimator(Protocol):
    """A method with its parameters settled."""

    def __call__(self, values: FloatArray, weights: FloatArray, offsets: IntArray) -> FloatArray:
        """One estimate a segment, NaN where the method gives none."""
        ...


def evidence_count(offsets: IntArray) -> IntArray:
    """Rows in each segment; offsets of length segments + 1."""
    return np.diff(offsets)


def segment_sum(values: FloatArray, offsets: IntArray) -> FloatArray:
    """Add up each segment.

    Args:
        values: Length rows.
        offsets: Length segments + 1, from 0 to rows, never falling.

    Returns:
        Length segments; 0 for an empty segment.
    """
    starts = offsets[:-1]
    is_filled = starts < offsets[1:]
    sums = np.zeros(starts.size, dtype=np.float64)
    # reduceat would give an empty segment the next one's first value: leave those out.
    sums[is_filled] = np.add.reduceat(values, starts[is_filled])
    return sums


def weighted_average(values: FloatArray, weights: FloatArray, offsets: IntArray) -> FloatArray:
    """The weighted mean of each segment.

    Args:
        values: Scale points, length rows.
        weights: 0 or more, length rows.
        offsets: Length segments + 1, from 0 to rows, never falling.

    Returns:
        Length segments, between the lowest and the highest value of the segment; NaN where a
        segment is empty or its weights add up to 0.

    Source: contracts/mastery-methods.md 2.2, rows "Mean" and "Weighted mean".
    """
    sums = segment_sum(values * weights, offsets)
    totals = segment_sum(weights, offsets)
    averages = np.full(totals.size, np.nan)
    np.divide(sums, totals, out=averages, where=totals > 0.0)
    return averages


def worked_average(values: FloatArray, weights: FloatArray) -> str:
    """Write the weighted mean of one segment out with its numbers.

    Args:
        values: Scale points, at least one.
        weights: Above 0, of the same length.

    Returns:
        "(3.00 + 2.00) / 2 = 2.50", or with the weights where they are not all 1.
    """
    average = weighted_average(values, weights, np.array([0, values.size]))[0]
    if np.all(weights == 1.0):
        return f"({_sum(values)}) / {values.size} = {display(average)}"
    terms = (
        f"{display(value)}{_TIMES}{weight:g}" for value, weight in zip(values, weights, strict=True)
    )
    total = " + ".join(f"{weight:g}" for weight in weights)
    return f"({' + '.join(terms)}) / ({total}) = {display(average)}"


def _sum(values: FloatArray) -> str:
    return " + ".join(display(value) for value in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A number that a method can be tuned with, from ``lowest`` to ``highest``."""

    name: str
    default: float
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A calculation method.

    ``label`` names it in the middle of a sentence. ``estimate`` takes values, weights and
    offsets, ``worked`` values and weights of one segment; both take the parameters by name.
    """

    name: str
    label: str
    estimate: Callable[..., FloatArray]
    worked: Callable[..., str]
    parameters: tuple[Parameter, ...] = ()

    def problems(self, given: Mapping[str, Any]) -> tuple[str, ...]:
        """What is wrong with parameters given for this method, a sentence each."""
        known = {parameter.name: parameter for parameter in self.parameters}
        unknown = sorted(given.keys() - known.keys())
        return (
            *(f"The method {self.name} has no parameter {name}." for name in unknown),
            *(
                f"The parameter {name} must be {known[name].lowest:g} to {known[name].highest:g}."
                for name in known
                if name in given and not _is_within(given[name], known[name])
            ),
        )

    def settled(self, given: Mapping[str, float]) -> dict[str, float]:
        """All parameters, those not given at their defaults."""
        defaults = {parameter.name: parameter.default for parameter in self.parameters}
        return {**defaults, **given}

    def estimator(self, given: Mapping[str, float]) -> Estimator:
        """The method with its parameters settled."""
        return partial(self.estimate, **self.settled(given))


def _is_within(value: object, parameter: Parameter) -> bool:
    return (
        isinstance(value, int | float)
        and is_number(value)
        and parameter.lowest <= value <= parameter.highest
    )


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "weighted_average": Method(
            name="weighted_average",
            label="weighted average",
            estimate=weighted_average,
            worked=worked_average,
        ),
    }
)
"""Every method by the name that a rule calls it."""
