"""Places in flight are held only as long as their holder lives: one thread of a process says so.

A place that outlived the longest request would, where a worker dies, keep a platform of few places
from everybody for minutes. So a place is short-lived, and renewed while its request goes on.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

LEASE_SECONDS = 25.0
"""A dead holder's place comes free after so long."""
RENEWED_EVERY_SECONDS = 8.0
_IDLE_SECONDS = 10.0
"""The renewing thread ends when it had nothing to renew for so long: workers fork."""


@dataclass(slots=True)
class _Held:
    """How a place is renewed, when next, and until when at most; by the monotonic clock."""

    renew: Callable[[], None]
    due_at: float
    until: float


class Keeper:
    """Renews places that are held for long; its thread lives while there are any."""

    def __init__(
        self, *, every_seconds: float = RENEWED_EVERY_SECONDS, idle_seconds: float = _IDLE_SECONDS
    ) -> None:
        """Take how often a place is renewed, and how long the thread outlives the last one."""
        self._every_seconds, self._idle_seconds = every_seconds, idle_seconds
        self.forget()

    def forget(self) -> None:
        """Begin anew, as a forked child does."""
        self._changed = threading.Condition()
        self._held: dict[str, _Held] = {}
        self._is_keeping = False

    def hold(self, place: str, renew: Callable[[], None], *, most_seconds: float) -> None:
        """Renew a place every few seconds until it is let go.

        Args:
            place: Which.
            renew: Renews it; raises nothing.
            most_seconds: Not longer than this, whatever becomes of its holder.
        """
        now = time.monotonic()
        with self._changed:
            self._held[place] = _Held(renew, now + self._every_seconds, now + most_seconds)
            if not self._is_keeping:
                self._is_keeping = True
                threading.Thread(target=self._keep, name="places", daemon=True).start()

    def let_go(self, place: str) -> None:
        """Renew a place no more; one that nobody holds is no error."""
        with self._changed:
            self._held.pop(place, None)

    def _keep(self) -> None:
        while (due := self._next()) is not None:
            for one in due:
                one.renew()

    def _next(self) -> list[_Held] | None:
        """Wait, and say what is to be renewed; None when there is nothing left to keep."""
        with self._changed:
            was_idle = not self._held
            now = time.monotonic()
            wakes_at = min(
                (one.due_at for one in self._held.values()), default=now + self._idle_seconds
            )
            self._changed.wait(max(wakes_at - now, 0.0))
            if was_idle and not self._held:
                self._is_keeping = False
                return None
            now = time.monotonic()
            self._held = {place: one for place, one in self._held.items() if one.until > now}
            due = [one for one in self._held.values() if one.due_at <= now]
            for one in due:
                one.due_at = now + self._every_seconds
            return due


KEEPER = Keeper()
"""Of this process."""
# A forked child has the places of its parent, but not the thread that renews them.
os.register_at_fork(after_in_child=KEEPER.forget)
