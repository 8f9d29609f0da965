"""Whether a web process lives, and whether it can serve."""

from dataclasses import replace

import pytest
import redis

from store.secrets import SecretBox
from store.session import open_engine
from tests.lti_tool.applications import application

AWAY = redis.Redis.from_url("unix:///nonexistent/redis.sock")


def asked(container, path):
    with application(container, lambda _: ({}, None)) as app:
        return app.test_client().get(path)


def test_a_process_without_anything_lives(container):
    alone = replace(container, redis=AWAY, engine=open_engine("sqlite:////nonexistent/a.db"))

    answer = asked(alone, "/healthz")

    assert (answer.status_code, answer.json) == (200, {"ok": True})


def test_a_process_with_everything_is_ready(container):
    container.tool_key()

    answer = asked(container, "/readyz")

    assert answer.status_code == 200
    assert answer.json == {"ok": True, "database": True, "redis": True, "secrets": True}


@pytest.mark.parametrize("missing", ["database", "redis", "secrets"])
def test_what_is_missing_is_named_and_nothing_else(container, missing):
    container.tool_key()
    changed = {
        "database": {"engine": open_engine("sqlite:////nonexistent/a.db")},
        "redis": {"redis": AWAY},
        "secrets": {"secrets": SecretBox("another key, which sealed nothing here")},
    }[missing]

    answer = asked(replace(container, **changed), "/readyz")

    assert answer.status_code == 503
    assert answer.json[missing] is False
    assert set(answer.json) == {"ok", "database", "redis", "secrets"}


def test_without_redis_a_login_is_told_with_a_reference(stage):
    with application(replace(stage.container, redis=AWAY), stage.key_sets) as app:
        login = app.test_client().post("/lti/login", data=stage.lms.login_form())

    assert login.status_code == 503
    assert "Reference number" in login.text


def test_an_answer_carries_the_number_that_the_proxy_gave(container):
    with application(container, lambda _: ({}, None)) as app:
        given = app.test_client().get("/healthz", headers={"X-Request-ID": "abcd-1234"})
        forged = app.test_client().get("/healthz", headers={"X-Request-ID": "a b\tc" * 40})

    assert given.headers["X-Request-ID"] == "abcd-1234"
    assert len(forged.headers["X-Request-ID"]) == 16
