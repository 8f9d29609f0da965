"""Tokens with which programs of a district ask the API. Only a digest of each is kept."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from mapping.records import TenantId
from store.policy_changes import Author, PolicyKind, record_change
from store.tables import api_tokens

PREFIX = "wmk_"
"""What every token begins with, so that scanners for lost secrets know it."""
LONGEST = timedelta(days=366)
"""How long a token may be good."""
_NOTED_EVERY = timedelta(hours=1)
_RANDOM_BYTES = 32


class Scope(Enum):
    """What a token is good for."""

    READ = "read"
    """Runs, courses, schools, frameworks, mappings, rules and the trail; nobody's results."""
    PEOPLE = "people"
    """Learners by name, and where they stand."""
    OPERATE = "operate"
    """Runs, pauses, schools, modes, and courses read out of turn."""
    DESIGN = "design"
    """Frameworks, mappings and rules."""


class TokenRefused(ValueError):  # noqa: N818 - named for what happened
    """A token cannot be made as asked; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A token as its district knows it; the secret is not known any more."""

    id: int
    tenant: TenantId
    name: str
    scopes: frozenset[Scope]
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    used_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether it opens anything at a moment."""
        return self.revoked_at is None and now < self.expires_at


def make_token(
    connection: Connection,
    tenant: TenantId,
    name: str,
    *,
    scopes: Collection[Scope],
    good_for: timedelta,
    author: Author,
) -> str:
    """Make a token and keep its digest.

    Args:
        connection: A writing transaction.
        tenant: Whose data it opens.
        name: What it is for, to find it again; no two good ones of a tenant share one.
        scopes: What it is good for, at least one thing.
        good_for: How long, at most ``LONGEST``.
        author: Who makes it.

    Returns:
        The token, which nobody can be told again.

    Raises:
        TokenRefused: It has no name, or one that is taken; no scope; or no time or too much.
    """
    name = name.strip()
    if not name or len(name) > 255:  # noqa: PLR2004 - the column's
        raise TokenRefused("Give the token a name of at most 255 characters: what it is for.")
    if not scopes:
        raise TokenRefused("A token needs at least one scope.")
    if not timedelta() < good_for <= LONGEST:
        raise TokenRefused(f"A token is good for 1 to {LONGEST.days} days.")
    if any(one.name == name and one.is_good(author.at) for one in tokens_of(connection, tenant)):
        raise TokenRefused(f'There is a token "{name}" already: revoke it, or take another name.')
    token = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    said = " ".join(sorted(one.value for one in scopes))
    connection.execute(
        insert(api_tokens).values(
            tenant_id=tenant,
            name=name,
            digest=_digest(token),
            scopes=said,
            made_by=author.by,
            made_at=author.at,
            expires_at=author.at + good_for,
        )
    )
    record_change(connection, tenant, author.change_of(PolicyKind.ACCESS, name, after=said))
    return token


def revoke_token(connection: Connection, tenant: TenantId, name: str, *, author: Author) -> bool:
    """Have a token open nothing any more; False where no good one has this name."""
    good = [
        one for one in tokens_of(connection, tenant) if one.name == name and one.is_good(author.at)
    ]
    for one in good:
        connection.execute(
            update(api_tokens).where(api_tokens.c.id == one.id).values(revoked_at=author.at)
        )
        before = " ".join(sorted(scope.value for scope in one.scopes))
        change = author.change_of(PolicyKind.ACCESS, name, before=before, after="revoked")
        record_change(connection, tenant, change)
    return bool(good)


def tokens_of(connection: Connection, tenant: TenantId) -> tuple[ApiToken, ...]:
    """All tokens that a tenant ever had, the newest first."""
    rows = connection.execute(
        select(api_tokens)
        .where(api_tokens.c.tenant_id == tenant)
        .order_by(api_tokens.c.made_at.desc(), api_tokens.c.id.desc())
    )
    return tuple(_token(row) for row in rows)


def token_shown(connection: Connection, token: str, *, now: datetime) -> ApiToken | None:
    """The good token that somebody shows; None for any other text."""
    if not token.startswith(PREFIX):
        return None
    row = connection.execute(
        select(api_tokens).where(api_tokens.c.digest == _digest(token))
    ).one_or_none()
    if row is None:
        return None
    found = _token(row)
    return found if found.is_good(now) else None


def is_use_due(token: ApiToken, now: datetime) -> bool:
    """Whether it is time to note that a token is used: once an hour is enough."""
    return token.used_at is None or now - token.used_at >= _NOTED_EVERY


def note_use(connection: Connection, token: ApiToken, *, now: datetime) -> None:
    """Keep when a token was used last."""
    connection.execute(update(api_tokens).where(api_tokens.c.id == token.id).values(used_at=now))


def _digest(token: str) -> str:
    # A token is 256 random bits: no slow hash makes it harder to guess.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: "Row[Any]") -> ApiToken:
    return ApiToken(
        id=row.id,
        tenant=TenantId(row.tenant_id),
        name=row.name,
        scopes=frozenset(Scope(one) for one in row.scopes.split()),
        made_by=row.made_by,
        made_at=row.made_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
    )
