"""Child processes: started, watched, and none left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bootstrap import processes
from bootstrap.processes import (
    ProcessError,
    Program,
    interruptible,
    is_listening,
    require_free_port,
    supervised,
)

PATIENCE_SECONDS = 10.0
LISTENING = """
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(60)
"""


def python(name: str, code: str, *arguments: str, is_revived: bool = False) -> Program:
    return Program(
        name=name,
        arguments=[sys.executable, "-S", "-c", code, *arguments],
        environment={"PATH": os.environ["PATH"]},
        is_revived=is_revived,
    )


def shell(name: str, script: str, *, is_revived: bool = False) -> Program:
    return Program(
        name=name,
        arguments=["/bin/sh", "-c", script],
        environment={"PATH": os.environ["PATH"]},
        is_revived=is_revived,
    )


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Where nobody collects orphans, a dead one keeps its number: Linux says so here.
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def await_true(condition) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def pid_in(path: Path) -> int:
    assert await_true(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


@pytest.fixture
def supervisor(tmp_path):
    with supervised(tmp_path / "log") as supervisor:
        yield supervisor


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_what_a_program_prints_goes_to_its_log(supervisor):
    supervisor.start(shell("web", "echo out; echo err >&2"))

    assert await_true(lambda: supervisor.log_of("web").read_text() == "out\nerr\n")


def test_a_program_has_the_environment_it_was_given(supervisor):
    program = Program(name="env", arguments=["/usr/bin/env"], environment={"ONLY": "this"})

    supervisor.start(program)

    assert await_true(lambda: supervisor.log_of("env").read_text() == "ONLY=this\n")


def test_the_environment_is_no_part_of_how_a_program_is_shown():
    program = Program(name="web", arguments=["web"], environment={"SECRET": "hidden"})

    assert "hidden" not in repr(program)


def test_a_program_that_is_not_there_cannot_be_started(supervisor):
    with pytest.raises(ProcessError, match="web cannot be started: No such file"):
        supervisor.start(Program(name="web", arguments=["/no/such"], environment={}))


def test_a_killed_program_that_is_to_be_revived_is_started_again(supervisor, tmp_path):
    program = shell("worker", f"echo $$ >> {tmp_path / 'pids'}; exec sleep 60", is_revived=True)
    first = supervisor.start(program)
    pid_in(tmp_path / "pids")
    os.kill(first, signal.SIGKILL)

    assert await_true(lambda: not is_alive(first) and supervisor.revive() == ())
    assert await_true(lambda: len((tmp_path / "pids").read_text().split()) == 2)


def test_a_revived_program_takes_nothing_of_its_former_self_along(supervisor, tmp_path):
    left = tmp_path / "left"
    script = f"[ -e {left} ] || {{ sleep 60 & echo $! > {left}; }}; wait"
    first = supervisor.start(shell("worker", script, is_revived=True))
    orphan = pid_in(left)
    os.kill(first, signal.SIGKILL)

    assert await_true(lambda: not is_alive(first))
    supervisor.revive()

    assert await_true(lambda: not is_alive(orphan))


def test_a_program_that_died_and_is_not_to_be_revived_is_named(supervisor):
    supervisor.start(shell("web", "exit 1"))
    supervisor.start(shell("worker", "exec sleep 60"))

    assert await_true(lambda: supervisor.revive() == ("web",))


def test_nothing_is_left_when_the_block_ends(tmp_path):
    with supervised(tmp_path) as supervisor:
        pids = [supervisor.start(shell(name, "exec sleep 60")) for name in ("a", "b")]

    assert not any(is_alive(pid) for pid in pids)


def test_nothing_is_left_when_the_block_breaks(tmp_path):
    pids = []

    def work() -> None:
        with supervised(tmp_path) as supervisor:
            pids.append(supervisor.start(shell("a", "exec sleep 60")))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()

    assert not is_alive(pids[0])


def test_children_of_children_are_ended_too(tmp_path):
    with supervised(tmp_path / "log") as supervisor:
        supervisor.start(shell("worker", f"sleep 60 & echo $! > {tmp_path / 'child'}; wait"))
        child = pid_in(tmp_path / "child")

    assert await_true(lambda: not is_alive(child))


def test_a_program_that_will_not_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "_STOP_SECONDS", 0.1)
    script = f"trap '' TERM; echo $$ > {tmp_path / 'ready'}; while :; do sleep 0.1; done"

    with supervised(tmp_path / "log") as supervisor:
        pid = supervisor.start(shell("stubborn", script))
        pid_in(tmp_path / "ready")

    assert not is_alive(pid)


def test_every_program_is_asked_to_end_before_it_is_made_to(tmp_path):
    told = tmp_path / "told"
    script = "trap 'echo {0} >> {1}; exit' TERM; echo $$ > {1}-{0}; while :; do sleep 0.02; done"

    with supervised(tmp_path / "log") as supervisor:
        for name in ("older", "younger"):
            supervisor.start(shell(name, script.format(name, told)))
            pid_in(tmp_path / f"told-{name}")

    assert sorted(told.read_text().split()) == ["older", "younger"]


def test_a_program_is_awaited_until_it_listens(supervisor, port):
    supervisor.start(python("web", LISTENING, str(port)))

    supervisor.await_port("web", port, timeout_seconds=PATIENCE_SECONDS)

    assert is_listening(port)


def test_a_program_that_dies_instead_of_listening_is_told_with_its_last_words(supervisor, port):
    supervisor.start(shell("web", "echo starting; echo no disk left; echo"))

    with pytest.raises(ProcessError, match="web did not start: no disk left") as refused:
        supervisor.await_port("web", port, timeout_seconds=PATIENCE_SECONDS)

    assert str(supervisor.log_of("web")) in str(refused.value)


def test_a_program_that_does_not_listen_in_time_is_told(supervisor, port):
    supervisor.start(shell("web", "exec sleep 60"))

    with pytest.raises(ProcessError, match="it said nothing"):
        supervisor.await_port("web", port, timeout_seconds=0.15)


def test_a_program_that_was_never_started_said_nothing(supervisor, port):
    with pytest.raises(ProcessError, match="ghost did not start: it said nothing"):
        supervisor.await_port("ghost", port, timeout_seconds=0.1)


def test_a_port_that_is_taken_is_told_with_the_advice(port):
    with socket.create_server(("127.0.0.1", port)), pytest.raises(ProcessError) as refused:
        require_free_port(port, "set WAYMARK_PORT to another.")

    assert str(refused.value) == (
        f"Port {port} cannot be used (Address already in use); set WAYMARK_PORT to another."
    )


def test_a_free_port_is_left_free(port):
    require_free_port(port, "")

    assert not is_listening(port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end_ends_the_block_as_ctrl_c_does(number):
    with pytest.raises(KeyboardInterrupt), interruptible():
        signal.raise_signal(number)


def test_after_the_block_signals_mean_what_they_did_before():
    before = signal.getsignal(signal.SIGTERM)

    with interruptible():
        within = signal.getsignal(signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) is before
    assert within is not before


def test_a_ctrl_c_at_the_terminal_reaches_the_command_and_not_its_children(tmp_path):
    with supervised(tmp_path) as supervisor:
        pid = supervisor.start(shell("worker", "exec sleep 60"))

        assert os.getpgid(pid) != os.getpgid(0)


def test_a_program_that_died_before_the_end_is_no_hindrance(tmp_path):
    with supervised(tmp_path) as supervisor:
        pid = supervisor.start(shell("web", "exit 0"))
        assert await_true(lambda: supervisor.revive() == ("web",))

    assert not is_alive(pid)


def test_nothing_else_is_ended(tmp_path):
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        with supervised(tmp_path) as supervisor:
            supervisor.start(shell("a", "exec sleep 60"))

        assert other.poll() is None
        other.kill()
