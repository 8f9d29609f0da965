"""Whether an LMS is left alone, as ``connectors.turns`` keeps it in Redis."""

from collections.abc import Sequence
from typing import Any

from redis import Redis

KEY = "waymark:breaker:"


def left_alone(redis: Redis, platforms: Sequence[int]) -> frozenset[int]:
    """Which platforms nobody asks for the moment, by their numbers; by Redis's own clock."""
    if not platforms:
        return frozenset()
    pipe: Any = redis.pipeline(transaction=False)
    pipe.time()
    for platform in platforms:
        pipe.hget(f"{KEY}{platform}", "until")
    (seconds, micros), *until = pipe.execute()
    now = seconds * 1000 + micros / 1000
    return frozenset(
        platform
        for platform, moment in zip(platforms, until, strict=True)
        if moment is not None and float(moment) > now
    )
