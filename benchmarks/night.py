"""The whole night: read, store, compute, plan and write, in score rows of the district a second.

One server, one PostgreSQL and one run for all. Waymark runs as in production, worker processes
that take jobs from Redis; its peers run in this process. Every figure has its CPU time beside
it, PostgreSQL's included, the LMS's apart.

``python -m benchmarks.night --workers 1,2,4`` shows how Waymark takes to more processes.
"""

import argparse
import json
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import text

from benchmarks.night_district import COLUMNS, FIRST_COURSE, SEATS, STRANDS, Size, write_files
from benchmarks.night_peers import CAREFUL, FIRST, careful_script, first_script
from benchmarks.night_server import night_server
from benchmarks.timing import Row
from bootstrap.container import Container, open_container
from bootstrap.district import load_district
from bootstrap.embedded import running_redis
from bootstrap.processes import Program, supervised
from bootstrap.settings import load_settings
from lti_tool.console import report
from lti_tool.demo import worker_program
from mapping.records import TenantId
from store import schema
from store.sync_state import Phase
from tests.servers import running_postgres
from workers import queue

COURSES = 120
SAMPLE = 1
"""Courses that the first script is measured with; what it does grows with their number."""
SHARES = {f"{percent} % changed": percent / 100 for percent in (0, 1, 2, 4)}
_FIRST_NIGHT = "first night"
FIRST_SCRIPT_IN = (_FIRST_NIGHT, "1 % changed")
"""It does the same whatever changed."""
WORKERS = 2
OURS = "Waymark"
_TEND_SECONDS = 0.05
_PATIENCE_SECONDS = 600.0
_TICKS = 100.0
"""Of a second, in /proc/*/stat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one night took.

    ``seconds`` by the clock; ``cpu_seconds`` of everything but the LMS, ``lms_seconds`` of that;
    ``rows`` of the district, or of the courses that were measured.
    """

    who: str
    case: str
    rows: int
    seconds: float
    cpu_seconds: float
    lms_seconds: float
    requests: int
    marks: int

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds

    @property
    def line(self) -> str:
        """For people."""
        return (
            f"| {self.case} | {self.who} | {self.rate:,.0f} | {self.rows / self.cpu_seconds:,.0f} "
            f"| {self.seconds:.2f} | {self.cpu_seconds:.2f} | {self.lms_seconds:.2f} "
            f"| {self.requests:,} | {self.marks:,} |"
        )


HEADER = (
    "| night | who | rows/s | rows/CPU s | s | CPU s | LMS CPU s | requests | marks |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|---:|"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    url: str
    size: Size
    postgres_pid: int
    database_url: str
    redis_url: str
    folder: Path

    def ask(self, name: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/_control/{name}", data) as reply:  # noqa: S310 - ours
            return json.load(reply)

    def measure(
        self,
        who: str,
        case: str,
        *,
        work: Callable[[], object],
        rows: int,
        pids: Sequence[int] = (),
    ) -> Measured:
        """Do something and see what it took."""
        watched = (self.postgres_pid, *pids)
        before, cpu = self.ask("told"), _cpu_seconds(watched) + time.process_time()
        began = time.perf_counter()
        work()
        seconds = time.perf_counter() - began
        spent = _cpu_seconds(watched) + time.process_time() - cpu
        after = self.ask("told")
        return Measured(
            who=who,
            case=case,
            rows=rows,
            seconds=seconds,
            cpu_seconds=spent,
            lms_seconds=after["cpu_seconds"] - before["cpu_seconds"],
            requests=after["requests"] - before["requests"],
            marks=after.get("cells", 0) - before.get("cells", 0),
        )

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """A database of one's own."""
        engine = sqlalchemy.create_engine(self.database_url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        yield self.database_url.replace("/postgres?", f"/{name}?")


def run() -> list[Row]:
    """Measure a first night and nights after changes, of Waymark and of both peers."""
    with _bench(Size(courses=COURSES)) as bench:
        measured = list(_with_peers(bench, WORKERS))
    return [
        Row(
            benchmark=f"night, {one.case}",
            role="ours" if one.who.startswith("Waymark") else "peer",
            what=f"{one.who}: {one.cpu_seconds:.1f} s CPU, {one.requests} requests",
            rate=one.rate,
        )
        for one in measured
    ]


def main(arguments: Sequence[str]) -> None:
    """Print the whole table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.night", description=__doc__)
    parser.add_argument("--courses", type=int, default=COURSES)
    parser.add_argument("--workers", default=str(WORKERS), help="numbers of processes: 1,2,4")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    options = parser.parse_args(arguments)
    size = Size(courses=options.courses)
    print(f"{size.rows:,} rows, {size.courses} courses, {size.marks:,} marks")
    print(HEADER, flush=True)
    for number in map(int, options.workers.split(",")):
        # A gradebook that nobody has written into, for each.
        with _bench(size) as bench:
            nights = _alone(bench, number) if options.alone else _with_peers(bench, number)
            for one in nights:
                print(one.line, flush=True)


@contextmanager
def _bench(size: Size) -> Iterator[_Bench]:
    with (
        tempfile.TemporaryDirectory() as name,
        night_server(size) as url,
        running_postgres() as database_url,
    ):
        settings = load_settings({"WAYMARK_DATA_DIR": name})
        with running_redis(settings) as redis_url:
            yield _Bench(
                url=url,
                size=size,
                postgres_pid=_postmaster(database_url),
                database_url=database_url,
                redis_url=redis_url,
                folder=Path(name),
            )


def _with_peers(bench: _Bench, workers: int) -> Iterator[Measured]:
    """Waymark's nights, and after each what the peers make of the same gradebooks."""
    everything = [FIRST_COURSE + n for n in range(bench.size.courses)]
    sample = everything[:SAMPLE]
    with bench.database(f"peers_{workers}") as url:
        engine = sqlalchemy.create_engine(url, pool_size=20)
        for ours in _alone(bench, workers):
            yield ours
            if ours.case in FIRST_SCRIPT_IN:
                yield bench.measure(
                    f"canvasapi, ORM merge, a loop, a PUT a mark; {SAMPLE} course",
                    ours.case,
                    work=lambda: first_script(bench.url, engine, sample),
                    rows=len(sample) * SEATS * COLUMNS,
                )
                _require_same(bench, OURS, FIRST, courses=sample)
            yield bench.measure(
                "Session and threads, Core upsert, pandas, a PUT a changed mark",
                ours.case,
                work=lambda: careful_script(bench.url, engine, everything),
                rows=bench.size.rows,
            )
            _require_same(bench, OURS, CAREFUL, courses=everything)
        engine.dispose()


def _require_same(bench: _Bench, one: str, other: str, *, courses: Sequence[int]) -> None:
    """See that two scripts say the same of every learner.

    Raises:
        AssertionError: They do not.
    """
    both: dict[str, dict[str, str]] = {one: {}, other: {}}
    for place, words in bench.ask("written").items():
        course, title, learner = place.split("|")
        whose, _, strand = title.partition(": ")
        if int(course) in courses and whose in both:
            both[whose][f"{course} {strand} {learner}"] = words
    wanted = len(courses) * SEATS * STRANDS
    if both[one] != both[other] or len(both[one]) != wanted:
        differing = [key for key in both[one] if both[one][key] != both[other].get(key)]
        raise AssertionError(
            f"{one} and {other} differ in {len(differing)} of {wanted} marks, such as "
            f"{[(key, both[one][key], both[other].get(key)) for key in differing[:3]]}"
        )


def _alone(bench: _Bench, workers: int) -> Iterator[Measured]:
    """Waymark's first night and those after changes, with a database of its own."""
    folder = bench.folder / f"waymark-{workers}"
    folder.mkdir()
    with (
        bench.database(f"waymark_{workers}") as url,
        _container(bench, folder, url) as container,
        supervised(folder / "logs") as children,
    ):
        tenant = load_district(container, write_files(folder, bench.url)).tenant
        pids = [children.start(_worker(container, number)) for number in range(workers)]
        _await_workers(container, workers)
        for case in (_FIRST_NIGHT, *SHARES):
            if case in SHARES:
                bench.ask("change", {"share": SHARES[case]})
            yield bench.measure(
                f"{OURS}, {workers} worker processes",
                case,
                work=partial(_see_through, container, tenant),
                rows=bench.size.rows,
                pids=pids,
            )


@contextmanager
def _container(bench: _Bench, folder: Path, database_url: str) -> Iterator[Container]:
    settings = replace(
        load_settings({"WAYMARK_DATA_DIR": str(folder)}),
        secret_key="the secret key of a benchmark, no secret",  # noqa: S106 - it says so
        database_url=database_url,
    )
    container = open_container(settings, bench.redis_url)
    container.redis.flushall()
    schema.migrate(container.engine)
    try:
        yield container
    finally:
        container.close()


def _worker(container: Container, number: int) -> Program:
    program = worker_program(container, number)
    return replace(program, arguments=[sys.executable, "-m", "benchmarks.night_worker", "work"])


def _await_workers(container: Container, number: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while queue.live_workers(container) < number:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{number} workers did not start.")
        time.sleep(_TEND_SECONDS)


def _see_through(container: Container, tenant: TenantId) -> None:
    """Begin a night and tend it, as ``waymark sync`` does.

    Raises:
        AssertionError: A part of it failed.
        TimeoutError: It does not end.
    """
    run = queue.enqueue_run(container, tenant)
    watch = queue.Watch(container, run)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while watch.look() is not Phase.DONE:
        if time.monotonic() > deadline:
            raise TimeoutError("The night does not end.")
        time.sleep(_TEND_SECONDS)
    found = report(container, run)
    if found.has_failures:
        raise AssertionError(f"The night had failures: {found.troubles[:3]}")


def _postmaster(database_url: str) -> int:
    with sqlalchemy.create_engine(database_url).connect() as connection:
        folder = Path(connection.execute(text("SHOW data_directory")).scalar_one())
    return int((folder / "postmaster.pid").read_text().split()[0])


def _cpu_seconds(pids: Sequence[int]) -> float:
    """What processes and all they ever started have used; a dead child counts for its parent."""
    parents: dict[int, tuple[int, float]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            used = sum(map(int, fields[11:15])) / _TICKS
            parents[int(stat.parent.name)] = int(fields[1]), used
    return sum(used for pid, (_, used) in parents.items() if _descends(pid, pids, parents))


def _descends(pid: int, pids: Sequence[int], parents: Mapping[int, tuple[int, float]]) -> bool:
    while pid in parents:
        if pid in pids:
            return True
        pid = parents[pid][0]
    return False


if __name__ == "__main__":
    main(sys.argv[1:])
