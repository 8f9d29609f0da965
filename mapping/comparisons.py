"""The same evidence judged by several methods, side by side: where they agree and where not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from mapping.columns import BoolArray, CodeArray, FloatArray, IntArray
from mapping.estimators import METHODS
from mapping.rules.rulebook import RuleBook
from mapping.status import LADDER, OverrideState, StandingTable, Status

MOST_METHODS = 4
"""Beside the rule in force; more columns are no comparison that a person can follow."""

_STEP = np.array([LADDER.index(status) for status in Status], dtype=np.int64)
_MOST_LEVELS = 100
_WORKING = (Status.EMERGING, Status.DEVELOPING)


class MethodsRefused(ValueError):  # noqa: N818 - named for what happened, as RuleRefused
    """Methods that cannot be compared.

    Attributes:
        problems: What is wrong, by the number of the method from 0; -1 for all of them.
    """

    def __init__(self, problems: Mapping[int, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodChoice:
    """A method by its name, with some of its parameters."""

    name: str
    parameters: Mapping[str, float] = field(default_factory=dict)

    def problem(self) -> str:
        """What is wrong with it in sentences, empty for nothing."""
        if self.name not in METHODS:
            return f"There is no method {self.name}; choose one of: {', '.join(METHODS)}."
        return " ".join(METHODS[self.name].problems(self.parameters))

    @property
    def label(self) -> str:
        """What it is called in the middle of a sentence, with its parameters."""
        return METHODS[self.name].named(self.parameters).strip(" ,")


def check_methods(methods: Sequence[MethodChoice]) -> None:
    """Refuse what makes no comparison.

    Raises:
        MethodsRefused: There is none, there are too many, or one is unknown or there twice.
    """
    problems = {at: told for at, one in enumerate(methods) if (told := one.problem())}
    if not methods:
        problems[-1] = "Choose at least one method to compare with the rule in force."
    if len(methods) > MOST_METHODS:
        problems[-1] = f"Choose at most {MOST_METHODS} methods."
    known = [
        (one.name, METHODS[one.name].settled(one.parameters)) if one.name in METHODS else None
        for one in methods
    ]
    for at, one in enumerate(known):
        if one is not None and one in known[:at]:
            problems.setdefault(at, "This method is there already, with the same numbers.")
    if problems:
        raise MethodsRefused(problems)


def by_method(book: RuleBook, method: MethodChoice) -> RuleBook:
    """The same rules with another way to make evidence one estimate, and nothing else changed.

    Args:
        book: The rules in force.
        method: One that exists, with parameters it takes.
    """
    changed = [
        replace(effective.rule, method=method.name, parameters=method.parameters)
        for effective in book.rules
    ]
    # What says the same is one object in a book.
    shared = [next(other for other in changed if other == one) for one in changed]
    pairs = zip(book.rules, shared, strict=True)
    return replace(book, rules=tuple(replace(held, rule=rule) for held, rule in pairs))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Standings of the same learners and competencies, a row for each way of judging.

    Attributes:
        learner: Length pairs; with ``competency`` ascending, each pair once.
        competency: Length pairs.
        is_given: Length pairs; where a person's word stands, no method changes it.
        rule: Length pairs, which of the book's rules judged.
        status: Ways by pairs, codes of ``Status``; the first row is by the rules in force.
        level: Ways by pairs, as in ``StandingTable``.
        estimate: Ways by pairs, in points of the rule's scale, NaN for none.
    """

    learner: IntArray
    competency: IntArray
    is_given: BoolArray
    rule: IntArray
    status: CodeArray
    level: CodeArray
    estimate: FloatArray

    @classmethod
    def of(cls, tables: Sequence[StandingTable], competencies: IntArray) -> Self:
        """Put tables of the same grounds beside one another.

        Args:
            tables: At least one, the rules in force first. They have the same pairs: a method
                decides nothing about whether there is evidence.
            competencies: Only these are compared.
        """
        kept = [one.rows(np.isin(one.competency, competencies)) for one in tables]
        first = kept[0]
        return cls(
            learner=first.learner,
            competency=first.competency,
            is_given=first.override != OverrideState.NONE,
            rule=first.rule,
            status=np.stack([one.status for one in kept]),
            level=np.stack([one.level for one in kept]),
            estimate=np.stack([one.estimate for one in kept]),
        )

    @property
    def rank(self) -> IntArray:
        """Ways by pairs: how high on the ladder, working levels of the scale told apart."""
        is_working = np.isin(self.status, _WORKING)
        level = np.where(is_working, self.level.astype(np.int64) + 1, 0)
        rank: IntArray = _STEP[self.status] * _MOST_LEVELS + level
        return rank

    @property
    def direction(self) -> IntArray:
        """Ways by pairs: 1 above the rules in force, -1 below them, 0 the same."""
        rank = self.rank
        direction: IntArray = np.sign(rank - rank[0])
        return direction

    @property
    def is_disputed(self) -> BoolArray:
        """Length pairs: whether any two ways disagree."""
        rank = self.rank
        disputed: BoolArray = (rank != rank[0]).any(axis=0)
        return disputed

    def counts(self, cells: int) -> tuple[dict[Status, int], ...]:
        """How many stand in each status, for each way.

        Args:
            cells: How many pairs there are with those of whom nothing is known.

        Returns:
            Statuses in the order of ``LADDER``, highest first, those of nobody left out.
        """
        silent = cells - self.learner.size
        found = []
        for way in self.status:
            many = np.bincount(way, minlength=len(Status))
            many[Status.NO_EVIDENCE] += silent
            found.append({one: int(many[one]) for one in reversed(LADDER) if many[one]})
        return tuple(found)

    def moved(self) -> tuple[tuple[int, int], ...]:
        """For each way how many stand higher, and how many lower, than by the rules in force."""
        direction = self.direction
        return tuple(
            (int(np.count_nonzero(way > 0)), int(np.count_nonzero(way < 0))) for way in direction
        )

    def disputes(self) -> dict[int, int]:
        """By learner in how many competencies any two ways disagree; nobody without any."""
        learner, many = np.unique(self.learner[self.is_disputed], return_counts=True)
        return dict(zip(learner.tolist(), many.tolist(), strict=True))

    def rows_of(self, learner: int) -> dict[int, int]:
        """By competency in which row a learner stands."""
        rows = np.flatnonzero(self.learner == learner)
        return {int(self.competency[row]): int(row) for row in rows}


def definition_of(method: MethodChoice) -> dict[str, Any]:
    """What a rule says that uses a method; JSON-able."""
    named = {"method": method.name}
    return {**named, "parameters": dict(method.parameters)} if method.parameters else {**named}
