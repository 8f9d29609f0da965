"""What the web process's log says of a request: a number, which page, how it was answered."""

import logging
import re
import secrets
import time

from flask import Flask, Response, g, request

from bootstrap import logs

_LOG = logging.getLogger(__name__)
_HEADER = "X-Request-ID"
_NUMBER = re.compile(r"[A-Za-z0-9_-]{8,64}")
_QUIET = ("static", "health.healthz", "health.readyz", "metrics.metrics")


def register(app: Flask) -> None:
    """Have every line of a request carry its number, and its answer, too."""
    app.before_request(_begin)
    app.after_request(_tell)
    app.teardown_request(_end)


def _begin() -> None:
    sent = request.headers.get(_HEADER, "")
    g.request_number = sent if _NUMBER.fullmatch(sent) else secrets.token_hex(8)
    g.request_began = time.monotonic()
    g.request_telling = logs.about(request=g.request_number)
    g.request_telling.__enter__()


def _tell(response: Response) -> Response:
    response.headers[_HEADER] = g.request_number
    if request.endpoint not in _QUIET:
        # The page's name, not its address: an address holds ids of launches, its query more.
        seconds = time.monotonic() - g.request_began
        _LOG.info(
            "%s %s %d %.3f s", request.method, request.endpoint, response.status_code, seconds
        )
    return response


def _end(_error: BaseException | None) -> None:
    telling = g.pop("request_telling", None)
    if telling is not None:
        telling.__exit__(None, None, None)
