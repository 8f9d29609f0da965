"""A district's whole machinery in processes of its own, every wire of which can be cut.

The processes live from round to round. The test itself stands where ``waymark sync`` stands: it
begins runs and tends them, past the wires.
"""

import json
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from redis import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bootstrap.container import Container, open_container
from bootstrap.district import load_district
from bootstrap.settings import load_settings
from lti_tool import create_app
from lti_tool.console import Report, report
from mapping.records import RunId, TenantId
from simulators.files import Addresses, write_all
from store import schema
from store.sync_state import Phase
from tests.stories.chaos.clocks import Clock, compiled
from tests.stories.chaos.ledger import Ledger
from tests.stories.chaos.processes import Postgres, Process, RedisServer, python
from tests.stories.chaos.proxy import Wire, carrying
from tests.stories.stage import SECRET, free_port, serving_on
from tests.stories.tiny import MOODLE, NOT_COUNTED, WORDS, Plan, tiny_district
from workers import queue, schedule

PLANS = (
    *(Plan(name=f"words {n}", school=WORDS, learners=4) for n in range(2)),
    *(Plan(name=f"marks {n}", school=NOT_COUNTED, learners=4) for n in range(2)),
    *(Plan(name=f"moodle {n}", school=MOODLE, learners=4) for n in range(2)),
)
LMSS = ("canvas", "moodle")
WORKERS = 2
BACKGROUND_SECONDS = 0.3
"""How long the LMS lets a bulk write wait: so long it is neither there nor lost."""
PATIENCE_SECONDS = 240.0
_TEND_SECONDS = 0.1
UNREACHED = (DBAPIError, RedisError, OSError)


@dataclass
class World:
    """Everything a round needs; ``ours`` and ``servers`` are clocks that can be stepped."""

    container: Container
    tenant: TenantId
    folder: Path
    postgres: Postgres
    redis: RedisServer
    workers: Sequence[Process]
    cron: Process
    lms_urls: dict[str, str]
    wires: dict[str, Wire]
    clocks: dict[str, Clock]
    ledgers: dict[str, Ledger]

    def begin(self, cause: str = schedule.BY_HAND) -> RunId:
        return queue.enqueue_run(self.container, self.tenant, cause=cause)

    def tend(self, run: RunId) -> bool:
        """Bring a run on, as far as database and queue can be reached; whether it is over."""
        with suppress(*UNREACHED):
            return queue.tend(self.container, run) is Phase.DONE
        return False

    def see_through(self, run: RunId) -> Report:
        """Tend a run to its end, dead processes being started again all the while."""
        began = time.monotonic()
        while not self.tend(run):
            assert time.monotonic() < began + PATIENCE_SECONDS, self.where_it_hangs(run)
            self.revive()
            time.sleep(_TEND_SECONDS)
        return report(self.container, run)

    def where_it_hangs(self, run: RunId) -> str:
        rows = self.rows(
            "SELECT phase, state, attempts, cause, message, job FROM work_items "
            "WHERE run_id = :run AND state IN ('pending', 'working')",
            run=run,
        )
        return "the run does not end: " + "; ".join(str(tuple(row)) for row in rows[:20])

    def let_time_pass(self, seconds: float) -> None:
        """Step every clock alike: for all of them together that is time passing."""
        for clock in self.clocks.values():
            clock.set(clock.ahead_seconds + seconds)

    def heal(self) -> None:
        """End every mischief that goes on by itself."""
        for wire in self.wires.values():
            wire.heal()
        for lms in LMSS:
            self.ask(lms, "faults", {"mode": "none"})
        self.clocks["ours"].set(self.clocks["servers"].ahead_seconds)
        self.revive()

    def revive(self) -> None:
        for process in (*self.workers, self.cron):
            process.revive()

    def ask(self, lms: str, name: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.lms_urls[lms]}/_control/{name}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", "User-Agent": "a teacher"},
        )
        with urllib.request.urlopen(request) as reply:  # noqa: S310 - our own server
            return json.load(reply)

    def rows(self, query: str, **values: object) -> Sequence[Any]:
        with self.container.engine.connect() as connection:
            return connection.execute(text(query), values).all()

    def now(self) -> datetime:
        return self.container.now()


@contextmanager
def whole_world(folder: Path) -> Iterator[World]:
    """Start everything, and run the first night."""
    # Where a short path is needed, and somebody else than root must get in.
    database = folder / "pg"
    database.mkdir(parents=True)
    library = compiled(folder)
    clocks = {name: Clock(folder / f"{name}.clock", library) for name in ("ours", "servers")}
    with ExitStack() as stack:
        postgres = Postgres(database, clocks["servers"].environment)
        redis = RedisServer(folder, clocks["servers"].environment, port=free_port())
        for server in (postgres, redis):
            stack.callback(server.end)
            server.start()
        ports = {lms: free_port() for lms in LMSS}
        wires = {
            "postgres": Wire("postgres", postgres.socket),
            "redis": Wire("redis", ("127.0.0.1", int(redis.url.split(":")[2].split("/")[0]))),
            **{lms: Wire(lms, ("127.0.0.1", ports[lms])) for lms in LMSS},
        }
        stack.enter_context(carrying(*wires.values()))
        tool = free_port()
        container = _container(folder, postgres, redis, port=tool, clock=clocks["servers"])
        stack.callback(container.close)
        stack.enter_context(serving_on(tool, create_app(container)))
        _draw_district(folder, wires, tool)
        ledgers = {lms: Ledger.opened(folder / "district" / f"{lms}.db", lms) for lms in LMSS}
        lms_urls = {lms: f"http://127.0.0.1:{ports[lms]}" for lms in LMSS}
        processes = _waymark(folder, container, wires, clocks["ours"])
        for process in (*_simulators(folder, ports, clocks["servers"]), *processes):
            stack.callback(process.end)
            process.start()
        for lms in LMSS:
            _await_lms(lms_urls[lms])
        loaded = load_district(container, folder / "district" / "district.json")
        yield World(
            container=container,
            tenant=loaded.tenant,
            folder=folder,
            postgres=postgres,
            redis=redis,
            workers=processes[:-1],
            cron=processes[-1],
            lms_urls=lms_urls,
            wires=wires,
            clocks=clocks,
            ledgers=ledgers,
        )


def _container(
    folder: Path, postgres: Postgres, redis: RedisServer, *, port: int, clock: Clock
) -> Container:
    settings = replace(
        load_settings({"WAYMARK_DATA_DIR": str(folder / "data")}),
        secret_key=SECRET,
        database_url=f"postgresql+psycopg://waymark@/postgres?host={postgres.folder}",
        public_url=f"http://127.0.0.1:{port}",
        port=port,
    )
    settings.data_dir.mkdir()
    container = open_container(settings, redis.url)
    schema.migrate(container.engine)

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=clock.ahead_seconds)

    return replace(container, now=now)


def _draw_district(folder: Path, wires: dict[str, Wire], tool: int) -> None:
    addresses = Addresses(
        canvas=f"http://127.0.0.1:{wires['canvas'].port}",
        moodle=f"http://127.0.0.1:{wires['moodle'].port}",
        tool=f"http://127.0.0.1:{tool}",
    )
    drawn = replace(tiny_district(PLANS), background_seconds=BACKGROUND_SECONDS)
    write_all(folder / "district", drawn, addresses=addresses, seed=7)


def _simulators(folder: Path, ports: dict[str, int], clock: Clock) -> Sequence[Process]:
    return [
        Process(
            name=lms,
            command=python(
                "simulators", lms, "--data", str(folder / "district"), "--port", str(ports[lms])
            ),
            environment=clock.environment,
            log=folder / f"{lms}.log",
        )
        for lms in LMSS
    ]


def _waymark(
    folder: Path, container: Container, wires: dict[str, Wire], clock: Clock
) -> Sequence[Process]:
    """The worker processes and, last, a scheduler, as a Procfile starts them."""
    far = (datetime.now(UTC) - timedelta(hours=12)).strftime("%H:%M")
    environment = {
        "WAYMARK_DATA_DIR": str(container.settings.data_dir),
        "WAYMARK_DATABASE_URL": "postgresql://waymark@127.0.0.1:"
        f"{wires['postgres'].port}/postgres?sslmode=disable",
        "WAYMARK_REDIS_URL": f"redis://127.0.0.1:{wires['redis'].port}/0",
        "WAYMARK_SECRET_KEY": SECRET,
        "WAYMARK_PUBLIC_URL": container.settings.public_url,
        "WAYMARK_PORT": str(container.settings.port),
        "WAYMARK_SYNC_AT": far,
        "WAYMARK_SYNC_TIMEZONE": "UTC",
        "PYTHONUNBUFFERED": "1",
        **clock.environment,
    }
    names = [*(f"worker-{number + 1}" for number in range(WORKERS)), "cron"]
    return [
        Process(
            name=name,
            command=python("workers", "cron" if name == "cron" else "work"),
            environment=environment,
            log=folder / f"{name}.log",
        )
        for name in names
    ]


def _await_lms(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError):
            urllib.request.urlopen(f"{url}/_control/counters").close()  # noqa: S310 - our own
            return
        time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")
