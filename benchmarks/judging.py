"""From scores to statuses, for a district: the columnar core against a plain loop."""

from collections import defaultdict

import numpy as np

from benchmarks.timing import Row, rate
from mapping.columns import NO_MOMENT
from mapping.evidence.tables import AlignmentTable, ScoreTable
from mapping.judgement.grounds import Grounds
from mapping.judgement.judging import judge
from mapping.records import ScoreState
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.rulebook import RuleBook

ROWS = 500_000
_ITEMS = 400
_COMPETENCIES = 40


def run() -> list[Row]:
    """Measure scores a second through evidence, weighted average and status."""
    rng = np.random.default_rng(1)
    scores = _scores(rng)
    alignments = AlignmentTable.of(
        {
            "line_item": np.arange(_ITEMS),
            "competency": np.arange(_ITEMS) % _COMPETENCIES,
            "weight": np.ones(_ITEMS),
            "kind": np.zeros(_ITEMS, dtype=np.int8),
        }
    )
    grounds = Grounds(scores=scores, alignments=alignments, book=RuleBook.single(MasteryRule()))
    keys = rng.integers(0, 2**40, ROWS)
    name = "judging"
    return [
        Row(
            benchmark=name,
            role="ours",
            what="mapping.judgement.judging from scores to standings, one core",
            rate=rate(ROWS, lambda: judge(grounds)),
        ),
        Row(
            benchmark=name,
            role="peer",
            what="a careful Python loop over dictionaries, same result without reasons",
            rate=rate(ROWS, lambda: _loop(scores), runs=3),
        ),
        Row(
            benchmark=name,
            role="limit",
            what="np.sort of as many keys",
            rate=rate(ROWS, lambda: np.sort(keys)),
        ),
    ]


def _scores(rng: np.random.Generator) -> ScoreTable:
    learners = ROWS // 100
    return ScoreTable.of(
        {
            "line_item": rng.integers(0, _ITEMS, ROWS),
            "learner": rng.integers(0, learners, ROWS),
            "state": np.full(ROWS, int(ScoreState.GRADED), dtype=np.int8),
            "points": rng.uniform(0, 20, ROWS),
            "minimum": np.zeros(ROWS),
            "maximum": np.full(ROWS, 20.0),
            "attempt": np.zeros(ROWS, dtype=np.int64),
            "is_visible": np.ones(ROWS, dtype=np.bool_),
            "is_late": np.zeros(ROWS, dtype=np.bool_),
            "submitted_at": rng.integers(0, 10**15, ROWS),
            "due_at": np.full(ROWS, NO_MOMENT),
            "graded_at": np.full(ROWS, NO_MOMENT),
        }
    )


def _loop(scores: ScoreTable) -> dict[tuple[int, int], str]:
    sums: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
    columns = zip(
        scores.learner.tolist(),
        scores.line_item.tolist(),
        scores.points.tolist(),
        scores.maximum.tolist(),
        strict=True,
    )
    for learner, item, points, maximum in columns:
        cell = sums[learner, item % _COMPETENCIES]
        cell[0] += points / maximum * 4
        cell[1] += 1
    return {
        pair: "more evidence" if count < 2 else _level(total / count)
        for pair, (total, count) in sums.items()
    }


def _level(estimate: float) -> str:
    return "mastered" if estimate >= 3 else "developing" if estimate >= 2 else "emerging"
