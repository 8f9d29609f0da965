"""What an LMS grants less of than Waymark can use, noted once."""

from collections.abc import Sequence

from connectors.protocol import Note


class Notes:
    """Keeps the first note of each cause."""

    def __init__(self) -> None:
        self._kept: dict[str, Note] = {}

    @property
    def all(self) -> Sequence[Note]:
        """The notes in the order in which they came."""
        return tuple(self._kept.values())

    def add(self, cause: str, message: str) -> None:
        """Note something, unless a note of this cause is there.

        Args:
            cause: A short fixed word.
            message: What is missing, what it means and what to do.
        """
        self._kept.setdefault(cause, Note(cause=cause, message=message))

    def has(self, cause: str) -> bool:
        """Whether there is a note of this cause."""
        return cause in self._kept
