"""The pause switch on the way of every request: a gate before the pacing and behind it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.errors import Paused
from connectors.limiter import Limiter, News

LOOKED_EVERY_SECONDS = 2.0
"""How old what a gate knows may be: a pause holds everywhere within five seconds."""
_NAP_SECONDS = 1.0


@dataclass(slots=True, kw_only=True)
class Gate:
    """Says whether requests may leave, and lets nobody sleep through a pause.

    Attributes:
        look: Asks where the switch is kept; a sentence for a person while it is set, else None.
        nap: Waits for seconds.
        monotonic: Seconds that no clock step moves.
    """

    look: Callable[[], str | None]
    nap: Callable[[float], None]
    monotonic: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _looked_at: float | None = field(default=None, init=False)
    _closed: str | None = field(default=None, init=False)

    def check(self) -> None:
        """Return where requests may leave.

        Raises:
            Paused: They may not; the message says who paused, since when and why.
        """
        with self._lock:
            now = self.monotonic()
            if self._looked_at is None or now - self._looked_at >= LOOKED_EVERY_SECONDS:
                # The moment before the look counts: it may take its time.
                self._closed, self._looked_at = self.look(), now
            closed = self._closed
        if closed is not None:
            raise Paused(closed, cause="paused")

    def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the beginning of a pause.

        Args:
            seconds: How long, 0 or more.

        Raises:
            Paused: A pause began.
        """  # noqa: DOC502 - raised by check()
        left = seconds
        while left > 0:
            step = min(left, _NAP_SECONDS)
            self.nap(step)
            left -= step
            self.check()


class GatedLimiter:
    """A limiter that lets no request through while its gate is shut."""

    def __init__(self, limiter: Limiter, gate: Gate) -> None:
        """Take the pacing, and the gate."""
        self._limiter = limiter
        self._gate = gate

    def begin(self, most_seconds: float) -> str:
        """Return when a request may be sent.

        Args:
            most_seconds: How long the request may take.

        Returns:
            The place taken.

        Raises:
            Paused: Nothing may be sent now.
        """
        self._gate.check()
        place = self._limiter.begin(most_seconds)
        try:
            self._gate.check()
        except Paused:
            self._limiter.end(place, News())
            raise
        return place

    def end(self, place: str, news: News) -> None:
        """Give a place back and tell what came of the request."""
        self._limiter.end(place, news)

    def pause(self, seconds: float) -> None:
        """Let nobody ask the platform for some seconds."""
        self._limiter.pause(seconds)
