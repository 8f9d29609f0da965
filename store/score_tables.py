"""Scores and alignments as columns, as they are known now or were known at a moment.

A cell's graded attempts come from three places: the cell says the present one, the history that
the LMS shows says earlier ones, and what cells said before tells of those that no history names.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    and_,
    case,
    or_,
    select,
    type_coerce,
)

from mapping.columns import NO_MOMENT, BoolArray, CodeArray, IntArray
from mapping.evidence.tables import KINDS, AlignmentTable, ScoreTable
from mapping.pairs import NOWHERE
from mapping.records import CompetencyId, EvidenceKind, LearnerId, ScoreState, TenantId
from store.cell_columns import (
    Attempts,
    Cells,
    attempts_by,
    attempts_now,
    cells_now,
    events_by,
    events_of,
    newest,
    retried,
)
from store.columns import one_of, read_columns
from store.item_facts import ItemFacts, items_among
from store.packing import LATE, VISIBLE
from store.session import chunks
from store.tables import (
    alignments,
    competencies,
    exclusions,
    frameworks,
    given_dates,
    to_micros,
)

_KIND_CODES = {kind.value: code for code, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is to be known of scores.

    Attributes:
        moment: What was recorded later is left out; None for all that is known now.
        aligned_to: Only line items that speak for one of these competencies; None for all.
        items: Every line item that speaks for a competency, loaded before; None to look up those
            that are needed.
    """

    moment: datetime | None = None
    aligned_to: Collection[CompetencyId] | None = None
    items: ItemFacts | None = None


_ALL_OF_NOW = Knowledge()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """Attempts from one place, with what is taken from their cells."""

    cell: IntArray
    state: CodeArray
    points: Any
    attempt: IntArray
    is_visible: BoolArray
    is_late: BoolArray
    submitted_at: IntArray
    graded_at: IntArray
    points_deducted: Any


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
    rows = [
        one
        for part in chunks(learner_ids)
        for one in _attempted(connection, part, knowledge=knowledge)
    ]
    if not rows:
        return ScoreTable.of(dict.fromkeys(ScoreTable.__slots__, ()))
    columns = {
        name: np.concatenate([getattr(one, name) for one in rows]) for name in _Rows.__slots__
    }
    columns, facts, place = _with_facts(connection, columns, knowledge)
    cell = columns.pop("cell")
    return ScoreTable(
        learner=cell >> 32,
        line_item=facts.line_item[place],
        minimum=facts.minimum[place],
        maximum=facts.maximum[place],
        due_at=facts.due_at[place],
        course=facts.course[place],
        is_removed=facts.is_removed[place],
        given_at=_given_dates(connection, learner_ids, cell, moment=knowledge.moment),
        is_excluded=_excluded(connection, learner_ids, cell, moment=knowledge.moment),
        **columns,
    )


def alignment_table(connection: Connection, tenant: TenantId) -> AlignmentTable:
    """Every alignment in force in a tenant, as columns."""
    codes = case(*((alignments.c.kind == name, code) for name, code in _KIND_CODES.items()))
    item, competency, weight, kind, steps = read_columns(
        connection,
        select(
            alignments.c.line_item_id,
            alignments.c.competency_id,
            alignments.c.weight,
            codes.label("kind"),
            alignments.c.steps,
        )
        # By way of competencies: they are few, and line items as many as alignments.
        .join(competencies, competencies.c.id == alignments.c.competency_id)
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(frameworks.c.tenant_id == tenant),
    )
    return AlignmentTable.of(
        {
            "line_item": item,
            "competency": competency,
            "weight": weight,
            "kind": kind,
            "steps": steps,
        }
    )


def alignments_of(rows: Sequence[tuple[int, int, float, str, int]]) -> AlignmentTable:
    """Alignments as columns, of line item, competency, weight, kind and packed steps."""
    item, competency, weight, kind, steps = zip(*rows, strict=True) if rows else ((),) * 5
    return AlignmentTable.of(
        {
            "line_item": item,
            "competency": competency,
            "weight": weight,
            "kind": [_KIND_CODES[EvidenceKind(name).value] for name in kind],
            "steps": steps,
        }
    )


def _attempted(
    connection: Connection, learner_ids: Sequence[LearnerId], *, knowledge: Knowledge
) -> list[_Rows]:
    """What is told of some learners' attempts, by where it is told."""
    moment = knowledge.moment
    if moment is None:
        cells = _telling(cells_now(connection, learner_ids), knowledge).ordered()
        attempts = attempts_now(connection, learner_ids)
        said = events_of(connection, retried(cells))
    else:
        said = events_by(connection, learner_ids, moment=moment).ordered()
        cells = said.rows(newest((said.cell,)))
        attempts = attempts_by(connection, learner_ids, moment=moment)
    return [_present(cells), *_earlier(cells, attempts), *_overwritten(cells, attempts, said)]


def _telling(cells: Cells, knowledge: Knowledge) -> Cells:
    """Only cells of line items that speak for something, where it is known which do."""
    if knowledge.items is None:
        return cells
    is_telling = knowledge.items.find(cells.line_item) != NOWHERE
    return cells if is_telling.all() else cells.rows(is_telling)


def _present(cells: Cells) -> _Rows:
    return _told(cells, state=cells.state, is_visible=cells.has(VISIBLE))


def _earlier(cells: Cells, attempts: Attempts) -> list[_Rows]:
    """Earlier attempts that the LMS shows, but the one that the cell says itself."""
    if len(attempts) == 0:
        return []
    row, is_there = _found(cells.cell, attempts.cell)
    is_other = ~is_there
    is_other[is_there] = cells.attempt[row[is_there]] != attempts.number[is_there]
    attempts, row, is_there = attempts.rows(is_other), row[is_other], is_there[is_other]
    is_visible, is_excused = is_there.copy(), is_there.copy()
    is_visible[is_there] = cells.has(VISIBLE)[row[is_there]]
    is_excused[is_there] = cells.state[row[is_there]] == ScoreState.EXCUSED
    state = np.where(np.isnan(attempts.points), ScoreState.CLEARED, ScoreState.GRADED)
    return [
        _Rows(
            cell=attempts.cell,
            state=np.where(is_excused, ScoreState.EXCUSED, state).astype(np.int8),
            points=attempts.points,
            attempt=attempts.number,
            is_visible=is_visible,
            is_late=attempts.is_late,
            submitted_at=attempts.submitted_at,
            graded_at=attempts.graded_at,
            points_deducted=np.zeros(len(attempts)),
        )
    ]


def _overwritten(cells: Cells, attempts: Attempts, said: Cells) -> list[_Rows]:
    """Graded attempts that the cell said before, and that nothing says now."""
    if len(said) == 0:
        return []
    # Each attempt as it was told last; rows stand in the order in which they were told.
    said = said.rows(np.lexsort((said.attempt, said.cell)))
    said = said.rows(newest((said.cell, said.attempt)))
    row, is_told = _found(cells.cell, said.cell)
    is_told &= said.state == ScoreState.GRADED
    is_told[is_told] = cells.attempt[row[is_told]] != said.attempt[is_told]
    is_told &= ~_is_shown(attempts, said)
    said, row = said.rows(is_told), row[is_told]
    is_excused = cells.state[row] == ScoreState.EXCUSED
    state = np.where(is_excused, ScoreState.EXCUSED, said.state).astype(np.int8)
    return [_told(said, state=state, is_visible=cells.has(VISIBLE)[row])]


def _is_shown(attempts: Attempts, said: Cells) -> BoolArray:
    """Whether a history names these attempts."""
    is_shown = np.zeros(len(said), dtype=np.bool_)
    named = attempts.rows(np.isin(attempts.cell, said.cell))
    for number in np.unique(named.number).tolist():
        of_number = named.cell[named.number == number]
        is_shown |= (said.attempt == number) & np.isin(said.cell, of_number)
    return is_shown


def _told(cells: Cells, *, state: CodeArray, is_visible: BoolArray) -> _Rows:
    return _Rows(
        cell=cells.cell,
        state=state,
        points=cells.points,
        attempt=cells.attempt,
        is_visible=is_visible,
        is_late=cells.has(LATE),
        submitted_at=cells.submitted_at,
        graded_at=cells.graded_at,
        points_deducted=cells.deducted,
    )


def _found(among: IntArray, sought: IntArray) -> tuple[IntArray, BoolArray]:
    """In which row of ascending cells each one is, and whether it is there at all."""
    if among.size == 0:
        return np.zeros(sought.size, dtype=np.int64), np.zeros(sought.size, dtype=np.bool_)
    row = np.searchsorted(among, sought).clip(max=among.size - 1)
    return row, among[row] == sought


def _with_facts(
    connection: Connection, columns: dict[str, Any], knowledge: Knowledge
) -> tuple[dict[str, Any], ItemFacts, IntArray]:
    """Rows whose line item is known, and where it is known."""
    item = columns["cell"] & (2**32 - 1)
    facts = knowledge.items
    if facts is None or knowledge.moment is not None:
        facts = items_among(connection, _wanted(connection, np.unique(item), knowledge))
    place = facts.find(item)
    is_known = place != NOWHERE
    if is_known.all():
        return columns, facts, place
    kept = {name: column[is_known] for name, column in columns.items()}
    return kept, facts, place[is_known]


def _wanted(connection: Connection, ids: IntArray, knowledge: Knowledge) -> IntArray:
    """Which line items are asked for: of now, only those that speak."""
    if knowledge.moment is not None:
        return ids
    speaks = select(alignments.c.line_item_id)
    if knowledge.aligned_to is not None:
        speaks = speaks.where(alignments.c.competency_id.in_(sorted(knowledge.aligned_to)))
    wanted = [np.zeros(0, dtype=np.int64)]
    for part in chunks(ids.tolist()):
        of_part = speaks.where(one_of(connection, alignments.c.line_item_id, part))
        wanted.extend(read_columns(connection, of_part.distinct()))
    return np.concatenate(wanted)


def _given_dates(
    connection: Connection,
    learner_ids: Sequence[LearnerId],
    cell: IntArray,
    *,
    moment: datetime | None,
) -> IntArray:
    """The date that a teacher gave to each cell, ``NO_MOMENT`` for none."""
    found = np.full(cell.size, NO_MOMENT)
    at = type_coerce(given_dates.c.occurred_at, BigInteger).label("occurred_at")
    columns = _judged(connection, given_dates, learner_ids, moment=moment, more=[at])
    dated, number, occurred_at = columns
    order = np.lexsort((number, dated))
    order = order[newest((dated[order],))]
    row, is_dated = _found(dated[order], cell)
    found[is_dated] = occurred_at[order][row[is_dated]]
    return found


def _excluded(
    connection: Connection,
    learner_ids: Sequence[LearnerId],
    cell: IntArray,
    *,
    moment: datetime | None,
) -> BoolArray:
    columns = _judged(connection, exclusions, learner_ids, moment=moment)
    if columns[0].size == 0:
        return np.zeros(cell.size, dtype=np.bool_)
    return np.isin(cell, columns[0])


def _judged(
    connection: Connection,
    table: Table,
    learner_ids: Sequence[LearnerId],
    *,
    moment: datetime | None,
    more: Sequence[ColumnElement[Any]] = (),
) -> list[Any]:
    """What persons gave to cells of some learners, as columns."""
    found = []
    for part in chunks(learner_ids):
        query = select(table.c.learner_id, table.c.line_item_id, table.c.id, *more).where(
            one_of(connection, table.c.learner_id, part), is_in_force(table, moment)
        )
        found.append(read_columns(connection, query))
    learner, item, *others = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return [(learner << 32) | item, *others]


def is_in_force(table: Table, moment: datetime | None) -> ColumnElement[bool]:
    """Whether what a person gave holds: not taken back, now or at a moment."""
    if moment is None:
        return table.c.revoked_at.is_(None)
    return and_(
        type_coerce(table.c.given_at, BigInteger) <= to_micros(moment),
        or_(
            table.c.revoked_at.is_(None),
            type_coerce(table.c.revoked_at, BigInteger) > to_micros(moment),
        ),
    )
