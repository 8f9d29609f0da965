"""What would become of a standing if further evidence came: the engine asked, not algebra.

Every trial is a learner of its own, made of one learner's scores and some further pieces, so that
hundreds of trials are judged in one go and by the very functions that judge a district's night.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mapping.columns import NO_MOMENT, FloatArray, IntArray
from mapping.evidence.tables import KINDS, AlignmentTable, ScoreTable, View
from mapping.judgement.grounds import Grounds
from mapping.judgement.judging import judge
from mapping.judgement.overrides import OverrideTable
from mapping.records import EvidenceKind, ScoreState
from mapping.rules.rulebook import Enrolments
from mapping.status import StandingTable, Status

DAY = 86_400_000_000
"""Microseconds in a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A piece of evidence that might come: graded, shown to the learner, of weight 1.

    Attributes:
        competency: What it speaks for.
        top: The greatest value it can have, in scale points.
        kind: Of which kind; without a meaning for a new attempt.
        attempt_at: The line item that it is a new attempt at; None for a new activity.
        course: The course of a new activity; None for one without any evidence so far.
        pattern: What the activity is called, where a rule asks for it; None for anything.
        days: How many days from the moment of judgement it is handed in.
    """

    competency: int
    top: float
    kind: EvidenceKind = EvidenceKind.SKILL
    attempt_at: int | None = None
    course: int | None = 0
    pattern: str | None = None
    days: int = 0


def restricted(grounds: Grounds, *, learner: int, view: View) -> Grounds:
    """One learner's grounds; to the learner, without what is hidden.

    Args:
        grounds: Of any learners.
        learner: The learner.
        view: Whose eyes they are for.

    Returns:
        Grounds that give the learner the same standings.
    """
    is_theirs = grounds.scores.learner == learner
    if view is View.LEARNER:
        is_theirs &= grounds.scores.is_visible
    enrolments, overrides = grounds.enrolments, grounds.overrides
    return replace(
        grounds,
        scores=grounds.scores.rows(is_theirs),
        enrolments=Enrolments(
            learner=enrolments.learner[enrolments.learner == learner],
            course=enrolments.course[enrolments.learner == learner],
        ),
        overrides=overrides.rows(overrides.learner == learner),
    )


def narrowed(grounds: Grounds, competencies: Sequence[int]) -> Grounds:
    """Grounds with nothing but the scores that speak for some competencies."""
    is_wanted = np.isin(grounds.alignments.competency, competencies)
    wanted = grounds.alignments.line_item[is_wanted]
    return replace(
        grounds,
        scores=grounds.scores.rows(np.isin(grounds.scores.line_item, wanted)),
        alignments=grounds.alignments.rows(is_wanted),
    )


def tried(
    grounds: Grounds,
    extras: Sequence[Extra],
    *,
    values: FloatArray,
) -> StandingTable:
    """Judge one learner with further pieces, many trials at once.

    Args:
        grounds: Of one learner.
        extras: The pieces that some trial has.
        values: Shape trials by extras: the value of each piece in each trial, in points of the
            scale it is measured on; NaN where the trial does not have it.

    Returns:
        The standings, with the number of the trial for the learner.
    """
    return _judged(
        grounds,
        extras,
        values=values,
        overrides=_overridden(grounds.overrides, values.shape[0]),
    )


def tried_mastery(
    grounds: Grounds,
    sets: Sequence[Sequence[int]],
    extras: Sequence[Extra],
    *,
    values: FloatArray,
) -> StandingTable:
    """Judge one learner as if persons had said that some competencies are mastered.

    Args:
        grounds: Of one learner.
        sets: For each trial the competencies that are taken as mastered.
        extras: See ``tried``.
        values: See ``tried``; a row for each trial.

    Returns:
        The standings, with the number of the trial for the learner.
    """
    given_at = NO_MOMENT + 1 if grounds.at is None else grounds.at
    known = _overridden(grounds.overrides, len(sets))
    is_kept = [
        competency not in sets[trial]
        for trial, competency in zip(known.learner.tolist(), known.competency.tolist(), strict=True)
    ]
    said = [(trial, competency) for trial, each in enumerate(sets) for competency in each]
    learner, competency = np.array(said, dtype=np.int64).reshape(-1, 2).T
    new = {
        "learner": learner,
        "competency": competency,
        "status": np.full(learner.size, Status.MASTERED),
        "given_at": np.full(learner.size, given_at),
        "until": np.full(learner.size, NO_MOMENT),
    }
    columns = {
        name: np.concatenate((getattr(known, name)[is_kept], column))
        for name, column in new.items()
    }
    return _judged(grounds, extras, values=values, overrides=OverrideTable.of(columns))


def _judged(
    grounds: Grounds, extras: Sequence[Extra], *, values: FloatArray, overrides: OverrideTable
) -> StandingTable:
    size = values.shape[0]
    fresh = _Fresh.of(grounds, extras)
    scores = _joined(_tiled(grounds.scores, size), fresh.scores(values))
    latest = max((extra.days for extra in extras), default=0) * DAY
    return judge(
        replace(
            grounds,
            scores=scores,
            alignments=fresh.alignments(grounds.alignments),
            enrolments=_enrolled(grounds.enrolments, size),
            overrides=overrides,
            line_items_of=fresh.line_items_of(grounds.line_items_of),
            at=None if grounds.at is None else grounds.at + latest,
        )
    )


def raised(scores: ScoreTable) -> ScoreTable:
    """The same scores, all at what was possible."""
    return replace(scores, points=scores.maximum)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fresh:
    """Where further pieces stand: their line items, courses, attempts and moments."""

    extras: Sequence[Extra]
    line_item: IntArray
    course: IntArray
    attempt: IntArray
    moment: IntArray

    @classmethod
    def of(cls, grounds: Grounds, extras: Sequence[Extra]) -> "_Fresh":
        scores = grounds.scores
        item = 1 + max(
            int(scores.line_item.max(initial=0)), int(grounds.alignments.line_item.max(initial=0))
        )
        course = 1 + int(scores.course.max(initial=0))
        numbers = range(len(extras))
        return cls(
            extras=extras,
            line_item=_whole(
                item + number if extra.attempt_at is None else extra.attempt_at
                for number, extra in zip(numbers, extras, strict=True)
            ),
            course=_whole(
                course + number if extra.course is None else extra.course
                for number, extra in zip(numbers, extras, strict=True)
            ),
            attempt=_whole(_next_attempt(scores, extra.attempt_at) for extra in extras),
            moment=_whole(_now(grounds) + extra.days * DAY for extra in extras),
        )

    def scores(self, values: FloatArray) -> ScoreTable:
        row, extra = np.nonzero(~np.isnan(values))
        moment = self.moment[extra]
        top = np.array([extra.top for extra in self.extras])
        return ScoreTable.of(
            {
                "line_item": self.line_item[extra],
                "learner": row,
                "state": np.full(row.size, ScoreState.GRADED),
                "points": values[row, extra],
                "minimum": np.zeros(row.size),
                "maximum": top[extra],
                "attempt": self.attempt[extra],
                "is_visible": np.ones(row.size, dtype=np.bool_),
                "is_late": np.zeros(row.size, dtype=np.bool_),
                "submitted_at": moment,
                "due_at": moment,
                "graded_at": moment,
                "course": self.course[extra],
            }
        )

    def alignments(self, known: AlignmentTable) -> AlignmentTable:
        is_new = [extra.attempt_at is None for extra in self.extras]
        added = {
            "line_item": self.line_item[is_new],
            "competency": _whole(e.competency for e in self.extras if e.attempt_at is None),
            "weight": np.ones(sum(is_new)),
            "kind": _whole(KINDS.index(e.kind) for e in self.extras if e.attempt_at is None),
            "via": np.full(sum(is_new), -1),
            "steps": np.zeros(sum(is_new), dtype=np.int64),
        }
        return AlignmentTable.of(
            {name: np.concatenate((getattr(known, name), column)) for name, column in added.items()}
        )

    def line_items_of(self, known: Mapping[str, frozenset[int]]) -> dict[str, frozenset[int]]:
        matched = dict(known)
        for extra, line_item in zip(self.extras, self.line_item.tolist(), strict=True):
            if extra.pattern is not None:
                matched[extra.pattern] = matched.get(extra.pattern, frozenset()) | {line_item}
        return matched


def _whole(numbers: object) -> IntArray:
    return np.fromiter(numbers, dtype=np.int64)  # type: ignore[call-overload, no-any-return]


def _next_attempt(scores: ScoreTable, line_item: int | None) -> int:
    theirs = scores.attempt[scores.line_item == line_item] if line_item is not None else None
    return 1 if theirs is None else 1 + int(theirs.max(initial=0))


def _now(grounds: Grounds) -> int:
    """The moment of judgement; outside time, just after everything that is known."""
    if grounds.at is not None:
        return grounds.at
    scores = grounds.scores
    columns = (scores.submitted_at, scores.due_at, scores.graded_at, scores.given_at)
    newest = max(int(column.max(initial=NO_MOMENT)) for column in columns)
    return 0 if newest == NO_MOMENT else newest + 1


def _joined(one: ScoreTable, other: ScoreTable) -> ScoreTable:
    return ScoreTable(
        **{
            name: np.concatenate((getattr(one, name), getattr(other, name)))
            for name in ScoreTable.__slots__
        }
    )


def _tiled(scores: ScoreTable, times: int) -> ScoreTable:
    tiled = scores.rows(np.tile(np.arange(len(scores)), times))
    return replace(tiled, learner=np.repeat(np.arange(times), len(scores)))


def _enrolled(enrolments: Enrolments, times: int) -> Enrolments:
    return Enrolments(
        learner=np.repeat(np.arange(times), enrolments.learner.size),
        course=np.tile(enrolments.course, times),
    )


def _overridden(overrides: OverrideTable, times: int) -> OverrideTable:
    rows = np.tile(np.arange(overrides.learner.size), times)
    columns = {name: getattr(overrides, name)[rows] for name in OverrideTable.__slots__}
    learner = np.repeat(np.arange(times), overrides.learner.size)
    return OverrideTable.of({**columns, "learner": learner})
