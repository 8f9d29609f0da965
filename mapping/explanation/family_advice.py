"""What would change the status of a competency that its children make up, asked of the engine."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mapping.explanation.advice import Goal, Step, steps
from mapping.explanation.inquiry import Inquiry, Own, Standing
from mapping.explanation.trials import tried_mastery
from mapping.rules.strands import RollupMethod
from mapping.status import Status


def family_changes(
    inquiry: Inquiry, own: Own, computed: Standing, *, parts: Sequence[Standing]
) -> tuple[str, ...]:
    """What would bring a parent to mastery, in sentences; nothing where it is mastered.

    Args:
        inquiry: Whose.
        own: The parent's own evidence.
        computed: Where the parent stands without a person's judgement of it.
        parts: Its parts that have a row, children first.
    """
    words, status = inquiry.voice.words, computed.status
    if status is Status.MASTERED:
        return ()
    if status is Status.RECHECK_DUE:
        return (words.say("New evidence of it would show that it is still mastered."),)
    if not any(part.evidence_count or part.status.is_evidenced for part in parts):
        return (words.say("Evidence for any of its {competencies} would give it a status."),)
    return (_mastering(inquiry, own, parts),)


_MOST_NAMED = 5
"""With more competencies than so many, their number says more than their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """Children to be mastered, and whether better evidence of the parent itself is needed too."""

    children: Sequence[int]
    has_own: bool


def _mastering(inquiry: Inquiry, own: Own, parts: Sequence[Standing]) -> str:
    """Which children would have to be mastered: the fewest, the nearest first."""
    order, step = _nearest(inquiry, own, parts), _own_step(own, parts)
    ways = [
        _Way(children=order[:count], has_own=has_own)
        for has_own in ((False,) if step is None else (False, True))
        for count in range(len(order) + 1)
    ]
    extras = () if step is None else step.extras
    least = np.nan if step is None or step.least is None else step.least
    values = np.array([[least if way.has_own else np.nan for _ in extras] for way in ways])
    table = tried_mastery(
        inquiry.family_grounds(own.case.competency),
        [way.children for way in ways],
        extras,
        values=values.reshape(len(ways), len(extras)),
    )
    is_reached = Goal().is_reached(table.rows(table.competency == own.case.competency))
    reached = [way for way, is_met in zip(ways, is_reached.tolist(), strict=True) if is_met]
    if not reached:
        return inquiry.voice.words.say(
            "Mastering all of its {competencies} would not be enough for {Mastered}: what the rule "
            "asks for besides is not there yet."
        )
    return _sentence(reached[0], inquiry, parts)


def _nearest(inquiry: Inquiry, own: Own, parts: Sequence[Standing]) -> list[int]:
    """The children not mastered, those first that bring the parent furthest."""
    rollup, codes = own.effective.rule.rollup, inquiry.grounds.codes
    standings = {part.competency: part for part in parts}
    is_points = rollup.method is RollupMethod.POINTS

    def rank(child: int) -> tuple[bool, float, float]:
        code = codes.get(child, "")
        worth = rollup.weights.get(code, 1.0) if is_points else 0.0
        known = standings.get(child)
        estimate = -1.0 if known is None or known.estimate is None else known.estimate
        return code not in rollup.mandatory, -worth, -estimate

    children = inquiry.grounds.hierarchy.children_of(own.case.competency)
    is_short = (c for c in children if not (c in standings and standings[c].status.is_mastered))
    return sorted(is_short, key=rank)


def _own_step(own: Own, parts: Sequence[Standing]) -> Step | None:
    """What would bring the parent's own evidence to mastery, if there is some that does not."""
    mine = [part for part in parts if part.competency == own.case.competency]
    if not mine or not mine[0].evidence_count or mine[0].status.is_mastered:
        return None
    found = [step for step in steps(own.case, (Goal(),)) if not step.is_attempt]
    return found[0] if found[0].least is not None else None


def _sentence(way: _Way, inquiry: Inquiry, parts: Sequence[Standing]) -> str:
    words = inquiry.voice.words
    if not way.children:
        return words.say("Better evidence of the {strand} itself would reach {Mastered}.")
    what = _what(way, inquiry, parts)
    if way.has_own:
        return words.say(
            "{what}, and better evidence of the {strand} itself, would reach {Mastered}.", what=what
        )
    return words.say("{what} would reach {Mastered}.", what=what)


def _what(way: _Way, inquiry: Inquiry, parts: Sequence[Standing]) -> str:
    voice, codes, count = inquiry.voice, inquiry.grounds.codes, len(way.children)
    words = voice.words
    evident = {p.competency for p in parts if p.evidence_count or p.status.is_evidenced}
    short = {part.competency for part in parts if not part.status.is_mastered} & evident
    named = [codes[child] for child in way.children if child in codes]
    if len(named) == count <= _MOST_NAMED:
        return words.say("Mastering {codes}", codes=voice.listed(named))
    if short.issuperset(way.children) and count < len(short):
        return words.say("Mastering {count} more of its {competencies}", count=count)
    unheard = len(set(way.children) - evident)
    silent = words.count(
        "{count} {competency} without evidence so far",
        "{count} {competencies} without evidence so far",
        unheard,
    )
    if unheard == count:
        return words.say("Mastering {which}", which=silent)
    told = words.count(
        "the one {competency} not mastered yet",
        "the {count} {competencies} not mastered yet",
        count - unheard,
    )
    both = voice.listed([told, silent] if unheard else [told])
    return words.say("Mastering {which}", which=both)
