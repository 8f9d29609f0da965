"""When runs before the present one began, and when standings were last brought up to date."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from mapping.records import TenantId
from store.sync_state import ItemState, Phase, Run
from store.tables import runs, work_items


def started_before(connection: Connection, run: Run) -> datetime | None:
    """When the run before a run of its tenant began."""
    return connection.execute(
        select(runs.c.started_at)
        .where(runs.c.tenant_id == run.tenant, runs.c.id < run.id)
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
