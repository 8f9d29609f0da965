"""``waymark token``: made once, shown once, listed, revoked."""

import json

import pytest
from click.testing import CliRunner

from bootstrap.container import running
from bootstrap.settings import load_settings
from lti_tool.cli import waymark
from store import api_tokens
from store.api_tokens import Scope
from store.session import reading, writing
from tests.lti_tool.test_cli_passback import environ
from tests.store.places import new_tenant

__all__ = ["environ"]


@pytest.fixture
def container(environ):
    with running(load_settings(environ)) as made:
        with writing(made.engine) as connection:
            new_tenant(connection)
        yield made


@pytest.fixture
def run(container):
    assert container

    def run(*arguments, status=0):
        done = CliRunner().invoke(waymark, ("token", *arguments))
        assert done.exit_code == status, done.output
        return done

    return run


def test_a_token_is_shown_alone_so_that_a_script_can_keep_it(run, container):
    done = run("create", "export", "--scope", "read", "--scope", "people")

    token = done.stdout.strip()
    with reading(container.engine) as connection:
        found = api_tokens.token_shown(connection, token, now=container.now())
    assert found.scopes == {Scope.READ, Scope.PEOPLE}
    assert "not shown again" in done.stderr
    assert token not in done.stderr


def test_tokens_are_listed_with_what_they_are_good_for(run):
    assert "No token was made" in run("list").output
    token = run("create", "export", "--scope", "read", "--days", "7").stdout.strip()

    listed = json.loads(run("list", "--json").stdout)

    assert [(one["name"], one["state"], one["scopes"]) for one in listed] == [
        ("export", "good", ["read"])
    ]
    assert token not in run("list").output


def test_a_token_is_revoked_by_its_name(run):
    run("create", "export", "--scope", "read")

    assert "opens nothing" in run("revoke", "export").output
    assert json.loads(run("list", "--json").stdout)[0]["state"] == "revoked"
    assert "no good token" in run("revoke", "export", status=1).output


@pytest.mark.parametrize("days", ["0", "-1", "367", "99999999999"])
def test_a_token_without_an_end_is_refused(run, days):
    assert "1 to 366 days" in run("create", "x", "--scope", "read", "--days", days, status=1).output


def test_a_token_needs_a_scope_that_there_is(run):
    run("create", "export", status=2)
    assert "read" in run("create", "export", "--scope", "all", status=2).output
