"""A district after a night, and the ``waymark`` command beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from bootstrap.container import running
from bootstrap.settings import load_settings
from lti_tool.cli import waymark
from mapping.records import PassbackWay
from store.session import writing
from tests.conftest import Clock
from tests.contracts.fake import small_gradebook
from tests.store.places import new_platform, new_school, new_tenant, publish, rule, set_rule
from tests.workers.night import Night

LONG_AGO = timedelta(days=10)


@dataclass
class Desk:
    """Somebody at a terminal, days after the district's night.

    Commands know no other clock than the system's, so the night was some days before today.
    """

    night: Night

    def run(self, *arguments: str, status: int = 0) -> str:
        """Run a command; what it said, in one line."""
        done = CliRunner().invoke(waymark, arguments)
        assert done.exit_code == status, done.output
        return " ".join(done.output.split())


@pytest.fixture
def desk(tmp_path, redis_url) -> Iterator[Desk]:
    with _desk(tmp_path, redis_url) as desk:
        yield desk


@pytest.fixture(scope="module")
def still(tmp_path_factory, redis_url) -> Iterator[Desk]:
    """For commands that change nothing."""
    with _desk(tmp_path_factory.mktemp("district"), redis_url) as desk:
        yield desk


@contextmanager
def _desk(folder, redis_url) -> Iterator[Desk]:
    given = {
        "WAYMARK_DATA_DIR": str(folder),
        "WAYMARK_REDIS_URL": redis_url,
        "WAYMARK_SECRET_KEY": "only-for-tests-only-for-tests-only",
        "WAYMARK_LOG_LEVEL": "WARNING",
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in given.items():
            environment.setenv(name, value)
        assert CliRunner().invoke(waymark, ["migrate"]).exit_code == 0
        clock = Clock()
        clock.moment = datetime.now(UTC) - LONG_AGO
        with running(load_settings(given)) as container:
            night = _night(container.engine, clock)
            night.run()
            yield Desk(night)


def _night(engine: Engine, clock: Clock) -> Night:
    """As ``new_night``, with a rule and a mapping that hold from the clock's moment on."""
    with writing(engine) as connection:
        tenant = new_tenant(connection)
        platform = new_platform(connection, tenant)
        new_school(connection, tenant, platform, way=PassbackWay.NONE)
        publish(connection, tenant, rule("N.1", line_item="quiz*"), now=clock.moment)
        set_rule(connection, tenant, now=clock.moment)
    return Night(
        engine=engine, clock=clock, book=small_gradebook(), tenant=tenant, platform=platform
    )
