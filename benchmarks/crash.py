"""Workers killed at random: is anything lost, is any row wrong, how soon does work run again?

Districts with a few learners each compute standings in real RQ jobs by real worker processes,
started as an operator starts them. A seeded hand kills work horses, workers and both with -9.
"""

import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select

from benchmarks.timing import Row
from bootstrap.container import Container, open_container
from bootstrap.embedded import running_redis
from bootstrap.settings import Settings, child_environment, load_settings, new_secret
from mapping.kept import differing
from mapping.records import LearnerId, TenantId
from store import courses, schema, standing_tables, sync_state, tenants, waiting
from store.course_cells import cells_of, keep_cells
from store.grounds import grounds_of, policy_of
from store.session import reading, writing
from store.sync_state import Phase
from store.tables import standing_changes, work_items
from tests.conftest import Clock
from tests.contracts.fake import FakeGradebook, graded, small_gradebook
from tests.servers import running_postgres
from tests.store.places import (
    new_platform,
    new_school,
    new_tenant,
    publish,
    pupil,
    rule,
    set_rule,
)
from tests.workers.night import COURSE, Night
from workers import queue, recompute

_DISTRICTS = 10
_ITEMS = 16
_LEARNERS = 32
_JOBS = 1_000
_WORKERS = 2
_SEED = 20_261_120
_JOBS_A_KILL = (8, 24)
_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 200.0
_RUN_AGAIN_SECONDS = 100.0


@dataclass(slots=True)
class Watch:
    """What was seen of killed work: who held what when, and when it was taken up again."""

    held: dict[int, tuple[int, float]] = field(default_factory=dict)
    again_seconds: list[float] = field(default_factory=list)
    kills: int = 0
    kill_at: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it ended.

    Attributes:
        jobs: Jobs of the queue that carried work.
        kills: Processes killed.
        lost: Work items that did not end as done.
        wrong: Standings that are not what their evidence says, and changes written twice.
        again_seconds: From a kill to the next taking up of what was held by the killed.
        seconds: Of it all.
    """

    jobs: int
    kills: int
    lost: int
    wrong: int
    again_seconds: Sequence[float]
    seconds: float


def run() -> list[Row]:
    """Kill workers through a thousand jobs on PostgreSQL, and print how it went."""
    with tempfile.TemporaryDirectory() as folder, running_postgres() as url:
        found = crash(Path(folder), url, jobs=_JOBS, rng=random.Random(_SEED))
    spans = sorted(found.again_seconds) or [0.0]
    print(
        f"crash: {found.jobs} jobs in {found.seconds:.0f} s, {found.kills} processes killed, "
        f"{found.lost} items lost, {found.wrong} wrong rows; {len(found.again_seconds)} items "
        f"taken up again after {statistics.median(spans):.1f} s in the median, "
        f"{spans[int(0.95 * (len(spans) - 1))]:.1f} s at 95 %, {spans[-1]:.1f} s at most"
    )
    if found.lost or found.wrong or spans[-1] > _RUN_AGAIN_SECONDS:
        sys.exit("crash: this is not what Waymark promises.")
    what = f"jobs with {found.kills} kills, none lost, none wrong"
    rate = found.jobs / found.seconds
    return [Row(benchmark="crash", role="ours", what=what, rate=rate, unit="jobs/s")]


def crash(folder: Path, database_url: str, *, jobs: int, rng: random.Random) -> Outcome:
    """Have workers compute, and kill them at random.

    Args:
        folder: For Redis and logs.
        database_url: An empty database.
        jobs: How many jobs of the queue at least.
        rng: Which process is killed when.

    Returns:
        What came of it.
    """
    settings = replace(
        load_settings({"WAYMARK_DATA_DIR": str(folder)}),
        secret_key=new_secret(),
        database_url=database_url,
        log_level="ERROR",
    )
    with running_redis(settings) as redis_url:
        container = open_container(settings, redis_url)
        with closing(container):
            schema.migrate(container.engine)
            return _killed_through(container, jobs, rng)


def _killed_through(container: Container, jobs: int, rng: random.Random) -> Outcome:
    began = time.monotonic()
    districts = _districts(container.engine, jobs)
    watch = Watch()
    with _workers(container.settings, container.redis_url) as crew:
        number = 0
        while _jobs_done(container.engine) < jobs:
            number += 1
            _one_round(container, districts, number)
            _see_through(container, watch, crew, rng=rng)
    return Outcome(
        jobs=_jobs_done(container.engine),
        kills=watch.kills,
        lost=_lost(container.engine),
        wrong=sum(_wrong(container, one) for one in districts) + _doubled(container.engine),
        again_seconds=tuple(watch.again_seconds),
        seconds=time.monotonic() - began,
    )


def _districts(engine: Engine, jobs: int) -> list[TenantId]:
    """Districts that had one night without any trouble."""
    made = []
    for number in range(min(_DISTRICTS, -(-jobs // _ITEMS))):
        with writing(engine) as connection:
            tenant = new_tenant(connection, f"District {number}")
            platform = new_platform(connection, tenant)
            new_school(connection, tenant, platform)
            publish(connection, tenant, rule("N.1", line_item="quiz*"))
            set_rule(connection, tenant)
        night = Night(engine=engine, clock=Clock(), book=_book(), tenant=tenant, platform=platform)
        night.run()
        made.append(tenant)
    return made


def _book() -> FakeGradebook:
    book = small_gradebook()
    names = [f"learner {number}" for number in range(_LEARNERS)]
    book.people[COURSE] = [pupil(name) for name in names]
    for name in names:
        book.set_score(COURSE, graded("quiz 1", name, 5.0))
    return book


def _one_round(container: Container, districts: Sequence[TenantId], number: int) -> None:
    """Change every score, and begin a run of computing in each district."""
    for tenant in districts:
        with writing(container.engine) as connection:
            for course in courses.courses_of(connection, tenant):
                changed = cells_of(connection, course.id)
                changed.rows["points"] = (changed.learners() * 7 + number * 3) % 11
                keep_cells(connection, course.id, changed)
            waiting.mark_everybody(connection, tenant, now=container.now())
            run_id = sync_state.start_run(
                connection,
                tenant,
                cause="by hand",
                is_full=False,
                now=container.now(),
                phase=Phase.COMPUTE,
            )
            places = [(None, part) for part in range(_ITEMS)]
            sync_state.add_items(connection, run_id, Phase.COMPUTE, places=places)
        queue.tend(container, run_id)


def _see_through(container: Container, watch: Watch, crew: "Crew", *, rng: random.Random) -> None:
    """Kill now and then until all runs are over; nobody else brings them on than the workers."""
    ends_at = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with reading(container.engine) as connection:
            if not sync_state.unfinished_runs(connection):
                return
            _note_again(connection, watch)
        if _jobs_done(container.engine) >= watch.kill_at:
            watch.kills += crew.kill_one(rng)
            watch.kill_at = _jobs_done(container.engine) + rng.randint(*_JOBS_A_KILL)
            with reading(container.engine) as connection:
                _note_held(connection, watch)
        crew.revive()
        if time.monotonic() >= ends_at:
            sys.exit("crash: the runs do not end.")
        time.sleep(_POLL_SECONDS)


def _note_held(connection: Connection, watch: Watch) -> None:
    """All that anybody holds; what its holder finishes was not the killed one's."""
    found = select(work_items.c.id, work_items.c.fence).where(work_items.c.state == "working")
    for item, fence in connection.execute(found):
        watch.held.setdefault(item, (fence, time.monotonic()))


def _note_again(connection: Connection, watch: Watch) -> None:
    found = select(work_items.c.id, work_items.c.fence, work_items.c.state).where(
        work_items.c.id.in_(watch.held)
    )
    for item, fence, state in connection.execute(found):
        held, since = watch.held[item]
        if fence > held:
            watch.again_seconds.append(time.monotonic() - since)
        if fence > held or state == "done":
            del watch.held[item]


@dataclass(slots=True)
class Crew:
    """Worker processes, and the hand that kills them."""

    settings: Settings
    redis_url: str
    _crew: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def revive(self) -> None:
        """Have as many workers as there should be."""
        self._crew = [one for one in self._crew if one.poll() is None]
        while len(self._crew) < _WORKERS:
            self._crew.append(self._start())

    def kill_one(self, rng: random.Random) -> int:
        """Kill a work horse, a worker, or a worker with its horse; how many processes died."""
        worker = rng.choice(self._crew).pid
        victims = rng.choice([_horses(worker), [worker], [worker, *_horses(worker)]])
        for victim in victims:
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        return len(victims)

    def stop(self) -> None:
        """End them all."""
        for one in self._crew:
            for pid in (*_horses(one.pid), one.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            one.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        environment = {
            "WAYMARK_DATA_DIR": str(self.settings.data_dir),
            "WAYMARK_DATABASE_URL": self.settings.database_url,
            "WAYMARK_REDIS_URL": self.redis_url,
            "WAYMARK_SECRET_KEY": self.settings.secret_key,
            "WAYMARK_LOG_LEVEL": "ERROR",
        }
        return subprocess.Popen(
            [sys.executable, "-m", "workers", "work"],
            env=child_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def _horses(worker: int) -> list[int]:
    """The processes that a worker forked."""
    try:
        found = Path(f"/proc/{worker}/task/{worker}/children").read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    return [int(pid) for pid in found.split()]


@contextmanager
def _workers(settings: Settings, redis_url: str) -> Iterator[Crew]:
    crew = Crew(settings, redis_url)
    try:
        crew.revive()
        yield crew
    finally:
        crew.stop()


def _jobs_done(engine: Engine) -> int:
    counted = select(func.count(work_items.c.job.distinct())).where(work_items.c.state == "done")
    with reading(engine) as connection:
        return connection.execute(counted).scalar_one()


def _lost(engine: Engine) -> int:
    counted = (
        select(func.count())
        .select_from(work_items)
        .where(work_items.c.phase == "compute", work_items.c.state != "done")
    )
    with reading(engine) as connection:
        return connection.execute(counted).scalar_one()


def _wrong(container: Container, tenant: TenantId) -> int:
    """Standings that differ from what the evidence says when it is judged anew."""
    with reading(container.engine) as connection:
        everybody = [LearnerId(one) for one in tenants.all_learners(connection, tenant)]
        policy = policy_of(connection, tenant, now=container.now())
        kept = standing_tables.kept_now(connection, everybody)
        grounds = grounds_of(connection, policy, everybody)
    with writing(container.engine) as connection:
        ids = recompute.rule_ids(connection, tenant, policy.book)
    return differing(kept, recompute.compute(grounds, ids)).after.learner.size


def _doubled(engine: Engine) -> int:
    """Changes of standings that were written twice."""
    change = standing_changes.c
    place = (change.learner_id, change.competency_id, change.view)
    said = (change.status, change.estimate, change.level)
    order = {"partition_by": place, "order_by": change.id}
    before = [func.lag(one).over(**order).label(f"was_{one.name}") for one in said]
    pairs = select(*said, *before, func.row_number().over(**order).label("number")).subquery()
    same = [pairs.c[one.name].is_not_distinct_from(pairs.c[f"was_{one.name}"]) for one in said]
    counted = select(func.count()).select_from(pairs).where(pairs.c.number > 1, *same)
    with reading(engine) as connection:
        return connection.execute(counted).scalar_one()
