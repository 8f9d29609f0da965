"""The simulators' command line: generate a district, serve Canvas, serve Moodle."""

import argparse
import gc
import signal
import socket
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from types import FrameType

from flask import Flask

from simulators.files import Addresses, write_all
from simulators.generate import SCALES, draw, last_evening
from simulators.serving import Server

HOST = "127.0.0.1"
EXIT_UNUSABLE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Words of the command line; those of the process when None.

    Returns:
        The exit status: 0, or 2 where the command cannot be carried out.
    """
    options = _parser().parse_args(arguments)
    if options.command == "generate":
        return _generate(options)
    return _serve(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    generate = commands.add_parser("generate", help="draw a district and write its files")
    generate.add_argument("--data", type=Path, required=True, help="folder to write to")
    generate.add_argument("--seed", type=int, default=1)
    generate.add_argument("--scale", choices=sorted(SCALES), default="demo")
    generate.add_argument("--canvas-url", default="http://127.0.0.1:8101")
    generate.add_argument("--moodle-url", default="http://127.0.0.1:8102")
    generate.add_argument("--tool-url", default="http://localhost:8100")
    generate.add_argument(
        "--today",
        type=date.fromisoformat,
        default=last_evening(datetime.now(tz=UTC)),
        help="the day that the gradebooks show (default: the last whose evening is over)",
    )
    for lms, port in (("canvas", 8101), ("moodle", 8102)):
        serve = commands.add_parser(lms, help=f"serve the {lms.capitalize()} simulator")
        serve.add_argument("--data", type=Path, required=True, help="folder of the district")
        serve.add_argument("--port", type=int, default=port)
    return parser


def _generate(options: argparse.Namespace) -> int:
    gc.disable()  # what is drawn stays to the end: there is nothing to collect, only to count
    district = draw(options.seed, options.scale, today=options.today)
    addresses = Addresses(
        canvas=options.canvas_url.rstrip("/"),
        moodle=options.moodle_url.rstrip("/"),
        tool=options.tool_url.rstrip("/"),
    )
    write_all(options.data, district, addresses=addresses, seed=options.seed)
    scores = sum(grade.state == "graded" for course in district.courses for grade in course.grades)
    learners = sum(person.role == "learner" for person in district.people)
    sys.stdout.write(
        f"{district.name}: {len(district.schools)} schools, {len(district.courses)} courses, "
        f"{learners} learners, {scores} scores in {options.data}\n"
    )
    return 0


def _serve(options: argparse.Namespace) -> int:
    name = options.command.capitalize()
    path = options.data / f"{options.command}.db"
    if not path.exists():
        sys.stderr.write(f"{path} is not there; run `python -m simulators generate` first.\n")
        return EXIT_UNUSABLE
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, options.port))
    except OSError as error:
        sys.stderr.write(
            f"The {name} simulator cannot listen on {HOST}:{options.port} ({error.strerror}); "
            "stop the program that does, or choose another --port.\n"
        )
        return EXIT_UNUSABLE
    with listener:
        _run(_app(options.command, path), listener, name)
    return 0


def _app(lms: str, path: Path) -> Flask:
    """One LMS's application; the other's package is not loaded for it."""
    app: Flask = import_module(f"simulators.{lms}").create_app(path)
    return app


def _run(app: Flask, listener: socket.socket, name: str) -> None:
    port = listener.getsockname()[1]
    server = Server(listener, app)
    signal.signal(signal.SIGTERM, _leave)
    sys.stdout.write(f"{name} simulator on http://{HOST}:{port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.stdout.write(f"{name} simulator stopped\n")
    finally:
        server.server_close()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    raise SystemExit(main())
