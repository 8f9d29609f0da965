"""A class judged by several methods at once, over all its evidence. Nothing is written.

The rules in force go first; every other column has their thresholds, criteria and policies, and
only another method. All are judged by the lines that compute the nights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from mapping.comparisons import Comparison, MethodChoice, by_method
from mapping.evidence.tables import View
from mapping.judgement.judging import judge
from mapping.records import CourseId, TenantId
from mapping.rules.mastery_rule import MasteryRule
from mapping.status import Status
from store.compared_classes import ComparedCourse, compared_course
from store.grounds import grounds_of, narrowed, policy_of

MOST_LEARNERS = 2_000
"""No class is larger; more would keep a page waiting."""


class TooLarge(Exception):  # noqa: N818 - named for what happened
    """A course with more learners than are compared while somebody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedClass:
    """A course's learners by the rules in force and by some methods.

    Attributes:
        course: Its learners, and what its line items speak for.
        methods: Those of the columns after the first.
        rules: By what the first column was judged; ``comparison.rule`` indexes them.
        sentences: What each column says in words, the first that of the district's or course's
            rule; of several rules the one that judged most.
        comparison: The statuses.
    """

    course: ComparedCourse
    methods: Sequence[MethodChoice]
    rules: Sequence[MasteryRule]
    sentences: Sequence[str]
    comparison: Comparison

    @property
    def cells(self) -> int:
        """How many learners and competencies there are, evidence or not."""
        return len(self.course.learners) * len(self.course.competencies)

    @property
    def counts(self) -> tuple[dict[Status, int], ...]:
        """How many stand in each status, for each column."""
        return self.comparison.counts(self.cells)


def compare(
    connection: Connection,
    tenant: TenantId,
    course: CourseId,
    *,
    methods: Sequence[MethodChoice],
    now: datetime,
) -> ComparedClass | None:
    """Judge a class by the rules in force and by some methods.

    Args:
        connection: A transaction.
        tenant: Whose course it must be.
        course: The course.
        methods: That ``check_methods`` lets pass.
        now: The moment.

    Returns:
        None where the tenant has no such course.

    Raises:
        TooLarge: It has more than ``MOST_LEARNERS``.
    """
    found = compared_course(connection, tenant, course)
    if found is None:
        return None
    if len(found.learners) > MOST_LEARNERS:
        raise TooLarge
    wanted = np.array([one.id for one in found.competencies], dtype=np.int64)
    policy = narrowed(policy_of(connection, tenant, now=now), wanted)
    grounds = grounds_of(connection, policy, sorted(one.id for one in found.learners))
    books = [grounds.book, *(by_method(grounds.book, one) for one in methods)]
    tables = [judge(replace(grounds, book=book), View.TEACHER) for book in books]
    comparison = Comparison.of(tables, wanted)
    usual = _usual(comparison, grounds.book.default)
    return ComparedClass(
        course=found,
        methods=methods,
        rules=grounds.rules,
        sentences=[book.rules[usual].rule.sentence() for book in books],
        comparison=comparison,
    )


def _usual(comparison: Comparison, default: int) -> int:
    """The rule that judged most, the district's where nothing was judged."""
    if comparison.rule.size == 0:
        return default
    return int(np.bincount(comparison.rule).argmax())
