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

import numpy as np
from sqlalchemy import Engine, delete, select, text

from benchmarks import scale_peers
from benchmarks.scale_district import NOW, District, found_district, write_district
from benchmarks.timing import Row
from mapping.records import CompetencyId, CourseId, LearnerId, RunId
from store import waiting
from store.cells import Cells
from store.course_cells import cells_of, keep_cells
from store.session import open_engine, writing
from store.tables import alignments, courses, recompute_pairs, recompute_queue, runs
from tests.servers import running_postgres
from workers import schedule

SCHOOLS = 10
SHARES = (0.01, 0.02, 0.04)
_SERVER = ("shared_buffers=1GB", "work_mem=64MB", "max_wal_size=8GB")


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
            *scale_peers.measured(engine),
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
        for peer in scale_peers.measured(engine):
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
    rng = np.random.default_rng(round(share * 100))
    with engine.connect() as connection:
        ids = connection.execute(select(courses.c.id).order_by(courses.c.id)).scalars().all()
        speaks: dict[int, list[CompetencyId]] = defaultdict(list)
        for item, competency in connection.execute(
            select(alignments.c.line_item_id, alignments.c.competency_id)
        ):
            speaks[item].append(CompetencyId(competency))
    with writing(engine) as connection:
        connection.execute(delete(recompute_queue))
        for course in ids:
            changed = _changed(cells_of(connection, CourseId(course)), share, rng)
            keep_cells(connection, CourseId(course), changed)
            places = zip(changed.items().tolist(), changed.learners().tolist(), strict=True)
            pairs = [(LearnerId(who), told) for item, who in places for told in speaks[item]]
            waiting.mark_pairs(connection, pairs, now=NOW)
    with writing(engine) as connection:
        assert connection.execute(select(recompute_pairs.c.token).limit(1)).all()  # noqa: S101


def _changed(cells: Cells, share: float, rng: np.random.Generator) -> Cells:
    points = cells.rows["points"]
    found = cells.where(~np.isnan(points) & (rng.random(len(cells)) < share))
    found.rows["points"] += np.where(found.rows["points"] > 10, -3.5, 3.5)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
