"""Servers for tests: real sockets on the loopback address, and an LMS that follows a script."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code="-", size="-"):
        pass


@contextmanager
def serving(application: Callable) -> Iterator[str]:
    """Serve a WSGI application on a free port; yields its address, without a slash."""
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Seen:
    """A request as the scripted LMS saw it."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    form: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


Answer = Response | Callable[[Seen], Response]


@dataclass
class ScriptedLms:
    """Answers each method and path with its answers in turn; the last one is repeated."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    _answers: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)

    def on(self, method: str, path: str, *answers: Answer) -> None:
        self._answers[method, path] = list(answers)

    def to(self, path: str, method: str | None = None) -> list[Seen]:
        return [one for one in self.seen if one.path == path and method in (None, one.method)]

    def __call__(self, environ, start_response):
        request = Request(environ)
        seen = Seen(
            method=request.method,
            path=request.path,
            query=request.args.to_dict(flat=False),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.get_data(parse_form_data=False, cache=True),
            form=request.form.to_dict(),
        )
        self.seen.append(seen)
        answers = self._answers.get((seen.method, seen.path))
        if answers is None:
            answer: Answer = Response("no script", status=404)
        else:
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        response = answer if isinstance(answer, Response) else answer(seen)
        return response(environ, start_response)


def answer_json(body, status=200, *, headers=None, media_type="application/json") -> Response:
    """An answer that is JSON."""
    return Response(json.dumps(body), status=status, headers=headers, content_type=media_type)


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator["RawServer"]:
    """A server that says what HTTP servers do not; ``talk`` gets each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        server = RawServer(port=listener.getsockname()[1])
        thread = threading.Thread(target=server.run, args=(listener, talk))
        thread.start()
        try:
            yield server
        finally:
            server.is_over.set()
            thread.join()


@dataclass
class RawServer:
    """Counts its connections; ``is_over`` ends what drips."""

    port: int
    connections: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)

    def run(self, listener, talk):
        talks = []
        while not self.is_over.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            talks.append(threading.Thread(target=self._talk, args=(talk, connection)))
            talks[-1].start()
        for one in talks:
            one.join()

    def _talk(self, talk, connection):
        with connection, suppress(OSError):
            talk(connection)

    def drip(self, connection, start=b"", drop=b"x"):
        """Send a start, then a drop every 20 ms until the other side has gone."""
        connection.sendall(start)
        while not self.is_over.wait(0.02):
            connection.sendall(drop)
