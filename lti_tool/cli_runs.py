"""``waymark runs``: what the nights did, and watching the one under way."""

import sys
from typing import Any

import click
from rich.console import Console

from bootstrap.container import Container
from lti_tool import console as terminal
from lti_tool.cli_context import (
    container_of_today,
    district_option,
    json_option,
    print_json,
    print_table,
    tenant_of,
    zone_of,
)
from mapping.records import RunId, TenantId
from store import past_runs, run_reports
from store.run_reports import RunLine
from store.session import reading


@click.group(invoke_without_command=True)
@json_option
@district_option
@click.pass_context
def runs(context: click.Context, *, is_json: bool, district: str | None) -> None:
    """Show the newest runs, two months of nights."""
    if context.invoked_subcommand is not None:
        return
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            lines = run_reports.run_lines(connection, tenant)
            zone = zone_of(connection, tenant)
    if is_json:
        print_json([_as_dict(one) for one in lines])
        return
    columns = ("run", "began", "cause", "state", "courses", "scores", "changed", "pushed")
    print_table(
        (*columns, "refused", "failed", "alarms", "calls", "least quota", "seconds"),
        [
            (f"{one.id}", f"{one.started_at.astimezone(zone):%Y-%m-%d %H:%M}", *_cells(one))
            for one in lines
        ],
    )


@runs.command("show")
@click.argument("run_id", type=int)
@json_option
@district_option
def show(*, run_id: int, is_json: bool, district: str | None) -> None:
    """Show one run: what it did, what failed, what to look at."""
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        _require(container, tenant, RunId(run_id))
        result = terminal.report(container, RunId(run_id))
    if is_json:
        terminal.show_json(result, Console())
    else:
        terminal.show(result, Console())


@runs.command("watch")
@district_option
def watch(*, district: str | None) -> None:
    """Follow the run under way to its end; ends at once where none is."""
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            newest = past_runs.newest_of_all(connection, tenant)
        if newest is None or newest.finished_at is not None:
            click.echo("No run is under way; waymark runs shows those that were.")
            return
        result = terminal.follow(container, newest.id, console=Console(), beat=lambda: None)
        terminal.show(result, Console())
    sys.exit(1 if result.has_failures else 0)


def _require(container: Container, tenant: TenantId, run: RunId) -> None:
    with reading(container.engine) as connection:
        found = run_reports.run_lines(connection, tenant, run=run)
    if not found:
        raise click.ClickException(f"There is no run {run}; waymark runs shows which there are.")


def _cells(line: RunLine) -> tuple[str, ...]:
    counts = line.counts
    state = "over" if line.finished_at is not None else f"in step {line.phase.value}"
    return (
        line.cause + (", full" if line.is_full else "") + (", dry" if line.is_dry else ""),
        state,
        f"{counts.courses:,}",
        f"{counts.scores_pulled:,}",
        f"{counts.scores_new + counts.scores_changed:,}",
        f"{counts.pushed:,}",
        f"{counts.refused:,}",
        f"{line.failed:,}",
        f"{line.alarms:,}",
        f"{counts.api_calls:,}",
        "" if counts.quota is None else f"{counts.quota:,.0f}",
        f"{counts.seconds:,.0f}",
    )


def _as_dict(line: RunLine) -> dict[str, Any]:
    return {
        "run": line.id,
        "cause": line.cause,
        "is_full": line.is_full,
        "is_dry": line.is_dry,
        "phase": line.phase.value,
        "started_at": line.started_at.isoformat(),
        "finished_at": None if line.finished_at is None else line.finished_at.isoformat(),
        "left_out": line.skipped,
        "failed": line.failed,
        "alarms": line.alarms,
        **run_reports.as_dict(line.counts),
    }
