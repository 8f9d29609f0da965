"""A district's partition as the night computes it: 1,000 learners with 300 scores each."""

import numpy as np

from mapping.columns import NO_MOMENT, IntArray
from mapping.evidence.tables import AlignmentTable, ScoreTable
from mapping.judgement.grounds import Grounds
from mapping.progressions.graph import Hierarchy
from mapping.records import ScoreState
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.rulebook import RuleBook
from mapping.rules.scopes import EffectiveRule

LEARNERS, ITEMS_EACH = 1_000, 300
ROWS = LEARNERS * ITEMS_EACH
AT = 1_790_000_000_000_000
"""The moment of judgement, in microseconds."""

_COURSES, _ITEMS_A_COURSE, _COURSES_EACH = 100, 60, 5
_COMPETENCIES = 60
_STRANDS = 6
_SECOND, _DAY = 1_000_000, 86_400_000_000
_TERM_DAYS = 270


def partition(*rules: MasteryRule, has_strands: bool = False) -> Grounds:
    """Grounds of a partition, the same ones every time.

    Of the cells 4 % are late, 5 % not graded, 2 % missing, 2 % excused, 2 % not visible to the
    learner, 3 % have an earlier attempt; four in ten have no due date. A line item in ten speaks
    for two competencies.

    Args:
        rules: One or more; competencies have them in turn.
        has_strands: Whether competencies are children of strands.

    Returns:
        Grounds with scores in the order of learner, line item and attempt, as the store has them.
    """
    rng = np.random.default_rng(7)
    competency = np.arange(_COMPETENCIES)
    strands = [(one, _COMPETENCIES + one % _STRANDS) for one in competency.tolist()]
    return Grounds(
        scores=_scores(rng),
        alignments=_alignments(rng),
        book=RuleBook(
            rules=tuple(EffectiveRule(rule=rule, chain=(), origin={}) for rule in rules),
            competency=competency,
            rule=competency % len(rules),
        ),
        hierarchy=Hierarchy.of(strands if has_strands else ()),
        at=AT,
    )


def _scores(rng: np.random.Generator) -> ScoreTable:
    learner, item = _cells(rng)
    has_before = rng.random(ROWS) < 0.03
    row = np.repeat(np.arange(ROWS), 1 + has_before)
    attempt = np.ones(row.size, dtype=np.int64)
    attempt[1:] += row[1:] == row[:-1]
    given = {
        "line_item": item[row],
        "learner": learner[row],
        "attempt": attempt,
        "minimum": np.zeros(row.size),
        "maximum": np.where(item % 3 == 0, 10.0, 100.0)[row],
        "is_visible": (rng.random(ROWS) >= 0.02)[row],
        "course": (item // _ITEMS_A_COURSE)[row],
    }
    ability = rng.normal(0.75, 0.12, LEARNERS)[learner[row]]
    share = np.clip(ability + rng.normal(0.0, 0.15, row.size), 0.0, 1.1)
    due = AT - rng.integers(0, _TERM_DAYS, item.max() + 1) * _DAY
    submitted = due[item[row]] - rng.integers(-_DAY // _SECOND, 3 * _DAY // _SECOND, row.size) * (
        _SECOND
    )
    has_due, has_submission = (rng.random(due.size) < 0.6)[item[row]], rng.random(row.size) < 0.9
    return ScoreTable.of(
        {
            **given,
            "state": rng.choice(_STATES, row.size, p=_SHARES).astype(np.int8),
            "points": np.round(share * given["maximum"], 1),
            "is_late": rng.random(row.size) < 0.04,
            "submitted_at": np.where(has_submission, submitted, NO_MOMENT),
            "due_at": np.where(has_due, due[item[row]], NO_MOMENT),
            "graded_at": submitted + rng.integers(0, 7 * _DAY // _SECOND, row.size) * _SECOND,
        }
    )


_STATES = (ScoreState.GRADED, ScoreState.NOT_GRADED, ScoreState.MISSING, ScoreState.EXCUSED)
_SHARES = (0.91, 0.05, 0.02, 0.02)


def _cells(rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Learner and line item of every cell: whole courses, ascending."""
    courses = np.sort(
        np.argsort(rng.random((LEARNERS, _COURSES)), axis=1)[:, :_COURSES_EACH], axis=1
    )
    items = courses[:, :, np.newaxis] * _ITEMS_A_COURSE + np.arange(_ITEMS_A_COURSE)
    return np.repeat(np.arange(LEARNERS), ITEMS_EACH), items.reshape(-1)


def _alignments(rng: np.random.Generator) -> AlignmentTable:
    items = np.arange(_COURSES * _ITEMS_A_COURSE)
    also = items[rng.random(items.size) < 0.1]
    first = rng.integers(0, _COMPETENCIES, items.size)
    competency = np.concatenate((first, (first[also] + 1) % _COMPETENCIES))
    item = np.concatenate((items, also))
    return AlignmentTable.of(
        {
            "line_item": item,
            "competency": competency,
            "weight": np.where(competency % 4 == 0, 2.0, 1.0),
            "kind": np.zeros(item.size, dtype=np.int8),
        }
    )
