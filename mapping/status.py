"""The statuses, and standings in columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Self

import numpy as np

from mapping.columns import BoolArray, CodeArray, FloatArray, IntArray, row_numbers
from mapping.scales import DEFAULT_SCALE
from mapping.wording import Translator, marked

NO_LEVEL = -1
"""Stands for "no level" in a column of levels."""


class Status(IntEnum):
    """What the mastery rule says. The numbers are names, kept in databases; see ``LADDER``.

    EMERGING and DEVELOPING are the working levels: the lowest level of the scale, and every
    other one below mastery; the scale's own label tells them apart.

    Source: product/requirements.md R09 and R16 for the words, experience.md 4.8 for the symbols,
    which say it without colour.
    """

    NO_EVIDENCE = 0
    INSUFFICIENT = 1
    EMERGING = 2
    DEVELOPING = 3
    MASTERED = 4
    RECHECK_DUE = 5
    """Mastered, and long enough ago to be shown again: an invitation."""
    NOT_SUSTAINED = 6
    """Was mastered; evidence since then does not hold it."""

    @property
    def label(self) -> str:
        """The status for a person."""
        return _FACES[self][0]

    @property
    def symbol(self) -> str:
        """One character, filling up with the status."""
        return _FACES[self][1]

    @property
    def is_evidenced(self) -> bool:
        """Whether there is enough evidence to speak of a level."""
        return self >= Status.EMERGING

    @property
    def is_mastered(self) -> bool:
        """Whether it counts as mastery."""
        return self in _MASTERED


LADDER = (
    Status.NO_EVIDENCE,
    Status.INSUFFICIENT,
    Status.EMERGING,
    Status.DEVELOPING,
    Status.NOT_SUSTAINED,
    Status.RECHECK_DUE,
    Status.MASTERED,
)
"""Statuses in the order in which they are shown, lowest first."""

_MASTERED = (Status.MASTERED, Status.RECHECK_DUE)
_IS_MASTERED = np.isin(np.arange(len(Status)), _MASTERED)

_FACES: Mapping[Status, tuple[str, str]] = MappingProxyType(
    {
        Status.NO_EVIDENCE: (marked("No evidence yet"), "○"),
        Status.INSUFFICIENT: (marked("More evidence needed"), "◔"),
        Status.EMERGING: (marked("Emerging"), "◑"),
        Status.DEVELOPING: (marked("Developing"), "◕"),
        Status.MASTERED: (marked("Mastered"), "●"),
        Status.RECHECK_DUE: (marked("Mastered, re-check due"), "◉"),
        Status.NOT_SUSTAINED: (marked("Not sustained"), "◒"),
    }
)


_OWN_LABELS = frozenset(
    (*(face[0] for face in _FACES.values()), *(level.label for level in DEFAULT_SCALE.levels))
)


def label_in(words: Translator, label: str) -> str:
    """A status or level in a language; what a district calls its levels stays as it is."""
    return words.label(label) if label in _OWN_LABELS else label


def is_mastered(status: CodeArray) -> BoolArray:
    """Which codes of ``Status`` count as mastery, of the same length."""
    return _IS_MASTERED[status]


class OverrideState(IntEnum):
    """Whether a person's judgement stands in place of the computed status.

    Source: contracts/mastery-methods.md 2.4, row "Stale override".
    """

    NONE = 0
    IN_FORCE = 1
    OUT_OF_DATE = 2
    """In force, but there is evidence newer than it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StandingTable:
    """Standings in columns, ascending by learner and competency, one row for each pair.

    ``status`` holds codes of ``Status``, ``override`` of ``OverrideState``; ``level`` indexes the
    levels of the rule's scale, ``NO_LEVEL`` without an estimate; ``estimate`` is in points of the
    rule's scale, NaN for none; ``mastered_count`` is 1 for a mastered competency without
    children, else the number of direct children that are mastered. ``mastered_at`` is when
    mastery was first reached, ``review_at`` the next moment at which time alone may change the
    row, both ``NO_MOMENT`` for none. ``rule`` indexes the rules of the judgement.
    """

    learner: IntArray
    competency: IntArray
    status: CodeArray
    level: CodeArray
    estimate: FloatArray
    evidence_count: IntArray
    mastered_count: IntArray
    mastered_at: IntArray
    review_at: IntArray
    override: CodeArray
    rule: IntArray

    def __len__(self) -> int:
        return self.learner.size

    def rows(self, index: IntArray | BoolArray) -> Self:
        """These rows, in this order."""
        row = row_numbers(index)
        return type(self)(**{name: getattr(self, name)[row] for name in self.__slots__})

    @classmethod
    def joined(cls, tables: Sequence[Self]) -> Self:
        """One table after the other, at least one."""
        if len(tables) == 1:
            return tables[0]
        return cls(
            **{
                name: np.concatenate([getattr(table, name) for table in tables])
                for name in cls.__slots__
            }
        )

    def with_rows(self, index: IntArray | BoolArray, rows: Self) -> Self:
        """The same with other rows in place of some.

        Args:
            index: Which ones.
            rows: As many, of the same pairs in the same order.
        """
        columns = {name: getattr(self, name).copy() for name in self.__slots__}
        row = row_numbers(index)
        for name, column in columns.items():
            column[row] = getattr(rows, name)
        return type(self)(**columns)

    def with_columns(self, **columns: IntArray | CodeArray | FloatArray) -> Self:
        """The same rows with other columns in place of some."""
        return type(self)(
            **{name: columns.get(name, getattr(self, name)) for name in self.__slots__}
        )
