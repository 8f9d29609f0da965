"""Access to an LMS's own API that somebody authorised: the key, the consent, and its end.

Secrets are sealed before they get here into a row. A change of the key ends the consent that was
given to the former one.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, literal, select, update

from mapping.records import PlatformId, TenantId
from store.secrets import Resealed, SecretBox
from store.tables import platforms

_NOT_AUTHORIZED: dict[str, Any] = {
    "oauth_refresh_token": "",
    "oauth_user": "",
    "oauth_authorized_at": None,
    "oauth_revoked_at": None,
}
_LONGEST_USER = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAccess:
    """How a platform's own API is reached by authorisation; empty where it is not.

    Attributes:
        client_id: The developer key's number; empty where none was entered.
        sealed_client_secret: The key's secret.
        sealed_refresh_token: Of the consent; empty before it was given.
        user: Who gave it, by the name that the LMS shows.
        authorized_at: When.
        revoked_at: When Waymark found that it was taken back.
    """

    client_id: str = ""
    sealed_client_secret: str = field(default="", repr=False)
    sealed_refresh_token: str = field(default="", repr=False)
    user: str = ""
    authorized_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def is_authorized(self) -> bool:
        """Whether somebody consented, be it taken back since or not."""
        return bool(self.client_id and self.sealed_refresh_token)


def save_developer_key(
    connection: Connection,
    tenant: TenantId,
    platform: PlatformId,
    *,
    client_id: str,
    client_secret: str,
    secrets: SecretBox,
) -> bool:
    """Keep a developer key; another number than before ends the consent given to that one.

    Args:
        connection: A writing transaction.
        tenant: Whose platform it is.
        platform: Which.
        client_id: The key's number.
        client_secret: In the clear.
        secrets: Seals it.

    Returns:
        Whether the tenant has this platform.
    """
    is_same = platforms.c.oauth_client_id == client_id
    kept = {
        name: case((is_same, platforms.c[name]), else_=literal(value, platforms.c[name].type))
        for name, value in _NOT_AUTHORIZED.items()
    }
    changed = connection.execute(
        update(platforms)
        .where(platforms.c.id == platform, platforms.c.tenant_id == tenant)
        .values(oauth_client_id=client_id, oauth_client_secret=secrets.seal(client_secret), **kept)
    )
    return changed.rowcount == 1


def save_authorization(  # noqa: PLR0913 - whose, with which key, and the consent: all needed
    connection: Connection,
    tenant: TenantId,
    platform: PlatformId,
    *,
    client_id: str,
    user: str,
    refresh_token: str,
    secrets: SecretBox,
    now: datetime,
) -> bool:
    """Keep a consent in place of whatever there was.

    Args:
        connection: A writing transaction.
        tenant: Whose platform it is.
        platform: Which.
        client_id: The developer key that it was given to.
        user: Who gave it.
        refresh_token: In the clear.
        secrets: Seals it.
        now: When.

    Returns:
        False where the tenant has no such platform, or another key was entered meanwhile.
    """
    changed = connection.execute(
        update(platforms)
        .where(
            platforms.c.id == platform,
            platforms.c.tenant_id == tenant,
            platforms.c.oauth_client_id == client_id,
        )
        .values(
            oauth_refresh_token=secrets.seal(refresh_token),
            oauth_user=user[:_LONGEST_USER],
            oauth_authorized_at=now,
            oauth_revoked_at=None,
        )
    )
    return changed.rowcount == 1


def note_revoked(
    connection: Connection, platform: PlatformId, access: ApiAccess, *, now: datetime
) -> bool:
    """Remember that a consent was taken back, unless a newer one was given meanwhile.

    Returns:
        Whether it was news.
    """
    changed = connection.execute(
        update(platforms)
        .where(
            platforms.c.id == platform,
            platforms.c.oauth_refresh_token == access.sealed_refresh_token,
            platforms.c.oauth_revoked_at.is_(None),
        )
        .values(oauth_revoked_at=now)
    )
    return changed.rowcount == 1


def forget_access(connection: Connection, tenant: TenantId, platform: PlatformId) -> bool:
    """Forget a developer key and its consent.

    Returns:
        Whether the tenant has this platform.
    """
    changed = connection.execute(
        update(platforms)
        .where(platforms.c.id == platform, platforms.c.tenant_id == tenant)
        .values(oauth_client_id="", oauth_client_secret="", **_NOT_AUTHORIZED)
    )
    return changed.rowcount == 1


def reseal_access(connection: Connection, secrets: SecretBox) -> Resealed:
    """Seal every developer key's secret and refresh token anew.

    Args:
        connection: A writing transaction.
        secrets: Opens what was sealed under former keys, too.

    Returns:
        How many, and the names of the platforms where one cannot be opened; it stays as it is.
    """
    columns = (platforms.c.oauth_client_secret, platforms.c.oauth_refresh_token)
    rows = connection.execute(select(platforms.c.id, platforms.c.name, *columns)).all()
    count, unopened = 0, []
    for row in rows:
        found = {column.name: getattr(row, column.name) for column in columns}
        sealed = {name: text for name, text in found.items() if text}
        resealed = secrets.reseal(sealed)
        if resealed:
            connection.execute(update(platforms).where(platforms.c.id == row.id).values(**resealed))
        count += len(resealed)
        if len(resealed) < len(sealed):
            unopened.append(row.name)
    return Resealed(count=count, unopened=unopened)


def access_of(row: "Row[Any]") -> ApiAccess:
    """The access in a row of platforms."""
    return ApiAccess(
        client_id=row.oauth_client_id,
        sealed_client_secret=row.oauth_client_secret,
        sealed_refresh_token=row.oauth_refresh_token,
        user=row.oauth_user,
        authorized_at=row.oauth_authorized_at,
        revoked_at=row.oauth_revoked_at,
    )
