"""A course of one LMS and its nights, with a fault at one request: quick, for there are many.

All clocks are one clock that stands still until somebody waits, so no waiting takes time. The
database and the LMS's state begin each case as copies of the same two files.
"""

import json
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from connectors import Gradebook, PlatformAccess, PlatformKind, connect
from connectors.errors import ConnectorError, RetryLater
from connectors.limiter import UnpacedLimiter
from connectors.platform import Services
from connectors.tokens import ServiceTokens
from mapping.records import PassbackWay, PlatformId, RunId
from simulators.files import Addresses, write_all
from simulators.generate import draw
from simulators.signing import PlatformKey
from simulators.state import open_state, refresh
from store import sync_state
from store.session import open_engine, writing
from store.sync_state import ItemState, Phase
from tests.conftest import Clock
from tests.connectors.doubles import KEY, LOOPBACK, MIRROR, MemoryTokenCache
from tests.connectors.serving import ScriptedLms, answer_json, serving
from tests.contracts.subjects import public_jwk, simulated_access
from tests.databases import lay_database
from tests.store.kept import lay_out
from tests.store.places import new_platform, new_school, new_tenant, publish, rule, set_rule
from tests.stories.stage import free_port, serving_on
from tests.workers.night import Night
from workers import passback, plan, recompute, schedule, sync
from workers.work import Work

TODAY = date(2026, 11, 20)
COURSES = {PlatformKind.CANVAS: (101, 11), PlatformKind.MOODLE: (3, 13)}
"""One course of each LMS with its school; Canvas sends its cells on three pages."""
LEARNERS = 7
_FOLDER = TemporaryDirectory(prefix="waymark-stories-")
_MOST_TRIES = 2
_MOST_ROUNDS = 40

STORE = """
    SELECT i.ref, i.criterion_ref, a.ref, s.flags & 7, s.points, s.attempt, s.flags & 8
    FROM scores s JOIN line_items i ON i.id = s.line_item_id
    JOIN learner_accounts a ON a.learner_id = s.learner_id
"""
REPEATED = """
    SELECT count(*) FROM (SELECT flags, points, attempt,
        lag(flags) OVER cell AS was_flags, lag(points) OVER cell AS was_points,
        lag(attempt) OVER cell AS was_attempt
        FROM score_events WINDOW cell AS (PARTITION BY line_item_id, learner_id ORDER BY id))
    WHERE flags & 15 = was_flags & 15 AND points IS was_points AND attempt = was_attempt
"""


@dataclass
class Served:
    """An LMS over a real socket, whose state file and clock a test may change."""

    url: str
    state: Path
    access: PlatformAccess
    clock: Clock
    cache: MemoryTokenCache = field(default_factory=MemoryTokenCache)

    def open(self) -> Gradebook:
        """A connector as a work item gets it: made anew, with tokens that all share."""
        tokens = ServiceTokens(
            cache=self.cache, key=lambda: KEY, seal=MIRROR, now=self.clock, sleep=self.sleep
        )
        services = Services(
            now=self.clock,
            sleep=self.sleep,
            limiter=UnpacedLimiter(),
            tokens=tokens,
            public_url="http://localhost:8100",
            private_networks=LOOPBACK,
        )
        return connect(self.access, services)

    def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)

    def fault(self, mode: str, **options) -> None:
        self.ask("faults", {"mode": mode, **options})

    def without_services(self) -> "Served":
        """The same LMS where LTI was not set up: its services need clocks that agree."""
        return replace(self, access=replace(self.access, client_id="", token_url=""))

    def change_score(self, cell: tuple[str, str, str], points: float | str | None) -> None:
        item, _, learner = cell
        sent = {"course": COURSES[self.access.kind][0], "learner": learner, "points": points}
        self.ask("score", {**sent, "assignment": item})

    def course_grades(self) -> dict[str, float | None]:
        return self.ask(f"course_grades?course={COURSES[self.access.kind][0]}")

    def ask(self, name: str, payload: dict | None = None):
        request = urllib.request.Request(  # noqa: S310 - a loopback address
            f"{self.url}/_control/{name}",
            None if payload is None else json.dumps(payload).encode(),
            {"Content-Type": "application/json", "Accept": "application/json"},
        )
        with urllib.request.urlopen(request) as reply:  # noqa: S310 - a loopback address
            return json.load(reply)

    @contextmanager
    def struck(self, fault: dict) -> Iterator[None]:
        self.fault(**fault)
        try:
            yield
        finally:
            self.fault("none")

    @property
    def requests(self) -> int:
        """How many requests came since a fault was last switched on."""
        return self.ask("faults")["matched"]


@dataclass
class FaultyNight(Night):
    """A night whose work items end as ``workers.jobs`` ends them, after fewer tries."""

    served: Served = field(kw_only=True)

    def run(self, *, is_full: bool = False, until: Phase = Phase.DONE) -> RunId:
        self.clock.advance(hours=24)
        return self.see_through(self.begin(is_full=is_full), until)

    def see_through(self, run: RunId, until: Phase = Phase.DONE) -> RunId:
        for _ in range(_MOST_ROUNDS):
            if self.has_reached(run, until):
                return run
            for work in self.take(run):
                self.try_to_perform(work)
            self.clock.advance(minutes=1)
        raise AssertionError("the night does not end")

    def has_reached(self, run: RunId, until: Phase) -> bool:
        order = list(Phase)
        phase = schedule.advance(self.engine, run, now=self.clock())
        return order.index(phase) >= order.index(until)

    def perform(self, work: Work) -> None:
        item, book = work.lease.item, self.served.open()
        match item.phase:
            case Phase.PLAN:
                plan.plan_platform(book, work, PlatformId(item.part))
            case Phase.PULL:
                sync.sync_course(book, work, item.course)
            case Phase.COMPUTE:
                recompute.recompute_part(work)
            case _:
                passback.push_course(book, work, item.course)

    def try_to_perform(self, work: Work) -> None:
        try:
            self.perform(work)
        except RetryLater as error:
            if work.lease.item.attempts >= _MOST_TRIES:
                self._fail(work, error)
            else:
                self._put_back(work, error)
        except ConnectorError as error:
            self._fail(work, error)

    def _put_back(self, work: Work, error: RetryLater) -> None:
        later = self.clock() + timedelta(seconds=error.after_seconds)
        with work.writing() as connection:
            sync_state.put_back(
                connection, work.lease, not_before=later, cause=error.cause, message=str(error)
            )

    def _fail(self, work: Work, error: ConnectorError) -> None:
        with work.writing() as connection:
            sync_state.finish(
                connection,
                work.lease,
                ItemState.FAILED,
                now=work.now(),
                cause=error.cause,
                message=str(error),
            )

    def store(self) -> dict:
        """What Waymark holds of each cell, by column, rubric row and learner."""
        with self.engine.connect() as connection:
            lay_out(connection)
            rows = connection.exec_driver_sql(STORE).all()
        return {tuple(row[:3]): tuple(row[3:]) for row in rows}

    def one(self, sql: str) -> int:
        with self.engine.connect() as connection:
            return connection.exec_driver_sql(sql).scalar_one()

    def repeated_events(self) -> int:
        return self.one(REPEATED)

    def failures(self, run: RunId, place: str) -> int:
        """How many lines say that something failed, each of which a person can read."""
        failed = [line for line in self.troubles(run) if line.state is ItemState.FAILED]
        for line in failed:
            assert line.cause not in {"", "unexpected"}, (place, line)
            assert "Simulated " in line.message, (place, line)
            assert line.message.endswith("."), (place, line)
        return len(failed)


@contextmanager
def served_lms(folder: Path, kind: PlatformKind, *, learners: int = LEARNERS) -> Iterator[Served]:
    """A simulator of a district that has one course, on a clock of its own."""
    for file in drawn_course(kind, learners).iterdir():
        shutil.copy(file, folder)
    state = folder / f"{kind.value}.db"
    clock, tool, port = Clock(), ScriptedLms(), free_port()
    url = f"http://127.0.0.1:{port}"
    issuer = "https://canvas.instructure.com" if kind is PlatformKind.CANVAS else url
    tool.on("GET", "/lti/jwks", answer_json({"keys": [public_jwk()]}))
    with serving(tool) as tool_url:
        refresh(state, {"base_url": url, "issuer": issuer, "tool_url": tool_url})
        lms = import_module(f"simulators.{kind.value}")
        application = lms.create_app(state, clock=lambda: clock().timestamp())
        with serving_on(port, application):
            access = simulated_access(state, kind, url)
            yield Served(url=url, state=state, access=access, clock=clock)


@cache
def drawn_course(kind: PlatformKind, size: int) -> Path:
    """A folder with the district on disk and its keys, drawn once; to be copied."""
    folder = Path(_FOLDER.name) / f"{kind.value}-{size}"
    folder.mkdir()
    plan = draw(7, "small", today=TODAY)
    course, _ = COURSES[kind]
    (found,) = [one for one in plan.courses if one.id == course]
    learners = found.learners[:size]
    small = replace(
        found,
        learners=learners,
        suspended=tuple(one for one in found.suspended if one in learners),
        grades=tuple(grade for grade in found.grades if grade.learner in learners),
    )
    anywhere = Addresses(canvas="http://c.example", moodle="http://m.example", tool="http://t")
    write_all(folder, replace(plan, courses=(small,)), addresses=anywhere, seed=7)
    for key in (kind.value, f"{kind.value}.events"):
        PlatformKey.load_or_create(folder / f"{key}.pem")
    return folder


def new_night(engine: Engine, served: Served, way: PassbackWay) -> FaultyNight:
    """A tenant with one platform, one school and one rule that takes every column."""
    _, school = COURSES[served.access.kind]
    kind = served.access.kind.value
    with writing(engine) as connection:
        tenant = new_tenant(connection)
        platform = new_platform(
            connection, tenant, served.access.name, kind=kind, api_url=served.url
        )
        new_school(connection, tenant, platform, way=way, ref=str(school))
        publish(connection, tenant, rule("N.1", line_item="*"))
        set_rule(connection, tenant)
    return FaultyNight(
        engine=engine,
        clock=served.clock,
        book=served.open(),  # type: ignore[arg-type]  # the fake's place
        tenant=tenant,
        platform=platform,
        served=served,
    )


@dataclass
class Snapshot:
    """The database and the LMS's state at a moment, to begin from again and again."""

    folder: Path
    served: Served
    night: FaultyNight
    run: RunId | None = None
    moment: datetime | None = None

    def keep(self) -> None:
        """Remember this moment."""
        self.night.engine.dispose()
        copy(self.folder / "waymark.db", self.folder / "waymark.kept")
        copy(self.served.state, self.folder / "state.kept")
        self.moment = self.served.clock.moment

    def back(self) -> FaultyNight:
        """The same database as it was, before an LMS as it was.

        With the same engine, which has its statements ready.
        """
        self.night.engine.dispose()
        copy(self.folder / "waymark.kept", self.folder / "waymark.db")
        copy(self.folder / "state.kept", self.served.state)
        self.served.cache = MemoryTokenCache()
        self.served.clock.moment = self.moment
        return self.night


def copy(source: Path, target: Path) -> None:
    """Through SQLite itself: page by page, into a file that others hold open."""
    with closing(open_state(source)) as found, closing(open_state(target)) as made:
        found.backup(made)


def new_database(folder: Path) -> Engine:
    return open_engine(lay_database(folder))


def between(before: dict, wanted: dict, found: dict) -> list:
    """What says something that was said neither before nor shall be now."""
    return [
        (place, before.get(place), wanted.get(place), found.get(place))
        for place in before.keys() | wanted.keys() | found.keys()
        if found.get(place) not in (before.get(place), wanted.get(place))
    ]


def is_healed(at: int, requests: int) -> bool:
    """Whether another night follows: after some requests only, for a night takes its time."""
    return at % 4 == 1 or at == requests
