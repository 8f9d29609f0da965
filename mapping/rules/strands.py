"""How the standings of children make up that of a parent, as a district's choice.

``mapping.judgement.parents`` computes by it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from mapping.scales import is_number
from mapping.wording import ENGLISH, Figure, Translator, marked

HEAVIEST_CHILD = 1_000_000.0
"""The greatest weight or number of points that a child may have."""


class RollupRefused(ValueError):  # noqa: N818 - named for what happened, as the scales' errors
    """A roll-up that cannot be used.

    Attributes:
        problems: Everything that is wrong with it, a sentence each, the field named.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


class RollupMethod(Enum):
    """What a parent's estimate and mastery are made of.

    Source: contracts/mastery-methods.md 2.2, rows "Children rules" and "Parent roll-up".
    """

    ALL_WITH_EVIDENCE = "all_with_evidence"
    """Mastered when all children with evidence are; until then the mean, never mastered."""
    ALL_CHILDREN = "all_children"
    """As above, but children without evidence are not mastered either."""
    MEAN = "mean"
    WEIGHTED = "weighted"
    LOWEST = "lowest"
    """Once every child has enough evidence; until then the parent needs more."""
    MODE = "mode"
    """The most common level; of levels equally common the higher."""
    POINTS = "points"
    """Mastered when the points of mastered children suffice; the mean is shown besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """A parent's method and what it needs.

    Attributes:
        method: The method.
        weights: For ``WEIGHTED`` and ``POINTS``: each child's weight or points by its code, 0 or
            more; 1 for a child not named.
        required_points: For ``POINTS``: the sum of mastered children's points that is mastery.
        mandatory: Codes of children that must be mastered whatever the method says.
    """

    method: RollupMethod = RollupMethod.ALL_WITH_EVIDENCE
    weights: Mapping[str, float] = field(default_factory=dict)
    required_points: float = 1.0
    mandatory: frozenset[str] = frozenset()

    def problems(self) -> tuple[str, ...]:
        """What is wrong with it, a sentence each, the field named."""
        return (*_weight_problems(self), *_points_problems(self))

    def sentence(self, words: Translator = ENGLISH) -> str:
        """How children make up their parent, in plain sentences."""
        plain = words.say(_SENTENCES[self.method], points=Figure(f"{self.required_points:g}"))
        return " ".join((plain, *self._named(words)))

    def _named(self, words: Translator) -> Sequence[str]:
        weights = ", ".join(
            f"{code} {words.figures(f'{weight:g}')}"
            for code, weight in sorted(self.weights.items())
        )
        codes = ", ".join(sorted(self.mandatory))
        template = (
            words.say("Points: {weights}, every other one 1.", weights=weights)
            if self.method is RollupMethod.POINTS
            else words.say("Weights: {weights}, every other one 1.", weights=weights)
        )
        needed = words.say("These must be mastered in any case: {codes}.", codes=codes)
        return (*((template,) if weights else ()), *((needed,) if codes else ()))

    def definition(self) -> dict[str, Any]:
        """The choice as JSON-able values; ``parse_rollup`` reads it back.

        What is at its default is left out, but the method.
        """
        further = {
            "weights": dict(sorted(self.weights.items())),
            "required_points": self.required_points,
            "mandatory": sorted(self.mandatory),
        }
        defaults: Mapping[str, Any] = {"weights": {}, "required_points": 1.0, "mandatory": []}
        kept = {key: value for key, value in further.items() if value != defaults[key]}
        return {"method": self.method.value, **kept}


_SENTENCES: Mapping[RollupMethod, str] = {
    RollupMethod.ALL_WITH_EVIDENCE: marked(
        "{A_strand} is {Mastered} when every one of its {competencies} that has evidence is "
        "mastered. Until then it follows the mean of its {competencies} that have enough evidence."
    ),
    RollupMethod.ALL_CHILDREN: marked(
        "{A_strand} is {Mastered} when every one of its {competencies} is mastered, those without "
        "evidence included. Until then it follows the mean of its {competencies} that have enough "
        "evidence."
    ),
    RollupMethod.MEAN: marked(
        "{A_strand} follows the mean of its {competencies} that have enough evidence."
    ),
    RollupMethod.WEIGHTED: marked(
        "{A_strand} follows the weighted mean of its {competencies} that have enough evidence."
    ),
    RollupMethod.LOWEST: marked(
        "{A_strand} follows the lowest of its {competencies}, once every one of them has enough "
        "evidence. Until then it needs more evidence."
    ),
    RollupMethod.MODE: marked(
        "{A_strand} follows the level that most of its {competencies} with enough evidence have. "
        "Of levels equally common it takes the higher."
    ),
    RollupMethod.POINTS: marked(
        "{A_strand} is {Mastered} when the points of its mastered {competencies} add up to "
        "{points} or more. Until then it follows the mean of its {competencies} that have enough "
        "evidence."
    ),
}
_WEIGHED = (RollupMethod.WEIGHTED, RollupMethod.POINTS)


def _weight_problems(rollup: Rollup) -> tuple[str, ...]:
    weights = rollup.weights
    outside = tuple(
        f"rollup.weights must be 0 to {HEAVIEST_CHILD:g}, not {weight!r} for {code}."
        for code, weight in weights.items()
        if not 0.0 <= weight <= HEAVIEST_CHILD
    )
    if outside:
        return outside
    if weights and rollup.method not in _WEIGHED:
        return (f"rollup.weights belong to weighted and points, not {rollup.method.value}.",)
    if weights and sum(weights.values()) == 0.0:
        return ("rollup.weights must not all be 0: one child needs a weight.",)
    return ()


def _points_problems(rollup: Rollup) -> tuple[str, ...]:
    required = rollup.required_points
    # The default says nothing, whatever the method.
    if rollup.method is not RollupMethod.POINTS and required != 1.0:
        return (f"rollup.required_points belongs to points, not {rollup.method.value}.",)
    if not 0.0 < required <= HEAVIEST_CHILD:
        most = f"{HEAVIEST_CHILD:g}"
        return (f"rollup.required_points must be above 0 and at most {most}, not {required!r}.",)
    return ()


def parse_rollup(definition: Mapping[str, Any]) -> Rollup:
    """Read a roll-up from JSON-able values.

    Args:
        definition: ``{"method", "weights": {code: number}, "required_points", "mandatory":
            [code]}``; what is absent takes its default.

    Returns:
        The roll-up.

    Raises:
        RollupRefused: A key is unknown, a value is of the wrong kind or out of its range; all
            problems at once.
    """
    known = {"method", "weights", "required_points", "mandatory"}
    problems = [
        *(f"A rollup has no {key}." for key in sorted(map(str, definition.keys() - known))),
        *_form_problems(definition),
    ]
    if problems:
        raise RollupRefused(problems)
    rollup = Rollup(
        method=RollupMethod(definition.get("method", RollupMethod.ALL_WITH_EVIDENCE)),
        weights={code: float(w) for code, w in definition.get("weights", {}).items()},
        required_points=float(definition.get("required_points", 1.0)),
        mandatory=frozenset(definition.get("mandatory", ())),
    )
    if rollup.problems():
        raise RollupRefused(rollup.problems())
    return rollup


def _form_problems(definition: Mapping[str, Any]) -> tuple[str, ...]:
    methods = [method.value for method in RollupMethod]
    method = definition.get("method", methods[0])
    checks = (
        (method in methods, f"rollup.method must be one of: {', '.join(methods)}."),
        (
            _is_weights(definition.get("weights", {})),
            "rollup.weights must be an object of numbers by the codes of competencies.",
        ),
        (
            is_number(definition.get("required_points", 1.0)),
            "rollup.required_points must be a number.",
        ),
        (
            _is_codes(definition.get("mandatory", [])),
            "rollup.mandatory must be a list of the codes of competencies.",
        ),
    )
    return tuple(problem for is_right, problem in checks if not is_right)


def _is_weights(value: object) -> bool:
    return isinstance(value, Mapping) and all(is_number(weight) for weight in value.values())


def _is_codes(value: object) -> bool:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return False
    return all(isinstance(code, str) and code for code in value)
