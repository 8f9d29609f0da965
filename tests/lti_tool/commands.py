"""A district after a night, and the ``waymark`` command beside it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from bootstrap.container import running
from bootstrap.settings import load_settings
from lti_tool.cli import waymark
from mapping.records import PassbackWay
from store.session import open_engine, writing
from tests.conftest import Clock
from tests.contracts.fake import small_gradebook
from tests.databases import FILE, lay_database
from tests.store.places import new_platform, new_school, new_tenant, publish, rule, set_rule
from tests.workers.night import Night

LONG_AGO = timedelta(days=10)
_FOLDER = TemporaryDirectory(prefix="waymark-commands-")


@dataclass
class Desk:
    """Somebody at a terminal, days after the district's night.

    Commands know no other clock than the system's, so the night was some days before today.
    """

    night: Night

    def run(self, *arguments: str, status: int = 0, given: str | None = None) -> str:
        """Run a command, with what is typed when it asks; what it said, in one line."""
        done = CliRunner().invoke(waymark, arguments, input=given)
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


@cache
def _database_after_a_night() -> tuple[Path, Night]:
    """A database with a district after its night, and the night it was."""
    clock = Clock()
    clock.moment = datetime.now(UTC) - LONG_AGO
    engine = open_engine(lay_database(Path(_FOLDER.name)))
    night = _night(engine, clock)
    night.run()
    engine.dispose()
    return Path(_FOLDER.name) / FILE, night


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
        path, night = _database_after_a_night()
        shutil.copyfile(path, folder / FILE)
        clock = Clock()
        clock.moment = night.clock.moment
        with running(load_settings(given)) as container:
            yield Desk(replace(night, engine=container.engine, clock=clock, book=small_gradebook()))


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
