"""The pause switch: while it is set, nothing leaves for a district's LMSs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from mapping.records import TenantId
from store import notices
from store.notice_targets import NoticeKind
from store.notices import Message
from store.policy_changes import PolicyChange, PolicyKind, record_change
from store.tables import tenants

PAUSED = "paused"
"""The cause of items that wait for the end of a pause."""
_RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Who paused a district, since when and why; ``reason`` is empty where none was given."""

    by: str
    since: datetime
    reason: str = ""

    def __str__(self) -> str:
        """One sentence for a person."""
        why = f": {self.reason}" if self.reason else ""
        return f"Paused by {self.by} since {self.since:%Y-%m-%d %H:%M} UTC{why}."


def pause_of(connection: Connection, tenant: TenantId) -> Pause | None:
    """The pause that a tenant is in, None where it is in none."""
    row = connection.execute(
        select(tenants.c.paused_at, tenants.c.paused_by, tenants.c.pause_reason).where(
            tenants.c.id == tenant
        )
    ).first()
    if row is None or row.paused_at is None:
        return None
    return Pause(by=row.paused_by, since=row.paused_at, reason=row.pause_reason)


def pause(
    connection: Connection, tenant: TenantId, *, by: str, reason: str = "", now: datetime
) -> Pause:
    """Pause a tenant; one that is paused stays so as it was.

    Args:
        connection: A writing transaction.
        tenant: Which.
        by: Who, by name or by command.
        reason: Why, for everybody who wonders.
        now: When.

    Returns:
        The pause it is in.
    """
    if (before := pause_of(connection, tenant)) is not None:
        return before
    made = Pause(by=by, since=now, reason=reason)
    _set(connection, tenant, made)
    _record(connection, tenant, made, steps=(_RUNNING, PAUSED))
    message = Message(
        kind=NoticeKind.PAUSED,
        subject="nothing is read or written: a district is paused",
        body=f"{made} To end it: waymark resume",
    )
    notices.tell(connection, tenant, message, now=now)
    return made


def resume(connection: Connection, tenant: TenantId, *, by: str, now: datetime) -> bool:
    """End a tenant's pause.

    Returns:
        Whether it was in one.
    """
    if pause_of(connection, tenant) is None:
        return False
    _set(connection, tenant, None)
    _record(connection, tenant, Pause(by=by, since=now), steps=(PAUSED, _RUNNING))
    return True


def _set(connection: Connection, tenant: TenantId, now_in: Pause | None) -> None:
    connection.execute(
        update(tenants)
        .where(tenants.c.id == tenant)
        .values(
            paused_at=None if now_in is None else now_in.since,
            paused_by="" if now_in is None else now_in.by,
            pause_reason="" if now_in is None else now_in.reason,
        )
    )


def _record(
    connection: Connection, tenant: TenantId, what: Pause, *, steps: tuple[str, str]
) -> None:
    change = PolicyChange(
        kind=PolicyKind.PAUSE,
        before=steps[0],
        after=steps[1],
        by=what.by,
        reason=what.reason,
        at=what.since,
    )
    record_change(connection, tenant, change)
