"""What is said of a competency that its own evidence decides."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mapping.estimators.confidence import Confidence, confidence, effective_count, spread
from mapping.evidence.tables import Reason
from mapping.explanation.advice import Goal, Step, steps
from mapping.explanation.advice_sentences import step_sentence
from mapping.explanation.inquiry import Inquiry, Own, Standing
from mapping.explanation.trace_sentences import ClauseLine, Found, clause_lines, clause_of
from mapping.explanation.voice import Voice
from mapping.rules.clauses import NewestWithin, leaves
from mapping.rules.mastery_rule import MasteryRule
from mapping.samples import Sample
from mapping.scales import display, display_apart, reaches
from mapping.status import NO_LEVEL, OverrideState, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A component of a strand: a child, or the evidence aligned to the strand itself.

    ``is_counted`` is whether it has enough evidence to enter the strand's estimate; ``estimate``
    is in points of its own rule's scale.
    """

    competency: int
    status: Status
    estimate: float | None
    evidence_count: int
    is_counted: bool
    level: int = NO_LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a trace says; see there."""

    rule: str
    formula: str
    confidence: str
    clauses: tuple[ClauseLine, ...]
    clause: str
    changes: tuple[str, ...]
    parts: tuple[Part, ...] = ()


def own_words(inquiry: Inquiry, own: Own, *, told: Standing, computed: Standing) -> Words:
    """Explain a competency without children.

    Args:
        inquiry: Whose.
        own: Its evidence.
        told: The standing.
        computed: The same without a person's judgement.
    """
    rule, voice, sample = own.case.rule, inquiry.voice, own.sample
    found = Found(
        rule=rule,
        count=computed.evidence_count,
        estimate=computed.estimate,
        values=own.case.values,
    )
    has_estimate = computed.estimate is not None
    return Words(
        rule=rule.sentence(voice.words),
        formula=_formula(sample, rule, computed, voice=voice),
        confidence=_confidence(_weighed(sample, rule), voice) if has_estimate else "",
        clauses=clause_lines(found, voice),
        clause=clause_of(found, computed.status, voice),
        changes=_changes(own, told, computed, voice=voice),
    )


def _formula(sample: Sample, rule: MasteryRule, computed: Standing, *, voice: Voice) -> str:
    """The calculation; where it is rounded up to the cut that it does not reach, that is said."""
    estimate = computed.estimate
    if estimate is None:
        return ""
    settled = rule.how().settled(rule.parameters)
    worked = voice.words.figures(rule.how().worked(sample, words=voice.words, **settled))
    if reaches(estimate, rule.mastered) or display(estimate) != display(rule.mastered):
        return worked
    exact = display_apart(estimate, rule.mastered)
    return voice.words.say("{worked} (before rounding {exact})", worked=worked, exact=exact)


def policy_sentences(rule: MasteryRule, voice: Voice) -> tuple[str, ...]:
    """Which evidence counts and in which order, and what the method makes of it."""
    method, words = rule.how(), voice.words
    said = rule.policy.sentences(words)
    plays = words.say(
        "The {method} does not look at the order: a new piece counts as an old one.",
        method=words.say(method.label),
    )
    note = " ".join(map(words.say, method.notes))
    return (*(() if method.is_ordered else (plays,)), *said, *((note,) if note else ()))


def goals_of(status: Status, level: int, rule: MasteryRule) -> tuple[Goal, ...]:
    """What is next: the next working level if there is one below mastery, and mastery.

    Args:
        status: The status now, without a person's judgement.
        level: The level now, ``NO_LEVEL`` for none.
        rule: The rule.
    """
    mastery = Goal()
    if status is Status.MASTERED and not is_aging(rule):
        return ()
    if status.is_mastered or status is Status.NOT_SUSTAINED:
        return (mastery,)
    if not status.is_evidenced:
        return (Goal(level=0), mastery)
    following = level + 1
    return (Goal(level=following), mastery) if following < len(rule.working_cuts) else (mastery,)


def is_aging(rule: MasteryRule) -> bool:
    """Whether time alone can ask for mastery to be shown again."""
    return rule.recheck_days is not None or any(
        isinstance(leaf, NewestWithin) for leaf in leaves(rule.criteria)
    )


def _changes(own: Own, told: Standing, computed: Standing, *, voice: Voice) -> tuple[str, ...]:
    goals = goals_of(computed.status, computed.level, own.case.rule)
    found = _telling(steps(own.case, goals), computed.status) if goals else ()
    said = tuple(
        step_sentence(step, own.case, computed=computed.status, voice=voice) for step in found
    )
    return (*override_sentences(told, voice), *said, *_missing(own, computed, voice))


def _missing(own: Own, computed: Standing, voice: Voice) -> tuple[str, ...]:
    """Work that was not handed in is the nearest further evidence; nothing where none is asked."""
    count = int((own.case.own.reason == Reason.MISSING).sum())
    if not count or computed.status.is_mastered:
        return ()
    return (
        voice.words.count(
            "{count} activity was not handed in: where it is still open, it would be evidence, "
            "too.",
            "{count} activities were not handed in: where they are still open, they would be "
            "evidence, too.",
            count,
        ),
    )


def override_sentences(told: Standing, voice: Voice) -> tuple[str, ...]:
    """What a person's judgement means for advice; nothing where there is none."""
    if told.override is OverrideState.NONE:
        return ()
    return (
        voice.words.say(
            "A person gave this status; evidence changes it once that judgement ends or is taken "
            "back."
        ),
    )


def _telling(found: Sequence[Step], status: Status) -> tuple[Step, ...]:
    """The steps worth telling: none to a level that is no smaller than one to mastery.

    What is mastered is shown again by new evidence, not by mending the old.
    """
    if status.is_mastered:
        return tuple(step for step in found if not step.is_attempt)
    to_mastery = [step for step in found if step.goal.level is None]
    least = min(step.effort for step in to_mastery)
    to_level = [step for step in found if step.goal.level is not None and step.effort < least]
    return (*to_level[:1], *to_mastery)


def _weighed(sample: Sample, rule: MasteryRule) -> Sample:
    """The sample as the method weighs it."""
    is_weighed = rule.how().is_weighed
    return sample if is_weighed else replace(sample, weights=np.ones(sample.weights.size))


def _confidence(sample: Sample, voice: Voice) -> str:
    words, count = voice.words, int(sample.values.size)
    worth, apart = float(effective_count(sample)[0]), display(float(spread(sample)[0]))
    label = Confidence(int(confidence(sample)[0]))
    many = words.count("only {count} piece counts", "{count} pieces count", count)
    if display(worth) != display(float(count)):
        many = words.say(
            "{many}, by their weights as good as {worth} equal ones",
            many=many,
            worth=display(worth),
        )
    if label is Confidence.THIN:
        return words.say("Thin evidence: {many}, so the next one may change much.", many=many)
    if label is Confidence.FAIR:
        return words.say(
            "Fair evidence: {many}, spread {apart} points around their average.",
            many=many,
            apart=apart,
        )
    return words.say("Good evidence: {many}, and they agree well.", many=many)
