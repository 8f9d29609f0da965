"""A district's own lists of verbs that cannot be demonstrated."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, select

from mapping.demonstrability import VAGUE_VERBS
from mapping.records import TenantId
from store.policy_changes import Author, PolicyKind, record_change
from store.session import upsert
from store.tables import vague_verbs


def verbs_of(connection: Connection, tenant: TenantId) -> dict[str, Sequence[str]]:
    """The lists by language: the usual ones, where the tenant has none of its own."""
    rows = connection.execute(select(vague_verbs).where(vague_verbs.c.tenant_id == tenant))
    return {**VAGUE_VERBS, **{row.language: tuple(row.verbs.splitlines()) for row in rows}}


def set_verbs(
    connection: Connection, tenant: TenantId, lists: Mapping[str, Sequence[str]], *, author: Author
) -> None:
    """Set the lists of some languages; one that is the usual one is not kept.

    Args:
        connection: A writing transaction.
        tenant: Whose lists.
        lists: Verbs by language, without repetition.
        author: Who sets them.
    """
    before = verbs_of(connection, tenant)
    for language, verbs in lists.items():
        if tuple(verbs) == tuple(before.get(language, ())):
            continue
        own = (vague_verbs.c.tenant_id == tenant, vague_verbs.c.language == language)
        connection.execute(delete(vague_verbs).where(*own))
        if tuple(verbs) != tuple(VAGUE_VERBS.get(language, ())):
            row = {"tenant_id": tenant, "language": language, "verbs": "\n".join(verbs)}
            upsert(connection, vague_verbs, [row], keys=("tenant_id", "language"))
        change = author.change_of(
            PolicyKind.WORDS,
            f"verbs that cannot be demonstrated ({language})",
            before=", ".join(before.get(language, ())),
            after=", ".join(verbs),
        )
        record_change(connection, tenant, change)
