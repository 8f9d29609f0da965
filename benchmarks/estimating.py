"""Our side of the mastery benchmark, for a process of its own, so that its memory can be told."""

import resource
import sys
import time

import numpy as np

from benchmarks.district import Rows, partition
from mapping.estimators import METHODS, estimates

ROWS = 10_000_000
PARTITION = 500_000
ALL = "all methods at once"
CHANGED = "1 % of the learners, all methods at once"
SORT = "sort"


def measured() -> tuple[dict[str, float], float]:
    """Estimate ten million scores by every method, a partition of learners at a time.

    Returns:
        Rows a second of CPU by method, from key columns in order to one estimate a pair, and
        the process's peak of memory in megabytes, the scores of a partition included.
    """
    seconds: dict[str, float] = {}
    changed = []
    _timed(partition(0, PARTITION), {})
    for number in range(ROWS // PARTITION):
        rows = partition(number, PARTITION)
        _timed(rows, seconds)
        learners = np.unique(rows.learner)
        changed.append(rows.of(learners[::100]))
    rates = {name: ROWS / spent for name, spent in seconds.items()}
    return {**rates, CHANGED: _changed_rate(changed)}, _peak_megabytes()


def _timed(rows: Rows, seconds: dict[str, float]) -> None:
    works = {
        ALL: lambda: estimates(rows.sample, {name: {} for name in METHODS}),
        SORT: lambda: np.sort(rows.learner * 25 + rows.competency + rows.occurred_at),
        **{
            name: lambda method=method: method.estimator({})(rows.sample)
            for name, method in METHODS.items()
        },
    }
    for name, work in works.items():
        began = time.process_time()
        work()
        seconds[name] = seconds.get(name, 0.0) + time.process_time() - began


def _changed_rate(changed: list[Rows]) -> float:
    """The changed learners of every partition, put together as a night does."""
    began = time.process_time()
    columns = {
        name: np.concatenate([getattr(rows, name) for rows in changed]) for name in Rows.__slots__
    }
    # Learners are numbered anew in each partition: here they must differ.
    count = np.array([rows.learner.size for rows in changed])
    columns["learner"] = columns["learner"] + np.repeat(np.arange(len(changed)), count) * PARTITION
    rows = Rows(**columns)
    estimates(rows.sample, {name: {} for name in METHODS})
    return rows.learner.size / (time.process_time() - began)


def _peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux tells kilobytes, macOS bytes.
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
