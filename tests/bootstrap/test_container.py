"""What a process works with, made once."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from werkzeug.wrappers import Response

from bootstrap.container import REGISTRATIONS_KEY, open_container, running, wall_clock
from bootstrap.settings import load_settings
from connectors import CanvasGradebook, MoodleGradebook
from mapping.records import PlatformId
from store import registrations
from store.deployments import save_deployments
from store.registrations import PlatformEntry
from store.secrets import SecretBox
from store.session import reading, writing
from tests.connectors.serving import serving


@pytest.fixture
def register(container):
    def register(kind, *, api_url="http://127.0.0.1:9", deployments=("d1",)):
        entry = PlatformEntry(
            kind=kind,
            name=kind,
            issuer=api_url,
            client_id="1",
            auth_url="",
            token_url=f"{api_url}/token",
            jwks_url="",
            api_url=api_url,
            api_token="a-token",
        )
        with writing(container.engine) as connection:
            tenant = registrations.save_tenant(connection, "District", "UTC")
            number = registrations.save_platform(
                connection, tenant, entry, secrets=container.secrets
            )
            save_deployments(connection, number, deployments)
        return number

    return register


def test_the_clock_is_aware_and_in_utc():
    before = datetime.now(UTC)

    assert wall_clock() >= before
    assert wall_clock().tzinfo is UTC


def test_the_tool_key_is_the_same_each_time(container):
    assert container.tool_key().kid == container.tool_key().kid


@pytest.mark.parametrize(
    ("kind", "connector"), [("canvas", CanvasGradebook), ("moodle", MoodleGradebook)]
)
@pytest.mark.parametrize("deployments", [("d1", "d2"), ()])
def test_a_platform_gets_the_connector_of_its_kind(
    container, register, kind, connector, deployments
):
    found = container.gradebook(register(kind, deployments=deployments))

    assert isinstance(found, connector)
    assert found.calls == 0


def test_a_gradebook_is_asked_with_the_platforms_own_token(container, register):
    seen = []

    def lms(environ, start_response):
        seen.append(environ.get("HTTP_AUTHORIZATION"))
        return Response("[]", content_type="application/json")(environ, start_response)

    with serving(lms) as url:
        container.gradebook(register("canvas", api_url=url)).courses()

    assert set(seen) == {"Bearer a-token"}


def test_there_is_no_gradebook_of_a_platform_that_is_not_there(container):
    with pytest.raises(LookupError, match="There is no platform 99"):
        container.gradebook(PlatformId(99))


def test_a_platforms_keys_come_with_the_seconds_they_may_be_kept(container):
    def lms(environ, start_response):
        response = Response('{"keys": []}', content_type="application/json")
        response.headers["Cache-Control"] = "max-age=60"
        return response(environ, start_response)

    with serving(lms) as url:
        keys, seconds = container.fetch_key_set(url)

    assert (dict(keys), seconds) == ({"keys": []}, 60)


def test_keys_that_cannot_be_had_are_told_with_the_reason(container):
    with serving(Response("gone", status=404)) as url, pytest.raises(OSError, match="404"):
        container.fetch_key_set(url)


def test_a_token_sealed_under_a_former_key_is_as_good_as_none(container):
    sealed = SecretBox("a former key").seal("token")

    assert container._opened(sealed) is None
    assert container._opened(container.secrets.seal("token")) == "token"


def test_a_container_does_not_show_its_secrets(container):
    settings = replace(
        container.settings, redis_url="redis://:hidden@r", database_url="postgresql://u:hidden@d"
    )

    shown = repr(replace(container, settings=settings, redis_url="redis://:hidden@r"))

    assert settings.secret_key not in shown
    assert "hidden" not in shown


def test_a_command_has_a_container_for_its_length(tmp_path):
    settings = load_settings({"WAYMARK_DATA_DIR": str(tmp_path / "data")})

    with running(settings) as container, reading(container.engine) as connection:
        is_there = container.redis.ping(), connection.execute(text("SELECT 1")).scalar()

    assert is_there == (True, 1)
    assert len(container.settings.secret_key) >= 32


def test_a_process_opens_its_own_container_over_what_runs_already(tmp_path, redis_url):
    settings = replace(load_settings({"WAYMARK_DATA_DIR": str(tmp_path)}), secret_key="x" * 32)
    container = open_container(settings, redis_url)

    assert container.redis.ping()
    container.close()


def test_secrets_sealed_under_a_former_key_open_in_every_process(tmp_path, redis_url):
    former = "a former secret key that is long enough"
    settings = load_settings(
        {
            "WAYMARK_DATA_DIR": str(tmp_path),
            "WAYMARK_SECRET_KEY": "the present secret key, long enough",
            "WAYMARK_FORMER_SECRET_KEYS": former,
        }
    )
    container = open_container(settings, redis_url)

    assert container.secrets.open(SecretBox(former).seal("token")) == "token"
    container.close()


def test_each_change_of_the_registrations_is_counted(container):
    container.registrations_changed()
    container.registrations_changed()

    assert int(container.redis.get(REGISTRATIONS_KEY)) == 2


def test_keys_at_a_private_address_are_not_fetched_unless_the_operator_allows_it(container):
    closed = replace(container, settings=replace(container.settings, private_networks=()))

    with serving(Response('{"keys": []}')) as url, pytest.raises(OSError, match="private address"):
        closed.fetch_key_set(url)
