"""What a whole reading of a course said, as digests: one that says the same changes nothing.

Most courses of a weekly sweep say what they said a week before. The digests of a whole reading
are kept until a cell of the course is written, so that they tell of what is kept; a reading whose
parts have the same digests need not read back a single cell to know that it has no news.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select, update

from mapping.records import CourseId
from mapping.score_columns import ScoreColumns
from store.arrays import Array
from store.cells import ROW
from store.tables import courses

_SIZE = 16
_NEVER_THE_SAME = bytes(_SIZE)
_FORM = repr(ROW.descr).encode()
"""Rows of another form in a later release are other rows, whatever their bytes."""


@dataclass(slots=True, kw_only=True)
class Retold:
    """How far a reading says what the last whole one said.

    Attributes:
        before: What the last whole reading said, and nothing was written since; None: not known.
        said: What this one said so far.
        is_same: Whether that is the same so far.
        is_ended: Whether this one is whole, and at its end.
    """

    before: bytes | None
    said: list[bytes] = field(default_factory=list)
    is_same: bool = True
    is_ended: bool = False

    def says_again(self, page: ScoreColumns, keys: Array, rows: Array) -> bool:
        """Take in a part, and tell whether it and all before it say what is kept.

        What cannot be kept is told of each time, and earlier attempts are kept elsewhere, so a
        part with any of them never says the same.
        """
        is_plain = not page.earlier and bool(page.is_readable.all())
        return self._add(_digest(keys, rows) if is_plain else _NEVER_THE_SAME)

    def ends_alike(self, published: Sequence[int]) -> bool:
        """Take in that this was all, and which line items are published."""
        self.is_ended = True
        self._add(_digest(np.array(sorted(published), np.int64)))
        return self.is_same and self.before == b"".join(self.said)

    def to_keep(self, *, has_news: bool) -> bytes | None:
        """What is kept for the next whole reading.

        Args:
            has_news: Whether this one wrote anything.
        """
        if self.is_ended:
            return b"".join(self.said)
        return None if has_news else self.before

    def _add(self, digest: bytes) -> bool:
        start = len(self.said) * _SIZE
        self.said.append(digest)
        before = (self.before or b"")[start : start + _SIZE]
        self.is_same = self.is_same and digest == before != _NEVER_THE_SAME
        return self.is_same


def take_back(connection: Connection, course_id: CourseId) -> Retold:
    """What the last whole reading of a course said, which is forgotten until this one has ended."""
    found = connection.execute(select(courses.c.whole_digest).where(courses.c.id == course_id))
    before = found.scalar_one()
    if before is not None:
        forget(connection, course_id)
    return Retold(before=before)


def forget(connection: Connection, course_id: CourseId) -> None:
    """For whoever writes cells of a course in another way than by reading it."""
    connection.execute(update(courses).where(courses.c.id == course_id).values(whole_digest=None))


def _digest(*arrays: NDArray[np.generic]) -> bytes:
    found = hashlib.blake2b(_FORM, digest_size=_SIZE)
    for array in arrays:
        found.update(array.tobytes())
    return found.digest()
