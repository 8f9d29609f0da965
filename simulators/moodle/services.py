"""The door of the LTI services: which handler a request reaches, and whether it may.

Moodle picks a handler by path, method and the exact media type; what fits none gets
``400 No handler found``. Reasons come as HTTP reason phrases too.

Source: moodle.md, sections 3.5 to 3.8.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, request

from simulators.faults import is_expired
from simulators.moodle.site import Site, site
from simulators.moodle.tools import find_tool

blueprint = Blueprint("services", __name__)

LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
SCORE = "application/vnd.ims.lis.v1.score+json"
MEMBERS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"

_AGS = "https://purl.imsglobal.org/spec/lti-ags/scope"
_NRPS = "https://purl.imsglobal.org/spec/lti-nrps/scope"
_NOT_FOUND_PAGE = "<!DOCTYPE html><html><body><h1>404</h1><p>Error in the request</p></body></html>"


class Refused(Exception):  # noqa: N818 - named for the answer it becomes
    """A service refuses; ``body`` replaces the usual JSON description where given."""

    def __init__(self, status: int, reason: str, *, body: str | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.body = body


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the path names: a course, and a line item where it names one."""

    course: int
    item: int | None = None


Handler = Callable[[Site, Place], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """``accepts`` are media types of which one must be sent, in Accept or Content-Type."""

    method: str
    path: re.Pattern[str]
    accepts: frozenset[str]
    scopes: frozenset[str]
    handler: Handler


_ROUTES: list[_Route] = []

PATHS = {
    "line items": re.compile(r"^(?P<course>\d+)/lineitems$"),
    "line item": re.compile(r"^(?P<course>\d+)/lineitems/(?P<item>\d+)/lineitem$"),
    "scores": re.compile(r"^(?P<course>\d+)/lineitems/(?P<item>\d+)/lineitem/scores$"),
    "results": re.compile(r"^(?P<course>\d+)/lineitems/(?P<item>\d+)/lineitem/results$"),
    "members": re.compile(r"^CourseSection/(?P<course>\d+)/bindings/(?P<type>\d+)/memberships$"),
}
SCOPES = {
    "line item": frozenset({f"{_AGS}/lineitem"}),
    "line item read": frozenset({f"{_AGS}/lineitem", f"{_AGS}/lineitem.readonly"}),
    "score": frozenset({f"{_AGS}/score"}),
    "result": frozenset({f"{_AGS}/result.readonly"}),
    "members": frozenset({f"{_NRPS}/contextmembership.readonly"}),
}


def service(
    method: str, path: str, *, media: str, scope: str, takes_any: bool = False
) -> Callable[[Handler], Handler]:
    """Register a handler; ``takes_any`` lets ``*/*`` (or nothing) stand for the media type."""

    def register(handler: Handler) -> Handler:
        accepts = {media} | ({"*/*", ""} if takes_any else set())
        route = _Route(
            method=method,
            path=PATHS[path],
            accepts=frozenset(accepts),
            scopes=SCOPES[scope],
            handler=handler,
        )
        _ROUTES.append(route)
        return handler

    return register


@blueprint.route("/mod/lti/services.php/<path:path>", methods=["GET", "POST", "PUT", "DELETE"])
def services(path: str) -> Response:
    """Answer a service request."""
    here = site()
    try:
        return _answer(here, path)
    except Refused as refusal:
        return _refusal(refusal)


def _answer(here: Site, path: str) -> Response:
    route, place = _routed(path)
    here = _checked(here, route.scopes)
    _check_type(here, path)
    if here.row("SELECT 1 FROM courses WHERE id = ?", place.course) is None:
        raise Refused(404, f"Not Found: Course {place.course} doesn't exist")
    return route.handler(here, place)


def _routed(path: str) -> tuple[_Route, Place]:
    if request.method == "GET" and PATHS["scores"].match(path):
        raise Refused(405, "Method Not Allowed")
    for route in _ROUTES:
        match = route.path.match(path)
        if match and route.method == request.method and _media() in route.accepts:
            found = match.groupdict()
            item = int(found["item"]) if "item" in found else None
            return route, Place(course=int(found["course"]), item=item)
    raise Refused(400, f"No handler found for /{path} {request.headers.get('Accept', '')}")


def _media() -> str:
    """The media type that decides: what is sent, or what is asked for; none for DELETE."""
    if request.method in {"POST", "PUT"}:
        sent, _, charset = request.headers.get("Content-Type", "").partition(";")
        return sent if charset.strip().lower() in {"", "charset=utf-8"} else f"{sent};{charset}"
    return request.headers.get("Accept", "") if request.method == "GET" else ""


def _checked(here: Site, scopes: frozenset[str]) -> Site:
    """The site as the token's tool sees it."""
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    found = here.row("SELECT * FROM tokens WHERE token = ? AND kind = 'lti'", bearer)
    is_live = found is not None and found["expires_at"] > here.now
    if found is None or not is_live or is_expired(bearer):
        raise Refused(401, "Unauthorized")
    tool = find_tool(here.connection, here.config, found["client_id"] or here.client_id)
    if tool is None or scopes.isdisjoint(found["scopes"].split()):
        raise Refused(401, "Unauthorized")
    return here.for_tool(tool)


def _check_type(here: Site, path: str) -> None:
    members = PATHS["members"].match(path)
    named = members["type"] if members else request.args.get("type_id", here.type_id)
    if named != here.type_id:
        raise Refused(401, "Unauthorized")


def _refusal(refusal: Refused) -> Response:
    described = {
        "status": refusal.status,
        "reason": refusal.reason,
        "request": {
            "method": request.method,
            "url": request.url,
            "accept": request.headers.get("Accept", ""),
            "contentType": request.headers.get("Content-Type", ""),
        },
    }
    body = json.dumps(described) if refusal.body is None else refusal.body
    answer = Response(body, content_type="application/json; charset=utf-8")
    answer.status = f"{refusal.status} {_phrase(refusal.reason)}"
    return answer


def _phrase(reason: str) -> str:
    """A reason phrase: one line of ASCII."""
    return " ".join(reason.encode("ascii", "replace").decode().split())


def bad_gateway() -> Response:
    """What nginx makes of an uncaught exception's invalid status line."""
    page = "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
    return Response(page, status=502, content_type="text/html")


def page_not_found() -> Response:
    """Moodle's error page, for what its own code trips over."""
    return Response(_NOT_FOUND_PAGE, status=404, content_type="text/html; charset=utf-8")


def sent_object() -> dict[str, object]:
    """The JSON object of the body; an empty one for anything else."""
    payload = request.get_json(force=True, silent=True)
    return payload if isinstance(payload, dict) else {}


def as_number(value: object) -> float | None:
    """A number, also one in a text with a point ("7.5"); None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def json_answer(payload: object, media: str, *, status: int = 200) -> Response:
    """A JSON answer of a media type."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status=status, content_type=media)
