"""What every ``waymark`` command begins with: settings, a container, a district, a platform."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from bootstrap import logs
from bootstrap.container import Container, running
from bootstrap.settings import Settings, load_settings
from mapping.records import TenantId
from store import registrations, schema, tenants
from store.naming import Named
from store.registrations import Platform
from store.session import reading

_NARROWEST = 170
"""Columns of an output that is no terminal, so that key ids and addresses stay whole."""

district_option = click.option("--district", help="The district, where there is more than one.")
json_option = click.option("--json", "is_json", is_flag=True, help="Print one line of JSON.")


def settings() -> Settings:
    """The settings, with logging as they say."""
    loaded = load_settings()
    logs.configure(loaded)
    return loaded


@contextmanager
def opened_container() -> Iterator[Container]:
    """A container for the length of a command."""
    with running(settings()) as container:
        yield container


@contextmanager
def container_of_today() -> Iterator[Container]:
    """The same over a database with the present schema.

    Raises:
        ClickException: The database is not up to date.
    """  # noqa: DOC502 - raised by require_schema()
    with opened_container() as container:
        require_schema(container)
        yield container


def require_schema(container: Container) -> None:
    """Make sure that the database can be used.

    Raises:
        ClickException: It is not up to date.
    """
    if not schema.is_current(container.engine):
        raise click.ClickException("The database is not up to date; run: waymark migrate")


def tenant_of(container: Container, name: str | None) -> TenantId:
    """The district that a command is about.

    Args:
        container: Where to look.
        name: None for the only one.

    Returns:
        Its id.

    Raises:
        ClickException: There is none, there are several and none was named, or no such one.
    """
    require_schema(container)
    with reading(container.engine) as connection:
        known = {tenant.name: tenant.id for tenant in tenants.all_tenants(connection)}
    if not known:
        raise click.ClickException(
            "There is no district yet. Run waymark setup, which prints an address to set it up in "
            "the browser; or: waymark district load FILE"
        )
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name not in known:
        raise click.ClickException(f"Say which district: --district with one of {', '.join(known)}")
    return known[name]


def platform_named(container: Container, tenant: TenantId, name: str) -> Platform:
    """A district's platform by its name.

    Raises:
        ClickException: The district has none of this name.
    """
    with reading(container.engine) as connection:
        known = registrations.platforms(connection, tenant)
    found = next((one for one in known if one.name == name), None)
    if found is None:
        names = ", ".join(f'"{one.name}"' for one in known) or "none yet"
        raise click.ClickException(f'There is no platform "{name}"; there is {names}.')
    return found


def the_one_called(found: Sequence[Named], called: str, what: str) -> Named:
    """The only thing of a name.

    Args:
        found: What has the name.
        called: The name.
        what: What kind of thing it is.

    Returns:
        The one.

    Raises:
        ClickException: There is none, or several.
    """
    if len(found) == 1:
        return found[0]
    if not found:
        raise click.ClickException(f'There is no {what} "{called}".')
    lines = ", ".join(f"{one.id} ({printable(one.name)})" for one in found)
    raise click.ClickException(f'Several are called "{called}". Name one by number: {lines}')


def zone_of(connection: Connection, tenant: TenantId) -> ZoneInfo:
    """A district's time zone, whose days the command line speaks of."""
    known = {one.id: one.timezone for one in tenants.all_tenants(connection)}
    return ZoneInfo(known[tenant])


def day_typed(text: str, zone: ZoneInfo) -> datetime:
    """The beginning of a day in a district.

    Raises:
        BadParameter: It is no day.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no day; write 2027-01-31.") from error
    return datetime.combine(day, time.min, zone)


def end_of_day(text: str, zone: ZoneInfo) -> datetime | None:
    """The last moment of a day in a district, None where none is named."""
    if not text:
        return None
    return (day_typed(text, zone) + timedelta(days=1)).astimezone(UTC) - timedelta(microseconds=1)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their columns.

    Args:
        columns: The titles.
        rows: One cell for each column. What an LMS says of itself may stand in them: no sign
            of it moves the cursor or colours the terminal.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, _NARROWEST))
    table = Table()
    for title in columns:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console.print(table)


def print_json(value: object) -> None:
    """Print one line of JSON."""
    click.echo(json.dumps(value, ensure_ascii=False))


def printable(text: str) -> str:
    """A text of somebody else without signs that would do something to a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
