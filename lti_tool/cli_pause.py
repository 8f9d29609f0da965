"""``waymark pause`` and ``waymark resume``: nothing leaves for the LMSs in between."""

import getpass

import click

from bootstrap.container import Container
from lti_tool.cli_context import container_of_today, district_option, tenant_of
from mapping.records import TenantId
from store import pauses, sync_state
from store.session import reading, writing
from store.tenants import Tenant, all_tenants
from workers import queue


@click.command()
@click.option("--reason", default="", help="Why, for everybody who wonders.")
@district_option
def pause(*, reason: str, district: str | None) -> None:
    """Let nothing leave for the LMSs, within five seconds, until "waymark resume".

    Of one district, or of all where none is named. What is under way waits.
    """
    with container_of_today() as container:
        for tenant in _chosen(container, district):
            with writing(container.engine) as connection:
                made = pauses.pause(
                    connection, tenant.id, by=_who(), reason=reason, now=container.now()
                )
            click.echo(f"{tenant.name}: {made}")
    click.echo("Nothing leaves for the LMSs until: waymark resume")


@click.command()
@district_option
def resume(*, district: str | None) -> None:
    """End a pause; what waited goes on at once.

    Of one district, or of all where none is named.
    """
    with container_of_today() as container:
        for tenant in _chosen(container, district):
            with writing(container.engine) as connection:
                was_paused = pauses.resume(connection, tenant.id, by=_who(), now=container.now())
            queue.go_on(container, tenant.id)
            click.echo(f"{tenant.name}: {'goes on' if was_paused else 'was not paused'}.")


def require_going(container: Container, tenant: TenantId, *, is_dry: bool) -> None:
    """Make sure that a run begun now can do what it is begun for.

    Raises:
        ClickException: The district is paused, or another kind of run is under way.
    """
    with reading(container.engine) as connection:
        paused = pauses.pause_of(connection, tenant)
        unfinished = sync_state.unfinished_runs(connection, tenant)
    if paused is not None:
        raise click.ClickException(f"{paused} Nothing is run until: waymark resume")
    if any(run.is_dry is not is_dry for run in unfinished):
        kind = "writes to gradebooks" if is_dry else "is a dry run"
        raise click.ClickException(
            f"Run {unfinished[0].id} is under way and {kind}; try again when it has ended."
        )


def _chosen(container: Container, district: str | None) -> list[Tenant]:
    with reading(container.engine) as connection:
        known = all_tenants(connection)
    if district is None:
        return list(known)
    wanted = tenant_of(container, district)
    return [tenant for tenant in known if tenant.id == wanted]


def _who() -> str:
    """The account on this machine, which is all that a terminal says of a person."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "the command line"
