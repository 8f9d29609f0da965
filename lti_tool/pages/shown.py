"""How facts are worded on pages: moments, numbers, statuses."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, g

from lti_tool.guards import Capacity
from mapping.scales import display
from mapping.status import Status

_STEADY = {Status.NO_EVIDENCE: "None", Status.INSUFFICIENT: "More needed"}


def register(app: Flask) -> None:
    """Give the templates these words."""
    app.add_template_filter(moment)
    app.add_template_filter(day)
    app.add_template_filter(number)
    app.add_template_filter(short_status)
    app.jinja_env.globals.update(Capacity=Capacity, Status=Status)


def use_timezone(name: str) -> None:
    """Show moments of this response in a tenant's time zone, UTC where it is unknown."""
    try:
        g.timezone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        g.timezone = ZoneInfo("UTC")


def moment(when: datetime) -> str:
    """A moment, such as ``21 Nov 2026, 02:04 UTC``."""
    local = _local(when)
    zone = f"{local:%Z}"
    # Zones without a name of their own call themselves by their offset, such as -03.
    return f"{local.day} {local:%b %Y, %H:%M} {'UTC' + zone if zone[0] in '+-' else zone}"


def day(when: datetime | None) -> str:
    """A date, such as ``21 Nov 2026``, or that there is none."""
    if when is None:
        return "no date"
    local = _local(when)
    return f"{local.day} {local:%b %Y}"


def number(value: float | None) -> str:
    """A number with up to two decimals, rounded as everywhere."""
    if value is None:
        return "none"
    shown = display(value)
    return shown.rstrip("0").rstrip(".")


def short_status(status: Status) -> str:
    """A status in as few words as a cell has room for."""
    return _STEADY.get(status, status.label)


def _local(when: datetime) -> datetime:
    zone: ZoneInfo = g.get("timezone") or ZoneInfo("UTC")
    return when.astimezone(zone)
