"""``waymark demo``: the main job, shown against simulated LMSs on this machine.

It starts simulators of Canvas and Moodle with a generated district, the web process and the
workers, runs one night, and stays until it is told to stop. It uses what an operator uses: the
same commands, the same district file, the same database.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from bootstrap.container import Container, running
from bootstrap.district import load_district
from bootstrap.processes import (
    ProcessError,
    Program,
    Supervisor,
    require_free_port,
    supervised,
)
from bootstrap.settings import Settings, child_environment
from lti_tool import console as terminal
from store import schema
from workers import queue

T = TypeVar("T")

SCALES = ("small", "demo")
"""How large a district may be drawn."""
_SEED = 20_261_120
_NEEDED_BYTES = 200 * 2**20
_START_SECONDS = 30.0
_WATCH_SECONDS = 1.0
_GENERATE_SECONDS = 120.0


def settings_for(settings: Settings, port: int | None) -> Settings:
    """The settings of a demonstration on a port and the two after it."""
    if port is None:
        return settings
    return replace(settings, port=port, public_url=f"http://localhost:{port}")


def run(settings: Settings, *, is_once: bool, is_json: bool, scale: str = "demo") -> int:
    """Show one night.

    Args:
        settings: As read from the environment.
        is_once: Stop after the summary.
        is_json: End with the report as one line of JSON on standard output.
        scale: One of SCALES.

    Returns:
        Exit status: 0, or 1 where a part of the night failed.
    """
    out = Console(stderr=is_json)
    canvas, moodle = settings.port + 1, settings.port + 2
    for port in (settings.port, canvas, moodle):
        require_free_port(port, "stop what uses it, or choose others: make demo ARGS=--port=9100")
    with running(settings) as container, supervised(settings.data_dir / "logs") as children:
        _require_room(settings.data_dir)
        _step(out, "Preparing the database", lambda: schema.migrate(container.engine))
        # They take a while to be up, while one core draws the district.
        _start_waymark(container, children)
        _step(out, "Drawing the district", lambda: _generate(container, scale))
        _step(out, "Starting the LMS simulators", lambda: _start_simulators(container, children))
        loaded = _step(
            out, "Loading the district", lambda: load_district(container, _file(container))
        )
        _step(out, "Starting web and workers", lambda: _await_web(container, children))
        run_id = queue.enqueue_run(container, loaded.tenant)
        result = terminal.follow(container, run_id, console=out, beat=children.revive)
        terminal.show(result, out)
        if is_json:
            terminal.show_json(result, Console())
        if not is_once:
            _stay(container, children, out)
    return 1 if result.has_failures else 0


def worker_program(container: Container, number: int) -> Program:
    """A worker process for a container's queue, started again should it die."""
    return _program(container, f"worker-{number + 1}", ["-m", "workers", "work"], is_revived=True)


def _program(
    container: Container, name: str, arguments: list[str], *, is_revived: bool = False
) -> Program:
    settings = container.settings
    environment = {
        "WAYMARK_DATA_DIR": str(settings.data_dir),
        "WAYMARK_DATABASE_URL": settings.database_url,
        "WAYMARK_REDIS_URL": container.redis_url,
        "WAYMARK_SECRET_KEY": settings.secret_key,
        "WAYMARK_PORT": str(settings.port),
        "WAYMARK_PUBLIC_URL": settings.public_url,
        "PYTHONUNBUFFERED": "1",
    }
    return Program(
        name=name,
        arguments=[sys.executable, *arguments],
        environment=child_environment(environment),
        is_revived=is_revived,
    )


def _folder(container: Container) -> Path:
    return container.settings.data_dir / "district"


def _file(container: Container) -> Path:
    return _folder(container) / "district.json"


def _addresses(container: Container) -> tuple[str, str]:
    port = container.settings.port
    return f"http://127.0.0.1:{port + 1}", f"http://127.0.0.1:{port + 2}"


def _require_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _NEEDED_BYTES:
        raise ProcessError(
            f"The disk of {folder} has {free // 2**20} MB left; the demonstration needs "
            f"{_NEEDED_BYTES // 2**20} MB. Make room, or set WAYMARK_DATA_DIR to another disk."
        )


def _step(out: Console, name: str, act: Callable[[], T]) -> T:
    began = time.monotonic()
    done = act()
    out.print(f"{name:<28} {time.monotonic() - began:5.1f} s", highlight=False)
    return done


def _generate(container: Container, scale: str) -> None:
    canvas_url, moodle_url = _addresses(container)
    program = _program(
        container,
        "generate",
        [
            *("-m", "simulators", "generate", "--data", str(_folder(container))),
            *(
                "--seed",
                str(_SEED),
                "--scale",
                scale,
                "--canvas-url",
                canvas_url,
                "--moodle-url",
                moodle_url,
            ),
            *("--tool-url", container.settings.public_url),
        ],
    )
    done = subprocess.run(  # noqa: S603 - our own program
        list(program.arguments),
        env=dict(program.environment),
        capture_output=True,
        text=True,
        timeout=_GENERATE_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise ProcessError(f"The district could not be drawn: {done.stderr.strip()}")


def _start_simulators(container: Container, children: Supervisor) -> None:
    port = container.settings.port
    for name, offset in (("canvas", 1), ("moodle", 2)):
        arguments = ["-m", "simulators", name, "--data", str(_folder(container))]
        children.start(_program(container, name, [*arguments, "--port", str(port + offset)]))
    for name, offset in (("canvas", 1), ("moodle", 2)):
        children.await_port(name, port + offset, timeout_seconds=_START_SECONDS)


def _start_waymark(container: Container, children: Supervisor) -> None:
    children.start(_program(container, "web", ["-m", "lti_tool", "web"]))
    for number in range(container.settings.workers):
        children.start(worker_program(container, number))


def _await_web(container: Container, children: Supervisor) -> None:
    children.await_port("web", container.settings.port, timeout_seconds=_START_SECONDS)


def _stay(container: Container, children: Supervisor, out: Console) -> None:
    canvas_url, moodle_url = _addresses(container)
    out.print(
        "\nOpen one of these, choose a course and a person, and launch Waymark:\n"
        f"  Canvas   {canvas_url}/\n"
        f"  Moodle   {moodle_url}/\n"
        f"Waymark itself is at {container.settings.public_url}/ and is opened from an LMS.\n"
        "Change a score in an LMS's gradebook, then see what follows: .venv/bin/waymark sync\n"
        "Ctrl-C ends everything.",
        highlight=False,
    )
    while not children.revive():
        time.sleep(_WATCH_SECONDS)
