"""What becomes of work that could not be done: later, with everybody's, or not tonight."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from connectors.errors import Paused, RetryLater
from store import dispatch, sync_state
from store.session import writing
from store.sync_state import LONGEST_PAUSE, ItemState
from workers.work import Work

PAUSE_SECONDS = (1.0, 5.0, 20.0, 60.0, 180.0)
"""About how long an item waits before each further try of the same night: six tries in all."""
DOWN_SECONDS = 1_800.0
"""How long a night waits for an LMS that is down."""
NIGHT = timedelta(hours=6)
"""Nothing is tried again in a run that is older: school begins."""
_SPREAD = 0.5
_LATER_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Endurance:
    """How long a night tries.

    Attributes:
        draw: A number from 0 to 1, drawn anew at each call: what failed together must not come
            back together.
        pause_seconds: About how long an item waits before each further try.
        down_seconds: How long an LMS that is down is waited for.
    """

    draw: Callable[[], float]
    pause_seconds: Sequence[float] = PAUSE_SECONDS
    down_seconds: float = DOWN_SECONDS

    def pause_after(self, attempts: int, error: RetryLater) -> timedelta:
        """How long to wait after so many tries, at least as long as the LMS asked for.

        Source: exponential backoff with jitter, AWS Architecture Blog, 2015.
        """
        base = self.pause_seconds[min(attempts, len(self.pause_seconds)) - 1]
        own = base * (1.0 - _SPREAD + 2 * _SPREAD * self.draw())
        asked = error.after_seconds * (1.0 + _LATER_SHARE * self.draw())
        return min(timedelta(seconds=max(own, asked)), LONGEST_PAUSE)


def later_or_failed(work: Work, error: RetryLater, endurance: Endurance) -> None:
    """Put an item back to be tried again, or end it where it was tried often enough.

    Args:
        work: The item in hand.
        error: Why it could not be done.
        endurance: How long the night tries.
    """
    attempts = work.lease.item.attempts
    if isinstance(error, Paused):
        _put_back(work, error, timedelta(0), is_counted=False)
    elif is_too_late(work):
        fail(work, cause=error.cause, message=f"{error} The night is over.")
    elif error.is_everybodys:
        _wait_together(work, error, endurance)
    elif attempts > len(endurance.pause_seconds):
        fail(work, cause=error.cause, message=f"{error} It was tried {attempts} times.")
    else:
        _put_back(work, error, endurance.pause_after(attempts, error))


def fail(work: Work, *, cause: str, message: str) -> None:
    """End an item for this run: ``message`` says to a person why, ``cause`` groups."""
    with work.writing() as connection:
        sync_state.finish(
            connection,
            work.lease,
            ItemState.FAILED,
            now=work.now(),
            cause=cause,
            message=message,
        )


def is_too_late(work: Work) -> bool:
    """Whether the run has gone on for so long that nothing is tried again in it."""
    return work.now() - work.run.started_at >= NIGHT


def _wait_together(work: Work, error: RetryLater, endurance: Endurance) -> None:
    """The platform is in trouble as a whole: notice it once for all that would ask it."""
    item = work.lease.item
    # It may be down since before this run, which has not waited for it yet.
    waited_seconds = min(error.down_seconds, (work.now() - work.run.started_at).total_seconds())
    if waited_seconds > endurance.down_seconds:
        minutes = round(waited_seconds / 60)
        why = error.cause, f"{error} It was waited for {minutes} minutes tonight."
        fail(work, cause=why[0], message=why[1])
        with writing(work.engine) as connection:
            dispatch.give_up_platform(connection, item, now=work.now(), why=why)
        return
    pause = endurance.pause_after(1, error)
    _put_back(work, error, pause, is_counted=False)
    with writing(work.engine) as connection:
        dispatch.put_off_platform(
            connection, item, not_before=work.now() + pause, why=(error.cause, str(error))
        )


def _put_back(work: Work, error: RetryLater, pause: timedelta, *, is_counted: bool = True) -> None:
    with work.writing() as connection:
        sync_state.put_back(
            connection,
            work.lease,
            not_before=work.now() + pause,
            cause=error.cause,
            message=str(error),
            is_counted=is_counted,
        )
