"""How a request reaches its host: at an address that was judged, and not longer than it may.

requests and urllib3 do the talking. Two things are added by the means they offer. The pool is
opened for a judged address, with the host's name kept for TLS and the ``Host`` header, so no
name is looked up twice. And a deadline ends the whole exchange, wherever it stands: timeouts of
requests count the silence between two bytes, so a byte a second would hold a worker for days.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from connectors.addresses import RESOLVE_SECONDS, Checked, Guard

_PORTS = {"https": 443, "http": 80}
_MOST_ADDRESSES = 4

# At DEBUG urllib3 writes whole addresses, and some carry tokens in their query.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class Deadline:
    """Breaks the connections of an exchange when its time is over."""

    def __init__(self, seconds: float) -> None:
        self.has_passed = False
        self._ends_at = time.monotonic() + seconds
        self._handles: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for handle in self._handles:
                handle.close()
            self._handles.clear()

    @property
    def remaining_seconds(self) -> float:
        """From 0 on."""
        return max(self._ends_at - time.monotonic(), 0.0)

    def follow(self, connection: socket.socket) -> None:
        """Break this connection, too, when the time is over.

        By a handle of its own: TLS takes the socket over in the middle of the exchange.
        """
        handle = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            self._handles.append(handle)
        if self.has_passed:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self.has_passed = True
            for handle in self._handles:
                with suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)


_DEADLINE: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def deadline(seconds: float | None) -> Iterator[Deadline | None]:
    """Bound everything that is sent and received within.

    Args:
        seconds: From now on; None sets no bound.

    Yields:
        The deadline, which says afterwards whether it has passed.
    """
    if seconds is None:
        yield None
        return
    with Deadline(seconds) as bound:
        token = _DEADLINE.set(bound)
        try:
            yield bound
        finally:
            _DEADLINE.reset(token)


def _follow(connection: socket.socket | None) -> None:
    bound = _DEADLINE.get()
    if bound is not None and connection is not None:
        bound.follow(connection)


def _connected(connection: HTTPConnection) -> socket.socket:
    """Connect to the pool's host, which is a judged address: nothing is looked up here.

    Raises:
        ConnectTimeoutError: It takes too long.
        NewConnectionError: It is refused, or there is no way there.
    """
    address = connection.host.strip("[]")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with ExitStack() as undo:
        made = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        for option in connection.socket_options or ():
            made.setsockopt(*option)
        made.settimeout(connection.timeout)
        _follow(made)
        try:
            made.connect((address, connection.port))
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, "connecting took too long") from error
        except OSError as error:
            raise NewConnectionError(connection, "no connection") from error
        undo.pop_all()
    return made


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own
        _follow(self.sock)
        return super().getresponse()


class _SecureConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own
        _follow(self.sock)
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class GuardedTransport(HTTPAdapter):
    """Sends requests to judged addresses; one thread at a time.

    A host is judged at its first request and keeps its address until a connection fails, so
    that a kept-alive connection serves a whole course.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._judged: dict[tuple[str, str, int], Checked] = {}
        self._address = ""
        super().__init__()
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def send(  # type: ignore[override]  # requests gives all but the first by name
        self,
        request: requests.PreparedRequest,
        **options: Any,  # noqa: ANN401 - requests' own, handed on as they came
    ) -> requests.Response:
        """Judge the host, then try its addresses in turn until one takes the connection.

        Args:
            request: With an absolute URL.
            options: As ``requests`` passes them; ``timeout`` is a pair of seconds.

        Returns:
            The answer, unread. What can go wrong is that of ``Guard.check`` and of requests.

        Raises:
            ConnectionError: No address takes the connection; requests' own.
        """
        parts = urlsplit(request.url or "")
        place = (parts.scheme, parts.hostname or "", _port(parts))
        request.headers["Host"] = _host_header(parts)
        connect_seconds, read_seconds = options.pop("timeout")
        failure: requests.ConnectionError | None = None
        for address in self._checked(place).addresses[:_MOST_ADDRESSES]:
            self._address = address
            timeout = (_within_deadline(connect_seconds), read_seconds)
            try:
                return super().send(request, timeout=timeout, **options)
            except requests.ConnectionError as error:
                if not _is_unconnected(error):
                    raise
                failure = error
        self._judged.pop(place, None)
        raise failure or requests.ConnectionError

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: bool | str,  # noqa: FBT001 - requests' own signature
        cert: str | tuple[str, str] | None = None,
    ) -> tuple[Any, Any]:
        """The pool of the judged address; TLS still asks for the host's own name."""
        host_params, pool_kwargs = super().build_connection_pool_key_attributes(
            request, verify, cert
        )
        host = host_params["host"]
        is_named = host_params["scheme"] == "https" and not _is_address(host)
        naming = {"server_hostname": host} if is_named else {}
        return {**host_params, "host": self._address}, {**pool_kwargs, **naming}

    def _checked(self, place: tuple[str, str, int]) -> Checked:
        found = self._judged.get(place)
        if found is None:
            scheme, host, port = place
            seconds = _within_deadline(RESOLVE_SECONDS)
            found = self._guard.check(scheme, host, port=port, seconds=seconds)
            self._judged[place] = found
        return found


def _within_deadline(seconds: float) -> float:
    bound = _DEADLINE.get()
    # Never 0, which would mean not to wait for an answer that is already there.
    return seconds if bound is None else max(min(seconds, bound.remaining_seconds), 0.001)


def _is_unconnected(error: requests.ConnectionError) -> bool:
    """Whether nothing was sent yet, so that another address may be tried."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, ConnectTimeoutError | NewConnectionError)


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS.get(parts.scheme, 0)


def _host_header(parts: SplitResult) -> str:
    host = parts.netloc.rpartition("@")[2]
    return host.removesuffix(f":{_PORTS.get(parts.scheme, 0)}")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
