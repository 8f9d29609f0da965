"""When runs before the present one began, and when standings were last brought up to date."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from mapping.records import RunId, TenantId
from store.sync_state import ItemState, Phase, Run
from store.sync_state import run as one_run
from store.tables import runs, work_items


def started_before(connection: Connection, run: Run) -> datetime | None:
    """When the run before a run of its tenant began."""
    return connection.execute(
        select(runs.c.started_at)
        .where(runs.c.tenant_id == run.tenant, runs.c.id < run.id)
        .order_by(runs.c.id.desc())
        .limit(1)
    ).scalar()


def newest_of_all(connection: Connection, tenant: TenantId) -> Run | None:
    """The newest run of a tenant, dry ones included; None where there is none."""
    found = connection.execute(select(func.max(runs.c.id)).where(runs.c.tenant_id == tenant))
    run = found.scalar()
    return None if run is None else one_run(connection, RunId(run))


def newest(connection: Connection, tenant: TenantId, *, cause: str | None = None) -> Run | None:
    """The newest run of a tenant that writes, of one cause or of any; None where there is none."""
    wanted = select(runs.c.id).where(runs.c.tenant_id == tenant, runs.c.is_dry.is_(False))
    if cause is not None:
        wanted = wanted.where(runs.c.cause == cause)
    found = connection.execute(wanted.order_by(runs.c.id.desc()).limit(1)).scalar()
    return None if found is None else one_run(connection, RunId(found))


def last_good_night(connection: Connection, tenant: TenantId) -> datetime | None:
    """When the newest run ended of which no part failed, None where there is none yet."""
    has_failed = (
        select(work_items.c.id)
        .where(work_items.c.run_id == runs.c.id, work_items.c.state == ItemState.FAILED.value)
        .correlate(runs)
        .exists()
    )
    return connection.execute(
        select(runs.c.finished_at)
        .where(
            runs.c.tenant_id == tenant,
            runs.c.is_dry.is_(False),
            runs.c.finished_at.is_not(None),
            ~has_failed,
        )
        .order_by(runs.c.id.desc())
        .limit(1)
    ).scalar()


def last_computed(connection: Connection, tenant: TenantId) -> datetime | None:
    """When standings of a tenant were last brought up to date, None for never."""
    return connection.execute(
        select(func.max(work_items.c.finished_at))
        .join(runs, runs.c.id == work_items.c.run_id)
        .where(
            runs.c.tenant_id == tenant,
            work_items.c.phase == Phase.COMPUTE.value,
            work_items.c.state == ItemState.DONE.value,
        )
    ).scalar()
