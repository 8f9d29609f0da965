"""Steps in plain words, for learners too."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mapping.columns import NO_MOMENT
from mapping.explanation.advice import Step
from mapping.explanation.needs import Case, weakest, weighs
from mapping.explanation.voice import KIND_PIECES, Voice
from mapping.records import EvidenceKind
from mapping.rules.clause_sentences import points_and_level
from mapping.rules.clauses import EvidenceReaches, LineItemCounts, Situation, SituationsReach
from mapping.scales import display, display_exact
from mapping.status import Status, label_in
from mapping.wording import Figure, Plural

_MORE = Plural("One more piece of evidence", "{count} more pieces of evidence")
_MORE_OF: dict[EvidenceKind, Plural] = {
    EvidenceKind.RECALL: Plural("One more recall task", "{count} more recall tasks"),
    EvidenceKind.SKILL: Plural("One more skill task", "{count} more skill tasks"),
    EvidenceKind.APPLICATION: Plural("One more application task", "{count} more application tasks"),
    EvidenceKind.OBSERVATION: Plural(
        "One more observation by a teacher", "{count} more observations by a teacher"
    ),
    EvidenceKind.SELF: Plural("One more self-assessment", "{count} more self-assessments"),
    EvidenceKind.EXTERNAL: Plural(
        "One more confirmed piece from outside the school",
        "{count} more confirmed pieces from outside the school",
    ),
}
_SITUATIONS = {
    Situation.LINE_ITEM: Plural(
        "{count} from a further activity", "{count} from further activities"
    ),
    Situation.COURSE: Plural(
        "{count} from a course without evidence so far",
        "{count} from different courses without evidence so far",
    ),
    Situation.KIND: Plural("{count} of another kind", "{count} of further kinds"),
}


def step_sentence(step: Step, case: Case, *, computed: Status, voice: Voice) -> str:
    """A step as a sentence.

    Args:
        step: The step.
        case: Whose it is.
        computed: Their status now.
        voice: Who speaks.

    Returns:
        "One more piece of evidence at 3.40 or better would reach Mastered."
    """
    if step.least is None:
        return _hopeless(step, case, voice)
    if step.is_attempt:
        return _attempt(step, case, voice)
    if step.goal.level == 0 and step.least == 0.0 and not step.asked:
        return voice.words.count(
            "One more piece of evidence is needed.",
            "{count} more pieces of evidence are needed.",
            len(step.extras),
        )
    what = _what(step, case, voice)
    if step.goal.level is None and computed.is_mastered:
        return voice.words.say("{what} would show that it is still mastered.", what=what)
    return voice.words.say("{what} would reach {goal}.", what=what, goal=_goal(step, case, voice))


def _goal(step: Step, case: Case, voice: Voice) -> str:
    level = step.goal.level
    label = Status.MASTERED.label if level is None else case.rule.scale.levels[level].label
    return label_in(voice.words, label)


def _what(step: Step, case: Case, voice: Voice) -> str:
    """The noun phrase that begins the sentence."""
    words, count = voice.words, len(step.extras)
    level = _level(step.least or 0.0, case, voice)
    more, among = _more(step, case, voice), _among(step, case, voice)
    if count == 1:
        places = "".join(f" {place}" for place in _places(step, voice))
        return words.say("{more}{places} {level}", more=more, places=places, level=level)
    if not among:
        return words.say("{more}, each {level},", more=more, level=level)
    return words.say(
        "{more}, each {level} and among them {among},",
        more=more,
        level=level,
        among=voice.listed(among),
    )


def _more(step: Step, case: Case, voice: Voice) -> str:
    kinds = {extra.kind for extra in step.extras}
    count = len(step.extras)
    is_spread = count > 1 and Situation.DAY in _asked_situations(step)
    is_named = len(kinds) == 1 and (
        _asked_kinds(step).total() >= count or _is_weighed_by_kind(case)
    )
    form = _MORE_OF[next(iter(kinds))] if is_named else _MORE
    more = voice.words.count(*form, count)
    if is_spread:
        more = voice.words.say("{more} on different days", more=more)
    is_even = np.all(case.own.weight[case.own.is_counted] == 1.0)
    if is_even or len(kinds) > 1 or not case.rule.how().is_weighed:
        return more
    weight = weighs(next(iter(kinds)), case)
    return voice.words.say("{more} of weight {weight}", more=more, weight=Figure(f"{weight:g}"))


def _is_weighed_by_kind(case: Case) -> bool:
    weights = case.rule.policy.kind_weights
    return any(
        weights.get(kind, 1.0) != 1.0 for kind in EvidenceKind if kind is not EvidenceKind.SELF
    )


def _asked_kinds(step: Step) -> Counter[EvidenceKind]:
    asked: Counter[EvidenceKind] = Counter()
    for need in step.asked:
        if isinstance(need.clause, EvidenceReaches) and need.clause.kind is not None:
            asked[need.clause.kind] = max(asked[need.clause.kind], need.missing)
    return asked


def _patterns(step: Step) -> list[str]:
    return [need.clause.pattern for need in step.asked if isinstance(need.clause, LineItemCounts)]


def _asked_situations(step: Step) -> dict[Situation, int]:
    return {
        need.clause.of: need.missing
        for need in step.asked
        if isinstance(need.clause, SituationsReach)
    }


def _places(step: Step, voice: Voice) -> list[str]:
    """What a single further piece must be besides good enough, after its name."""
    situations = _asked_situations(step)
    return [
        *(
            voice.words.say('with a title like "{pattern}"', pattern=pattern)
            for pattern in _patterns(step)
        ),
        *([voice.words.say("from another course")] if Situation.COURSE in situations else ()),
        *([voice.words.say("of another kind")] if Situation.KIND in situations else ()),
        *([voice.words.say("from another activity")] if Situation.LINE_ITEM in situations else ()),
        *([voice.words.say("on another day")] if Situation.DAY in situations else ()),
    ]


def _among(step: Step, case: Case, voice: Voice) -> Sequence[str]:
    """What several further pieces must be between them."""
    words, count, situations = voice.words, len(step.extras), _asked_situations(step)
    kinds = _asked_kinds(step)
    is_named = kinds.total() >= count and len(kinds) == 1
    return [
        *(
            words.say("at least {pieces}", pieces=words.count(*KIND_PIECES[kind], number))
            for kind, number in kinds.items()
            if not is_named and not _is_named_anyway(case, kind)
        ),
        *(
            words.say('one with a title like "{pattern}"', pattern=pattern)
            for pattern in _patterns(step)
        ),
        *(
            words.count(*_SITUATIONS[of], number)
            for of, number in situations.items()
            if of in _SITUATIONS
        ),
    ]


def _is_named_anyway(case: Case, kind: EvidenceKind) -> bool:
    """Whether the further pieces are all of the kind and are called by it."""
    return _is_weighed_by_kind(case) and case.kinds == {kind}


def _level(least: float, case: Case, voice: Voice) -> str:
    if least == 0.0:
        return voice.words.say("at any level")
    points = points_and_level(least, case.rule.scale, voice.words)
    if least >= case.rule.scale.top:
        return voice.words.say("at {points}", points=points)
    return voice.words.say("at {points} or better", points=points)


def _attempt(step: Step, case: Case, voice: Voice) -> str:
    row = weakest(case.own)
    assert row is not None  # noqa: S101 - the step is an attempt at it
    what = _activity(case, row, voice)
    return voice.words.say(
        "A new attempt at {what}, where one is allowed, would reach {goal} {level}.",
        what=what,
        level=_level(step.least or 0.0, case, voice),
        goal=_goal(step, case, voice),
    )


def _activity(case: Case, row: int, voice: Voice) -> str:
    value, occurred_at = display(float(case.own.value[row])), int(case.own.occurred_at[row])
    title = voice.activity(int(case.own.line_item[row]))
    if title:
        return voice.words.say('"{title}" (now {value})', title=title, value=value)
    if occurred_at == NO_MOMENT:
        return voice.words.say("the activity that is at {value} now", value=value)
    day = voice.on(occurred_at)
    return voice.words.say("the activity of {day} (now {value})", day=day, value=value)


def _hopeless(step: Step, case: Case, voice: Voice) -> str:
    more = _more(step, case, voice)
    even = voice.words.say(
        "Even {more} at {top} would not reach {goal}",
        more=f"{more[:1].lower()}{more[1:]}",
        top=display_exact(case.rule.scale.top),
        goal=_goal(step, case, voice),
    )
    if step.is_higher_enough:
        return voice.words.say("{even}; an earlier score would have to rise.", even=even)
    return voice.words.say("{even}: the rule asks for what evidence cannot show.", even=even)
