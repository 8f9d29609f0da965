"""Gradebooks read again: a million scores that are known, two in a hundred changed, or all new.

On PostgreSQL and on SQLite. Every way has the same scores, peers a row for each; the slow ones are
measured with fewer rows. Ours begins with columns, which is what a night hands to the
store, and once more with the records that they are made of; peers that write rows begin with
records. PostgreSQL runs without ``fsync``, so that no disk is
measured.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Engine, text

from benchmarks import resync_peers
from benchmarks.resync_courses import (
    ROWS_A_COURSE,
    Page,
    ReadCourse,
    compare_again,
    gradebook_page,
    new_courses,
    read_again,
    read_records_again,
)
from benchmarks.timing import Row, rate
from store import schema
from store.session import open_engine
from tests.servers import running_postgres

_KNOWN = 50
_PEERS = 3
ROWS = _KNOWN * ROWS_A_COURSE
_SAMPLE = 4
_MERGED = 2_000
_RUNS = 3

Way: TypeAlias = Callable[[Engine, ReadCourse, Page], None]


@dataclass(slots=True, kw_only=True)
class _Bench:
    """A database with courses that are known, and some for the peers that are not yet."""

    engine: Engine
    known: list[ReadCourse]
    fresh: list[ReadCourse]
    same: Page = field(default_factory=gradebook_page)
    other: Page = field(default_factory=partial(gradebook_page, is_changed=True))

    @property
    def name(self) -> str:
        """Which database."""
        return "SQLite" if self.engine.dialect.name == "sqlite" else "PostgreSQL"

    def line(self, benchmark: str, **facts: Any) -> Row:  # noqa: ANN401 - a row's fields
        """A line of the table."""
        return Row(benchmark=f"{benchmark}, {self.name}", **facts)

    def over(self, way: Way, courses: Sequence[ReadCourse], page: Page) -> None:
        """Read courses again in a way."""
        for course in courses:
            way(self.engine, course, page)


def run() -> list[Row]:
    """Measure scores a second."""
    rows: list[Row] = []
    for database in (_postgres, _sqlite):
        with database() as engine:
            found = new_courses(engine, _KNOWN + _PEERS)
            bench = _Bench(engine=engine, known=found[:_KNOWN], fresh=found[_KNOWN:])
            rows += [*_first(bench), *_unchanged(bench), *_changed(bench), *_logged(bench)]
    return rows


def _first(bench: _Bench) -> list[Row]:
    """The first reading of all; each course is new only once, so it is measured once."""
    line = partial(bench.line, "first load")
    all_known = partial(bench.over, read_again, bench.known, bench.same)
    rows = [
        line(
            role="ours",
            what="cells and their events, checked and marked",
            rate=_once(ROWS, all_known),
        )
    ]
    _settle(bench)
    for what, way, course in (
        ("cells alone, rows through Core", resync_peers.core_upsert, bench.fresh[0]),
        ("cells alone, session.add_all", resync_peers.add_all, bench.fresh[1]),
    ):
        work = partial(way, bench.engine, course, bench.same)
        rows.append(line(role="peer", what=what, rate=_once(ROWS_A_COURSE, work)))
    return rows


def _unchanged(bench: _Bench) -> list[Row]:
    line = partial(bench.line, "unchanged")
    sample = bench.known[:_SAMPLE]
    rows = []
    for role, what, way in (
        ("ours", "columns: digests of its parts, nothing read back", read_again),
        ("ours+", "the same from records", read_records_again),
        ("ours+", "columns, no digests kept: snapshot and difference", compare_again),
    ):
        work = partial(bench.over, way, bench.known, bench.same)
        rows.append(line(role=role, what=what, rate=rate(ROWS, work, runs=_RUNS)))
    bench.over(resync_peers.core_upsert, sample, bench.same)
    _settle(bench)
    for what, way in _careful(bench):
        work = partial(bench.over, way, sample, bench.same)
        rows.append(
            line(role="peer", what=what, rate=rate(_SAMPLE * ROWS_A_COURSE, work, runs=_RUNS))
        )
    merged = Page.of(bench.same.scores[:_MERGED])
    few = partial(resync_peers.merge, bench.engine, sample[0], merged)
    rows.append(line(role="peer", what="session.merge", rate=rate(_MERGED, few, runs=_RUNS)))
    limit = partial(_read_all, bench.engine)
    rows.append(
        line(
            role="limit",
            what="reading what is kept with the driver",
            rate=rate(ROWS, limit, runs=_RUNS),
        )
    )
    return rows


def _changed(bench: _Bench) -> list[Row]:
    """Two in a hundred are others each time, once there and once back."""
    line = partial(bench.line, "2 % changed")
    rows = []
    ways = (("snapshot, difference, changes and their events", read_again), *_careful(bench))
    for place, (what, way) in enumerate(ways):
        turns = cycle((bench.other, bench.same))
        courses = bench.known if place == 0 else bench.known[:_SAMPLE]

        def work(
            way: Way = way,
            courses: Sequence[ReadCourse] = courses,
            turns: Iterator[Page] = turns,
        ) -> None:
            bench.over(way, courses, next(turns))

        measured = rate(len(courses) * ROWS_A_COURSE, work, runs=_RUNS)
        rows.append(line(role="peer" if place else "ours", what=what, rate=measured))
    return rows


def _logged(bench: _Bench) -> list[Row]:
    """Bytes of PostgreSQL's write-ahead log for each row that says nothing new."""
    if bench.name == "SQLite":
        return []
    rows = []
    ways = (("nothing to write", compare_again), *_careful(bench))
    for place, (what, way) in enumerate(ways):
        before = _log_position(bench.engine)
        bench.over(way, bench.known[:_SAMPLE], bench.same)
        logged = (_log_position(bench.engine) - before) / (_SAMPLE * ROWS_A_COURSE)
        role = "peer" if place else "ours"
        line = partial(bench.line, "log of unchanged rows", unit="B/row")
        rows.append(line(role=role, what=what, rate=logged))
    return rows


def _careful(bench: _Bench) -> tuple[tuple[str, Way], ...]:
    core = ("upsert of every row through Core", resync_peers.core_upsert)
    if bench.name == "SQLite":
        return (core,)
    arrays = ("arrays, ON CONFLICT ... WHERE something differs", resync_peers.upsert_where_other)
    return (core, arrays)


def _once(rows: int, work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return rows / (time.perf_counter() - began)


def _read_all(engine: Engine) -> None:
    with engine.connect() as connection:
        result = connection.exec_driver_sql("SELECT * FROM score_blocks")
        driver = result.cursor
        while driver is not None and driver.fetchmany(10_000):
            pass


def _log_position(engine: Engine) -> int:
    with engine.connect() as connection:
        moved = connection.execute(text("SELECT pg_current_wal_insert_lsn() - '0/0'"))
        return int(moved.scalar_one())


def _settle(bench: _Bench) -> None:
    """Have statistics taken now, not in the middle of what is measured."""
    with bench.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if bench.name == "SQLite" else "VACUUM ANALYZE")


@contextmanager
def _sqlite() -> Iterator[Engine]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _migrated(f"sqlite:///{Path(folder) / 'bench.db'}")


@contextmanager
def _postgres() -> Iterator[Engine]:
    with running_postgres() as url:
        yield from _migrated(url)


def _migrated(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    schema.migrate(engine)
    resync_peers.make_table(engine)
    yield engine
    engine.dispose()
