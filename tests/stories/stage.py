"""A small district with its two LMSs, Waymark beside them, and nights to run."""

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from redis import Redis
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker

import simulators.canvas
import simulators.moodle
import workers.jobs
from bootstrap.container import Container, open_container
from bootstrap.district import load_district
from bootstrap.settings import load_settings
from lti_tool import create_app
from lti_tool.console import Report, report
from mapping.records import RunId, TenantId
from simulators.district import District
from simulators.files import Addresses, write_all
from simulators.generate import draw
from simulators.serving import Server
from store.sync_state import Phase
from tests.store.kept import lay_out
from workers import queue

TODAY = date(2026, 11, 20)
SECRET = "a secret key of the stories, long enough"
_PATIENCE_SECONDS = 120.0


@dataclass
class Stage:
    """Waymark and its LMSs; ``run_night`` does what a night does, with RQ in this process."""

    container: Container
    tenant: TenantId
    canvas: str
    moodle: str
    folder: Path
    _opener: urllib.request.OpenerDirector = field(default_factory=urllib.request.build_opener)

    def run_night(self, *, is_full: bool = False) -> Report:
        return self.see_through(queue.enqueue_run(self.container, self.tenant, is_full=is_full))

    def see_through(self, run_id: RunId) -> Report:
        """Do what the workers and the scheduler would, until a run has ended."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while queue.tend(self.container, run_id) is not Phase.DONE:
            assert time.monotonic() < deadline, "the night does not end"
            work_off(self.container)
            time.sleep(0.05)
        return report(self.container, run_id)

    def ask(self, url: str, body: dict | None = None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "a teacher"}
        with self._opener.open(urllib.request.Request(url, data, headers)) as reply:  # noqa: S310 - our own servers
            return json.load(reply)

    def ask_canvas(self, method: str, url: str, body: dict | None = None):
        """As somebody at the school, with the service user's token."""
        district = json.loads((self.folder / "district" / "district.json").read_text())
        token = next(p["api_token"] for p in district["platforms"] if p["kind"] == "canvas")
        request = urllib.request.Request(  # noqa: S310 - our own server
            url,
            None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "Authorization": f"Bearer {token}",
                "User-Agent": "a teacher",
                "Content-Type": "application/json",
                "Accept": "application/json+canvas-string-ids",
            },
        )
        with self._opener.open(request) as reply:
            return json.load(reply)

    def change_score(self, kind: str, course: str, learner: str, *, item: str, points) -> None:
        sent = {"course": course, "learner": learner, "assignment": item, "points": points}
        self.ask(f"{self.lms(kind)}/_control/score", sent)

    def fault(self, kind: str, mode: str, **options) -> None:
        self.ask(f"{self.lms(kind)}/_control/faults", {"mode": mode, **options})

    def lms(self, kind: str) -> str:
        return self.canvas if kind == "canvas" else self.moodle

    def rows(self, query: str, **values):
        with self.container.engine.connect() as connection:
            if " scores " in query:
                lay_out(connection)
            return connection.exec_driver_sql(query, values).all()


def work_off(container: Container) -> None:
    worker = SimpleWorker(
        [queue.open_queue(container)], connection=container.redis, serializer=JSONSerializer
    )
    worker.work(burst=True, logging_level="ERROR")


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving_on(port: int, application) -> Iterator[str]:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    server = Server(listener, application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def open_stage_container(
    folder: Path, database_url: str, redis_url: str, *, port: int, host: str = "127.0.0.1"
) -> Container:
    settings = replace(
        load_settings({"WAYMARK_DATA_DIR": str(folder)}),
        secret_key=SECRET,
        database_url=database_url,
        public_url=f"http://{host}:{port}",
        port=port,
    )
    Redis.from_url(redis_url).flushall()
    container = open_container(settings, redis_url)
    workers.jobs.serve(settings, redis_url, pause_seconds=(0.05,) * 5, down_seconds=1.0)
    return container


@contextmanager
def district_on_stage(
    folder: Path,
    database_url: str,
    redis_url: str,
    *,
    tool_host: str = "127.0.0.1",
    drawn: District | None = None,
    is_loaded: bool = True,
) -> Iterator[Stage]:
    """Serve it all; to a browser, ``localhost`` is another site than the LMSs' 127.0.0.1.

    ``drawn`` is the district to be played in; None draws a small one. Where it is not loaded, the
    LMSs are there and Waymark knows nothing of them.
    """
    tool, canvas, moodle = free_port(), free_port(), free_port()
    district = folder / "district"
    addresses = Addresses(
        canvas=f"http://127.0.0.1:{canvas}",
        moodle=f"http://127.0.0.1:{moodle}",
        tool=f"http://{tool_host}:{tool}",
    )
    drawn = drawn or draw(7, "small", today=TODAY)
    write_all(district, drawn, addresses=addresses, seed=7)
    container = open_stage_container(folder, database_url, redis_url, port=tool, host=tool_host)
    with ExitStack() as stack:
        stack.callback(container.close)
        app = create_app(container)
        for port, application in (
            (tool, app),
            (canvas, simulators.canvas.create_app(district / "canvas.db")),
            (moodle, simulators.moodle.create_app(district / "moodle.db")),
        ):
            stack.enter_context(serving_on(port, application))
        tenant = TenantId(0)
        if is_loaded:
            tenant = load_district(container, district / "district.json").tenant
        yield Stage(
            container=container,
            tenant=tenant,
            canvas=addresses.canvas,
            moodle=addresses.moodle,
            folder=folder,
        )
