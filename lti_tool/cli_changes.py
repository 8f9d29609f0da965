"""``waymark changes``: who changed what, searched, and taken along as CSV."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from interchange.safe_csv import csv_lines
from lti_tool.cli_context import (
    container_of_today,
    day_typed,
    district_option,
    end_of_day,
    json_option,
    print_json,
    print_table,
    tenant_of,
    zone_of,
)
from lti_tool.pages.desk.changes import CSV_HEAD, csv_row, place_of
from store.policy_changes import PolicyKind, ToldChange
from store.session import reading
from store.trail import TrailWish, trail, whole_trail

_MOST = 100
_KINDS = tuple(one.value for one in PolicyKind)


@click.command()
@click.option("--kind", type=click.Choice(_KINDS), help="Only changes of this kind.")
@click.option("--by", default="", help="Only by this person or command, named exactly.")
@click.option("--text", default="", help="Only where these characters stand.")
@click.option("--since", default="", help="From this day on, such as 2027-01-31.")
@click.option("--until", default="", help="Up to this day, which is meant whole.")
@click.option("--csv", "is_csv", is_flag=True, help="Print all of them as CSV.")
@json_option
@district_option
def changes(*, is_csv: bool, is_json: bool, district: str | None, **asked: str | None) -> None:
    """Show who changed modes, ways, first yeses, frameworks, mappings and rules.

    The newest hundred; --csv and --json print all.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            wish = _wish(asked, zone_of(connection, tenant))
            if is_csv or is_json:
                found = tuple(whole_trail(connection, tenant, wish))
            else:
                found = trail(connection, tenant, wish, most=_MOST)
    if is_csv:
        for line in csv_lines(CSV_HEAD, map(csv_row, found)):
            click.echo(line, nl=False)
    elif is_json:
        print_json([_as_dict(one) for one in found])
    else:
        print_table(CSV_HEAD, [csv_row(one) for one in found])


def _wish(asked: dict[str, str | None], zone: ZoneInfo) -> TrailWish:
    return TrailWish(
        kind=PolicyKind(asked["kind"]) if asked["kind"] else None,
        by=asked["by"] or "",
        text=asked["text"] or "",
        since=_since(asked["since"] or "", zone),
        until=end_of_day(asked["until"] or "", zone),
    )


def _since(text: str, zone: ZoneInfo) -> datetime | None:
    return day_typed(text, zone) if text else None


def _as_dict(one: ToldChange) -> dict[str, Any]:
    change = one.change
    return {
        "at": change.at.isoformat(),
        "kind": change.kind.value,
        "of": place_of(one),
        "before": change.before,
        "after": change.after,
        "by": change.by,
        "reason": change.reason,
    }
