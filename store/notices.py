"""Messages to those who look after a district: put down with their cause, sent later, once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from mapping.records import RunId, TenantId
from store.notice_targets import NoticeKind, Target, target_of, targets_of
from store.tables import notice_targets, notices, tenants

SENDING = timedelta(minutes=5)
"""How long a message may be under way before somebody else sends it."""
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360))
"""After each failed try; after the last one it is given up."""


class NoticeState(Enum):
    """Where a message is."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is told."""

    kind: NoticeKind
    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message to one target. ``district`` is the tenant's name."""

    id: int
    target: Target
    district: str
    run: RunId | None
    message: Message
    attempts: int
    created_at: datetime


def tell(
    connection: Connection,
    tenant: TenantId,
    message: Message,
    *,
    run: RunId | None = None,
    now: datetime,
) -> int:
    """Put a message down for everybody who wants its kind, in the transaction of its cause.

    Of a run each target is told once of each kind.

    Returns:
        To how many it goes.
    """
    wanting = [one for one in targets_of(connection, tenant) if message.kind in one.kinds]
    told = _told(connection, run, message.kind)
    rows = [
        {
            "target_id": target.id,
            "run_id": run,
            "kind": message.kind.value,
            "subject": message.subject[:255],
            "body": message.body,
            "state": NoticeState.PENDING.value,
            "attempts": 0,
            "created_at": now,
        }
        for target in wanting
        if target.id not in told
    ]
    if rows:
        connection.execute(insert(notices), rows)
    return len(rows)


def tell_one(connection: Connection, target: Target, message: Message, *, now: datetime) -> int:
    """Put a message down for one target, whatever it wants to be told of; its number."""
    key = connection.execute(
        insert(notices).values(
            target_id=target.id,
            kind=message.kind.value,
            subject=message.subject[:255],
            body=message.body,
            state=NoticeState.PENDING.value,
            attempts=0,
            created_at=now,
        )
    ).inserted_primary_key
    assert key is not None  # noqa: S101 - an insert of one row has one
    return int(key[0])


def due_notices(connection: Connection, *, now: datetime, most: int = 100) -> tuple[int, ...]:
    """The numbers of messages that are to be sent now, the oldest first."""
    rows = connection.execute(
        select(notices.c.id).where(*_is_due(now)).order_by(notices.c.id).limit(most)
    )
    return tuple(row[0] for row in rows)


def take_up(connection: Connection, notice: int, *, now: datetime) -> Notice | None:
    """Take a message to be sent, or None where it is sent or somebody else has it."""
    taken = connection.execute(
        update(notices)
        .where(notices.c.id == notice, *_is_due(now))
        .values(not_before=now + SENDING, attempts=notices.c.attempts + 1)
    )
    if taken.rowcount == 0:
        return None
    found = connection.execute(
        select(notices, tenants.c.name.label("district"), notice_targets)
        .join(notice_targets, notice_targets.c.id == notices.c.target_id)
        .join(tenants, tenants.c.id == notice_targets.c.tenant_id)
        .where(notices.c.id == notice)
    )
    return _notice(found.mappings().one())


def mark_sent(connection: Connection, notice: Notice, *, now: datetime) -> None:
    """Record that a message went out."""
    connection.execute(
        update(notices)
        .where(notices.c.id == notice.id)
        .values(state=NoticeState.SENT.value, sent_at=now, error="")
    )


def put_off(connection: Connection, notice: Notice, error: str, *, now: datetime) -> None:
    """Record that a message did not go out: it is tried again, or given up after the last try."""
    is_over = notice.attempts > len(PAUSES)
    pause = timedelta(0) if is_over else PAUSES[notice.attempts - 1]
    connection.execute(
        update(notices)
        .where(notices.c.id == notice.id)
        .values(
            state=(NoticeState.FAILED if is_over else NoticeState.PENDING).value,
            not_before=now + pause,
            error=error,
        )
    )


def error_of(connection: Connection, notice: int) -> str:
    """Why a message did not go out when it was last tried, empty where it did."""
    found: str = connection.execute(
        select(notices.c.error).where(notices.c.id == notice)
    ).scalar_one()
    return found


def withdraw(connection: Connection, notice: int) -> None:
    """Send a message no more."""
    connection.execute(
        update(notices).where(notices.c.id == notice).values(state=NoticeState.FAILED.value)
    )


def depth(connection: Connection) -> Mapping[NoticeState, int]:
    """How many messages there are in each state, of all tenants."""
    rows = connection.execute(select(notices.c.state, func.count()).group_by(notices.c.state))
    found: dict[str, int] = dict(rows.all())
    return {state: found.get(state.value, 0) for state in NoticeState}


def last_errors(connection: Connection, tenant: TenantId) -> Mapping[int, str]:
    """Why the newest message to each target did not go out; targets with an error alone."""
    newest = (
        select(func.max(notices.c.id))
        .join(notice_targets, notice_targets.c.id == notices.c.target_id)
        .where(notice_targets.c.tenant_id == tenant)
        .group_by(notices.c.target_id)
    )
    rows = connection.execute(
        select(notices.c.target_id, notices.c.error).where(
            notices.c.id.in_(newest), notices.c.error != ""
        )
    )
    return {row.target_id: row.error for row in rows}


def _told(connection: Connection, run: RunId | None, kind: NoticeKind) -> set[int]:
    if run is None:
        return set()
    rows = connection.execute(
        select(notices.c.target_id).where(notices.c.run_id == run, notices.c.kind == kind.value)
    )
    return {row[0] for row in rows}


def _is_due(now: datetime) -> tuple[Any, ...]:
    return (
        notices.c.state == NoticeState.PENDING.value,
        or_(notices.c.not_before.is_(None), notices.c.not_before <= now),
    )


def _notice(row: Mapping[Any, Any]) -> Notice:
    run = row[notices.c.run_id]
    return Notice(
        id=row[notices.c.id],
        target=target_of(row),
        district=row["district"],
        run=None if run is None else RunId(run),
        message=Message(
            kind=NoticeKind(row[notices.c.kind]),
            subject=row[notices.c.subject],
            body=row[notices.c.body],
        ),
        attempts=row[notices.c.attempts],
        created_at=row[notices.c.created_at],
    )
