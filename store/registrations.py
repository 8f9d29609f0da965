"""Who may launch Waymark: tenants, schools, platforms.

A platform is found by (issuer, client id), the pair that is unique across tenants: all schools
that Canvas hosts share one issuer. Secrets are sealed before they get here into a row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, or_, select, update

from mapping.records import (
    CourseId,
    CourseRef,
    LearnerId,
    LearnerRef,
    PassbackWay,
    PlatformId,
    SchoolId,
    SchoolRef,
    TenantId,
)
from store.api_access import ApiAccess, access_of, reseal_access
from store.secrets import Resealed, SecretBox
from store.session import upsert
from store.tables import courses, learner_accounts, school_refs, schools, tenants
from store.tables import (
    platforms as platforms_table,
)

PlatformState = Literal["active", "suspended", "pending"]


class PlatformTaken(Exception):  # noqa: N818 - named for what happened, as the connectors' errors
    """This issuer and client id are registered already, by somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformEntry:
    """A platform as an administrator describes it; ``api_token`` in the clear.

    ``kind`` is ``canvas`` or ``moodle``. ``auth_url``, ``token_url`` and ``jwks_url`` are the
    platform's OpenID Connect endpoints, ``api_url`` where its own web services live.
    ``is_active`` counts for a platform that is new. ``pinned_kid`` is the tool key whose public
    half was pasted into the LMS, ``audience`` what token requests name where it is not
    ``token_url``; None and the empty text leave what is known as it is.
    """

    kind: str
    name: str
    issuer: str
    client_id: str
    auth_url: str
    token_url: str
    jwks_url: str
    api_url: str
    api_token: str = field(repr=False)
    is_active: bool = True
    pinned_kid: str | None = None
    audience: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A registered LMS; its API token stays sealed until ``api_token`` opens it.

    ``api_access`` is what somebody authorised in the browser instead of such a token.

    ``pinned_kid`` is the tool key that the LMS was given by hand and goes on expecting,
    ``audience`` what token requests name; empty where that is ``token_url``.
    """

    id: PlatformId
    tenant: TenantId
    kind: str
    name: str
    issuer: str
    client_id: str
    auth_url: str
    token_url: str
    jwks_url: str
    api_url: str
    sealed_api_token: str = field(repr=False)
    is_active: bool
    suspended_at: datetime | None = None
    pinned_kid: str | None = None
    audience: str = ""
    api_access: ApiAccess = field(default_factory=ApiAccess)

    @property
    def state(self) -> PlatformState:
        """Whether it may launch; pending until an administrator approves its registration."""
        if self.is_active:
            return "active"
        return "pending" if self.suspended_at is None else "suspended"


def save_tenant(connection: Connection, name: str, timezone: str) -> TenantId:
    """The tenant of this name, made or brought up to date.

    Args:
        connection: A writing transaction.
        name: The district's name, unique.
        timezone: IANA name, for example ``America/Sao_Paulo``.

    Returns:
        Its id.
    """
    upsert(connection, tenants, [{"name": name, "timezone": timezone}], keys=("name",))
    found = connection.execute(select(tenants.c.id).where(tenants.c.name == name))
    return TenantId(found.scalar_one())


def timezone_of(connection: Connection, tenant: TenantId) -> str:
    """The tenant's time zone, an IANA name."""
    found = connection.execute(select(tenants.c.timezone).where(tenants.c.id == tenant))
    return str(found.scalar_one())


def save_school(
    connection: Connection, tenant: TenantId, name: str, *, passback_way: PassbackWay
) -> SchoolId:
    """The tenant's school of this name, made or brought up to date."""
    row = {"tenant_id": tenant, "name": name, "passback_way": passback_way.value}
    upsert(connection, schools, [row], keys=("tenant_id", "name"))
    found = connection.execute(
        select(schools.c.id).where(schools.c.tenant_id == tenant, schools.c.name == name)
    )
    return SchoolId(found.scalar_one())


def save_platform(
    connection: Connection, tenant: TenantId, entry: PlatformEntry, *, secrets: SecretBox
) -> PlatformId:
    """The platform of this issuer and client id, made or brought up to date.

    Args:
        connection: A writing transaction.
        tenant: Whose it is.
        entry: What it is to be.
        secrets: Seals its API token.

    Returns:
        Its id.

    Raises:
        PlatformTaken: Another tenant registered this issuer and client id; nothing is changed
            and nothing is said of the other. Or another platform of this tenant has the name.
    """
    values = _platform_values(entry, secrets)
    _refuse_taken_name(connection, tenant, entry)
    known = connection.execute(
        select(platforms_table.c.id, platforms_table.c.tenant_id).where(
            platforms_table.c.issuer == entry.issuer,
            platforms_table.c.client_id == entry.client_id,
        )
    ).first()
    if known is None:
        return _new_platform(connection, tenant, values)
    if known.tenant_id != tenant:
        raise PlatformTaken(
            "This issuer and client id cannot be registered. If the LMS is yours, make a new "
            "developer key (Canvas) or tool (Moodle) there and register its client id."
        )
    connection.execute(
        update(platforms_table)
        .where(platforms_table.c.id == known.id)
        .values({name: value for name, value in values.items() if name not in _kept(entry)})
    )
    return PlatformId(known.id)


def set_platform_state(  # noqa: PLR0917 - a platform is named by its tenant and id together
    connection: Connection,
    tenant: TenantId,
    platform: PlatformId,
    state: PlatformState,
    *,
    now: datetime,
) -> bool:
    """Let a tenant's platform launch, or not.

    Returns:
        Whether the tenant has this platform.
    """
    values = {
        "is_active": state == "active",
        "suspended_at": now if state == "suspended" else None,
    }
    return _change(connection, tenant, platform, values=values)


def pin_key(
    connection: Connection, tenant: TenantId, platform: PlatformId, *, kid: str | None
) -> bool:
    """Note which tool key a tenant's platform was given by hand; None where it fetches our set.

    Returns:
        Whether the tenant has this platform.
    """
    return _change(connection, tenant, platform, values={"pinned_kid": kid})


def keep_api_token(
    connection: Connection,
    tenant: TenantId,
    platform: PlatformId,
    *,
    token: str,
    secrets: SecretBox,
) -> bool:
    """Keep the API token of a tenant's platform, in place of the one before.

    Returns:
        Whether the tenant has this platform.
    """
    return _change(connection, tenant, platform, values={"api_token": secrets.seal(token)})


def save_school_refs(
    connection: Connection, platform: PlatformId, known: Mapping[SchoolRef, SchoolId]
) -> None:
    """Keep which school each account (Canvas) or category (Moodle) of a platform is."""
    rows = [
        {"platform_id": platform, "ref": ref, "school_id": school} for ref, school in known.items()
    ]
    upsert(connection, school_refs, rows, keys=("platform_id", "ref"))


def platforms(connection: Connection, tenant: TenantId | None = None) -> tuple[Platform, ...]:
    """Platforms of one tenant or of all, in the order of their ids, inactive ones included."""
    query = select(platforms_table).order_by(platforms_table.c.id)
    if tenant is not None:
        query = query.where(platforms_table.c.tenant_id == tenant)
    return tuple(_platform(row) for row in connection.execute(query))


def platform_of(connection: Connection, platform: PlatformId) -> Platform | None:
    """One platform by its id."""
    row = connection.execute(
        select(platforms_table).where(platforms_table.c.id == platform)
    ).first()
    return None if row is None else _platform(row)


def find_platforms(
    connection: Connection, issuer: str, client_id: str | None = None
) -> tuple[Platform, ...]:
    """Active platforms of an issuer, at most two, for whoever must know whether it is one.

    Args:
        connection: A transaction.
        issuer: Compared exactly, letter case included.
        client_id: None where the LMS did not say it.

    Returns:
        At most one platform where ``client_id`` is given.
    """
    query = select(platforms_table).where(
        platforms_table.c.issuer == issuer, platforms_table.c.is_active
    )
    if client_id is not None:
        query = query.where(platforms_table.c.client_id == client_id)
    rows = connection.execute(query.order_by(platforms_table.c.id).limit(2))
    return tuple(_platform(row) for row in rows)


def find_course(connection: Connection, platform: PlatformId, ref: CourseRef) -> CourseId | None:
    """The course that a platform calls so, if it was read already."""
    found = connection.execute(
        select(courses.c.id).where(courses.c.platform_id == platform, courses.c.ref == ref)
    ).scalar()
    return None if found is None else CourseId(found)


def find_learner(connection: Connection, platform: PlatformId, ref: LearnerRef) -> LearnerId | None:
    """The learner behind a platform's account, if it was read already."""
    found = connection.execute(
        select(learner_accounts.c.learner_id).where(
            learner_accounts.c.platform_id == platform, learner_accounts.c.ref == ref
        )
    ).scalar()
    return None if found is None else LearnerId(found)


def api_token(platform: Platform, secrets: SecretBox) -> str:
    """The platform's API token in the clear.

    Args:
        platform: Whose.
        secrets: Opens it.

    Returns:
        The token.

    Raises:
        SealBroken: It was sealed under another secret key.
    """  # noqa: DOC502 - raised by open()
    return secrets.open(platform.sealed_api_token)


def reseal_tokens(connection: Connection, secrets: SecretBox) -> Resealed:
    """Seal every platform's API token and authorised access anew.

    What cannot be opened stays as it is.
    """
    known = {one.id: one for one in platforms(connection)}
    resealed = secrets.reseal({id_: one.sealed_api_token for id_, one in known.items()})
    for platform, text in resealed.items():
        _change(connection, known[platform].tenant, platform, values={"api_token": text})
    access = reseal_access(connection, secrets)
    tokens = [one.name for one in known.values() if one.id not in resealed]
    unopened = list(dict.fromkeys((*tokens, *access.unopened)))
    return Resealed(count=len(resealed) + access.count, unopened=unopened)


def _platform_values(entry: PlatformEntry, secrets: SecretBox) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "issuer": entry.issuer,
        "client_id": entry.client_id,
        "auth_url": entry.auth_url,
        "token_url": entry.token_url,
        "jwks_url": entry.jwks_url,
        "api_url": entry.api_url,
        "api_token": secrets.seal(entry.api_token),
        "is_active": entry.is_active,
        "pinned_kid": entry.pinned_kid,
        "audience": entry.audience,
    }


def _kept(entry: PlatformEntry) -> set[str]:
    # Loading a district again must not let a suspended platform in, nor forget a pinned key.
    unsaid = {"pinned_kid": entry.pinned_kid is None, "audience": not entry.audience}
    return {"is_active", *(name for name, is_unsaid in unsaid.items() if is_unsaid)}


def _change(
    connection: Connection, tenant: TenantId, platform: PlatformId, *, values: Mapping[str, Any]
) -> bool:
    changed = connection.execute(
        update(platforms_table)
        .where(platforms_table.c.id == platform, platforms_table.c.tenant_id == tenant)
        .values(values)
    )
    return changed.rowcount == 1


def _refuse_taken_name(connection: Connection, tenant: TenantId, entry: PlatformEntry) -> None:
    is_other = or_(
        platforms_table.c.issuer != entry.issuer, platforms_table.c.client_id != entry.client_id
    )
    taken = connection.execute(
        select(platforms_table.c.id).where(
            platforms_table.c.tenant_id == tenant, platforms_table.c.name == entry.name, is_other
        )
    )
    if taken.first() is not None:
        raise PlatformTaken(
            f"A platform named {entry.name!r} is registered already, with another issuer or "
            "client id. Give this one another name."
        )


def _new_platform(
    connection: Connection, tenant: TenantId, values: Mapping[str, Any]
) -> PlatformId:
    key = connection.execute(
        insert(platforms_table).values(tenant_id=tenant, **values)
    ).inserted_primary_key
    assert key is not None  # noqa: S101 - an insert of one row has one
    return PlatformId(key[0])


def _platform(row: "Row[Any]") -> Platform:
    return Platform(
        id=PlatformId(row.id),
        tenant=TenantId(row.tenant_id),
        kind=row.kind,
        name=row.name,
        issuer=row.issuer,
        client_id=row.client_id,
        auth_url=row.auth_url,
        token_url=row.token_url,
        jwks_url=row.jwks_url,
        api_url=row.api_url,
        sealed_api_token=row.api_token,
        is_active=row.is_active,
        suspended_at=row.suspended_at,
        pinned_kid=row.pinned_kid,
        audience=row.audience,
        api_access=access_of(row),
    )
