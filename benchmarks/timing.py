"""Medians of a few runs, and the table they are printed in."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

RUNS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a benchmark.

    ``role`` is ours, peer or limit; ``rate`` in rows a second, for launches and signatures in rows
    a second of CPU. Where ``unit`` is another one, less of it is better.
    """

    benchmark: str
    role: str
    what: str
    rate: float
    unit: str = "rows/s"


def rate(rows: int, work: Callable[[], object], *, runs: int = RUNS) -> float:
    """Rows a second by the median of some runs, after one that warms up."""
    work()
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return rows / statistics.median(seconds)


def shown(rows: list[Row]) -> str:
    """Rows as a Markdown table, each peer with how many times slower it is."""
    ours = {row.benchmark: row.rate for row in rows if row.role == "ours"}
    lines = ["| benchmark | role | what | measured | ours is better |", "|---|---|---|---:|---:|"]
    lines += [
        f"| {row.benchmark} | {row.role} | {row.what} | {row.rate:,.0f} {row.unit} |"
        f" {_times(ours[row.benchmark], row)} |"
        for row in rows
    ]
    return "\n".join(lines)


def _times(ours: float, row: Row) -> str:
    more, less = (ours, row.rate) if row.unit == "rows/s" else (row.rate, ours)
    return f"{more / less:.2f}" if less >= 1 else ""
