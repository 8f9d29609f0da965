"""Locks that all processes share, through Redis."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from redis.exceptions import LockError

from connectors.errors import RetryLater

if TYPE_CHECKING:
    from redis import Redis

HELD_SECONDS = 300.0
"""Longer than anything done under a lock; one whose holder died comes free by itself."""
WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.05


@contextmanager
def shared_lock(redis: "Redis", name: str, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold a lock that one process at a time can hold.

    Args:
        redis: Where all processes meet.
        name: What is locked.
        wait_seconds: How long to wait for another holder.

    Raises:
        RetryLater: Another process holds it all the while.
    """
    lock = redis.lock(
        f"waymark:lock:{name}",
        timeout=HELD_SECONDS,
        blocking_timeout=wait_seconds,
        sleep=_POLL_SECONDS,
    )
    if not lock.acquire():
        raise RetryLater(
            "Another process of Waymark is making the same columns; this one tries again soon.",
            cause="locked",
        )
    try:
        yield
    finally:
        # Lost only to its own expiry: then there is nothing to give back.
        with suppress(LockError):
            lock.release()
