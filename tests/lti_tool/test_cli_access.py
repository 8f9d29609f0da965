"""``waymark platform access``, as an administrator meets it."""

import json
import re
from datetime import timedelta

import pytest
from click.testing import CliRunner

from bootstrap.access import SCOPES
from bootstrap.container import running
from bootstrap.settings import load_settings
from lti_tool.cli import waymark
from store import api_access, registrations
from store.registrations import PlatformEntry
from store.session import reading, writing
from tests.databases import lay_database
from tests.store.places import new_tenant

SECRET = "the-keys-secret"


@pytest.fixture
def container(tmp_path, redis, redis_url, monkeypatch):
    assert redis
    given = {
        "WAYMARK_DATA_DIR": str(tmp_path),
        "WAYMARK_REDIS_URL": redis_url,
        "WAYMARK_SECRET_KEY": "s" * 40,
        "WAYMARK_LOG_LEVEL": "WARNING",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KEY_SECRET", SECRET)
    lay_database(tmp_path)
    with running(load_settings(given)) as container:
        with writing(container.engine) as connection:
            tenant = new_tenant(connection, "District")
            for kind in ("canvas", "moodle"):
                entry = PlatformEntry(
                    kind=kind,
                    name=kind.capitalize(),
                    issuer=f"https://{kind}.example",
                    client_id="lti",
                    auth_url="https://lms.example/auth",
                    token_url="https://lms.example/token",
                    jwks_url="https://lms.example/jwks",
                    api_url=f"https://{kind}.example",
                    api_token="pasted" if kind == "canvas" else "",
                )
                registrations.save_platform(connection, tenant, entry, secrets=container.secrets)
        yield container


@pytest.fixture
def run(container):
    assert container

    def run(*arguments, status=0, **more):
        done = CliRunner().invoke(waymark, ["platform", *arguments], **more)
        assert done.exit_code == status, done.output
        return done

    return run


@pytest.fixture
def save_key(run):
    def save(number="500"):
        given = ("--client-id", number, "--client-secret-env", "KEY_SECRET")
        return run("access", "Canvas", *given)

    return save


def canvas(container):
    with reading(container.engine) as connection:
        return registrations.platforms(connection)[0]


def authorize(container, user="Ada Admin"):
    platform = canvas(container)
    with writing(container.engine) as connection:
        api_access.save_authorization(
            connection,
            platform.tenant,
            platform.id,
            client_id="500",
            user=user,
            refresh_token="r1",
            secrets=container.secrets,
            now=container.now(),
        )
    return canvas(container)


def test_without_a_key_it_says_how_to_make_one(run):
    said = run("access", "Canvas").stdout

    assert "http://localhost:8100/lti/access/callback" in said
    assert "Allow Include Parameters" in said
    for scope in SCOPES:
        assert f"    {scope}\n" in said
    assert "/lti/access/" in said
    assert not re.search(r"/lti/access/[\w-]{43}", said)


def test_with_a_key_it_prints_an_address_that_is_good_once_and_for_three_days(save_key, container):
    said = save_key().stdout

    assert len(re.findall(r"http://localhost:8100/lti/access/[\w-]{43}\n", said)) == 1
    (key,) = container.redis.scan_iter("waymark:access-link:*")
    assert container.redis.ttl(key) <= timedelta(hours=72).total_seconds()
    platform = canvas(container)
    assert platform.api_access.client_id == "500"
    assert container.secrets.open(platform.api_access.sealed_client_secret) == SECRET
    assert SECRET not in said


def test_a_key_that_is_known_needs_no_number_for_another_address(save_key, run):
    first = save_key().stdout
    second = run("access", "Canvas").stdout

    addresses = [re.search(r"access/([\w-]{43})", said)[1] for said in (first, second)]
    assert addresses[0] != addresses[1]


def test_the_secret_is_asked_for_where_no_variable_is_named(run, container):
    run("access", "Canvas", "--client-id", "500", input=f"{SECRET}\n")

    access = canvas(container).api_access
    assert container.secrets.open(access.sealed_client_secret) == SECRET


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("Moodle",), "Moodle has no such authorisation"),
        (("Elsewhere",), "There is no platform"),
        (("Canvas", "--client-id", "500", "--client-secret-env", "NOT_SET"), "NOT_SET is not set"),
    ],
)
def test_what_cannot_be_done_is_told(run, arguments, told):
    assert told in run("access", *arguments, status=1).output


def test_a_number_with_spaces_is_not_taken(run):
    assert "copy it again" in run("access", "Canvas", "--client-id", "5 0", status=2).output


def test_another_key_says_that_it_ends_the_consent(save_key, container):
    save_key()
    authorize(container)

    said = save_key("501").stdout

    assert "What Ada Admin authorised belonged to the key 500" in said
    assert not canvas(container).api_access.is_authorized


def test_what_is_forgotten_makes_room_for_the_pasted_token(save_key, run, container):
    save_key()
    authorize(container)

    said = run("access", "Canvas", "--forget").stdout

    assert "Approved Integrations" in said
    assert canvas(container).api_access == api_access.ApiAccess()
    assert registrations.api_token(canvas(container), container.secrets) == "pasted"


def test_the_list_says_by_whose_leave_and_since_when(save_key, run, container):
    save_key()
    pasted = json.loads(run("list", "--json").stdout)
    platform = authorize(container)
    day = f"{platform.api_access.authorized_at:%Y-%m-%d}"

    table = run("list").stdout
    given = json.loads(run("list", "--json").stdout)[0]["api_access"]

    assert "a token" not in table
    assert f"authorised by Ada Admin, {day}" in " ".join(table.split())
    assert [one["api_access"]["has_token"] for one in pasted] == [True, False]
    assert (given["client_id"], given["authorized_by"]) == ("500", "Ada Admin")
    assert given["revoked_at"] is None
    assert "r1" not in table


def test_the_list_says_where_it_was_taken_back(save_key, run, container):
    save_key()
    platform = authorize(container)
    with writing(container.engine) as connection:
        api_access.note_revoked(connection, platform.id, platform.api_access, now=container.now())

    table = run("list").stdout

    assert "taken back" in table
    assert json.loads(run("list", "--json").stdout)[0]["api_access"]["revoked_at"]
