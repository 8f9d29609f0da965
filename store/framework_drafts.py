"""Files of frameworks that were sent to be looked at, and not yet brought in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from mapping.records import TenantId
from store.tables import framework_drafts

KEPT = timedelta(days=1)
"""A draft that nobody came back to is gone after so long."""
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkDraft:
    """A file, its name, and what was chosen for it; ``choices`` are the page's own."""

    id: int
    name: str
    content: bytes
    choices: Mapping[str, Any]
    by: str


def keep_draft(  # noqa: PLR0913 - one row, as it was sent
    connection: Connection,
    tenant: TenantId,
    *,
    name: str,
    content: bytes,
    choices: Mapping[str, Any],
    by: str,
    now: datetime,
) -> int:
    """Keep a file; old ones of the tenant go.

    Args:
        connection: A writing transaction.
        tenant: Whose it is.
        name: Of the file.
        content: Of the file.
        choices: What was chosen for it.
        by: Who sent it.
        now: When.

    Returns:
        The draft's id.
    """
    connection.execute(
        delete(framework_drafts).where(
            framework_drafts.c.tenant_id == tenant, framework_drafts.c.created_at < now - KEPT
        )
    )
    done = connection.execute(
        insert(framework_drafts).values(
            tenant_id=tenant,
            name=name[:_LONGEST_NAME],
            content=content,
            choices=json.dumps(dict(choices)),
            by=by[:_LONGEST_NAME],
            created_at=now,
        )
    )
    (key,) = done.inserted_primary_key or (0,)
    return int(key)


def draft_of(connection: Connection, tenant: TenantId, draft: int) -> FrameworkDraft | None:
    """A draft of the tenant, None where there is none, or no longer."""
    row = connection.execute(
        select(framework_drafts).where(
            framework_drafts.c.tenant_id == tenant, framework_drafts.c.id == draft
        )
    ).one_or_none()
    if row is None:
        return None
    return FrameworkDraft(
        id=row.id,
        name=row.name,
        content=row.content,
        choices=json.loads(row.choices),
        by=row.by,
    )


def choose(connection: Connection, draft: int, choices: Mapping[str, Any]) -> None:
    """Keep what was chosen for a draft."""
    connection.execute(
        update(framework_drafts)
        .where(framework_drafts.c.id == draft)
        .values(choices=json.dumps(dict(choices)))
    )


def drop_draft(connection: Connection, tenant: TenantId, draft: int) -> None:
    """Forget a draft."""
    connection.execute(
        delete(framework_drafts).where(
            framework_drafts.c.tenant_id == tenant, framework_drafts.c.id == draft
        )
    )
