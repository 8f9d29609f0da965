"""A worker process that computes one run's parts, and says what its phases took.

Whole parts go through ``workers.recompute.recompute_part``, claimed and held like any work; only
a clock is put around its steps.
"""

import json
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from sqlalchemy import Engine

from bootstrap import machine
from mapping.records import RunId
from store import due, standing_digests, standing_tables, sync_state, waiting
from store.run_records import LeaseLostError
from store.session import open_engine, reading, writing
from workers import recompute
from workers.work import Work

SECONDS: dict[str, float] = defaultdict(float)
_STEPS: tuple[tuple[str, Any, str], ...] = (
    ("setting", recompute, "_setting"),
    ("read scores", recompute, "grounds_of"),
    ("read standings", standing_tables, "kept_now"),
    ("read digests", standing_digests, "kept_digests"),
    ("judge", recompute, "compute"),
    ("compare", recompute, "_compared"),
    ("write standings", standing_tables, "save_changes"),
    ("write marks due", due, "put_down_learners"),
    ("settle", waiting, "settle"),
    ("settle", waiting, "still_waiting"),
)
"""Reading goes on in another thread while the part before is judged."""


def _timed(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(step)
    def timed(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the step takes
        began = time.perf_counter()
        try:
            return step(*arguments, **options)
        finally:
            SECONDS[name] += time.perf_counter() - began

    return timed


def _now() -> datetime:
    return datetime.now(UTC)


def _next(engine: Engine, run: RunId) -> Work | None:
    with reading(engine) as connection:
        found = sync_state.run(connection, run)
        items = sync_state.due_items(connection, run, now=_now())
    for item, _ in items:
        with writing(engine) as connection:
            lease = sync_state.claim(connection, item.id, now=_now())
        if lease is not None:
            return Work(engine=engine, lease=lease, run=found, now=_now)
    return None


def main(url: str, run: RunId) -> None:
    """Wait for a line on the standard input, compute, and tell what it took in JSON."""
    for name, module, step in _STEPS:
        setattr(module, step, _timed(name, getattr(module, step)))
    # As a worker's own process begins.
    machine.keep_freed_memory()
    engine = open_engine(url)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    began, parts, memory = time.perf_counter(), 0, recompute.Memory()
    while (work := _next(engine, run)) is not None:
        # On a crowded machine a lease may run out; who has it then goes on where this one ended.
        with suppress(LeaseLostError):
            recompute.recompute_part(work, memory)
            parts += 1
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "parts": parts,
        "seconds": time.perf_counter() - began,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
        "steps": SECONDS,
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], RunId(int(sys.argv[2])))
