"""Parameters of Moodle's web services: PHP brackets in, checked values out.

Moodle answers every deviation, be it an unknown, a missing or a mistyped parameter, with the
same error and no hint.

Source: moodle.md, section 2 (seen on Moodle 4.5.6).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_INTEGER = re.compile(r"^-?\d+$")
_NO_DEFAULT = object()
MAX_INPUT_VARIABLES = 6000
"""PHP drops what comes after so many form fields (``max_input_vars``)."""


class InvalidParameterError(Exception):
    """The parameters do not fit the function; Moodle does not say which."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value; ``kind`` is int, bool or text."""

    kind: str
    default: Any = _NO_DEFAULT


@dataclass(frozen=True, slots=True)
class Many:
    """A list of values or structures."""

    of: "Scalar | Struct"
    default: Any = _NO_DEFAULT


@dataclass(frozen=True, slots=True)
class Struct:
    """Named values; no others may be sent."""

    fields: Mapping[str, "Scalar | Many | Struct"] = field(default_factory=dict)
    default: Any = _NO_DEFAULT


Shape = Scalar | Many | Struct


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Read PHP's bracket notation: ``options[0][name]=x`` becomes nested dicts.

    Args:
        pairs: Form fields in their order; empty brackets count on from 0.

    Returns:
        Dicts all the way down (lists too, keyed by index), with texts as leaves. Fields after
        the six thousandth are lost.
    """
    tree: dict[str, Any] = {}
    for number, (key, value) in enumerate(pairs):
        if number < MAX_INPUT_VARIABLES:
            _put(tree, _path(key), value)
    return tree


def _path(key: str) -> list[str]:
    match = _KEY.match(key)
    if match is None:
        return [key]
    return [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]


def _put(tree: dict[str, Any], path: list[str], value: str) -> None:
    for step in path[:-1]:
        below = tree.setdefault(step or str(len(tree)), {})
        if not isinstance(below, dict):
            return
        tree = below
    tree[path[-1] or str(len(tree))] = value


def checked(fields: Mapping[str, Shape], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Check what was sent against a function's parameters.

    Args:
        fields: What the function takes.
        sent: Nested values as ``nested`` makes them.

    Returns:
        Python values, with defaults filled in.

    Raises:
        InvalidParameterError: Something is unknown, missing or of the wrong type.
    """
    if not set(sent) <= set(fields):
        raise InvalidParameterError
    return {name: _value(shape, sent.get(name, _NO_DEFAULT)) for name, shape in fields.items()}


def _value(shape: Shape, sent: Any) -> Any:  # noqa: ANN401 - whatever a form may hold
    if sent is _NO_DEFAULT:
        if shape.default is _NO_DEFAULT:
            raise InvalidParameterError
        return shape.default
    if isinstance(shape, Scalar):
        return _scalar(shape.kind, sent)
    if not isinstance(sent, dict):
        raise InvalidParameterError
    if isinstance(shape, Many):
        return [_value(shape.of, below) for below in sent.values()]
    return checked(shape.fields, sent)


def _scalar(kind: str, sent: Any) -> int | bool | str:  # noqa: ANN401 - whatever a form may hold
    if not isinstance(sent, str):
        raise InvalidParameterError
    if kind == "text":
        return sent
    if kind == "bool":
        if sent not in {"0", "1"}:
            raise InvalidParameterError
        return sent == "1"
    if not _INTEGER.match(sent):
        raise InvalidParameterError
    return int(sent)
