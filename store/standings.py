"""Where learners stand: what it is now, what it was at any moment."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from mapping.columns import NO_MOMENT
from mapping.evidence.tables import View
from mapping.records import CompetencyId, CourseId, EnrolmentState, LearnerId, RunId, TenantId
from mapping.status import NO_LEVEL, OverrideState, StandingTable, Status
from store.session import chunks, write_rows
from store.tables import (
    alignments,
    competencies,
    courses,
    enrolments,
    from_micros,
    line_items,
    optional_micros,
    standing_changes,
    standings,
    to_micros,
)

_PLACE = ("learner_id", "competency_id", "view")
_STANDING = (
    *("status", "estimate", "evidence_count", "mastered_count", "level"),
    *("mastered_at", "review_at", "override", "effective_rule_id"),
)


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
        query = select(standings).where(standings.c.learner_id.in_(part))
        if competency_ids is not None:
            query = query.where(standings.c.competency_id.in_(competency_ids))
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


def save_standings(
    connection: Connection,
    changed: Mapping[Place, tuple[Standing | None, Standing]],
    *,
    basis: Basis,
    now: datetime,
) -> None:
    """Keep changed standings, each with a line in the history.

    Args:
        connection: A writing transaction.
        changed: Former and present standing by place; the former is None where there was none.
        basis: What they were computed with.
        now: When they were computed.
    """
    if not changed:
        return
    moment = to_micros(now)
    rows = [
        (
            learner,
            competency,
            int(view),
            int(after.status),
            after.estimate,
            after.evidence_count,
            after.mastered_count,
            after.level,
            optional_micros(after.mastered_at),
            optional_micros(after.review_at),
            int(after.override),
            after.rule,
        )
        for (learner, competency, view), (_, after) in changed.items()
    ]
    write_rows(
        connection,
        standings,
        [(*row, moment) for row in rows],
        columns=(*_PLACE, *_STANDING, "changed_at"),
        keys=_PLACE,
    )
    befores = [None if before is None else int(before.status) for before, _ in changed.values()]
    history = (moment, basis.mapping_set, basis.rule, basis.run)
    write_rows(
        connection,
        standing_changes,
        [(*row, before, *history) for row, before in zip(rows, befores, strict=True)],
        columns=(
            *(*_PLACE, *_STANDING, "previous_status", "at"),
            *("mapping_set_id", "mastery_rule_id", "run_id"),
        ),
    )


def standings_at(
    connection: Connection, learner: LearnerId, *, view: View, moment: datetime
) -> dict[CompetencyId, Standing]:
    """Where a learner stood at a moment, whatever has changed since."""
    found = all_standings_at(connection, [learner], moment=moment)
    return {place[1]: standing for place, standing in found.items() if place[2] is view}


def all_standings_at(
    connection: Connection, learner_ids: Sequence[LearnerId], *, moment: datetime
) -> dict[Place, Standing]:
    """Where some learners stood at a moment in both views, whatever has changed since."""
    found: dict[Place, Standing] = {}
    for part in chunks(learner_ids):
        rows = connection.execute(
            select(standing_changes)
            .where(standing_changes.c.learner_id.in_(part), standing_changes.c.at <= moment)
            .order_by(standing_changes.c.id)
        )
        for row in rows:
            place = (LearnerId(row.learner_id), CompetencyId(row.competency_id), View(row.view))
            found[place] = _standing(row)
    return found


def rows_of(table: StandingTable, rule_ids: Sequence[int]) -> Iterator[Standing]:
    """Standings as they are kept, of columns.

    Args:
        table: As ``mapping.judgement.judging`` judged them.
        rule_ids: What is kept of each rule of the judgement, in their order; empty to leave out
            which rule it was.

    Returns:
        One for each row, in order.
    """
    columns = (
        *(table.status, table.estimate, table.evidence_count, table.mastered_count),
        *(table.level, table.mastered_at, table.review_at, table.override, table.rule),
    )
    for row in zip(*(column.tolist() for column in columns), strict=True):
        status, estimate, count, mastered, level, mastered_at, review_at, override, rule = row
        yield Standing(
            status=Status(status),
            estimate=None if math.isnan(estimate) else estimate,
            evidence_count=count,
            mastered_count=mastered,
            level=level,
            mastered_at=_moment(mastered_at),
            review_at=_moment(review_at),
            override=OverrideState(override),
            rule=rule_ids[rule] if rule_ids else None,
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
            standings.c.competency_id.in_(competency_ids),
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
