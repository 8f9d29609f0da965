"""Real processes that a story may kill: workers, schedulers, PostgreSQL, Redis, LMSs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from redis import Redis, RedisError

from bootstrap import embedded
from tests import servers

_PATIENCE_SECONDS = 30.0


@dataclass
class Process:
    """A program in a session of its own, which can be killed alone or with all it started."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    user: str | None = None
    deaths: int = 0
    _child: "subprocess.Popen[bytes] | None" = None
    _sessions: set[int] = field(default_factory=set)

    def start(self) -> None:
        """Start it, or start it again."""
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                list(self.command),
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.user,
                cwd=self.log.parent if self.user else None,
            )
        self._sessions.add(self._child.pid)

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    def revive(self) -> None:
        """Start it again if it died, as an init system does; what it left goes on."""
        if not self.is_running:
            self.deaths += 1
            self.start()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to it alone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill_children(self) -> int:
        """Kill what it started and leave it alive; says how many there were."""
        killed = [pid for pid in in_session(self.pid) if pid != self.pid]
        _kill_all(killed)
        return len(killed)

    def kill_whole(self) -> None:
        """Kill it with everything it ever started."""
        for session in self._sessions:
            _kill_all(in_session(session))

    def wait(self, seconds: float = _PATIENCE_SECONDS) -> None:
        assert self._child is not None
        self._child.wait(seconds)

    def end(self) -> None:
        """Stop it in order, and kill whatever stays."""
        if self._child is None:
            return
        self.kill(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.wait(5)
        self.kill_whole()
        self._child.wait()


def in_session(session: int) -> list[int]:
    """The processes of a session: a worker's horse has another group, and the same session."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def _kill_all(pids: Sequence[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


class Postgres(Process):
    """A server of its own, on a unix socket in its folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        user = "nobody" if os.geteuid() == 0 else None
        binaries = servers._binaries(folder)
        if user:
            servers._give(folder, user)
        data = str(folder / "data")
        options = ["-A", "trust", "-U", "waymark", "--no-sync", "-E", "UTF8", "--no-locale"]
        servers._run([str(binaries / "initdb"), "-D", data, *options], user, folder)
        settings = ("listen_addresses=", "fsync=off", "full_page_writes=off")
        super().__init__(
            name="PostgreSQL",
            command=[
                *(str(binaries / "postgres"), "-D", data, "-k", str(folder)),
                *(word for setting in settings for word in ("-c", setting)),
            ],
            environment={"LC_ALL": "C", **environment},
            log=folder / "log",
            user=user,
        )
        self.folder = folder
        self.socket = str(folder / ".s.PGSQL.5432")

    def start(self) -> None:
        super().start()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                psycopg.connect(host=str(self.folder), user="waymark", dbname="postgres").close()
                return
            time.sleep(0.02)
        raise AssertionError(f"PostgreSQL does not start: {self.log.read_text()[-500:]}")

    def restart(self, number: int) -> None:
        """Stop it by a signal (SIGINT: fast, SIGQUIT: immediate) and start it again."""
        self.kill(number)
        self.wait()
        self.start()


class RedisServer(Process):
    """A server of its own that keeps nothing when it dies."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, port: int) -> None:
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
        super().__init__(
            name="Redis",
            command=[embedded._server_binary(), *options, "--dir", str(folder)],
            environment=environment,
            log=folder / "redis.log",
        )
        self.url = f"redis://127.0.0.1:{port}/0"

    def start(self) -> None:
        super().start()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with Redis.from_url(self.url) as client:
            while time.monotonic() < deadline:
                with suppress(RedisError):
                    client.ping()
                    return
                time.sleep(0.02)
        raise AssertionError(f"Redis does not start: {self.log.read_text()[-500:]}")

    def restart_empty(self) -> None:
        self.kill()
        self.wait()
        self.start()
