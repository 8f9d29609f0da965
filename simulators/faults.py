"""Faults that both simulators can be told to have, and who is struck by them.

One fault at a time is on. It is set by ``POST /_control/faults`` (JSON, or the form that
``GET /_control/faults`` shows) with these members, all but ``mode`` optional:

- ``mode``: one of ``MODES``.
- ``path``: a regular expression. Only requests match in whose line it is found: the method, the
  path with its query, and Moodle's function, as in
  ``POST /webservice/rest/server.php core_course_get_courses``.
- ``at``: the matching request, from 1, with which the fault begins.
- ``times``: how many matching requests it strikes; null is until it is switched off.
- ``seconds``: for ``slow`` and ``latency`` how late an answer is; for ``clock_skew`` how far the
  LMS's clock is ahead (below 0: behind); for all others how long the fault lasts.
- ``status``: what a throttled client is answered.
- ``variant``: for ``truncated``: ``length`` (the length promises more), ``chunked`` (the last
  chunk never comes) or ``body`` (a whole answer, whose JSON is cut in the middle).
- ``course``: the one that ``course_deleted`` takes; else the one that the struck request names.

Here belongs what no LMS has to itself. What a fault looks like at Canvas or Moodle is said in
their own ``faults`` modules. A restart of the server forgets all.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from email.utils import formatdate
from threading import Lock
from typing import Any, Self

from flask import Response, current_app, g

MODES = (
    "none",
    "down",
    "html",
    "slow",
    "latency",
    "throttle",
    "truncated",
    "bad_gateway",
    "duplicate_page",
    "page_loop",
    "clock_skew",
    "expired_token",
    "course_deleted",
    "reset",
    "empty",
)
VARIANTS = ("length", "chunked", "body")
SLOW_SECONDS = 5.0
AGAIN = "~again"
"""Ends the token of a page that was sent already and comes once more."""
_TIMED = ("slow", "latency", "clock_skew")


class UnknownFaultError(ValueError):
    """No such fault can be had; the message says what can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One trouble; the module says what its members mean."""

    mode: str = "none"
    path: str = ""
    at: int = 1
    times: int | None = None
    seconds: float | None = None
    status: int | None = None
    variant: str = "length"
    course: int | None = None

    @property
    def delay_seconds(self) -> float:
        """How late an answer is."""
        if self.mode not in {"slow", "latency"}:
            return 0.0
        return SLOW_SECONDS if self.seconds is None else self.seconds

    @property
    def skew_seconds(self) -> float:
        """How far the LMS's clock is ahead."""
        return (self.seconds or 0.0) if self.mode == "clock_skew" else 0.0

    @property
    def lasts_seconds(self) -> float | None:
        """How long it is on; None is until further notice."""
        return None if self.mode in _TIMED else self.seconds


def parsed(sent: Mapping[str, Any]) -> Fault:
    """A fault of what was sent, by a program or by a form; what is empty counts as left out.

    Raises:
        UnknownFaultError: It makes no sense.
    """
    told = {name: value for name, value in sent.items() if value not in (None, "")}
    try:
        fault = Fault(**{name: _TYPES[name](told[name]) for name in told.keys() & _TYPES.keys()})
        re.compile(fault.path)
    except (TypeError, ValueError, re.error) as error:
        raise UnknownFaultError(f"The fault cannot be read: {error}.") from error
    if "mode" not in told or fault.mode not in MODES:
        raise UnknownFaultError(f"mode is one of {', '.join(MODES)}")
    if fault.variant not in VARIANTS:
        raise UnknownFaultError(f"variant is one of {', '.join(VARIANTS)}")
    return fault


_TYPES: Mapping[str, Callable[[Any], Any]] = {
    "mode": str,
    "path": str,
    "at": int,
    "times": int,
    "seconds": float,
    "status": int,
    "variant": str,
    "course": int,
}


class Faults:
    """The fault that is on, whom it struck, and the clock it may bend; safe between threads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._since = 0.0
        self._fresh: set[str] = set()
        self._has_said_so = True
        self.fault = Fault()
        self.matched = 0
        self.struck = 0

    def set(self, fault: Fault) -> None:
        """Put a fault in the place of the one that was on."""
        with self._lock:
            self.fault, self._since = fault, self._clock()
            self.matched = self.struck = 0
            self._fresh.clear()
            self._has_said_so = False

    def now(self) -> float:
        """What the LMS's clock says, in seconds since 1970."""
        return self._clock() + self.fault.skew_seconds

    @property
    def is_on(self) -> bool:
        """Whether there is a fault, and its time is not over."""
        lasts = self.fault.lasts_seconds
        is_over = lasts is not None and self._clock() >= self._since + lasts
        return self.fault.mode != "none" and not is_over

    @property
    def has_ended(self) -> bool:
        """Whether its time is over; said once for each fault."""
        with self._lock:
            if self.is_on or self._has_said_so:
                return False
            self._has_said_so = True
            return True

    def strike(self, line: str) -> Fault:
        """Count a request and say what happens to it.

        Args:
            line: Method, path with query, and function where there is one.

        Returns:
            The fault that strikes it, or one of mode none.
        """
        with self._lock:
            if not self.is_on or not re.search(self.fault.path, line):
                return Fault()
            self.matched += 1
            late = self.matched - self.fault.at
            if late < 0 or (self.fault.times is not None and late >= self.fault.times):
                return Fault()
            self.struck += 1
            return self.fault

    def told(self) -> dict[str, object]:
        """What is on, and how many requests matched and were struck."""
        return {
            **asdict(self.fault),
            "is_on": self.is_on,
            "matched": self.matched,
            "struck": self.struck,
        }

    def issued(self, token: str) -> None:
        """Remember a token given out while the fault is on: that one has not expired."""
        self._fresh.add(token)

    def is_fresh(self, token: str) -> bool:
        """Whether a token was given out since the fault began."""
        return token in self._fresh


def faults() -> Faults:
    """The faults of the application that answers."""
    found: Faults = current_app.extensions["faults"]
    return found


def fault_here() -> Fault:
    """What strikes the request at hand."""
    found: Fault = g.get("fault") or Fault()
    return found


def is_struck(mode: str) -> bool:
    """Whether the request at hand is struck by a fault of this mode."""
    return fault_here().mode == mode


def is_expired(token: str) -> bool:
    """Whether the fault makes this request's token one that has expired."""
    return is_struck("expired_token") and not faults().is_fresh(token)


def turned(here: str, following: str | None) -> str | None:
    """The token of the next page, as the fault at hand would have it.

    Args:
        here: Token of the page that is being sent.
        following: Token of the page behind it; None where there is none.

    Returns:
        ``here`` once more, spelled otherwise, for a page that comes twice; ``here`` itself for
        one that leads in a circle; else ``following``.
    """
    if is_struck("page_loop"):
        return here
    if is_struck("duplicate_page") and not here.endswith(AGAIN):
        return here + AGAIN
    return following


def spoilt(response: Response) -> Response:
    """An answer as the fault at hand lets it through."""
    mode = fault_here().mode
    if mode == "reset":
        return Response(_Broken())
    if mode == "empty":
        response.set_data(b"")
    if mode == "truncated":
        _cut(response)
    return response


def dated(response: Response) -> Response:
    """An answer that says when the LMS believes it to be."""
    response.headers["Date"] = formatdate(faults().now(), usegmt=True)
    return response


class _Broken:
    """A body at which the server breaks the connection off."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        raise ConnectionResetError("a fault ends the connection")


def _cut(response: Response) -> None:
    """Keep half of a body; the server ends a connection whose answer is not whole."""
    whole = response.get_data()
    half = whole[: len(whole) // 2]
    response.set_data(half)
    variant = fault_here().variant
    if variant == "length":
        response.headers["Content-Length"] = str(len(whole))
    elif variant == "chunked":
        response.set_data(b"%x\r\n%b\r\n" % (len(half), half))
        response.automatically_set_content_length = False
        del response.headers["Content-Length"]
        response.headers["Transfer-Encoding"] = "chunked"
