"""Every calculation method over ten million scores, against a loop, DuckDB and pandas.

Rates are rows a second of CPU in one thread. Every side begins with key columns in order; peers
have fewer rows, as their rates do not depend on how many there are. What DuckDB says is compared
with what we say before it is timed.
"""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from benchmarks.district import partition
from benchmarks.estimating import ALL, CHANGED, SORT, measured
from benchmarks.mastery_peers import (
    ALL_QUERIES,
    LOOPS,
    QUERIES,
    Duck,
    all_loops,
    loop_rate,
)
from benchmarks.pandas_peer import APPLIED, all_applied, pandas_rate
from benchmarks.timing import Row
from mapping.estimators import METHODS

_DUCK_ROWS = 1_000_000
_LOOP_ROWS = 100_000
_PANDAS_ROWS = 10_000


def run() -> list[Row]:
    """Measure all methods at once, then each alone."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        rates, megabytes = apart.submit(measured).result()
    looped, framed = partition(0, _LOOP_ROWS), partition(0, _PANDAS_ROWS)
    duck = Duck(partition(0, _DUCK_ROWS))
    rows = [
        _row("all", "ours", f"{ALL}, peak {megabytes:,.0f} MB", rate=rates[ALL]),
        _row("all", "ours+", CHANGED, rate=rates[CHANGED]),
        _row("all", "peer", "a plain Python loop", rate=loop_rate(looped, all_loops)),
        _row("all", "peer", "DuckDB, one thread", rate=duck.rate(ALL_QUERIES)),
        _row("all", "peer", "pandas groupby.apply", rate=pandas_rate(framed, all_applied)),
        _row("all", "limit", "np.sort of as many keys", rate=rates[SORT]),
    ]
    for name in METHODS:
        _compare(duck, name)
        rows += [
            _row(name, "ours", "alone", rate=rates[name]),
            _row(name, "peer", "a plain Python loop", rate=loop_rate(looped, LOOPS[name])),
            _row(name, "peer", "DuckDB, one thread", rate=duck.rate([QUERIES[name]])),
            _row(name, "peer", "pandas groupby.apply", rate=pandas_rate(framed, APPLIED[name])),
        ]
    return rows


def _row(name: str, role: str, what: str, *, rate: float) -> Row:
    return Row(benchmark=f"mastery: {name}", role=role, what=what, rate=rate)


def _compare(duck: Duck, name: str) -> None:
    ours = METHODS[name].estimator({})(partition(0, _DUCK_ROWS).sample)
    theirs = np.ma.filled(np.ma.asarray(duck.answer(QUERIES[name])["estimate"], float), np.nan)
    np.testing.assert_allclose(np.sort(theirs), np.sort(ours), rtol=0, atol=1e-6)
