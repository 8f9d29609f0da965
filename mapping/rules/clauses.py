"""What a rule asks for besides its estimate: a tree of clauses.

As JSON, one object a clause, told by its first key::

    {"estimate": 3.0}                            the estimate reaches these scale points
    {"estimate": "Proficient"}                   the estimate reaches that level
    {"evidence": 3, "kind": "application"}       so many pieces count (of this kind)
    {"situations": 2, "of": "line_item"}         in so many situations
    {"newest_within_days": 180}                  the newest piece is no older
    {"line_item": "*final project*"}             evidence of such a line item counts
    {"children_mastered": 3}                     so many children are mastered, or "all"
    {"all": [...]}, {"any": [...]}, {"at_least": 2, "of": [...]}

``clause_definitions`` reads and writes it, ``clause_sentences`` says it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from mapping.records import EvidenceKind


class Situation(Enum):
    """What makes two pieces of evidence stand for two situations.

    Source: product/requirements.md R19.
    """

    LINE_ITEM = "line_item"
    COURSE = "course"
    KIND = "kind"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateReaches:
    """The estimate is at or above ``points``, in scale points."""

    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceReaches:
    """At least ``count`` pieces of evidence count, all or of one kind."""

    count: int
    kind: EvidenceKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SituationsReach:
    """The evidence comes from at least ``count`` situations."""

    count: int
    of: Situation = Situation.LINE_ITEM


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestWithin:
    """The newest piece that counts is at most ``days`` old."""

    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItemCounts:
    """A piece of a line item counts whose title matches a shell pattern, without case."""

    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenMastered:
    """At least ``count`` children are mastered; None for all that have evidence."""

    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """Every clause is met."""

    clauses: tuple["Clause", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SomeOf:
    """At least ``count`` of the clauses are met; 1 makes it "any"."""

    count: int
    clauses: tuple["Clause", ...]


Leaf: TypeAlias = (
    EstimateReaches
    | EvidenceReaches
    | SituationsReach
    | NewestWithin
    | LineItemCounts
    | ChildrenMastered
)
"""A clause that asks for something itself."""

Clause: TypeAlias = Leaf | AllOf | SomeOf
"""A node of the tree."""


def walk(clause: Clause, depth: int = 0) -> Iterator[tuple[Clause, int]]:
    """Go through a tree, each group before what is in it.

    Args:
        clause: The tree.
        depth: That of its root.

    Yields:
        Each clause with its depth.
    """
    yield clause, depth
    if isinstance(clause, AllOf | SomeOf):
        for part in clause.clauses:
            yield from walk(part, depth + 1)


def leaves(clause: Clause | None) -> tuple[Leaf, ...]:
    """The clauses of a tree that are no groups, in its order; none for no tree."""
    placed = () if clause is None else walk(clause)
    return tuple(found for found, _ in placed if not isinstance(found, AllOf | SomeOf))
