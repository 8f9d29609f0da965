"""A Canvas of one district that answers as fast as Python can, in a process of its own.

Each row's bytes are made once, for REST and for GraphQL; an answer joins them. It serves what a
night of Waymark and of its peers asks, filters by the moment of change as Canvas does, and keeps
what is written into its columns. It checks nobody's rights and has no limits: what is measured
is who asks it. ``simulators.canvas`` is the strict one.
"""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.canvas_server import _length, _packed
from benchmarks.night_district import MAXIMUM, Size, column_title, course_title
from benchmarks.night_rows import NO_MORE, Course, District

PAGE = 100

Answer = Callable[["Request"], bytes]


class Request:
    """What was asked: its path's groups, its query and its body."""

    def __init__(self, district: District, target: str, body: bytes) -> None:
        self.district, self._body = district, body
        parts = urlsplit(target)
        self.path = parts.path.removesuffix("/")
        self.query: Mapping[str, list[str]] = parse_qs(parts.query)
        self.groups: tuple[str, ...] = ()
        self.url = ""

    @property
    def course(self) -> Course:
        """The course that the path names."""
        return self.district.courses[int(self.groups[0])]

    @property
    def sent(self) -> Any:  # noqa: ANN401 - whatever is sent
        """The body: JSON, or a form."""
        if self._body[:1] in {b"{", b"["}:
            return json.loads(self._body)
        return {name: values[0] for name, values in parse_qs(self._body.decode()).items()}

    def paged(self, rows: Sequence[bytes]) -> bytes:
        """A page of rows, with the link to the next one."""
        page = int(self.query.get("page", ["1"])[0])
        size = int(self.query.get("per_page", ["10"])[0])
        start = (page - 1) * size
        rest = "".join(
            f"&{name}={value}"
            for name, values in self.query.items()
            if name not in {"page", "per_page"}
            for value in values
        )
        link = f"{self.url}{self.path}?page={page + 1}&per_page={size}{rest}"
        more = f'Link: <{link}>; rel="next"\r\n' if start + size < len(rows) else ""
        return _packed(b"[" + b",".join(rows[start : start + size]) + b"]", more)


def _json(value: object) -> bytes:
    return _packed(json.dumps(value).encode())


def _course_row(course: Course) -> dict[str, object]:
    return {
        "id": str(course.id),
        "account_id": "1",
        "workflow_state": "available",
        "name": course_title(course.place),
        "course_code": f"C{course.id}",
    }


def _courses(asked: Request) -> bytes:
    courses = asked.district.courses.values()
    return asked.paged([json.dumps(_course_row(one)).encode() for one in courses])


def _enrollments(asked: Request) -> bytes:
    course = asked.course
    return asked.paged(
        [
            json.dumps(
                {
                    "id": str(course.id * 1_000 + n),
                    "user_id": str(learner),
                    "type": "StudentEnrollment",
                    "enrollment_state": "active",
                    "course_section_id": "1",
                    "user": {
                        "id": str(learner),
                        "name": f"Learner {learner}",
                        "sortable_name": f"{learner}, Learner",
                        "sis_user_id": f"L{learner}",
                        "group_ids": [],
                    },
                }
            ).encode()
            for n, learner in enumerate(course.learners)
        ]
    )


def _assignments(asked: Request) -> bytes:
    course = asked.course
    return asked.paged(
        [
            json.dumps(
                {
                    "id": str(column),
                    "name": column_title(n),
                    "points_possible": MAXIMUM,
                    "grading_type": "points",
                    "submission_types": ["online_upload"],
                    "assignment_group_id": str(course.id),
                    "due_at": None,
                    "published": True,
                    "hide_in_gradebook": False,
                    "omit_from_final_grade": False,
                }
            ).encode()
            for n, column in enumerate(course.columns)
        ]
    )


def _graphql(asked: Request) -> bytes:
    body = asked.sent
    variables = body["variables"]
    if "WaymarkProbe" in body["query"]:
        return _probe(asked.district, variables)
    course = asked.district.courses[int(variables["course"])]
    rows = course.since(_moment(variables["filter"]))
    start = int(variables["after"] or 0)
    end = start + PAGE
    info = json.dumps(
        {"hasNextPage": end < len(rows), "endCursor": str(end)} if rows else NO_MORE
    ).encode()
    parts = [
        b'"submissionsConnection": {"nodes": [',
        b",".join(rows[start:end]),
        b'], "pageInfo": ' + info + b"}",
    ]
    if variables["hasDue"]:
        nothing = json.dumps({"nodes": [], "pageInfo": NO_MORE}).encode()
        parts.append(b', "due": ' + nothing)
    if variables["isFirst"]:
        parts.append(b", " + course.lists)
    return _packed(b'{"data": {"course": {' + b"".join(parts) + b"}}}")


def _probe(district: District, variables: Mapping[str, Any]) -> bytes:
    parts = []
    for number in range(len(variables) // 2):
        course = district.courses[int(variables[f"i{number}"])]
        touched = course.since(_moment(variables[f"f{number}"]))
        node = b'{"_id": "1"}' if touched else b""
        parts.append(
            b'"c%d": {"submissionsConnection": {"nodes": [%s], "pageInfo": '
            b'{"hasNextPage": false, "endCursor": null}}, %s}' % (number, node, course.lists)
        )
    return _packed(b'{"data": {' + b", ".join(parts) + b"}}")


def _moment(wanted: Mapping[str, Any]) -> str | None:
    return wanted.get("updatedSince")


def _columns(asked: Request) -> bytes:
    columns = asked.district.columns[asked.course.id]
    return asked.paged(
        [
            json.dumps({"id": str(n), "title": title, "teacher_notes": False}).encode()
            for title, n in columns.items()
        ]
    )


def _make_column(asked: Request) -> bytes:
    sent = asked.sent
    title = sent["column"]["title"] if "column" in sent else sent["column[title]"]
    return _json({"id": str(asked.district.column(asked.course.id, title)), "title": title})


def _data(asked: Request) -> bytes:
    cells = asked.district.cells[int(asked.groups[1])]
    return asked.paged(
        [json.dumps({"user_id": who, "content": words}).encode() for who, words in cells.items()]
    )


def _write_one(asked: Request) -> bytes:
    sent = asked.sent
    words = sent["column_data"]["content"]
    asked.district.cells[int(asked.groups[1])][asked.groups[2]] = words
    asked.district.counts["cells"] += 1
    return _json({"user_id": asked.groups[2], "content": words})


def _write_many(asked: Request) -> bytes:
    rows = asked.sent["column_data"]
    for row in rows:
        asked.district.cells[int(row["column_id"])][str(row["user_id"])] = row["content"]
    asked.district.counts["cells"] += len(rows)
    return _json({"id": "1", "workflow_state": "completed"})


def _told(asked: Request) -> bytes:
    counts = asked.district.counts
    return _json({"cpu_seconds": time.process_time(), "requests": counts["all"], **counts})


_COURSE = r"/api/v1/courses/(\d+)"
_COLUMN = rf"{_COURSE}/custom_gradebook_columns"
_ROUTES: Sequence[tuple[str, re.Pattern[str], Answer]] = [
    (method, re.compile(f"{path}$"), answer)
    for method, path, answer in (
        ("POST", "/api/graphql", _graphql),
        ("GET", rf"{_COURSE}/students/submissions", lambda asked: asked.paged(asked.course.rest)),
        ("PUT", rf"{_COLUMN}/(\d+)/data/(\d+)", _write_one),
        ("GET", r"/api/v1/accounts/(?:self|1)/courses", _courses),
        ("GET", rf"{_COURSE}", lambda asked: _json(_course_row(asked.course))),
        ("GET", rf"{_COURSE}/enrollments", _enrollments),
        ("GET", rf"{_COURSE}/assignments", _assignments),
        (
            "GET",
            rf"{_COURSE}/assignment_groups",
            lambda asked: _json([{"id": str(asked.course.id), "name": "Tasks"}]),
        ),
        ("GET", _COLUMN, _columns),
        ("POST", _COLUMN, _make_column),
        ("GET", rf"{_COLUMN}/(\d+)/data", _data),
        ("PUT", rf"{_COURSE}/custom_gradebook_column_data", _write_many),
        ("GET", rf"(?:{_COURSE}/(?:sections|groups)|/api/lti/.*/line_items)", lambda _: _json([])),
        ("GET", "/api/v1/accounts/1", lambda _: _json({"id": 1, "name": "Account"})),
        (
            "POST",
            "/login/oauth2/token",
            lambda _: _json({"access_token": "t", "token_type": "bearer", "expires_in": 3600}),
        ),
        (
            "POST",
            "/_control/change",
            lambda asked: _json(asked.district.change(asked.sent["share"])),
        ),
        ("GET", "/_control/told", _told),
        ("GET", "/_control/written", lambda asked: _json(asked.district.written())),
    )
]


def _answer(method: str, asked: "Request") -> bytes:
    district = asked.district
    if not asked.path.startswith("/_control"):
        district.counts["all"] += 1
    for wanted, pattern, answer in _ROUTES:
        if wanted == method and (found := pattern.match(asked.path)):
            asked.groups = found.groups()
            return answer(asked)
    return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def _talk(district: District, url: str, connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as stream:
        while first := stream.readline():
            line = first.decode().split(" ", 2)
            asked = Request(district, line[1], stream.read(_length(stream)))
            asked.url = url
            connection.sendall(_answer(line[0], asked))


def _serve(listener: socket.socket, district: District) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Thread(target=_talk, args=(district, url, connection), daemon=True).start()


@contextmanager
def night_server(size: Size) -> Iterator[str]:
    """The server in a process of its own; yields its address, without a slash."""
    command = [sys.executable, "-m", "benchmarks.night_server", str(size.courses)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        assert process.stdout is not None  # noqa: S101 - asked for above
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


if __name__ == "__main__":
    made = District(Size(courses=int(sys.argv[1])))
    with socket.create_server(("127.0.0.1", 0), backlog=256) as opened:
        print(opened.getsockname()[1], flush=True)
        _serve(opened, made)
