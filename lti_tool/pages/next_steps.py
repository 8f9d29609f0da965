"""What a learner is ready for: everything that directly precedes it is mastered."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from mapping.evidence.tables import View
from mapping.progressions.readiness import readiness
from mapping.records import CompetencyId, CourseId, LearnerId, TenantId
from mapping.status import StandingTable
from store import frameworks
from store.links import links_of
from store.reports import StandingLine, learner_standings


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """A competency that a learner is ready for; ``is_on_page`` if it can be jumped to."""

    id: CompetencyId
    code: str
    statement: str
    indicator: str
    is_on_page: bool


def next_steps(
    connection: Connection,
    tenant: TenantId,
    learner: LearnerId,
    *,
    view: View,
    course: CourseId | None,
    shown: Sequence[StandingLine],
) -> tuple[NextStep, ...]:
    """What a learner is ready for and has not mastered, by the statuses as they are stored.

    Args:
        connection: A transaction.
        tenant: Whose learner it must be.
        learner: The learner.
        view: Whose eyes it is for.
        course: For a teacher of it: nothing but what its activities speak for is named.
        shown: What the page shows.

    Returns:
        Them in framework order; nothing where no competency precedes another.

    Source: product/requirements.md R14.
    """
    links = links_of(connection, tenant)
    if links.then.size == 0:
        return ()
    lines = learner_standings(connection, tenant, learner, view=view)
    on_page = {line.competency.id for line in shown}
    found = readiness(
        _table(learner, lines),
        links,
        learners=np.array([learner], dtype=np.int64),
        competencies=links.then,
    )
    ready = frozenset(found.competency[found.may_move_on].tolist())
    return tuple(
        NextStep(
            id=one.id,
            code=one.code,
            statement=one.statement,
            indicator=one.indicator,
            is_on_page=one.id in on_page,
        )
        for one in frameworks.competencies_of(connection, tenant)
        if one.id in ready and (course is None or one.id in on_page)
    )


def _table(learner: LearnerId, lines: Sequence[StandingLine]) -> StandingTable:
    """Standings as columns, as far as readiness asks for them."""
    size = len(lines)
    unasked = np.zeros(size, dtype=np.int64)
    return StandingTable(
        learner=np.full(size, learner, dtype=np.int64),
        competency=np.array([line.competency.id for line in lines], dtype=np.int64),
        status=np.array([line.status for line in lines], dtype=np.int8),
        level=unasked.astype(np.int8),
        estimate=unasked.astype(np.float64),
        evidence_count=unasked,
        mastered_count=unasked,
        mastered_at=unasked,
        review_at=unasked,
        override=unasked.astype(np.int8),
        rule=unasked,
    )
