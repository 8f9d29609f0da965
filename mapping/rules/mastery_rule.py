"""The mastery rule: what an estimate and its evidence must be, and the same in plain words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from mapping.crosswalks import recut
from mapping.estimators import METHODS, Estimator, Method
from mapping.evidence.policy import EvidencePolicy, PolicyRefused, parse_policy
from mapping.rules.clause_definitions import (
    MOST_DAYS,
    MOST_EVIDENCE,
    ClauseRefused,
    clause_definition,
    parse_clause,
)
from mapping.rules.clause_sentences import has_list, phrases, points_and_level
from mapping.rules.clauses import Clause
from mapping.rules.strands import Rollup, RollupRefused, parse_rollup
from mapping.scales import (
    DEFAULT_SCALE,
    EPSILON,
    RatingScale,
    ScaleRefused,
    display_exact,
    is_number,
    parse_scale,
)
from mapping.status import Status
from mapping.wording import ENGLISH, Figure, Translator

DEFAULT_MASTERED = 3.0
"""Of the default scale's 4."""


class RuleRefused(ValueError):  # noqa: N818 - named for what happened, as the connectors' errors
    """A mastery rule that cannot be used.

    Attributes:
        problems: Everything that is wrong with it, a sentence each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class MasteryRule:
    """When a competency is mastered, and how its evidence is judged.

    Below mastery the levels of the scale are the working levels.

    Attributes:
        name: For the district's own people.
        version: From 1.
        method: A name in ``METHODS``.
        parameters: The method's, by name; those left out take their defaults.
        mastered: From which points of ``scale`` the estimate is that of mastery.
        minimum_evidence: With fewer pieces there is no status but "more evidence needed".
        scale: What evidence is measured on.
        criteria: What mastery asks for besides the estimate; None for nothing.
        policy: Which evidence counts.
        recheck_days: After so many days without new evidence a re-check is due; None for never.
        rollup: How children make up a competency that has some.

    Raises:
        RuleRefused: A value is out of its range; all problems at once.

    Source: contracts/mastery-methods.md 2.4, row "Minimum evidence", for its default.
    """

    name: str = "Mastery"
    version: int = 1
    method: str = "weighted_average"
    parameters: Mapping[str, float] = field(default_factory=dict)
    mastered: float = DEFAULT_MASTERED
    minimum_evidence: int = 2
    scale: RatingScale = DEFAULT_SCALE
    criteria: Clause | None = None
    policy: EvidencePolicy = field(default_factory=EvidencePolicy)
    recheck_days: int | None = None
    rollup: Rollup = field(default_factory=Rollup)

    def __post_init__(self) -> None:
        problems = (
            *_number_problems(self),
            *_method_problems(self),
            *_criteria_problems(self),
            *self.policy.problems(),
            *self.rollup.problems(),
        )
        if problems:
            raise RuleRefused(problems)
        # Filled in here, so that rules that say the same are equal.
        object.__setattr__(self, "parameters", self.how().settled(self.parameters))

    def how(self) -> Method:
        """The calculation method."""
        return METHODS[self.method]

    def estimator(self) -> Estimator:
        """The calculation method with this rule's parameters."""
        return self.how().estimator(self.parameters)

    @property
    def working_cuts(self) -> tuple[float, ...]:
        """Where the working levels begin, in scale points: 0 and what lies below mastery."""
        cuts = (level.cut * self.scale.top for level in self.scale.levels)
        return tuple(cut for cut in cuts if cut < self.mastered - EPSILON) or (0.0,)

    def label(self, status: Status, level: int) -> str:
        """What a status is called on this rule's scale.

        Args:
            status: The status.
            level: The index of the level that the estimate reaches, -1 for none.
        """
        is_working = status in (Status.EMERGING, Status.DEVELOPING)
        return self.scale.levels[level].label if is_working and level >= 0 else status.label

    def sentence(self, words: Translator = ENGLISH) -> str:
        """The rule in one plain sentence.

        Args:
            words: The language.
        """
        asked = (_estimate_phrase(self, words), *phrases(self.criteria, self.scale, words))
        joined = reduce(
            lambda before, clause: words.say(
                "{before}, and {clause}", before=before, clause=clause
            ),
            asked,
        )
        if self.recheck_days is None:
            return words.say("{Mastered} when {asked}.", asked=joined)
        if has_list(self.criteria):
            return words.count(
                "{Mastered}, and re-checked after {count} day, when {asked}.",
                "{Mastered}, and re-checked after {count} days, when {asked}.",
                self.recheck_days,
                asked=joined,
            )
        return words.count(
            "{Mastered} when {asked}; re-checked after {count} day.",
            "{Mastered} when {asked}; re-checked after {count} days.",
            self.recheck_days,
            asked=joined,
        )

    def definition(self) -> dict[str, Any]:
        """The rule as JSON-able values, every key; ``parse_rule`` reads it back."""
        return {
            "name": self.name,
            "version": self.version,
            "method": self.method,
            "parameters": dict(self.parameters),
            "mastered": self.mastered,
            "minimum_evidence": self.minimum_evidence,
            "scale": self.scale.definition(),
            "criteria": None if self.criteria is None else clause_definition(self.criteria),
            "policy": self.policy.definition(),
            "recheck_days": self.recheck_days,
            "rollup": self.rollup.definition(),
        }


def _estimate_phrase(rule: MasteryRule, words: Translator) -> str:
    how = rule.how()
    told = {
        "method": words.say(how.phrase or how.label, **_shown(rule.parameters)),
        "points": points_and_level(rule.mastered, rule.scale, words),
        "top": Figure(display_exact(rule.scale.top).rstrip("0").rstrip(".")),
    }
    if how.phrase:
        return words.count(
            "the {method} is {points} or more on a scale of 0 to {top}, "
            "from at least {count} piece of evidence",
            "the {method} is {points} or more on a scale of 0 to {top}, "
            "from at least {count} pieces of evidence",
            rule.minimum_evidence,
            **told,
        )
    return words.count(
        "the {method} of at least {count} piece of evidence is {points} or more "
        "on a scale of 0 to {top}",
        "the {method} of at least {count} pieces of evidence is {points} or more "
        "on a scale of 0 to {top}",
        rule.minimum_evidence,
        **told,
    )


def _shown(parameters: Mapping[str, float]) -> dict[str, str]:
    return {name: Figure(f"{value:.12g}") for name, value in parameters.items()}


def _number_problems(rule: MasteryRule) -> tuple[str, ...]:
    problems = []
    if not 0.0 < rule.mastered <= rule.scale.top:
        problems.append(f"mastered must be above 0 and at most {rule.scale.top:g}.")
    if not 1 <= rule.minimum_evidence <= MOST_EVIDENCE:
        problems.append(f"minimum_evidence must be 1 to {MOST_EVIDENCE}.")
    if rule.version < 1:
        problems.append("version must be 1 or more.")
    if not rule.name.strip():
        problems.append("name must not be empty.")
    if rule.recheck_days is not None and not 1 <= rule.recheck_days <= MOST_DAYS:
        problems.append(f"recheck_days must be 1 to {MOST_DAYS}, or null for never.")
    return tuple(problems)


def _method_problems(rule: MasteryRule) -> tuple[str, ...]:
    if rule.method not in METHODS:
        return (f"method must be one of: {', '.join(METHODS)}.",)
    return METHODS[rule.method].problems(rule.parameters)


def _criteria_problems(rule: MasteryRule) -> tuple[str, ...]:
    if rule.criteria is None:
        return ()
    try:
        parse_clause(clause_definition(rule.criteria), scale=rule.scale)
    except ClauseRefused as error:
        return error.problems
    return ()


_TEXT, _WHOLE, _NUMBER, _OBJECT = "text", "a whole number", "a number", "an object"
_WHOLE_OR_NONE, _OBJECT_OR_NONE = f"{_WHOLE} or null", f"{_OBJECT} or null"

_SHAPES: Mapping[str, str] = {
    "name": _TEXT,
    "version": _WHOLE,
    "method": _TEXT,
    "parameters": _OBJECT,
    "mastered": _NUMBER,
    "developing": _NUMBER,
    "minimum_evidence": _WHOLE,
    "scale": _OBJECT,
    "criteria": _OBJECT_OR_NONE,
    "policy": _OBJECT,
    "recheck_days": _WHOLE_OR_NONE,
    "rollup": _OBJECT,
}


def parse_rule(definition: Mapping[str, Any]) -> MasteryRule:
    """Read a rule from JSON-able values.

    Args:
        definition: Any of the keys of ``MasteryRule.definition``; what is absent takes its
            default. "developing" may say, in scale points, where the second-lowest level begins.

    Returns:
        The rule.

    Raises:
        RuleRefused: A key is unknown, a value is of the wrong kind or out of its range; all
            problems at once.
    """
    if not isinstance(definition, Mapping):
        raise RuleRefused(("A rule must be an object.",))
    values = {key: definition[key] for key in _SHAPES if key in definition}
    problems = [
        *(f"A rule has no {key}." for key in sorted(map(str, definition.keys() - values.keys()))),
        *(
            f"{key} must be {_SHAPES[key]}, not {value!r}."
            for key, value in values.items()
            if not _is_shaped(value, _SHAPES[key])
        ),
    ]
    usable = {key: value for key, value in values.items() if _is_shaped(value, _SHAPES[key])}
    try:
        rule = _built(usable)
    except RuleRefused as error:
        raise RuleRefused((*problems, *error.problems)) from error
    if problems:
        raise RuleRefused(problems)
    return rule


def _is_shaped(value: object, shape: str) -> bool:
    if shape == _TEXT:
        return isinstance(value, str)
    if shape in {_WHOLE_OR_NONE, _OBJECT_OR_NONE} and value is None:
        return True
    if shape in {_OBJECT, _OBJECT_OR_NONE}:
        return isinstance(value, Mapping)
    return is_number(value) and (shape == _NUMBER or isinstance(value, int))


def _built(usable: Mapping[str, Any]) -> MasteryRule:
    # The scale first: what else is given is measured on it.
    scale = _scale(usable)
    read = {key: _read(key, value, scale) for key, value in usable.items() if key in _FIELDS}
    problems = [
        line for found in read.values() if isinstance(found, RuleRefused) for line in found.problems
    ]
    values = {key: found for key, found in read.items() if not isinstance(found, RuleRefused)}
    try:
        rule = MasteryRule(**{**values, "scale": scale})
    except RuleRefused as error:
        raise RuleRefused((*problems, *error.problems)) from error
    if problems:
        raise RuleRefused(problems)
    return rule


_FIELDS = _SHAPES.keys() - {"scale", "developing"}


def _scale(usable: Mapping[str, Any]) -> RatingScale:
    developing, mastered = usable.get("developing"), usable.get("mastered", DEFAULT_MASTERED)
    try:
        scale = parse_scale(usable["scale"]) if "scale" in usable else DEFAULT_SCALE
        if developing is None:
            return scale
        if not 0.0 < developing < min(mastered, scale.top):
            raise RuleRefused(("developing must be above 0 and below mastered.",))
        return _developing_from(scale, developing / scale.top)
    except ScaleRefused as error:
        raise RuleRefused(error.problems) from error


def _developing_from(scale: RatingScale, fraction: float) -> RatingScale:
    """The scale with its second-lowest level begun elsewhere, of three levels or more.

    Levels above keep their cuts where these still lie above; of two levels the upper one is
    that of mastery, and none is left to move.
    """
    _, moved, *higher = (level.cut for level in scale.levels)
    if not higher or moved == fraction:
        return scale
    return recut(scale, {moved: fraction, **{cut: cut for cut in higher if cut > fraction}})


def _read(key: str, value: Any, scale: RatingScale) -> Any:  # noqa: ANN401 - JSON in, a field out
    """What a value stands for, or what is wrong with it."""
    try:
        if key == "criteria" and value is not None:
            return parse_clause(value, scale=scale)
        return _READERS[key](value) if key in _READERS else value
    except (ClauseRefused, PolicyRefused, RollupRefused) as error:
        return RuleRefused(error.problems)


_READERS: Mapping[str, Callable[[Any], object]] = {
    "mastered": float,
    "policy": parse_policy,
    "rollup": parse_rollup,
}
