"""A work item in hand: its transactions hold the lease, its counts are kept as they happen."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from connectors.protocol import Note
from mapping.records import Counts
from store import run_notes, sync_state
from store.session import reading, writing
from store.sync_state import ItemState, Lease, Run

SWEEP_DAYS = 7
"""After how many days a course is read whole again, where nobody said otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a use case works with.

    Attributes:
        engine: The database.
        lease: The right to work on the item; every writing transaction renews it.
        run: The run the item belongs to.
        now: The clock.
        sweep_days: After how many days a course is read whole again; 0 for never by itself.
    """

    engine: Engine
    lease: Lease
    run: Run
    now: Callable[[], datetime]
    sweep_days: int = SWEEP_DAYS

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with reading(self.engine) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that commits only while the lease is held.

        ``store.sync_state.LeaseLostError`` rolls it back where another process took the item.
        """
        with writing(self.engine) as connection:
            sync_state.hold(connection, self.lease, now=self.now())
            yield connection

    def beat(self) -> None:
        """Renew the lease while waiting for others."""
        with self.writing():
            pass

    def tell(self, connection: Connection, notes: Iterable[Note]) -> None:
        """Keep what the LMS granted less of, for the run's report."""
        run_notes.keep_notes(connection, self.lease, {one.cause: one.message for one in notes})

    def finish(
        self,
        connection: Connection,
        counts: Counts,
        *,
        state: ItemState = ItemState.DONE,
        cause: str = "",
        message: str = "",
    ) -> None:
        """Count and end the item, in the transaction that finishes it."""
        sync_state.finish(
            connection,
            self.lease,
            state,
            now=self.now(),
            cause=cause,
            message=message,
            counts=counts,
        )
