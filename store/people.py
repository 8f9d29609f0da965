"""People: which learner is behind an LMS's account, by the SIS id and nothing else.

Who calls holds the lock ``learners`` of the tenant: two courses read at once may bring the same
new person, and one of them must see the other's.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, insert, select, update

from mapping.records import LearnerId, LearnerRef, Person, PlatformId, TenantId
from store.session import chunks, upsert
from store.tables import learner_accounts, learners


def accounts(connection: Connection, platform: PlatformId) -> dict[LearnerRef, LearnerId]:
    """The learner behind every account of a platform."""
    rows = connection.execute(
        select(learner_accounts.c.ref, learner_accounts.c.learner_id).where(
            learner_accounts.c.platform_id == platform
        )
    )
    return {LearnerRef(row[0]): LearnerId(row[1]) for row in rows}


def learners_by_sis_id(connection: Connection, tenant: TenantId) -> dict[str, LearnerId]:
    """The tenant's learners who have a SIS id."""
    rows = connection.execute(
        select(learners.c.sis_id, learners.c.id).where(
            learners.c.tenant_id == tenant, learners.c.sis_id.is_not(None)
        )
    )
    return {row[0]: LearnerId(row[1]) for row in rows}


def new_learner(connection: Connection, tenant: TenantId, person: Person) -> LearnerId:
    """Make a learner of a person whom nobody knows."""
    key = connection.execute(
        insert(learners).values(
            tenant_id=tenant, sis_id=person.sis_id, name=person.name, sort_name=person.sort_name
        )
    ).inserted_primary_key
    assert key is not None  # noqa: S101 - an insert of one row has one
    return LearnerId(key[0])


def save_accounts(
    connection: Connection, platform: PlatformId, behind: Mapping[LearnerRef, LearnerId]
) -> None:
    """Keep which learner is behind some accounts."""
    rows = [
        {"platform_id": platform, "ref": ref, "learner_id": learner}
        for ref, learner in behind.items()
    ]
    upsert(connection, learner_accounts, rows, keys=("platform_id", "ref"))


def save_people(
    connection: Connection,
    platform: PlatformId,
    people: Sequence[Person],
    *,
    tenant: TenantId,
) -> dict[LearnerRef, LearnerId]:
    """Make learners and accounts for those not known yet, and keep names as they are now.

    Args:
        connection: A writing transaction that holds the lock ``learners``.
        platform: Whose accounts.
        people: Each once.
        tenant: Whose learners.

    Returns:
        The learner behind every account of the platform.
    """
    known = accounts(connection, platform)
    by_sis = learners_by_sis_id(connection, tenant)
    new: dict[LearnerRef, LearnerId] = {}
    for person in people:
        if person.ref in known:
            continue
        learner = by_sis.get(person.sis_id or "") or new_learner(connection, tenant, person)
        new[person.ref] = learner
        if person.sis_id:
            by_sis[person.sis_id] = learner
    save_accounts(connection, platform, new)
    known |= new
    _rename(connection, {known[person.ref]: person for person in people})
    return known


def _rename(connection: Connection, people: Mapping[LearnerId, Person]) -> None:
    for part in chunks(list(people)):
        rows = connection.execute(
            select(learners.c.id, learners.c.name, learners.c.sort_name).where(
                learners.c.id.in_(part)
            )
        ).all()
        for learner, name, sort_name in rows:
            person = people[LearnerId(learner)]
            if (name, sort_name) != (person.name, person.sort_name):
                connection.execute(
                    update(learners)
                    .where(learners.c.id == learner)
                    .values(name=person.name, sort_name=person.sort_name)
                )
