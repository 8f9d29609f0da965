"""Fixtures of all tests: databases on both engines, a real Redis, a container over both."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy
from redis import Redis

from bootstrap.container import Container
from bootstrap.embedded import EmbeddedError, running_redis
from bootstrap.settings import load_settings
from store import schema
from store.secrets import SecretBox
from store.session import open_engine, writing
from store.tables import metadata
from tests.databases import lay_database
from tests.servers import NoServerError, running_postgres

# How long an example takes says how busy the machine is, and nothing of the code.
hypothesis.settings.register_profile("waymark", deadline=None)
hypothesis.settings.load_profile("waymark")

SECRET = "a secret key of the tests, long enough"


CHAOS_ROUNDS = 3
"""Rounds of the chaos story that every run of the tests plays; ``make chaos`` plays more."""
CHAOS_FIRST_SEED = 2267
"""The rounds of this seed and the next two meet nearly every kind of mischief."""


def pytest_addoption(parser: pytest.Parser) -> None:
    chaos = parser.getgroup("chaos", "the story of disturbed nights")
    chaos.addoption("--chaos-rounds", type=int, default=CHAOS_ROUNDS, help="how many are played")
    chaos.addoption("--chaos-seed", type=int, help="play this one alone")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave alone what is not asked for: importing all tests takes a while."""
    is_left = config.getoption("markexpr") == "not uncounted" and _is_of_many_rooms(collection_path)
    return True if is_left else None


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark what ``make check`` runs in its second part, without counting lines.

    Files with long tests come first: one that is begun last is waited for by idle processes.
    """
    for item in items:
        is_drawn = hypothesis.is_hypothesis_test(getattr(item, "obj", None))
        if is_drawn or _is_of_many_rooms(item.path):
            item.add_marker("uncounted")
    yield
    items.sort(key=lambda item: _LONG_FIRST.get(item.path.relative_to(_HERE).parts[0], 9))


def _is_of_many_rooms(path: Path) -> bool:
    place = path.relative_to(_HERE)
    return not _OF_MANY_ROOMS.isdisjoint({*place.parts[:1], place.as_posix()})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "chaos_seed" not in metafunc.fixturenames:
        return
    seed, rounds = (metafunc.config.getoption(f"--chaos-{name}") for name in ("seed", "rounds"))
    seeds = range(CHAOS_FIRST_SEED, CHAOS_FIRST_SEED + rounds) if seed is None else [seed]
    metafunc.parametrize("chaos_seed", seeds)


_HERE = Path(__file__).parent
_OF_MANY_ROOMS = {
    *("attacks", "browser", "contracts", "openedx", "operations", "simulators", "stories"),
    "lti_tool/test_cli.py",
}

_LONG_FIRST = {"stories": 0, "operations": 1, "browser": 2, "attacks": 3, "workers": 4}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **span: float) -> None:
        self.moment += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("redis")
    settings = load_settings({"WAYMARK_DATA_DIR": str(folder)})
    try:
        with running_redis(settings) as url:
            yield url
    except EmbeddedError as error:
        pytest.skip(f"no Redis: {error}")


@pytest.fixture
def redis(redis_url: str) -> Iterator["Redis"]:
    client = Redis.from_url(redis_url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    try:
        with running_postgres() as url:
            yield url
    except NoServerError as error:
        pytest.skip(f"no PostgreSQL: {error}")


@pytest.fixture(scope="session")
def postgres_engine(postgres_url: str) -> Iterator[sqlalchemy.Engine]:
    engine = open_engine(postgres_url)
    schema.migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlalchemy.Engine]:
    engine = open_engine(lay_database(tmp_path_factory.mktemp("database")))
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> Iterator[sqlalchemy.Engine]:
    """A database with the present schema and nothing in it, on each engine."""
    engine = request.getfixturevalue(f"{request.param}_engine")
    yield engine
    empty(engine)


@pytest.fixture
def container(
    engine: sqlalchemy.Engine, redis: "Redis", redis_url: str, tmp_path: Path, clock: Clock
) -> Container:
    settings = replace(
        load_settings({"WAYMARK_DATA_DIR": str(tmp_path)}),
        secret_key=SECRET,
        database_url=engine.url.render_as_string(hide_password=False),
    )
    return Container(
        settings=settings,
        engine=engine,
        redis=redis,
        redis_url=redis_url,
        secrets=SecretBox(SECRET),
        now=clock,
        sleep=lambda _: None,
    )


def empty(engine: sqlalchemy.Engine) -> None:
    # Few rows are deleted in a tenth of the time that truncating so many tables takes; PostgreSQL
    # takes all statements in one round trip.
    names = [table.name for table in reversed(metadata.sorted_tables)]
    statements = [f'DELETE FROM "{name}"' for name in names]  # noqa: S608 - our own tables
    with writing(engine) as connection:
        batch = ["; ".join(statements)] if engine.dialect.name == "postgresql" else statements
        for statement in batch:
            connection.exec_driver_sql(statement)
