"""``waymark replay``: whether the statuses are what everything that was recorded gives."""

import sys

import click
from sqlalchemy import Connection

from lti_tool.cli_context import (
    container_of_today,
    district_option,
    end_of_day,
    print_table,
    tenant_of,
    zone_of,
)
from mapping.records import TenantId
from store import frameworks
from store.reports import learner_line
from store.session import reading
from store.standings import Place, Standing
from workers.replay import Replayed
from workers.replay import replay as replayed

_MOST_SHOWN = 50


@click.command()
@click.option("--at", "day", default="", help="At the end of which day; else after the last run.")
@district_option
def replay(*, day: str, district: str | None) -> None:
    """Work out every status anew from what was recorded, and compare with what is stored.

    Nothing is changed. Ends with 1 where something is not the same.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            moment = end_of_day(day, zone_of(connection, tenant))
        found = replayed(container.engine, tenant, moment=moment)
        if found.moment is None:
            click.echo("No run has computed anything yet, so there is nothing to compare.")
            return
        with reading(container.engine) as connection:
            lines = _lines(connection, tenant, found)
    click.echo(
        f"{found.standings:,} standings as of {found.moment:%Y-%m-%d %H:%M} UTC: "
        f"{len(found.differences):,} differ."
    )
    if lines:
        print_table(("learner", "competency", "view", "stored", "replayed"), lines)
        click.echo(
            "Something that is not kept by date changed meanwhile (an activity, a person, a "
            "framework), or these are a fault of Waymark. A full run computes them anew: waymark "
            "sync --full"
        )
        sys.exit(1)


def _lines(
    connection: Connection, tenant: TenantId, found: Replayed
) -> list[tuple[str, str, str, str, str]]:
    codes = {one.id: one.code for one in frameworks.competencies_of(connection, tenant)}
    shown = list(found.differences.items())[:_MOST_SHOWN]
    return [
        (
            _name(connection, tenant, place),
            codes.get(place[1], str(place[1])),
            place[2].name.lower(),
            _told(kept),
            _told(anew),
        )
        for place, (kept, anew) in shown
    ]


def _name(connection: Connection, tenant: TenantId, place: Place) -> str:
    line = learner_line(connection, tenant, place[0])
    return str(place[0]) if line is None else line.name


def _told(standing: Standing) -> str:
    estimate = "no estimate" if standing.estimate is None else f"{standing.estimate:.4f}"
    return f"{standing.status.label}, {estimate}, {standing.evidence_count} counted"
