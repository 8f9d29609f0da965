"""The gradebooks that must keep the contract, each ready for one test."""

import json
import shutil
import sqlite3
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import jwt

from connectors import Gradebook, PlatformAccess, PlatformKind, Services, connect
from connectors.limiter import UnpacedLimiter
from connectors.tokens import ServiceTokens
from mapping.passback import column_tag, column_title
from mapping.records import (
    ColumnMarks,
    ColumnSpec,
    CourseRef,
    CourseState,
    LearnerRef,
    PassbackWay,
    Score,
    ScoreState,
)
from simulators.files import Addresses, write_all
from simulators.generate import draw
from simulators.signing import PlatformKey
from simulators.state import config_of, open_state, refresh
from tests.connectors.doubles import KEY, LOOPBACK, MIRROR, PRIVATE_KEY, MemoryTokenCache
from tests.connectors.serving import ScriptedLms, answer_json, serving
from tests.contracts.fake import graded, small_gradebook
from tests.replay import API_TOKEN, CLIENT_ID, TYPE_ID, serve_recordings

NAMES = (
    "fake",
    "recorded-moodle",
    "canvas-words",
    "canvas-marks",
    "canvas-marks-counted",
    "moodle-words",
    "moodle-marks-counted",
    "moodle-competency",
)


def wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass
class Subject:
    """A gradebook with a course to try it on.

    ``change`` gives a score other points as the LMS's teacher would; None where it cannot be
    done. ``state`` is the simulator's file. ``codes`` are of two columns that can be had.
    """

    gradebook: Gradebook
    course: CourseRef
    way: PassbackWay
    now: Callable[[], datetime] = wall_clock
    change: Callable[[Score, float | str | None], None] | None = None
    state: Path | None = None
    url: str = ""
    codes: Sequence[str] = ("NUMBERS", "SHAPES")

    def spec(self, code: str) -> ColumnSpec:
        return ColumnSpec(
            tag=column_tag(code, self.way),
            title=column_title(code.title(), self.way),
            way=self.way,
            maximum=4.0,
            code=code,
        )

    def all_scores(self, since=None):
        pages = list(self.gradebook.scores(self.course, since))
        return [score for page in pages for score in page.scores], pages[-1].cursor

    def a_graded_score(self) -> Score:
        scores, _ = self.all_scores()
        return next(
            one for one in scores if one.state is ScoreState.GRADED and one.criterion_ref is None
        )

    def two_learners(self) -> list[LearnerRef]:
        scores, _ = self.all_scores()
        return list(dict.fromkeys(one.learner_ref for one in scores))[:2]


@contextmanager
def fake() -> Iterator[Subject]:
    book = small_gradebook()
    course = CourseRef("c1")

    def change(score, points):
        book.set_score(course, graded(score.line_item_ref, score.learner_ref, points))

    yield Subject(book, course, PassbackWay.WORDS, change=change)


@contextmanager
def recorded_moodle() -> Iterator[Subject]:
    with serve_recordings() as url:
        access = PlatformAccess(
            name="Recorded Moodle",
            kind=PlatformKind.MOODLE,
            issuer=url,
            client_id=CLIENT_ID,
            token_url=f"{url}/mod/lti/token.php",
            deployment_ref=TYPE_ID,
            api_url=url,
            api_token=API_TOKEN,
        )
        yield Subject(connect(access, live_services()), CourseRef("2"), PassbackWay.WORDS, url=url)


def draw_district(folder: Path) -> Path:
    """The small district on disk, with the platforms' keys made once."""
    anywhere = Addresses(canvas="http://c.example", moodle="http://m.example", tool="http://t")
    plan = draw(1, "small", today=date(2026, 11, 20))
    write_all(folder, plan, addresses=anywhere, seed=1)
    for key in ("canvas", "canvas.events", "moodle"):
        PlatformKey.load_or_create(folder / f"{key}.pem")
    return folder


@contextmanager
def simulated(district: Path, folder: Path, kind: PlatformKind, way: PassbackWay):
    """A simulator over real sockets, on a copy of the district's state."""
    from importlib import import_module

    lms = kind.value
    state = folder / f"{lms}.db"
    shutil.copy(district / f"{lms}.db", state)
    for key in district.glob(f"{lms}.*pem"):
        shutil.copy(key, folder)
    tool = ScriptedLms()
    tool.on("GET", "/lti/jwks", answer_json({"keys": [public_jwk()]}))
    late = _Late()
    with serving(tool) as tool_url, serving(late) as url:
        issuer = "https://canvas.instructure.com" if kind is PlatformKind.CANVAS else url
        refresh(state, {"base_url": url, "issuer": issuer, "tool_url": tool_url})
        late.application = import_module(f"simulators.{lms}").create_app(state)
        gradebook = connect(simulated_access(state, kind, url), live_services())
        course = _course_for(gradebook)
        yield Subject(
            gradebook,
            course,
            way,
            change=lambda score, points: _change(url, course, score, points),
            state=state,
            url=url,
            codes=_named_codes(state, course) if way is PassbackWay.COMPETENCY else Subject.codes,
        )


def _named_codes(state: Path, course: CourseRef) -> Sequence[str]:
    """The competencies that a course of the simulated Moodle names."""
    rows = query(
        state,
        "SELECT c.idnumber FROM competencies c JOIN course_competencies l "
        "ON l.competency_id = c.id WHERE l.course_id = ? ORDER BY l.sortorder",
        course,
    )
    return [row[0] for row in rows]


def simulated_access(state: Path, kind: PlatformKind, url: str) -> PlatformAccess:
    with closing(open_state(state)) as connection:
        config = config_of(connection)
    is_canvas = kind is PlatformKind.CANVAS
    return PlatformAccess(
        name=f"Simulated {kind.value}",
        kind=kind,
        issuer=config["issuer"],
        client_id=config["client_id"],
        token_url=url + ("/login/oauth2/token" if is_canvas else "/mod/lti/token.php"),
        deployment_ref=next(
            value for key, value in sorted(config.items()) if key.startswith("deployment:")
        ),
        api_url=url,
        api_token=config["api_token"],
    )


def live_services() -> Services:
    """Services on the wall clock, without Redis."""
    tokens = ServiceTokens(
        cache=MemoryTokenCache(), key=lambda: KEY, seal=MIRROR, now=wall_clock, sleep=time.sleep
    )
    return Services(
        now=wall_clock,
        sleep=time.sleep,
        limiter=UnpacedLimiter(),
        tokens=tokens,
        public_url="http://localhost:8100",
        private_networks=LOOPBACK,
    )


def query(state: Path, sql: str, *values) -> list[sqlite3.Row]:
    """Rows of a simulator's state."""
    with closing(open_state(state)) as connection:
        return connection.execute(sql, values).fetchall()


class _Late:
    """Hands requests on to an application that is made after the address is known."""

    application: Callable | None = None

    def __call__(self, environ, start_response):
        assert self.application is not None
        return self.application(environ, start_response)


def _course_for(gradebook: Gradebook) -> CourseRef:
    return next(one.ref for one in gradebook.courses() if one.state is CourseState.ACTIVE)


def _change(url: str, course: CourseRef, score: Score, points: float | str | None) -> None:
    sent = {
        "course": int(course),
        "learner": int(score.learner_ref),
        "assignment": int(score.line_item_ref),
        "points": points,
    }
    post(f"{url}/_control/score", sent)


def post(url: str, payload: dict) -> dict:
    request = urllib.request.Request(  # noqa: S310 - a loopback address
        url, json.dumps(payload).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310 - a loopback address
        return json.load(response)


def get(url: str) -> dict:
    with urllib.request.urlopen(url) as response:  # noqa: S310 - a loopback address
        return json.load(response)


def public_jwk() -> dict:
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(PRIVATE_KEY.public_key()))
    return {**jwk, "kid": KEY.kid, "alg": "RS256", "use": "sig"}


def write(book: Gradebook, course: CourseRef, column, spec, *, marks, now):
    """Write marks to one column; the outcomes of that column."""
    return book.write_marks(course, [ColumnMarks(column=column, spec=spec, marks=marks)], now=now)[
        0
    ]
