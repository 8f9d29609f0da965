"""What cron does besides beginning nights: a sign of life, late nights, messages to be sent."""

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from redis import RedisError

from bootstrap.container import Container
from mapping.records import TenantId
from store.session import reading
from store.tenants import all_tenants
from workers import late_nights, notices

log = logging.getLogger(__name__)

CRON_KEY = "waymark:cron"
_SIGN_SECONDS = 24 * 3_600
SIGN_LASTS = timedelta(minutes=2)
"""A scheduler whose last sign is older is not alive: it gives one every quarter of a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CronSign:
    """When a scheduler last gave a sign of life, and how it is set."""

    at: datetime
    sync_at: str
    late_at: str


def see_to_watching(container: Container) -> None:
    """Give a sign of life, look for late nights and send messages that are due."""
    _give_sign(container)
    for tenant, zone in _zones(container):
        late_nights.see_to_late_night(
            container.engine,
            tenant,
            late_nights.Hours(
                sync_at=container.settings.sync_at, late_at=container.settings.late_at, zone=zone
            ),
            now=container.now(),
        )
    notices.send_due(container)


def cron_sign(container: Container) -> CronSign | None:
    """The newest sign of life of any scheduler, None where there was none within a day."""
    found = container.redis.get(CRON_KEY)
    if not isinstance(found, bytes):
        return None
    said = json.loads(found)
    return CronSign(
        at=datetime.fromisoformat(said["at"]), sync_at=said["sync_at"], late_at=said["late_at"]
    )


def _give_sign(container: Container) -> None:
    said = {
        "at": container.now().isoformat(),
        "sync_at": container.settings.sync_at.isoformat("minutes"),
        "late_at": container.settings.late_at.isoformat("minutes"),
    }
    try:
        container.redis.set(CRON_KEY, json.dumps(said), ex=_SIGN_SECONDS)
    except RedisError as error:
        log.warning("Redis took no sign of life: %s", type(error).__name__)


def _zones(container: Container) -> tuple[tuple[TenantId, ZoneInfo], ...]:
    with reading(container.engine) as connection:
        return tuple(
            (tenant.id, container.settings.sync_timezone or ZoneInfo(tenant.timezone))
            for tenant in all_tenants(connection)
        )
