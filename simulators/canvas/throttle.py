"""Canvas's leaky bucket: one for each identity, in memory.

Source: canvas.md 1.5 (request_throttle.rb).
"""

from dataclasses import dataclass
from threading import Lock

CAPACITY = 800.0
HIGH_WATER_MARK = 600.0
OUTFLOW_PER_SECOND = 10.0
UP_FRONT_COST = 50.0


@dataclass(slots=True)
class _Bucket:
    count: float
    leaked_at: float


class Throttle:
    """The buckets of all identities; safe to share between threads."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}
        self._lock = Lock()

    def arrive(self, identity: str, now: float) -> bool:
        """Put the up-front cost into the bucket.

        Args:
            identity: Whose bucket.
            now: Seconds since 1970.

        Returns:
            Whether the request may go on; either way ``settle`` must follow.
        """
        with self._lock:
            bucket = self._leaked(identity, now)
            bucket.count = min(CAPACITY, bucket.count + UP_FRONT_COST)
            return bucket.count < HIGH_WATER_MARK

    def settle(self, identity: str, now: float, *, cost: float) -> float:
        """Replace the up-front cost by the true one, in seconds of work.

        Returns:
            What is left below the high-water mark.
        """
        with self._lock:
            bucket = self._leaked(identity, now)
            bucket.count = max(0.0, bucket.count + cost - UP_FRONT_COST)
            return HIGH_WATER_MARK - bucket.count

    def _leaked(self, identity: str, now: float) -> _Bucket:
        bucket = self._buckets.setdefault(identity, _Bucket(0.0, now))
        leaked = OUTFLOW_PER_SECOND * max(0.0, now - bucket.leaked_at)
        bucket.count = max(0.0, bucket.count - leaked)
        bucket.leaked_at = now
        return bucket
