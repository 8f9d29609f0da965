"""Pacing: how fast one platform is asked, shared by all workers through Redis.

A Canvas refuses whoever asks too fast, and one noisy worker would spend the allowance of all.
Every request takes a slot of a common timetable (GCRA: a leaky bucket kept as one number) and one
of few places in flight. When the platform throttles nevertheless, or its allowance runs low,
everybody pauses; when it fails again and again, it is left alone for a while.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

from redis import Redis, RedisError

from connectors import places, turns
from connectors.errors import THROTTLED, PlatformWaits, RetryLater

SPARE_SECONDS = 15.0
"""A place is renewed for so much longer than the longest request, should nobody give it back."""
MOST_FAILURES = 10
"""So many in a row, of any worker, and a platform is left alone."""
LEFT_ALONE_SECONDS = 10.0
LONGEST_LEFT_ALONE_SECONDS = 600.0

_FIRST_POLL_SECONDS = 0.01
_LONGEST_POLL_SECONDS = 0.25
_JITTER = 0.25
# Canvas's bucket leaks 10 units a second; a quarter of it is room for a few requests in flight.
_LOW_SHARE = 0.25
_DRAINED_A_SECOND = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What came of a request.

    Attributes:
        is_up: Whether the platform answered without trouble of its own; None says neither.
        remaining: What the token has left of its allowance; None where nothing was said.
    """

    is_up: bool | None = None
    remaining: float | None = None


class Limiter(Protocol):
    """Says when the next request to a platform may go out."""

    def begin(self, most_seconds: float) -> str:
        """Return when a request may be sent.

        Args:
            most_seconds: How long the request may take.

        Returns:
            The place taken, to be given back by ``end``.

        Raises:
            RetryLater: It is better sent later.
        """
        ...

    def end(self, place: str, news: News) -> None:
        """Give a place back and tell what came of the request."""
        ...

    def pause(self, seconds: float) -> None:
        """Let nobody ask the platform for some seconds."""
        ...


class UnpacedLimiter:
    """Lets every request through at once: for tests and for a platform that is a simulator."""

    def begin(self, most_seconds: float) -> str:  # noqa: ARG002 - the protocol's
        """Return at once."""
        return ""

    def end(self, place: str, news: News) -> None:
        """Note nothing."""

    def pause(self, seconds: float) -> None:
        """Pause nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a platform may be asked by all workers together.

    Attributes:
        rate_per_second: Requests a second in the long run, above 0.
        burst: Requests that may go out at once after a rest, at least 1.
        most_in_flight: Requests that may be unanswered at a time, at least 1.
        patience_seconds: The longest wait for a slot; beyond it the job is better done later.
        queue_seconds: The longest wait for a place in flight.
    """

    rate_per_second: float
    burst: int
    most_in_flight: int
    patience_seconds: float = 60.0
    queue_seconds: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """Who is paced.

    Attributes:
        platform: The platform's number: one timetable, pause and breaker each.
        token: Whose allowance is spent: one count of places in flight each. No secret.
        name: For messages.
    """

    platform: str
    token: str = ""
    name: str = "The LMS"


class RedisLimiter:
    """Paces all workers of one platform by one timetable in Redis."""

    def __init__(
        self,
        redis: "Redis",
        *,
        paced: Paced,
        pace: Pace,
        sleep: Callable[[float], None],
        draw: Callable[[], float],
        keeper: places.Keeper = places.KEEPER,
    ) -> None:
        """Prepare the scripts; Redis is asked only when requests are sent.

        Args:
            redis: The Redis that all workers share.
            paced: The platform and the token.
            pace: How fast.
            sleep: Waits for seconds.
            draw: A number from 0 to 1, drawn anew at each call: those who wait together must
                not go on together.
            keeper: Renews places while their requests go on.
        """
        platform, token = paced.platform, f"{paced.platform}:{paced.token}"
        self._keys = [
            f"waymark:pace:{platform}",
            f"waymark:pause:{platform}",
            f"waymark:flight:{token}",
            f"waymark:breaker:{platform}",
            f"waymark:allowance:{token}",
        ]
        self._begin = redis.register_script(turns.BEGIN)
        self._end = redis.register_script(turns.END)
        self._pause = redis.register_script(turns.PAUSE)
        self._renew = redis.register_script(turns.RENEW)
        self._name = paced.name
        self._pace = pace
        self._sleep = sleep
        self._draw = draw
        self._keeper = keeper

    def begin(self, most_seconds: float) -> str:
        """Take a place and the next slot, and sleep until it comes.

        Args:
            most_seconds: How long the request may take; the place is renewed meanwhile.

        Returns:
            The place.

        Raises:
            RetryLater: The slot is too far away, no place comes free, the platform is left
                alone, or Redis does not answer.
        """  # noqa: DOC502 - made by _refused()
        place = secrets.token_hex(8)
        waited, poll_seconds = 0.0, _FIRST_POLL_SECONDS
        while True:
            answer, wait_ms, *more = self._asked(place)
            if answer != turns.BUSY or waited > self._pace.queue_seconds:
                break
            nap = poll_seconds * (0.5 + self._draw())
            self._sleep(nap)
            waited += nap
            poll_seconds = min(poll_seconds * 2, _LONGEST_POLL_SECONDS)
        if answer != turns.GO:
            raise self._refused(answer, wait_ms / 1000, down_seconds=sum(more) / 1000)
        longest = most_seconds + wait_ms / 1000 + SPARE_SECONDS
        self._keeper.hold(place, partial(self._renewed, place), most_seconds=longest)
        if wait_ms:
            self._await_turn(place, wait_ms / 1000)
        return place

    def end(self, place: str, news: News) -> None:
        """Give a place back, and let all workers know what came of the request.

        Args:
            place: What ``begin`` returned.
            news: What came of it.
        """
        arguments: list[str | float] = [
            place,
            {True: "1", False: "0", None: ""}[news.is_up],
            "" if news.remaining is None else news.remaining,
            MOST_FAILURES,
            self._jittered(LEFT_ALONE_SECONDS) * 1000,
            LONGEST_LEFT_ALONE_SECONDS * 1000,
            _LOW_SHARE,
            _DRAINED_A_SECOND,
        ]
        self._keeper.let_go(place)
        with redis_errors():
            self._end(keys=self._keys, args=arguments)

    def pause(self, seconds: float) -> None:
        """Let no worker ask the platform for some seconds; never shortens a pause.

        Args:
            seconds: How long at least, above 0; up to a quarter is added by chance.
        """
        with redis_errors():
            self._pause(keys=self._keys, args=[max(1, round(self._jittered(seconds) * 1000))])

    def _await_turn(self, place: str, seconds: float) -> None:
        try:
            self._sleep(seconds)
        except RetryLater:
            # Whoever is called away must not keep the place from others.
            self.end(place, News())
            raise

    def _renewed(self, place: str) -> None:
        # Where Redis stays away, whoever asks it next finds out.
        with suppress(RedisError):
            self._renew(keys=[self._keys[2]], args=[place, places.LEASE_SECONDS * 1000.0])

    def _asked(self, place: str) -> tuple[int, ...]:
        interval = 1000.0 / self._pace.rate_per_second
        arguments: list[str | float] = [
            interval,
            interval * (self._pace.burst - 1),
            self._pace.patience_seconds * 1000.0,
            self._pace.most_in_flight,
            places.LEASE_SECONDS * 1000.0,
            place,
        ]
        with redis_errors():
            return cast("tuple[int, ...]", self._begin(keys=self._keys, args=arguments))

    def _refused(self, answer: int, seconds: float, *, down_seconds: float) -> RetryLater:
        if answer == turns.LEFT_ALONE:
            return PlatformWaits(
                f"{self._name} failed {MOST_FAILURES} times in a row, whoever asked. Waymark "
                f"leaves it alone for {seconds:.0f} seconds and then tries one request. If this "
                "lasts, ask its administrator whether it is down.",
                cause="left_alone",
                after_seconds=seconds,
                down_seconds=down_seconds,
            )
        if answer == turns.BUSY:
            return PlatformWaits(
                f"{self._name} answers so slowly that no turn came in "
                f"{self._pace.queue_seconds:.0f} seconds; the next run tries again.",
                cause="busy",
            )
        return PlatformWaits(
            f"{self._name} is to be asked more slowly: the next turn is "
            f"{seconds:.0f} seconds away.",
            cause=THROTTLED,
            after_seconds=seconds,
        )

    def _jittered(self, seconds: float) -> float:
        return seconds * (1 + _JITTER * self._draw())


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
