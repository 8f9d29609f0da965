"""What is to be computed again: whole learners, or some of their competencies.

A mark is written in the transaction of its cause and taken away in that of its cure; whoever is
marked again meanwhile keeps the later mark.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import BigInteger, Connection, Table, bindparam, delete, func, literal, select

from mapping.records import CompetencyId, LearnerId, TenantId
from store.session import copy_rows, write_rows
from store.tables import (
    learners,
    recompute_pairs,
    recompute_queue,
    standings,
    to_micros,
)

Pair = tuple[LearnerId, CompetencyId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Marks, each with the token that it was read with.

    Attributes:
        learners: Those to be computed whole.
        pairs: Competencies of learners that may be out of date, what they are part of not
            listed.
    """

    learners: Mapping[LearnerId, int] = field(default_factory=dict)
    pairs: Mapping[Pair, int] = field(default_factory=dict)

    @property
    def everybody(self) -> frozenset[LearnerId]:
        """Who is to be computed, whole or in part."""
        return frozenset(self.learners) | frozenset(learner for learner, _ in self.pairs)


def mark_learners(
    connection: Connection, learner_ids: Iterable[LearnerId], *, now: datetime
) -> None:
    """Put learners down for recomputation; a later mark replaces an earlier one."""
    token = to_micros(now)
    write_rows(
        connection,
        recompute_queue,
        [(learner, token) for learner in sorted(set(learner_ids))],
        columns=("learner_id", "token"),
        keys=("learner_id",),
    )


def mark_everybody(connection: Connection, tenant: TenantId, *, now: datetime) -> None:
    """Put all learners of a tenant down for recomputation."""
    token = literal(to_micros(now), BigInteger).label("token")
    copy_rows(
        connection,
        recompute_queue,
        select(learners.c.id.label("learner_id"), token)
        .where(learners.c.tenant_id == tenant)
        .order_by(learners.c.id),
        keys=("learner_id",),
    )


def mark_pairs(connection: Connection, pairs: Iterable[Pair], *, now: datetime) -> None:
    """Put some competencies of learners down for recomputation.

    Args:
        connection: A writing transaction.
        pairs: Learner and competency; what a competency is part of follows by itself.
        now: When.
    """
    token = to_micros(now)
    write_rows(
        connection,
        recompute_pairs,
        [(*pair, token) for pair in sorted(set(pairs))],
        columns=("learner_id", "competency_id", "token"),
        keys=("learner_id", "competency_id"),
    )


def mark_due(connection: Connection, tenant: TenantId, *, now: datetime) -> None:
    """Put down what time alone may have changed since it was computed."""
    token = literal(to_micros(now), BigInteger).label("token")
    copy_rows(
        connection,
        recompute_pairs,
        select(standings.c.learner_id, standings.c.competency_id, token)
        .distinct()
        .join(learners, learners.c.id == standings.c.learner_id)
        .where(learners.c.tenant_id == tenant, standings.c.review_at <= now)
        .order_by(standings.c.learner_id, standings.c.competency_id),
        keys=("learner_id", "competency_id"),
    )


def waiting_in(connection: Connection, tenant: TenantId, *, part: int, parts: int) -> Waiting:
    """What is to be computed of a share of the learners.

    Args:
        connection: A transaction.
        tenant: Whose learners.
        part: Which share of them, from 0.
        parts: How many shares there are.
    """
    whole = connection.execute(
        select(recompute_queue.c.learner_id, recompute_queue.c.token)
        .join(learners, learners.c.id == recompute_queue.c.learner_id)
        .where(learners.c.tenant_id == tenant, recompute_queue.c.learner_id % parts == part)
        .order_by(recompute_queue.c.learner_id)
    )
    pairs = connection.execute(
        select(recompute_pairs)
        .join(learners, learners.c.id == recompute_pairs.c.learner_id)
        .where(learners.c.tenant_id == tenant, recompute_pairs.c.learner_id % parts == part)
        .order_by(recompute_pairs.c.learner_id, recompute_pairs.c.competency_id)
    )
    return Waiting(
        learners={LearnerId(row[0]): row[1] for row in whole},
        pairs={(LearnerId(row[0]), CompetencyId(row[1])): row[2] for row in pairs},
    )


def count_waiting(connection: Connection, tenant: TenantId) -> int:
    """How many learners are put down for recomputation, whole or in part."""
    both = (
        select(recompute_queue.c.learner_id)
        .union(select(recompute_pairs.c.learner_id))
        .subquery("both")
    )
    return connection.execute(
        select(func.count())
        .select_from(both)
        .join(learners, learners.c.id == both.c.learner_id)
        .where(learners.c.tenant_id == tenant)
    ).scalar_one()


def settle(connection: Connection, done: Waiting) -> None:
    """Take marks away, but for what was marked again since their token was read."""
    _settle(connection, recompute_queue, [((learner,), t) for learner, t in done.learners.items()])
    _settle(connection, recompute_pairs, list(done.pairs.items()))


def _settle(
    connection: Connection, table: Table, tokens: list[tuple[tuple[int, ...], int]]
) -> None:
    if not tokens:
        return
    key = [column for column in table.c if column.name != "token"]
    statement = delete(table).where(
        *(column == bindparam(f"b_{column.name}") for column in key),
        table.c.token == bindparam("b_token"),
    )
    names = [f"b_{column.name}" for column in key]
    connection.execute(
        statement,
        [{**dict(zip(names, place, strict=True)), "b_token": token} for place, token in tokens],
    )
