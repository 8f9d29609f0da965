"""Standings held against what computing everything from nothing would give."""

from collections.abc import Sequence

from sqlalchemy import text

from bootstrap.container import Container
from mapping.kept import differing
from mapping.records import LearnerId, TenantId
from store.grounds import grounds_of, policy_of
from store.session import reading, writing
from store.standing_tables import kept_now
from workers import recompute


def stale_standings(container: Container, tenant: TenantId) -> Sequence[object]:
    """Standings that are not what all that is held would give, by learner, competency and view."""
    with reading(container.engine) as connection:
        rows = connection.execute(text("SELECT id FROM learners"))
        everybody = [LearnerId(row.id) for row in rows]
        policy = policy_of(connection, tenant, now=container.now())
        kept = kept_now(connection, everybody)
        grounds = grounds_of(connection, policy, everybody)
    with writing(container.engine) as connection:
        computed = recompute.compute(grounds, recompute.rule_ids(connection, tenant, policy.book))
    assert len(computed)
    found: Sequence[object] = differing(kept, computed).after.place.tolist()
    return found
