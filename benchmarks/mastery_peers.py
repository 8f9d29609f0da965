"""What others would compute mastery with: a plain loop and DuckDB."""

import math
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

import duckdb
import numpy as np
import pandas as pd

from benchmarks.district import DAY, Rows

Pieces = Sequence[tuple[float, float, int]]
"""Score, weight and day of each piece of a pair, the oldest first."""

CUTS = (0.0, 2.0, 3.0, 3.5)


def loop_rate(rows: Rows, work: Callable[[Pieces], object]) -> float:
    """Rows a second of a loop over the rows as Python's own numbers."""
    columns = [
        getattr(rows, name).tolist() for name in ("learner", "competency", "value", "weight")
    ]
    columns.append((rows.occurred_at // DAY).tolist())
    began = time.process_time()
    for _, pieces in _pairs(columns):
        work(pieces)
    return rows.learner.size / (time.process_time() - began)


def _pairs(columns: Sequence[Sequence[float]]) -> Iterator[tuple[object, Pieces]]:
    for key, group in groupby(zip(*columns, strict=True), key=itemgetter(0, 1)):
        yield key, [(value, weight, int(day)) for _, _, value, weight, day in group]


class Duck:
    """The rows in a table of DuckDB, which works in one thread.

    Each row is told its place in the pair and the number of pieces, so that it needs no window
    for what the rows' order already says.
    """

    def __init__(self, rows: Rows) -> None:
        offsets = rows.sample.offsets
        count = np.diff(offsets)
        self._connection = duckdb.connect(config={"threads": 1})
        frame = pd.DataFrame(
            {
                "learner": rows.learner,
                "competency": rows.competency,
                "value": rows.value,
                "weight": rows.weight,
                "day": rows.occurred_at // DAY,
                "i": np.arange(count.sum()) - np.repeat(offsets[:-1], count) + 1,
                "n": np.repeat(count, count),
            }
        )
        self._connection.register("frame", frame)
        self._connection.execute("create table scores as select * from frame")
        self._rows = rows.learner.size

    def rate(self, queries: Sequence[str]) -> float:
        """Rows a second of some queries, one after the other."""
        self.answer(queries[0])
        began = time.process_time()
        for query in queries:
            self.answer(query)
        return self._rows / (time.process_time() - began)

    def answer(self, query: str) -> dict[str, np.ndarray]:
        """The columns of a query."""
        return self._connection.execute(query).fetchnumpy()


_PAIR = "from scores group by learner, competency"
_LEVEL = "case when value >= 3.5 then 4 when value >= 3 then 3 when value >= 2 then 2 else 1 end"
_POWER = "regr_{}(ln(greatest(value, 1e-300)), ln(i))"
_FALLS = "weight * exp(day * ln(2) / 180)"
ONE_PASS = {
    "weighted_average": "sum(value * weight) / sum(weight)",
    "mean": "avg(value)",
    "median": "median(value)",
    "latest": "arg_max(value, i)",
    "highest": "max(value)",
    "recent_n": "avg(value) filter (i > n - 3)",
    "best_n": "list_avg(max(value, 3))",
    "high_last": "(max(value) + arg_max(value, i)) / 2",
    "decaying_average": "sum(value * case when i = 1 then pow(0.35, n - 1)"
    " else 0.65 * pow(0.35, n - i) end)",
    "weighted_recent": "coalesce(0.65 * arg_max(value, i) + 0.35 * avg(value) filter (i < n),"
    " max(value))",
    "n_mastery": "case when count(*) filter (value >= 3) >= 3"
    " then avg(value) filter (value >= 3) end",
    "power_law": "case when min(value) <= 0 then avg(value) when max(n) = 1 then max(value) else"
    f" least(4, exp({_POWER.format('intercept')} + {_POWER.format('slope')} * ln(max(n)))) end",
    "linear_trend": "case when max(n) = 1 then max(value) else"
    " greatest(0, least(4, regr_intercept(value, i) + regr_slope(value, i) * max(n))) end",
    "evidence_weighted": f"sum(value * {_FALLS}) / sum({_FALLS})",
}
"""Methods that one pass over the pairs answers, as SQL."""
# Queries of our own words alone: nothing from outside enters them.
MORE_PASSES = {
    "weighted_median": "select arg_min(value, value) filter (reached >= half) as estimate from"
    " (select learner, competency, value,"
    " sum(weight) over (partition by learner, competency order by value, i) as reached,"
    " sum(weight) over (partition by learner, competency) / 2 as half from scores)"
    " group by learner, competency",
    "mode": "select arg_max(level, tally * 16 + level) as estimate from"  # noqa: S608 - our own words
    f" (select learner, competency, {_LEVEL} as level, count(*) as tally from scores"
    " group by all) group by learner, competency",
    "best_fit": "with fits as (select learner, competency, avg(value) as a, max(n) as n,"  # noqa: S608 - our own words
    " max(value) as sole, regr_intercept(value, i) as l0, regr_slope(value, i) as l1,"
    f" {_POWER.format('intercept')} as p0, {_POWER.format('slope')} as p1 {_PAIR}),"
    " missed as (select learner, competency, any_value(a) as a, any_value(fits.n) as n,"
    " any_value(sole) as sole, any_value(l0) as l0, any_value(l1) as l1, any_value(p0) as p0,"
    " any_value(p1) as p1, sum(abs(value - a)) as ma, sum(abs(value - l0 - l1 * i)) as ml,"
    " sum(abs(value - exp(p0 + p1 * ln(i)))) as mp"
    " from scores join fits using (learner, competency) group by learner, competency)"
    " select case when n = 1 then sole when mp < least(ma, ml) - 1e-9"
    " then least(4, exp(p0 + p1 * ln(n))) when ml < ma - 1e-9"
    " then greatest(0, least(4, l0 + l1 * n)) else a end as estimate from missed",
}
"""Methods that need more than one."""

QUERIES = {
    **{name: f"select {sql} as estimate {_PAIR}" for name, sql in ONE_PASS.items()},
    **MORE_PASSES,
}
ALL_QUERIES = (
    f"select {', '.join(f'{sql} as {name}' for name, sql in ONE_PASS.items())} {_PAIR}",
    *MORE_PASSES.values(),
)


def _scores(pieces: Pieces) -> list[float]:
    return [score for score, _, _ in pieces]


def _mean(scores: Sequence[float]) -> float:
    return sum(scores) / len(scores)


def _weighted(pairs: Sequence[tuple[float, float]]) -> float:
    return sum(score * weight for score, weight in pairs) / sum(weight for _, weight in pairs)


def _weighted_average(pieces: Pieces) -> float:
    return _weighted([(score, weight) for score, weight, _ in pieces])


def _weighted_median(pieces: Pieces) -> float:
    half, reached = sum(weight for _, weight, _ in pieces) / 2, 0.0
    ranked = iter(sorted(pieces))
    score = 0.0
    while reached < half:
        score, weight, _ = next(ranked)
        reached += weight
    return score


def _mode(pieces: Pieces) -> int:
    tally = Counter(sum(score >= cut for cut in CUTS) for score in _scores(pieces))
    return max(tally, key=lambda level: (tally[level], level))


def _decaying(pieces: Pieces) -> float:
    average = pieces[0][0]
    for score, _, _ in pieces[1:]:
        average = 0.35 * average + 0.65 * score
    return average


def _weighted_recent(pieces: Pieces) -> float:
    scores = _scores(pieces)
    return 0.65 * scores[-1] + 0.35 * _mean(scores[:-1]) if scores[1:] else scores[0]


def _n_mastery(pieces: Pieces) -> float | None:
    kept = [score for score in _scores(pieces) if score >= 3]
    return _mean(kept) if len(kept) >= 3 else None


def _fit(places: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    if len(values) == 1:
        return values[0], 0.0
    middle, average = _mean(places), _mean(values)
    square = sum((place - middle) ** 2 for place in places)
    product = sum((p - middle) * (v - average) for p, v in zip(places, values, strict=True))
    return average - product / square * middle, product / square


def _line(scores: Sequence[float]) -> list[float]:
    start, slope = _fit(range(1, len(scores) + 1), scores)
    return [start + slope * place for place in range(1, len(scores) + 1)]


def _power(scores: Sequence[float]) -> list[float]:
    places = [math.log(place) for place in range(1, len(scores) + 1)]
    start, slope = _fit(places, [math.log(score) for score in scores])
    return [math.exp(start + slope * place) for place in places]


def _best_fit(pieces: Pieces) -> float:
    scores = _scores(pieces)
    curves = ([_mean(scores)] * len(scores), _line(scores), _power(scores))
    misses = [sum(abs(c - s) for c, s in zip(curve, scores, strict=True)) for curve in curves]
    return min(4.0, max(0.0, curves[misses.index(min(misses))][-1]))


def _evidence_weighted(pieces: Pieces) -> float:
    newest = max(day for _, _, day in pieces)
    return _weighted(
        [(score, weight * 0.5 ** ((newest - day) / 180)) for score, weight, day in pieces]
    )


LOOPS: dict[str, Callable[[Pieces], object]] = {
    "weighted_average": _weighted_average,
    "mean": lambda pieces: _mean(_scores(pieces)),
    "weighted_median": _weighted_median,
    "median": lambda pieces: statistics.median(_scores(pieces)),
    "mode": _mode,
    "latest": lambda pieces: pieces[-1][0],
    "highest": lambda pieces: max(_scores(pieces)),
    "recent_n": lambda pieces: _mean(_scores(pieces[-3:])),
    "best_n": lambda pieces: _mean(sorted(_scores(pieces))[-3:]),
    "high_last": lambda pieces: (max(_scores(pieces)) + pieces[-1][0]) / 2,
    "decaying_average": _decaying,
    "weighted_recent": _weighted_recent,
    "n_mastery": _n_mastery,
    "power_law": lambda pieces: min(4.0, _power(_scores(pieces))[-1]),
    "linear_trend": lambda pieces: min(4.0, max(0.0, _line(_scores(pieces))[-1])),
    "best_fit": _best_fit,
    "evidence_weighted": _evidence_weighted,
}
"""Every method as a function of one pair, for values above 0."""


def all_loops(pieces: Pieces) -> list[object]:
    """Every method of one pair."""
    return [work(pieces) for work in LOOPS.values()]
