"""The ``waymark`` command."""

import inspect
import os
import sys
from pathlib import Path

import click
from rich.console import Console
from sqlalchemy.exc import OperationalError

from bootstrap.backup import BackupError
from bootstrap.district import load_district
from bootstrap.embedded import EmbeddedError
from bootstrap.processes import ProcessError, interruptible, require_free_port, supervised
from bootstrap.settings import SettingsError, load_settings
from interchange.errors import FileRefused
from lti_tool import console as terminal
from lti_tool import demo, server
from lti_tool.cli_access import access
from lti_tool.cli_agree import agree
from lti_tool.cli_changes import changes
from lti_tool.cli_context import district_option, opened_container, settings, tenant_of
from lti_tool.cli_doctor import doctor
from lti_tool.cli_dry_run import show_dry_run
from lti_tool.cli_events import events
from lti_tool.cli_failures import failures
from lti_tool.cli_framework import framework
from lti_tool.cli_keys import keys
from lti_tool.cli_mapping import mapping_sets
from lti_tool.cli_mode import mode
from lti_tool.cli_notify import notify
from lti_tool.cli_passback import passback
from lti_tool.cli_pause import pause, require_going, resume
from lti_tool.cli_platform import platform
from lti_tool.cli_replay import replay
from lti_tool.cli_role import role
from lti_tool.cli_rule import rule
from lti_tool.cli_runs import runs
from lti_tool.cli_school import school
from lti_tool.cli_setup import setup
from lti_tool.cli_token import token
from lti_tool.cli_upkeep import backup, purge, restore
from lti_tool.cli_why import why
from lti_tool.cli_words import words
from store import schema
from store.registrations import PlatformTaken
from store.secrets import SealBroken
from workers import queue

CANNOT_RUN = 2
"""Exit status where the command could not do its work at all; 1 where a part of it failed."""

_TOLD = (
    BackupError,
    SettingsError,
    EmbeddedError,
    ProcessError,
    FileRefused,
    PlatformTaken,
    SealBroken,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="waymark")
def waymark() -> None:
    """Which competencies has this learner mastered, on what evidence, and what is next."""


@waymark.command()
def migrate() -> None:
    """Bring the database up to the present schema."""
    with opened_container() as container:
        schema.migrate(container.engine)
    click.echo("The database is up to date.")


@waymark.command()
def web() -> None:
    """Serve the pages and the LTI endpoints."""
    with opened_container() as container:
        require_free_port(container.settings.port, "set WAYMARK_PORT to another one.")
        server.serve(container)


@waymark.command()
@click.option("--burst", is_flag=True, help="End when the queue is empty.")
def worker(*, burst: bool) -> None:
    """Serve the queue: read, compute, write back."""
    _become("work", *(["--burst"] if burst else []))


@waymark.command()
def cron() -> None:
    """Begin a run each night at WAYMARK_SYNC_AT."""
    _become("cron")


@waymark.command()
@click.option("--full", is_flag=True, help="Read everything, not only what changed.")
@click.option("--dry-run", is_flag=True, help="Read and compute, and write to no gradebook.")
@click.option("--json", "is_json", is_flag=True, help="Print the report as one line of JSON.")
@district_option
def sync(*, full: bool, dry_run: bool, is_json: bool, district: str | None) -> None:
    """Run one night now, and wait for its end.

    Workers are started for it where none serve the queue. An unfinished run is taken up.
    """
    out = Console(stderr=is_json)
    with (
        opened_container() as container,
        supervised(container.settings.data_dir / "logs") as children,
    ):
        tenant = tenant_of(container, district)
        require_going(container, tenant, is_dry=dry_run)
        if queue.live_workers(container) == 0:
            for number in range(container.settings.workers):
                children.start(demo.worker_program(container, number))
        run_id = queue.enqueue_run(container, tenant, is_full=full, is_dry=dry_run)
        result = terminal.follow(container, run_id, console=out, beat=children.revive)
        terminal.show(result, out)
        if dry_run:
            show_dry_run(container, result, is_json=is_json, out=out)
        elif is_json:
            terminal.show_json(result, Console())
    sys.exit(1 if result.has_failures else 0)


@waymark.group()
def district() -> None:
    """Districts: schools, platforms, frameworks, mapping and rule."""


@district.command("load")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
def load(path: Path) -> None:
    """Bring a district in, or up to date, from its file."""
    with opened_container() as container:
        loaded = load_district(container, path)
    click.echo(f"{loaded.name}: {loaded.competencies} competencies, {loaded.rules} mapping rules.")
    for line in loaded.skipped:
        click.echo(f"  left out: {line}")


@waymark.command("demo")
@click.option("--once", is_flag=True, help="Stop after the night's summary.")
@click.option("--json", "is_json", is_flag=True, help="End with one line of JSON.")
@click.option("--port", type=click.IntRange(1, 65_533), help="Use this port and the next two.")
@click.option("--scale", type=click.Choice(demo.SCALES), default="demo", help="How large.")
def demo_command(*, once: bool, is_json: bool, port: int | None, scale: str) -> None:
    """Show a whole night against simulated LMSs, then stay until Ctrl-C."""
    chosen = demo.settings_for(settings(), port)
    with interruptible():
        status = demo.run(chosen, is_once=once, is_json=is_json, scale=scale)
    sys.exit(status)


platform.add_command(access)
platform.add_command(events)
waymark.add_command(platform)
waymark.add_command(keys)
passback.add_command(agree)
waymark.add_command(changes)
waymark.add_command(notify)
waymark.add_command(passback)
waymark.add_command(doctor)
waymark.add_command(failures)
waymark.add_command(pause)
waymark.add_command(resume)
waymark.add_command(mode)
waymark.add_command(framework)
waymark.add_command(mapping_sets)
waymark.add_command(replay)
waymark.add_command(role)
waymark.add_command(rule)
waymark.add_command(words)
waymark.add_command(school)
waymark.add_command(runs)
waymark.add_command(setup)
waymark.add_command(token)
waymark.add_command(why)
for upkeep in (backup, restore, purge):
    waymark.add_command(upkeep)


def main() -> None:
    """The console script: errors become one sentence and an exit status."""
    try:
        waymark(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(CANNOT_RUN)
    except _TOLD as error:
        click.echo(str(error), err=True)
        sys.exit(CANNOT_RUN)
    except OperationalError as error:
        click.echo(_database_trouble(error), err=True)
        sys.exit(CANNOT_RUN)
    except (KeyboardInterrupt, click.exceptions.Abort):
        sys.exit(130)


def _become(*arguments: str) -> None:
    """Turn into a background process: the web face does not import what works there."""
    load_settings()
    os.execv(sys.executable, [sys.executable, "-m", "workers", *arguments])  # noqa: S606 - ourselves


def _database_trouble(error: OperationalError) -> str:
    cause = str(error.orig).strip().split("\n")[0]
    return (
        f"The database cannot be used: {cause}. See that it is reachable, that its folder can "
        "be written and that the disk is not full; WAYMARK_DATABASE_URL says which one it is."
    )


def _keep_to_readers(command: click.Command) -> None:
    """Leave out of what ``--help`` shows what a docstring says to those who write code."""
    if command.help:
        command.help = inspect.cleandoc(command.help).partition("\nRaises:")[0].rstrip()
    if isinstance(command, click.Group):
        for part in command.commands.values():
            _keep_to_readers(part)


_keep_to_readers(waymark)
