"""The open doors: addresses that anybody on the network may ask, and how often.

Counted in the memory of each process, so that a flood costs no trip to Redis and stores nothing.
A school's thousand browsers share one address, so a door is wide for those; it closes on machines.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from lti_tool.launch.refusals import TooManyRequests

_MOST_VISITORS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """How much one network address may ask: ``burst`` at once, then ``per_second``."""

    name: str
    per_second: float
    burst: float


LOGIN = Door(name="login", per_second=50.0, burst=1500.0)
"""A school of 1,500 that opens Waymark in the same minute comes through."""
LAUNCH = Door(name="launch", per_second=50.0, burst=1500.0)
REGISTER = Door(name="register", per_second=0.5, burst=60.0)
"""Several administrators behind one address, each with some tries; a token cannot be guessed."""
SETUP = Door(name="setup", per_second=2.0, burst=300.0)
"""Wider than registering, since its pages look by themselves whether the LMS has answered."""
EVENTS = Door(name="events", per_second=500.0, burst=20_000.0)
"""An LMS that is refused gives up sending, and a hosted one sends from few addresses."""
MASTERY = Door(name="mastery", per_second=10.0, burst=600.0)
"""A school's network that reads how mastery works on the evening of the parents."""
NOTICES = Door(name="notices", per_second=20.0, burst=600.0)


class Doors:
    """Token buckets, one for each door and visitor."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._full_at: dict[tuple[str, str], float] = {}
        self._lock = Lock()

    def enter(self, door: Door, visitor: str) -> None:
        """Count a request.

        Args:
            door: Which address was asked.
            visitor: The network address that asks.

        Raises:
            TooManyRequests: The visitor asked too often.
        """
        now = self._now().timestamp()
        key = (door.name, visitor)
        with self._lock:
            # What is kept of a bucket is when it would be full again.
            full_at = max(self._full_at.get(key, now), now) + 1.0 / door.per_second
            if full_at - now > door.burst / door.per_second:
                raise TooManyRequests(f"too_many_at_{door.name}")
            self._full_at[key] = full_at
            if len(self._full_at) > _MOST_VISITORS:
                self._forget(now)

    def _forget(self, now: float) -> None:
        """Forget full buckets, and the fullest half where all are in use."""
        self._full_at = {key: at for key, at in self._full_at.items() if at > now}
        if len(self._full_at) > _MOST_VISITORS // 2:
            emptiest = sorted(self._full_at.items(), key=lambda entry: entry[1], reverse=True)
            self._full_at = dict(emptiest[: _MOST_VISITORS // 2])
