"""A server that answers with what a real Moodle 4.5.6 answered.

Web service functions are answered from ``tests/connectors/recordings``, by name and parameters.
For course 4 three answers were not recorded; they are derived from what was, and marked below.
LTI Advantage was not recorded as files: here is a small, strict endpoint in memory that follows
the wire contract. It verifies no signature, but takes nothing that is not well formed.
"""

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from urllib.parse import quote

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from tests.connectors.serving import serving

RECORDINGS = Path(__file__).parent / "connectors" / "recordings"
API_TOKEN = "recorded-service-user-token"
CLIENT_ID = "QtN7yhvLYgDuTXA"
TYPE_ID = "1"
COURSES = (2, 4)
"""The courses whose gradebooks were recorded; the list of courses is cut down to them."""

_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/"
_GRANTED = {_SCOPE + name for name in ("lineitem", "lineitem.readonly", "result.readonly", "score")}
_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
_RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
_SCORE = "application/vnd.ims.lis.v1.score+json"
_ISO = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?)?")
_PATH = re.compile(
    r"/mod/lti/services\.php/(?P<course>\d+)/lineitems"
    r"(?:/(?P<item>\d+)/lineitem(?:/(?P<part>scores|results))?)?"
)


@cache
def recorded(name: str):
    """The body of a recording, by its file's name without ending."""
    return json.loads((RECORDINGS / f"{name}.json").read_text())["response"]["body"]


@contextmanager
def serve_recordings() -> Iterator[str]:
    """Serve on a free port of the loopback address; yields the address, without a slash."""
    application = _Moodle()
    with serving(application) as base_url:
        application.base_url = base_url
        yield base_url


class _RefusedError(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class _Moodle:
    def __init__(self) -> None:
        self.base_url = ""
        self._lock = threading.Lock()
        self._tokens: dict[str, set[str]] = {}
        self._items: dict[tuple[int, int], dict] = {}
        self._results: dict[int, dict[str, dict]] = {}

    def __call__(self, environ, start_response):
        request = Request(environ)
        with self._lock:
            response = self._answer(request)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path == "/webservice/rest/server.php":
            return _json(self._function(request))
        if request.path == "/mod/lti/token.php":
            return self._token(request)
        found = _PATH.fullmatch(request.path)
        if found is None:
            return NotFound().get_response()
        try:
            return self._service(request, found)
        except _RefusedError as refused:
            body = {"status": refused.status, "reason": refused.reason, "request": {}}
            return _json(body, refused.status)

    # Web services

    def _function(self, request: Request):
        form = request.form
        if request.method != "POST" or form.get("moodlewsrestformat") != "json":
            raise AssertionError("Moodle would answer this with XML")
        if form.get("wstoken") != API_TOKEN:
            return recorded("error_invalid_token")
        functions = {
            "core_webservice_get_site_info": _site_info,
            "core_course_get_courses": _courses,
            "core_enrol_get_enrolled_users": _enrolled_users,
            "gradereport_user_get_grade_items": _grade_report,
            "core_grades_get_gradeitems": _grade_items,
            "mod_assign_get_assignments": _assignments,
            "mod_assign_get_grades": lambda _: recorded("assign_grades"),
            "mod_quiz_get_quizzes_by_courses": lambda _: recorded("quizzes_course2"),
            # Neither was recorded: no groups, no rubrics.
            "core_group_get_course_groups": lambda _: [],
            "core_grading_get_definitions": lambda _: {"areas": [], "warnings": []},
            "core_competency_list_competency_frameworks": lambda _: recorded(
                "competency_frameworks"
            ),
            "core_competency_list_course_competencies": _course_competencies,
            "core_competency_get_scale_values": lambda _: recorded("competency_scale_values"),
            "report_competency_data_for_report": lambda _: recorded("user_competencies_course4"),
        }
        call = functions.get(form.get("wsfunction", ""))
        if call is None:
            return recorded("error_unknown_function")
        given = {name: form[name] for name in form if not name.startswith(("ws", "moodlews"))}
        return call(given)

    # LTI Advantage

    def _token(self, request: Request) -> Response:
        form = request.form
        wanted = set(form.get("scope", "").split())
        granted = wanted & _GRANTED
        well_formed = (
            form.get("grant_type") == "client_credentials"
            and form.get("client_assertion_type")
            == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        )
        if not well_formed:
            return _html('{ "error" : "unsupported_grant_type" }', 400)
        if not _is_well_formed(form.get("client_assertion", "")):
            return _html('{ "error" : "invalid_client" }', 400)
        if not granted:
            return _html('{ "error" : "invalid_scope" }', 400)
        token = f"token{len(self._tokens) + 1}"
        self._tokens[token] = granted
        body = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": " ".join(sorted(granted)),
        }
        return _html(json.dumps(body), 200)

    def _service(self, request: Request, found: re.Match) -> Response:
        course = int(found["course"])
        if request.args.get("type_id") != TYPE_ID:
            raise _RefusedError(401, "Unauthorized")
        if course not in COURSES:
            raise _RefusedError(404, "Course does not exist")
        if found["item"] is None:
            return self._line_items(request, course)
        key = (course, int(found["item"]))
        if found["part"] == "scores":
            return self._score(request, key)
        if found["part"] == "results":
            return self._results_of(request, key)
        return self._line_item(request, key)

    def _line_items(self, request: Request, course: int) -> Response:
        if request.method == "GET":
            self._allow(request, "lineitem", "lineitem.readonly")
            if request.headers.get("Accept") != _ITEMS or "limit" in request.args:
                raise _RefusedError(400, "No handler found")
            wanted = {
                "resourceId": request.args.get("resource_id"),
                "tag": request.args.get("tag"),
            }
            found = [
                item
                for (owner, _), item in self._items.items()
                if owner == course
                and all(value in (None, item[name]) for name, value in wanted.items())
            ]
            return _json(found, media_type=_ITEMS)
        self._allow(request, "lineitem")
        _media_type(request, _ITEM)
        payload = request.get_json(force=True)
        if not {"label", "scoreMaximum"} <= payload.keys() or len(payload["label"]) > 255:
            raise _RefusedError(400, "Bad Request")
        number = 454 + len(self._items)
        item = {
            "id": f"{self.base_url}/mod/lti/services.php/{course}/lineitems/{number}/lineitem"
            f"?type_id={TYPE_ID}",
            "label": payload["label"],
            "scoreMaximum": float(payload["scoreMaximum"]),
            "resourceId": payload.get("resourceId", ""),
            "tag": payload.get("tag", ""),
        }
        self._items[course, number] = item
        self._results[number] = {}
        return _json(item, 201, media_type=_ITEM)

    def _line_item(self, request: Request, key: tuple[int, int]) -> Response:
        item = self._existing(key)
        if request.method == "DELETE":
            self._allow(request, "lineitem")
            del self._items[key]
            return Response(status=204)
        self._allow(request, "lineitem", "lineitem.readonly")
        return _json(item, media_type=_ITEM)

    def _score(self, request: Request, key: tuple[int, int]) -> Response:
        if request.method != "POST":
            raise _RefusedError(405, "Method not allowed")
        self._allow(request, "score")
        _media_type(request, _SCORE)
        item = self._existing(key)
        score = request.get_json(force=True)
        moment = _moment(score)
        if score["userId"] not in _learners(key[0]):
            raise _RefusedError(400, "Incorrect score received")
        results = self._results[key[1]]
        before = results.get(score["userId"])
        if before is not None and moment <= datetime.fromisoformat(before["timestamp"]):
            raise _RefusedError(409, "Refusing score with an earlier timestamp for item")
        results[score["userId"]] = _result(item, score, moment)
        return Response(status=200)

    def _results_of(self, request: Request, key: tuple[int, int]) -> Response:
        self._allow(request, "result.readonly")
        item = self._existing(key)
        if "limit" in request.args:
            return NotFound().get_response()
        base, _, query = item["id"].partition("?")
        rows = [
            {"id": f"{base}/results?{query}&user_id={quote(user)}", "userId": user, **row}
            for user, row in self._results[key[1]].items()
        ]
        return _json(rows, media_type=_RESULTS)

    def _existing(self, key: tuple[int, int]) -> dict:
        if key not in self._items:
            raise _RefusedError(404, "Line item does not exist")
        return self._items[key]

    def _allow(self, request: Request, *names: str) -> None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        scopes = self._tokens.get(token, set()) if kind == "Bearer" else set()
        if scopes.isdisjoint(_SCOPE + name for name in names):
            raise _RefusedError(401, "Unauthorized")


def _site_info(given):
    return recorded("site_info") if not given else recorded("error_invalid_parameter")


def _courses(given):
    if given:
        return recorded("error_invalid_parameter")
    return [one for one in recorded("courses") if one["id"] in (1, *COURSES)]


def _enrolled_users(given):
    course = _course(given)
    options = {
        given[name]: given[name.replace("[name]", "[value]")]
        for name in given
        if name.endswith("[name]")
    }
    if course is None:
        return recorded("error_unknown_course")
    # Nobody of course 4 is suspended (its report names all 60 learners), so there the same
    # list answers for the active ones.
    is_active_only = options.get("onlyactive") == "1" and course == 2
    name = f"enrolled_users_course{course}" + ("_active" if is_active_only else "")
    people = recorded(name)
    if options.get("onlysuspended") == "1":
        # Not recorded: whoever is in the whole list and not in that of the active.
        active = recorded("enrolled_users_course2_active") if course == 2 else people
        people = [one for one in people if one["id"] not in {other["id"] for other in active}]
    fields = {"fullname", *options.get("userfields", "").split(",")}
    return [{key: one[key] for key in one if key in fields} for one in people]


def _grade_report(given):
    if set(given) != {"courseid"}:
        return recorded("error_invalid_parameter")
    course = _course(given)
    return recorded("error_unknown_course" if course is None else f"grade_report_course{course}")


def _grade_items(given):
    course = _course(given)
    if course is None:
        return recorded("error_unknown_course")
    if course == 2:
        return recorded("grade_items_course2")
    # Not recorded for course 4: made from its report; all of its items are in the top category.
    rows = recorded("grade_report_course4")["usergrades"][0]["gradeitems"]
    items = [
        {"id": str(row["id"]), "itemname": row["itemname"], "category": "History 301"}
        for row in rows
        if row["itemtype"] == "mod"
    ]
    return {"gradeItems": items, "warnings": []}


def _assignments(given):
    if given.get("includenotenrolledcourses") != "1":
        return {"courses": [], "warnings": []}
    # Not recorded for course 4: no due dates are known there.
    is_recorded = given.get("courseids[0]") == "2"
    return recorded("assignments_course2") if is_recorded else {"courses": [], "warnings": []}


def _course_competencies(given):
    return recorded("course_competencies_course4") if given.get("id") == "4" else []


def _course(given):
    number = int(given.get("courseid", "0"))
    return number if number in COURSES else None


def _learners(course: int) -> set[str]:
    return {
        str(one["id"])
        for one in recorded(f"enrolled_users_course{course}")
        if any(role["shortname"] == "student" for role in one["roles"])
    }


def _is_well_formed(assertion: str) -> bool:
    """Three parts; a key id, the client as subject, an issue time that is not ahead."""
    try:
        header, claims, signature = assertion.split(".")
        head, body = (json.loads(_unpadded(part)) for part in (header, claims))
        ahead = datetime.fromtimestamp(body["iat"], UTC) - datetime.now(UTC)
    except (ValueError, KeyError):
        return False
    return (
        head.get("alg") == "RS256"
        and bool(head.get("kid"))
        and bool(signature)
        and body.get("sub") == body.get("iss") == CLIENT_ID
        and {"aud", "exp", "jti"} <= body.keys()
        and ahead <= timedelta(0)
    )


def _unpadded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _media_type(request: Request, wanted: str) -> None:
    if request.headers.get("Content-Type", "").partition(";")[0] != wanted:
        raise _RefusedError(400, "No handler found")


def _moment(score: dict) -> datetime:
    wanted = {"userId", "timestamp", "activityProgress", "gradingProgress"}
    has_half = "scoreGiven" in score and "scoreMaximum" not in score
    if not wanted <= score.keys() or has_half or not _ISO.fullmatch(str(score["timestamp"])):
        raise _RefusedError(400, "Incorrect score received")
    moment = datetime.fromisoformat(score["timestamp"])
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).replace(microsecond=0)


def _result(item: dict, score: dict, moment: datetime) -> dict:
    given = score.get("scoreGiven")
    if score["gradingProgress"] != "FullyGraded" or given is None:
        return {"timestamp": moment.isoformat()}
    ratio = item["scoreMaximum"] / score["scoreMaximum"] if score["scoreMaximum"] else 1.0
    result = {
        "resultScore": min(max(given * ratio, 0.0), item["scoreMaximum"]),
        "resultMaximum": item["scoreMaximum"],
        "scoreOf": item["id"],
        "timestamp": moment.isoformat(),
    }
    return result | ({"comment": score["comment"]} if score.get("comment") else {})


def _json(body, status: int = 200, *, media_type: str = "application/json") -> Response:
    return Response(json.dumps(body), status=status, content_type=media_type)


def _html(body: str, status: int) -> Response:
    """Moodle's token endpoint labels its JSON as a web page."""
    return Response(body, status=status, content_type="text/html; charset=utf-8")
