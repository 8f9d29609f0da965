"""``waymark platform``, as an administrator meets it."""

import json

import pytest
from click.testing import CliRunner

from bootstrap.container import REGISTRATIONS_KEY, running
from bootstrap.settings import load_settings
from lti_tool.cli import waymark
from store import deployments, invitations, registrations
from store.session import reading, writing
from tests.connectors.serving import ScriptedLms, answer_json, serving
from tests.databases import lay_database
from tests.store.places import new_platform, new_tenant

CANVAS = ("--kind", "canvas", "--name", "North", "--url", "https://north.instructure.com/")
MOODLE = ("--kind", "moodle", "--name", "Moodle", "--url", "https://lms.example/moodle/")


@pytest.fixture
def environ(tmp_path, redis, redis_url, monkeypatch):
    given = {
        "WAYMARK_DATA_DIR": str(tmp_path),
        "WAYMARK_REDIS_URL": redis_url,
        "WAYMARK_SECRET_KEY": "s" * 40,
        "WAYMARK_LOG_LEVEL": "WARNING",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NORTH_TOKEN", "a-token")
    lay_database(tmp_path)
    redis.delete(REGISTRATIONS_KEY)
    return given


@pytest.fixture
def container(environ):
    with running(load_settings(environ)) as container:
        with writing(container.engine) as connection:
            new_tenant(connection, "District")
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
def add(run):
    def add(*arguments, **more):
        return run("add", *arguments, "--client-id", "1", "--api-token-env", "NORTH_TOKEN", **more)

    return add


@pytest.fixture
def known(run):
    """The platforms as the list shows them to programs."""

    def known():
        return json.loads(run("list", "--json").stdout)

    return known


@pytest.fixture
def waiting(container):
    """A deployment that a launch named."""

    def wait(ref, about="North School"):
        with writing(container.engine) as connection:
            (platform,) = registrations.platforms(connection)
            deployments.request_deployment(
                connection, platform.id, ref, about=about, now=container.now()
            )

    return wait


def token_of(container):
    with reading(container.engine) as connection:
        (platform,) = registrations.platforms(connection)
    return registrations.api_token(platform, container.secrets)


def test_for_hosted_canvas_address_and_client_id_are_enough(add, known, container, redis):
    done = add(*CANVAS, "--deployment", "1:a")

    (found,) = known()
    assert found["issuer"] == "https://canvas.instructure.com"
    assert found["auth_url"] == "https://sso.canvaslms.com/api/lti/authorize_redirect"
    assert found["token_url"] == "https://sso.canvaslms.com/login/oauth2/token"
    assert found["jwks_url"] == "https://sso.canvaslms.com/api/lti/security/jwks"
    assert found["api_url"] == "https://north.instructure.com"
    assert (found["state"], found["pinned_kid"]) == ("active", None)
    assert [(one["id"], one["is_approved"]) for one in found["deployments"]] == [("1:a", True)]
    assert "http://localhost:8100/lti/jwks" in done.stdout
    assert token_of(container) == "a-token"
    assert int(redis.get(REGISTRATIONS_KEY)) == 1


def test_for_a_moodle_everything_follows_from_its_address(add, known):
    add(*MOODLE)

    (found,) = known()
    assert found["issuer"] == found["api_url"] == "https://lms.example/moodle"
    assert found["auth_url"] == "https://lms.example/moodle/mod/lti/auth.php"
    assert found["token_url"] == "https://lms.example/moodle/mod/lti/token.php"
    assert found["jwks_url"] == "https://lms.example/moodle/mod/lti/certs.php"


@pytest.mark.parametrize(
    ("url", "issuer", "token_url"),
    [
        ("https://north.beta.instructure.com", "https://canvas.beta.instructure.com", "sso.beta."),
        ("https://north.test.instructure.com", "https://canvas.test.instructure.com", "sso.test."),
        ("https://canvas.school.example", "https://canvas.instructure.com", "canvas.school."),
    ],
)
def test_a_canvas_of_another_stage_or_of_ones_own_is_told_by_its_host(
    add, known, url, issuer, token_url
):
    add("--kind", "canvas", "--name", "North", "--url", url)

    (found,) = known()
    assert found["issuer"] == issuer
    assert found["token_url"].startswith(f"https://{token_url}")


def test_every_field_can_be_said(add, known):
    add(
        *MOODLE,
        *("--issuer", "https://issuer.example", "--auth-url", "https://a.example/a"),
        *("--token-url", "https://t.example/t", "--jwks-url", "https://k.example/k"),
        *("--audience", "https://t.example/aud", "--deployment", "1", "--deployment", "2"),
    )

    (found,) = known()
    assert found["issuer"] == "https://issuer.example"
    assert found["auth_url"] == "https://a.example/a"
    assert found["token_url"] == "https://t.example/t"
    assert found["jwks_url"] == "https://k.example/k"
    assert found["audience"] == "https://t.example/aud"
    assert [one["id"] for one in found["deployments"]] == ["1", "2"]


def test_the_api_token_is_asked_for_and_not_shown(run, container):
    done = run("add", *CANVAS, "--client-id", "1", input="typed-token\n")

    assert token_of(container) == "typed-token"
    assert "typed-token" not in done.output


def test_adding_again_without_a_token_keeps_the_known_one(add, run, container):
    add(*CANVAS)

    run("add", *CANVAS, "--client-id", "1", input="\n")

    assert token_of(container) == "a-token"


def test_a_token_variable_that_is_not_set_is_told(run):
    done = run("add", *CANVAS, "--client-id", "1", "--api-token-env", "NO_SUCH", status=1)

    assert "NO_SUCH is not set" in done.stderr


def test_an_address_that_is_none_is_refused(run):
    done = run("add", "--kind", "canvas", "--name", "N", "--url", "north", status=2)

    assert "whole address" in done.stderr


def test_a_platform_may_be_given_a_key_by_hand_and_let_it_go_again(add, known, container):
    done = add(*MOODLE, "--pinned-key")
    pinned = known()[0]["pinned_kid"]
    add(*MOODLE)
    still = known()[0]["pinned_kid"]
    add(*MOODLE, "--fetched-keys")

    assert pinned == still == container.tool_key().kid
    assert container.tool_key().public_pem().strip() in done.stdout
    assert known()[0]["pinned_kid"] is None


def test_a_platform_of_another_district_is_neither_listed_nor_found(run, container):
    with writing(container.engine) as connection:
        other = new_tenant(connection, "Other")
        new_platform(connection, other, "Theirs")

    mine = ("--district", "District")
    assert json.loads(run("list", "--json", *mine).stdout) == []
    for command in ("suspend", "resume", "test", "approve"):
        assert 'no platform "Theirs"' in run(command, "Theirs", *mine, status=1).stderr


def test_with_two_districts_one_must_be_named(run, container):
    with writing(container.engine) as connection:
        new_tenant(connection, "Other")

    assert "District, Other" in run("list", status=1).stderr


def test_the_list_shows_how_platforms_stand(add, run, waiting):
    add(*CANVAS, "--deployment", "1:a")
    waiting("1:b")

    shown = run("list").stdout

    assert "North" in shown
    assert "1 approved, 1 waiting" in shown


def test_a_suspended_platform_is_refused_until_it_is_resumed_and_processes_are_told(
    add, run, known, redis
):
    add(*CANVAS)

    run("suspend", "North")
    suspended = known()[0]
    run("resume", "North")

    assert suspended["state"] == "suspended"
    assert suspended["suspended_at"] is not None
    assert known()[0]["state"] == "active"
    assert int(redis.get(REGISTRATIONS_KEY)) == 3
    trail = CliRunner().invoke(waymark, ["changes", "--kind", "lms"]).output
    assert "suspended" in trail
    assert "let in" in trail
    assert "registered: " in trail


def test_a_pending_platform_is_approved_and_not_resumed(add, run, known, container):
    add(*CANVAS)
    with writing(container.engine) as connection:
        (found,) = registrations.platforms(connection)
        registrations.set_platform_state(
            connection, found.tenant, found.id, "pending", now=container.now()
        )

    shown = run("approve").stdout
    refused = run("resume", "North", status=1)
    approved = run("approve", "North")

    assert "North" in shown
    assert "https://canvas.instructure.com" in shown
    assert "platform approve" in refused.stderr
    assert "North may launch" in approved.stdout
    assert known()[0]["state"] == "active"


def test_approving_a_suspended_platform_does_not_let_it_in(add, run, known):
    add(*CANVAS)
    run("suspend", "North")

    run("approve", "North")

    assert known()[0]["state"] == "suspended"


def test_what_waits_is_shown_without_its_signs_reaching_the_terminal(add, run, waiting):
    add(*CANVAS)
    waiting("1:b", about="\x1b[31mNorth\x07 [bold]School[/bold]")

    shown = run("approve").stdout

    assert "\x1b[31m" not in shown
    assert "\x07" not in shown
    assert "[bold]School[/bold]" in shown


def test_nothing_that_waits_is_said_in_words(add, run):
    add(*CANVAS)

    assert "Nothing waits" in run("approve").stdout


def test_a_deployment_is_approved_by_its_name(add, run, known, waiting):
    add(*CANVAS)
    waiting("1:b")
    waiting("1:c")

    shown = run("approve", "North").stdout
    run("approve", "North", "--deployment", "1:b")

    assert "--all-deployments" in shown
    states = {one["id"]: one["is_approved"] for one in known()[0]["deployments"]}
    assert states == {"1:b": True, "1:c": False}


def test_every_deployment_that_waits_can_be_approved_at_once(add, run, known, waiting):
    add(*CANVAS)
    waiting("1:b")
    waiting("1:c")

    run("approve", "North", "--all-deployments")

    assert all(one["is_approved"] for one in known()[0]["deployments"])


def test_where_one_deployment_is_unknown_none_is_approved(add, run, known, waiting):
    add(*CANVAS)
    waiting("1:b")

    done = run("approve", "North", "--deployment", "1:b", "--deployment", "1:x", status=1)

    assert "no deployment 1:x" in done.stderr
    assert not known()[0]["deployments"][0]["is_approved"]


@pytest.mark.parametrize(("kind", "by_hand"), [(CANVAS, False), (MOODLE, True)])
def test_an_invitation_is_printed_as_an_address_that_works(run, container, kind, by_hand):
    shown = run("invite", *kind).stdout

    address, token = next(
        line.strip().split("?invite=") for line in shown.splitlines() if "?invite=" in line
    )
    with reading(container.engine) as connection:
        found = invitations.find_invitation(connection, token, container.now())
    assert address == "http://localhost:8100/lti/register"
    assert (found.kind, found.name) == (kind[1], kind[3])
    assert found.api_url == kind[5].rstrip("/")
    assert ("/lti/setup?invite=" in shown) is by_hand


def test_an_invitation_names_the_issuer_that_must_come(run, container):
    for more in ((), ("--issuer", "https://issuer.example")):
        token = run("invite", *CANVAS, *more).stdout.partition("?invite=")[2].split()[0]
        with reading(container.engine) as connection:
            found = invitations.find_invitation(connection, token, container.now())
        assert found.issuer == (more[1] if more else "https://canvas.instructure.com")


def test_a_look_ends_with_one_where_something_must_be_done_and_with_nought_else(add, run):
    lms = ScriptedLms()
    lms.on("GET", "/k", answer_json({"keys": []}))
    with serving(lms) as url:
        add(
            *("--kind", "moodle", "--name", "North", "--url", url, "--jwks-url", f"{url}/k"),
            *("--deployment", "1"),
        )
        bad = run("test", "North", status=1)
        told = json.loads(run("test", "North", "--json", status=1).stdout)

    assert "FAIL  Key set: It answers, but holds no RSA key" in bad.stdout
    assert "ok    Registration: active" in bad.stdout
    assert {one["name"] for one in told if not one["ok"]} == {
        "Key set",
        "Service token",
        "API token",
    }
