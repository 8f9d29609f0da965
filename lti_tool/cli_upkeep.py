"""``waymark backup``, ``restore`` and ``purge``: the upkeep of the database."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import click

from bootstrap import backup as copies
from lti_tool.cli_context import container_of_today, opened_container
from store import retention, schema

_FILE = click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
_MEGABYTE = 1_000_000


@click.command()
@_FILE
def backup(*, path: Path) -> None:
    """Copy the whole database into a file, while Waymark works.

    The secret key is not in it. Keep that elsewhere: without it, the tokens and keys in the copy
    cannot be opened, and with it, whoever finds the copy can.
    """
    with container_of_today() as container:
        size = copies.back_up(container.engine, path)
    click.echo(f"{path}: {size / _MEGABYTE:,.1f} MB. It holds data of learners; keep it safe.")


@click.command()
@_FILE
def restore(*, path: Path) -> None:
    """Put a copy back into the empty database that WAYMARK_DATABASE_URL names.

    Stop all processes of Waymark first.
    """
    with opened_container() as container:
        copies.restore(container.engine, path)
        is_current = schema.is_current(container.engine)
    click.echo(f"{path} was put back.")
    if not is_current:
        click.echo("It is from an earlier release. Bring it up to date: waymark migrate")
    click.echo("Then empty Redis, start the processes, and run a night: waymark sync --full")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--days", type=click.IntRange(30, 3650), help="Keep so many days of runs.")
def purge(*, dry_run: bool, yes: bool, days: int | None) -> None:
    """Take old records of runs out of the database, as `waymark cron` does each day.

    Evidence, statuses, overrides and what stands in gradebooks are never taken out.
    """
    with container_of_today() as container:
        kept_days = days or container.settings.keep_run_days
        if not kept_days:
            click.echo("WAYMARK_KEEP_RUN_DAYS is 0, so everything is kept. To take out: --days")
            return
        now = container.now()
        before = now - timedelta(days=kept_days)
        _show(retention.count_old(container.engine, before=before, now=now), kept_days)
        if dry_run:
            return
        if not yes:
            click.confirm("Take this out for ever?", abort=True, err=True)
        gone = retention.purge(container.engine, before=before, now=now)
    click.echo(f"{sum(gone.values()):,} rows were taken out.")


def _show(found: Mapping[str, int], days: int) -> None:
    click.echo(f"Older than {days} days:")
    for name, count in found.items():
        click.echo(f"  {count:>10,}  {name}")
