"""What time and persons have to do with a status, in plain words. A re-check is an invitation."""

from mapping.columns import NO_MOMENT
from mapping.explanation.inquiry import Standing
from mapping.explanation.own_words import is_aging
from mapping.explanation.voice import Voice
from mapping.rules.mastery_rule import MasteryRule
from mapping.status import OverrideState, Status, label_in


def remarks_of(
    told: Standing, computed: Standing, rule: MasteryRule, *, voice: Voice
) -> tuple[str, ...]:
    """Say what time and persons have to do with a standing.

    Args:
        told: The standing.
        computed: The same without a person's judgement.
        rule: Its rule.
        voice: Who speaks.

    Returns:
        Sentences; none where there is nothing to say.

    Source: product/requirements.md R09 and R16.
    """
    return (*_overridden(told, computed, rule, voice=voice), *_timed(computed, rule, voice))


def _overridden(
    told: Standing, computed: Standing, rule: MasteryRule, *, voice: Voice
) -> tuple[str, ...]:
    if told.override is OverrideState.NONE:
        return ()
    words = voice.words
    by_evidence = words.say(
        "A person gave this status. By the evidence alone it would be: {label}.",
        label=label_in(words, rule.label(computed.status, computed.level)),
    )
    if told.override is OverrideState.IN_FORCE:
        return (by_evidence,)
    return (
        by_evidence,
        words.say("There is newer evidence than that judgement: it is worth another look."),
    )


def _timed(computed: Standing, rule: MasteryRule, voice: Voice) -> tuple[str, ...]:
    words, status = voice.words, computed.status
    since = voice.on(computed.mastered_at)
    match status:
        case Status.NOT_SUSTAINED:
            return (
                words.say(
                    "It was first mastered on {day}, and that date is kept. Evidence since then "
                    "does not hold it yet.",
                    day=since,
                ),
            )
        case Status.RECHECK_DUE:
            return (
                words.say("First mastered on {day}.", day=since),
                words.say(
                    "It stays mastered. The newest evidence is some time ago, so this is an "
                    "invitation to show it again."
                ),
            )
        case Status.MASTERED if computed.mastered_at != NO_MOMENT:
            return (
                words.say("First mastered on {day}.", day=since),
                *_invitation(computed, rule, voice),
            )
    return ()


def _invitation(computed: Standing, rule: MasteryRule, voice: Voice) -> tuple[str, ...]:
    if computed.review_at == NO_MOMENT or not is_aging(rule):
        return ()
    return (
        voice.words.say(
            "From {day} on there is an invitation to show it again; it stays mastered.",
            day=voice.on(computed.review_at),
        ),
    )
