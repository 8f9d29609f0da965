"""Small tables for the tests of the core, and a plain loop that says what they must give."""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

import numpy as np
from hypothesis import strategies as st

from mapping.columns import NO_MOMENT
from mapping.evidence import AlignmentTable, EvidenceTable, ScoreTable, View, evidence
from mapping.records import ScoreState
from mapping.rules import MasteryRule
from mapping.status import Status

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
}

_ALIGNMENT: Mapping[str, Any] = {
    "line_item": 1,
    "competency": COMPETENCY,
    "weight": 1.0,
    "kind": 0,
}


def _columns(rows: Sequence[Mapping[str, Any]], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: [{**defaults, **row}[name] for row in rows] for name in defaults}


def score_table(*rows: Mapping[str, Any]) -> ScoreTable:
    return ScoreTable.of(_columns(rows, _SCORE))


def alignment_table(*rows: Mapping[str, Any]) -> AlignmentTable:
    return AlignmentTable.of(_columns(rows, _ALIGNMENT))


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


_ITEMS = st.integers(0, 5)
_POINTS = st.floats(-5.0, 130.0) | st.none()
_MOMENTS = st.just(NO_MOMENT) | st.integers(0, 50)

SCORES = st.lists(
    st.fixed_dictionaries(
        {
            "line_item": _ITEMS,
            "learner": st.integers(0, 3),
            "state": st.sampled_from(ScoreState),
            "points": _POINTS,
            "minimum": st.sampled_from([0.0, 0.0, 1.0]),
            "maximum": st.sampled_from([0.0, 4.0, 100.0, 100.0]),
            "is_visible": st.booleans(),
            "submitted_at": _MOMENTS,
            "due_at": _MOMENTS,
            "graded_at": _MOMENTS,
        }
    ),
    max_size=25,
    unique_by=lambda row: (row["line_item"], row["learner"]),
)

ALIGNMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "line_item": _ITEMS,
            "competency": st.integers(0, 4),
            "weight": st.just(0.0) | st.floats(0.1, 10.0),
            "kind": st.integers(0, 2),
        }
    ),
    max_size=15,
    unique_by=lambda row: (row["line_item"], row["competency"]),
)


def _value(row: Mapping[str, Any], view: View) -> float:
    """The plain reading of one cell: scale points, NaN where it does not count."""
    span = row["maximum"] - row["minimum"]
    is_silent = row["state"] is not ScoreState.GRADED or row["points"] is None or span <= 0.0
    if is_silent or (view is View.LEARNER and not row["is_visible"]):
        return nan
    return 4.0 * max(0.0, min(1.0, (row["points"] - row["minimum"]) / span))


def expected_standings(
    scores: Sequence[Mapping[str, Any]],
    alignments: Sequence[Mapping[str, Any]],
    rule: MasteryRule,
    view: View,
) -> dict[tuple[int, int], tuple[Status, float, int]]:
    """What every learner and competency must come to, by a plain loop."""
    heard: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for score in scores:
        for alignment in alignments:
            if score["line_item"] == alignment["line_item"]:
                key = (score["learner"], alignment["competency"])
                pair = (_value(score, view), alignment["weight"])
                heard.setdefault(key, []).append(pair)
    return {key: _expected(pairs, rule) for key, pairs in heard.items()}


def _expected(pairs: Sequence[tuple[float, float]], rule: MasteryRule) -> tuple[Status, float, int]:
    counted = [(value, weight) for value, weight in pairs if not np.isnan(value) and weight > 0.0]
    if not counted:
        return Status.NO_EVIDENCE, nan, 0
    total = sum(weight for _, weight in counted)
    estimate = sum(value * weight for value, weight in counted) / total
    return _level(estimate, len(counted), rule), estimate, len(counted)


def _level(estimate: float, count: int, rule: MasteryRule) -> Status:
    if count < rule.minimum_evidence:
        return Status.INSUFFICIENT
    if estimate >= rule.mastered - 1e-9:
        return Status.MASTERED
    return Status.DEVELOPING if estimate >= rule.developing - 1e-9 else Status.EMERGING
