"""A person's judgement in place of a computed status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from mapping.columns import (
    NO_MOMENT,
    BoolArray,
    CodeArray,
    FloatArray,
    IntArray,
    TableRefused,
    typed,
)
from mapping.judgement.levels import highest_working_level, shown_levels, working_status
from mapping.judgement.retention import earliest, still_to_come
from mapping.pairs import NOWHERE, Pairs
from mapping.rules.mastery_rule import MasteryRule
from mapping.scales import reaches
from mapping.status import OverrideState, StandingTable, Status

_TYPES: Mapping[str, DTypeLike] = MappingProxyType(
    {
        "learner": np.int64,
        "competency": np.int64,
        "status": np.int8,
        "given_at": np.int64,
        "until": np.int64,
    }
)
OVERRIDABLE = (Status.EMERGING, Status.DEVELOPING, Status.MASTERED, Status.NOT_SUSTAINED)
"""What a person may say in place of a computed status."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OverrideTable:
    """Overrides in columns, ascending by learner and competency; make one with ``of``.

    ``status`` holds codes of ``OVERRIDABLE`` statuses; ``given_at`` and ``until`` are moments,
    the latter ``NO_MOMENT`` for one without an end. Who gave it and why are not needed here.
    """

    learner: IntArray
    competency: IntArray
    status: CodeArray
    given_at: IntArray
    until: IntArray

    @classmethod
    def of(cls, columns: Mapping[str, ArrayLike]) -> Self:
        """Make a table of sequences by column name, in any order of rows.

        Raises:
            TableRefused: A column is missing, unknown, or not of its type or length; a pair is
                overridden twice; a status cannot be given by a person.
        """
        table = cls(**typed(columns, _TYPES))
        table = table.rows(np.lexsort((table.competency, table.learner)))
        is_repeated = (table.learner[1:] == table.learner[:-1]) & (
            table.competency[1:] == table.competency[:-1]
        )
        if is_repeated.any():
            raise TableRefused("A learner's competency is overridden twice")
        if not np.isin(table.status, OVERRIDABLE).all():
            raise TableRefused("A status cannot be given by a person")
        return table

    @classmethod
    def none(cls) -> Self:
        """No override."""
        return cls.of(dict.fromkeys(_TYPES, ()))

    def __len__(self) -> int:
        return self.learner.size

    def rows(self, index: IntArray | BoolArray) -> Self:
        """These rows; they must ascend as the table does."""
        return type(self)(**{name: getattr(self, name)[index] for name in self.__slots__})

    def is_in_force(self, at: int | None) -> BoolArray:
        """Which of them hold at a moment: from ``given_at`` on, and before ``until``.

        Args:
            at: The moment; None for outside time, where nothing ends.
        """
        if at is None:
            return np.ones(len(self), dtype=np.bool_)
        is_over = (self.until != NO_MOMENT) & (self.until <= at)
        holds: BoolArray = (self.given_at <= at) & ~is_over
        return holds


def overridden(
    table: StandingTable,
    newest: IntArray,
    overrides: OverrideTable,
    *,
    rules: Sequence[MasteryRule],
    has_children: BoolArray,
    at: int | None,
) -> StandingTable:
    """Put what persons said in place of computed statuses.

    The status becomes what was said. Where the estimate speaks against it, level and estimate
    become those of the lowest level of that status, so that a gradebook and a parent see the
    judgement and not the number it was given against; the computed standing is had by judging
    without overrides.

    Args:
        table: Computed standings.
        newest: When the newest piece that counts occurred, of the table's length; the override
            is out of date if that is later than it. What is hidden in a view counts in none of
            its standings, so it makes no override out of date there either.
        overrides: Of any pairs.
        rules: What ``table.rule`` indexes.
        has_children: Which rows are made up of children, of the table's length.
        at: The moment; None for outside time.

    Returns:
        The table with the standings of pairs overridden at that moment changed.

    Source: contracts/mastery-methods.md 2.4, row "Stale override".
    """
    found = Pairs(learner=table.learner, competency=table.competency).find(
        overrides.learner, overrides.competency
    )
    known, row = overrides.rows(found != NOWHERE), found[found != NOWHERE]
    if row.size == 0:
        return table
    review_at = table.review_at.copy()
    changes_at = (still_to_come(moments, at) for moments in (known.given_at, known.until))
    review_at[row] = earliest(review_at[row], *changes_at)
    holds = known.is_in_force(at)
    known, row = known.rows(holds), row[holds]
    said = _said(table.rows(row), known, rules=rules, has_children=has_children[row])
    is_stale = newest[row] > known.given_at
    state = np.where(is_stale, OverrideState.OUT_OF_DATE, OverrideState.IN_FORCE)
    said = said.with_columns(override=state.astype(np.int8))
    return table.with_rows(row, said).with_columns(review_at=review_at)


def _said(
    computed: StandingTable,
    overrides: OverrideTable,
    *,
    rules: Sequence[MasteryRule],
    has_children: BoolArray,
) -> StandingTable:
    estimate, level = computed.estimate.copy(), computed.level.copy()
    for index in np.unique(computed.rule).tolist():
        rows = computed.rule == index
        estimate[rows] = _estimates(computed.rows(rows), overrides.status[rows], rules[index])
        level[rows] = shown_levels(estimate[rows], overrides.status[rows], rules[index])
    is_mastered = overrides.status == Status.MASTERED
    is_first = is_mastered & (computed.mastered_at == NO_MOMENT)
    return computed.with_columns(
        status=overrides.status,
        level=level,
        estimate=estimate,
        mastered_count=np.where(has_children, computed.mastered_count, is_mastered),
        mastered_at=np.where(is_first, overrides.given_at, computed.mastered_at),
    )


def _estimates(computed: StandingTable, said: CodeArray, rule: MasteryRule) -> FloatArray:
    """The computed estimate where it agrees with what was said, else that of the level."""
    estimate = computed.estimate
    is_reached = reaches(estimate, rule.mastered)
    of_estimate = np.where(is_reached, Status.MASTERED, working_status(estimate, rule))
    is_below = (said == Status.NOT_SUSTAINED) & ~is_reached & ~np.isnan(estimate)
    agrees = (said == computed.status) | (said == of_estimate) | is_below
    return np.where(agrees & ~np.isnan(estimate), estimate, _points(rule)[said])


def _points(rule: MasteryRule) -> FloatArray:
    """What the lowest level of each status is worth, in points of the rule's scale."""
    highest = highest_working_level(rule)
    points = np.full(len(Status), np.nan)
    points[Status.EMERGING] = _worth(rule, 0)
    points[Status.DEVELOPING] = _worth(rule, min(1, highest))
    points[Status.NOT_SUSTAINED] = _worth(rule, highest)
    mastered = rule.scale.points_of(int(rule.scale.levels_of(rule.mastered)))
    points[Status.MASTERED] = max(mastered, rule.mastered)
    return points


def _worth(rule: MasteryRule, level: int) -> float:
    """The points of a working level; where it begins, if its points would be mastery."""
    points = rule.scale.points_of(level)
    return float(rule.scale.cuts[level]) if reaches(points, rule.mastered) else points
