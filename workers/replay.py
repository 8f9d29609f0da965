"""Whether standings are what all that was ever recorded gives when judged from nothing.

Nothing is taken from what was computed before, not even which scores are the present ones:
everything comes from the events.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from mapping.records import LearnerId, TenantId
from store import past_runs, standings, tenants
from store.grounds import grounds_in
from store.history import policy_at
from store.score_tables import Knowledge
from store.session import chunks, reading, writing
from store.standings import NOWHERE, Place, Standing
from store.waiting import count_waiting
from workers.recompute import BATCH, compute, differences, rule_ids


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
    count = 0
    found: dict[Place, tuple[Standing, Standing]] = {}
    for learners in chunks(everybody, BATCH):
        with reading(engine) as connection:
            kept = standings.all_standings_at(connection, learners, moment=moment)
            grounds = grounds_in(connection, policy, learners, knowledge=Knowledge(moment=moment))
        replayed = compute(grounds, ids)
        count += len(kept.keys() | replayed.keys())
        found.update(
            (place, (before or NOWHERE, after))
            for place, (before, after) in differences(kept, replayed).items()
        )
    return Replayed(moment=moment, standings=count, waiting=put_down, differences=found)
