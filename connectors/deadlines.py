"""When an exchange must be over: one thread watches over all of a process.

Timeouts of requests count the silence between two bytes, so a byte a second would hold a worker
for days. A deadline breaks the connections of an exchange, wherever it stands.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from contextvars import ContextVar
from typing import Self

_IDLE_SECONDS = 0.5
"""The watching thread ends when it had nothing to watch for so long: workers fork."""


_DEADLINE: ContextVar["Deadline | None"] = ContextVar("deadline", default=None)


class Deadline:
    """Breaks the connections of an exchange when its time is over.

    What is sent and received while it is entered is bound by it.
    """

    def __init__(self, seconds: float) -> None:
        """Take the time, in seconds from now on."""
        self.has_passed = False
        self.ends_at = time.monotonic() + seconds
        self._handles: list[socket.socket] = []
        self._borrowed: list[socket.socket] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._token = _DEADLINE.set(self)
        _WATCH.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        _WATCH.remove(self)
        _DEADLINE.reset(self._token)
        with self._lock:
            for handle in self._handles:
                handle.close()
            self._handles.clear()
            self._borrowed.clear()

    @property
    def remaining_seconds(self) -> float:
        """From 0 on."""
        return max(self.ends_at - time.monotonic(), 0.0)

    def follow(self, connection: socket.socket) -> None:
        """Break this connection, too, when the time is over.

        By a handle of its own: TLS takes the socket over in the middle of the exchange.
        """
        handle = socket.socket(
            connection.family, connection.type, connection.proto, os.dup(connection.fileno())
        )
        self._handles.append(handle)
        if self.has_passed:
            self.end()

    def borrow(self, connection: socket.socket) -> None:
        """As ``follow``, for a connection that nobody takes over any more: it costs nothing."""
        self._borrowed.append(connection)
        if self.has_passed:
            self.end()

    def end(self) -> None:
        """Break what is followed, now."""
        with self._lock:
            self.has_passed = True
            for connection in (*self._handles, *self._borrowed):
                with suppress(OSError):
                    # Below TLS, which would want to say goodbye first.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Watch:
    """Ends deadlines when they have come; its thread lives while there are any."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew, as a forked child does."""
        self._changed = threading.Condition()
        self._running: set[Deadline] = set()
        self._wakes_at = 0.0
        self._is_watching = False

    def add(self, one: Deadline) -> None:
        with self._changed:
            self._running.add(one)
            if not self._is_watching:
                self._is_watching = True
                threading.Thread(target=self._watch, name="deadlines", daemon=True).start()
            elif one.ends_at < self._wakes_at:
                self._changed.notify()

    def remove(self, one: Deadline) -> None:
        with self._changed:
            self._running.discard(one)

    def _watch(self) -> None:
        while (due := self._next()) is not None:
            for one in due:
                one.end()

    def _next(self) -> list[Deadline] | None:
        """Wait, and say whose time has come; None when there is nothing left to watch."""
        with self._changed:
            was_idle = not self._running
            now = time.monotonic()
            self._wakes_at = min(
                (one.ends_at for one in self._running), default=now + _IDLE_SECONDS
            )
            self._changed.wait(max(self._wakes_at - now, 0.0))
            if was_idle and not self._running:
                self._is_watching = False
                return None
            now = time.monotonic()
            due = [one for one in self._running if one.ends_at <= now]
            self._running.difference_update(due)
            return due


_WATCH = _Watch()
# A forked child has the deadlines of its parent, but not the thread that watches them.
os.register_at_fork(after_in_child=_WATCH.forget)


def current() -> Deadline | None:
    """The deadline of the exchange that is going on."""
    return _DEADLINE.get()
