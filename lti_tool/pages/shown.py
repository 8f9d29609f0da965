"""How facts are worded on pages: moments, numbers, statuses."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_time
from flask import Flask, g

from lti_tool.guards import Capacity
from lti_tool.languages import ENGLISH, locale, words
from lti_tool.launch.services import services
from mapping.records import EvidenceKind
from mapping.rules.mastery_rule import MasteryRule
from mapping.scales import display
from mapping.status import LADDER, NO_LEVEL, OverrideState, Status, label_in
from mapping.wording import marked
from store.sync_state import ItemState, Phase

_SHORT = {
    Status.NO_EVIDENCE: marked("No evidence"),
    Status.INSUFFICIENT: marked("More needed"),
    Status.RECHECK_DUE: marked("Re-check due"),
}
_KINDS = {
    EvidenceKind.RECALL: marked("recall"),
    EvidenceKind.SKILL: marked("skill"),
    EvidenceKind.APPLICATION: marked("application"),
    EvidenceKind.OBSERVATION: marked("observation"),
    EvidenceKind.SELF: marked("self"),
    EvidenceKind.EXTERNAL: marked("external"),
}
_STEPS = {
    Phase.PLAN: "find courses",
    Phase.PULL: "read",
    Phase.COMPUTE: "work out mastery",
    Phase.PUSH: "write back",
    Phase.DONE: "done",
}
_SUBJECTS = {
    Phase.PLAN: "The courses of one LMS",
    Phase.COMPUTE: "A share of the learners",
}
_STATES = {
    ItemState.PENDING: "○ waiting",
    ItemState.WORKING: "▸ under way",
    ItemState.DONE: "✓ done",
    ItemState.UNCHANGED: "✓ nothing happened in it",
    ItemState.SKIPPED: "▲ left out",
    ItemState.FAILED: "✕ failed",
}
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MINUTE, _HOUR = 60, 3600


def register(app: Flask) -> None:
    """Give the templates these words."""
    for word in (
        moment,
        clock,
        day,
        number,
        duration,
        code,
        step,
        step_named,
        subject,
        state,
        label,
        kind,
        estimated,
    ):
        app.add_template_filter(word)
    app.jinja_env.globals.update(
        Capacity=Capacity, LADDER=LADDER, OverrideState=OverrideState, Status=Status
    )


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
    named = "UTC" + zone if zone[0] in "+-" else zone
    return f"{_date(local)}, {_time(local)} {named}"


def clock(when: datetime) -> str:
    """A time of today, such as ``02:04``; a moment of another day in full."""
    local = _local(when)
    is_today = local.date() == _local(services().now()).date()
    return _time(local) if is_today else moment(when)


def day(when: datetime | None) -> str:
    """A date, such as ``21 Nov 2026``, or that there is none."""
    return words().say("no date") if when is None else _date(_local(when))


def _date(local: datetime) -> str:
    # English is spoken in every region, and this way of writing a day is clear in all of them.
    if locale() == ENGLISH:
        return f"{local.day} {local:%b %Y}"
    return format_date(local, "medium", locale())


def _time(local: datetime) -> str:
    return f"{local:%H:%M}" if locale() == ENGLISH else format_time(local, "short", locale=locale())


def number(value: float | None) -> str:
    """A number with up to two decimals, rounded as everywhere."""
    said = words()
    if value is None:
        return said.say("none")
    return said.figures(display(value).rstrip("0").rstrip("."))


def estimated(estimate: float, count: int) -> str:
    """An estimate and how much evidence it comes from, for one of many cells of a class."""
    return words().say(
        "Estimate {estimate}, evidence counted: {count}", estimate=number(estimate), count=count
    )


def label(name: str) -> str:
    """A status or level in the reader's language, a district's own as it is."""
    return label_in(words(), name)


def kind(name: EvidenceKind) -> str:
    """A kind of evidence in a word."""
    return words().say(_KINDS[name])


def short_status(status: Status, rule: MasteryRule | None = None, level: int = NO_LEVEL) -> str:
    """A status in as few words as a cell has room for, by the names of the rule's scale."""
    name = status.label if rule is None else rule.label(status, level)
    said = label(name)
    return words().say(_SHORT[status]) if status in _SHORT and said == words().one(name) else said


def duration(seconds: float) -> str:
    """How long something took, such as ``4 s``, ``1 min 49 s`` or ``2 h 5 min``."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def code(text: str) -> str:
    """A competency's code, empty where it is a GUID.

    Frameworks that give a competency no code are known by its identifier, which tells a person
    nothing.
    """
    return "" if _GUID.fullmatch(text) else text


def step(phase: Phase) -> str:
    """What a part of a run does."""
    return _STEPS[phase]


def step_named(name: str) -> str:
    """What a part of a run does, by the step's own word."""
    return _STEPS[Phase(name)]


def subject(phase: Phase) -> str:
    """What a part of a run is about that is not about one course."""
    return _SUBJECTS.get(phase, "The district")


def state(item: ItemState) -> str:
    """How a part of a run ended, as a symbol and words."""
    return _STATES[item]


def shown_zone() -> ZoneInfo:
    """The time zone of this response."""
    zone: ZoneInfo = g.get("timezone") or ZoneInfo("UTC")
    return zone


def _local(when: datetime) -> datetime:
    return when.astimezone(shown_zone())
