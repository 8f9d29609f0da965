"""What definitions of rules say together, each taking over from the wider one before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

_NESTED = ("parameters", "policy", "rollup")
"""Objects that are taken over key by key."""

# Whoever says the first says the second anew: it was meant for another method or scale.
_BELONGS = (("method", "parameters"), ("scale", "developing"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """A definition made of several.

    ``origin`` says for each key which of them settled it, counted from 0; "policy.attempts" and
    the like stand for the keys of an object that is taken over key by key.
    """

    definition: Mapping[str, Any]
    origin: Mapping[str, int]


def inherited(definitions: Sequence[Mapping[str, Any]]) -> Inherited:
    """Put definitions together.

    Args:
        definitions: Of any keys of a rule, the widest scope's first.

    Returns:
        What they say together: the last word on each key.
    """
    together: Mapping[str, Any] = reduce(merged, definitions, {})
    origin: dict[str, int] = {}
    for number, definition in enumerate(definitions):
        dropped = _dropped(definition)
        kept = {key: at for key, at in origin.items() if key.partition(".")[0] not in dropped}
        origin = {**kept, **dict.fromkeys(_keys(definition), number)}
    return Inherited(definition=together, origin=origin)


def merged(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> dict[str, Any]:
    """What a narrower scope makes of a wider one's definition; neither is changed.

    Its word holds for each key, in "parameters", "policy" and "rollup" for each key of theirs.
    With "method" it drops the wider "parameters", with "scale" the wider "developing", and with
    the method of "rollup" what else the wider one says of it.
    """
    dropped = _dropped(narrow)
    kept = {key: value for key, value in wide.items() if key not in dropped}
    both = {
        key: _joined(kept[key], narrow[key]) for key in _NESTED if _is_nested(key, kept, narrow)
    }
    return {**kept, **narrow, **both}


def _joined(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: _joined(wide[key], narrow[key]) for key in wide if _is_nested(key, wide, narrow)}
    return {**wide, **narrow, **both}


def _dropped(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys of a wider scope that mean nothing beside this definition."""
    owned = tuple(owned for owner, owned in _BELONGS if owner in definition)
    rollup = definition.get("rollup")
    is_anew = isinstance(rollup, Mapping) and "method" in rollup
    return (*owned, "rollup") if is_anew else owned


def _is_nested(key: str, *definitions: Mapping[str, Any]) -> bool:
    return all(isinstance(definition.get(key), Mapping) for definition in definitions)


def _keys(definition: Mapping[str, Any]) -> list[str]:
    inner = [
        f"{key}.{name}"
        for key in _NESTED
        if _is_nested(key, definition)
        for name in definition[key]
    ]
    return [*definition, *inner]
