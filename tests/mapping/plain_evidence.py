"""The evidence rules once more, as plain loops over dictionaries: what the columns must agree with.

Written from the rules as persons put them, cell by cell; it shares no code with the columns.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from mapping.columns import NO_MOMENT
from mapping.evidence.policy import Attempts, EvidencePolicy, LatePolicy
from mapping.evidence.tables import KINDS, Reason, View
from mapping.records import ScoreState
from mapping.scales import DEFAULT_SCALE, RatingScale
from mapping.steps import unpacked

Row = Mapping[str, Any]


@dataclass(kw_only=True)
class PlainPiece:
    """What one row of evidence must say; ``None`` for what is not there."""

    learner: int
    competency: int
    line_item: int
    attempt: int
    occurred_at: int | None
    points: float | None
    value: float | None
    weight: float
    reason: Reason


def plain_evidence(
    scores: Sequence[Row],
    alignments: Sequence[Row],
    policy: EvidencePolicy,
    *,
    view: View = View.TEACHER,
    at: int | None = None,
    scale: RatingScale = DEFAULT_SCALE,
) -> list[PlainPiece]:
    """Every piece, in the order of evidence. Rows have all columns; ``None`` is no number."""
    hidden = [view is View.LEARNER and not score["is_visible"] for score in scores]
    reasons = [
        Reason.HIDDEN if is_hidden else _reason(score, policy, at)
        for score, is_hidden in zip(scores, hidden, strict=True)
    ]
    for numbers in _cells(scores):
        _settle([n for n in numbers if not hidden[n]], scores, reasons, policy)
    pieces = [
        _piece(score, alignment, reason, policy, scale)
        for score, reason in zip(scores, reasons, strict=True)
        for alignment in alignments
        if score["line_item"] == alignment["line_item"]
    ]
    pieces.sort(
        key=lambda p: (
            p.learner,
            p.competency,
            -1 if p.occurred_at is None else p.occurred_at,
            p.line_item,
            p.attempt,
        )
    )
    _drop_lowest(pieces, policy.drop_lowest_from)
    return pieces


def _moment(score, policy):
    if score["given_at"] != NO_MOMENT:
        return score["given_at"]
    for name in policy.dated.value:
        moment = score[name]
        is_too_late = name == "due_at" and NO_MOMENT != score["graded_at"] < moment
        if moment != NO_MOMENT and not is_too_late:
            return moment
    return None


_STATES = {
    ScoreState.EXCUSED: Reason.EXCUSED,
    ScoreState.MISSING: Reason.MISSING,
    ScoreState.CLEARED: Reason.CLEARED,
    ScoreState.NOT_GRADED: Reason.NOT_GRADED,
}


def _reason(score, policy, at):
    if score["state"] in _STATES:
        return _STATES[score["state"]]
    if score["is_excluded"]:
        return Reason.EXCLUDED
    if score["is_removed"] and not policy.keeps_removed:
        return Reason.REMOVED
    if not _is_usable(score, policy):
        return Reason.UNUSABLE
    return _measured(score, _moment(score, policy), at)


def _measured(score, moment, at):
    if score["maximum"] <= score["minimum"]:
        return Reason.NO_POINTS_POSSIBLE
    if score["points"] < score["minimum"]:
        return Reason.BELOW_MINIMUM
    is_to_come = at is not None and moment is not None and moment > at
    return Reason.FUTURE if is_to_come else Reason.COUNTED


def _is_usable(score, policy):
    numbers = [score["points"], score["minimum"], score["maximum"]]
    if policy.late is LatePolicy.AFTER_DEDUCTION:
        numbers.append(score["points_deducted"])
    return all(number is not None and isfinite(number) for number in numbers)


def _points(score, policy):
    if policy.late is LatePolicy.AFTER_DEDUCTION and score["points_deducted"] > 0:
        return score["points"] - score["points_deducted"]
    return score["points"]


def _cells(scores):
    cells = defaultdict(list)
    for number, score in enumerate(scores):
        cells[score["learner"], score["line_item"]].append(number)
    return [sorted(numbers, key=lambda n: scores[n]["attempt"]) for numbers in cells.values()]


def _settle(numbers, scores, reasons, policy):
    """One cell: ``numbers`` are its attempts that may be seen, the first one first."""
    excuses = [n for n in numbers if scores[n]["state"] is ScoreState.EXCUSED]
    if any(n == numbers[-1] or scores[n]["attempt"] == 0 for n in excuses):
        for n in numbers:
            reasons[n] = Reason.EXCUSED
    last = None
    for n in [n for n in numbers if reasons[n] is Reason.COUNTED]:
        moment = scores[n]["submitted_at"]
        if moment == NO_MOMENT or not policy.cooldown_hours:
            continue
        is_soon = last is not None and moment - last < policy.cooldown_hours * 3.6e9
        if is_soon and policy.cooldown_hours > 0:
            reasons[n] = Reason.TOO_SOON
        else:
            last = moment
    left = [n for n in numbers if reasons[n] is Reason.COUNTED]
    for n in set(left) - set(_chosen(left, scores, policy)):
        reasons[n] = Reason.OTHER_ATTEMPT


def _chosen(left, scores, policy):
    if policy.attempts is Attempts.ALL:
        return left
    if policy.attempts is Attempts.LAST_FEW:
        return left[-policy.last_few :]
    if policy.attempts is Attempts.BEST:
        return sorted(left, key=lambda n: _points(scores[n], policy))[-1:]
    return left[-1:]


def _piece(score, alignment, reason, policy, scale):
    kind = KINDS[alignment["kind"]]
    if reason is Reason.COUNTED and alignment["weight"] == 0:
        reason = Reason.NO_WEIGHT
    elif reason is Reason.COUNTED and policy.kind_weights[kind] == 0:
        reason = Reason.KIND
    points = value = None
    is_told = score["state"] is ScoreState.GRADED and reason is not Reason.HIDDEN
    if is_told and _is_usable(score, policy):
        points = _points(score, policy)
        span = score["maximum"] - score["minimum"]
        if span > 0 and score["points"] >= score["minimum"]:
            value = _worth((points - score["minimum"]) / span, alignment.get("steps", 0), scale)
    if reason is Reason.HIDDEN:
        score = {**score, "graded_at": NO_MOMENT, "given_at": NO_MOMENT}
    return PlainPiece(
        learner=score["learner"],
        competency=alignment["competency"],
        line_item=score["line_item"],
        attempt=score["attempt"],
        occurred_at=_moment(score, policy),
        points=points,
        value=value,
        weight=alignment["weight"] * policy.kind_weights[kind],
        reason=reason,
    )


def _worth(share, steps, scale):
    if not steps:
        return scale.top * max(0.0, min(1.0, share))
    level = sum(share >= percent / 100 - 1e-9 for percent in unpacked(steps))
    return scale.points_of(min(level, len(scale.levels) - 1))


def _drop_lowest(pieces, least_count):
    pairs = defaultdict(list)
    for piece in pieces:
        if piece.reason is Reason.COUNTED:
            pairs[piece.learner, piece.competency].append(piece)
    for counted in pairs.values():
        if least_count and len(counted) >= least_count:
            min(counted, key=lambda piece: piece.value).reason = Reason.LOWEST
