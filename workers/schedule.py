"""When a night begins, what comes next in it, and when it is over."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from mapping.records import CourseId, RunId, TenantId
from store import (
    courses,
    mapping_publishing,
    merging,
    past_runs,
    pauses,
    refreshes,
    registrations,
    rules,
    statistics,
    sync_state,
    waiting,
)
from store.session import lock, reading, writing
from store.sync_state import Phase, Run
from store.tenants import all_tenants
from workers import pushes, run_end

NIGHTLY = "nightly"
BY_HAND = "by hand"
REFRESH = "refresh"
"""Courses read out of turn: no planning, else as a night."""
_LEARNERS_PER_PART = 5_000
_PARTS = ((600, 1), (_LEARNERS_PER_PART, 2), (4 * _LEARNERS_PER_PART, 4))
"""Up to so many learners, so many parts: each has to know of rules and mapping."""
_MOST_PARTS = 8
"""What is the same for all learners is loaded for each part anew, and is more in a large district.
"""
_ORDER = tuple(Phase)


def begin_run(
    engine: Engine,
    tenant: TenantId,
    *,
    cause: str,
    is_full: bool,
    now: datetime,
    is_dry: bool = False,
) -> RunId:
    """Begin a run, or take up the one that has not ended.

    Args:
        engine: The database.
        tenant: Whose night.
        cause: NIGHTLY or BY_HAND.
        is_full: Read everything, whatever the cursors say.
        now: When.
        is_dry: Write to no gradebook.

    Returns:
        The run to see through.
    """
    with writing(engine) as connection:
        lock(connection, "tenant", tenant)
        unfinished = sync_state.unfinished_runs(connection, tenant)
        if unfinished:
            return unfinished[0].id
        run = sync_state.start_run(
            connection, tenant, cause=cause, is_full=is_full, is_dry=is_dry, now=now
        )
        if not is_dry:
            mapping_publishing.publish_due(connection, tenant, now=now)
        _plan(connection, tenant, run)
        return run


def begin_due_night(
    engine: Engine, tenant: TenantId, *, at: time, zone: ZoneInfo, now: datetime
) -> RunId | None:
    """Begin the night if its local time has come and nobody has begun it yet.

    However many schedulers ask, one of them begins it; a night that was missed, since none
    asked in time or the district was paused, is begun once by the next that does.

    Returns:
        The run, or None where nothing is due.
    """
    with writing(engine) as connection:
        lock(connection, "tenant", tenant)
        last = sync_state.last_started(connection, tenant, NIGHTLY)
        if last is not None and last >= last_due(at, zone, now):
            return None
        if not _may_begin(connection, tenant):
            return None
        run = sync_state.start_run(connection, tenant, cause=NIGHTLY, is_full=False, now=now)
        mapping_publishing.publish_due(connection, tenant, now=now)
        _plan(connection, tenant, run)
        return run


def begin_refresh(engine: Engine, tenant: TenantId, *, now: datetime) -> RunId | None:
    """Begin reading the courses that were asked for out of turn, once nothing is in the way.

    What a run read after it was asked for needs no other reading.

    Returns:
        The run, or None where nothing is to be read now.
    """
    with writing(engine) as connection:
        lock(connection, "tenant", tenant)
        asked = refreshes.requested(connection, tenant)
        if not asked or not _may_begin(connection, tenant):
            return None
        refreshes.take_up(connection, [one.course for one in asked])
        wanted = [
            one.course
            for one in asked
            if not past_runs.was_read_since(connection, one.course, one.requested_at)
        ]
        readable = _readable(connection, tenant, wanted)
        if not readable:
            return None
        run = sync_state.start_run(
            connection, tenant, cause=REFRESH, is_full=False, now=now, phase=Phase.PULL
        )
        sync_state.add_items(connection, run, Phase.PULL, places=[(one, 0) for one in readable])
        return run


def last_due(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The newest moment, at or before now, at which a night was to begin."""
    today = now.astimezone(zone).date()
    # Compared in UTC: two moments of one zone are compared by their wall clocks alone, which
    # says nothing in the hour that a clock change leaves out or repeats.
    moments = (
        datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
        for day in (today, today - timedelta(days=1))
    )
    return next(moment for moment in moments if moment <= now)


def advance(engine: Engine, run_id: RunId, *, now: datetime) -> Phase:
    """Bring a run into its next phase if the present one is done.

    Safe to be called by anybody at any time: one caller at a time, and only a phase without
    unfinished work is left.

    Returns:
        The phase the run is in.
    """
    with writing(engine) as connection:
        run = sync_state.hold_run(connection, run_id)
        phase = run.phase
        while phase is not Phase.DONE and not sync_state.has_unfinished_items(
            connection, run_id, phase
        ):
            phase = _ORDER[_ORDER.index(phase) + 1]
            sync_state.enter_phase(connection, run_id, phase, now=now)
            _add_work(connection, run, phase, now=now)
        if phase is Phase.DONE and run.phase is not Phase.DONE:
            run_end.see_to_end(connection, run, now=now)
        return phase


def _may_begin(connection: Connection, tenant: TenantId) -> bool:
    is_paused = pauses.pause_of(connection, tenant) is not None
    return not is_paused and not sync_state.unfinished_runs(connection, tenant)


def _plan(connection: Connection, tenant: TenantId, run: RunId) -> None:
    platforms = [p.id for p in registrations.platforms(connection, tenant) if p.is_active]
    sync_state.add_items(connection, run, Phase.PLAN, places=[(None, p) for p in platforms])


def _readable(
    connection: Connection, tenant: TenantId, wanted: Sequence[CourseId]
) -> list[CourseId]:
    """Those whose LMS is asked at all."""
    active = {p.id for p in registrations.platforms(connection, tenant) if p.is_active}
    found = (courses.course(connection, one) for one in wanted)
    return [one.id for one in found if one.platform in active and one.gone_at is None]


def _add_work(connection: Connection, run: Run, phase: Phase, *, now: datetime) -> None:
    """What a phase has to do; planning has put down the reading already."""
    if phase in (Phase.COMPUTE, Phase.PUSH):
        statistics.look_again(connection)
    if phase is Phase.COMPUTE:
        # Reading is over: nobody holds a course whose rows follow somebody's account.
        merging.follow_everywhere(connection, run.tenant, now=now)
        _put_down_what_time_changed(connection, run, now=now)
        count = waiting.count_waiting(connection, run.tenant)
        sync_state.add_items(
            connection, run.id, phase, places=[(None, part) for part in range(_parts(count))]
        )
    elif phase is Phase.PUSH:
        pushes.add_pushes(connection, run, now=now)


def _parts(learners: int) -> int:
    """Into how many parts computing is shared out."""
    if learners == 0:
        return 0
    enough = (parts for most, parts in _PARTS if learners <= most)
    return next(enough, min(-(-learners // _LEARNERS_PER_PART), _MOST_PARTS))


def _put_down_what_time_changed(connection: Connection, run: Run, *, now: datetime) -> None:
    """Re-checks fall due and rules begin to hold without anybody doing anything."""
    waiting.mark_due(connection, run.tenant, now=now)
    since = past_runs.started_before(connection, run)
    if since is not None:
        rules.mark_begun(connection, run.tenant, since=since, now=now)


def tenants(engine: Engine) -> tuple[tuple[TenantId, ZoneInfo], ...]:
    """Every tenant with its time zone."""
    with reading(engine) as connection:
        return tuple((tenant.id, ZoneInfo(tenant.timezone)) for tenant in all_tenants(connection))
