"""Rating scales: ordered levels with points, and how points are compared and shown.

Points are compared unrounded and shown rounded. Every comparison with a cut goes through
``reaches`` and every number for a person through ``display``, so that the two never disagree.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import pairwise
from math import isfinite
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mapping.columns import BoolArray, CodeArray, FloatArray
from mapping.wording import Figure, marked

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
    """One level.

    Attributes:
        label: What it is called.
        points: What a rubric gives for it, in scale points.
        symbol: A few characters that tell it from the others without colour.
        cut: Where it begins, as a fraction (0 to 1) of the scale's maximum.
        description: What a learner at this level can do, in the words of the district.
        colour: As ``#rrggbb``, or empty.
    """

    label: str
    points: float
    symbol: str
    cut: float
    description: str = ""
    colour: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingScale:
    """Two to ten levels, lowest first; the scale runs from 0 to the points of the last one.

    A scale that is used never changes: another version takes its place, and old results keep
    theirs. Name and version are for people; scales of equal ``levels`` measure alike.

    Raises:
        ScaleRefused: Labels or symbols are empty or used twice, points or cuts do not rise, the
            first cut is not 0 or a cut is above 1, a colour is no colour; all problems at once.

    Source: product/requirements.md R23.
    """

    levels: tuple[Level, ...]
    name: str = ""
    version: int = 1

    def __post_init__(self) -> None:
        problems = (
            *_count_problems(self),
            *_word_problems(self.levels),
            *_points_problems(self.levels),
            *_cut_problems(self.levels),
        )
        if problems:
            raise ScaleRefused(problems)

    @property
    def top(self) -> float:
        """The maximum, in scale points."""
        return self.levels[-1].points

    @property
    def cuts(self) -> FloatArray:
        """Where the levels begin, in scale points."""
        return np.array([level.cut for level in self.levels]) * self.top

    def to_scale(self, fractions: ArrayLike) -> FloatArray:
        """Turn fractions of what was possible into scale points.

        Args:
            fractions: Any shape; outside 0 to 1 they are clamped, NaN stays NaN.

        Returns:
            Scale points of the same shape, 0 to ``top``.
        """
        return np.clip(np.asarray(fractions, dtype=np.float64), 0.0, 1.0) * self.top

    def levels_of(self, points: ArrayLike) -> CodeArray:
        """The highest level whose cut each number of points reaches.

        Args:
            points: Scale points, any shape; below every cut counts as the lowest level.

        Returns:
            Indexes of ``levels``, of the same shape; -1 where the points are NaN.
        """
        given = np.asarray(points, dtype=np.float64)
        reached = np.searchsorted(self.cuts - EPSILON, given, side="right") - 1
        return np.where(np.isnan(given), -1, reached.clip(min=0)).astype(np.int8)

    def level_of(self, points: float) -> Level:
        """The highest level whose cut the points reach; the first one below every cut."""
        return self.levels[max(int(self.levels_of(points)), 0)]

    def points_of(self, level: int) -> float:
        """What a result of a level is worth, in scale points.

        Args:
            level: An index of ``levels``.

        Returns:
            The level's own points where they belong to it, else where it begins.
        """
        own = self.levels[level].points
        return own if int(self.levels_of(own)) == level else float(self.cuts[level])

    def definition(self) -> dict[str, Any]:
        """The scale as JSON-able values; ``parse_scale`` reads it back.

        What is at its default is left out, so that a scale of old keeps its old definition.
        """
        named = {"name": self.name, "version": self.version}
        return {
            **{key: value for key, value in named.items() if value != _SCALE_DEFAULTS[key]},
            "levels": [_level_definition(level) for level in self.levels],
        }


_SCALE_DEFAULTS: Mapping[str, Any] = MappingProxyType({"name": "", "version": 1})
_NEEDED = ("label", "points", "symbol", "cut")
_NUMERIC = ("points", "cut")
_FURTHER = ("description", "colour")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def _level_definition(level: Level) -> dict[str, Any]:
    return {
        key: value for key, value in asdict(level).items() if key not in _FURTHER or value != ""
    }


def _count_problems(scale: RatingScale) -> tuple[str, ...]:
    problems = []
    if not FEWEST_LEVELS <= len(scale.levels) <= MOST_LEVELS:
        problems.append(
            f"A scale has {FEWEST_LEVELS} to {MOST_LEVELS} levels, not {len(scale.levels)}."
        )
    if scale.version < 1:
        problems.append(f"The version of a scale must be 1 or more, not {scale.version}.")
    return tuple(problems)


def _word_problems(levels: Sequence[Level]) -> Iterator[str]:
    for word in ("label", "symbol"):
        seen: dict[str, int] = {}
        for number, level in enumerate(levels, 1):
            text = getattr(level, word).strip()
            first = seen.setdefault(text, number)
            if not text:
                yield f"Level {number} needs a {word}."
            elif first < number:
                yield f"Level {number} has the {word} of level {first}; each needs its own."
    for number, level in enumerate(levels, 1):
        if level.colour and not _COLOUR.fullmatch(level.colour):
            yield f"The colour of level {number} must be #rrggbb or empty, not {level.colour!r}."


def _points_problems(levels: Sequence[Level]) -> Iterator[str]:
    points = [level.points for level in levels]
    yield from _rise_problems("points", points)
    if points and points[0] < 0.0:
        yield f"The points of level 1 must be 0 or more, not {points[0]:g}."


def _cut_problems(levels: Sequence[Level]) -> Iterator[str]:
    cuts = [level.cut for level in levels]
    yield from _rise_problems("cut", cuts)
    if cuts and isfinite(cuts[0]) and cuts[0] != 0.0:
        yield f"The cut of level 1 must be 0, not {cuts[0]:g}."
    for number, cut in enumerate(cuts, 1):
        if isfinite(cut) and cut > 1.0:
            yield f"The cut of level {number} must be at most 1, not {cut:g}."


def _rise_problems(what: str, numbers: Sequence[float]) -> Iterator[str]:
    """Closer together than ``EPSILON`` are equal: no number could tell such levels apart."""
    for number, value in enumerate(numbers, 1):
        if not isfinite(value):
            yield f"The {what} of level {number} must be a finite number, not {value}."
    for number, (low, high) in enumerate(pairwise(numbers), 2):
        if isfinite(low) and isfinite(high) and high - low <= EPSILON:
            yield (
                f"The {what} of level {number} must be above level {number - 1}'s: "
                f"{high:g} is not above {low:g}."
            )


def parse_scale(definition: Mapping[str, Any]) -> RatingScale:
    """Read a scale from JSON-able values.

    Args:
        definition: ``{"levels": [{"label", "points", "symbol", "cut"}, ...]}``, lowest first.
            A level may also have "description" and "colour", the scale "name" and "version".

    Returns:
        The scale.

    Raises:
        ScaleRefused: It is not of this form, or no usable scale; all problems at once.
    """
    levels = definition.get("levels")
    if not isinstance(levels, Sequence) or isinstance(levels, str | bytes):
        raise ScaleRefused(("A scale is an object with a list of levels.",))
    problems = [
        *_form_problems(definition),
        *(
            line
            for number, level in enumerate(levels, 1)
            for line in _level_problems(number, level)
        ),
    ]
    if problems:
        raise ScaleRefused(problems)
    named = {key: definition[key] for key in _SCALE_DEFAULTS if key in definition}
    return RatingScale(levels=tuple(_level(level) for level in levels), **named)


def _form_problems(definition: Mapping[str, Any]) -> Iterator[str]:
    unknown = definition.keys() - {"levels", *_SCALE_DEFAULTS}
    yield from (f"A scale has no {key}." for key in sorted(map(str, unknown)))
    if not isinstance(definition.get("name", ""), str):
        yield "The name of a scale must be text."
    version = definition.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool):
        yield "The version of a scale must be a whole number."


def _level_problems(number: int, level: object) -> Iterator[str]:
    if not isinstance(level, Mapping):
        yield f"Level {number} must be an object with {', '.join(_NEEDED)}."
        return
    unknown = level.keys() - {*_NEEDED, *_FURTHER}
    yield from (f"Level {number} has no {key}." for key in sorted(map(str, unknown)))
    yield from (f"Level {number} needs {key}." for key in _NEEDED if key not in level)
    for key in (*_NEEDED, *_FURTHER):
        is_numeric = key in _NUMERIC
        if key not in level:
            continue
        if is_numeric and not is_number(level[key]):
            yield f"The {key} of level {number} must be a finite number, not {level[key]!r}."
        elif not is_numeric and not isinstance(level[key], str):
            yield f"The {key} of level {number} must be text, not {level[key]!r}."


def _level(level: Mapping[str, Any]) -> Level:
    numbers = {key: float(level[key]) for key in _NUMERIC}
    return Level(**{**level, **numbers})


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
        Level(label=marked("Emerging"), points=1.0, symbol="◔", cut=0.0),
        Level(label=marked("Developing"), points=2.0, symbol="◑", cut=0.5),
        Level(label=marked("Proficient"), points=3.0, symbol="◕", cut=0.75),
        Level(label=marked("Exemplary"), points=4.0, symbol="●", cut=0.875),
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


def display(value: float, places: int = 2) -> Figure:
    """A number for a person, rounded half away from zero: 2.675 is shown as "2.68".

    Args:
        value: A finite number.
        places: Decimals shown, 0 to 9.

    Returns:
        The digits, with exactly that many decimals.

    Raises:
        ValueError: The value is not finite.
    """  # noqa: DOC502 - raised by rounded()
    return Figure(format(rounded(value, places), "f"))


def display_apart(value: float, other: float) -> Figure:
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


def display_exact(value: float) -> Figure:
    """A number that somebody typed, with two decimals or as many as they typed."""
    places = next(places for places in range(2, 10) if _is_exact(value, places))
    return display(value, places)


def _is_exact(value: float, places: int) -> bool:
    return rounded(value, places) == rounded(value, 9)
