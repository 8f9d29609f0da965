"""Who is told of a district's nights, how, and of what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from mapping.records import TenantId
from store.secrets import Resealed, SecretBox
from store.tables import notice_targets, notices


class NoticeKind(Enum):
    """What a message is about."""

    NIGHT_DONE = "night_done"
    NIGHT_FAILED = "night_failed"
    NIGHT_LATE = "night_late"
    ALARMS = "alarms"
    MARKS_REFUSED = "marks_refused"
    PLATFORM_REFUSED = "platform_refused"
    PAUSED = "paused"


TROUBLES = tuple(kind for kind in NoticeKind if kind is not NoticeKind.NIGHT_DONE)
"""What a person wants to be told of who said nothing."""


class Channel(Enum):
    """How a message goes."""

    EMAIL = "email"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTarget:
    """Who is to be told. ``secret`` signs a webhook's messages and is sealed; else empty."""

    channel: Channel
    address: str
    secret: str
    kinds: tuple[NoticeKind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(NewTarget):
    """Who is told."""

    id: int
    tenant: TenantId


def save_target(
    connection: Connection, tenant: TenantId, wanted: NewTarget, *, now: datetime
) -> Target:
    """Have somebody told; whoever is told already gets these kinds from now on.

    Args:
        connection: A writing transaction.
        tenant: Whose nights.
        wanted: Who, how and of what. Its secret is kept only where the target is new.
        now: When.
    """
    words = ",".join(kind.value for kind in NoticeKind if kind in wanted.kinds)
    is_it = (
        (notice_targets.c.tenant_id == tenant)
        & (notice_targets.c.channel == wanted.channel.value)
        & (notice_targets.c.address == wanted.address)
    )
    known = connection.execute(update(notice_targets).where(is_it).values(kinds=words))
    if known.rowcount == 0:
        connection.execute(
            insert(notice_targets).values(
                tenant_id=tenant,
                channel=wanted.channel.value,
                address=wanted.address,
                secret=wanted.secret,
                kinds=words,
                created_at=now,
            )
        )
    return target_of(connection.execute(select(notice_targets).where(is_it)).mappings().one())


def targets_of(connection: Connection, tenant: TenantId) -> tuple[Target, ...]:
    """Who is told of a tenant's nights, in the order in which they were added."""
    rows = connection.execute(
        select(notice_targets)
        .where(notice_targets.c.tenant_id == tenant)
        .order_by(notice_targets.c.id)
    )
    return tuple(target_of(row) for row in rows.mappings())


def remove_target(connection: Connection, target: Target) -> None:
    """Tell somebody no longer; what was put down for them goes, too."""
    connection.execute(delete(notices).where(notices.c.target_id == target.id))
    connection.execute(delete(notice_targets).where(notice_targets.c.id == target.id))


def reseal_secrets(connection: Connection, secrets: SecretBox) -> Resealed:
    """Seal every webhook's secret anew with the present key."""
    rows = connection.execute(select(notice_targets).where(notice_targets.c.secret != "")).all()
    anew = secrets.reseal({row.id: row.secret for row in rows})
    for target, sealed in anew.items():
        connection.execute(
            update(notice_targets).where(notice_targets.c.id == target).values(secret=sealed)
        )
    unopened = tuple(row.address for row in rows if row.id not in anew)
    return Resealed(count=len(anew), unopened=unopened)


def target_of(row: Mapping[Any, Any]) -> Target:
    """The target of a row that holds the columns of its table."""
    columns = notice_targets.c
    return Target(
        id=row[columns.id],
        tenant=TenantId(row[columns.tenant_id]),
        channel=Channel(row[columns.channel]),
        address=row[columns.address],
        secret=row[columns.secret],
        kinds=tuple(NoticeKind(word) for word in row[columns.kinds].split(",") if word),
    )
