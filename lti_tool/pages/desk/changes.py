"""The trail: who changed what, from what to what, when and why; searched and taken along."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from interchange.safe_csv import csv_lines
from lti_tool.launch.services import services
from lti_tool.pages.administrators import administrator
from lti_tool.pages.desk.differences import differences
from lti_tool.pages.shown import shown_zone
from mapping.records import TenantId
from store.policy_changes import PolicyKind, ToldChange
from store.session import reading
from store.trail import TrailWish, people_of_trail, trail, trail_length, whole_trail

blueprint = Blueprint("desk_changes", __name__)

PAGE = 100
"""Changes on one page."""
CSV_HEAD = ("when (UTC)", "what", "of", "before", "after", "by", "why")
_MOST_PAGES = 10_000
_MOST_TEXT = 200
_MOST_NAME = 255
_YEARS = range(1970, 3000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the form says; ``problems`` are by the fields that cannot be understood."""

    fields: dict[str, str]
    wish: TrailWish
    problems: dict[str, str]
    page: int


@blueprint.get("/changes")
def changes(launch_id: str) -> str:
    """A page of the changes that are asked for, the newest first."""
    visit = administrator(launch_id)
    asked, tenant = _asked(), visit.record.tenant
    with reading(services().engine) as connection:
        count = trail_length(connection, tenant, asked.wish)
        last = max(1, -(-count // PAGE))
        page = min(asked.page, last)
        found = trail(connection, tenant, asked.wish, most=PAGE, passed_over=(page - 1) * PAGE)
        people = people_of_trail(connection, tenant)
    return render_template(
        "desk/changes.html",
        visit=visit,
        asked=asked,
        count=count,
        page=page,
        last=last,
        found=[(one, place_of(one), _shown(one)) for one in found],
        people=people,
        kinds=tuple(PolicyKind),
        query=urlencode({name: text for name, text in asked.fields.items() if text}),
    )


@blueprint.get("/changes/export")
def export(launch_id: str) -> Response:
    """All changes that are asked for, as CSV."""
    visit = administrator(launch_id)
    asked = _asked()
    rows = _rows(visit.record.tenant, asked.wish)
    response = Response(csv_lines(CSV_HEAD, rows), mimetype="text/csv")
    named = f"waymark-changes-{services().now():%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{named}"'
    return response


def csv_row(one: ToldChange) -> tuple[str, ...]:
    """A change as cells of ``CSV_HEAD``."""
    change = one.change
    return (
        f"{change.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        change.kind.value.replace("_", " "),
        place_of(one),
        *(change.before, change.after, change.by, change.reason),
    )


def place_of(one: ToldChange) -> str:
    """What a change is about, by its name."""
    return one.change.subject or one.course or one.school or "the district"


def _rows(tenant: TenantId, wish: TrailWish) -> Iterator[tuple[str, ...]]:
    # The engine is had before the first row, while the request is still there.
    engine = services().engine

    def told() -> Iterator[tuple[str, ...]]:
        with reading(engine) as connection:
            yield from map(csv_row, whole_trail(connection, tenant, wish))

    return told()


def _shown(one: ToldChange) -> tuple[tuple[str, str, str], ...]:
    """The parts that changed; words of ours without their underscores."""
    change = one.change
    return tuple(
        (part.part, _words(part.before, change.kind), _words(part.after, change.kind))
        for part in differences(change.before, change.after)
    )


def _words(text: str, kind: PolicyKind) -> str:
    return text.replace("_", " ") if kind in {PolicyKind.MODE, PolicyKind.WAY} else text


def _asked() -> Asked:
    fields = {name: request.args.get(name, "") for name in ("kind", "by", "text", "since", "until")}
    kinds = {one.value: one for one in PolicyKind}
    problems: dict[str, str] = {}
    since, until = (_day(fields, name, problems) for name in ("since", "until"))
    page = request.args.get("page", "1")
    return Asked(
        fields=fields,
        wish=TrailWish(
            kind=kinds.get(fields["kind"]),
            by=fields["by"][:_MOST_NAME],
            text=fields["text"][:_MOST_TEXT],
            since=since,
            # The day that is named is meant whole.
            until=until and until + timedelta(days=1),
        ),
        problems=problems,
        page=min(int(page), _MOST_PAGES) if _is_number(page) else 1,
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST_PAGES)) and text > "0"


def _day(fields: dict[str, str], name: str, problems: dict[str, str]) -> datetime | None:
    if not fields[name]:
        return None
    with suppress(ValueError):
        day = date.fromisoformat(fields[name])
        if day.year in _YEARS:
            return datetime.combine(day, time.min, shown_zone())
    problems[name] = "This is no day of the trail. Write it as 2026-11-20."
    return None
