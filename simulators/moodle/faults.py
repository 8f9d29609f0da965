"""Misbehaviour on demand, and a count of what was asked: for stories and tests.

Both live in the process: a restart forgets them.
"""

import time
from collections import Counter
from threading import Lock

from flask import Flask, Response, current_app, request

MODES = ("none", "down", "html", "slow", "expired_token")
_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_WRITES = frozenset({"POST", "PUT", "DELETE"})


class Faults:
    """The mode the server is in, and its counters."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._mode = "none"
        self._seconds = 0.0
        self._has_refused = False
        self._counts: Counter[str] = Counter()
        self._functions: Counter[str] = Counter()

    def set(self, mode: str, seconds: float) -> None:
        """Enter a mode; ``seconds`` is how long slow answers wait."""
        with self._lock:
            self._mode, self._seconds, self._has_refused = mode, seconds, False

    def token_expiry(self) -> str:
        """What an expired token is now: "" (none is), expired on first use, then deleted."""
        with self._lock:
            if self._mode != "expired_token":
                return ""
            was_refused, self._has_refused = self._has_refused, True
            return "deleted" if was_refused else "expired"

    @property
    def has_expired_tokens(self) -> bool:
        """Whether tool tokens are refused too."""
        return self._mode == "expired_token"

    def count(self, path: str, method: str, function: str) -> None:
        """Note a request."""
        kind = _kind_of(path)
        with self._lock:
            self._counts[kind] += 1
            if function:
                self._functions[function] += 1
            if kind == "ags" and method in _WRITES:
                self._counts["writes"] += 1

    def counters(self) -> dict[str, object]:
        """Requests by kind of path, REST calls by function, and writes to gradebooks."""
        with self._lock:
            counts = dict(self._counts)
            writes = counts.pop("writes", 0)
            return {"requests": counts, "functions": dict(self._functions), "writes": writes}

    def answer(self) -> Response | None:
        """What stands in for every page in the mode at hand, None where nothing does."""
        with self._lock:
            mode, seconds = self._mode, self._seconds
        if mode == "down":
            page = _PAGE.format("Service Unavailable")
            return Response(page, status=503, content_type="text/html; charset=utf-8")
        if mode == "html":
            return Response(_PAGE.format("Back soon"), content_type="text/html; charset=utf-8")
        if mode == "slow":
            time.sleep(seconds)
        return None


def faults() -> Faults:
    """The application's faults and counters."""
    found: Faults = current_app.extensions["faults"]
    return found


def install(app: Flask) -> None:
    """Count every request of an application and let it misbehave; the control API stays out."""
    app.extensions["faults"] = Faults()
    app.before_request(_before)


def _before() -> Response | None:
    if request.path.startswith("/_control/"):
        return None
    function = request.values.get("wsfunction", "") if request.path.endswith("server.php") else ""
    faults().count(request.path, request.method, function)
    return faults().answer()


def _kind_of(path: str) -> str:
    for start, kind in (
        ("/webservice/", "rest"),
        ("/mod/lti/services.php/CourseSection/", "nrps"),
        ("/mod/lti/services.php/", "ags"),
        ("/mod/lti/token.php", "token"),
        ("/mod/lti/certs.php", "certs"),
        ("/mod/lti/auth.php", "auth"),
    ):
        if path.startswith(start):
            return kind
    return "pages"
