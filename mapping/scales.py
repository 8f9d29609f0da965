"""Rating scales: ordered levels with points, and how points are compared and shown.

Points are compared unrounded and shown rounded. Every comparison with a cut goes through
``reaches`` and every number for a person through ``display``, so that the two never disagree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mapping.columns import BoolArray, FloatArray

EPSILON = 1e-9
"""How far below a cut, in scale points, an estimate may lie and still reach it.

Wide enough for the noise of adding binary fractions (the mean of 2.9, 3.0 and 3.1 comes out
a few 1e-16 short of 3), and a million times finer than any score a gradebook can hold.
"""

FEWEST_LEVELS = 2
MOST_LEVELS = 10

# Room for every digit of the largest float and the decimals behind it.
_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)
_NOISE = Decimal(repr(EPSILON))


class ScaleRefused(ValueError):  # noqa: N818 - named for what happened, as the connectors' errors
    """A rating scale that cannot be used.

    Attributes:
        problems: Everything that is wrong with it, a sentence each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level: ``cut`` is where it begins, as a fraction (0 to 1) of the scale's maximum."""

    label: str
    points: float
    symbol: str
    cut: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingScale:
    """Two to ten levels, lowest first; the scale runs from 0 to the points of the last one.

    Raises:
        ScaleRefused: Labels or symbols are empty or used twice, points or cuts do not rise, the
            first cut is not 0 or a cut is above 1.
    """

    levels: tuple[Level, ...]

    def __post_init__(self) -> None:
        problems = (*_count_problems(self.levels), *_order_problems(self.levels))
        if problems:
            raise ScaleRefused(problems)

    @property
    def top(self) -> float:
        """The maximum, in scale points."""
        return self.levels[-1].points

    def to_scale(self, fractions: ArrayLike) -> FloatArray:
        """Turn fractions of what was possible into scale points.

        Args:
            fractions: Any shape; outside 0 to 1 they are clamped, NaN stays NaN.

        Returns:
            Scale points of the same shape, 0 to ``top``.
        """
        return np.clip(np.asarray(fractions, dtype=np.float64), 0.0, 1.0) * self.top

    def level_of(self, points: float) -> Level:
        """The highest level whose cut the points reach; the first one below every cut."""
        reached = [level for level in self.levels if reaches(points, level.cut * self.top)]
        return reached[-1] if reached else self.levels[0]

    def definition(self) -> dict[str, Any]:
        """The scale as JSON-able values; ``parse_scale`` reads it back."""
        return {"levels": [asdict(level) for level in self.levels]}


def _count_problems(levels: Sequence[Level]) -> tuple[str, ...]:
    problems = []
    if not FEWEST_LEVELS <= len(levels) <= MOST_LEVELS:
        problems.append(f"A scale has {FEWEST_LEVELS} to {MOST_LEVELS} levels.")
    for name in ("label", "symbol"):
        words = [getattr(level, name).strip() for level in levels]
        if "" in words or len(set(words)) < len(words):
            problems.append(f"Every level needs a {name} of its own.")
    return tuple(problems)


def _order_problems(levels: Sequence[Level]) -> tuple[str, ...]:
    problems = []
    points = [level.points for level in levels]
    if not _is_rising(points) or points[:1] < [0.0]:
        problems.append("The points of the levels must be 0 or more and rise.")
    cuts = [level.cut for level in levels]
    if not _is_rising(cuts) or cuts[:1] != [0.0] or cuts[-1] > 1.0:
        problems.append("The cuts of the levels must rise from 0 and be at most 1.")
    return tuple(problems)


def _is_rising(numbers: Sequence[float]) -> bool:
    are_finite = all(isfinite(number) for number in numbers)
    return are_finite and all(low < high for low, high in pairwise(numbers))


def parse_scale(definition: Mapping[str, Any]) -> RatingScale:
    """Read a scale from JSON-able values.

    Args:
        definition: ``{"levels": [{"label", "points", "symbol", "cut"}, ...]}``, lowest first.

    Returns:
        The scale.

    Raises:
        ScaleRefused: It is not of this form, or no usable scale; all problems at once.
    """
    levels = definition.get("levels")
    if definition.keys() != {"levels"} or not isinstance(levels, Sequence):
        raise ScaleRefused(("A scale is an object with a list of levels.",))
    problems = [
        f"Level {number} needs label and symbol as text, points and cut as numbers."
        for number, level in enumerate(levels, 1)
        if not _is_level(level)
    ]
    if problems:
        raise ScaleRefused(problems)
    return RatingScale(levels=tuple(_level(level) for level in levels))


def _is_level(level: object) -> bool:
    return (
        isinstance(level, Mapping)
        and level.keys() == {"label", "points", "symbol", "cut"}
        and all(isinstance(level[name], str) for name in ("label", "symbol"))
        and all(is_number(level[name]) for name in ("points", "cut"))
    )


def _level(level: Mapping[str, Any]) -> Level:
    return Level(
        label=level["label"],
        points=float(level["points"]),
        symbol=level["symbol"],
        cut=float(level["cut"]),
    )


def is_number(value: object) -> bool:
    """Whether a JSON value is a finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return isfinite(value)
    except OverflowError:
        return False


DEFAULT_SCALE = RatingScale(
    levels=(
        Level(label="Emerging", points=1.0, symbol="◔", cut=0.0),
        Level(label="Developing", points=2.0, symbol="◑", cut=0.5),
        Level(label="Proficient", points=3.0, symbol="◕", cut=0.75),
        Level(label="Exemplary", points=4.0, symbol="●", cut=0.875),
    )
)
"""Four levels on 0 to 4 points; the best one begins half way between 3 and 4."""


def reaches(points: ArrayLike, cut: float) -> BoolArray:
    """Whether unrounded points reach a cut, within ``EPSILON``.

    Args:
        points: Scale points, any shape; NaN reaches nothing.
        cut: Scale points.

    Returns:
        Truth of the same shape.

    Source: contracts/mastery-methods.md 2.4, row "Rounding".
    """
    return np.asarray(np.asarray(points, dtype=np.float64) >= cut - EPSILON)


def rounded(value: float, places: int = 2) -> Decimal:
    """Round half away from zero, as a person reading the decimal digits would.

    Noise finer than ``EPSILON`` goes first, so that 2.675 is a half also when adding binary
    fractions made 2.6749999999999998 of it.

    Args:
        value: A finite number.
        places: Decimals to keep, 0 to 9.

    Returns:
        The rounded number; never a negative zero.

    Raises:
        ValueError: The value is not finite.

    Source: contracts/mastery-methods.md 2.4, row "Rounding".
    """
    if not isfinite(value):
        raise ValueError(f"{value} cannot be rounded")
    # float() first: NumPy's own floats write their type into their repr.
    quiet = Decimal(repr(float(value))).quantize(_NOISE, context=_EXACT)
    return quiet.quantize(Decimal(1).scaleb(-places), context=_EXACT) + Decimal(0)


def display(value: float, places: int = 2) -> str:
    """A number for a person, rounded half away from zero: 2.675 is shown as "2.68".

    Args:
        value: A finite number.
        places: Decimals shown, 0 to 9.

    Returns:
        The digits, with exactly that many decimals.

    Raises:
        ValueError: The value is not finite.
    """  # noqa: DOC502 - raised by rounded()
    return format(rounded(value, places), "f")


def display_apart(value: float, other: float) -> str:
    """Show a number so that its digits differ from another one's shown alike.

    2.998 beside a cut of 3 is "2.998", not "3.00": a person must not read that 3.00 is less
    than 3.00.

    Args:
        value: A finite number.
        other: What it is compared with.

    Returns:
        Two to nine decimals, as few as tell the two apart.
    """
    for places in range(2, 9):
        if rounded(value, places) != rounded(other, places):
            return display(value, places)
    return display(value, 9)


def display_exact(value: float) -> str:
    """A number that somebody typed, with two decimals or as many as they typed."""
    places = next(places for places in range(2, 10) if _is_exact(value, places))
    return display(value, places)


def _is_exact(value: float, places: int) -> bool:
    return rounded(value, places) == rounded(value, 9)
