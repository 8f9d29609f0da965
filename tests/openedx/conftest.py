"""Open edX in a process of its own, Waymark in this one, and real HTTP between them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from bootstrap.container import Container, open_container
from bootstrap.settings import load_settings
from lti_tool import create_app
from mapping.records import PlatformId, TenantId
from store import deployments, registrations
from store.registrations import PlatformEntry
from store.session import writing
from tests.databases import lay_database
from tests.openedx.visitor import Visitor
from tests.stories.stage import free_port, serving_on


@dataclass
class OpenEdx:
    """Both sides and how they know each other."""

    container: Container
    tenant: TenantId
    platform: PlatformId
    tool: str
    url: str
    client_id: str
    line_items: str
    members: str

    def start(self, role, user="edx-2", **more):
        """Where a person of Open edX clicks to begin a launch."""
        asked = "&".join(
            f"{name}={value}" for name, value in {"role": role, "user": user, **more}.items()
        )
        return f"{self.url}/start?{asked}"


@pytest.fixture(scope="session")
def open_edx(tmp_path_factory, redis_url) -> Iterator[OpenEdx]:
    if find_spec("lti_consumer") is None:
        pytest.skip("Open edX's lti-consumer-xblock is not installed; the extra 'test' has it")
    folder = tmp_path_factory.mktemp("openedx")
    port = free_port()
    tool = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        facts = stack.enter_context(_serving_open_edx(folder, tool))
        container = _container(folder, redis_url, tool)
        stack.callback(container.close)
        tenant, platform = _registered(container, facts)
        stack.enter_context(serving_on(port, create_app(container)))
        yield OpenEdx(
            container=container,
            tenant=tenant,
            platform=platform,
            tool=tool,
            url=facts["url"],
            client_id=facts["client_id"],
            line_items=facts["line_items"],
            members=facts["members"],
        )


@pytest.fixture
def visitor():
    visitor = Visitor()
    yield visitor
    visitor.close()


@contextmanager
def _serving_open_edx(folder, tool):
    command = [sys.executable, str(Path(__file__).with_name("served.py")), str(folder), tool]
    complaints = folder / "complaints"
    with (
        complaints.open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            said = process.stdout.readline()
            assert said, complaints.read_text()[-2000:]
            yield json.loads(said)
        finally:
            process.terminate()


def _container(folder, redis_url, tool):
    settings = load_settings(
        {
            "WAYMARK_DATA_DIR": str(folder),
            "WAYMARK_DATABASE_URL": lay_database(folder),
            "WAYMARK_PUBLIC_URL": tool,
            "WAYMARK_REDIS_URL": redis_url,
            "WAYMARK_SECRET_KEY": "only-for-tests-only-for-tests-only",
        }
    )
    return open_container(settings, redis_url)


def _registered(container, facts):
    passport, api = facts["passport"], f"{facts['url']}/api/lti_consumer/v1"
    entry = PlatformEntry(
        kind="moodle",
        name="Open edX",
        issuer=facts["url"],
        client_id=facts["client_id"],
        auth_url=f"{api}/launch/",
        token_url=f"{api}/token/{passport}",
        jwks_url=f"{api}/public_keysets/{passport}",
        api_url=facts["url"],
        api_token="",
    )
    with writing(container.engine) as connection:
        tenant = registrations.save_tenant(connection, "Open edX", "Europe/Paris")
        platform = registrations.save_platform(connection, tenant, entry, secrets=container.secrets)
        deployments.save_deployments(connection, platform, ["1"])
    return tenant, platform
