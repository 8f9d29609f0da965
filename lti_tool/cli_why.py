"""``waymark why``: why somebody stands where they stand, now or on any day."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Connection

from lti_tool.cli_context import (
    container_of_today,
    district_option,
    end_of_day,
    printable,
    tenant_of,
    the_one_called,
    zone_of,
)
from lti_tool.told import Names, told
from mapping.evidence.tables import View
from mapping.explanation.trace import trace
from mapping.explanation.voice import Voice, plain_day
from mapping.judgement.grounds import Grounds
from mapping.records import LearnerId, TenantId
from store import frameworks, history, naming, reports
from store.grounds import grounds_of, policy_of
from store.naming import Thing
from store.session import reading

_TODAY, _THEN = "today", "then"
_VIEWS = tuple(view.name.lower() for view in View)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Of which moment it is asked: ``at`` is None for now; ``is_todays`` are its rules."""

    now: datetime
    at: datetime | None
    is_todays: bool


@click.command()
@click.argument("learner")
@click.argument("competency")
@click.option("--at", "day", default="", help="At the end of which day; else now.")
@click.option(
    "--rules",
    type=click.Choice((_THEN, _TODAY)),
    default=_THEN,
    help="By the rules of that day, or by those of today.",
)
@click.option("--view", type=click.Choice(_VIEWS), default="teacher", help="Whose eyes it is for.")
@district_option
def why(*, learner: str, competency: str, day: str, district: str | None, **how: str) -> None:
    """Explain the status of a LEARNER in a COMPETENCY, with everything it is made of.

    LEARNER is a number, SIS id or name; COMPETENCY a number, code or identifier.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            whose = the_one_called(
                naming.called(connection, tenant, Thing.LEARNER, name=learner), learner, "learner"
            )
            what = the_one_called(
                naming.called(connection, tenant, Thing.COMPETENCY, name=competency),
                competency,
                "competency",
            )
            zone = zone_of(connection, tenant)
            asked = _Asked(
                now=container.now(), at=end_of_day(day, zone), is_todays=how["rules"] == _TODAY
            )
            grounds = _grounds(connection, tenant, LearnerId(whose.id), asked=asked)
            names = _names(connection, tenant, LearnerId(whose.id))
    found = trace(
        grounds,
        learner=whose.id,
        competency=what.id,
        view=View[how["view"].upper()],
        voice=_voice(zone, names),
    )
    click.echo(f"{printable(whose.name)}, {printable(what.name)}")
    for line in told(found, names, zone=zone):
        click.echo(printable(line))


def _grounds(
    connection: Connection, tenant: TenantId, learner: LearnerId, *, asked: _Asked
) -> Grounds:
    if asked.at is None or asked.at >= asked.now:
        return grounds_of(connection, policy_of(connection, tenant, now=asked.now), [learner])
    rules_at = asked.now if asked.is_todays else None
    return history.grounds_at(connection, tenant, [learner], moment=asked.at, rules_at=rules_at)


def _names(connection: Connection, tenant: TenantId, learner: LearnerId) -> Names:
    return Names(
        items=reports.item_lines(connection, tenant, learner),
        competencies={
            one.id: f"{one.code} {one.indicator or one.statement}"
            for one in frameworks.competencies_of(connection, tenant)
        },
    )


def _voice(zone: ZoneInfo, names: Names) -> Voice:
    return Voice(day=lambda moment: plain_day(moment.astimezone(zone)), activity=names.activity)
