"""Scores and alignments as columns, as they are known now or were known at a moment.

A cell's graded attempts come from three places: the cell says the present one, the history that
the LMS shows says earlier ones, and what cells said before tells of those that no history names.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    Table,
    and_,
    case,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
)

from mapping.columns import NO_MOMENT
from mapping.evidence.tables import KINDS, AlignmentTable, ScoreTable
from mapping.records import CompetencyId, EvidenceKind, LearnerId, ScoreState, TenantId
from store.packing import LATE, VISIBLE, is_set, micros_of, state_of
from store.session import chunks
from store.tables import (
    alignments,
    attempt_events,
    courses,
    earlier_attempts,
    exclusions,
    given_dates,
    line_items,
    score_events,
    scores,
    to_micros,
)

_KIND_CODES = {kind.value: code for code, kind in enumerate(KINDS)}
_COLUMNS = (
    *("line_item", "learner", "state", "points", "minimum", "maximum", "attempt", "is_visible"),
    *("is_late", "submitted_at", "due_at", "graded_at", "course", "points_deducted", "is_removed"),
)
_MOMENTS = ("submitted_at", "due_at", "graded_at")
_Cell = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is to be known of scores.

    Attributes:
        moment: What was recorded later is left out; None for all that is known now.
        aligned_to: Only line items that speak for one of these competencies; None for all.
    """

    moment: datetime | None = None
    aligned_to: Collection[CompetencyId] | None = None


_ALL_OF_NOW = Knowledge()


def score_table(
    connection: Connection,
    learner_ids: Sequence[LearnerId],
    knowledge: Knowledge = _ALL_OF_NOW,
) -> ScoreTable:
    """Scores of some learners with every graded attempt, in every course of every LMS.

    Of now, only scores of line items that speak for a competency; of a moment, all of them. What
    holds for the present cell holds for its earlier attempts, too: whether the learner may see
    it, is excused from it, a date given to it, and its exclusion.

    Args:
        connection: A transaction.
        learner_ids: Whose.
        knowledge: What is to be known.
    """
    rows: list[Any] = []
    for part in chunks(learner_ids):
        for query in _queries(part, knowledge):
            rows.extend(connection.execute(query).all())
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(_COLUMNS)
    named: dict[str, Any] = dict(zip(_COLUMNS, columns, strict=True))
    for name in _MOMENTS:
        named[name] = tuple(NO_MOMENT if value is None else value for value in named[name])
    cells = list(zip(named["learner"], named["line_item"], strict=True))
    dates = _given_dates(connection, learner_ids, knowledge.moment)
    taken_out = _exclusions(connection, learner_ids, knowledge.moment)
    return ScoreTable.of(
        {
            **named,
            "given_at": [dates.get(cell, NO_MOMENT) for cell in cells],
            "is_excluded": [cell in taken_out for cell in cells],
        }
    )


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
    return alignments_of([tuple(row) for row in rows])


def alignments_of(rows: Sequence[tuple[int, int, float, str]]) -> AlignmentTable:
    """Alignments as columns, of line item, competency, weight and kind."""
    item, competency, weight, kind = zip(*rows, strict=True) if rows else ((), (), (), ())
    return AlignmentTable.of(
        {
            "line_item": item,
            "competency": competency,
            "weight": weight,
            "kind": [_KIND_CODES[EvidenceKind(name).value] for name in kind],
        }
    )


def _queries(learner_ids: Sequence[LearnerId], knowledge: Knowledge) -> tuple[Select[Any], ...]:
    cells = _cells(learner_ids, knowledge.moment)
    attempts = _attempts(learner_ids, knowledge.moment)
    found = (
        _present(cells),
        _earlier(cells, attempts),
        _overwritten(cells, attempts, knowledge.moment),
    )
    return tuple(_narrowed(one, learner_ids, knowledge) for one in found)


def _cells(learner_ids: Sequence[LearnerId], moment: datetime | None) -> FromClause:
    """What each cell says, or said at a moment: the newest of its events."""
    if moment is None:
        return scores.alias("cells")
    newest = _newest(score_events, ("line_item_id", "learner_id"), learner_ids, moment=moment)
    return select(score_events).where(score_events.c.id.in_(newest)).subquery("cells")


def _attempts(learner_ids: Sequence[LearnerId], moment: datetime | None) -> FromClause:
    if moment is None:
        return earlier_attempts.alias("attempts")
    key = ("line_item_id", "learner_id", "number")
    newest = _newest(attempt_events, key, learner_ids, moment=moment)
    return select(attempt_events).where(attempt_events.c.id.in_(newest)).subquery("attempts")


def _newest(
    table: Table, key: Sequence[str], learner_ids: Sequence[LearnerId], *, moment: datetime
) -> Select[Any]:
    return (
        select(func.max(table.c.id))
        .where(table.c.learner_id.in_(learner_ids), table.c.recorded_at <= moment)
        .group_by(*(table.c[name] for name in key))
    )


def _present(cells: FromClause) -> Select[Any]:
    flags = cells.c.flags
    return _rows(
        cells,
        state=state_of(flags),
        attempt=cells.c.attempt,
        visible=is_set(flags, VISIBLE),
        late=is_set(flags, LATE),
    )


def _earlier(cells: FromClause, attempts: FromClause) -> Select[Any]:
    """Earlier attempts that the LMS shows, but the one that the cell says itself."""
    state = case(
        (state_of(cells.c.flags) == ScoreState.EXCUSED, int(ScoreState.EXCUSED)),
        (attempts.c.points.is_not(None), int(ScoreState.GRADED)),
        else_=int(ScoreState.CLEARED),
    )
    visible = is_set(func.coalesce(cells.c.flags, 0), VISIBLE)
    late = attempts.c.is_late
    query = _rows(attempts, state=state, attempt=attempts.c.number, visible=visible, late=late)
    return query.outerjoin(cells, _same_cell(cells, attempts)).where(
        or_(cells.c.attempt.is_(None), cells.c.attempt != attempts.c.number)
    )


def _overwritten(cells: FromClause, attempts: FromClause, moment: datetime | None) -> Select[Any]:
    """Graded attempts that the cell said before, and that nothing says now."""
    events = score_events.alias("said")
    newer = score_events.alias("newer")
    is_newer = and_(_same_cell(newer, events), newer.c.attempt == events.c.attempt)
    is_newer = and_(is_newer, newer.c.id > events.c.id)
    if moment is not None:
        is_newer = and_(is_newer, newer.c.recorded_at <= moment)
    is_shown = and_(_same_cell(attempts, events), attempts.c.number == events.c.attempt)
    state = case(
        (state_of(cells.c.flags) == ScoreState.EXCUSED, int(ScoreState.EXCUSED)),
        else_=state_of(events.c.flags),
    )
    query = (
        _rows(
            events,
            state=state,
            attempt=events.c.attempt,
            visible=is_set(cells.c.flags, VISIBLE),
            late=is_set(events.c.flags, LATE),
        )
        .join(cells, and_(_same_cell(cells, events), cells.c.attempt != events.c.attempt))
        .where(
            state_of(events.c.flags) == ScoreState.GRADED,
            ~select(newer.c.id).where(is_newer).exists(),
            ~select(literal(1)).select_from(attempts).where(is_shown).exists(),
        )
    )
    return query if moment is None else query.where(events.c.recorded_at <= moment)


def _rows(
    table: FromClause,
    *,
    state: ColumnElement[Any],
    attempt: ColumnElement[Any],
    visible: ColumnElement[Any],
    late: ColumnElement[Any],
) -> Select[Any]:
    deducted = func.coalesce(table.c.get("points_deducted", null()), 0.0)
    return (
        select(
            table.c.line_item_id,
            table.c.learner_id,
            type_coerce(state, Integer),
            table.c.points,
            line_items.c.minimum,
            line_items.c.maximum,
            attempt,
            visible,
            late,
            micros_of(table.c.submitted_at),
            type_coerce(line_items.c.due_at, BigInteger),
            micros_of(table.c.graded_at),
            line_items.c.course_id,
            deducted,
            line_items.c.is_removed,
        )
        .select_from(table)
        .join(line_items, line_items.c.id == table.c.line_item_id)
    )


def _same_cell(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    return and_(one.c.line_item_id == other.c.line_item_id, one.c.learner_id == other.c.learner_id)


def _narrowed(
    query: Select[Any], learner_ids: Sequence[LearnerId], knowledge: Knowledge
) -> Select[Any]:
    item, learner = query.selected_columns[0], query.selected_columns[1]
    query = query.where(learner.in_(learner_ids))
    if knowledge.moment is not None:
        return query
    speaks = select(alignments.c.line_item_id).where(alignments.c.line_item_id == item)
    if knowledge.aligned_to is not None:
        speaks = speaks.where(alignments.c.competency_id.in_(sorted(knowledge.aligned_to)))
    return query.where(speaks.exists())


def _given_dates(
    connection: Connection, learner_ids: Sequence[LearnerId], moment: datetime | None
) -> dict[_Cell, int]:
    dates: dict[_Cell, int] = {}
    for part in chunks(learner_ids):
        rows = connection.execute(
            select(given_dates)
            .where(given_dates.c.learner_id.in_(part), is_in_force(given_dates, moment))
            .order_by(given_dates.c.id)
        )
        dates.update(
            {(row.learner_id, row.line_item_id): to_micros(row.occurred_at) for row in rows}
        )
    return dates


def _exclusions(
    connection: Connection, learner_ids: Sequence[LearnerId], moment: datetime | None
) -> frozenset[_Cell]:
    found: set[_Cell] = set()
    for part in chunks(learner_ids):
        rows = connection.execute(
            select(exclusions.c.learner_id, exclusions.c.line_item_id).where(
                exclusions.c.learner_id.in_(part), is_in_force(exclusions, moment)
            )
        )
        found.update((row[0], row[1]) for row in rows)
    return frozenset(found)


def is_in_force(table: Table, moment: datetime | None) -> ColumnElement[bool]:
    """Whether what a person gave holds: not taken back, now or at a moment."""
    if moment is None:
        return table.c.revoked_at.is_(None)
    return and_(
        table.c.given_at <= moment,
        or_(table.c.revoked_at.is_(None), table.c.revoked_at > moment),
    )
