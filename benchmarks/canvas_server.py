"""A server that sends Canvas's pages as fast as it can, in a process of its own.

Its bytes are made once, so that nearly nothing is measured but who reads them. With a delay it
answers after that time and counts how many requests wait at once.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Lock, Thread
from typing import BinaryIO
from urllib.parse import parse_qs, urlsplit

ROWS = 100


def submissions() -> bytes:
    """A page of Canvas's REST submissions, with the fields a district sees."""
    return json.dumps([_submission(number) for number in range(ROWS)]).encode()


def _submission(number: int) -> Mapping[str, object]:
    points = float(number % 21)
    return {
        "id": f"{900_000 + number}",
        "user_id": f"{10_000 + number}",
        "assignment_id": "4711",
        "score": points,
        "entered_score": points,
        "grade": f"{points}",
        "entered_grade": f"{points}",
        "workflow_state": "graded",
        "submission_type": "online_upload",
        "submitted_at": "2026-11-02T14:03:11Z",
        "graded_at": "2026-11-03T09:41:55Z",
        "posted_at": "2026-11-03T09:41:55Z",
        "cached_due_date": "2026-11-02T23:59:59Z",
        "attempt": 1,
        "late": False,
        "missing": False,
        "excused": False,
        "late_policy_status": None,
        "points_deducted": None,
        "seconds_late": 0,
        "grader_id": "77",
        "grading_period_id": "4",
        "grade_matches_current_submission": True,
        "extra_attempts": None,
        "custom_grade_status_id": None,
        "redo_request": False,
        "body": None,
        "url": None,
        "attachments": [],
        "preview_url": "https://school.instructure.com/courses/1/assignments/4711/submissions/"
        f"{10_000 + number}?preview=1&version=1",
    }


def graph_page(page: int, pages: int) -> bytes:
    """As many rows by GraphQL, as ``CanvasGradebook`` asks for them, of other learners each."""
    nodes = [_node(page * ROWS + number) for number in range(ROWS)]
    info = {"hasNextPage": page < pages, "endCursor": f"{page + 1}"}
    connection = {"nodes": nodes, "pageInfo": info}
    return json.dumps({"data": {"course": {"submissionsConnection": connection}}}).encode()


def _node(number: int) -> Mapping[str, object]:
    points = float(number % 21)
    return {
        "_id": f"{900_000 + number}",
        "userId": f"{10_000 + number}",
        "assignmentId": "4711",
        "state": "graded",
        "score": points,
        "enteredScore": points,
        "deductedPoints": None,
        "excused": False,
        "late": False,
        "missing": False,
        "attempt": 1,
        "submittedAt": "2026-11-02T14:03:11Z",
        "gradedAt": "2026-11-03T09:41:55Z",
        "postedAt": "2026-11-03T09:41:55Z",
        "updatedAt": "2026-11-03T09:41:55Z",
        "latePolicyStatus": None,
        "customGradeStatus": None,
        "rubricAssessmentsConnection": {"nodes": []},
        "submissionHistoriesConnection": {
            "nodes": [
                {
                    "state": "graded",
                    "enteredScore": points,
                    "late": False,
                    "attempt": 1,
                    "submittedAt": "2026-11-02T14:03:11Z",
                    "gradedAt": "2026-11-03T09:41:55Z",
                }
            ]
        },
    }


class _Server:
    """Answers by path; ``pages`` of its query or of GraphQL's course says how many there are."""

    def __init__(self, delay_seconds: float) -> None:
        self._delay_seconds = delay_seconds
        self._lock = Lock()
        self._in_flight = 0
        self._most_in_flight = 0
        self._page = submissions()
        self._graph: dict[tuple[int, int], bytes] = {}
        self.address = ""

    def serve(self, listener: socket.socket) -> None:
        self.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while first := stream.readline():
                body = stream.read(_length(stream))
                connection.sendall(self._answer(first.split(b" ", 2)[1].decode(), body))

    def _answer(self, target: str, body: bytes) -> bytes:
        parts = urlsplit(target)
        if parts.path == "/most":
            most, self._most_in_flight = self._most_in_flight, 0
            return _packed(str(most).encode())
        with self._lock:
            self._in_flight += 1
            self._most_in_flight = max(self._most_in_flight, self._in_flight)
        time.sleep(self._delay_seconds)
        with self._lock:
            self._in_flight -= 1
        return self._page_of(parts.path, parse_qs(parts.query), body)

    def _page_of(self, path: str, query: Mapping[str, list[str]], body: bytes) -> bytes:
        if path.endswith("/graphql"):
            variables = json.loads(body)["variables"]
            place = int(variables["after"] or 1), int(variables["course"])
            if place not in self._graph:
                self._graph[place] = graph_page(*place)
            return _packed(self._graph[place])
        if not path.endswith("/submissions"):
            return _packed(b'{"id": 1, "name": "Course"}' if path[-1].isdigit() else b"[]")
        page, pages = int(query.get("page", ["1"])[0]), int(query["pages"][0])
        link = f"{self.address}{path}?pages={pages}&page={page + 1}&per_page={ROWS}"
        return _packed(self._page, f'Link: <{link}>; rel="next"\r\n' if page < pages else "")


def _length(stream: BinaryIO) -> int:
    """The length of the body behind the headers, which are read."""
    length = 0
    while (line := stream.readline().lower()) not in {b"\r\n", b""}:
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return length


def _packed(body: bytes, link: str = "") -> bytes:
    return (
        "HTTP/1.1 200 OK\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
        f"{link}"
        "X-Request-Cost: 0.2\r\n"
        "X-Rate-Limit-Remaining: 599.8\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


@contextmanager
def canvas_server(delay_seconds: float = 0.0) -> Iterator[str]:
    """The server in a process of its own; yields its address, without a slash."""
    command = [sys.executable, "-m", "benchmarks.canvas_server", str(delay_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        assert process.stdout is not None  # noqa: S101 - asked for above
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def most_in_flight(url: str) -> int:
    """How many requests waited at once since this was asked last."""
    connection = HTTPConnection(url.removeprefix("http://"))
    connection.request("GET", "/most")
    most = int(connection.getresponse().read())
    connection.close()
    return most


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0), backlog=256) as opened:
        print(opened.getsockname()[1], flush=True)
        _Server(float(sys.argv[1])).serve(opened)
