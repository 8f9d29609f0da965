"""Looking an LMS over in the background, for a page: a page itself never waits for an LMS.

What was found is kept in Redis for a day; it can be had again by looking again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from rq import Retry

from bootstrap.checks import Check
from bootstrap.checkup import check_platform
from bootstrap.container import Container
from mapping.records import PlatformId
from workers.queue import open_queue

_KEPT_SECONDS = 86_400
_JOB_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedOver:
    """What was found so far, and when it was begun; ``is_done`` once nothing more comes."""

    begun_at: datetime
    is_done: bool
    checks: Sequence[Check]

    def is_lost(self, now: datetime) -> bool:
        """Whether it ended early: no look takes so long."""
        return not self.is_done and now - self.begun_at > timedelta(seconds=_JOB_SECONDS)

    @property
    def is_fine(self) -> bool:
        """Whether launches and nights can work with all that was found."""
        return self.is_done and all(check.ok for check in self.checks)


def begin_check(container: Container, platform: PlatformId) -> None:
    """Have a worker look an LMS over; what was found before is forgotten."""
    _keep(container, platform, LookedOver(begun_at=container.now(), is_done=False, checks=()))
    open_queue(container).enqueue(
        "workers.jobs.look_over",
        int(platform),
        at_front=True,
        job_timeout=_JOB_SECONDS,
        result_ttl=0,
        failure_ttl=_KEPT_SECONDS,
        retry=Retry(max=2),
    )


def looked_over(container: Container, platform: PlatformId) -> LookedOver | None:
    """What was found the last time, None where nobody looked within a day."""
    found = container.redis.get(_name(platform))
    if found is None:
        return None
    return msgspec.json.decode(found, type=LookedOver)


def look_over(container: Container, platform: PlatformId) -> None:
    """Look an LMS over, and keep each finding as it comes."""
    begun_at, checks = container.now(), list[Check]()
    for check in check_platform(container, platform):
        checks.append(check)
        _keep(container, platform, LookedOver(begun_at=begun_at, is_done=False, checks=checks))
    _keep(container, platform, LookedOver(begun_at=begun_at, is_done=True, checks=checks))


def _keep(container: Container, platform: PlatformId, kept: LookedOver) -> None:
    container.redis.set(_name(platform), msgspec.json.encode(kept), ex=_KEPT_SECONDS)


def _name(platform: PlatformId) -> str:
    return f"waymark:looked-over:{platform}"
