"""Where an LMS sends its events: an address that cannot be guessed, and whose keys sign them.

Canvas signs the events of all its customers with the same keys, so the signature alone does not
say whose they are; the token in the address does.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select, update

from mapping.records import PlatformId, TenantId
from store.tables import platforms

_TOKEN_BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSource:
    """A platform that may tell of events; ``token`` is the last part of the address.

    ``key_url`` is where its signing keys are published.
    """

    platform: PlatformId
    key_url: str
    token: str = field(repr=False)


def open_source(
    connection: Connection, tenant: TenantId, platform: PlatformId, *, key_url: str
) -> EventSource:
    """Let a platform tell of events; its address stays as it is where it has one.

    Args:
        connection: A writing transaction.
        tenant: Whose platform.
        platform: Which.
        key_url: Where the keys are published that sign its events.

    Returns:
        What was kept.

    Raises:
        LookupError: The tenant has no such platform.
    """
    known = source_of(connection, platform)
    token = known.token if known else secrets.token_urlsafe(_TOKEN_BYTES)
    changed = connection.execute(
        update(platforms)
        .where(platforms.c.id == platform, platforms.c.tenant_id == tenant)
        .values(events_key_url=key_url, events_token=token)
    )
    if changed.rowcount != 1:
        raise LookupError(f"The tenant {tenant} has no platform {platform}.")
    return EventSource(platform=platform, key_url=key_url, token=token)


def close_source(connection: Connection, tenant: TenantId, platform: PlatformId) -> None:
    """Take no event of a platform any more; its address is given up."""
    connection.execute(
        update(platforms)
        .where(platforms.c.id == platform, platforms.c.tenant_id == tenant)
        .values(events_key_url="", events_token="")
    )


def source_of(connection: Connection, platform: PlatformId) -> EventSource | None:
    """Where a platform sends events, None where it may not."""
    row = connection.execute(
        select(platforms).where(platforms.c.id == platform, platforms.c.events_token != "")
    ).first()
    return None if row is None else _source(row)


def find_source(connection: Connection, token: str) -> EventSource | None:
    """The active platform whose address this is."""
    if not token:
        return None
    row = connection.execute(
        select(platforms).where(platforms.c.events_token == token, platforms.c.is_active)
    ).first()
    return None if row is None else _source(row)


def _source(row: "Row[Any]") -> EventSource:
    return EventSource(
        platform=PlatformId(row.id), key_url=row.events_key_url, token=row.events_token
    )
