"""How Moodle writes moments."""

from datetime import UTC, datetime


def moment(seconds: int | None) -> datetime | None:
    """A moment of Moodle's in UTC; 0 stands for none."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
