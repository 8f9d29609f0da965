"""The nights of five weeks as a calendar, and two runs beside one another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from sqlalchemy import Connection

from lti_tool.guards import NotThere
from lti_tool.launch.services import services
from lti_tool.pages.administrators import administrator
from lti_tool.pages.shown import shown_zone
from mapping.records import RunId, TenantId
from store.nights import COMPARED, Night, new_troubles, nights_since
from store.run_reports import RunLine, run_lines
from store.session import reading

blueprint = Blueprint("desk_calendar", __name__)

WEEKS = 5
_DAYS = 7
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of the calendar; ``night`` is the last that began on it, None for none."""

    date: date
    night: Night | None
    is_to_come: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One figure of two runs."""

    name: str
    before: int
    after: int

    @property
    def difference(self) -> str:
        """Such as ``+12``, and ``none``."""
        return f"{self.after - self.before:+,}" if self.after != self.before else "none"


def calendar(connection: Connection, tenant: TenantId) -> tuple[tuple[Day, ...], ...]:
    """The weeks up to today, the newest first; each begins on a Monday."""
    zone = shown_zone()
    today = services().now().astimezone(zone).date()
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    since = datetime.combine(first, time.min, zone)
    nights = nights_since(connection, tenant, since)
    return weeks_of(nights, first, today=today, zone=zone)[::-1]


def weeks_of(
    nights: Sequence[Night], first: date, *, today: date, zone: ZoneInfo
) -> tuple[tuple[Day, ...], ...]:
    """Whole weeks from a Monday on, each night on the day it began in a district.

    Args:
        nights: The oldest first; of several on a day the last is shown.
        first: A Monday.
        today: Days after it are to come.
        zone: The district's.
    """
    by_day = {one.started_at.astimezone(zone).date(): one for one in nights}
    days = [first + timedelta(days=number) for number in range(WEEKS * _DAYS)]
    shown = [Day(date=day, night=by_day.get(day), is_to_come=day > today) for day in days]
    return tuple(tuple(shown[at : at + _DAYS]) for at in range(0, len(shown), _DAYS))


@blueprint.get("/runs/compare")
def compare(launch_id: str) -> str:
    """What the second run did otherwise than the first.

    Raises:
        NotThere: The tenant has no such runs.
    """
    visit = administrator(launch_id)
    asked = [_run_asked(name) for name in ("before", "after")]
    with reading(services().engine) as connection:
        found = [run_lines(connection, visit.record.tenant, run=one) for one in asked]
        if not all(found):
            raise NotThere
        known = run_lines(connection, visit.record.tenant)
        changed = new_troubles(connection, before=asked[0], after=asked[1])
    before, after = (lines[0] for lines in found)
    return render_template(
        "desk/compare.html",
        visit=visit,
        before=before,
        after=after,
        known=known,
        figures=figures(before, after),
        changed=changed,
    )


def figures(before: RunLine, after: RunLine) -> tuple[Compared, ...]:
    """The counts of two runs beside one another."""
    return tuple(
        Compared(
            name=name.replace("_", " ").replace("api calls", "calls to LMSs").capitalize(),
            before=getattr(before.counts, name),
            after=getattr(after.counts, name),
        )
        for name in COMPARED
    )


def _run_asked(name: str) -> RunId:
    text = request.args.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise NotThere
    return RunId(int(text))
