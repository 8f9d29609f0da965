"""Nights that are not over when schools open, or that never began."""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from mapping.alarms import Alarm, AlarmKind
from mapping.records import RunId, TenantId
from store import alarms, notices, past_runs, run_progress
from store.notice_targets import NoticeKind
from store.notices import Message
from store.session import lock, reading, writing
from store.sync_state import Run
from workers.run_end import NIGHTLY, district_name
from workers.schedule import last_due


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When a night begins and by when it is to be over, by the clocks of a zone."""

    sync_at: time
    late_at: time
    zone: ZoneInfo


def see_to_late_night(engine: Engine, tenant: TenantId, hours: Hours, *, now: datetime) -> bool:
    """Tell, once, of a night that is late.

    A district that never had a run is not late: its first night is still to come.

    Args:
        engine: The database.
        tenant: Whose night.
        hours: When it is late.
        now: When.

    Returns:
        Whether it was told now.
    """
    with reading(engine) as connection:
        found = _late(connection, tenant, hours, now=now)
    if found is None:
        return False
    with writing(engine) as connection:
        lock(connection, "tenant", tenant)
        run, alarm = found
        if not alarms.keep_alarms(connection, run, [alarm], now=now):
            return False
        message = Message(
            kind=NoticeKind.NIGHT_LATE,
            subject=f"{district_name(connection, tenant)}: the night is late",
            body=alarm.message,
        )
        notices.tell(connection, tenant, message, run=run, now=now)
    return True


def _late(
    connection: Connection, tenant: TenantId, hours: Hours, *, now: datetime
) -> tuple[RunId, Alarm] | None:
    """The alarm there is to raise, and of which run."""
    began, limit = (
        last_due(hours.sync_at, hours.zone, now),
        last_due(hours.late_at, hours.zone, now),
    )
    newest = past_runs.newest(connection, tenant)
    if newest is None or limit < began:
        # It is between the beginning and the hour by which it is to be over.
        return None
    night = past_runs.newest(connection, tenant, cause=NIGHTLY)
    if night is not None and night.started_at >= began:
        return _not_over(connection, night, hours, now=now)
    if night is None:
        # Whoever runs nights by hand alone waits for none.
        return None
    return newest.id, Alarm(
        kind=AlarmKind.NOT_BEGUN,
        message=(
            f"The night of {_local(began, hours)} did not begin{_why(newest)}. See that waymark "
            "cron runs: waymark doctor says so."
        ),
    )


def _not_over(
    connection: Connection, night: Run, hours: Hours, *, now: datetime
) -> tuple[RunId, Alarm] | None:
    if night.finished_at is not None:
        return None
    live = run_progress.live_run(connection, night.tenant, night.id, now=now)
    assert live is not None  # noqa: S101 - the run was read in this transaction
    return night.id, Alarm(
        kind=AlarmKind.NIGHT_LATE,
        message=(
            f"The night that began at {_local(night.started_at, hours)} is not over at "
            f"{hours.late_at.isoformat('minutes')}: step {live.phase.value}, {live.finished:,} of "
            f"{live.total:,} parts done. It goes on; statuses may be those of the day before. "
            "waymark runs watch shows it, waymark doctor what holds it up."
        ),
    )


def _why(newest: Run) -> str:
    if newest.finished_at is None:
        return f", for run {newest.id} has not ended"
    return ""


def _local(moment: datetime, hours: Hours) -> str:
    return f"{moment.astimezone(hours.zone):%Y-%m-%d %H:%M}"
