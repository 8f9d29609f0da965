"""A district of two schools and three courses, small enough to know by heart.

People: 1 administrator, 2 teacher, 3 to 5 learners (5 is suspended), 6 parent of 3.
Course 101 is open, 102 over, 103 not yet published. Assignments of 101: 1001 homework of 20,
1002 quiz of 10, 1003 project with a rubric, 1004 unpublished, 1005 graded but held back.
"""

import json
import shutil
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from simulators.canvas import create_app
from simulators.district import (
    Assignment,
    Attempt,
    Course,
    Criterion,
    District,
    Grade,
    Person,
    School,
)
from simulators.signing import PlatformKey
from simulators.state import fill, open_state

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALL_SCOPES = " ".join(
    f"https://purl.imsglobal.org/spec/{name}"
    for name in (
        "lti-ags/scope/lineitem",
        "lti-ags/scope/score",
        "lti-ags/scope/result.readonly",
        "lti-nrps/scope/contextmembership.readonly",
    )
)


def person(number, role, given, family, children=()):
    return Person(
        id=number,
        given_name=given,
        family_name=family,
        email=f"p{number}@example.org",
        sis_id=f"S{number}",
        role=role,
        children=children,
    )


def due(days):
    return START + timedelta(days=days)


def attempt(points, days, criteria=None):
    handed_in = due(days)
    return Attempt(
        submitted_at=handed_in,
        points=points,
        graded_at=handed_in + timedelta(days=1),
        criteria=criteria or {},
    )


ASSIGNMENTS = (
    Assignment(id=1001, title="Homework 1", category="Homework", maximum=20, due_at=due(-30)),
    Assignment(
        id=1002, title="Quiz 1", category="Quizzes", maximum=10, due_at=due(-20), kind="quiz"
    ),
    Assignment(
        id=1003,
        title="Project 1",
        category="Projects",
        maximum=8,
        due_at=due(-10),
        criteria=(
            Criterion(id="_c1", title="Reasoning", maximum=4),
            Criterion(id="_c2", title="Writing", maximum=4),
        ),
    ),
    Assignment(
        id=1004,
        title="Draft",
        category="Projects",
        maximum=5,
        due_at=due(9),
        is_published=False,
    ),
    Assignment(
        id=1005,
        title="Held back",
        category="Homework",
        maximum=10,
        due_at=due(-5),
        is_posted=False,
    ),
)
GRADES = (
    Grade(
        learner=3, assignment=1001, state="graded", attempts=(attempt(10, -33), attempt(18, -31))
    ),
    Grade(learner=3, assignment=1002, state="graded", attempts=(attempt(5, -21),)),
    Grade(
        learner=3,
        assignment=1003,
        state="graded",
        attempts=(attempt(6, -12, {"_c1": 4, "_c2": 2}),),
    ),
    Grade(learner=3, assignment=1005, state="graded", attempts=(attempt(10, -6),)),
    Grade(
        learner=4,
        assignment=1001,
        state="graded",
        attempts=(attempt(20, -29),),
        points_deducted=2.0,
    ),
    Grade(learner=4, assignment=1002, state="excused"),
    Grade(learner=4, assignment=1003, state="submitted", attempts=(attempt(0, -11),)),
)


def course(number, school, state, assignments=(), grades=()):
    return Course(
        id=number,
        title=f"Mathematics {number}",
        code=f"MAT-{number}",
        sis_id=f"C{number}",
        school=school,
        teachers=[2],
        learners=[3, 4, 5],
        suspended=[5],
        assignments=assignments,
        grades=grades,
        starts_at=due(-100),
        ends_at=due(-1 if state == "concluded" else 30),
        state=state,
    )


DISTRICT = District(
    name="Test District",
    timezone="America/Sao_Paulo",
    people=(
        person(1, "administrator", "Ada", "Admin"),
        person(2, "teacher", "Tom", "Teacher"),
        person(3, "learner", "Lia", "Alves"),
        person(4, "learner", "Leo", "Brito"),
        person(5, "learner", "Lou", "Costa"),
        person(6, "guardian", "Gil", "Alves", children=(3,)),
    ),
    schools=(
        School(id=11, name="North", lms="canvas", passback="words"),
        School(id=12, name="South", lms="canvas", passback="mark_not_counted"),
    ),
    courses=(
        course(101, 11, "active", ASSIGNMENTS, GRADES),
        course(
            102,
            12,
            "concluded",
            (Assignment(id=2001, title="Old", category="Homework", maximum=10, due_at=due(-40)),),
        ),
        course(103, 11, "unpublished"),
    ),
)


@dataclass
class Clock:
    seconds: float = START.timestamp()

    def __call__(self):
        return self.seconds

    def pass_by(self, seconds):
        self.seconds += seconds
        return self


@dataclass
class Tool:
    """The tool's side: a key, a served key set, and what has been asked of it."""

    key: PlatformKey
    url: str
    served: list = field(default_factory=list)
    body: bytes = b""


@pytest.fixture(scope="session")
def tool_key(tmp_path_factory):
    return PlatformKey.load_or_create(tmp_path_factory.mktemp("tool") / "tool.pem")


@pytest.fixture
def tool(tool_key):
    found = Tool(key=tool_key, url="", body=json.dumps(tool_key.jwks()).encode())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found.served.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

        def log_message(self, *_words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def platform_keys(tmp_path_factory):
    """The files of the keys that sign launches and events."""
    folder = tmp_path_factory.mktemp("platform")
    files = [folder / "canvas.pem", folder / "canvas.events.pem"]
    for file in files:
        PlatformKey.load_or_create(file)
    return files


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def settings():
    return {
        "lms": "canvas",
        "district": DISTRICT.name,
        "timezone": DISTRICT.timezone,
        "base_url": "http://localhost",
        "tool_url": "https://tool.example.org",
        "issuer": "https://canvas.instructure.com",
        "client_id": "10000000000001",
        "api_token": "manual-token",
        "refresh_token": "refresh-me",
        "client_secret": "hush",
        "deployment:11": "106:aaaa",
        "deployment:12": "107:bbbb",
    }


@pytest.fixture(scope="session")
def filled(tmp_path_factory, settings):
    """The bytes of a filled state file; filling anew for each test would take most of its time."""
    path = tmp_path_factory.mktemp("filled") / "canvas.db"
    fill(path, DISTRICT, "canvas", config=settings)
    return path.read_bytes()


@pytest.fixture
def state_path(tmp_path, filled, platform_keys):
    path = tmp_path / "canvas.db"
    path.write_bytes(filled)
    for file in platform_keys:
        shutil.copy(file, tmp_path)
    return path


@pytest.fixture
def state(state_path):
    connection = open_state(state_path)
    yield connection
    connection.close()


@pytest.fixture
def configure(state):
    def change(**values):
        with state:
            state.executemany("INSERT OR REPLACE INTO config VALUES (?, ?)", values.items())

    return change


@pytest.fixture
def app(state_path, clock):
    return create_app(state_path, clock=clock)


@pytest.fixture
def browser(app):
    return app.test_client()


@pytest.fixture
def rest(browser):
    """Call REST with the administrator's token; ``call(verb, path, **more)``."""

    def call(verb, path, *, token="manual-token", headers=None, **more):  # noqa: S107 - test secret
        sent = {"Authorization": f"Bearer {token}"} | (headers or {})
        return browser.open(f"/api/v1{path}", method=verb, headers=sent, **more)

    return call


@pytest.fixture
def score(browser):
    """Grade as a teacher."""

    def give(learner, assignment, points, course=101):
        payload = {
            "course": course,
            "learner": learner,
            "assignment": assignment,
            "points": points,
        }
        return browser.post("/_control/score", json=payload)

    return give


@pytest.fixture
def cell(rest):
    """Read one submission over REST."""

    def read(learner, assignment):
        path = f"/courses/101/assignments/{assignment}/submissions/{learner}"
        return rest("GET", path).json

    return read


@pytest.fixture
def graphql(browser):
    """Ask GraphQL for the submissions of course 101; ``fields`` of a node."""

    def ask(arguments="", fields="_id userId assignmentId state updatedAt", course=101):
        query = (
            f'{{ course(id: "{course}") {{ submissionsConnection{arguments} '
            f"{{ nodes {{ {fields} }} pageInfo {{ hasNextPage endCursor totalCount }} }} }} }}"
        )
        headers = {"Authorization": "Bearer manual-token"}
        return browser.post("/api/graphql", json={"query": query}, headers=headers).json

    return ask


@pytest.fixture
def assertion(tool_key, clock, settings):
    """Sign a token request's assertion; keyword arguments change its claims, None drops."""

    def sign(key=tool_key, **changes):
        claims = {
            "iss": settings["client_id"],
            "sub": settings["client_id"],
            "aud": "http://localhost/login/oauth2/token",
            "iat": int(clock()),
            "exp": int(clock()) + 60,
            "jti": "one",
        } | changes
        return key.sign({name: value for name, value in claims.items() if value is not None})

    return sign


@pytest.fixture
def token_request(browser, tool, configure, assertion):
    configure(tool_url=tool.url)

    def ask(scope=ALL_SCOPES, **claims):
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(**claims),
            "scope": scope,
        }
        return browser.post("/login/oauth2/token", data=form)

    return ask


@pytest.fixture
def lti(browser, token_request):
    """Call an LTI service of course 101 with a service token."""
    tokens = {}

    def call(verb, path, *, scope=ALL_SCOPES, course=101, **more):
        if scope not in tokens:
            tokens[scope] = token_request(scope).json["access_token"]
        headers = {"Authorization": f"Bearer {tokens[scope]}"}
        url = f"/api/lti/courses/{course}{path}"
        return browser.open(url, method=verb, headers=headers, **more)

    return call


@pytest.fixture
def line_item(lti):
    """A fresh line item of 4 points: its path in the course, and its assignment's id."""
    made = lti(
        "POST",
        "/line_items",
        data=json.dumps({"label": "Mastery", "scoreMaximum": 4, "tag": "waymark"}),
        content_type="application/vnd.ims.lis.v2.lineitem+json",
    )
    return made.json["id"].partition("/courses/101")[2]


@pytest.fixture
def post_score(lti, clock):
    """Send a score to a line item; keyword arguments change it, None drops."""

    def post(line_item, **changes):
        moment = datetime.fromtimestamp(clock(), UTC).isoformat()
        payload = {
            "userId": "3",
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "timestamp": moment,
            "scoreGiven": 3,
            "scoreMaximum": 4,
        } | changes
        sent = {name: value for name, value in payload.items() if value is not None}
        return lti(
            "POST",
            f"{line_item}/scores",
            data=json.dumps(sent),
            content_type="application/vnd.ims.lis.v1.score+json",
        )

    return post
