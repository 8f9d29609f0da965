"""From scores to statuses, for a district: the columnar core against a plain loop."""

from collections import defaultdict
from functools import partial

import numpy as np

from benchmarks.partition import ROWS as PARTITION_ROWS
from benchmarks.partition import partition
from benchmarks.timing import Row, rate
from mapping.columns import NO_MOMENT
from mapping.evidence.policy import Attempts, EvidencePolicy
from mapping.evidence.tables import AlignmentTable, ScoreTable, View
from mapping.judgement.grounds import Grounds
from mapping.judgement.judging import judge
from mapping.judgement.views import judge_both
from mapping.records import ScoreState
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.rulebook import RuleBook
from mapping.status import StandingTable

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
        *_nights(),
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


_MIXED = (
    MasteryRule(recheck_days=90),
    MasteryRule(method="decaying_average", recheck_days=120),
    MasteryRule(method="recent_n", policy=EvidencePolicy(attempts=Attempts.BEST), recheck_days=60),
)


def _nights() -> list[Row]:
    """Both views of a partition as the night computes it, beside one judgement a view."""
    kinds = {
        "judging a partition": ("the default rule", partition(MasteryRule())),
        "judging by mixed rules": ("three rules, retention", partition(*_MIXED, has_strands=True)),
    }
    return [
        row
        for name, (what, grounds) in kinds.items()
        for row in (
            Row(
                benchmark=name,
                role="ours",
                what=f"mapping.judgement.views, both views, {what}, one core",
                rate=rate(PARTITION_ROWS, partial(judge_both, grounds)),
            ),
            Row(
                benchmark=name,
                role="peer",
                what="mapping.judgement.judging once for each view",
                rate=rate(PARTITION_ROWS, partial(_twice, grounds)),
            ),
        )
    ]


def _twice(grounds: Grounds) -> list[StandingTable]:
    return [judge(grounds, view) for view in View]


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
