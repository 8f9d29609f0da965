"""Computing a whole district: read, judge in both views, compare with what is kept, write.

The worker processes run the real use case on a PostgreSQL on the same cores. What comes out as a
learner's digest says is known to be kept as it is; of all others what is kept is read. Beside it,
on a sample of the same rows: what an ORM or Core with a Python loop would take.

``python -m benchmarks.scale --schools 100`` is a district of 30 million scores;
``--database URL`` takes a server that is there, and the district in it where there is one.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, delete, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, registry

from benchmarks.scale_district import District, found_district, write_district
from benchmarks.timing import Row
from mapping.records import RunId
from store import waiting
from store.session import open_engine, writing
from store.tables import alignments, line_items, recompute_pairs, recompute_queue, runs, scores
from tests.servers import running_postgres
from workers import schedule

SCHOOLS = 10
SHARES = (0.01, 0.02, 0.04)
_SERVER = ("shared_buffers=1GB", "work_mem=64MB", "max_wal_size=8GB")
_SAMPLE = 200
"""Learners that the peers compute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """What one run of some worker processes took.

    ``seconds`` by the clock, from the word to begin to the last process's end; ``steps`` of all
    processes together.
    """

    case: str
    workers: int
    rows: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    steps: dict[str, float]

    @property
    def line(self) -> str:
        """For people."""
        steps = ", ".join(f"{name} {took:.1f}" for name, took in self.steps.items())
        return (
            f"| {self.case} | {self.workers} | {self.seconds:.1f} | "
            f"{self.rows / self.seconds:,.0f} | {self.cpu_seconds:.1f} | {self.peak_mb:.0f} | "
            f"{steps} |"
        )


def run() -> list[Row]:
    """Compute a district of three million scores anew, nothing changed, with one process."""
    with _district(SCHOOLS) as (engine, district):
        computed(engine, district, case="first time", workers=2)
        found = computed(engine, district, case="nothing changed", workers=1)
        return [
            Row(
                benchmark="scale",
                role="ours",
                what="read, judge in both views, compare; one worker and PostgreSQL",
                rate=found.rows / found.seconds,
            ),
            *_peers(engine),
        ]


def main(arguments: Sequence[str]) -> None:
    """Print a table of every case."""
    options = _options(arguments)
    with _district(options.schools, options.database) as (engine, district):
        print("| case | workers | seconds | scores/s | CPU s of workers | peak MB | steps, s |")
        print("|---|---:|---:|---:|---:|---:|---|")
        workers = [int(one) for one in options.workers.split(",")]
        if not options.is_computed:
            print(computed(engine, district, case="first time", workers=max(workers)).line)
        for count in workers:
            print(computed(engine, district, case="nothing changed", workers=count).line)
        for share in SHARES:
            _change(engine, share)
            case = f"{share:.0%} of scores changed"
            print(computed(engine, district, case=case, workers=options.nightly).line)
        for peer in _peers(engine):
            print(f"{peer.what}: {peer.rate:,.0f} scores/s")


def _options(arguments: Sequence[str]) -> Any:  # noqa: ANN401 - a namespace
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("--schools", type=int, default=SCHOOLS, help="of 300,000 scores each")
    parser.add_argument("--workers", default="1,2,4", help="how many processes, in turn")
    parser.add_argument("--nightly", type=int, default=2, help="processes where some changed")
    parser.add_argument("--database", help="a superuser's SQLAlchemy URL")
    parser.add_argument("--is-computed", action="store_true", help="standings are there already")
    return parser.parse_args(arguments)


@contextmanager
def _district(schools: int, url: str | None = None) -> Iterator[tuple[Engine, District]]:
    if url is None:
        with running_postgres(_SERVER) as own, _district(schools, own) as found:
            yield found
        return
    engine = open_engine(url)
    found = found_district(engine)
    yield engine, found or write_district(engine, schools=schools)
    engine.dispose()


def computed(engine: Engine, district: District, *, case: str, workers: int) -> Computed:
    """Put everybody down, unless somebody is, and see a run's computing through."""
    now = datetime.now(UTC)
    with writing(engine) as connection:
        connection.execute(
            runs.update().where(runs.c.finished_at.is_(None)).values(finished_at=now, phase="done")
        )
        if not waiting.count_waiting(connection, district.tenant):
            waiting.mark_everybody(connection, district.tenant, now=now)
    night = schedule.begin_run(engine, district.tenant, cause="by hand", is_full=False, now=now)
    schedule.advance(engine, night, now=now)
    began, told = _workers(engine, night, workers)
    seconds = time.perf_counter() - began
    _vacuum(engine)
    steps: dict[str, float] = defaultdict(float)
    for one in told:
        for name, took in one["steps"].items():
            steps[name] += took
    return Computed(
        case=case,
        workers=workers,
        rows=district.rows,
        seconds=seconds,
        cpu_seconds=sum(one["cpu_seconds"] for one in told),
        peak_mb=max(one["peak_mb"] for one in told),
        steps=steps,
    )


def _workers(engine: Engine, night: RunId, count: int) -> tuple[float, list[dict[str, Any]]]:
    command = [sys.executable, "-m", "benchmarks.scale_worker"]
    command += [engine.url.render_as_string(hide_password=False), str(night)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
        for _ in range(count)
    ]
    for process in processes:
        assert process.stdout  # noqa: S101 - a pipe
        process.stdout.readline()
    began = time.perf_counter()
    for process in processes:
        assert process.stdin  # noqa: S101 - a pipe
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [json.loads(process.communicate()[0]) for process in processes]
    return began, told


def _vacuum(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _change(engine: Engine, share: float) -> None:
    """Other points in so many cells, picked at random, each put down with what it speaks for."""
    with writing(engine) as connection:
        connection.execute(delete(recompute_queue))
        connection.execute(text(_CHANGE), {"share": share})
    with writing(engine) as connection:
        assert connection.execute(select(recompute_pairs.c.token).limit(1)).all()  # noqa: S101


_CHANGE = """
WITH changed AS (
    UPDATE scores SET points = CASE WHEN points > 10 THEN points - 3.5 ELSE points + 3.5 END
    WHERE points IS NOT NULL AND random() < :share
    RETURNING learner_id, line_item_id
)
INSERT INTO recompute_pairs (learner_id, competency_id, token)
SELECT DISTINCT changed.learner_id, alignments.competency_id, 1
FROM changed JOIN alignments USING (line_item_id)
"""


class _Score:
    """A score as an ORM has it."""

    line_item_id: Mapped[int] = mapped_column(primary_key=True)
    learner_id: Mapped[int] = mapped_column(primary_key=True)
    points: Mapped[float | None]


def _peers(engine: Engine) -> list[Row]:
    """A weighted average by a loop over the same rows, fetched by an ORM and by Core."""
    registry().map_imperatively(_Score, scores)
    with engine.connect() as connection:
        aligned: dict[int, list[int]] = defaultdict(list)
        for item, competency in connection.execute(
            select(alignments.c.line_item_id, alignments.c.competency_id)
        ):
            aligned[item].append(competency)
        maximum = {
            row[0]: row[1]
            for row in connection.execute(select(line_items.c.id, line_items.c.maximum))
        }
        is_sample = scores.c.learner_id <= _SAMPLE
        began = time.perf_counter()
        rows = connection.execute(
            select(scores.c.learner_id, scores.c.line_item_id, scores.c.points).where(is_sample)
        ).all()
        _loop([tuple(row) for row in rows], aligned, maximum)
        by_core = len(rows) / (time.perf_counter() - began)
    with Session(engine) as session:
        began = time.perf_counter()
        found = session.scalars(select(_Score).where(is_sample)).all()
        _loop([(one.learner_id, one.line_item_id, one.points) for one in found], aligned, maximum)
        by_orm = len(found) / (time.perf_counter() - began)
    what = "and a Python loop, one view, no rules, nothing compared"
    return [
        Row(benchmark="scale", role="peer", what=f"Core rows {what}", rate=by_core),
        Row(benchmark="scale", role="peer", what=f"ORM objects {what}", rate=by_orm),
    ]


def _loop(
    rows: Sequence[tuple[Any, ...]], aligned: dict[int, list[int]], maximum: dict[int, float]
) -> dict[tuple[int, int], float]:
    sums: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for learner, item, points in rows:
        if points is None:
            continue
        for competency in aligned.get(item, ()):
            cell = sums[learner, competency]
            cell[0] += points / maximum[item] * 4
            cell[1] += 1
    return {pair: total / count for pair, (total, count) in sums.items()}


if __name__ == "__main__":
    main(sys.argv[1:])
