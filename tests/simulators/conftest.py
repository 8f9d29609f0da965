"""A small district, drawn once; every test gets files of its own."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from simulators import moodle as moodle_package
from simulators.district import District
from simulators.files import Addresses, write_all
from simulators.generate import draw
from simulators.signing import PlatformKey
from simulators.state import config_of, open_state, refresh

SEED = 3
NOW = 1795300000.0
CANVAS_URL = "http://127.0.0.1:8101"
MOODLE_URL = "http://127.0.0.1:8102"
TOOL_URL = "http://localhost:8100"


@pytest.fixture(scope="session")
def plan() -> District:
    return draw(SEED, "small")


@pytest.fixture(scope="session")
def drawn_folder(plan, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("district")
    addresses = Addresses(canvas=CANVAS_URL, moodle=MOODLE_URL, tool=TOOL_URL)
    write_all(folder, plan, addresses=addresses, seed=SEED)
    PlatformKey.load_or_create(folder / "moodle.pem")
    PlatformKey.load_or_create(folder / "tool.pem")
    return folder


@pytest.fixture
def district_folder(drawn_folder, tmp_path) -> Path:
    """All files of a small district; a test may change them."""
    folder = tmp_path / "district"
    shutil.copytree(drawn_folder, folder)
    return folder


class Moodle:
    """A Moodle site and short words for asking it; ``clock.now`` is its time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = SimpleNamespace(now=NOW)
        self.app = moodle_package.create_app(path, clock=lambda: self.clock.now)
        self.client = self.app.test_client()
        with closing(open_state(path)) as connection:
            self.config = config_of(connection)
        self.token = self.config["api_token"]

    def ask(self, function: str, **parameters: Any) -> Any:
        """Call a web service function; ``ids__0`` stands for ``ids[0]``."""
        named = {"wstoken": self.token, "moodlewsrestformat": "json", "wsfunction": function}
        for name, value in parameters.items():
            first, *rest = name.split("__")
            named[first + "".join(f"[{part}]" for part in rest)] = str(value)
        return self.client.post("/webservice/rest/server.php", data=named).get_json()

    def rows_of(self, course: int, learner: int) -> dict[int, dict[str, Any]]:
        """A learner's rows of the grade report by grade item id."""
        report = self.ask("gradereport_user_get_grade_items", courseid=course, userid=learner)
        return {row["id"]: row for row in report["usergrades"][0]["gradeitems"]}

    def enter(self, course: int, learner: int, item: int, points: Any) -> None:
        """Enter a score as a teacher."""
        sent = {"course": course, "learner": learner, "assignment": item, "points": points}
        assert self.client.post("/_control/score", json=sent).status_code == 200

    def totals(self, course: int) -> dict[str, float | None]:
        """Course totals in per cent by learner id."""
        return self.client.get(f"/_control/course_grades?course={course}").get_json()

    def query(self, sql: str, *values: Any) -> list[Any]:
        """Rows of the state, as the site has them now."""
        with closing(open_state(self.path)) as connection, connection:
            return connection.execute(sql, values).fetchall()


@pytest.fixture
def moodle(district_folder) -> Moodle:
    return Moodle(district_folder / "moodle.db")


@dataclass
class Tool:
    """A tool's key set, served over a real socket."""

    key: PlatformKey
    jwks: dict[str, Any]
    url: str = ""
    fetches: list[str] = field(default_factory=list)


@pytest.fixture
def tool(district_folder) -> Iterator[Tool]:
    key = PlatformKey.load_or_create(district_folder / "tool.pem")
    served = Tool(key=key, jwks=key.jwks())
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    refresh(district_folder / "moodle.db", {"tool_url": served.url})
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


def _handler(served: Tool) -> type[BaseHTTPRequestHandler]:
    import json

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.fetches.append(self.path)
            body = json.dumps(served.jwks).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    return Handler
