"""What each fault looks like at Canvas. ``simulators.faults`` says which there are.

Source: canvas.md 1.4 and 1.5.
"""

import time

from flask import Flask, Response, g, request

from simulators.canvas.wire import Refused, refuse
from simulators.fault_control import suffered
from simulators.faults import Fault, dated, faults, spoilt

ISSUING_PATH = "/login/oauth2/token"
_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body></body></html>"
_FORBIDDEN = 403


def install(app: Flask) -> None:
    """Let faults spoil what an application answers; to be called before any other hook."""
    app.after_request(_leave)


def suffer(throttle_status: int) -> None:
    """Count the request at hand and let the fault strike it, if it does.

    Args:
        throttle_status: What a throttled client sees where the fault does not say.

    Raises:
        Refused: With what Canvas, or a proxy before it, says instead.
    """
    query = request.query_string.decode("latin-1")
    fault = suffered(f"{request.method} {request.path}?{query}")
    time.sleep(fault.delay_seconds)
    _refuse(fault, throttle_status)


def too_many(status: int) -> Response:
    """What a throttled client is told: text, without a word on how long."""
    words = "403 Forbidden" if status == _FORBIDDEN else "429 Too Many Requests"
    g.is_throttled = True
    body = f"{words} (Rate Limit Exceeded)\n"
    return Response(body, status, content_type="text/plain; charset=utf-8")


def _refuse(fault: Fault, throttle_status: int) -> None:
    if fault.mode == "down":
        error = {"message": "An error occurred.", "error_code": "internal_server_error"}
        refuse(503, {"errors": [error], "error_report_id": 4711})
    elif fault.mode in {"html", "bad_gateway"}:
        raise Refused(Response(_GATEWAY, 502, content_type="text/html"))
    elif fault.mode == "throttle":
        raise Refused(too_many(fault.status or throttle_status))


def _leave(response: Response) -> Response:
    if request.path.startswith(ISSUING_PATH) and response.is_json:
        sent = response.get_json(silent=True)
        if isinstance(sent, dict) and sent.get("access_token"):
            faults().issued(str(sent["access_token"]))
    return spoilt(dated(response))
