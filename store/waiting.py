"""What is to be computed again: whole learners, or some of their competencies.

A mark is written in the transaction of its cause and taken away in that of its cure; whoever is
marked again meanwhile keeps the later mark.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, Connection, Select, func, literal, select

from mapping.columns import IntArray
from mapping.pairs import NOWHERE, Pairs
from mapping.records import CompetencyId, LearnerId, TenantId
from store.columns import delete_equal, one_of, read_columns
from store.session import copy_rows, write_rows
from store.tables import (
    learners,
    recompute_pairs,
    recompute_queue,
    standings,
    to_micros,
)

Pair = tuple[LearnerId, CompetencyId]

TOGETHER = 1_000
"""So many learners whose ids follow one another are never shared out: they are of one school, and
their scores lie side by side."""
_FEW_TOGETHER = 200
_FEW_SHARES = 2
"""Of so few shares one could have nearly all of a small district in thousands."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Waiting:
    """Marks, each with the token that it was read with.

    Attributes:
        learners: Those to be computed whole, ascending.
        tokens: Of ``learners``.
        pairs: Competencies of learners that may be out of date, what they are part of not
            listed.
        pair_tokens: Of ``pairs``.
    """

    learners: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    tokens: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    pairs: Pairs = field(default_factory=Pairs.none)
    pair_tokens: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def everybody(self) -> IntArray:
        """Who is to be computed, whole or in part, ascending."""
        return np.union1d(self.learners, self.pairs.learner)

    def has(self, other: "Waiting") -> bool:
        """Whether all marks of another are among these, with the same tokens."""
        whole = Pairs(learner=self.learners, competency=self.tokens)
        row = self.pairs.find(other.pairs.learner, other.pairs.competency)
        places = (row, whole.find(other.learners, other.tokens))
        if any((place == NOWHERE).any() for place in places):
            return False
        return bool((self.pair_tokens[row] == other.pair_tokens).all())

    def of(self, learners: IntArray) -> "Waiting":
        """The marks of some learners."""
        is_whole = np.isin(self.learners, learners)
        is_pair = np.isin(self.pairs.learner, learners)
        return Waiting(
            learners=self.learners[is_whole],
            tokens=self.tokens[is_whole],
            pairs=self.pairs.rows(is_pair),
            pair_tokens=self.pair_tokens[is_pair],
        )


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
    together = TOGETHER if parts > _FEW_SHARES else _FEW_TOGETHER
    of_tenant = select(learners.c.id).where(learners.c.tenant_id == tenant)
    whole, pairs = (
        table.c.learner_id.in_(of_tenant) & (table.c.learner_id // together % parts == part)
        for table in (recompute_queue, recompute_pairs)
    )
    return _waiting(
        connection, select(recompute_queue).where(whole), select(recompute_pairs).where(pairs)
    )


def still_waiting(connection: Connection, found: Waiting) -> Waiting:
    """The marks of learners of whom none was taken away since; nobody else takes them now.

    Args:
        connection: A writing transaction; until it ends the marks are its own.
        found: As they were read before.

    Returns:
        With the tokens of then, of learners all of whose marks are still there, whatever their
        tokens now.
    """
    queue, pairs = recompute_queue.c.learner_id, recompute_pairs.c.learner_id
    whole = select(recompute_queue).where(one_of(connection, queue, found.learners.tolist()))
    single = select(recompute_pairs).where(
        one_of(connection, pairs, np.unique(found.pairs.learner).tolist())
    )
    now = _waiting(
        connection,
        whole.order_by(queue).with_for_update(),
        single.order_by(pairs, recompute_pairs.c.competency_id).with_for_update(),
    )
    is_gone = now.pairs.find(found.pairs.learner, found.pairs.competency) == NOWHERE
    gone = np.union1d(np.setdiff1d(found.learners, now.learners), found.pairs.learner[is_gone])
    return found.of(np.setdiff1d(found.everybody, gone)) if gone.size else found


def _waiting(connection: Connection, whole: Select[Any], single: Select[Any]) -> Waiting:
    learner, token = read_columns(connection, whole)
    order = np.argsort(learner)
    of, competency, pair_token = read_columns(connection, single)
    by_pair = np.lexsort((competency, of))
    return Waiting(
        learners=learner[order],
        tokens=token[order],
        pairs=Pairs(learner=of[by_pair], competency=competency[by_pair]),
        pair_tokens=pair_token[by_pair],
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
    delete_equal(connection, recompute_queue, {"learner_id": done.learners, "token": done.tokens})
    delete_equal(
        connection,
        recompute_pairs,
        {
            "learner_id": done.pairs.learner,
            "competency_id": done.pairs.competency,
            "token": done.pair_tokens,
        },
    )
