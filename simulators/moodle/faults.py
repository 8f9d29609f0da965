"""What each fault looks like at Moodle, and a count of what was asked: for stories and tests.

``simulators.faults`` says which faults there are. Both live in the process: a restart forgets
them.
"""

import time
from collections import Counter
from pathlib import Path
from threading import Lock
from typing import Any

from flask import Flask, Response, current_app, request

from simulators import fault_control
from simulators.faults import Fault, Faults, dated, faults, is_expired, is_struck, spoilt

ISSUING_PATH = "/mod/lti/token.php"
_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_WRITES = frozenset({"POST", "PUT", "DELETE"})
_RETRY_AFTER_SECONDS = 2
_REFUSED = 300


class Counters:
    """How many requests of each kind came, and whether an expired token was used already."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._expired_in: Fault | None = None
        self._counts: Counter[str] = Counter()
        self._functions: Counter[str] = Counter()

    def token_expiry(self, token: str) -> str:
        """What a web service token is now: "" (good), expired on first use, then deleted."""
        if not is_expired(token):
            return ""
        with self._lock:
            known, self._expired_in = self._expired_in, faults().fault
            return "deleted" if known is self._expired_in else "expired"

    def count_taken(self) -> None:
        """Note that a gradebook took what was sent."""
        with self._lock:
            self._counts["taken"] += 1

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
        """Requests by kind of path, REST calls by function, writes sent, and writes taken."""
        with self._lock:
            counts = dict(self._counts)
            writes, taken = counts.pop("writes", 0), counts.pop("taken", 0)
            functions = dict(self._functions)
            return {"requests": counts, "functions": functions, "writes": writes, "taken": taken}


def tally() -> Counters:
    """The application's counters."""
    found: Counters = current_app.extensions["counters"]
    return found


def install(app: Flask, path: Path, found: Faults) -> None:
    """Count every request of an application and let it misbehave; the control API stays out.

    Args:
        app: The site.
        path: Its state file.
        found: Its faults.
    """
    app.extensions["counters"] = Counters()
    fault_control.install(app, path, found)
    app.after_request(_after)
    app.before_request(_before)


def doubled(answer: Any) -> Any:  # noqa: ANN401 - whatever a function sends
    """An answer in which a fault lets the last row of a list come twice."""
    if not is_struck("duplicate_page"):
        return answer
    if isinstance(answer, list):
        return [*answer, *answer[-1:]]
    if isinstance(answer, dict):
        return {name: doubled(value) for name, value in answer.items()}
    return answer


def _before() -> Response | None:
    if request.path.startswith("/_control/"):
        return None
    function = request.values.get("wsfunction", "") if request.path.endswith("server.php") else ""
    tally().count(request.path, request.method, function)
    query = request.query_string.decode("latin-1")
    fault = fault_control.suffered(f"{request.method} {request.path}?{query} {function}")
    time.sleep(fault.delay_seconds)
    return _stands_in(fault)


def _stands_in(fault: Fault) -> Response | None:
    """What comes in the place of every page, None where the page comes."""
    if fault.mode == "down":
        return _page("Service Unavailable", 503)
    if fault.mode == "html":
        return _page("Back soon", 200)
    if fault.mode == "bad_gateway":
        return _page("502 Bad Gateway", 502)
    if fault.mode == "throttle":
        # Moodle itself never does: this is the proxy before it.
        answer = _page("Too Many Requests", fault.status or 429)
        answer.headers["Retry-After"] = str(_RETRY_AFTER_SECONDS)
        return answer
    return None


def _page(title: str, status: int) -> Response:
    return Response(_PAGE.format(title), status, content_type="text/html; charset=utf-8")


def _after(response: Response) -> Response:
    is_write = request.method in _WRITES and _kind_of(request.path) == "ags"
    if is_write and response.status_code < _REFUSED:
        tally().count_taken()
    if request.path == ISSUING_PATH and response.is_json:
        sent = response.get_json(silent=True)
        if isinstance(sent, dict) and sent.get("access_token"):
            faults().issued(str(sent["access_token"]))
    return spoilt(dated(response))


def _kind_of(path: str) -> str:
    for start, kind in (
        ("/webservice/", "rest"),
        ("/mod/lti/services.php/CourseSection/", "nrps"),
        ("/mod/lti/services.php/", "ags"),
        (ISSUING_PATH, "token"),
        ("/mod/lti/certs.php", "certs"),
        ("/mod/lti/auth.php", "auth"),
    ):
        if path.startswith(start):
            return kind
    return "pages"
