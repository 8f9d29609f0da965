"""What a change did to a thing, in words: a rule kept as JSON is told part by part."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_NOTHING = "nothing"
_DEEPEST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A part of a thing, before and after; ``part`` is empty where the whole is meant."""

    part: str
    before: str
    after: str


def differences(before: str, after: str) -> tuple[Difference, ...]:
    """The parts that changed, in the order of their names.

    Args:
        before: Words, or a JSON object; empty for nothing.
        after: The same.

    Returns:
        One for the whole where one of them is no JSON object. None where nothing changed.
    """
    old, new = _read(before), _read(after)
    if old is None or new is None:
        return (Difference(part="", before=before, after=after),)
    parts = {**dict.fromkeys(old, _NOTHING), **dict.fromkeys(new, _NOTHING)}
    return tuple(
        Difference(part=part, before=old.get(part, _NOTHING), after=new.get(part, _NOTHING))
        for part in sorted(parts)
        if old.get(part) != new.get(part)
    )


def _read(text: str) -> dict[str, str] | None:
    """The parts of a JSON object with their values in words; None where it is none."""
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return dict(_parts(found, ())) if isinstance(found, dict) else None


def _parts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    if len(path) < _DEEPEST and isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _parts(inner, (*path, name.replace("_", " ")))
    elif len(path) < _DEEPEST and isinstance(value, list) and _is_nested(value):
        for place, inner in enumerate(value, start=1):
            yield from _parts(inner, (*path, str(place)))
    else:
        yield ", ".join(path), _in_words(value)


def _is_nested(value: list[Any]) -> bool:
    return any(isinstance(one, dict | list) for one in value)


def _in_words(value: Any) -> str:  # noqa: ANN401 - JSON
    if value is None or value in ("", [], {}):
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_in_words(one) for one in value)
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
