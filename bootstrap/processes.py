"""Child processes of one command: started, watched, and none left behind."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05
_CONNECT_SECONDS = 1.0


class ProcessError(Exception):
    """A child process could not be started, or a port is taken; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program to keep running.

    Attributes:
        name: For messages and for its log file.
        arguments: The program and its arguments.
        environment: The whole environment.
        is_revived: Whether it is started again when it dies.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    is_revived: bool = False


class Supervisor:
    """Starts programs, starts again those that died, and stops them all in the end."""

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self._children: list[tuple[Program, subprocess.Popen[bytes]]] = []

    def start(self, program: Program) -> int:
        """Start a program; what it prints goes to ``<name>.log``.

        Returns:
            Its process id.

        Raises:
            ProcessError: It cannot be started.
        """
        try:
            self._log_folder.mkdir(parents=True, exist_ok=True)
            with self.log_of(program.name).open("ab") as output:
                child = subprocess.Popen(  # noqa: S603 - our own programs
                    list(program.arguments),
                    env=dict(program.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    # A Ctrl-C is for the command, which stops its children in order.
                    start_new_session=True,
                )
        except OSError as error:
            raise ProcessError(f"{program.name} cannot be started: {error.strerror}.") from error
        self._children.append((program, child))
        return child.pid

    def log_of(self, name: str) -> Path:
        """Where a program's output goes."""
        return self._log_folder / f"{name}.log"

    def revive(self) -> tuple[str, ...]:
        """Start again what died and is to be revived.

        Returns:
            The names of programs that died and are not revived.
        """
        fallen = [(p, c) for p, c in self._children if c.poll() is not None]
        for program, child in fallen:
            if program.is_revived:
                _end_group(child)
                self._children.remove((program, child))
                self.start(program)
        return tuple(program.name for program, _ in fallen if not program.is_revived)

    def await_port(self, name: str, port: int, *, timeout_seconds: float) -> None:
        """Wait until a program listens on a port of 127.0.0.1.

        Raises:
            ProcessError: It died, or does not listen in time.
        """
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            if is_listening(port):
                return
            if name in self.revive():
                break
            time.sleep(_POLL_SECONDS)
        raise ProcessError(
            f"{name} did not start: {_last_line(self.log_of(name))} "
            f"(its output is in {self.log_of(name)})."
        )

    def stop(self) -> None:
        """Stop everything, the youngest first, and wait for its end."""
        for _, child in reversed(self._children):
            with suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        for _, child in reversed(self._children):
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(deadline - time.monotonic(), _POLL_SECONDS))
            _end_group(child)
        self._children.clear()


@contextmanager
def supervised(log_folder: Path) -> Iterator[Supervisor]:
    """A supervisor whose programs end with the block."""
    supervisor = Supervisor(log_folder)
    try:
        yield supervisor
    finally:
        supervisor.stop()


@contextmanager
def interruptible() -> Iterator[None]:
    """Make every request to end (SIGINT, SIGTERM, SIGHUP) end the block as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    former = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def require_free_port(port: int, advice: str) -> None:
    """Make sure that a port of 127.0.0.1 can be listened on.

    Raises:
        ProcessError: Another program has it.
    """
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ProcessError(
                f"Port {port} cannot be used ({error.strerror}); {advice}"
            ) from error


def is_listening(port: int) -> bool:
    """Whether something accepts connections on a port of 127.0.0.1."""
    with closing(socket.socket()) as probe:
        probe.settimeout(_CONNECT_SECONDS)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end_group(child: "subprocess.Popen[bytes]") -> None:
    """End what a child has left behind, such as a worker's horse."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
