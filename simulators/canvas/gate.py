"""What every request to an API passes before a view sees it.

Faults, the leaky bucket, the user agent and, for REST and GraphQL, the access token. LTI
services check their own tokens (``simulators.canvas.service_tokens``).

Source: canvas.md 1.1, 1.4, 1.5 and 1.6.
"""

import hashlib
import re
import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request

from simulators.canvas import faults
from simulators.canvas.service_tokens import client_of
from simulators.canvas.wire import BEARER_CHALLENGE, FORBIDDEN, NOT_FOUND, Refused, answer, refuse
from simulators.canvas.world import config, db, iso, now, world
from simulators.faults import is_expired

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

LTI_SERVICES = ("/api/lti/courses/", "/api/lti/notice-handlers/")
REST = ("/api/v1/", "/api/graphql")
TOKEN = (faults.ISSUING_PATH,)
NO_USER_AGENT = {
    "error": "Forbidden",
    "message": "You are not authorized to access this site because you have not provided a "
    "valid user agent.",
}
LTI_UNAUTHORIZED = {"errors": {"type": "unauthorized", "message": "Invalid access token"}}
_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
# In the names of scopes a resource's own id is called "id".
_OWN_ID = re.compile(
    r"^(/api/v1/(?:accounts|courses|progress)"
    r"|/api/v1/courses/:course_id/(?:assignments|custom_gradebook_columns))/:\w+(?=$|/data)"
)


class LowerCaseHeaders:
    """WSGI middleware: hosted Canvas writes header names in lower case."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer as the application does, with other header names."""

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:  # noqa: ANN401 - PEP 3333
            return start_response(status, [(k.lower(), v) for k, v in headers], *rest)

        return self._app(environ, start)


def install(app: Flask) -> None:
    """Put the gate before and behind all views of an application."""
    app.wsgi_app = LowerCaseHeaders(app.wsgi_app)  # type: ignore[method-assign]
    faults.install(app)
    app.before_request(_enter)
    app.after_request(_leave)
    app.teardown_appcontext(_close)
    app.register_error_handler(Refused, _refused)


def _kind() -> str:
    path = request.path
    if path.startswith(REST):
        return "graphql" if path == "/api/graphql" else "rest"
    if path.startswith(LTI_SERVICES):
        return "lti"
    return "token" if path.startswith(TOKEN) else "page"


def _enter() -> Response | None:
    g.kind = _kind()
    if g.kind == "page":
        return None
    world().counters[g.kind] += 1
    _throttle()
    faults.suffer(_throttle_status())
    if not request.headers.get("User-Agent", "").strip():
        refuse(403, NO_USER_AGENT)
    if g.kind in {"rest", "graphql"}:
        _authenticate()
    elif g.kind == "lti" and is_expired(bearer()):
        refuse(401, LTI_UNAUTHORIZED)
    return None


def _throttle() -> None:
    g.identity = _identity()
    g.started_at = time.thread_time()
    if not world().throttle.arrive(g.identity, world().clock()):
        raise Refused(faults.too_many(_throttle_status()))


def _throttle_status() -> int:
    return int(config().get("throttle_status", "403"))


def _identity() -> str:
    token = bearer()
    if g.kind == "lti":
        return f"lti_advantage:{client_of(token).client_id}"
    if token:
        return f"token:{hashlib.sha256(token.encode()).hexdigest()}"
    return f"ip:{request.remote_addr}"


def bearer() -> str:
    """The access token that came with the request, empty where none did."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.values.get("access_token", "")


def _authenticate() -> None:
    token = bearer()
    if not token:
        error = {"message": "user authorization required"}
        payload = {"status": "unauthenticated", "errors": [error]}
        refuse(401, payload, headers=BEARER_CHALLENGE)
    row = db().execute("SELECT * FROM tokens WHERE token = ?", (token,)).fetchone()
    if row is None or row["kind"] != "rest":
        is_revoked = row is not None and row["kind"] == "revoked"
        words = "Revoked access token." if is_revoked else "Invalid access token."
        refuse(401, _token_errors(words), headers=BEARER_CHALLENGE)
    _refuse_expired(row)
    _refuse_scope(row["scopes"])
    g.scopes = row["scopes"]
    g.allow_includes = _allows_includes(row["client_id"])
    g.person = db().execute("SELECT * FROM people WHERE id = ?", (row["person_id"],)).fetchone()


def _allows_includes(client_id: str) -> bool:
    sql = "SELECT 1 FROM api_keys WHERE client_id = ? AND allow_includes"
    return bool(client_id) and db().execute(sql, (client_id,)).fetchone() is not None


def _token_errors(message: str) -> dict[str, object]:
    return {"errors": [{"message": message}]}


def _refuse_expired(row: sqlite3.Row) -> None:
    expires_at = row["expires_at"]
    is_over = expires_at is not None and expires_at <= world().clock()
    if is_over or is_expired(row["token"]):
        error = {"message": "Expired access token.", "expired_at": iso(expires_at or now())}
        refuse(401, {"errors": [error]}, headers=BEARER_CHALLENGE)


def _refuse_scope(scopes: str) -> None:
    if not scopes or request.url_rule is None:
        return
    template = _VARIABLE.sub(r":\1", request.url_rule.rule)
    template = _OWN_ID.sub(r"\1/:id", template)
    if f"url:{request.method}|{template}" not in scopes.split():
        refuse(401, _token_errors("Insufficient scopes on access token."))


def includes() -> set[str]:
    """What ``include[]`` asks for; a scoped token is not heard, and not told so.

    Source: canvas.md 1.6 (developer keys without "Allow Include Parameters").
    """
    is_deaf = bool(g.scopes) and not g.allow_includes and config().get("allow_includes") != "1"
    return set() if is_deaf else set(request.values.getlist("include[]"))


def require_grader(course_id: int) -> None:
    """Let on administrators and the course's own teachers.

    Raises:
        Refused: With 403, for anybody else.
    """
    if g.person["role"] == "administrator":
        return
    mine = "SELECT 1 FROM enrolments WHERE course_id = ? AND person_id = ? AND role = 'teacher'"
    if db().execute(mine, (course_id, g.person["id"])).fetchone() is None:
        refuse(403, FORBIDDEN)


def require_administrator() -> None:
    """Let on administrators only.

    Raises:
        Refused: With 403, for anybody else.
    """
    if g.person["role"] != "administrator":
        refuse(403, FORBIDDEN)


def _refused(error: Refused) -> Response:
    if "db" in g:
        g.db.rollback()
    return error.response


def _leave(response: Response) -> Response:
    if "db" in g:
        g.db.commit()
    if g.get("identity"):
        spent = time.thread_time() - g.started_at
        is_throttled = g.get("is_throttled", False)
        cost = 0.0 if is_throttled else spent
        left = world().throttle.settle(g.identity, world().clock(), cost=cost)
        response.headers["X-Rate-Limit-Remaining"] = str(left)
        if not is_throttled:
            response.headers["X-Request-Cost"] = str(cost)
    return response


def _close(_error: BaseException | None) -> None:
    connection = g.pop("db", None)
    if connection is not None:
        world().states.give(connection)


def not_found(_error: Exception) -> Response:
    """What Canvas says where nothing is."""
    return answer(NOT_FOUND, 404)
