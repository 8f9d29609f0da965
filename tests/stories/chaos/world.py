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
from tempfile import TemporaryDirectory
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
from store import schema, sync_state
from store.session import reading
from store.sync_state import Phase
from tests.store.kept import lay_out
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One deed of a teacher at an LMS, as its control API takes it."""

    lms: str
    kind: str
    course: int
    learner: str
    item: int = 0
    value: str = ""


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

    def phase(self, run: RunId) -> Phase:
        """Where a run is; at its begin where the database cannot be asked."""
        with suppress(*UNREACHED), reading(self.container.engine) as connection:
            return sync_state.run(connection, run).phase
        return Phase.PLAN

    def heard(self, run: RunId) -> Sequence[Any]:
        """What changes whenever somebody does something for a run, or renews a lease on it."""
        with suppress(*UNREACHED):
            return self.rows(
                "SELECT count(*), sum(attempts), max(lease_until), max(finished_at) "
                "FROM work_items WHERE run_id = :run",
                run=run,
            )
        return ()

    def play(self, act: Act) -> None:
        """Have a teacher do something at an LMS."""
        sent = {
            "kind": act.kind,
            "course": act.course,
            "learner": act.learner,
            "item": act.item,
            "value": act.value,
        }
        self.ask(act.lms, "change", sent)

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
            if " scores " in query:
                lay_out(connection)
            return connection.execute(text(query), values).all()

    def now(self) -> datetime:
        return self.container.now()


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How workers reach everything else.

    Attributes:
        host: The address at which they find database, Redis and LMSs.
        private: What of it they must be allowed, as WAYMARK_PRIVATE_NETWORKS.
        machines: Words before each worker's command, that start it on a machine of its own.
    """

    host: str = "127.0.0.1"
    private: str = ""
    machines: Sequence[Sequence[str]] = ((), ())


HERE = Network()


@contextmanager
def new_folder() -> Iterator[Path]:
    """A folder whose path fits a unix socket, and which PostgreSQL as nobody can reach."""
    with TemporaryDirectory(prefix="wm-chaos-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def whole_world(folder: Path, network: Network = HERE) -> Iterator[World]:
    """Start everything, with a district that has been loaded and not been read yet."""
    database = folder / "pg"
    database.mkdir()
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
        stack.enter_context(carrying(*wires.values(), host=network.host))
        tool = free_port()
        container = _container(folder, postgres, redis, port=tool, clock=clocks["servers"])
        stack.callback(container.close)
        stack.enter_context(serving_on(tool, create_app(container)))
        _draw_district(folder, wires, host=network.host, tool=tool)
        ledgers = {lms: Ledger.opened(folder / "district" / f"{lms}.db", lms) for lms in LMSS}
        lms_urls = {lms: f"http://127.0.0.1:{ports[lms]}" for lms in LMSS}
        environment = _environment(container, wires, network)
        processes = _waymark(folder, network, {**environment, **clocks["ours"].environment})
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


def _draw_district(folder: Path, wires: dict[str, Wire], *, host: str, tool: int) -> None:
    addresses = Addresses(
        canvas=f"http://{host}:{wires['canvas'].port}",
        moodle=f"http://{host}:{wires['moodle'].port}",
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


def _environment(container: Container, wires: dict[str, Wire], network: Network) -> dict[str, str]:
    """What an operator sets; the night is half a day away."""
    far = (datetime.now(UTC) - timedelta(hours=12)).strftime("%H:%M")
    allowed = {"WAYMARK_PRIVATE_NETWORKS": network.private} if network.private else {}
    return {
        "WAYMARK_DATA_DIR": str(container.settings.data_dir),
        "WAYMARK_DATABASE_URL": f"postgresql://waymark@{network.host}:"
        f"{wires['postgres'].port}/postgres?sslmode=disable",
        "WAYMARK_REDIS_URL": f"redis://{network.host}:{wires['redis'].port}/0",
        "WAYMARK_SECRET_KEY": SECRET,
        "WAYMARK_PUBLIC_URL": container.settings.public_url,
        "WAYMARK_PORT": str(container.settings.port),
        "WAYMARK_SYNC_AT": far,
        "WAYMARK_SYNC_TIMEZONE": "UTC",
        "PYTHONUNBUFFERED": "1",
        **allowed,
    }


def _waymark(folder: Path, network: Network, environment: dict[str, str]) -> Sequence[Process]:
    """A worker process for each machine and, last, a scheduler, as a Procfile starts them."""
    programs = [
        *((f"worker-{n + 1}", "work", before) for n, before in enumerate(network.machines)),
        ("cron", "cron", network.machines[0]),
    ]
    return [
        Process(
            name=name,
            command=[*before, *python("workers", word)],
            environment=environment,
            log=folder / f"{name}.log",
        )
        for name, word, before in programs
    ]


def _await_lms(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError):
            urllib.request.urlopen(f"{url}/_control/counters").close()  # noqa: S310 - our own
            return
        time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")
