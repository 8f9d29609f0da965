"""Every rule of a district, and which one holds for a learner and competency.

A rule is set for a scope: the system, the district, a framework, a course, a competency. Each
takes over what the one before it says and may change any part of it. A course's rule holds for
its active learners, in the competencies that its line items speak for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from mapping.columns import IntArray
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.scopes import (
    SYSTEM_RULE,
    EffectiveRule,
    Scope,
    ScopedRule,
    ScopeRefused,
    Settled,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Enrolments:
    """Who is active in which course, as far as courses have rules of their own; any order."""

    learner: IntArray
    course: IntArray

    @classmethod
    def none(cls) -> Self:
        """Nobody in any course with a rule of its own."""
        return cls(learner=np.zeros(0, dtype=np.int64), course=np.zeros(0, dtype=np.int64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CourseRules:
    """What courses say, a row for each course and competency that it speaks for, ascending.

    ``rule`` says which rule holds there; of several courses of a learner the row with the highest
    ``rank`` does.
    """

    course: IntArray
    competency: IntArray
    rule: IntArray
    rank: IntArray

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, int, int]]) -> Self:
        """Put rows of course, competency, rule and rank together."""
        table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 4)
        return cls(course=table[:, 0], competency=table[:, 1], rule=table[:, 2], rank=table[:, 3])

    def said_to(self, learner: IntArray, course: IntArray) -> tuple[IntArray, IntArray]:
        """What learners are told by their courses.

        Args:
            learner: Length enrolments.
            course: Length enrolments.

        Returns:
            For each thing told the learner, and which row of this table it is.
        """
        first = np.searchsorted(self.course, course, side="left")
        count = np.searchsorted(self.course, course, side="right") - first
        before = np.cumsum(count) - count
        row = np.arange(count.sum()) + np.repeat(first - before, count)
        return np.repeat(learner, count), row


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RuleBook:
    """The rules in force at one moment; make one with ``of``.

    ``rules`` are all that hold anywhere; ``competency`` ascends, ``rule`` says which of ``rules``
    each has, ``default`` which one a competency not listed has; ``courses`` says where courses
    have it otherwise. Where two of ``rules`` are made of different scopes and yet say the same,
    their ``rule`` is one and the same object. ``refused`` tells what makes no rule with wider
    scopes and is left out for that: ``check`` refuses it before, but scopes that never met may
    come together at night.
    """

    rules: tuple[EffectiveRule, ...]
    competency: IntArray
    rule: IntArray
    default: int = 0
    courses: CourseRules = field(default_factory=lambda: CourseRules.of(()))
    refused: tuple[ScopeRefused, ...] = ()

    @classmethod
    def of(
        cls,
        entries: Iterable[ScopedRule],
        *,
        at: int,
        framework_of: Mapping[int, int] | None = None,
        speaks: Iterable[tuple[int, int]] = (),
    ) -> Self:
        """Put the rules in force at a moment together.

        Args:
            entries: Every version of every scope.
            at: The moment, in microseconds.
            framework_of: Each competency's framework.
            speaks: Course and competency, where a line item of a course with a rule of its own
                speaks for the competency.

        Returns:
            The rules.
        """
        shelf = _Shelf(in_force(entries, at), framework_of or {})
        default = shelf.place()
        own = {competency: shelf.place(competency) for competency in sorted(shelf.competencies())}
        told = [
            (course, competency, shelf.place(competency, course), shelf.ranks[course])
            for course, competency in sorted(set(speaks))
            if course in shelf.ranks
        ]
        return cls(
            rules=tuple(shelf.rules),
            competency=np.array(list(own), dtype=np.int64),
            rule=np.array(list(own.values()), dtype=np.int64),
            default=default,
            courses=CourseRules.of(told),
            refused=tuple(shelf.refused.values()),
        )

    @classmethod
    def single(cls, rule: MasteryRule) -> Self:
        """One rule for everything."""
        effective = EffectiveRule(rule=rule, chain=(SYSTEM_RULE,), origin={})
        nothing = np.zeros(0, dtype=np.int64)
        return cls(rules=(effective,), competency=nothing, rule=nothing)

    def rule_of(self, competency: IntArray) -> IntArray:
        """Which of ``rules`` holds for each competency, courses apart."""
        if self.competency.size == 0:
            return np.full(competency.shape, self.default, dtype=np.int64)
        at = np.searchsorted(self.competency, competency).clip(max=self.competency.size - 1)
        return np.where(self.competency[at] == competency, self.rule[at], self.default)

    def assign(self, learner: IntArray, competency: IntArray, enrolments: Enrolments) -> IntArray:
        """Which of ``rules`` holds for each pair of learner and competency.

        Args:
            learner: Length pairs.
            competency: Length pairs.
            enrolments: Who is active in the courses that have rules of their own. Where courses
                of a learner disagree, the version effective last holds, then the one with the
                higher id.

        Returns:
            Length pairs, indexes of ``rules``.
        """
        plain = self.rule_of(competency)
        is_theirs = np.isin(enrolments.learner, learner)
        told, row = self.courses.said_to(
            enrolments.learner[is_theirs], enrolments.course[is_theirs]
        )
        if row.size == 0:
            return plain
        everybody, every = np.unique(learner), np.unique(self.courses.competency)

        def key(learners: IntArray, competencies: IntArray) -> IntArray:
            at = np.searchsorted(everybody, learners) * every.size
            return at + np.searchsorted(every, competencies)

        said = key(told, self.courses.competency[row])
        rank = self.courses.rank[row]
        order = np.argsort(said * (rank.max() + 1) + rank)
        said, rule = said[order], self.courses.rule[row[order]]
        asked = key(learner, competency)
        last = np.searchsorted(said, asked, side="right") - 1
        is_told = (last >= 0) & (said[last] == asked) & np.isin(competency, every)
        return np.where(is_told, rule[last], plain)


def in_force(entries: Iterable[ScopedRule], at: int) -> dict[tuple[Scope, int], ScopedRule]:
    """What each scope and target says at a moment; one that says nothing is left out.

    Args:
        entries: Every version of every scope.
        at: The moment, in microseconds.

    Returns:
        The version effective last, of equally late ones the highest.
    """
    begun = (entry for entry in entries if entry.effective_from <= at)
    newest = {
        (entry.scope, entry.target): entry
        for entry in sorted(begun, key=lambda entry: (entry.effective_from, entry.version))
    }
    return {place: entry for place, entry in newest.items() if entry.definition}


def next_change(entries: Iterable[ScopedRule], at: int) -> int | None:
    """The next moment after this one at which a version becomes effective, None for never.

    Args:
        entries: Every version of every scope.
        at: A moment, in microseconds.
    """
    return min((e.effective_from for e in entries if e.effective_from > at), default=None)


def check(
    entries: Iterable[ScopedRule],
    *,
    since: int,
    framework_of: Mapping[int, int] | None = None,
    speaks: Iterable[tuple[int, int]] = (),
) -> None:
    """Refuse versions that make no rule together, at a moment or at any later one.

    For use before a version is published: give it among the others. A scope that holds nowhere
    yet is checked too.

    Args:
        entries: Every version of every scope, the new one included.
        since: The moment from which on rules must hold, in microseconds.
        framework_of: Each competency's framework.
        speaks: Course and competency, as for ``RuleBook.of``.

    Raises:
        ScopeRefused: The first scope that makes no rule is named.
    """  # noqa: DOC502 - as the book tells it
    entries, speaks = list(entries), list(speaks)
    later = {entry.effective_from for entry in entries if entry.effective_from > since}
    for moment in sorted({since, *later}):
        book = RuleBook.of(entries, at=moment, framework_of=framework_of, speaks=speaks)
        for refused in book.refused:
            raise refused
        _Shelf(in_force(entries, moment), framework_of or {}).check()


class _Shelf:
    """Rules being put together: each chain of scopes makes one, which is placed once."""

    def __init__(
        self, entries: Mapping[tuple[Scope, int], ScopedRule], framework_of: Mapping[int, int]
    ) -> None:
        self.rules: list[EffectiveRule] = []
        self.refused: dict[str, ScopeRefused] = {}
        self._entries = entries
        self._framework_of = framework_of
        self._settled = Settled()
        self._places: dict[int, int] = {}
        courses = [entry for entry in entries.values() if entry.scope is Scope.COURSE]
        courses.sort(key=lambda entry: (entry.effective_from, entry.id))
        self.ranks = {entry.target: rank for rank, entry in enumerate(courses)}

    def competencies(self) -> set[int]:
        """Those whose rule is not that of all others."""
        own = {target for scope, target in self._entries if scope is Scope.COMPETENCY}
        return own | {
            competency
            for competency, framework in self._framework_of.items()
            if (Scope.FRAMEWORK, framework) in self._entries
        }

    def place(self, competency: int | None = None, course: int | None = None) -> int:
        """Where the rule stands that holds for a competency, for one not listed by default."""
        effective = self._held(self._chain(competency, course))
        if id(effective) not in self._places:
            self._places[id(effective)] = len(self.rules)
            self.rules.append(effective)
        return self._places[id(effective)]

    def _held(self, chain: tuple[ScopedRule, ...]) -> EffectiveRule:
        """The rule of a chain, without the scopes that make none of it."""
        try:
            return self._settled.rule(chain)
        except ScopeRefused as error:
            self.refused[str(error)] = error
            system, *narrower = chain
            left = (entry for entry in narrower if entry.scope is not error.scope)
            return self._held((SYSTEM_RULE if error.scope is Scope.SYSTEM else system, *left))

    def check(self) -> None:
        """Settle what each scope says, whether it holds anywhere or not."""
        for (scope, target), entry in self._entries.items():
            wide = self._chain(target if scope is Scope.COMPETENCY else None, None)
            self._settled.rule(wide if entry in wide else (*wide, entry))

    def _chain(self, competency: int | None, course: int | None) -> tuple[ScopedRule, ...]:
        framework = None if competency is None else self._framework_of.get(competency)
        targets = (0, 0, framework, course, competency)
        found = (
            self._entries.get((s, t)) for s, t in zip(Scope, targets, strict=True) if t is not None
        )
        system, *narrower = found
        said = (entry for entry in narrower if entry is not None)
        return (system or SYSTEM_RULE, *said)
