"""Overrides as columns, as they are known now or were known at a moment."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from mapping.columns import NO_MOMENT
from mapping.judgement.overrides import OverrideTable
from mapping.records import LearnerId
from store.columns import one_of
from store.score_tables import is_in_force
from store.session import chunks
from store.tables import overrides, to_micros


def override_table(
    connection: Connection, learner_ids: Sequence[LearnerId], *, moment: datetime | None = None
) -> OverrideTable:
    """Overrides of some learners that were not taken back, as columns; those ended included.

    Args:
        connection: A transaction.
        learner_ids: Whose.
        moment: As they were recorded then; None for now.
    """
    newest: dict[tuple[int, int], tuple[int, int, int]] = {}
    for part in chunks(learner_ids):
        rows = connection.execute(
            select(overrides)
            .where(one_of(connection, overrides.c.learner_id, part), is_in_force(overrides, moment))
            .order_by(overrides.c.given_at, overrides.c.id)
        )
        for row in rows:
            until = NO_MOMENT if row.until is None else to_micros(row.until)
            place = (row.learner_id, row.competency_id)
            newest[place] = (row.status, to_micros(row.given_at), until)
    if not newest:
        return OverrideTable.none()
    names = ("learner", "competency", "status", "given_at", "until")
    columns = zip(*((*place, *said) for place, said in newest.items()), strict=True)
    return OverrideTable.of(dict(zip(names, columns, strict=True)))
