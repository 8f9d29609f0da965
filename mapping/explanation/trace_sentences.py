"""What a rule asks for and what there is, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isnan

from mapping.explanation.voice import Voice
from mapping.judgement.criteria import ClauseValue
from mapping.rules.clause_sentences import clause_sentence, leaf_phrase, phrases, points_and_level
from mapping.rules.clauses import (
    AllOf,
    Clause,
    EstimateReaches,
    EvidenceReaches,
    LineItemCounts,
    NewestWithin,
    SomeOf,
)
from mapping.rules.mastery_rule import MasteryRule
from mapping.scales import display, display_apart, display_exact, reaches
from mapping.status import Status
from mapping.wording import sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseLine:
    """One clause of the rule, in the order of the tree; ``depth`` from 0.

    ``sentence`` says what it asks for, ``detail`` what there is.
    """

    sentence: str
    detail: str
    is_met: bool
    depth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is of what a rule asks for.

    Attributes:
        rule: The rule.
        count: How many pieces count.
        estimate: In points of its scale, None for none.
        values: What the criteria find; none without criteria.
    """

    rule: MasteryRule
    count: int
    estimate: float | None
    values: Sequence[ClauseValue]


def clause_lines(found: Found, voice: Voice) -> tuple[ClauseLine, ...]:
    """Everything mastery asks for, each with whether it is met and what there is.

    Args:
        found: What there is.
        voice: Who speaks.
    """
    rule, words = found.rule, voice.words
    count = EvidenceReaches(count=rule.minimum_evidence)
    has_estimate = found.estimate is not None
    return (
        ClauseLine(
            sentence=clause_sentence(count, rule.scale, words),
            detail=_so_far(found.count, voice),
            is_met=found.count >= rule.minimum_evidence,
        ),
        ClauseLine(
            sentence=words.say(
                "The {method} is {points} or more.",
                method=words.say(rule.how().label),
                points=points_and_level(rule.mastered, rule.scale, words),
            ),
            detail=_reached(found.estimate, rule.mastered, voice),
            is_met=has_estimate and bool(reaches(found.estimate or 0.0, rule.mastered)),
        ),
        *criteria_lines(found.values, rule, voice),
    )


def criteria_lines(
    values: Sequence[ClauseValue], rule: MasteryRule, voice: Voice
) -> tuple[ClauseLine, ...]:
    """The lines of a tree of clauses; a tree of clauses that all have to hold has no heading."""
    has_heading = not (values and isinstance(values[0].clause, AllOf))
    shown = values if has_heading else values[1:]
    return tuple(
        ClauseLine(
            sentence=clause_sentence(value.clause, rule.scale, voice.words),
            detail=_detail(value, voice),
            is_met=bool(value.is_met[0]),
            depth=value.depth - (not has_heading),
        )
        for value in shown
    )


def _so_far(count: int, voice: Voice) -> str:
    if count == 0:
        return voice.words.say("So far there is none.")
    return voice.words.count("So far there is {count}.", "So far there are {count}.", count)


def _reached(estimate: float | None, cut: float, voice: Voice) -> str:
    if estimate is None:
        return voice.words.say("There is none yet.")
    return voice.words.say("It is {estimate}.", estimate=_apart(estimate, cut))


def _apart(estimate: float, cut: float) -> str:
    """An estimate beside a cut: a number that does not reach it never looks as if it did."""
    return display(estimate) if reaches(estimate, cut) else display_apart(estimate, cut)


def _detail(value: ClauseValue, voice: Voice) -> str:
    number = float(value.found[0])
    match value.clause:
        case EstimateReaches(points=points):
            return _reached(None if isnan(number) else number, points, voice)
        case NewestWithin():
            return _age(number, voice)
        case LineItemCounts():
            return voice.words.say("There is some.") if number else _so_far(0, voice)
        case AllOf(clauses=clauses) | SomeOf(clauses=clauses):
            return voice.words.say("{met} of {total} so far.", met=int(number), total=len(clauses))
    return _so_far(int(number), voice)


def _age(days: float, voice: Voice) -> str:
    if isnan(days):
        return voice.words.say("No evidence that counts has a date.")
    if days < 1.0:
        return voice.words.say("The newest is less than a day old.")
    return voice.words.count(
        "The newest is {count} day old.", "The newest is {count} days old.", floor(days)
    )


def clause_of(found: Found, status: Status, voice: Voice) -> str:
    """What is not met yet, in a sentence or two; empty when mastered.

    Args:
        found: What there is.
        status: The status by it.
        voice: Who speaks.
    """
    rule, words = found.rule, voice.words
    if status.is_mastered:
        return ""
    if found.count < rule.minimum_evidence:
        return _too_few(found, voice)
    if found.estimate is None:
        return words.say("The evidence gives no {method} yet.", method=words.say(rule.how().label))
    unmet = not_yet(unmet_criteria(found.values, rule, voice), voice)
    if reaches(found.estimate, rule.mastered):
        return unmet
    below = words.say(
        "The {method} is {estimate}; {Mastered} begins at {cut}.",
        method=words.say(rule.how().label),
        estimate=display_apart(found.estimate, rule.mastered),
        cut=display_exact(rule.mastered),
    )
    return f"{below} {unmet}".strip()


def _too_few(found: Found, voice: Voice) -> str:
    needed = found.rule.minimum_evidence
    if needed == 1:
        return voice.words.say("No piece of evidence counts yet.")
    if found.count == 0:
        return voice.words.say(
            "At least {needed} pieces of evidence must count; so far none do.", needed=needed
        )
    return voice.words.count(
        "At least {needed} pieces of evidence must count; so far {count} does.",
        "At least {needed} pieces of evidence must count; so far {count} do.",
        found.count,
        needed=needed,
    )


def unmet_criteria(
    values: Sequence[ClauseValue], rule: MasteryRule, voice: Voice
) -> list[tuple[str, str]]:
    """What of a tree of clauses is not met, see ``not_yet``; nothing for all met.

    Args:
        values: What the tree finds.
        rule: The rule.
        voice: Who speaks.
    """
    if not values or values[0].is_met[0]:
        return []
    top = values[0].depth + isinstance(values[0].clause, AllOf)
    return [
        (_phrase(value.clause, rule, voice), _detail(value, voice))
        for value in values
        if value.depth == top and not value.is_met[0]
    ]


def not_yet(unmet: Sequence[tuple[str, str]], voice: Voice) -> str:
    """What is asked for and not there, each with what there is; empty for nothing.

    Args:
        unmet: Sentences or clauses of what is asked for, and sentences of what there is.
        voice: Who speaks.
    """
    if not unmet:
        return ""
    told = (
        voice.words.say("{clause} ({there_is})", clause=_inner(asked), there_is=_inner(there_is))
        for asked, there_is in unmet
    )
    return sentence(voice.words.say("not yet: {clauses}", clauses="; ".join(told)))


def _inner(detail: str) -> str:
    """A sentence in brackets: without its capital and its full stop."""
    return f"{detail[:1].lower()}{detail[1:]}".removesuffix(".")


def _phrase(clause: Clause, rule: MasteryRule, voice: Voice) -> str:
    if isinstance(clause, AllOf | SomeOf):
        return voice.listed(phrases(clause, rule.scale, voice.words))
    return leaf_phrase(clause, rule.scale, voice.words)
