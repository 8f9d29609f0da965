"""Pacing: how fast one platform is asked, shared by all workers through Redis.

A Canvas refuses whoever asks too fast, and one noisy worker would spend the allowance of all.
Every request takes a slot of a common timetable (GCRA: a leaky bucket kept as one number); when
the platform throttles nevertheless, everybody pauses.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, cast

from redis import Redis, RedisError

from connectors.errors import RetryLater

# Redis's own clock, so that workers on several machines agree. "%.0f", because Lua would
# write a number of milliseconds in scientific notation and lose its tail.
_TAKE_SLOT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local interval, slack, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local booked = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local paused = tonumber(redis.call('GET', KEYS[2]) or '0')
if paused > now then booked = math.max(booked, paused + slack) end
local start = math.max(booked - slack, now)
if start - now > patience then return {0, math.ceil(start - now)} end
local life = math.ceil(booked + interval - now) + 1000
redis.call('SET', KEYS[1], string.format('%.0f', booked + interval), 'PX', life)
return {1, math.ceil(start - now)}
"""

_PAUSE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local asked = now + tonumber(ARGV[1])
if asked > tonumber(redis.call('GET', KEYS[1]) or '0') then
  redis.call('SET', KEYS[1], string.format('%.0f', asked), 'PX', tonumber(ARGV[1]))
end
return 1
"""


class Limiter(Protocol):
    """Says when the next request to a platform may go out."""

    def wait(self) -> None:
        """Return when a request may be sent.

        Raises:
            RetryLater: The wait would be longer than the limiter's patience.
        """
        ...

    def pause(self, seconds: float) -> None:
        """Let nobody ask the platform for some seconds."""
        ...


class UnpacedLimiter:
    """Lets every request through at once: for tests and for a platform that is a simulator."""

    def wait(self) -> None:
        """Return at once."""

    def pause(self, seconds: float) -> None:
        """Pause nobody."""


class RedisLimiter:
    """Paces all workers of one platform by one timetable in Redis."""

    def __init__(
        self,
        redis: "Redis",
        *,
        platform: str,
        rate_per_second: float,
        burst: int,
        sleep: Callable[[float], None],
        patience_seconds: float = 60.0,
    ) -> None:
        """Prepare the scripts; Redis is asked only by ``wait`` and ``pause``.

        Args:
            redis: The Redis that all workers share.
            platform: The platform's name or number: one timetable each.
            rate_per_second: Requests a second in the long run, above 0.
            burst: Requests that may go out at once after a rest, at least 1.
            sleep: Waits for seconds.
            patience_seconds: The longest wait; beyond it the job is better done later.
        """
        self._keys = [f"waymark:pace:{platform}", f"waymark:pause:{platform}"]
        self._take_slot = redis.register_script(_TAKE_SLOT)
        self._pause = redis.register_script(_PAUSE)
        interval = 1000.0 / rate_per_second
        self._arguments = [interval, interval * (burst - 1), patience_seconds * 1000.0]
        self._sleep = sleep

    def wait(self) -> None:
        """Take the next slot and sleep until it comes.

        Raises:
            RetryLater: The slot is too far away, or Redis does not answer.
        """
        with redis_errors():
            taken, wait_ms = cast(
                "tuple[int, int]", self._take_slot(keys=self._keys, args=self._arguments)
            )
        if not taken:
            raise RetryLater(
                "The LMS is to be asked more slowly: the next turn is "
                f"{wait_ms / 1000:.0f} seconds away.",
                cause="throttled",
                after_seconds=wait_ms / 1000,
            )
        if wait_ms:
            self._sleep(wait_ms / 1000)

    def pause(self, seconds: float) -> None:
        """Let no worker ask the platform for some seconds; never shortens a pause.

        Args:
            seconds: How long, above 0.
        """
        with redis_errors():
            self._pause(keys=self._keys[1:], args=[max(1, round(seconds * 1000))])


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn what Redis raises into an error of ours.

    Yields:
        Nothing.

    Raises:
        RetryLater: Redis does not answer.
    """
    try:
        yield
    except RedisError as error:
        raise RetryLater(
            "Redis does not answer, so the LMS cannot be asked in turn with the other workers; "
            "the next run tries again.",
            cause="no_redis",
        ) from error
