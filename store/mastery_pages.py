"""Whether a district shows how mastery works there to everybody, and by which link."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, select

from mapping.records import TenantId
from store.policy_changes import Author, PolicyKind, record_change
from store.session import upsert
from store.tables import mastery_pages, tenants

_SUBJECT = "how mastery works here, for everybody"
_OPEN, _CLOSED = "shown by a link", "not shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPage:
    """A page that is shown; ``token`` is the part of its address that nobody guesses."""

    tenant: TenantId
    district: str
    timezone: str
    token: str
    opened_at: datetime


def page_of(connection: Connection, tenant: TenantId) -> OpenPage | None:
    """A tenant's page, None where it shows none."""
    return _found(connection, mastery_pages.c.tenant_id == tenant)


def page_at(connection: Connection, token: str) -> OpenPage | None:
    """The page of an address, None where there is none, or none any more."""
    return _found(connection, mastery_pages.c.token == token)


def open_page(connection: Connection, tenant: TenantId, token: str, *, author: Author) -> None:
    """Show a tenant's page by a new link; the one before leads nowhere from now on.

    The link stands nowhere in the trail: whoever reads that need not have it.

    Args:
        connection: A writing transaction.
        tenant: Whose page.
        token: What nobody can guess.
        author: Who shows it.
    """
    was_open = page_of(connection, tenant) is not None
    row = {"tenant_id": tenant, "token": token, "opened_at": author.at}
    upsert(connection, mastery_pages, [row], keys=("tenant_id",))
    before, after = (_OPEN, f"{_OPEN}, a new one") if was_open else (_CLOSED, _OPEN)
    change = author.change_of(PolicyKind.WORDS, _SUBJECT, before=before, after=after)
    record_change(connection, tenant, change)


def close_page(connection: Connection, tenant: TenantId, *, author: Author) -> None:
    """Show a tenant's page no more; nothing happens where it was not shown."""
    own = mastery_pages.c.tenant_id == tenant
    if connection.execute(delete(mastery_pages).where(own)).rowcount:
        change = author.change_of(PolicyKind.WORDS, _SUBJECT, before=_OPEN, after=_CLOSED)
        record_change(connection, tenant, change)


def _found(connection: Connection, is_it: ColumnElement[bool]) -> OpenPage | None:
    row = connection.execute(
        select(mastery_pages, tenants.c.name, tenants.c.timezone)
        .join(tenants, tenants.c.id == mastery_pages.c.tenant_id)
        .where(is_it)
    ).one_or_none()
    if row is None:
        return None
    return OpenPage(
        tenant=TenantId(row.tenant_id),
        district=row.name,
        timezone=row.timezone,
        token=row.token,
        opened_at=row.opened_at,
    )
