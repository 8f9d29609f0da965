"""Standings for the tests of what is computed from them."""

from collections.abc import Mapping
from math import nan
from typing import Any

import numpy as np

from mapping.columns import NO_MOMENT
from mapping.status import NO_LEVEL, OverrideState, StandingTable, Status

LEARNER = 7

_TYPES: Mapping[str, type] = {
    "learner": np.int64,
    "competency": np.int64,
    "status": np.int8,
    "level": np.int8,
    "estimate": np.float64,
    "evidence_count": np.int64,
    "mastered_count": np.int64,
    "mastered_at": np.int64,
    "review_at": np.int64,
    "override": np.int8,
    "rule": np.int64,
}
_ROW: Mapping[str, Any] = {
    "learner": LEARNER,
    "competency": 1,
    "status": Status.MASTERED,
    "level": NO_LEVEL,
    "estimate": nan,
    "evidence_count": 2,
    "mastered_count": 0,
    "mastered_at": NO_MOMENT,
    "review_at": NO_MOMENT,
    "override": OverrideState.NONE,
    "rule": 0,
}


def standing_table(*rows: Mapping[str, Any]) -> StandingTable:
    """Standings with these values, in the order given; what is left out is that of no interest."""
    filled = [{**_ROW, **row} for row in rows]
    return StandingTable(
        **{name: np.array([row[name] for row in filled], dtype=_TYPES[name]) for name in _TYPES}
    )
