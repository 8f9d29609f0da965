"""Where learners stand: what it is now, what it was at any moment."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from mapping.columns import NO_MOMENT
from mapping.evidence.tables import View
from mapping.kept import NO_RULE
from mapping.records import CompetencyId, CourseId, EnrolmentState, LearnerId, RunId, TenantId
from mapping.status import NO_LEVEL, OverrideState, Status
from store.columns import one_of
from store.session import chunks
from store.tables import (
    alignments,
    competencies,
    courses,
    enrolments,
    from_micros,
    line_items,
    standing_changes,
    standings,
)

PLACE = ("learner_id", "competency_id", "view")
"""What a standing is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a learner stands in a competency.

    Attributes:
        status: What the rule says.
        estimate: In scale points, None for none.
        evidence_count: Pieces that count.
        mastered_count: As ``mapping.status.StandingTable`` has it.
        level: The index of the level that the estimate reaches, ``NO_LEVEL`` for none.
        mastered_at: When mastery was first reached.
        review_at: The next moment at which time alone may change it.
        override: Whether a person's judgement stands in its place.
        rule: What it was judged by, for ``store.rules.rules_by_id``; None where nothing was
            judged, or before this was kept.
    """

    status: Status
    estimate: float | None
    evidence_count: int
    mastered_count: int
    level: int = NO_LEVEL
    mastered_at: datetime | None = None
    review_at: datetime | None = None
    override: OverrideState = OverrideState.NONE
    rule: int | None = None


NOWHERE = Standing(status=Status.NO_EVIDENCE, estimate=None, evidence_count=0, mastered_count=0)
"""Where somebody stands of whom nothing is known, or nothing any more."""

Place = tuple[LearnerId, CompetencyId, View]


def standings_of(
    connection: Connection,
    learner_ids: Sequence[LearnerId],
    *,
    competency_ids: Sequence[CompetencyId] | None = None,
) -> dict[Place, Standing]:
    """Where some learners stand now, in both views; in all competencies or in some."""
    found: dict[Place, Standing] = {}
    for part in chunks(learner_ids):
        query = select(standings).where(one_of(connection, standings.c.learner_id, part))
        if competency_ids is not None:
            query = query.where(one_of(connection, standings.c.competency_id, competency_ids))
        rows = connection.execute(query)
        for row in rows:
            place = (LearnerId(row.learner_id), CompetencyId(row.competency_id), View(row.view))
            found[place] = _standing(row)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What standings were computed with, kept with each change."""

    mapping_set: int
    rule: int
    run: RunId | None


def standings_at(
    connection: Connection, learner: LearnerId, *, view: View, moment: datetime
) -> dict[CompetencyId, Standing]:
    """Where a learner stood at a moment, whatever has changed since."""
    rows = connection.execute(
        select(standing_changes)
        .where(
            standing_changes.c.learner_id == learner,
            standing_changes.c.view == int(view),
            standing_changes.c.at <= moment,
        )
        .order_by(standing_changes.c.id)
    )
    return {CompetencyId(row.competency_id): _standing(row) for row in rows}


def standing_of(values: Mapping[str, Any]) -> Standing:
    """One row of ``mapping.kept.KeptTable`` by column."""
    estimate, rule = values["estimate"], values["rule"]
    return Standing(
        status=Status(values["status"]),
        estimate=None if math.isnan(estimate) else estimate,
        evidence_count=values["evidence_count"],
        mastered_count=values["mastered_count"],
        level=values["level"],
        mastered_at=_moment(values["mastered_at"]),
        review_at=_moment(values["review_at"]),
        override=OverrideState(values["override"]),
        rule=None if rule == NO_RULE else rule,
    )


def _moment(micros: int) -> datetime | None:
    return None if micros == NO_MOMENT else from_micros(micros)


def strands_in_course(connection: Connection, course_id: CourseId) -> tuple[CompetencyId, ...]:
    """What a course's columns are made for: the strands its line items speak for.

    A competency without a strand is its own.
    """
    rows = connection.execute(
        select(func.coalesce(competencies.c.parent_id, competencies.c.id))
        .distinct()
        .select_from(alignments)
        .join(line_items, line_items.c.id == alignments.c.line_item_id)
        .join(competencies, competencies.c.id == alignments.c.competency_id)
        .where(line_items.c.course_id == course_id, competencies.c.is_archived.is_(False))
        .order_by(func.coalesce(competencies.c.parent_id, competencies.c.id))
    )
    return tuple(CompetencyId(row[0]) for row in rows)


def competencies_in_course(connection: Connection, course_id: CourseId) -> tuple[CompetencyId, ...]:
    """The competencies that a course's line items speak for themselves, in the order of ids."""
    rows = connection.execute(
        select(alignments.c.competency_id)
        .distinct()
        .join(line_items, line_items.c.id == alignments.c.line_item_id)
        .join(competencies, competencies.c.id == alignments.c.competency_id)
        .where(line_items.c.course_id == course_id, competencies.c.is_archived.is_(False))
        .order_by(alignments.c.competency_id)
    )
    return tuple(CompetencyId(row[0]) for row in rows)


def rules_in_course(
    connection: Connection, course_id: CourseId, competency_ids: Sequence[CompetencyId]
) -> dict[CompetencyId, frozenset[int]]:
    """What a course's active learners were judged by in some competencies, in either view."""
    rows = connection.execute(
        select(standings.c.competency_id, standings.c.effective_rule_id)
        .distinct()
        .join(enrolments, enrolments.c.learner_id == standings.c.learner_id)
        .where(
            enrolments.c.course_id == course_id,
            enrolments.c.state == EnrolmentState.ACTIVE.value,
            one_of(connection, standings.c.competency_id, competency_ids),
            standings.c.effective_rule_id.is_not(None),
        )
    )
    found: dict[CompetencyId, frozenset[int]] = {}
    for competency, rule in rows:
        found[competency] = found.get(competency, frozenset()) | {rule}
    return found


def assessed_competencies(connection: Connection, tenant: TenantId) -> dict[CompetencyId, int]:
    """How many competencies of each strand any line item of the tenant speaks for."""
    rows = connection.execute(
        select(
            func.coalesce(competencies.c.parent_id, competencies.c.id),
            func.count(competencies.c.id.distinct()),
        )
        .select_from(alignments)
        .join(line_items, line_items.c.id == alignments.c.line_item_id)
        .join(courses, courses.c.id == line_items.c.course_id)
        .join(competencies, competencies.c.id == alignments.c.competency_id)
        .where(courses.c.tenant_id == tenant, competencies.c.is_archived.is_(False))
        .group_by(func.coalesce(competencies.c.parent_id, competencies.c.id))
    )
    return {CompetencyId(row[0]): row[1] for row in rows}


def _standing(row: "Row[Any]") -> Standing:
    return Standing(
        status=Status(row.status),
        estimate=row.estimate,
        evidence_count=row.evidence_count,
        mastered_count=row.mastered_count,
        level=row.level,
        mastered_at=row.mastered_at,
        review_at=row.review_at,
        override=OverrideState(row.override),
        rule=row.effective_rule_id,
    )
