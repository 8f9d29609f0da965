"""Small tables for the tests of the core."""

from collections.abc import Mapping, Sequence
from math import inf, nan
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from mapping.columns import NO_MOMENT
from mapping.evidence.joining import evidence
from mapping.evidence.policy import Attempts, DatePolicy, EvidencePolicy, LatePolicy
from mapping.evidence.tables import NOT_BRIDGED, AlignmentTable, EvidenceTable, ScoreTable
from mapping.records import EvidenceKind, ScoreState

LEARNER = 7
COMPETENCY = 70

_SCORE: Mapping[str, Any] = {
    "line_item": 1,
    "learner": LEARNER,
    "state": ScoreState.GRADED,
    "points": 100.0,
    "minimum": 0.0,
    "maximum": 100.0,
    "attempt": 1,
    "is_visible": True,
    "is_late": False,
    "submitted_at": NO_MOMENT,
    "due_at": NO_MOMENT,
    "graded_at": NO_MOMENT,
    "course": 0,
    "points_deducted": 0.0,
    "given_at": NO_MOMENT,
    "is_excluded": False,
    "is_removed": False,
}

_ALIGNMENT: Mapping[str, Any] = {
    "line_item": 1,
    "competency": COMPETENCY,
    "weight": 1.0,
    "kind": 0,
    "via": NOT_BRIDGED,
    "steps": 0,
}


def _columns(rows: Sequence[Mapping[str, Any]], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: [{**defaults, **row}[name] for row in rows] for name in defaults}


def score_table(*rows: Mapping[str, Any]) -> ScoreTable:
    return ScoreTable.of(_columns(rows, _SCORE))


def alignment_table(*rows: Mapping[str, Any]) -> AlignmentTable:
    return AlignmentTable.of(_columns(rows, _ALIGNMENT))


def shape(table: Any) -> list[tuple[Any, ...]]:
    """Everything a table says, row by row, comparable."""
    names = [name for name in table.__slots__ if name != "scale"]
    columns = [np.nan_to_num(getattr(table, name), nan=-99.0).tolist() for name in names]
    return list(zip(*columns, strict=True))


def evidence_of(
    by_competency: Mapping[int, Sequence[float | None]],
    *,
    learner: int = LEARNER,
    weights: Sequence[float] = (),
) -> EvidenceTable:
    """Evidence with these values on the scale of 0 to 4; None is a missing score."""
    values = [(c, value) for c, column in by_competency.items() for value in column]
    scores = [
        {
            "line_item": item,
            "learner": learner,
            "state": ScoreState.MISSING if value is None else ScoreState.GRADED,
            "points": value,
            "maximum": 4.0,
            "submitted_at": item,
        }
        for item, (_, value) in enumerate(values)
    ]
    alignments = [
        {"line_item": item, "competency": c, "weight": weights[item] if weights else 1.0}
        for item, (c, _) in enumerate(values)
    ]
    return evidence(score_table(*scores), alignment_table(*alignments))


HOUR = 3_600_000_000
DAY = 24 * HOUR

_ITEMS = st.integers(0, 5)
_POINTS = st.floats(-5.0, 130.0) | st.integers(0, 4).map(float) | st.sampled_from([None, inf])
_MOMENTS = st.just(NO_MOMENT) | st.integers(0, 200).map(lambda number: number * 6 * HOUR)
_SELDOM = st.integers(0, 7).map(lambda number: number == 0)

SCORES = st.lists(
    st.fixed_dictionaries(
        {
            "line_item": _ITEMS,
            "learner": st.integers(0, 3),
            "state": st.just(ScoreState.GRADED) | st.sampled_from(ScoreState),
            "points": _POINTS,
            "minimum": st.sampled_from([0.0, 0.0, 1.0]),
            "maximum": st.sampled_from([0.0, 4.0, 100.0, 100.0, None, inf]),
            "attempt": st.integers(0, 3),
            "is_visible": st.booleans(),
            "is_late": st.booleans(),
            "submitted_at": _MOMENTS,
            "due_at": _MOMENTS,
            "graded_at": _MOMENTS,
            "course": st.integers(0, 2),
            "points_deducted": st.sampled_from([0.0, 0.0, 2.5, -1.0, None]),
            "given_at": st.just(NO_MOMENT) | _MOMENTS,
            "is_excluded": _SELDOM,
            "is_removed": _SELDOM,
        }
    ),
    max_size=18,
    unique_by=lambda row: (row["line_item"], row["learner"], row["attempt"]),
)
"""Scores of any kind, several attempts of one learner and line item among them."""

ALIGNMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "line_item": _ITEMS,
            "competency": st.integers(0, 4),
            "weight": st.just(0.0) | st.floats(0.1, 10.0),
            "kind": st.integers(0, len(EvidenceKind) - 1),
            "via": st.just(NOT_BRIDGED) | st.integers(0, 4),
        }
    ),
    max_size=15,
    unique_by=lambda row: (row["line_item"], row["competency"]),
)


def many_scores(rng: Random, count: int) -> list[dict[str, Any]]:
    """As ``SCORES``, but many, of some hundred cells with up to five attempts each."""
    places = [
        (learner, item, attempt)
        for learner in range(count // 25)
        for item in range(6)
        for attempt in range(5)
    ]
    return [_any_score(rng, *place) for place in rng.sample(places, count)]


def _any_score(rng: Random, learner: int, line_item: int, attempt: int) -> dict[str, Any]:
    def moment() -> int:
        return rng.choice((NO_MOMENT, *(rng.randrange(200) * 6 * HOUR for _ in range(5))))

    return {
        "line_item": line_item,
        "learner": learner,
        "state": rng.choice((*ScoreState, *[ScoreState.GRADED] * 15)),
        "points": rng.choice((None, nan, inf, -2.0, *(rng.uniform(0, 110) for _ in range(20)))),
        "minimum": rng.choice((0.0, 0.0, 0.0, 1.0)),
        "maximum": rng.choice((0.0, -inf, *[4.0, 100.0] * 8)),
        "attempt": attempt,
        "is_visible": rng.random() < 0.8,
        "is_late": rng.random() < 0.2,
        "submitted_at": moment(),
        "due_at": moment(),
        "graded_at": moment(),
        "course": line_item % 3,
        "points_deducted": rng.choice((0.0, 0.0, 5.0, -1.0, nan)),
        "given_at": moment() if rng.random() < 0.1 else NO_MOMENT,
        "is_excluded": rng.random() < 0.05,
        "is_removed": rng.random() < 0.05,
    }


POLICIES = st.builds(
    EvidencePolicy,
    dated=st.sampled_from(DatePolicy),
    attempts=st.sampled_from(Attempts),
    last_few=st.integers(1, 3),
    cooldown_hours=st.sampled_from([0.0, 0.0, 6.0, 24.0, 100.0]),
    late=st.sampled_from(LatePolicy),
    kind_weights=st.dictionaries(st.sampled_from(EvidenceKind), st.sampled_from([0.0, 1.0, 2.5])),
    drop_lowest_from=st.sampled_from([0, 0, 2, 4]),
    keeps_removed=st.booleans(),
)
"""Policies that may be configured."""

PRESENTS = st.none() | st.integers(0, 200).map(lambda number: number * 6 * HOUR)
"""Moments to judge at."""
