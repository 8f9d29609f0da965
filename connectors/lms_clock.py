"""What time it is for an LMS: its rows carry its own clock's moments, not ours.

A reading goes on where the last one began. Were that moment ours alone, changes would fall
between two readings of an LMS whose clock is behind by more than the readings overlap.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from connectors.exchange import Reply

MOST_APART = timedelta(days=1)
"""A date that is older comes from some cache, not from a clock."""


def ahead_of_us(reply: Reply, now: datetime) -> timedelta:
    """How far an LMS's clock is ahead of ours.

    Args:
        reply: An answer that came just now.
        now: Our clock's moment, aware.

    Returns:
        Negative where it is behind; 0 where the answer has no date, or one that no clock shows.

    Source: RFC 9110 section 6.6.1.
    """
    try:
        ahead = parsedate_to_datetime(reply.headers.get("Date", "")) - now
    except (TypeError, ValueError):
        return timedelta(0)
    return ahead if abs(ahead) <= MOST_APART else timedelta(0)


class LmsClock:
    """Learns from the ``Date`` of answers how far an LMS's clock is behind."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Take the LMS to be on time until it says otherwise.

        Args:
            now: Our clock; aware.
        """
        self._now = now
        self._behind = timedelta(0)

    def hear(self, reply: Reply) -> None:
        """Take note of what the LMS says of the time.

        Args:
            reply: An answer that came just now. One without a date says nothing.
        """
        self._behind = max(self._behind, -ahead_of_us(reply, self._now()))

    def at_lms(self, moment: datetime) -> datetime:
        """A moment of ours, as early as it can have been by the LMS's clock.

        Args:
            moment: By our clock; aware.

        Returns:
            The same moment or an earlier one.
        """
        return moment - self._behind
