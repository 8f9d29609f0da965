"""One clock for all processes and machines: the database's, counted on without a step."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from store.clock import database_now
from store.session import reading

_ASKED_EVERY_SECONDS = 30.0
_AGAIN_AFTER_SECONDS = 2.0


class DatabaseClock:
    """The database's time, asked now and then, and counted on by what no clock step moves.

    Leases, pauses and nights are told by this clock, so that a machine whose clock is wrong or
    is set in the middle of a night neither steals work nor stalls it.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        wall: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the database, and this machine's clock for when there is none."""
        self._engine = engine
        self._wall = wall
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._asked_at: float | None = None
        self._due_at = 0.0
        self._moment = datetime.min.replace(tzinfo=UTC)

    def __call__(self) -> datetime:
        """The present moment, aware, in UTC; this machine's where no database ever answered."""
        with self._lock:
            if self._asked_at is None or self._monotonic() >= self._due_at:
                self._ask()
            if self._asked_at is None:
                return self._wall()
            return self._moment + timedelta(seconds=self._monotonic() - self._asked_at)

    def _ask(self) -> None:
        began = self._monotonic()
        try:
            with reading(self._engine) as connection:
                self._moment = database_now(connection)
        except SQLAlchemyError:
            # Whoever needs the database is told by what they ask of it.
            self._due_at = began + _AGAIN_AFTER_SECONDS
            return
        self._asked_at = self._monotonic()
        self._due_at = self._asked_at + _ASKED_EVERY_SECONDS
