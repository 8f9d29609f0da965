"""Locks that all processes share, through Redis."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from redis.exceptions import LockError, RedisError

from connectors.errors import RetryLater
from connectors.places import KEEPER, LEASE_SECONDS, Keeper

if TYPE_CHECKING:
    from redis import Redis
    from redis.lock import Lock

LONGEST_SECONDS = 300.0
"""Longer than anything done under a lock."""
WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.05


@contextmanager
def shared_lock(
    redis: "Redis", name: str, *, wait_seconds: float = WAIT_SECONDS, keeper: Keeper = KEEPER
) -> Iterator[None]:
    """Hold a lock that one process at a time can hold.

    One whose holder died comes free after ``connectors.places.LEASE_SECONDS``.

    Args:
        redis: Where all processes meet.
        name: What is locked.
        wait_seconds: How long to wait for another holder.
        keeper: Renews it while it is held.

    Raises:
        RetryLater: Another process holds it all the while.
    """
    lock = redis.lock(
        f"waymark:lock:{name}",
        timeout=LEASE_SECONDS,
        blocking_timeout=wait_seconds,
        sleep=_POLL_SECONDS,
        # It is renewed by another thread.
        thread_local=False,
    )
    if not lock.acquire():
        raise RetryLater(
            "Another process of Waymark is making the same columns; this one tries again soon.",
            cause="locked",
        )
    held = f"{lock.name}:{lock.local.token!r}"
    keeper.hold(held, partial(_renew, lock), most_seconds=LONGEST_SECONDS)
    try:
        yield
    finally:
        keeper.let_go(held)
        # Lost only to its own expiry: then there is nothing to give back.
        with suppress(LockError):
            lock.release()


def _renew(lock: "Lock") -> None:
    # Where it was lost, or Redis stays away, its holder finds out by what it does.
    with suppress(RedisError):
        lock.reacquire()
