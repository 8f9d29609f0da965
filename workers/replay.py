"""Whether standings are what all that was ever recorded gives when judged from nothing.

Nothing is taken from what was computed before, not even which scores are the present ones:
everything comes from the events.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import numpy as np
from sqlalchemy import Engine

from mapping.evidence.tables import View
from mapping.judgement.grounds import Grounds
from mapping.kept import Changes, KeptTable, differing
from mapping.records import CompetencyId, LearnerId, TenantId
from store import past_runs, tenants
from store.grounds import Policy, grounds_in
from store.history import policy_at
from store.score_tables import Knowledge
from store.session import chunks, reading, writing
from store.standing_tables import kept_at, standing_rows
from store.standings import Place, Standing
from store.waiting import count_waiting
from workers.ahead import loaded_ahead
from workers.recompute import BATCH, compute, rule_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay found.

    Attributes:
        moment: The moment that it was judged at; None where nothing was ever computed.
        standings: How many were compared, both views counted.
        waiting: How many learners are put down for recomputation since.
        differences: Kept and replayed standing by place, where they are not the same.
    """

    moment: datetime | None
    standings: int = 0
    waiting: int = 0
    differences: Mapping[Place, tuple[Standing, Standing]] = field(default_factory=dict)


def replay(engine: Engine, tenant: TenantId, *, moment: datetime | None = None) -> Replayed:
    """Judge everything that was recorded by a moment, and compare with what was kept of then.

    Args:
        engine: The database; nothing that a person sees is written to it.
        tenant: Whose learners.
        moment: The moment; None for when standings were last brought up to date.

    Returns:
        What is not the same; nothing, unless columns, people or frameworks changed since then
        or standings are not what they should be.
    """
    with reading(engine) as connection:
        moment = moment or past_runs.last_computed(connection, tenant)
        if moment is None:
            return Replayed(moment=None)
        everybody = [LearnerId(one) for one in tenants.all_learners(connection, tenant)]
        policy = policy_at(connection, tenant, moment=moment)
        put_down = count_waiting(connection, tenant)
    with writing(engine) as connection:
        ids = rule_ids(connection, tenant, policy.book)
    batch = partial(_load, engine, policy=policy, moment=moment)
    count = 0
    found: dict[Place, tuple[Standing, Standing]] = {}
    for kept, grounds in loaded_ahead(batch, chunks(everybody, BATCH)):
        replayed = compute(grounds, ids)
        count += np.union1d(kept.place, replayed.place).size
        found.update(_told(differing(kept, replayed)))
    return Replayed(moment=moment, standings=count, waiting=put_down, differences=found)


def _load(
    engine: Engine, learners: Sequence[LearnerId], *, policy: Policy, moment: datetime
) -> tuple[KeptTable, Grounds]:
    with reading(engine) as connection:
        kept = kept_at(connection, learners, moment=moment)
        grounds = grounds_in(connection, policy, learners, knowledge=Knowledge(moment=moment))
    return kept, grounds


def _told(changes: Changes) -> Iterator[tuple[Place, tuple[Standing, Standing]]]:
    after = changes.after
    where = zip(after.learner.tolist(), after.competency.tolist(), after.view.tolist(), strict=True)
    both = zip(standing_rows(changes.before), standing_rows(after), strict=True)
    for (learner, competency, view), stood in zip(where, both, strict=True):
        yield (LearnerId(learner), CompetencyId(competency), View(view)), stood
