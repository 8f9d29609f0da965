"""Pulling a gradebook: rows read and typed a second of this process's CPU, and threads in flight.

One server in another process sends the same bytes to all. What pacing costs is left out of the
figures of reading, for no peer paces; the threads are paced, over Redis.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from statistics import median

import msgspec
import requests
from canvasapi import Canvas
from cryptography.hazmat.primitives.asymmetric import rsa
from redis import Redis

from benchmarks.canvas_server import canvas_server, most_in_flight, submissions
from benchmarks.timing import Row
from bootstrap.embedded import running_redis
from bootstrap.settings import load_settings
from bootstrap.token_caches import NoTokenCache
from connectors import Gradebook, PlatformAccess, PlatformKind, Services, connect
from connectors.canvas.rest import CanvasRest
from connectors.limiter import Pace, Paced, RedisLimiter, UnpacedLimiter
from connectors.platform import open_client
from connectors.shared_tokens import Seal
from connectors.tokens import ServiceTokens, SigningKey
from mapping.records import CourseRef
from mapping.score_columns import ScoreColumns

BATCHES = 5
PAGES = 100
PEER_PAGES = 3
LATENCY_SECONDS = 0.15
FLIGHT_PAGES = 20
_TOKEN = "a token of the benchmark"  # noqa: S105 - no secret
_PATH = "courses/1/students/submissions"


class _Submission(msgspec.Struct):
    """What a mastery service needs of a row; the rest is passed over."""

    user_id: str
    assignment_id: str
    workflow_state: str
    score: float | None
    entered_score: float | None
    points_deducted: float | None
    attempt: int | None
    late: bool | None
    missing: bool | None
    excused: bool | None
    submitted_at: datetime | None
    graded_at: datetime | None
    posted_at: datetime | None


def run() -> list[Row]:
    """Measure rows a second of CPU, then rows a second with threads that wait."""
    with canvas_server() as url:
        reading = _reading(url)
    return [*reading, *_flights()]


def _reading(url: str) -> list[Row]:
    page = submissions()
    decoder = msgspec.json.Decoder(list[_Submission])
    works: list[tuple[str, str, Callable[[], int]]] = [
        ("ours", "HttpClient, pages followed, typed rows", lambda: _typed(url)),
        ("ours+", "CanvasGradebook.scores, by GraphQL, to records", lambda: _records(url)),
        ("ours+", "the same, to columns as the store takes them", lambda: _columns(url)),
        ("peer", "canvasapi 3.6, a loop over get_multiple_submissions", lambda: _looped(url)),
        ("peer", "requests.Session and .json(), links followed", lambda: _careful(url)),
        (
            "limit",
            "msgspec: the same bytes typed, nothing else",
            lambda: sum(len(decoder.decode(page)) for _ in range(PAGES)),
        ),
    ]
    rates: list[list[float]] = [[] for _ in works]
    for batch in range(BATCHES + 1):
        for number, (_, _, work) in enumerate(works):
            began = time.process_time()
            rows = work()
            spent = time.process_time() - began
            if batch:  # the first one warms up
                rates[number].append(rows / spent)
    return [
        Row(benchmark="pull", role=role, what=what, rate=median(found))
        for (role, what, _), found in zip(works, rates, strict=True)
    ]


def _typed(url: str) -> int:
    rest = CanvasRest(open_client(_access(url), _services()), _access(url))
    pages = rest.pages(_PATH, [("pages", str(PAGES))])
    return sum(len(page.decode(list[_Submission])) for page in pages)


def _records(url: str) -> int:
    found = _gradebook(url).scores(CourseRef(str(PAGES)))
    return sum(page.read for page in found)


def _columns(url: str) -> int:
    found = _gradebook(url).scores(CourseRef(str(PAGES)))
    return len(ScoreColumns.of(score for page in found for score in page.scores))


def _looped(url: str) -> int:
    course = Canvas(url, _TOKEN).get_course(1)
    rows = course.get_multiple_submissions(student_ids=["all"], per_page=100, pages=PEER_PAGES)
    return len([(row.user_id, row.assignment_id, row.score, row.graded_at) for row in rows])


def _careful(url: str) -> int:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {_TOKEN}"
        return sum(1 for _ in _json_rows(session, f"{url}/api/v1/{_PATH}?pages={PAGES}"))


def _json_rows(session: requests.Session, url: str | None) -> Iterator[tuple[object, ...]]:
    while url is not None:
        reply = session.get(url, timeout=30)
        for row in reply.json():
            yield row["user_id"], row["assignment_id"], row["score"], row["graded_at"]
        url = reply.links.get("next", {}).get("url")


def _flights() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"WAYMARK_DATA_DIR": str(Path(folder))})
        with running_redis(settings) as redis_url, Redis.from_url(redis_url) as redis:
            return [_flight(redis, threads) for threads in (64, 8, 1)]


def _flight(redis: "Redis", threads: int) -> Row:
    """Rows a second of so many threads, each with a connector of its own, and a shared limiter."""

    def limiter() -> RedisLimiter:
        return RedisLimiter(
            redis,
            paced=Paced(platform="1"),
            pace=Pace(rate_per_second=2_000.0, burst=64, most_in_flight=64),
            sleep=time.sleep,
            draw=lambda: 0.5,
        )

    def pull() -> int:
        book = _gradebook(url, limiter())
        return sum(page.read for page in book.scores(CourseRef(str(FLIGHT_PAGES))))

    with canvas_server(LATENCY_SECONDS) as url, ThreadPoolExecutor(threads) as pool:
        began = time.perf_counter()
        rows = sum(future.result() for future in [pool.submit(pull) for _ in range(threads)])
        seconds = time.perf_counter() - began
        most = most_in_flight(url)
    return Row(
        benchmark="threads",
        role="ours" if threads == 64 else "peer",
        what=f"{threads} threads, each page after 150 ms, a limiter that allows 64: "
        f"{most} in flight at most; rows a second of the clock",
        rate=rows / seconds,
    )


def _gradebook(url: str, limiter: RedisLimiter | None = None) -> Gradebook:
    services = _services()
    if limiter is not None:
        services = replace(services, limiter=limiter)
    return connect(_access(url), services)


def _access(url: str) -> PlatformAccess:
    return PlatformAccess(
        name="Canvas",
        kind=PlatformKind.CANVAS,
        issuer="https://canvas.example",
        api_url=url,
        api_token=_TOKEN,
    )


_KEY = SigningKey(kid="1", private_key=rsa.generate_private_key(65_537, 2048))


def _services() -> Services:
    def now() -> datetime:
        return datetime.now(UTC)

    tokens = ServiceTokens(
        cache=NoTokenCache(),
        key=lambda: _KEY,
        seal=Seal(seal=str, open=str),
        now=now,
        sleep=time.sleep,
    )
    return Services(
        now=now,
        sleep=time.sleep,
        limiter=UnpacedLimiter(),
        tokens=tokens,
        public_url="http://localhost:8100",
        private_networks=(ip_network("127.0.0.0/8"),),
    )
