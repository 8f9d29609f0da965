"""The way in before anybody can log in: an address that whoever runs Waymark opens, once a day.

Waymark has no passwords of its own, so nobody comes in before an LMS is connected. Until then, and
where nobody may any more, the command line gives an address that does nothing but connect LMSs.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import msgspec

from lti_tool.launch.cookies import digest
from lti_tool.launch.refusals import SetupRefused
from mapping.records import TenantId
from store import tenants
from store.session import reading

if TYPE_CHECKING:
    from redis import Redis

    from bootstrap.container import Container
    from lti_tool.launch.services import Services

LINK_LIFE = timedelta(hours=24)
TOKEN_LENGTH = 43
_KEY = "waymark:setup-link:"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupLink:
    """What an address is good for: one district, or the first one, which it makes."""

    tenant: TenantId | None


def make_setup_link(container: "Container", tenant: TenantId | None) -> str:
    """An address that connects LMSs to a district.

    Args:
        container: What to work with.
        tenant: Which district; None where there is none yet, so that the address makes the first.

    Returns:
        The whole address, good for 24 hours; it can be had only here and now.
    """
    token = secrets.token_urlsafe(32)
    _keep(container.redis, token, SetupLink(tenant=tenant))
    return f"{container.settings.public_url}/setup/{token}"


def find_setup(token: str, at: "Services") -> SetupLink:
    """What an address is good for.

    Raises:
        SetupRefused: It is unknown or over, or the first district was made otherwise meanwhile.
    """
    found = at.container.redis.get(_KEY + digest(token))
    if found is None:
        raise SetupRefused("setup_unknown")
    link = msgspec.json.decode(cast("bytes", found), type=SetupLink)
    if link.tenant is None:
        with reading(at.engine) as connection:
            if tenants.all_tenants(connection):
                raise SetupRefused("setup_done_otherwise")
    return link


def use_for(token: str, tenant: TenantId, at: "Services") -> None:
    """Have an address be good for the district that it made, for as long as it was before."""
    link = msgspec.json.encode(SetupLink(tenant=tenant))
    at.container.redis.set(_KEY + digest(token), link, xx=True, keepttl=True)


def _keep(redis: "Redis", token: str, link: SetupLink) -> None:
    redis.set(_KEY + digest(token), msgspec.json.encode(link), ex=LINK_LIFE)
