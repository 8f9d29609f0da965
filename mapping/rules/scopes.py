"""Where rules are set, and what the scopes make of one another."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from mapping.explanation.voice import Voice
from mapping.rules.inheritance import inherited
from mapping.rules.mastery_rule import MasteryRule, RuleRefused, parse_rule
from mapping.wording import ENGLISH, Translator, marked


class Scope(IntEnum):
    """Where a rule is set, the widest first; a later one goes before an earlier one."""

    SYSTEM = 0
    DISTRICT = 1
    FRAMEWORK = 2
    COURSE = 3
    COMPETENCY = 4


class ScopeRefused(RuleRefused):
    """What a scope says makes no rule together with the wider scopes.

    Attributes:
        scope: Which kind of scope.
        target: The framework's, course's or competency's id; 0 for system and district.
    """

    def __init__(self, scope: Scope, target: int, problems: Sequence[str]) -> None:
        named = f"{scope.name.lower()} {target}" if scope > Scope.DISTRICT else scope.name.lower()
        super().__init__([f"The rule of the {named}: {problem}" for problem in problems])
        self.scope = scope
        self.target = target


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopedRule:
    """One version of what a scope says.

    Attributes:
        id: The version's own id, 0 for the system's.
        scope: Where it is set.
        target: The framework's, course's or competency's id; 0 for system and district.
        version: From 1 in each scope and target.
        effective_from: Microseconds since 1970 in UTC.
        definition: Any of the keys of ``MasteryRule.definition``; empty to say nothing any more.
    """

    id: int
    scope: Scope
    target: int
    version: int
    effective_from: int
    definition: Mapping[str, Any]


SYSTEM_RULE = ScopedRule(
    id=0, scope=Scope.SYSTEM, target=0, version=1, effective_from=0, definition={}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveRule:
    """A rule as it holds somewhere.

    ``chain`` are the versions it is made of, the widest scope first; ``origin`` says for each key
    of the definition which scope settled it, "policy.attempts" and the like for the keys of an
    object that scopes may change in part. What nobody said is the system's.
    """

    rule: MasteryRule
    chain: tuple[ScopedRule, ...]
    origin: Mapping[str, Scope]

    def origin_sentence(self, words: Translator = ENGLISH) -> str:
        """Where the rule comes from, in one plain sentence.

        Args:
            words: The language.

        Returns:
            "Set by the district; this course changes which attempts count."
        """
        is_district = any(entry.scope is Scope.DISTRICT for entry in self.chain)
        start = (
            words.say("Set by the district") if is_district else words.say("Set by Waymark itself")
        )
        changes = (
            words.say(template, what=Voice(words=words).listed(topics))
            for scope, template in _CHANGES.items()
            if (topics := _topics(self, scope, words))
        )
        return f"{'; '.join((start, *changes))}."


# In the order of the scopes.
_CHANGES: Mapping[Scope, str] = {
    Scope.FRAMEWORK: marked("the {framework} changes {what}"),
    Scope.COURSE: marked("this course changes {what}"),
    Scope.COMPETENCY: marked("this {competency} changes {what}"),
}

_TOPICS: Mapping[str, str] = {
    "name": marked("its name"),
    "method": marked("how the estimate is calculated"),
    "parameters": marked("how the estimate is calculated"),
    "mastered": marked("where mastery begins"),
    "developing": marked("where the second level begins"),
    "minimum_evidence": marked("how much evidence is needed"),
    "scale": marked("the scale"),
    "criteria": marked("what else is asked for"),
    "policy.dated": marked("how evidence is ordered"),
    "policy.attempts": marked("which attempts count"),
    "policy.last_few": marked("which attempts count"),
    "policy.cooldown_hours": marked("which attempts count"),
    "policy.late": marked("what being late means"),
    "policy.kind_weights": marked("what each kind of evidence weighs"),
    "policy.drop_lowest_from": marked("whether the lowest piece is left out"),
    "policy.keeps_removed": marked("whether removed work counts"),
    "recheck_days": marked("when a re-check is due"),
    "rollup": marked("how its parts make it up"),
}


def _topics(effective: EffectiveRule, scope: Scope, words: Translator) -> list[str]:
    """What a scope settled, each topic once, in the order of the list above."""
    settled = {key for key, by in effective.origin.items() if by is scope}
    return list(dict.fromkeys(words.say(said) for key, said in _TOPICS.items() if key in settled))


class Settled:
    """Rules that chains of scopes make, each worked out once."""

    def __init__(self) -> None:
        self._effective: dict[tuple[tuple[int, ...], ...], EffectiveRule] = {}
        self._equal: dict[str, MasteryRule] = {}

    def rule(self, chain: tuple[ScopedRule, ...]) -> EffectiveRule:
        """The rule that a chain makes, the widest scope first; one object for equal chains.

        Raises:
            ScopeRefused: It makes none; the first scope with which it makes none is named.
        """  # noqa: DOC502 - raised by _settled()
        key = tuple((entry.scope, entry.target, entry.version, entry.id) for entry in chain)
        if key not in self._effective:
            wider = self.rule(chain[:-1]).rule if len(chain) > 1 else None
            self._effective[key] = self._shared(_settled(chain, wider))
        return self._effective[key]

    def _shared(self, effective: EffectiveRule) -> EffectiveRule:
        said = json.dumps(effective.rule.definition(), sort_keys=True)
        return replace(effective, rule=self._equal.setdefault(said, effective.rule))


def _settled(chain: Sequence[ScopedRule], wider: MasteryRule | None) -> EffectiveRule:
    made = inherited([entry.definition for entry in chain])
    last = chain[-1]
    try:
        rule = parse_rule(made.definition)
    except RuleRefused as error:
        raise ScopeRefused(last.scope, last.target, error.problems) from error
    problems = _scale_problems(rule, wider, last)
    if problems:
        raise ScopeRefused(last.scope, last.target, problems)
    origin = {key: chain[number].scope for key, number in made.origin.items()}
    return EffectiveRule(rule=rule, chain=tuple(chain), origin=origin)


def _scale_problems(
    rule: MasteryRule, wider: MasteryRule | None, said: ScopedRule
) -> tuple[str, ...]:
    """Points taken over from a scale of another maximum would mean something else."""
    if wider is None or wider.scale.top == rule.scale.top or "mastered" in said.definition:
        return ()
    top, was = f"{rule.scale.top:g}", f"{wider.mastered:g} of {wider.scale.top:g}"
    return (f"mastered must be given with a scale to {top}; taken over it would be {was}.",)
