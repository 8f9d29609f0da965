"""Crosswalks: what a result on one scale is on another, and back again for a preview.

A level crosswalk says it level by level, for results that are levels. A percent crosswalk sends
cut to cut and draws straight lines between, for estimates. Neither changes what is kept: old
results keep their scale, and are carried only where they meet results of another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from mapping.columns import FloatArray
from mapping.scales import EPSILON, RatingScale, ScaleRefused, display_exact
from mapping.wording import ENGLISH, Translator


class CrosswalkRefused(ValueError):  # noqa: N818 - named for what happened, as the scales' errors
    """Two scales that cannot be joined in this way.

    Attributes:
        problems: Everything that is wrong, a sentence each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCrosswalk:
    """Each level of ``source`` becomes a level of ``target``.

    ``pairs`` holds for each source level the index of its target level, and never falls.

    Raises:
        CrosswalkRefused: A level has no target, a target is no level, or a higher level would
            become a lower one.

    Source: product/requirements.md R23.
    """

    source: RatingScale
    target: RatingScale
    pairs: tuple[int, ...]

    def __post_init__(self) -> None:
        problems = _pair_problems(self)
        if problems:
            raise CrosswalkRefused(problems)

    def forward(self, points: ArrayLike) -> FloatArray:
        """Carry results to the target, level by level.

        Args:
            points: In points of the source, any shape; NaN stays NaN.

        Returns:
            What the target level is worth, of the same shape.
        """
        worth = [self.target.points_of(level) for level in self.pairs]
        return _worth(worth, self.source, points)

    def back(self, points: ArrayLike) -> FloatArray:
        """Carry results of the target back, for a preview.

        Args:
            points: In points of the target, any shape; NaN stays NaN.

        Returns:
            What the source level is worth, of the same shape; NaN where not exactly one source
            level becomes the target level.
        """
        worth = [self._worth_back(level) for level in range(len(self.target.levels))]
        return _worth(worth, self.target, points)

    def _worth_back(self, target: int) -> float:
        is_single = self.pairs.count(target) == 1
        return self.source.points_of(self.pairs.index(target)) if is_single else np.nan

    def sentence(self, words: Translator = ENGLISH) -> str:
        """The crosswalk for a person: what becomes what, and what cannot come back."""
        told = "; ".join(
            words.say(
                "{source} becomes {target}",
                source=level.label,
                target=self.target.levels[target].label,
            )
            for level, target in zip(self.source.levels, self.pairs, strict=True)
        )
        return f"{told}. {_told_back(self, words)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentCrosswalk:
    """Fractions of one scale become those of another: cut to cut, straight lines between.

    ``anchors`` are pairs of fractions, source and target, that belong together, the lowest
    first. Nothing becomes nothing and everything becomes everything besides.

    Raises:
        CrosswalkRefused: An anchor is not above 0 and at most 1, or anchors do not rise.

    Source: contracts/mastery-methods.md 2.2, "Canvas percent scaling"; product/requirements.md
    R23.
    """

    source: RatingScale
    target: RatingScale
    anchors: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        problems = _anchor_problems(self.anchors)
        if problems:
            raise CrosswalkRefused(problems)

    @classmethod
    def of(
        cls, source: RatingScale, target: RatingScale, pairs: Mapping[int, int] | None = None
    ) -> Self:
        """Join two scales at the cuts of their levels.

        Args:
            source: The scale that results are on.
            target: The scale they are carried to.
            pairs: Index of a source level -> that of the target level that begins where it does;
                None for each with the one of the same index, in scales of equally many levels.

        Raises:
            CrosswalkRefused: A pair names no level, the cuts do not rise together, or there are
                no pairs and one scale has more levels than the other.
        """
        if pairs is None and len(source.levels) != len(target.levels):
            counts = f"{len(source.levels)} and {len(target.levels)}"
            raise CrosswalkRefused(
                (f"The scales have {counts} levels: say which level becomes which.",)
            )
        chosen = dict(enumerate(range(len(source.levels)))) if pairs is None else pairs
        problems = _index_problems(chosen, source, target)
        if problems:
            raise CrosswalkRefused(problems)
        cuts = ((source.levels[a].cut, target.levels[b].cut) for a, b in sorted(chosen.items()))
        return cls(source=source, target=target, anchors=tuple(c for c in cuts if c != (0.0, 0.0)))

    def forward(self, points: ArrayLike) -> FloatArray:
        """Carry results to the target.

        Args:
            points: In points of the source, any shape; NaN stays NaN, others are clamped.

        Returns:
            Points of the target, of the same shape, 0 to its top.
        """
        return _interpolated(points, (self.source, self.target), self.anchors)

    def back(self, points: ArrayLike) -> FloatArray:
        """Carry results of the target back, for a preview.

        Args:
            points: In points of the target, any shape; NaN stays NaN, others are clamped.

        Returns:
            Points of the source, of the same shape, 0 to its top.
        """
        return _interpolated(points, (self.target, self.source), _swapped(self.anchors))

    def sentence(self, words: Translator = ENGLISH) -> str:
        """The crosswalk for a person: what becomes what, and what cannot come back."""
        told = ", ".join(
            words.say(
                "{source} becomes {target}",
                source=display_exact(before * self.source.top),
                target=display_exact(after * self.target.top),
            )
            for before, after in ((0.0, 0.0), *self.anchors, (1.0, 1.0))
        )
        between = words.say("{pairs}; what lies between is carried along.", pairs=told)
        return f"{between} {_told_back(self, words)}"


Crosswalk: TypeAlias = LevelCrosswalk | PercentCrosswalk
"""A way from one scale to another."""


def levels_lost(crosswalk: Crosswalk) -> tuple[int, ...]:
    """The source levels that do not come back as themselves; none where it is reversible.

    Args:
        crosswalk: Either kind.

    Returns:
        Indexes of the source's levels, ascending.
    """
    levels = range(len(crosswalk.source.levels))
    points = [crosswalk.source.points_of(level) for level in levels]
    returned = crosswalk.source.levels_of(crosswalk.back(crosswalk.forward(points)))
    return tuple(np.flatnonzero(returned != np.array(levels)).tolist())


def scaled_percent(fractions: ArrayLike, *, alignment: float, outcome: float) -> FloatArray:
    """Scale results of an alignment whose mastery is not where its outcome's is, as Canvas does.

    Args:
        fractions: Of the points possible, any shape; NaN stays NaN, others are clamped to 0 to 1.
        alignment: Where mastery begins in the alignment, above 0 and at most 1.
        outcome: Where it begins in the outcome, above 0 and at most 1.

    Returns:
        Fractions of the outcome's points, of the same shape, to four decimals, halves up; just
        as given where both mastery fractions are equal.

    Raises:
        CrosswalkRefused: A mastery fraction is out of its range.

    Source: contracts/mastery-methods.md 2.2, "Canvas percent scaling"; contracts/canvas.md 3.2.
    """
    problems = _anchor_problems(((alignment, outcome),))
    if problems:
        raise CrosswalkRefused(problems)
    given = np.asarray(fractions, dtype=np.float64)
    if alignment == outcome:
        return given
    scaled = _bent(given, ((alignment, outcome),))
    # Noise finer than EPSILON goes first, as in scales.rounded().
    return np.floor(scaled * 1e4 + 0.5 + EPSILON) / 1e4


def recut(scale: RatingScale, cuts: Mapping[float, float]) -> RatingScale:
    """Move some cuts of a scale, and the others with them, by straight lines between.

    Args:
        scale: The scale.
        cuts: Where it was -> where it shall be, as fractions (0 to 1) of the scale's maximum.
            0 and 1 stay where they are.

    Returns:
        The scale with its other cuts in the same order.

    Raises:
        ScaleRefused: A cut is not above 0 and at most 1, or cuts would not rise any more.
    """
    anchors = tuple(sorted(cuts.items()))
    problems = _anchor_problems(anchors)
    if problems:
        raise ScaleRefused(problems)
    moved = _bent([level.cut for level in scale.levels], anchors).tolist()
    levels = zip(scale.levels, moved, strict=True)
    return replace(scale, levels=tuple(replace(level, cut=cut) for level, cut in levels))


def _worth(worth: Sequence[float], scale: RatingScale, points: ArrayLike) -> FloatArray:
    # The last entry is that of NaN, whose level is -1.
    return np.array([*worth, np.nan])[scale.levels_of(points)]


def _interpolated(
    points: ArrayLike,
    scales: tuple[RatingScale, RatingScale],
    anchors: Sequence[tuple[float, float]],
) -> FloatArray:
    source, target = scales
    return target.to_scale(_bent(np.asarray(points, dtype=np.float64) / source.top, anchors))


def _bent(fractions: ArrayLike, anchors: Iterable[tuple[float, float]]) -> FloatArray:
    before, after = zip((0.0, 0.0), *anchors, (1.0, 1.0), strict=True)
    # np.interp clamps to both ends, keeps NaN, and takes the last of equal abscissas at the end.
    return np.asarray(np.interp(np.asarray(fractions, dtype=np.float64), before, after))


def _swapped(anchors: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    return tuple((after, before) for before, after in anchors)


def _told_back(crosswalk: Crosswalk, words: Translator) -> str:
    lost = levels_lost(crosswalk)
    if not lost:
        return words.say("Every level can come back.")
    labels = ", ".join(crosswalk.source.levels[level].label for level in lost)
    return words.say("These cannot come back: {levels}.", levels=labels)


def _pair_problems(crosswalk: LevelCrosswalk) -> tuple[str, ...]:
    source, target, pairs = crosswalk.source, crosswalk.target, crosswalk.pairs
    if len(pairs) != len(source.levels):
        return (f"Each of the {len(source.levels)} levels needs one that it becomes.",)
    labels = [level.label for level in source.levels]
    falls = (
        f"{labels[number]} would become a lower level than {labels[number - 1]}."
        for number, (low, high) in enumerate(pairwise(pairs), 1)
        if high < low
    )
    return (*_index_problems(dict(enumerate(pairs)), source, target), *falls)


def _index_problems(
    pairs: Mapping[int, int], source: RatingScale, target: RatingScale
) -> tuple[str, ...]:
    is_level = partial(_is_index, scale=source), partial(_is_index, scale=target)
    return tuple(
        f"Level {before + 1} cannot become level {after + 1}: there is no such level."
        for before, after in pairs.items()
        if not (is_level[0](before) and is_level[1](after))
    )


def _is_index(level: int, scale: RatingScale) -> bool:
    return 0 <= level < len(scale.levels)


def _anchor_problems(anchors: Sequence[tuple[float, float]]) -> tuple[str, ...]:
    outside = (
        f"A cut must be above 0 and at most 1, not {cut:g}."
        for anchor in anchors
        for cut in anchor
        if not 0.0 < cut <= 1.0
    )
    falls = (
        f"The cuts must rise: {low[0]:g} would become {low[1]:g}, and {high[0]:g} {high[1]:g}."
        for low, high in pairwise(anchors)
        if not (low[0] < high[0] and low[1] < high[1])
    )
    return (*outside, *falls)
