"""The JSON API: who may ask what, what is answered, and that it keeps to its own description."""

from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import InvalidArgument, Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from lti_tool.api.openapi import ADDRESS
from lti_tool.api.operations import OPERATIONS, PATH_PART
from mapping.records import Mode
from store import api_tokens, pauses
from store.api_tokens import Scope
from store.policy_changes import Author, changes_of
from store.session import reading, writing
from store.sync_state import unfinished_runs
from tests.lti_tool.classroom import fill
from tests.lti_tool.stage import START

LISTS = ("/runs", "/courses", "/frameworks", "/changes")
# What makes a file of a framework, a rule, or steps of a score no schema can say, nor which columns
# a file has, nor where an LMS files its courses.
UNSAID = dict.fromkeys(
    (
        *("send_framework", "set_import_columns", "set_rule", "try_rule"),
        *("begin_mapping_draft", "set_mapping_rules", "set_school_places"),
    ),
    (positive_data_acceptance,),
)
# Tried with twelve bodies and queries that are allowed, and twelve that are not; the others with
# six and six: what may go wrong with them is tried one by one in test_api_design.
TRIED_MORE = frozenset(
    (
        *("list_courses", "get_course", "set_course_mode", "refresh_course", "list_standings"),
        *("list_runs", "get_run", "begin_run", "get_pause", "set_pause", "end_pause"),
        *("list_frameworks", "list_competencies", "get_mapping", "list_rules", "list_changes"),
    )
)
BY = "API (tests, made by Ada)"
SEEN = (*LISTS, "/mapping", "/rules", "/pause")


class Program:
    """A program of a district, with a token."""

    def __init__(self, stage, *, tenant="A", scopes=frozenset(Scope), name="tests"):
        with writing(stage.container.engine) as connection:
            self.token = api_tokens.make_token(
                *(connection, stage.tenants[tenant], name),
                scopes=scopes,
                good_for=timedelta(days=1),
                author=Author(by="Ada", at=stage.clock()),
            )
        self.client, self.tenant = stage.app.test_client(use_cookies=False), stage.tenants[tenant]

    def ask(self, method, path, **more):
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return self.client.open(ADDRESS + path, method=method, headers=headers, **more)

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def all_of(self, path, limit):
        """Every entry of a list, part by part."""
        found, after = [], ""
        while after is not None:
            part = self.get(f"{path}?limit={limit}{after and f'&after={after}'}").json
            found, after = [*found, *part["items"]], part["next"]
        return found


@pytest.fixture
def program(stage):
    return Program(stage)


@pytest.fixture
def ids(stage):
    return fill(stage)


def detail(response, status):
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    assert response.json["status"] == status
    return response.json["detail"]


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Basic eDp5"}])
def test_without_a_token_nothing_is_told(stage, sent):
    response = stage.app.test_client().get(f"{ADDRESS}/runs", headers=sent)

    assert "waymark token create" in detail(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_that_ended_is_told_so(stage, program):
    stage.clock.pass_time(days=1)

    assert "has ended" in detail(program.get("/runs"), 401)


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize(
    ("method", "path", "body", "scope"),
    [
        ("GET", "/runs", None, Scope.READ),
        ("POST", "/runs", {}, Scope.OPERATE),
        ("PUT", "/pause", {}, Scope.OPERATE),
        ("GET", "/courses/1/standings", None, Scope.PEOPLE),
    ],
)
def test_a_token_opens_only_what_it_is_good_for(stage, method, path, body, scope):
    others = Program(stage, scopes=set(Scope) - {scope})

    assert scope.value in detail(others.ask(method, path, json=body), 403)


def test_a_launchs_cookie_opens_nothing_of_the_api(stage):
    browser = stage.browser()

    assert browser.get(f"{ADDRESS}/runs").status_code == 401


@pytest.mark.parametrize("path", SEEN)
@pytest.mark.usefixtures("ids")
def test_what_there_is_is_answered(program, path):
    response = program.get(path)

    assert response.status_code == 200
    assert response.mimetype == "application/json"


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.usefixtures("ids")
def test_lists_come_whole_in_any_parts(program, stage, path):
    for name in ("one", "two", "three"):
        Program(stage, name=name)  # each leaves a change
    whole = program.all_of(path, 200)

    assert len({one["id"] for one in whole}) == len(whole) > 0
    assert program.all_of(path, 1) == whole


def test_another_districts_things_are_not_there(stage, program, ids):
    other = Program(stage, tenant="C")
    course, run = next(iter(ids.course.values())), next(iter(ids.run.values()))

    assert other.get("/courses").json["items"] == []
    assert "no such course" in detail(other.get(f"/courses/{course}"), 404)
    assert "no such course" in detail(other.get(f"/courses/{course}/standings"), 404)
    assert "no such run" in detail(other.get(f"/runs/{run}"), 404)
    framework = program.get("/frameworks").json["items"][0]["id"]
    assert "no such framework" in detail(other.get(f"/frameworks/{framework}/competencies"), 404)


def test_standings_name_learners_and_where_they_stand(program, ids):
    course = next(iter(ids.course.values()))

    found = program.get(f"/courses/{course}/standings").json["items"]

    assert "Ada" in " ".join(one["name"] for one in found)
    assert {"competency", "code", "status", "estimate", "evidence_count"} == set(
        found[0]["standings"][0]
    )


def test_a_mode_is_set_and_stands_in_the_trail(stage, program, ids):
    course = next(iter(ids.course.values()))

    set_to = program.ask(
        "PUT", f"/courses/{course}/mode", json={"mode": "shadow", "reason": "A pilot."}
    ).json

    assert (set_to["mode"], set_to["own_mode"]) == (Mode.SHADOW.value, Mode.SHADOW.value)
    with reading(stage.container.engine) as connection:
        newest = changes_of(connection, program.tenant, most=1)[0]
    assert (newest.by, newest.reason, newest.after) == (BY, "A pilot.", "shadow")
    back = program.ask("PUT", f"/courses/{course}/mode", json={"mode": "school"}).json
    assert back["own_mode"] is None


def test_a_pause_is_begun_and_ended(stage, program):
    assert program.get("/pause").json["is_paused"] is False

    begun = program.ask("PUT", "/pause", json={"reason": "Repairs."}).json

    assert (begun["is_paused"], begun["by"], begun["reason"]) == (True, BY, "Repairs.")
    assert "DELETE /pause" in detail(program.ask("POST", "/runs", json={}), 409)
    assert program.ask("DELETE", "/pause").json["is_paused"] is False
    with reading(stage.container.engine) as connection:
        assert pauses.pause_of(connection, program.tenant) is None


def test_a_run_is_begun_once_however_often_it_is_asked_for_under_one_key(stage, program):
    with_key = {"json": {"is_dry": True}, "headers": {"Idempotency-Key": "tonight"}}

    first = program.ask("POST", "/runs", **with_key)
    again = program.ask("POST", "/runs", **with_key)

    assert first.status_code == again.status_code == 202
    assert first.json == again.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    with reading(stage.container.engine) as connection:
        assert len(unfinished_runs(connection, program.tenant)) == 1


def test_a_key_of_another_request_is_refused(program):
    key = {"Idempotency-Key": "tonight"}
    program.ask("POST", "/runs", json={"is_dry": True}, headers=key)

    response = program.ask("POST", "/runs", json={"is_full": True}, headers=key)

    assert "another request" in detail(response, 422)


def test_a_refused_request_may_be_sent_again_under_its_key(program):
    key = {"Idempotency-Key": "tonight"}
    program.ask("PUT", "/pause", json={})
    assert program.ask("POST", "/runs", json={}, headers=key).status_code == 409
    program.ask("DELETE", "/pause")

    assert program.ask("POST", "/runs", json={}, headers=key).status_code == 202


@pytest.mark.parametrize("key", ["", "k" * 256, "a b", "\u00e9"])
def test_a_key_that_is_none_is_refused(program, key):
    response = program.ask("POST", "/runs", json={}, headers={"Idempotency-Key": key})

    assert "visible characters" in detail(response, 400)


@pytest.mark.parametrize(
    ("more", "status", "told"),
    [
        ({"json": {"is_fulll": True}}, 422, "is_fulll"),
        ({"json": {"is_full": "yes"}}, 422, "is_full"),
        ({"json": []}, 422, "object"),
        ({"data": "{", "content_type": "application/json"}, 400, "no JSON"),
        ({"data": b"\xff", "content_type": "application/json"}, 400, "no JSON"),
        ({"data": "is_full=1", "content_type": "text/plain"}, 415, "application/json"),
    ],
)
def test_a_body_that_is_not_as_described_is_refused(program, more, status, told):
    assert told in detail(program.ask("POST", "/runs", **more), status)


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "after=-1", "page=2"])
def test_a_query_that_is_not_as_described_is_refused(program, query):
    assert "query" in detail(program.get(f"/runs?{query}"), 400)


def test_a_query_that_says_something_twice_is_refused(program):
    assert "more than once" in detail(program.get("/runs?limit=1&limit=2"), 400)


@pytest.mark.parametrize("path", ["/nothing", "/runs/x", f"/runs/{10**18}"])
def test_an_address_that_is_none_is_told_in_the_apis_form(program, path):
    assert "openapi.json" in detail(program.get(path), 404)


def test_a_method_that_is_none_is_told_with_those_there_are(program):
    response = program.ask("PATCH", "/pause")

    detail(response, 405)
    assert {"GET", "PUT", "DELETE"} <= set(response.headers["Allow"].split(", "))


def test_a_fault_is_told_with_a_reference_and_no_more(stage, program, monkeypatch):
    stage.app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr(api_tokens, "token_shown", lambda *_, **__: 1 / 0)

    told = detail(program.get("/runs"), 500)

    assert "Reference: " in told
    assert "division" not in told


def test_use_of_a_token_is_noted(stage, program):
    program.get("/runs")

    with reading(stage.container.engine) as connection:
        assert api_tokens.tokens_of(connection, program.tenant)[0].used_at == START


@pytest.fixture(scope="module")
def tried_by(shared_stage):
    """A program whose district has everything in it."""
    fill(shared_stage)
    return Program(shared_stage)


@pytest.fixture(scope="module")
def described(shared_stage, tried_by):
    assert tried_by
    shared_stage.app.config["PROPAGATE_EXCEPTIONS"] = False
    return schemathesis.openapi.from_wsgi(f"{ADDRESS}/openapi.json", shared_stage.app)


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda one: one.name.lower())
@pytest.mark.parametrize("name", [one.name for one in OPERATIONS.found])
def test_an_operation_keeps_to_its_description(described, tried_by, name, mode):
    """With what the description allows, and with what it does not."""
    operation = described.find_operation_by_id(name)
    told, numbers = [], count()

    @settings(
        max_examples=12 if name in TRIED_MORE else 6,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def try_out(case):
        if mode is GenerationMode.POSITIVE and "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = f"{name}-{next(numbers)}"  # nobody sends one twice
        headers = {"Authorization": f"Bearer {tried_by.token}"}
        told.append(case.call_and_validate(headers=headers, excluded_checks=UNSAID.get(name, ())))

    with suppress(InvalidArgument, Unsatisfiable):  # there is nothing that it does not allow
        try_out()
    assert told or mode is GenerationMode.NEGATIVE


def test_every_operation_is_described(stage):
    told = stage.app.test_client().get(f"{ADDRESS}/openapi.json").json
    described = {
        (method.upper(), path) for path, methods in told["paths"].items() for method in methods
    }
    served = {
        (method, PATH_PART.sub(r"{\3}", rule.rule.removeprefix(ADDRESS)))
        for rule in stage.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(f"{ADDRESS}/") and rule.endpoint != "api.openapi"
    }

    assert described == served
