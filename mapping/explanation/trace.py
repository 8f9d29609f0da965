"""Why a status is what it is: the pieces, the worked formula, and what would change it.

Everything here comes from the functions that gave the status itself: the engine is asked, also
for what would change it; nothing is worked out a second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mapping.evidence.tables import View
from mapping.explanation.family_words import family_words
from mapping.explanation.inquiry import Inquiry
from mapping.explanation.own_words import Part, own_words, policy_sentences
from mapping.explanation.piece_sentences import Piece, pieces_of
from mapping.explanation.remarks import remarks_of
from mapping.explanation.trace_sentences import ClauseLine
from mapping.explanation.voice import PLAIN, Voice, moment_of
from mapping.judgement.grounds import Grounds
from mapping.status import OverrideState, Status

__all__ = ["ClauseLine", "Part", "Piece", "Trace", "trace", "traces"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One status, explained.

    Attributes:
        learner: Whose.
        competency: In what.
        status: The status; ``label`` is what the rule's scale calls it.
        computed: What it would be without a person's override.
        level: The index of the scale's level that the estimate reaches, ``NO_LEVEL`` for none.
        estimate: In points of the rule's scale.
        evidence_count: How many pieces count.
        mastered_count: How many children are mastered; 1 or 0 without children.
        rule: The rule in one sentence.
        origin: Where the rule was set, and what each narrower scope changed of it.
        policy: Which evidence counts and in which order, in sentences.
        formula: The calculation with its numbers; empty where there is no estimate.
        confidence: How much the evidence says, in a sentence; empty without an estimate.
        clauses: What mastery asks for, each with whether it is met.
        clause: What is not met yet, in a sentence; empty when mastered.
        changes: What would change the status, the smallest step first.
        remarks: What time and persons have to do with it: first mastered, re-check, override.
        pieces: The evidence, oldest first, what does not count included.
        parts: The components of a parent; empty without children.
        mastered_at: When mastery was first reached.
        review_at: The next moment at which time alone may change the status.
        override: Whether a person's judgement stands in place of the computed status.
    """

    learner: int
    competency: int
    status: Status
    label: str
    computed: Status
    level: int
    estimate: float | None
    evidence_count: int
    mastered_count: int
    rule: str
    origin: str = ""
    policy: tuple[str, ...] = ()
    formula: str
    confidence: str = ""
    clauses: tuple[ClauseLine, ...] = ()
    clause: str
    changes: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    pieces: tuple[Piece, ...]
    parts: tuple[Part, ...] = ()
    mastered_at: datetime | None = None
    review_at: datetime | None = None
    override: OverrideState = OverrideState.NONE


def trace(
    grounds: Grounds,
    *,
    learner: int,
    competency: int,
    view: View = View.TEACHER,
    voice: Voice = PLAIN,
) -> Trace:
    """Explain the status of one learner in one competency or strand.

    Args:
        grounds: As ``judge`` was given them; may hold other learners and competencies too.
        learner: The learner.
        competency: The competency.
        view: Whose eyes it is for; to the learner, hidden scores are not even named.
        voice: Who speaks: the language and the calendar.

    Returns:
        The trace; that of "no evidence yet" where there is no row of evidence.

    Source: product/experience.md 4.3.
    """
    (found,) = traces(grounds, learner=learner, competencies=(competency,), view=view, voice=voice)
    return found


def traces(
    grounds: Grounds,
    *,
    learner: int,
    competencies: Sequence[int],
    view: View = View.TEACHER,
    voice: Voice = PLAIN,
) -> tuple[Trace, ...]:
    """Explain where one learner stands in some competencies, judging the learner once.

    Args:
        grounds: As for ``trace``.
        learner: The learner.
        competencies: The competencies.
        view: As for ``trace``.
        voice: As for ``trace``.

    Returns:
        A trace for each competency, in their order; each as ``trace`` alone would give it.
    """
    inquiry = Inquiry.of(grounds, learner, view=view, voice=voice)
    return tuple(_traced(inquiry, competency) for competency in competencies)


def _traced(inquiry: Inquiry, competency: int) -> Trace:
    own, voice = inquiry.own(competency), inquiry.voice
    told, computed = inquiry.standing(competency), inquiry.computed_standing(competency)
    say = family_words if inquiry.is_family(competency) else own_words
    words, rule = say(inquiry, own, told=told, computed=computed), own.effective.rule
    return Trace(
        learner=inquiry.learner,
        competency=competency,
        status=told.status,
        label=rule.label(told.status, told.level),
        computed=computed.status,
        level=told.level,
        estimate=told.estimate,
        evidence_count=told.evidence_count,
        mastered_count=told.mastered_count,
        rule=words.rule,
        origin=own.effective.origin_sentence(voice.words),
        policy=policy_sentences(rule, voice),
        formula=words.formula,
        confidence=words.confidence,
        clauses=words.clauses,
        clause=words.clause,
        changes=words.changes,
        remarks=remarks_of(told, computed, rule, voice=voice),
        pieces=pieces_of(own.case.own, own.case.grounds.scores, rule.policy, voice=voice),
        parts=words.parts,
        mastered_at=moment_of(told.mastered_at),
        review_at=moment_of(told.review_at),
        override=told.override,
    )
