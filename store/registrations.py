"""Who may launch Waymark: tenants, schools, platforms, deployments, and Waymark's own keys.

A platform is found by (issuer, client id), the pair that is unique across tenants: all schools
that Canvas hosts share one issuer. Secrets are sealed before they get here into a row.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
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
from store.secrets import SecretBox
from store.session import lock, upsert
from store.tables import (
    courses,
    deployments,
    learner_accounts,
    school_refs,
    schools,
    tenants,
)
from store.tables import (
    platforms as platforms_table,
)
from store.tables import (
    tool_keys as tool_keys_table,
)

_KEY_BITS = 2048
_KEY_EXPONENT = 65_537


class PlatformTaken(Exception):  # noqa: N818 - named for what happened, as the connectors' errors
    """This issuer and client id are registered already, by somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformEntry:
    """A platform as an administrator describes it; ``api_token`` in the clear.

    ``kind`` is ``canvas`` or ``moodle``. ``auth_url``, ``token_url`` and ``jwks_url`` are the
    platform's OpenID Connect endpoints, ``api_url`` where its own web services live.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A registered LMS; its API token stays sealed until ``api_token`` opens it."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One installation of Waymark within a platform."""

    platform: PlatformId
    ref: str
    is_approved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolKey:
    """Waymark's own signing key, loaded: parsing it costs a hundred times what signing does.

    ``kid`` is the RFC 7638 thumbprint of the public key.
    """

    kid: str
    private_key: rsa.RSAPrivateKey = field(repr=False)

    def public_jwk(self) -> dict[str, str]:
        """The public half, as RFC 7517 writes it."""
        return {
            **_public_members(self.private_key),
            "kid": self.kid,
            "alg": "RS256",
            "use": "sig",
        }


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
        update(platforms_table).where(platforms_table.c.id == known.id).values(values)
    )
    return PlatformId(known.id)


def save_deployments(
    connection: Connection, platform: PlatformId, refs: Sequence[str], *, is_approved: bool = True
) -> None:
    """Keep deployments of a platform; those not named stay as they are."""
    rows = [
        {"platform_id": platform, "deployment_ref": ref, "is_approved": is_approved} for ref in refs
    ]
    upsert(connection, deployments, rows, keys=("platform_id", "deployment_ref"))


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


def find_deployment(connection: Connection, platform: PlatformId, ref: str) -> Deployment | None:
    """A deployment by the platform's own id of it."""
    row = connection.execute(
        select(deployments).where(
            deployments.c.platform_id == platform, deployments.c.deployment_ref == ref
        )
    ).first()
    if row is None:
        return None
    return Deployment(platform=platform, ref=row.deployment_ref, is_approved=row.is_approved)


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


def tool_key(connection: Connection, secrets: SecretBox, now: datetime) -> ToolKey:
    """The key that Waymark signs with, made on first use.

    Args:
        connection: A writing transaction; two processes that both find no key take turns.
        secrets: Seals the private half.
        now: When a new key is made.

    Returns:
        An RSA key of 2048 bits or more.

    Raises:
        SealBroken: It was sealed under another secret key.
    """  # noqa: DOC502 - raised by open()
    lock(connection, "tool_key", 0)
    sealed = connection.execute(
        select(tool_keys_table.c.private_key)
        .where(tool_keys_table.c.state == "current")
        .order_by(tool_keys_table.c.id)
        .limit(1)
    ).scalar()
    if sealed is not None:
        return _loaded(secrets.open(sealed))
    made = rsa.generate_private_key(public_exponent=_KEY_EXPONENT, key_size=_KEY_BITS)
    key = ToolKey(kid=_thumbprint(made), private_key=made)
    connection.execute(
        insert(tool_keys_table).values(
            kid=key.kid, private_key=secrets.seal(_pem(made)), state="current", created_at=now
        )
    )
    return key


def _loaded(pem: str) -> ToolKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101 - only such keys are ever sealed
    return ToolKey(kid=_thumbprint(key), private_key=key)


def _pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _public_members(key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {"e": _base64url_uint(numbers.e), "kty": "RSA", "n": _base64url_uint(numbers.n)}


def _thumbprint(key: rsa.RSAPrivateKey) -> str:
    # RFC 7638: the required members alone, in alphabetical order, without spaces.
    canonical = json.dumps(_public_members(key), separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _base64url_uint(number: int) -> str:
    return _base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


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
    }


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
    )
