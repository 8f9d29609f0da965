"""Serves one application on one socket, and keeps connections open between requests.

Werkzeug's own server ends the connection after each answer, so that a night of thousands of
small writes would spend most of its time on opening connections.
"""

import socket
import struct
import sys
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import unquote_to_bytes

IDLE_SECONDS = 120.0
_AT_ONCE = struct.pack("ii", 1, 0)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Server(ThreadingMixIn, TCPServer):
    """A server with a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, listener: socket.socket, application: Application) -> None:
        """Take over a bound socket.

        Args:
            listener: Closed by ``server_close``.
            application: A WSGI application that is safe to call from several threads.
        """
        address = listener.getsockname()
        super().__init__(address, Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_address = address
        self.application = application
        self.server_activate()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's
        """Say nothing of a client that went away; everything else is worth a traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - socketserver's
        """End a connection; one that shall be reset is not said goodbye to first."""
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER):
            self.close_request(request)
        else:
            super().shutdown_request(request)


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection, one after the other."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    wbufsize = -1
    # Or an answer's last packet waits for the client to acknowledge the one before it.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer one request of any method."""
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self.send_error(411, "Length Required")
            return
        started: list[Any] = []
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = self.server.application(self._environ(body), lambda *told: started.extend(told))
        try:
            content = b"".join(parts)
        except ConnectionResetError:
            self._reset()
            raise
        finally:
            getattr(parts, "close", lambda: None)()
        self._send(started[0], started[1], content)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 - http.server's names

    def log_message(self, *_words: object) -> None:
        """Write no line for a request; a night sends thousands."""

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        code, _, phrase = status.partition(" ")
        self.log_request(int(code))
        self.send_response_only(int(code), phrase)
        self.send_header("Server", self.version_string())
        if not any(name.lower() == "date" for name, _ in headers):
            self.send_header("Date", self.date_time_string())
        for name, value in headers:
            self.send_header(name, value)
        sent = {name.lower(): value for name, value in headers}
        is_counted = not sent.keys().isdisjoint({"content-length", "transfer-encoding"})
        if not is_counted and int(code) != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
            # Whoever was promised more is not to wait for it.
            whole = int(sent.get("content-length", len(content)))
            self.close_connection |= "transfer-encoding" in sent or whole > len(content)

    def _reset(self) -> None:
        """Have the connection broken off without a goodbye when it is closed."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)

    def _environ(self, body: bytes) -> dict[str, Any]:
        """The request as WSGI describes it (PEP 3333)."""
        path, _, query = self.path.partition("?")
        sent = {name.upper().replace("-", "_"): value for name, value in self.headers.items()}
        own: dict[str, Any] = {
            name: sent.pop(name) for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if name in sent
        }
        host, port = self.server.server_address[:2]
        return {
            **{f"HTTP_{name}": value for name, value in sent.items()},
            **own,
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
