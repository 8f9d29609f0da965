"""Which LTI notices each installation of Waymark is sent: what an LMS offers, what is registered.

A launch says what is offered; registering is left to a background process, for it asks the LMS.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from mapping.records import CourseId, CourseRef, PlatformId
from store.tables import courses, deployments, platforms

WANTED = ("LtiHelloWorldNotice", "LtiContextCopyNotice")
"""The notices that Waymark has a use for."""
AGAIN = timedelta(hours=6)
"""How long after a try that failed the next one is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Notices that a deployment offers and that are not registered yet.

    ``url`` is where handlers are registered; ``known`` what is registered already.
    """

    platform: PlatformId
    deployment: str
    url: str
    missing: Sequence[str]
    known: Sequence[str]


def note_offer(
    connection: Connection,
    platform: PlatformId,
    deployment: str,
    *,
    url: str,
    types: Collection[str],
) -> None:
    """Keep what a launch of an approved deployment offers; another address is begun anew."""
    offered = " ".join(one for one in WANTED if one in types)
    connection.execute(
        update(deployments)
        .where(
            deployments.c.platform_id == platform,
            deployments.c.deployment_ref == deployment,
            deployments.c.is_approved,
            or_(deployments.c.notices_url != url, deployments.c.notices_offered != offered),
        )
        .values(notices_url=url, notices_offered=offered, notice_types="", notices_tried_at=None)
    )


def offers(connection: Connection, *, now: datetime) -> tuple[Offer, ...]:
    """Every offer of active platforms that something is to be registered for, now."""
    rows = connection.execute(
        select(deployments)
        .join(platforms, platforms.c.id == deployments.c.platform_id)
        .where(
            platforms.c.is_active,
            deployments.c.is_approved,
            deployments.c.notices_url != "",
            deployments.c.notices_offered != deployments.c.notice_types,
            or_(
                deployments.c.notices_tried_at.is_(None),
                deployments.c.notices_tried_at <= now - AGAIN,
            ),
        )
        .order_by(deployments.c.id)
    )
    return tuple(_offer(row) for row in rows)


def note_try(
    connection: Connection, offer: Offer, registered: Collection[str], *, now: datetime
) -> None:
    """Keep what is registered after a try, unless the offer changed meanwhile."""
    connection.execute(
        update(deployments)
        .where(
            deployments.c.platform_id == offer.platform,
            deployments.c.deployment_ref == offer.deployment,
            deployments.c.notices_url == offer.url,
        )
        .values(
            notice_types=" ".join(one for one in WANTED if one in registered),
            notices_tried_at=now,
        )
    )


def registered_types(
    connection: Connection, platform: PlatformId, deployment: str
) -> tuple[str, ...]:
    """The notices that an LMS was asked to send of a deployment."""
    found = connection.execute(
        select(deployments.c.notice_types).where(
            deployments.c.platform_id == platform, deployments.c.deployment_ref == deployment
        )
    ).scalar()
    return tuple((found or "").split())


def note_context(
    connection: Connection, platform: PlatformId, course: CourseRef, *, context: str
) -> bool:
    """Keep what LTI calls a course, which notices name it by; False where it is not known yet."""
    changed = connection.execute(
        update(courses)
        .where(courses.c.platform_id == platform, courses.c.ref == course)
        .values(context_ref=context)
    )
    return changed.rowcount == 1


def course_called(
    connection: Connection, platform: PlatformId, context: str
) -> tuple[CourseId, CourseRef] | None:
    """The course that LTI calls so, None where no launch named it yet."""
    row = connection.execute(
        select(courses.c.id, courses.c.ref)
        .where(courses.c.platform_id == platform, courses.c.context_ref == context)
        .order_by(courses.c.id)
    ).first()
    return None if row is None else (CourseId(row.id), CourseRef(row.ref))


def _offer(row: "Row[Any]") -> Offer:
    known = row.notice_types.split()
    return Offer(
        platform=PlatformId(row.platform_id),
        deployment=row.deployment_ref,
        url=row.notices_url,
        missing=[one for one in row.notices_offered.split() if one not in known],
        known=known,
    )
