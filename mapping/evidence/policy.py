"""Which evidence counts and how much: a district's choices, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from mapping.records import EvidenceKind
from mapping.scales import is_number
from mapping.wording import ENGLISH, Figure, Translator, marked

MOST_HOURS = 8760.0
"""The longest cooldown: a year."""
MOST_PIECES = 100
"""The greatest number of attempts or pieces that a policy may name."""
HEAVIEST_KIND = 100.0
"""The greatest weight that a kind may have."""


class PolicyRefused(ValueError):  # noqa: N818 - named for what happened, as the connectors' errors
    """An evidence policy that cannot be used.

    Attributes:
        problems: Everything that is wrong with it, a sentence each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


class DatePolicy(Enum):
    """Which moment orders the evidence: the first of these that a score has.

    A date that a teacher gave to a piece goes before any of them.

    Source: contracts/mastery-methods.md 2.4, row "Order".
    """

    SUBMITTED_DUE_GRADED = ("submitted_at", "due_at", "graded_at")
    SUBMITTED_GRADED = ("submitted_at", "graded_at")
    DUE_SUBMITTED_GRADED = ("due_at", "submitted_at", "graded_at")

    def sentence(self, words: Translator = ENGLISH) -> str:
        """The policy in plain words."""
        return words.say(_ORDERS[self])


_ORDERS: Mapping[DatePolicy, str] = MappingProxyType(
    {
        DatePolicy.SUBMITTED_DUE_GRADED: marked(
            "Evidence is ordered by when it was submitted, else due, else graded."
        ),
        DatePolicy.SUBMITTED_GRADED: marked(
            "Evidence is ordered by when it was submitted, else graded."
        ),
        DatePolicy.DUE_SUBMITTED_GRADED: marked(
            "Evidence is ordered by when it was due, else submitted, else graded."
        ),
    }
)


class Attempts(Enum):
    """Which graded attempts at one line item count.

    Source: product/requirements.md R05.
    """

    LAST = "last"
    BEST = "best"
    ALL = "all"
    LAST_FEW = "last_few"


_KIND_NAMES: Mapping[EvidenceKind, str] = MappingProxyType(
    {
        EvidenceKind.RECALL: marked("recall"),
        EvidenceKind.SKILL: marked("skill"),
        EvidenceKind.APPLICATION: marked("application"),
        EvidenceKind.OBSERVATION: marked("observation"),
        EvidenceKind.SELF: marked("self-assessment"),
        EvidenceKind.EXTERNAL: marked("external"),
    }
)


class LatePolicy(Enum):
    """Whether a late deduction of the LMS is taken off.

    Source: contracts/mastery-methods.md 2.4, row "Late / penalties".
    """

    BEFORE_DEDUCTION = "before_deduction"
    AFTER_DEDUCTION = "after_deduction"


KIND_WEIGHTS: Mapping[EvidenceKind, float] = MappingProxyType(
    {kind: 0.0 if kind is EvidenceKind.SELF else 1.0 for kind in EvidenceKind}
)
"""What a piece's weight is multiplied with where nothing else is said.

Source: product/requirements.md R39.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePolicy:
    """How scores become evidence.

    Attributes:
        dated: Which moment orders the evidence.
        attempts: Which attempts at a line item count.
        last_few: How many, for ``LAST_FEW``; 1 or more.
        cooldown_hours: An attempt handed in sooner than this after one that counts does not
            count; 0 for none.
        late: Whether late deductions are stripped.
        kind_weights: What a piece's weight is multiplied with, by kind, 0 or more; kinds not
            given are filled in from ``KIND_WEIGHTS``.
        drop_lowest_from: With at least so many pieces the lowest one is left out; 0 for never.
        keeps_removed: Whether evidence counts whose line item is gone from the LMS.

    Source: contracts/mastery-methods.md 2.4.
    """

    dated: DatePolicy = DatePolicy.SUBMITTED_DUE_GRADED
    attempts: Attempts = Attempts.LAST
    last_few: int = 2
    cooldown_hours: float = 0.0
    late: LatePolicy = LatePolicy.BEFORE_DEDUCTION
    kind_weights: Mapping[EvidenceKind, float] = field(default_factory=dict)
    drop_lowest_from: int = 0
    keeps_removed: bool = True

    def __post_init__(self) -> None:
        # Filled in here, so that policies that say the same are equal.
        object.__setattr__(self, "kind_weights", {**KIND_WEIGHTS, **self.kind_weights})

    def problems(self) -> tuple[str, ...]:
        """What is wrong with it, a sentence each, the field named."""
        ranges = (
            (1 <= self.last_few <= MOST_PIECES, f"last_few must be 1 to {MOST_PIECES}."),
            (
                0.0 <= self.cooldown_hours <= MOST_HOURS,
                f"cooldown_hours must be 0 (none) to {MOST_HOURS:g}.",
            ),
            (
                self.drop_lowest_from == 0 or 2 <= self.drop_lowest_from <= MOST_PIECES,  # noqa: PLR2004 - of one piece nothing would be left
                f"drop_lowest_from must be 0 (never), or 2 to {MOST_PIECES}.",
            ),
            *(
                (
                    0.0 <= weight <= HEAVIEST_KIND,
                    f"kind_weights.{kind.value} must be 0 to {HEAVIEST_KIND:g}.",
                )
                for kind, weight in self.kind_weights.items()
            ),
        )
        return tuple(f"policy.{problem}" for is_in_range, problem in ranges if not is_in_range)

    def sentences(self, words: Translator = ENGLISH) -> tuple[str, ...]:
        """The policy in plain words, what is not the default first."""
        told = (
            (self.dated is DatePolicy.SUBMITTED_DUE_GRADED, self.dated.sentence(words)),
            (self.attempts is Attempts.LAST, _attempts_sentence(self, words)),
            (self.late is LatePolicy.BEFORE_DEDUCTION, _late_sentence(self.late, words)),
            *_kind_sentences(self.kind_weights, words),
            *((False, sentence) for sentence in _choice_sentences(self, words)),
        )
        return tuple(sentence for _, sentence in sorted(told, key=lambda line: line[0]))

    def definition(self) -> dict[str, Any]:
        """The policy as JSON-able values; ``parse_policy`` reads it back."""
        return {
            "dated": self.dated.name.lower(),
            "attempts": self.attempts.value,
            "last_few": self.last_few,
            "cooldown_hours": self.cooldown_hours,
            "late": self.late.value,
            "kind_weights": {kind.value: weight for kind, weight in self.kind_weights.items()},
            "drop_lowest_from": self.drop_lowest_from,
            "keeps_removed": self.keeps_removed,
        }


def _attempts_sentence(policy: EvidencePolicy, words: Translator) -> str:
    if policy.attempts is Attempts.ALL:
        return words.say("Every graded attempt at an activity counts.")
    if policy.attempts is Attempts.BEST:
        return words.say("Of several attempts at an activity, the best one counts.")
    return words.count(
        "Of several attempts at an activity, the last graded one counts.",
        "Of several attempts at an activity, the last {count} graded ones count.",
        1 if policy.attempts is Attempts.LAST else policy.last_few,
    )


def _late_sentence(late: LatePolicy, words: Translator) -> str:
    if late is LatePolicy.BEFORE_DEDUCTION:
        return words.say("Points are taken before any deduction for being late.")
    return words.say("Deductions for being late are taken off the points.")


def _kind_sentences(
    weights: Mapping[EvidenceKind, float], words: Translator
) -> tuple[tuple[bool, str], ...]:
    """Each with whether it is the default; nothing of kinds that weigh 1 by default."""
    return tuple(
        (weight == KIND_WEIGHTS[kind], _kind_sentence(words.say(_KIND_NAMES[kind]), weight, words))
        for kind, weight in weights.items()
        if not weight == KIND_WEIGHTS[kind] == 1.0
    )


def _kind_sentence(kind: str, weight: float, words: Translator) -> str:
    if weight == 0.0:
        return words.say("No {kind} evidence counts.", kind=kind)
    if weight == 1.0:
        return words.say("A piece of {kind} evidence counts with its full weight.", kind=kind)
    return words.say(
        "A piece of {kind} evidence counts with {weight} times its weight.",
        kind=kind,
        weight=Figure(f"{weight:g}"),
    )


def _choice_sentences(policy: EvidencePolicy, words: Translator) -> tuple[str, ...]:
    """What is done only where a policy says so."""
    told = []
    if policy.cooldown_hours > 0.0:
        told.append(
            words.say(
                "An attempt counts only if it was handed in at least {hours} hours after the one "
                "before it that counts.",
                hours=Figure(f"{policy.cooldown_hours:g}"),
            )
        )
    if policy.drop_lowest_from > 0:
        told.append(
            words.count(
                "With {count} piece of evidence or more, the lowest one is left out.",
                "With {count} pieces of evidence or more, the lowest one is left out.",
                policy.drop_lowest_from,
            )
        )
    if not policy.keeps_removed:
        told.append(
            words.say("Evidence counts no more once its activity is gone from the gradebook.")
        )
    return tuple(told)


_CHOICES: Mapping[str, Mapping[str, Enum]] = MappingProxyType(
    {
        "dated": {policy.name.lower(): policy for policy in DatePolicy},
        "attempts": {policy.value: policy for policy in Attempts},
        "late": {policy.value: policy for policy in LatePolicy},
    }
)
_WHOLE, _NUMBER, _TRUTH, _OBJECT = "a whole number", "a number", "true or false", "an object"
_SHAPES: Mapping[str, str] = MappingProxyType(
    {
        "last_few": _WHOLE,
        "cooldown_hours": _NUMBER,
        "kind_weights": _OBJECT,
        "drop_lowest_from": _WHOLE,
        "keeps_removed": _TRUTH,
    }
)
_KINDS = {kind.value: kind for kind in EvidenceKind}


def parse_policy(definition: Mapping[str, Any]) -> EvidencePolicy:
    """Read a policy from JSON-able values.

    Args:
        definition: Any of the keys of ``EvidencePolicy.definition``, and any kind in
            ``kind_weights``; what is absent takes its default.

    Returns:
        The policy.

    Raises:
        PolicyRefused: A key is unknown, a value is of the wrong kind or out of its range; all
            problems at once, the fields named.
    """
    wrong = {key: _shape_problem(key, value) for key, value in definition.items()}
    weights = definition.get("kind_weights", {})
    weights = {} if wrong.get("kind_weights") else weights
    odd = {f"kind_weights.{kind}": _weight_problem(kind, weights[kind]) for kind in weights}
    values = {key: _parsed(key, definition[key]) for key in wrong if not wrong[key]}
    values["kind_weights"] = {
        _KINDS[kind]: float(weight)
        for kind, weight in weights.items()
        if not odd[f"kind_weights.{kind}"]
    }
    policy = EvidencePolicy(**values)
    told = (f"policy.{key} {problem}." for key, problem in {**wrong, **odd}.items() if problem)
    problems = (*told, *policy.problems())
    if problems:
        raise PolicyRefused(problems)
    return policy


def _shape_problem(key: str, value: object) -> str:
    """What is wrong with one entry, empty if nothing is."""
    if key in _CHOICES:
        is_right = isinstance(value, str) and value in _CHOICES[key]
        needed = f"one of: {', '.join(_CHOICES[key])}"
    elif key in _SHAPES:
        needed = _SHAPES[key]
        is_right = _is_shaped(value, needed)
    else:
        return f"is no setting; they are: {', '.join(EvidencePolicy().definition())}"
    return "" if is_right else f"must be {needed}, not {value!r}"


def _is_shaped(value: object, shape: str) -> bool:
    if shape == _OBJECT:
        return isinstance(value, Mapping)
    if shape == _TRUTH:
        return isinstance(value, bool)
    return is_number(value) and (shape == _NUMBER or isinstance(value, int))


def _weight_problem(kind: str, weight: object) -> str:
    if kind not in _KINDS:
        return f"is no kind of evidence; they are: {', '.join(_KINDS)}"
    return "" if is_number(weight) else f"must be 0 to {HEAVIEST_KIND:g}, not {weight!r}"


def _parsed(key: str, value: Any) -> Any:  # noqa: ANN401 - a JSON value in, a field's value out
    if key in _CHOICES:
        return _CHOICES[key][value]
    return float(value) if _SHAPES[key] == _NUMBER else value
