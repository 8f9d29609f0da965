"""Standings of many learners as columns: read, and written where they changed."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Table,
    cast,
    func,
    literal,
    select,
    type_coerce,
)

from mapping.columns import IntArray
from mapping.kept import NO_RULE, NO_STATUS, Changes, KeptTable
from mapping.records import LearnerId
from store.columns import NOTHING, one_of, read_columns
from store.session import chunks, write_arrays
from store.standing_digests import take_away_digests
from store.standings import PLACE, Basis, Standing, standing_of
from store.tables import standing_changes, standings, to_micros

# A row's small numbers in one, from the lowest bit on: status, override, level from 1, mastered
# children, and the rule from 1.
_OVERRIDE, _LEVEL, _MASTERED, _RULE = 3, 5, 13, 31


def kept_now(connection: Connection, learner_ids: Sequence[LearnerId]) -> KeptTable:
    """Where some learners stand now, in both views.

    Args:
        connection: A transaction.
        learner_ids: Whose.
    """
    found = [
        read_columns(
            connection,
            select(*_columns(standings)).where(one_of(connection, standings.c.learner_id, part)),
        )
        for part in chunks(learner_ids)
    ]
    return _table(found).ordered()


def kept_at(
    connection: Connection, learner_ids: Sequence[LearnerId], *, moment: datetime
) -> KeptTable:
    """Where some learners stood at a moment in both views, whatever has changed since.

    Args:
        connection: A transaction.
        learner_ids: Whose.
        moment: When.
    """
    table = standing_changes
    query = select(*_columns(table), table.c.id).where(
        type_coerce(table.c.at, BigInteger) <= to_micros(moment)
    )
    found = [
        read_columns(connection, query.where(one_of(connection, table.c.learner_id, part)))
        for part in chunks(learner_ids)
    ]
    told = _table([columns[:-1] for columns in found])
    number = np.concatenate([np.zeros(0, dtype=np.int64), *(columns[-1] for columns in found)])
    order = np.lexsort((number, told.place))
    is_newest = np.ones(order.size, dtype=np.bool_)
    is_newest[:-1] = told.place[order[1:]] != told.place[order[:-1]]
    return told.rows(order[is_newest])


def save_changes(connection: Connection, changes: Changes, *, basis: Basis, now: datetime) -> None:
    """Keep changed standings, each with a line in the history; digests of them hold no more.

    Args:
        connection: A writing transaction.
        changes: What is new.
        basis: What it was computed with.
        now: When it was computed.
    """
    if not len(changes):
        return
    after = changes.after
    size, moment = len(after), to_micros(now)
    stands: dict[str, Any] = {
        "learner_id": after.learner,
        "competency_id": after.competency,
        "view": after.view,
        "status": after.status.astype(np.int64),
        "estimate": after.estimate,
        "evidence_count": after.evidence_count,
        "mastered_count": after.mastered_count,
        "level": after.level.astype(np.int64),
        "mastered_at": after.mastered_at,
        "review_at": after.review_at,
        "override": after.override.astype(np.int64),
        "effective_rule_id": _or_nothing(after.rule, NO_RULE),
    }
    changed_at = {"changed_at": np.full(size, moment)}
    write_arrays(connection, standings, {**stands, **changed_at}, keys=PLACE)
    history: dict[str, Any] = {
        "previous_status": _or_nothing(changes.previous_status, NO_STATUS),
        "at": np.full(size, moment),
        "mapping_set_id": np.full(size, basis.mapping_set),
        "mastery_rule_id": np.full(size, basis.rule),
        "run_id": np.full(size, NOTHING if basis.run is None else basis.run),
    }
    write_arrays(connection, standing_changes, {**stands, **history})
    take_away_digests(connection, np.unique(after.learner))


def standing_rows(table: KeptTable) -> Iterator[Standing]:
    """Each row of a table as one standing, for the few that a person looks at."""
    names = KeptTable.__slots__
    columns = (getattr(table, name).tolist() for name in names)
    for row in zip(*columns, strict=True):
        yield standing_of(dict(zip(names, row, strict=True)))


def _columns(table: Table) -> list[ColumnElement[Any]]:
    rule = func.coalesce(table.c.effective_rule_id, NO_RULE) - NO_RULE
    small = (
        _wide(table.c.status)
        .bitwise_or(_wide(table.c.override).bitwise_lshift(literal(_OVERRIDE, Integer)))
        .bitwise_or(_wide(table.c.level + 1).bitwise_lshift(literal(_LEVEL, Integer)))
        .bitwise_or(_wide(table.c.mastered_count).bitwise_lshift(literal(_MASTERED, Integer)))
        .bitwise_or(_wide(rule).bitwise_lshift(literal(_RULE, Integer)))
    )
    place = (
        _wide(table.c.view)
        .bitwise_lshift(literal(62, Integer))
        .bitwise_or(_wide(table.c.learner_id).bitwise_lshift(literal(31, Integer)))
        .bitwise_or(_wide(table.c.competency_id))
    )
    return [
        type_coerce(place, BigInteger).label("place"),
        type_coerce(small, BigInteger).label("small"),
        table.c.estimate,
        type_coerce(table.c.evidence_count, Integer).label("evidence_count"),
        type_coerce(table.c.mastered_at, BigInteger).label("mastered_at"),
        type_coerce(table.c.review_at, BigInteger).label("review_at"),
    ]


def _wide(column: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(column, BigInteger)


def _table(parts: Sequence[tuple[Any, ...]]) -> KeptTable:
    if not parts:
        return KeptTable.nowhere(np.zeros(0, dtype=np.int64))
    place, small, estimate, count, mastered_at, review_at = (
        np.concatenate(columns) for columns in zip(*parts, strict=True)
    )
    return KeptTable(
        place=place,
        status=(small & 0b111).astype(np.int8),
        level=(((small >> _LEVEL) & 0xFF) - 1).astype(np.int8),
        estimate=estimate,
        evidence_count=count.astype(np.int64, copy=False),
        mastered_count=(small >> _MASTERED) & (2 ** (_RULE - _MASTERED) - 1),
        mastered_at=mastered_at,
        review_at=review_at,
        override=((small >> _OVERRIDE) & 0b11).astype(np.int8),
        rule=(small >> _RULE) + NO_RULE,
    )


def _or_nothing(column: IntArray, sentinel: int) -> IntArray:
    return np.where(column == sentinel, NOTHING, column)
