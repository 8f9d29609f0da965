"""The smallest step that would change a status, found by asking the engine about trials.

There is no algebra of one method here: whatever the rule, its clauses, its attempts or its
lowest piece left out, what is promised has been judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil, nan

import numpy as np

from mapping.columns import BoolArray, FloatArray
from mapping.evidence.policy import Attempts
from mapping.explanation.needs import Case, Way, extras, weakest
from mapping.explanation.trials import Extra, raised, tried
from mapping.scales import EPSILON, rounded
from mapping.status import StandingTable, Status

LOOKAHEAD = 10
"""How many further pieces an answer considers; more is no advice."""

_HUNDREDTH = Decimal("0.01")
_FINEST = 401
"""Values tried at once; a longer scale is searched in two rounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a step is to reach: mastery, or a working level of the rule's scale."""

    level: int | None = None

    def is_reached(self, table: StandingTable) -> BoolArray:
        """Whether each standing is at the goal; a re-check due is not mastery shown."""
        is_mastered: BoolArray = np.equal(table.status, Status.MASTERED)
        if self.level is None:
            return is_mastered
        is_level: BoolArray = (table.status >= Status.EMERGING) & (table.level >= self.level)
        return is_mastered | is_level


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What would reach a goal.

    Attributes:
        goal: The goal.
        extras: The further pieces.
        least: The least value of each of them, in scale points: at it and at anything better
            the goal is reached. None if they do not reach it, all at the top of the scale.
        asked: Which needs they meet.
        is_higher_enough: For what is not reached: whether it would be if every earlier score
            were at the top.
    """

    goal: Goal
    extras: tuple[Extra, ...]
    least: float | None
    asked: Way = ()
    is_higher_enough: bool = False

    @property
    def is_attempt(self) -> bool:
        """Whether it is a new attempt at an earlier piece."""
        return self.extras[0].attempt_at is not None

    @property
    def effort(self) -> tuple[bool, int, float]:
        """The smaller, the smaller the step."""
        return self.least is None, len(self.extras), self.least or 0.0


def steps(case: Case, goals: Sequence[Goal]) -> tuple[Step, ...]:
    """The smallest step to each goal, by further evidence and by a new attempt.

    Args:
        case: Whose.
        goals: What is to be reached, not reached now.

    Returns:
        For each goal the step by further evidence, reached or not, and with it one by a new
        attempt at the weakest piece where that is smaller.
    """
    known, again = case.ways, _again(case)
    fewest = max(1, case.rule.minimum_evidence - int(case.own.is_counted.sum()))
    # Needs are those of mastery: a working level asks for nothing but good pieces.
    tasks = ((), *(way for way in known if way))
    plans = [extras(case, way, fewest + LOOKAHEAD - 1) for way in tasks]
    survey = _survey(case, plans, fewest=fewest, again=again)
    found = []
    for goal in goals:
        is_plain = goal.level is not None or () in known or not known
        plan, count = survey.first(goal, is_plain=is_plain)
        chosen = plans[plan][:count] if count else plans[-1]
        known_one = survey.one if (plan, count) == (0, fewest) else None
        least = _least(case, chosen, goal, known=known_one) if count else None
        step = Step(goal=goal, extras=chosen, least=least, asked=tasks[plan])
        other = _attempt(case, again, goal, known=survey.again)
        if other is not None and other.effort < step.effort:
            found.append(other)
        found.append(step if least is not None else _hopeless(case, step))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Survey:
    """The trials of a first round, judged together.

    ``best`` has a row for each plan and count of pieces at the top, from ``fewest`` on; ``one``
    and ``again`` have a row for each value of a grid, of the first plan with the fewest pieces
    and of a new attempt. They are None where a plan takes days: then they are another day's.
    """

    best: StandingTable
    plans: int
    fewest: int
    one: StandingTable | None
    again: StandingTable | None

    def first(self, goal: Goal, *, is_plain: bool) -> tuple[int, int]:
        """The plan that needs the fewest pieces at the top, and how many; 0 if none does.

        The first plan meets no needs. It is for goals that ask for nothing but good pieces: for
        others it might do by chance, and what is needed would not be said.
        """
        reached = goal.is_reached(self.best).reshape(self.plans, -1).T
        reached[:, (1 if is_plain else 0) : (None if is_plain else 1)] = False
        if not reached.any():
            return 0, 0
        row, plan = divmod(int(reached.argmax()), self.plans)
        return plan, row + self.fewest


def _survey(
    case: Case, plans: Sequence[tuple[Extra, ...]], *, fewest: int, again: Sequence[Extra]
) -> _Survey:
    length, top, grid = len(plans[0]), case.rule.scale.top, _grid(case)
    counts = np.arange(fewest, length + 1)
    best = np.where(np.arange(length) < counts[:, np.newaxis], top, nan)
    blocks = [*[best] * len(plans), _filled(grid, fewest, length), _filled(grid, len(again))]
    pieces = [*plans, plans[0], again]
    table = _tried(case, [extra for plan in pieces for extra in plan], _diagonal(blocks))
    ends = np.cumsum([len(plans) * counts.size, grid.size])
    rows = np.arange(len(table))
    takes_days = any(extra.days for plan in plans for extra in plan)
    return _Survey(
        best=table.rows(rows < ends[0]),
        plans=len(plans),
        fewest=fewest,
        one=None if takes_days else table.rows((rows >= ends[0]) & (rows < ends[1])),
        again=None if takes_days else table.rows(rows >= ends[1]),
    )


def _filled(values: FloatArray, count: int, length: int | None = None) -> FloatArray:
    """Each value in the first so many columns of a row, nothing in the others."""
    block = np.full((values.size, count if length is None else length), nan)
    block[:, :count] = values[:, np.newaxis]
    return block


def _diagonal(blocks: Sequence[FloatArray]) -> FloatArray:
    """Blocks one below the other, each in columns of its own."""
    height, width = (sum(block.shape[axis] for block in blocks) for axis in (0, 1))
    whole = np.full((height, width), nan)
    row = column = 0
    for block in blocks:
        below, right = row + block.shape[0], column + block.shape[1]
        whole[row:below, column:right] = block
        row, column = below, right
    return whole


def _tried(case: Case, pieces: Sequence[Extra], values: FloatArray) -> StandingTable:
    table = tried(case.grounds, pieces, values=values)
    return table.rows(table.competency == case.competency)


def _grid(case: Case) -> FloatArray:
    """Hundredths from 0 on, as many as fit in one round, and the top of the scale."""
    last = _hundredths(case)
    stride = ceil((last + 1) / _FINEST)
    points = np.unique(np.append(np.arange(0, last + 1, stride), last)) / 100.0
    return np.append(points, case.rule.scale.top)


def _hundredths(case: Case) -> int:
    top = case.rule.scale.top
    nearest = rounded(top)
    return int((nearest if float(nearest) <= top + EPSILON else nearest - _HUNDREDTH) * 100)


def _least(
    case: Case, pieces: Sequence[Extra], goal: Goal, *, known: StandingTable | None
) -> float | None:
    """The least hundredth from which on every better value reaches the goal, or the top.

    ``known`` are the standings at the values of the grid, where they have been judged already.
    """
    grid = _grid(case)
    table = _tried(case, pieces, _filled(grid, len(pieces))) if known is None else known
    lowest = _lowest(grid, goal.is_reached(table))
    before = grid[grid < (lowest or 0.0) - EPSILON]
    if not lowest or before.size == 0:
        return lowest
    start, end = round(float(before[-1]) * 100.0) + 1, round(lowest * 100.0)
    if start >= end:
        return lowest
    between = np.append(np.arange(start, end) / 100.0, lowest)
    table = _tried(case, pieces, _filled(between, len(pieces)))
    return _lowest(between, goal.is_reached(table))


def _lowest(values: FloatArray, is_reached: BoolArray) -> float | None:
    """The first of ascending values from which on all reach; None if the last does not."""
    missed = np.flatnonzero(~is_reached)
    first = 0 if missed.size == 0 else int(missed[-1]) + 1
    return None if first == values.size else float(values[first])


def _again(case: Case) -> tuple[Extra, ...]:
    """A new attempt at the weakest piece, where it replaces the one before; nothing if no way."""
    row, scores = weakest(case.own), case.grounds.scores
    if row is None or case.rule.policy.attempts not in (Attempts.LAST, Attempts.BEST):
        return ()
    item = int(case.own.line_item[row])
    if scores.is_removed[scores.line_item == item].any():
        return ()
    return (
        Extra(
            competency=case.competency,
            top=case.rule.scale.top,
            attempt_at=item,
            course=int(case.own.course[row]),
        ),
    )


def _attempt(
    case: Case, again: tuple[Extra, ...], goal: Goal, *, known: StandingTable | None
) -> Step | None:
    least = _least(case, again, goal, known=known) if again else None
    return None if least is None else Step(goal=goal, extras=again, least=least)


def _hopeless(case: Case, step: Step) -> Step:
    grounds = replace(case.grounds, scores=raised(case.grounds.scores))
    values = np.full((1, len(step.extras)), case.rule.scale.top)
    table = _tried(replace(case, grounds=grounds), step.extras, values)
    return replace(step, is_higher_enough=bool(step.goal.is_reached(table).all()))
