"""The LMSs of a district as a page shows them: how each stands, and what is to be done next."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from bootstrap.access import has_token, is_readable
from bootstrap.container import Container
from mapping.records import TenantId
from store import deployments, registrations
from store.deployments import Deployment
from store.registrations import Platform
from workers.platform_checks import LookedOver, looked_over


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """One LMS.

    Attributes:
        platform: As it is registered.
        approved: Installations of Waymark in it that may launch.
        waiting: Those that somebody opened and nobody approved.
        has_token: Whether there is an API token that can be opened.
        is_readable: Whether there is something to read gradebooks with.
        looked_over: What was found when it was looked over the last time within a day.
        is_lost: Whether that look ended early, as when its worker was killed.
    """

    platform: Platform
    approved: Sequence[Deployment]
    waiting: Sequence[Deployment]
    has_token: bool
    is_readable: bool
    looked_over: LookedOver | None

    is_lost: bool

    @property
    def is_busy(self) -> bool:
        """Whether a worker is looking it over."""
        return self.looked_over is not None and not (self.looked_over.is_done or self.is_lost)


def connected(
    connection: Connection, tenant: TenantId, container: Container
) -> tuple[Connected, ...]:
    """A tenant's LMSs in the order in which they came."""
    return tuple(
        _connected(connection, one, container)
        for one in registrations.platforms(connection, tenant)
    )


def _connected(connection: Connection, platform: Platform, container: Container) -> Connected:
    known = deployments.deployments_of(connection, platform.id)
    looked = looked_over(container, platform.id)
    return Connected(
        platform=platform,
        approved=[one for one in known if one.is_approved],
        waiting=[one for one in known if not one.is_approved],
        has_token=has_token(container, platform),
        is_readable=is_readable(container, platform),
        looked_over=looked,
        is_lost=looked is not None and looked.is_lost(container.now()),
    )
