"""How a request reaches its host: at an address that was judged, and not longer than it may.

requests and urllib3 do the talking. Three things are added by the means they offer. The pool is
opened for a judged address, with the host's name kept for TLS and the ``Host`` header, so no
name is looked up twice. A deadline ends the whole exchange, wherever it stands. And what is the
same for every request to a host is worked out once: a night asks the same host ten thousand
times, and half of a request's cost in requests lies there.
"""

import logging
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
)
from urllib3.exceptions import SSLError as BrokenTlsError
from urllib3.util import Timeout

from connectors.addresses import RESOLVE_SECONDS, Checked, Guard
from connectors.deadlines import current

_PORTS = {"https": 443, "http": 80}
_MOST_ADDRESSES = 4
_CHUNK_BYTES = 1 << 20

# At DEBUG urllib3 writes whole addresses, and some carry tokens in their query.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


def _follow(connection: socket.socket) -> None:
    bound = current()
    if bound is not None:
        bound.follow(connection)


def _borrow(connection: socket.socket | None) -> None:
    bound = current()
    if bound is not None and connection is not None:
        bound.borrow(connection)


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


class TooLargeError(Exception):
    """An answer is larger than it may be."""


def read_body(raw: HTTPResponse, most_bytes: int) -> bytes:
    """Read an answer to its end and give its connection back.

    Args:
        raw: The answer, unread.
        most_bytes: It may have, unpacked.

    Returns:
        The unpacked body.

    Raises:
        TooLargeError: It is larger; reading and unpacking stopped at once.
        RequestException: It broke off, came too slowly, or cannot be unpacked; requests' own.
    """  # noqa: DOC501, DOC502 - _named() makes a RequestException
    try:
        body = _within(raw, most_bytes)
    except HTTPError as error:
        raw.close()
        raise _named(error) from error
    except TooLargeError:
        raw.close()
        raise
    raw.release_conn()
    return body


def _within(raw: HTTPResponse, most_bytes: int) -> bytes:
    length = raw.length_remaining
    is_packed = "content-encoding" in raw.headers
    if length is not None and length > most_bytes:
        raise TooLargeError
    if length is not None and not is_packed:
        return raw.read()
    body = bytearray()
    # One byte more than allowed is enough to know; a packed answer is not unpacked further.
    while chunk := raw.read(min(_CHUNK_BYTES, most_bytes + 1), decode_content=True):
        body += chunk
        if len(body) > most_bytes:
            raise TooLargeError
    return bytes(body)


def _named(error: HTTPError) -> requests.RequestException:
    """What urllib3 says of a body, as requests would say it."""
    if isinstance(error, DecodeError):
        return requests.exceptions.ContentDecodingError(error)
    if isinstance(error, ReadTimeoutError):
        return requests.ReadTimeout(error)
    if isinstance(error, BrokenTlsError):
        return requests.exceptions.SSLError(error)
    return requests.exceptions.ChunkedEncodingError(error)


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own
        _borrow(self.sock)
        return super().getresponse()


class _SecureConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own
        _borrow(self.sock)
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Answer(requests.Response):
    """Status, headers and the unread body; none of what requests keeps beside."""

    def __init__(self, raw: BaseHTTPResponse) -> None:
        self.raw = raw
        self.status_code = raw.status
        self.headers = raw.headers  # type: ignore[assignment]  # a mapping alike


class GuardedTransport(HTTPAdapter):
    """Sends requests to judged addresses; one thread at a time.

    A host is judged at its first request and keeps its address until a connection fails, so
    that a kept-alive connection serves a whole course.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._judged: dict[tuple[str, str, int], Checked] = {}
        self._pools: dict[tuple[object, ...], ConnectionPool] = {}
        self._place = ("", "", 0)
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
        place, request.headers["Host"] = _place_of(*urlsplit(request.url or "")[:2])
        connect_seconds, read_seconds = options.pop("timeout")
        failure: requests.ConnectionError | None = None
        for address in self._checked(place).addresses[:_MOST_ADDRESSES]:
            self._place, self._address = place, address
            options["timeout"] = _timeout(_within_deadline(connect_seconds), read_seconds)
            try:
                return super().send(request, **options)
            except requests.ConnectionError as error:
                if not _is_unconnected(error):
                    raise
                failure = error
        self._judged.pop(place, None)
        self._pools.clear()
        raise failure or requests.ConnectionError

    def get_connection_with_tls_context(  # noqa: PLR0917 - requests' own signature
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,  # noqa: FBT001 - requests' own signature
        proxies: Mapping[str, str] | None = None,
        cert: tuple[str, str] | str | None = None,
    ) -> ConnectionPool:
        """The pool of the host at its judged address, found without working out its key anew."""
        key = (*self._place, self._address, verify)
        pool = self._pools.get(key)
        if pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            self._pools[key] = pool
        return pool

    def request_url(self, request: requests.PreparedRequest, _proxies: object) -> str:
        """The path and query: no proxy is ever asked."""
        return request.path_url

    def build_response(
        self, _req: requests.PreparedRequest, resp: BaseHTTPResponse
    ) -> requests.Response:
        """The answer as it came, without the cookies and the encoding that nobody asks for."""
        return _Answer(resp)

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
    bound = current()
    # Never 0, which would mean not to wait for an answer that is already there.
    return seconds if bound is None else max(min(seconds, bound.remaining_seconds), 0.001)


@lru_cache(maxsize=32)
def _timeout(connect_seconds: float, read_seconds: float) -> Timeout:
    """Checked once; urllib3 works with copies of it."""
    return Timeout(connect=connect_seconds, read=read_seconds)


def _is_unconnected(error: requests.ConnectionError) -> bool:
    """Whether nothing was sent yet, so that another address may be tried."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, ConnectTimeoutError | NewConnectionError)


@lru_cache(maxsize=256)
def _place_of(scheme: str, netloc: str) -> tuple[tuple[str, str, int], str]:
    """Scheme, host and port, and what the ``Host`` header says of them."""
    parts = SplitResult(scheme, netloc, "", "", "")
    usual = _PORTS.get(scheme, 0)
    place = (scheme, parts.hostname or "", parts.port or usual)
    return place, netloc.rpartition("@")[2].removesuffix(f":{usual}")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
