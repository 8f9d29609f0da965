"""Changes to the LMSs of a district, each with its line in the trail: from a page or a command."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from bootstrap.presets import issuer_of
from mapping.records import TenantId
from store import deployments, invitations, registrations
from store.policy_changes import Author, PolicyKind, record_change
from store.registrations import Platform, PlatformEntry, PlatformState

INVITATION_LIFE = timedelta(hours=72)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedLms:
    """An LMS that is to be registered; ``issuer`` is empty where it is the usual one."""

    kind: str
    name: str
    url: str
    issuer: str = ""


def invite(connection: Connection, tenant: TenantId, wanted: WantedLms, *, author: Author) -> str:
    """Invite an LMS to be registered, once, within 72 hours.

    Args:
        connection: A writing transaction.
        tenant: For which district.
        wanted: The LMS.
        author: Who invites it.

    Returns:
        The invitation's token; it can be had only here and now.
    """
    token = invitations.invite(
        connection,
        tenant,
        kind=wanted.kind,
        name=wanted.name,
        issuer=wanted.issuer or issuer_of(wanted.kind, api_url=wanted.url),
        api_url=wanted.url,
        now=author.at,
        life=INVITATION_LIFE,
    )
    change = author.change_of(PolicyKind.LMS, wanted.name, after=f"invited: {wanted.url}")
    record_change(connection, tenant, change)
    return token


def registered(
    connection: Connection, tenant: TenantId, entry: PlatformEntry, *, author: Author
) -> None:
    """Put into the trail that an LMS was registered by hand, or its registration changed."""
    told = f"registered: {entry.issuer}, client id {entry.client_id}"
    record_change(connection, tenant, author.change_of(PolicyKind.LMS, entry.name, after=told))


def enter_state(
    connection: Connection, platform: Platform, state: PlatformState, *, author: Author
) -> None:
    """Let an LMS in, or shut it out."""
    registrations.set_platform_state(connection, platform.tenant, platform.id, state, now=author.at)
    note(connection, platform, "let in" if state == "active" else "suspended", author=author)


def let_in(connection: Connection, platform: Platform, ref: str, *, author: Author) -> bool:
    """Let one installation of Waymark in an LMS in.

    Returns:
        Whether the LMS has it.
    """
    is_known = deployments.approve_deployment(connection, platform.tenant, platform.id, ref)
    if is_known:
        note(connection, platform, f"installation {ref} let in", author=author)
    return is_known


def note(connection: Connection, platform: Platform, told: str, *, author: Author) -> None:
    """Put a change of an LMS into the trail."""
    change = author.change_of(PolicyKind.LMS, platform.name, before=platform.state, after=told)
    record_change(connection, platform.tenant, change)
