"""Where learners stand: what it is computed from, what it is now, what it was at any moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    and_,
    bindparam,
    delete,
    func,
    select,
    type_coerce,
)

from mapping.columns import NO_MOMENT
from mapping.evidence import KINDS, AlignmentTable, ScoreTable, View
from mapping.progressions import Hierarchy
from mapping.records import CompetencyId, CourseId, EvidenceKind, LearnerId, RunId, TenantId
from mapping.status import Status
from store.frameworks import competencies_of
from store.session import chunks, write_rows
from store.tables import (
    alignments,
    competencies,
    courses,
    learners,
    line_items,
    recompute_queue,
    scores,
    standing_changes,
    standings,
    to_micros,
)

_PLACE = ("learner_id", "competency_id", "view")
_STANDING = ("status", "estimate", "evidence_count", "mastered_count")
_KIND_CODES = {kind.value: code for code, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a learner stands in a competency. ``estimate`` in scale points, None for none."""

    status: Status
    estimate: float | None
    evidence_count: int
    mastered_count: int


Place = tuple[LearnerId, CompetencyId, View]


def waiting_learners(
    connection: Connection, tenant: TenantId, *, part: int, parts: int
) -> dict[LearnerId, int]:
    """Learners put down for recomputation, each with the token of the mark.

    Args:
        connection: A transaction.
        tenant: Whose learners.
        part: Which share of them, from 0.
        parts: How many shares there are.
    """
    rows = connection.execute(
        select(recompute_queue.c.learner_id, recompute_queue.c.token)
        .join(learners, learners.c.id == recompute_queue.c.learner_id)
        .where(learners.c.tenant_id == tenant, recompute_queue.c.learner_id % parts == part)
        .order_by(recompute_queue.c.learner_id)
    )
    return {LearnerId(row[0]): row[1] for row in rows}


def count_waiting(connection: Connection, tenant: TenantId) -> int:
    """How many learners are put down for recomputation."""
    return connection.execute(
        select(func.count())
        .select_from(recompute_queue)
        .join(learners, learners.c.id == recompute_queue.c.learner_id)
        .where(learners.c.tenant_id == tenant)
    ).scalar_one()


def settle_waiting(connection: Connection, tokens: Mapping[LearnerId, int]) -> None:
    """Take learners off the list, but for those marked again since their token was read."""
    if tokens:
        statement = delete(recompute_queue).where(
            recompute_queue.c.learner_id == bindparam("b_learner"),
            recompute_queue.c.token == bindparam("b_token"),
        )
        connection.execute(
            statement, [{"b_learner": learner, "b_token": t} for learner, t in tokens.items()]
        )


def score_table(connection: Connection, learner_ids: Sequence[LearnerId]) -> ScoreTable:
    """All aligned scores of some learners, in every course of every LMS, as columns."""
    rows: list[Any] = []
    for part in chunks(learner_ids):
        rows.extend(connection.execute(_score_query(part)).all())
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(_SCORE_COLUMNS)
    named = dict(zip(_SCORE_COLUMNS, columns, strict=True))
    for name in ("submitted_at", "due_at", "graded_at"):
        named[name] = tuple(NO_MOMENT if value is None else value for value in named[name])
    return ScoreTable.of(named)


def alignment_table(connection: Connection, tenant: TenantId) -> AlignmentTable:
    """Every alignment in force in a tenant, as columns."""
    rows = connection.execute(
        select(
            alignments.c.line_item_id,
            alignments.c.competency_id,
            alignments.c.weight,
            alignments.c.kind,
        )
        .join(line_items, line_items.c.id == alignments.c.line_item_id)
        .join(courses, courses.c.id == line_items.c.course_id)
        .where(courses.c.tenant_id == tenant)
    ).all()
    item, competency, weight, kind = zip(*rows, strict=True) if rows else ((), (), (), ())
    return AlignmentTable.of(
        {
            "line_item": item,
            "competency": competency,
            "weight": weight,
            "kind": [_KIND_CODES[EvidenceKind(name).value] for name in kind],
        }
    )


def hierarchy(connection: Connection, tenant: TenantId) -> Hierarchy:
    """The tenant's competencies with their parents."""
    return Hierarchy.of((c.id, c.parent) for c in competencies_of(connection, tenant))


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
            found[place] = Standing(
                status=Status(row.status),
                estimate=row.estimate,
                evidence_count=row.evidence_count,
                mastered_count=row.mastered_count,
            )
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
    rows = connection.execute(
        select(standing_changes)
        .where(
            standing_changes.c.learner_id == learner,
            standing_changes.c.view == int(view),
            standing_changes.c.at <= moment,
        )
        .order_by(standing_changes.c.id)
    )
    return {
        CompetencyId(row.competency_id): Standing(
            status=Status(row.status),
            estimate=row.estimate,
            evidence_count=row.evidence_count,
            mastered_count=row.mastered_count,
        )
        for row in rows
    }


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


_SCORE_COLUMNS = (
    "line_item",
    "learner",
    "state",
    "points",
    "minimum",
    "maximum",
    "attempt",
    "is_visible",
    "is_late",
    "submitted_at",
    "due_at",
    "graded_at",
)


def _score_query(learner_ids: Sequence[LearnerId]) -> Any:  # noqa: ANN401 - twelve columns
    is_aligned = select(alignments.c.line_item_id).where(
        alignments.c.line_item_id == scores.c.line_item_id
    )
    return (
        select(
            scores.c.line_item_id,
            scores.c.learner_id,
            scores.c.state,
            scores.c.points,
            line_items.c.minimum,
            line_items.c.maximum,
            scores.c.attempt,
            scores.c.is_visible,
            scores.c.is_late,
            type_coerce(scores.c.submitted_at, BigInteger),
            type_coerce(line_items.c.due_at, BigInteger),
            type_coerce(scores.c.graded_at, BigInteger),
        )
        .join(line_items, line_items.c.id == scores.c.line_item_id)
        .where(and_(scores.c.learner_id.in_(learner_ids), is_aligned.exists()))
    )
