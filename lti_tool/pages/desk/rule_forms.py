"""A rule as a form has it: the fields that most need, and everything else as JSON."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mapping.estimators import METHODS

NUMBERS = ("mastered", "minimum_evidence", "recheck_days")
_WHOLE = ("minimum_evidence", "recheck_days")
_IN_FIELDS = frozenset({"name", "method", "parameters", *NUMBERS})
_MOST_JSON = 20_000
FIELDS = ("name", "method", "parameters", *NUMBERS, "more")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedRule:
    """What was typed, what is wrong by field, and the definition if nothing is."""

    said: Mapping[str, str]
    wrong: Mapping[str, str] = field(default_factory=dict)
    definition: Mapping[str, Any] | None = None


def methods() -> list[tuple[str, str]]:
    """Every method by its name, with what it is called in a sentence."""
    return [(name, f"{name.replace('_', ' ')}: {one.label}") for name, one in METHODS.items()]


def filled(definition: Mapping[str, Any]) -> TypedRule:
    """A form that says what a definition does."""
    said = dict.fromkeys(FIELDS, "")
    said |= {name: _number_words(definition[name]) for name in NUMBERS if name in definition}
    said |= {name: str(definition[name]) for name in ("name", "method") if name in definition}
    parameters = definition.get("parameters", {})
    said["parameters"] = ", ".join(f"{name}={value:g}" for name, value in parameters.items())
    more = {name: value for name, value in definition.items() if name not in _IN_FIELDS}
    # "Never" is something else than saying nothing.
    more |= {name: None for name in NUMBERS if definition.get(name, 0) is None}
    said["more"] = json.dumps(more, indent=2, ensure_ascii=False) if more else ""
    return TypedRule(said=said, definition=dict(definition))


def typed(said: Mapping[str, str]) -> TypedRule:
    """What a form says; empty fields leave it to wider scopes.

    Args:
        said: The fields by name.
    """
    texts = {name: said.get(name, "").strip() for name in FIELDS}
    wrong: dict[str, str] = {}
    definition = _more(texts["more"], wrong)
    for name in NUMBERS:
        if texts[name]:
            definition[name] = _number(texts[name], name, wrong)
    for name in ("name", "method"):
        if texts[name]:
            definition[name] = texts[name]
    if texts["parameters"]:
        definition["parameters"] = _parameters(texts["parameters"], wrong)
    return TypedRule(said=texts, wrong=wrong, definition=None if wrong else definition)


def _more(text: str, wrong: dict[str, str]) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = json.loads(text) if len(text) <= _MOST_JSON else None
    except (ValueError, RecursionError) as error:
        wrong["more"] = f"This is no JSON: {error}."
        return {}
    if not isinstance(found, dict):
        wrong["more"] = 'Write an object, such as {"criteria": {"situations": 2}}.'
        return {}
    twice = sorted(_IN_FIELDS & found.keys() - set(NUMBERS))
    if twice:
        wrong["more"] = f"Say {twice[0]} in its own field above."
    return found


def _number(text: str, name: str, wrong: dict[str, str]) -> float | int | None:
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        found = math.nan
    is_whole = name in _WHOLE
    if not math.isfinite(found) or (is_whole and found != int(found)):
        wrong[name] = f"Write a {'whole ' if is_whole else ''}number, or leave it empty."
        return None
    return int(found) if is_whole else found


def _parameters(text: str, wrong: dict[str, str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in text.replace(";", ",").split(","):
        name, _, value = part.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            wrong["parameters"] = "Write name=number, with commas between: n=3, w=0.65."
            return {}
    return found


def _number_words(value: object) -> str:
    return "" if value is None else f"{value:g}"
