"""The evidence of one competency piece by piece, each with why it does or does not count."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import isnan
from types import MappingProxyType

import numpy as np

from mapping.columns import BoolArray, CodeArray
from mapping.evidence.policy import Attempts, EvidencePolicy
from mapping.evidence.tables import KINDS, NOT_BRIDGED, EvidenceTable, Reason, ScoreTable
from mapping.explanation.voice import Voice, moment_of
from mapping.records import EvidenceKind
from mapping.scales import EPSILON, RatingScale
from mapping.steps import Steps, is_pass, unpacked
from mapping.wording import Figure, marked

_IS_ATTEMPT = (Reason.COUNTED, Reason.OTHER_ATTEMPT, Reason.TOO_SOON, Reason.LOWEST, Reason.KIND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One row of evidence; ``value`` is in points of the scale.

    ``points`` are the line item's, which run from ``minimum`` to ``maximum``.

    ``why`` says in a sentence why it does or does not count.
    """

    line_item: int
    occurred_at: datetime | None
    attempt: int
    points: float | None
    maximum: float
    value: float | None
    weight: float
    kind: EvidenceKind
    is_late: bool
    is_counted: bool
    why: str
    course: int = 0
    via: int | None = None
    minimum: float = 0.0


def pieces_of(
    table: EvidenceTable, scores: ScoreTable, policy: EvidencePolicy, *, voice: Voice
) -> tuple[Piece, ...]:
    """The pieces of one learner's competency.

    Args:
        table: Its evidence.
        scores: What it was seen in.
        policy: By which it was seen.
        voice: Who speaks.

    Returns:
        A piece for each row, in its order.
    """
    minima = dict(zip(scores.line_item.tolist(), scores.minimum.tolist(), strict=True))
    pieces = [_piece(table, row, policy, voice=voice) for row in range(len(table))]
    return tuple(
        _by_steps(
            _from_minimum(piece, minima[piece.line_item], voice),
            unpacked(int(table.steps[row])),
            table.scale,
            voice=voice,
        )
        for row, piece in enumerate(pieces)
    )


def _by_steps(piece: Piece, steps: Steps, scale: RatingScale, *, voice: Voice) -> Piece:
    """A piece whose score the mapping takes as a level, or as passed or failed."""
    if not steps or piece.value is None:
        return piece
    level = scale.level_of(piece.value).label
    told = (
        voice.words.say(
            "The mapping takes it as passed from {percent}% on: it is worth {level}.",
            percent=steps[0],
            level=level,
        )
        if is_pass(steps)
        else voice.words.say(
            "The mapping takes its percentage as a level: it is worth {level}.", level=level
        )
    )
    return replace(piece, why=f"{piece.why} {told}")


def _from_minimum(piece: Piece, minimum: float, voice: Voice) -> Piece:
    """A piece whose points do not begin at 0: half of them is not half of what was possible."""
    if minimum == 0.0 or piece.value is None:
        return replace(piece, minimum=minimum)
    runs = voice.words.say(
        "Its points run from {minimum} to {maximum}.",
        minimum=Figure(f"{minimum:g}"),
        maximum=Figure(f"{piece.maximum:g}"),
    )
    return replace(piece, minimum=minimum, why=f"{piece.why} {runs}")


def _piece(table: EvidenceTable, row: int, policy: EvidencePolicy, *, voice: Voice) -> Piece:
    reason = Reason(table.reason[row])
    return Piece(
        line_item=int(table.line_item[row]),
        occurred_at=moment_of(int(table.occurred_at[row])),
        attempt=int(table.attempt[row]),
        points=_or_none(float(table.points[row])),
        maximum=float(table.maximum[row]),
        value=_or_none(float(table.value[row])),
        weight=float(table.weight[row]),
        kind=KINDS[table.kind[row]],
        is_late=bool(table.is_late[row]),
        is_counted=reason is Reason.COUNTED,
        why=_why(table, row, policy, voice=voice),
        course=int(table.course[row]),
        via=None if table.via[row] == NOT_BRIDGED else int(table.via[row]),
    )


def _or_none(number: float) -> float | None:
    return None if isnan(number) else number


def _why(table: EvidenceTable, row: int, policy: EvidencePolicy, *, voice: Voice) -> str:
    reason = Reason(table.reason[row])
    match reason:
        case Reason.COUNTED:
            return _counted(table, row, policy, voice=voice)
        case Reason.OTHER_ATTEMPT:
            return _other_attempt(table, row, policy, voice=voice)
        case Reason.TOO_SOON:
            return voice.words.say(
                "It was handed in within {hours} hours of the attempt before it; the rule asks "
                "for a longer pause.",
                hours=Figure(f"{policy.cooldown_hours:g}"),
            )
        case Reason.FUTURE:
            return voice.words.say(
                "It is dated in the future; from {day} on it counts.",
                day=voice.on(int(table.occurred_at[row])),
            )
        case Reason.KIND:
            return voice.words.say(_UNHEARD[KINDS[table.kind[row]]])
    return voice.words.say(reason.sentence)


_UNHEARD: Mapping[EvidenceKind, str] = MappingProxyType(
    {
        EvidenceKind.RECALL: marked("The rule does not count recall tasks."),
        EvidenceKind.SKILL: marked("The rule does not count skill tasks."),
        EvidenceKind.APPLICATION: marked("The rule does not count application tasks."),
        EvidenceKind.OBSERVATION: marked("The rule does not count observations."),
        EvidenceKind.SELF: marked("It is a self-assessment; the rule does not count those."),
        EvidenceKind.EXTERNAL: marked("The rule does not count evidence from outside the school."),
    }
)


def _counted(table: EvidenceTable, row: int, policy: EvidencePolicy, *, voice: Voice) -> str:
    words, others = voice.words, int(_attempts(table, row).sum())
    if table.points[row] > table.maximum[row] + EPSILON:
        return words.say("It counts; points above the maximum count as the maximum.")
    if others == 1:
        return words.say("It counts.")
    if policy.attempts is Attempts.LAST:
        return words.say("It counts: the last of {count} attempts.", count=others)
    if policy.attempts is Attempts.BEST:
        return words.say("It counts: the best of {count} attempts.", count=others)
    return words.say("It counts: attempt {number}.", number=int(table.attempt[row]))


def _other_attempt(table: EvidenceTable, row: int, policy: EvidencePolicy, *, voice: Voice) -> str:
    words = voice.words
    if policy.attempts is Attempts.LAST_FEW:
        return words.count(
            "Only the last {count} attempt at an activity counts.",
            "Only the last {count} attempts at an activity count.",
            policy.last_few,
        )
    # Which of them counts, also where it is left out for another reason after that.
    is_other = _attempts(table, row) & (table.reason != Reason.OTHER_ATTEMPT)
    number = int(table.attempt[is_other & (table.reason != Reason.TOO_SOON)].max(initial=0))
    if policy.attempts is Attempts.BEST:
        return words.say(
            "Attempt {number} at the same activity stands instead, as the best one.", number=number
        )
    return words.say(
        "Attempt {number} at the same activity stands instead, as the last one.", number=number
    )


def _attempts(table: EvidenceTable, row: int) -> BoolArray:
    """The graded attempts at the line item of a row."""
    reason: CodeArray = table.reason
    is_same: BoolArray = (table.line_item == table.line_item[row]) & np.isin(reason, _IS_ATTEMPT)
    return is_same
