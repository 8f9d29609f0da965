"""A rating scale as rows of a form: a level a row, thresholds in points."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from mapping.scales import MOST_LEVELS, RatingScale, ScaleRefused, parse_scale

PARTS = ("label", "description", "symbol", "points", "cut", "colour")
ROWS = range(1, MOST_LEVELS + 1)
SCALE_FIELDS = ("scale_name", *(f"level_{row}_{part}" for row in ROWS for part in PARTS))
_NUMERIC = ("points", "cut")
_WORDS = {"points": "its points", "cut": "from how many points on it is reached"}
_LONGEST = {"label": 100, "symbol": 8, "description": 1000, "colour": 7}
_DECIMALS = 12
"""So that 2.1 of 3 points is again the fraction 0.7 that it was."""


def scale_said(definition: object) -> dict[str, str] | None:
    """The fields that say what a scale's definition does; None where fields cannot say it."""
    if not isinstance(definition, Mapping):
        return None
    try:
        scale = parse_scale(definition)
    except ScaleRefused:
        return None
    said = said_of(scale)
    wrong: dict[str, str] = {}
    again = scale_typed(said, wrong)
    is_same = again is not None and again["levels"] == scale.definition()["levels"]
    return said if is_same else None


def said_of(scale: RatingScale) -> dict[str, str]:
    """The fields of a scale."""
    said = {"scale_name": scale.name}
    for row, level in zip(ROWS, scale.levels, strict=False):
        told = {
            "label": level.label,
            "description": level.description,
            "symbol": level.symbol,
            "points": f"{level.points:g}",
            "cut": f"{level.cut * scale.top:.10g}",
            "colour": level.colour,
        }
        said |= {f"level_{row}_{part}": text for part, text in told.items()}
    return said


def scale_typed(said: Mapping[str, str], wrong: dict[str, str]) -> dict[str, Any] | None:
    """The definition of a scale that fields say, without its version; None where they say none.

    Args:
        said: The fields.
        wrong: Gets what is wrong with them.
    """
    rows = [[said.get(f"level_{row}_{part}", "").strip() for part in PARTS] for row in ROWS]
    levels = [dict(zip(PARTS, row, strict=True)) for row in rows if any(row)]
    if not levels:
        return None
    problems = [line for at, level in enumerate(levels, 1) for line in _problems(at, level)]
    if problems:
        wrong["scale"] = " ".join(problems)
        return None
    top = _number(levels[-1]["points"])
    if top is None or top <= 0.0:
        wrong["scale"] = "The points of the last level must be above 0."
        return None
    name = {"name": said["scale_name"].strip()} if said.get("scale_name", "").strip() else {}
    return {**name, "levels": [_level(level, top) for level in levels]}


def versioned(scale: Mapping[str, Any], held: RatingScale) -> dict[str, Any]:
    """A scale as it is kept: one whose levels are others than before is another version.

    Args:
        scale: Of ``scale_typed``.
        held: The scale that holds so far.

    Source: product/requirements.md R23.
    """
    is_same = scale["levels"] == held.definition()["levels"]
    version = held.version if is_same else held.version + 1
    return {**scale, **({"version": version} if version != 1 else {})}


def _problems(at: int, level: Mapping[str, str]) -> Sequence[str]:
    return [
        *(
            f"Level {at}: write {_WORDS[part]} as a number."
            for part in _NUMERIC
            if _number(level[part]) is None
        ),
        *(f"Level {at} needs a {part}." for part in ("label", "symbol") if not level[part]),
        *(
            f"The {part} of level {at} has at most {most} characters."
            for part, most in _LONGEST.items()
            if len(level[part]) > most
        ),
    ]


def _level(level: Mapping[str, str], top: float) -> dict[str, Any]:
    points, cut = (_number(level[part]) or 0.0 for part in _NUMERIC)
    further = {part: level[part] for part in ("description", "colour") if level[part]}
    return {
        "label": level["label"],
        "points": points,
        "symbol": level["symbol"],
        "cut": round(cut / top, _DECIMALS),
        **further,
    }


def _number(text: str) -> float | None:
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        return None
    return found if isfinite(found) else None
