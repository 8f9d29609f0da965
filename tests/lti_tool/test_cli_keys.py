"""``waymark keys``, as an operator meets it."""

import json

import pytest
from click.testing import CliRunner

from bootstrap.container import REGISTRATIONS_KEY, running
from bootstrap.settings import load_settings
from lti_tool.cli import waymark
from store import registrations, tool_keys
from store.session import reading, writing
from tests.databases import lay_database
from tests.store.places import new_platform, new_tenant

FORMER, PRESENT = "f" * 40, "p" * 40


@pytest.fixture
def environ(tmp_path, redis, redis_url, monkeypatch):
    given = {
        "WAYMARK_DATA_DIR": str(tmp_path),
        "WAYMARK_REDIS_URL": redis_url,
        "WAYMARK_SECRET_KEY": FORMER,
        "WAYMARK_LOG_LEVEL": "WARNING",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    lay_database(tmp_path)
    redis.delete(REGISTRATIONS_KEY)
    return given


@pytest.fixture
def run(environ):
    assert environ

    def run(*arguments, status=0, **more):
        done = CliRunner().invoke(waymark, ["keys", *arguments], **more)
        assert done.exit_code == status, done.output
        return done

    return run


@pytest.fixture
def container(environ):
    with running(load_settings(environ)) as container:
        yield container


def listed(run):
    return json.loads(run("list", "--json").stdout)


def test_an_installation_without_keys_lists_none(run):
    assert listed(run) == []


def test_a_rotation_makes_the_first_key_and_then_the_next_and_tells_the_processes(run, redis):
    run("rotate")
    done = run("rotate")

    current, following = listed(run)
    assert (current["state"], following["state"]) == ("current", "next")
    assert f"{following['kid']} is published and signs from" in done.stdout
    assert int(redis.get(REGISTRATIONS_KEY)) == 2


def test_an_emergency_says_what_it_costs_and_asks(run):
    run("rotate")
    (before,) = listed(run)

    kept = run("rotate", "--now", input="n\n", status=1)
    (still,) = listed(run)
    run("rotate", "--now", input="y\n")
    (after,) = listed(run)

    assert "up to a day" in kept.stderr
    assert still == before
    assert after["kid"] != before["kid"]
    assert after["state"] == "current"


def test_an_emergency_may_be_declared_without_being_asked(run):
    assert "signs now." in run("rotate", "--now", "--yes").stdout


def test_the_list_names_the_platforms_that_pin_a_key(run, container):
    run("rotate")
    with writing(container.engine) as connection:
        tenant = new_tenant(connection)
        platform = new_platform(connection, tenant, "Moodle")
        kid = tool_keys.stored_keys(connection)[0].kid
        registrations.pin_key(connection, tenant, platform, kid=kid)

    done = run("rotate", "--now", "--yes")

    retired, _ = listed(run)
    assert f"Moodle was given {kid} by hand" in done.stderr
    assert (retired["kid"], retired["pinned_by"]) == (kid, ["Moodle"])
    assert not retired["is_published"]
    assert kid in run("list").stdout


def test_x07_with_the_former_secret_everything_is_sealed_anew(run, container, monkeypatch):
    run("rotate")
    with writing(container.engine) as connection:
        new_platform(connection, new_tenant(connection), secrets=container.secrets)
    monkeypatch.setenv("WAYMARK_SECRET_KEY", PRESENT)
    lost = run("reseal", status=1)
    monkeypatch.setenv("WAYMARK_FORMER_SECRET_KEYS", FORMER)
    done = run("reseal")
    monkeypatch.delenv("WAYMARK_FORMER_SECRET_KEYS")

    with running(load_settings()) as present, reading(present.engine) as connection:
        (platform,) = registrations.platforms(connection)
        token = registrations.api_token(platform, present.secrets)
        kid = present.tool_key().kid
    assert "cannot be opened" in lost.stderr
    assert "Sealed anew: 1 API tokens, 1 keys." in done.stdout
    assert token == "a-secret-token"
    assert kid == listed(run)[0]["kid"]


def test_without_a_migrated_database_the_command_says_what_to_run(run, tmp_path, monkeypatch):
    monkeypatch.setenv("WAYMARK_DATA_DIR", str(tmp_path / "other"))

    assert "waymark migrate" in run("list", status=1).stderr
