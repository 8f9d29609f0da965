"""Why a status is what it is: the pieces, the worked formula, and what would change it.

Everything here comes from the arrays and the estimator that gave the status itself. What would
change it is found by asking that estimator about further pieces, not by algebra of one method.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isnan

import numpy as np

from mapping.columns import NO_MOMENT, FloatArray
from mapping.estimators import worked_average
from mapping.evidence import KINDS, EvidenceTable, Reason
from mapping.progressions import Hierarchy
from mapping.records import EvidenceKind
from mapping.rules import MasteryRule, pieces
from mapping.scales import display, display_apart, display_exact, reaches
from mapping.status import STRAND_SENTENCE, StandingTable, Status, standings

LOOKAHEAD = 10
"""How many further pieces an answer considers; more is no advice."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One row of evidence. ``points`` and ``maximum`` are the line item's, ``value`` the scale's.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A component of a strand: a child, or the evidence aligned to the strand itself.

    ``is_counted`` is whether it has enough evidence to enter the strand's estimate.
    """

    competency: int
    status: Status
    estimate: float | None
    evidence_count: int
    is_counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One status, explained.

    ``rule`` is the rule in words; ``formula`` the calculation with its numbers, empty where
    there is no estimate; ``clause`` what is not met yet, empty when mastered; ``changes`` what
    would change the status, the smallest step first. ``parts`` is empty but for a strand.
    """

    learner: int
    competency: int
    status: Status
    estimate: float | None
    evidence_count: int
    mastered_count: int
    rule: str
    formula: str
    clause: str
    changes: tuple[str, ...]
    pieces: tuple[Piece, ...]
    parts: tuple[Part, ...] = ()


def trace(
    evidence: EvidenceTable,
    rule: MasteryRule,
    *,
    learner: int,
    competency: int,
    hierarchy: Hierarchy | None = None,
) -> Trace:
    """Explain the status of one learner in one competency or strand.

    Args:
        evidence: May hold other learners and competencies too.
        rule: Must be on the scale of the evidence.
        learner: The learner.
        competency: The competency.
        hierarchy: As it was given to ``standings``.

    Returns:
        The trace; that of "no evidence yet" where there is no row of evidence.

    Raises:
        ValueError: Rule and evidence are on different scales.

    Source: product/experience.md 4.3.
    """  # noqa: DOC502 - raised by standings()
    theirs = evidence.of_learner(learner)
    own = theirs.of_competency(competency)
    if hierarchy is None or not hierarchy.children_of(competency):
        return _plain(own, rule, learner=learner, competency=competency)
    settled = standings(theirs, rule, hierarchy)
    is_child = np.isin(settled.competency, hierarchy.children_of(competency))
    direct = standings(own, rule)
    parts = (*_parts(settled.rows(is_child)), *_parts(direct))
    strand = settled.rows(settled.competency == competency)
    return _strand(
        _plain(own, rule, learner=learner, competency=competency), strand, parts, rule=rule
    )


def _plain(own: EvidenceTable, rule: MasteryRule, *, learner: int, competency: int) -> Trace:
    standing = next(iter(_parts(standings(own, rule))), _nothing(competency))
    is_counted = own.is_counted
    values, weights = own.value[is_counted], own.weight[is_counted]
    worked = rule.how().worked
    return Trace(
        learner=learner,
        competency=competency,
        status=standing.status,
        estimate=standing.estimate,
        evidence_count=standing.evidence_count,
        mastered_count=int(standing.status is Status.MASTERED),
        rule=rule.sentence(),
        formula=""
        if standing.estimate is None
        else worked(values, weights, **rule.how().settled(rule.parameters)),
        clause=_clause(standing, rule),
        changes=_changes(standing.status, values, weights, rule=rule),
        pieces=_pieces(own),
    )


def _nothing(competency: int) -> Part:
    return Part(
        competency=competency,
        status=Status.NO_EVIDENCE,
        estimate=None,
        evidence_count=0,
        is_counted=False,
    )


def _parts(table: StandingTable) -> tuple[Part, ...]:
    rows = zip(
        table.competency.tolist(),
        table.status.tolist(),
        table.estimate.tolist(),
        table.evidence_count.tolist(),
        strict=True,
    )
    return tuple(
        Part(
            competency=competency,
            status=Status(status),
            estimate=_or_none(estimate),
            evidence_count=count,
            is_counted=Status(status).is_evidenced,
        )
        for competency, status, estimate, count in rows
    )


def _pieces(table: EvidenceTable) -> tuple[Piece, ...]:
    return tuple(_piece(table, row) for row in range(len(table)))


def _piece(table: EvidenceTable, row: int) -> Piece:
    reason = Reason(table.reason[row])
    return Piece(
        line_item=int(table.line_item[row]),
        occurred_at=_moment(int(table.occurred_at[row])),
        attempt=int(table.attempt[row]),
        points=_or_none(float(table.points[row])),
        maximum=float(table.maximum[row]),
        value=_or_none(float(table.value[row])),
        weight=float(table.weight[row]),
        kind=KINDS[table.kind[row]],
        is_late=bool(table.is_late[row]),
        is_counted=reason is Reason.COUNTED,
        why=reason.sentence,
    )


def _moment(micros: int) -> datetime | None:
    return None if micros == NO_MOMENT else _EPOCH + timedelta(microseconds=micros)


def _or_none(number: float) -> float | None:
    return None if isnan(number) else number


def _clause(standing: Part, rule: MasteryRule) -> str:
    if standing.status is Status.MASTERED:
        return ""
    if standing.evidence_count < rule.minimum_evidence:
        return (
            f"At least {pieces(rule.minimum_evidence)} must count; "
            f"so far {standing.evidence_count or 'none'} of them "
            f"{'does' if standing.evidence_count == 1 else 'do'}."
        )
    if standing.estimate is None:
        return f"The evidence gives no {rule.how().label} yet."
    return _below(f"The {rule.how().label}", standing.estimate, rule)


def _below(subject: str, estimate: float, rule: MasteryRule) -> str:
    return (
        f"{subject} is {display_apart(estimate, rule.mastered)}; "
        f"Mastered begins at {display_exact(rule.mastered)}."
    )


def _changes(
    status: Status, values: FloatArray, weights: FloatArray, *, rule: MasteryRule
) -> tuple[str, ...]:
    missing = max(0, rule.minimum_evidence - values.size)
    cuts = {
        Status.MASTERED: (),
        Status.EMERGING: ((rule.developing, Status.DEVELOPING), (rule.mastered, Status.MASTERED)),
    }.get(status, ((rule.mastered, Status.MASTERED),))
    needed = (f"{missing} more {_noun(missing)} needed.",) if missing else ()
    steps = (_step(values, weights, cut, rule=rule, goal=goal) for cut, goal in cuts)
    return (*needed, *steps)


def _noun(count: int) -> str:
    return "piece of evidence is" if count == 1 else "pieces of evidence are"


def _step(
    values: FloatArray, weights: FloatArray, cut: float, *, rule: MasteryRule, goal: Status
) -> str:
    """The least number of further pieces, and their least value, that reach a cut."""
    fewest = max(1, rule.minimum_evidence - values.size)
    top = rule.scale.top
    trials = [np.full(count, top) for count in range(fewest, fewest + LOOKAHEAD)]
    reached = np.flatnonzero(reaches(_tried(values, weights, trials, rule=rule), cut))
    heavy = "" if np.all(weights == 1.0) else " of weight 1"
    if reached.size == 0:
        return (
            f"Even {fewest + LOOKAHEAD - 1} more pieces of evidence{heavy} at {display(top)} "
            f"would not reach {goal.label}; an earlier score would have to rise."
        )
    count = fewest + int(reached[0])
    least = _least_value(values, weights, cut, rule=rule, count=count)
    return f"{_more(count, heavy, _level(least, top))} would reach {goal.label}."


def _least_value(
    values: FloatArray, weights: FloatArray, cut: float, *, rule: MasteryRule, count: int
) -> float:
    """The lowest hundredth that reaches the cut, the top of the scale if none below it does.

    A better piece never lowers an estimate, so halving the range finds it.
    """
    top = rule.scale.top

    def is_enough(hundredths: int) -> bool:
        trial = np.full(count, min(hundredths / 100.0, top))
        return bool(reaches(_tried(values, weights, [trial], rule=rule), cut)[0])

    least = bisect_left(range(int(top * 100.0) + 1), True, key=is_enough)  # noqa: FBT003 - the sought answer
    return min(least / 100.0, top)


def _tried(
    values: FloatArray, weights: FloatArray, trials: Sequence[FloatArray], *, rule: MasteryRule
) -> FloatArray:
    """The estimate with each trial added as newest pieces of weight 1."""
    columns = [np.concatenate((values, trial)) for trial in trials]
    heavy = [np.concatenate((weights, np.ones(trial.size))) for trial in trials]
    offsets = np.cumsum([0, *(column.size for column in columns)])
    return rule.estimator()(np.concatenate(columns), np.concatenate(heavy), offsets)


def _level(least: float, top: float) -> str:
    if least == 0.0:
        return "at any level"
    return f"at {display_exact(least)}" + (" or better" if least < top else "")


def _more(count: int, heavy: str, level: str) -> str:
    if count == 1:
        return f"One more piece of evidence{heavy} {level}"
    return f"{count} more pieces of evidence{heavy}, each {level},"


def _strand(
    own: Trace, strand: StandingTable, parts: Sequence[Part], *, rule: MasteryRule
) -> Trace:
    standing = next(iter(_parts(strand)), _nothing(own.competency))
    speaking = np.array([part.estimate for part in parts if part.is_counted], dtype=np.float64)
    return Trace(
        learner=own.learner,
        competency=own.competency,
        status=standing.status,
        estimate=standing.estimate,
        evidence_count=standing.evidence_count,
        mastered_count=int(strand.mastered_count.sum()),
        rule=f"{STRAND_SENTENCE} {rule.sentence()}",
        formula=worked_average(speaking, np.ones(speaking.size)) if speaking.size else "",
        clause=_strand_clause(parts),
        changes=_strand_changes(standing.status, parts),
        pieces=own.pieces,
        parts=tuple(parts),
    )


def _short(parts: Sequence[Part]) -> int:
    return sum(part.evidence_count > 0 and part.status < Status.MASTERED for part in parts)


def _strand_clause(parts: Sequence[Part]) -> str:
    evident = sum(part.evidence_count > 0 for part in parts)
    if not evident:
        return "None of its competencies has evidence that counts."
    short = _short(parts)
    if not short:
        return ""
    return f"{short} of {evident} with evidence {'is' if short == 1 else 'are'} not mastered yet."


def _strand_changes(status: Status, parts: Sequence[Part]) -> tuple[str, ...]:
    if status is Status.MASTERED:
        return ()
    short = _short(parts)
    if not short:
        return ("Evidence for any of its competencies would give it a status.",)
    those = "the one competency" if short == 1 else f"the {short} competencies"
    return (f"Mastering {those} not mastered yet would reach Mastered.",)
