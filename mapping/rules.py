"""The mastery rule: what an estimate and its evidence must be, and the same in plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mapping.estimators import METHODS, Estimator, Method
from mapping.scales import (
    DEFAULT_SCALE,
    RatingScale,
    ScaleRefused,
    display_exact,
    is_number,
    parse_scale,
)

MOST_EVIDENCE = 100
"""The greatest minimum a rule may ask for; no term holds more for one competency."""


class RuleRefused(ValueError):  # noqa: N818 - named for what happened, as the connectors' errors
    """A mastery rule that cannot be used.

    Attributes:
        problems: Everything that is wrong with it, a sentence each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


def pieces(count: int) -> str:
    """Count in words: "1 piece of evidence", "2 pieces of evidence"."""
    return "1 piece of evidence" if count == 1 else f"{count} pieces of evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class MasteryRule:
    """When a competency is mastered.

    ``mastered`` and ``developing`` are the points of ``scale`` from which these statuses hold;
    with less than ``minimum_evidence`` pieces there is no status but "more evidence needed".

    Raises:
        RuleRefused: A value is out of its range; all problems at once.

    Source: contracts/mastery-methods.md 2.4, row "Minimum evidence", for its default.
    """

    name: str = "Mastery"
    version: int = 1
    method: str = "weighted_average"
    parameters: Mapping[str, float] = field(default_factory=dict)
    mastered: float = 3.0
    developing: float = 2.0
    minimum_evidence: int = 2
    scale: RatingScale = DEFAULT_SCALE

    def __post_init__(self) -> None:
        problems = (*_cut_problems(self), *_count_problems(self), *_method_problems(self))
        if problems:
            raise RuleRefused(problems)

    def how(self) -> Method:
        """The calculation method."""
        return METHODS[self.method]

    def estimator(self) -> Estimator:
        """The calculation method with this rule's parameters."""
        return self.how().estimator(self.parameters)

    def sentence(self) -> str:
        """The rule in one plain sentence."""
        return (
            f"Mastered when the {self.how().label} of at least {pieces(self.minimum_evidence)} "
            f"is {display_exact(self.mastered)} or more on a scale of 0 to {self.scale.top:g}."
        )

    def definition(self) -> dict[str, Any]:
        """The rule as JSON-able values; ``parse_rule`` reads it back."""
        return {
            "name": self.name,
            "version": self.version,
            "method": self.method,
            "parameters": self.how().settled(self.parameters),
            "mastered": self.mastered,
            "developing": self.developing,
            "minimum_evidence": self.minimum_evidence,
            "scale": self.scale.definition(),
        }


def _cut_problems(rule: MasteryRule) -> tuple[str, ...]:
    problems = []
    if not 0.0 < rule.mastered <= rule.scale.top:
        problems.append(f"mastered must be above 0 and at most {rule.scale.top:g}.")
    if not 0.0 <= rule.developing < rule.mastered:
        problems.append("developing must be 0 or more and below mastered.")
    return tuple(problems)


def _count_problems(rule: MasteryRule) -> tuple[str, ...]:
    problems = []
    if not 1 <= rule.minimum_evidence <= MOST_EVIDENCE:
        problems.append(f"minimum_evidence must be 1 to {MOST_EVIDENCE}.")
    if rule.version < 1:
        problems.append("version must be 1 or more.")
    if not rule.name.strip():
        problems.append("name must not be empty.")
    return tuple(problems)


def _method_problems(rule: MasteryRule) -> tuple[str, ...]:
    if rule.method not in METHODS:
        return (f"method must be one of: {', '.join(METHODS)}.",)
    return METHODS[rule.method].problems(rule.parameters)


_TEXT, _WHOLE, _NUMBER, _OBJECT = "text", "a whole number", "a number", "an object"

_SHAPES: Mapping[str, str] = {
    "name": _TEXT,
    "version": _WHOLE,
    "method": _TEXT,
    "parameters": _OBJECT,
    "mastered": _NUMBER,
    "developing": _NUMBER,
    "minimum_evidence": _WHOLE,
    "scale": _OBJECT,
}


def parse_rule(definition: Mapping[str, Any]) -> MasteryRule:
    """Read a rule from JSON-able values.

    Args:
        definition: Any of the keys of ``MasteryRule.definition``; what is absent takes its
            default.

    Returns:
        The rule.

    Raises:
        RuleRefused: A key is unknown, a value is of the wrong kind or out of its range; all
            problems at once.
    """
    problems = [
        *(f"A rule has no {key}." for key in sorted(definition.keys() - _SHAPES.keys())),
        *(
            f"{key} must be {shape}, not {definition[key]!r}."
            for key, shape in _SHAPES.items()
            if key in definition and not _is_shaped(definition[key], shape)
        ),
    ]
    usable = {
        key: definition[key]
        for key, shape in _SHAPES.items()
        if key in definition and _is_shaped(definition[key], shape)
    }
    try:
        rule = _built(usable)
    except (RuleRefused, ScaleRefused) as error:
        raise RuleRefused((*problems, *error.problems)) from error
    if problems:
        raise RuleRefused(problems)
    return rule


def _is_shaped(value: object, shape: str) -> bool:
    if shape == _TEXT:
        return isinstance(value, str)
    if shape == _OBJECT:
        return isinstance(value, Mapping)
    return is_number(value) and (shape == _NUMBER or isinstance(value, int))


def _built(usable: Mapping[str, Any]) -> MasteryRule:
    values: dict[str, Any] = {
        key: float(value) if _SHAPES[key] == _NUMBER else value for key, value in usable.items()
    }
    if "scale" in values:
        values["scale"] = parse_scale(values["scale"])
    return MasteryRule(**values)
