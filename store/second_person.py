"""Whether rules and mappings take force only with a second person's yes."""

from sqlalchemy import Connection, select, update

from mapping.records import TenantId
from store.policy_changes import Author, PolicyKind, record_change
from store.tables import tenants

_SUBJECT = "publishing rules and mappings"
_WORDS = {True: "by a second person", False: "by anybody who may"}


def needs_second(connection: Connection, tenant: TenantId) -> bool:
    """Whether nobody publishes what they changed themselves."""
    # The column is older than this being asked of rules, too.
    found = select(tenants.c.mapping_needs_second).where(tenants.c.id == tenant)
    return bool(connection.execute(found).scalar_one())


def set_needs_second(
    connection: Connection, tenant: TenantId, *, is_needed: bool, author: Author
) -> None:
    """Say whether a second person is needed; kept in the trail where that is news."""
    before = needs_second(connection, tenant)
    if before is is_needed:
        return
    connection.execute(
        update(tenants).where(tenants.c.id == tenant).values(mapping_needs_second=is_needed)
    )
    change = author.change_of(
        PolicyKind.ROLE, _SUBJECT, before=_WORDS[before], after=_WORDS[is_needed]
    )
    record_change(connection, tenant, change)
