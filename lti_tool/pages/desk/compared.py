"""A comparison of methods as a page shows it: counts, bars, and learners disputed most first."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mapping.scales import display
from mapping.status import LADDER, Status
from store.reports import CompetencyLine, LearnerLine
from workers.comparisons import ComparedClass

LEARNERS_A_PAGE = 50
_WHOLE = 100.0
"""Of a bar, in percent of its width."""
_ROOM_FOR_A_SIGN = 12.0

HIGHER, LOWER, SAME = 1, -1, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedCell:
    """A status by one method; ``direction`` is where it stands beside the rule in force."""

    status: Status
    label: str
    estimate: str
    direction: int = SAME


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLine:
    """A learner's competency by every method."""

    competency: CompetencyLine
    is_given: bool
    is_disputed: bool
    cells: Sequence[ComparedCell]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLearner:
    """A learner with the competencies that are shown; ``disputed`` counts all disputed ones."""

    learner: LearnerLine
    disputed: int
    lines: Sequence[ComparedLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of a bar: who has one status, in percent of the bar."""

    status: Status
    count: int
    start: float
    width: float

    @property
    def middle(self) -> float:
        """Where its sign stands."""
        return round(self.start + self.width / 2, 2)

    @property
    def has_room(self) -> bool:
        """Whether its sign fits into it."""
        return self.width >= _ROOM_FOR_A_SIGN


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedWay:
    """A column: the rule in force first, then each method."""

    name: str
    sentence: str
    counts: Mapping[Status, int]
    higher: int
    lower: int
    bar: Sequence[Segment]


def ways(found: ComparedClass) -> tuple[ComparedWay, ...]:
    """The columns with their counts."""
    names = ["The rule in force", *(one.label for one in found.methods)]
    columns = zip(names, found.sentences, found.counts, found.comparison.moved(), strict=True)
    return tuple(
        ComparedWay(
            name=name[:1].upper() + name[1:],
            sentence=sentence,
            counts=counts,
            higher=higher,
            lower=lower,
            bar=tuple(_bar(counts, max(found.cells, 1))),
        )
        for name, sentence, counts, (higher, lower) in columns
    )


def statuses(shown: Sequence[ComparedWay]) -> tuple[Status, ...]:
    """Every status that any column has, highest first."""
    return tuple(one for one in reversed(LADDER) if any(one in way.counts for way in shown))


def learners_of(found: ComparedClass, *, is_whole: bool) -> tuple[LearnerLine, ...]:
    """Who is shown, those on whom most is disputed first.

    Args:
        found: A class by methods.
        is_whole: Everybody; else those only on whom methods disagree.
    """
    disputes = found.comparison.disputes()
    shown = [one for one in found.course.learners if is_whole or one.id in disputes]
    return tuple(sorted(shown, key=lambda one: -disputes.get(one.id, 0)))


def compared_learners(
    found: ComparedClass, learners: Sequence[LearnerLine], *, is_whole: bool
) -> tuple[ComparedLearner, ...]:
    """Some learners with their competencies.

    Args:
        found: A class by methods.
        learners: Whom to show.
        is_whole: All competencies; else those only in which methods disagree.
    """
    disputes = found.comparison.disputes()
    reading = _Reading(found)
    return tuple(
        ComparedLearner(
            learner=one,
            disputed=disputes.get(one.id, 0),
            lines=tuple(reading.lines(one, is_whole=is_whole)),
        )
        for one in learners
    )


class _Reading:
    """Columns worked out once for all rows."""

    def __init__(self, found: ComparedClass) -> None:
        self._found = found
        self._direction = found.comparison.direction
        self._is_disputed = found.comparison.is_disputed

    def lines(self, learner: LearnerLine, *, is_whole: bool) -> Iterator[ComparedLine]:
        rows = self._found.comparison.rows_of(learner.id)
        for competency in self._found.course.competencies:
            row = rows.get(competency.id)
            if row is not None and (is_whole or self._is_disputed[row]):
                yield ComparedLine(
                    competency=competency,
                    is_given=bool(self._found.comparison.is_given[row]),
                    is_disputed=bool(self._is_disputed[row]),
                    cells=tuple(self._cells(row)),
                )

    def _cells(self, row: int) -> Iterator[ComparedCell]:
        table = self._found.comparison
        rule = self._found.rules[int(table.rule[row])]
        for way in range(len(table.status)):
            status, estimate = Status(int(table.status[way, row])), float(table.estimate[way, row])
            yield ComparedCell(
                status=status,
                label=rule.label(status, int(table.level[way, row])),
                estimate="" if math.isnan(estimate) else display(estimate),
                direction=int(self._direction[way, row]),
            )


def _bar(counts: Mapping[Status, int], cells: int) -> Iterator[Segment]:
    start = 0.0
    for status in reversed(LADDER):
        if status in counts:
            width = round(_WHOLE * counts[status] / cells, 2)
            yield Segment(status=status, count=counts[status], start=round(start, 2), width=width)
            start += width
