"""People: which learner is behind an LMS's account, by the SIS id and nothing else.

Who makes learners or accounts or renames somebody holds the lock ``learners`` of the tenant: two
courses read at once may bring the same new person, and one of them must see the other's. Where
everybody is known as they are, nobody waits for anybody.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from mapping.records import LearnerId, LearnerRef, Person, PlatformId, TenantId
from store.session import chunks, lock, upsert
from store.tables import learner_accounts, learners


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The learner behind an account, as kept."""

    learner: LearnerId
    sis_id: str | None
    name: str
    sort_name: str


def lock_learners(connection: Connection, tenant: TenantId) -> None:
    """Let nobody else make or change learners of a tenant until the transaction ends."""
    lock(connection, "learners", tenant)


def known_people(
    connection: Connection, platform: PlatformId, refs: Collection[LearnerRef]
) -> dict[LearnerRef, Known]:
    """Who is behind some accounts of a platform, as far as anybody is."""
    found: dict[LearnerRef, Known] = {}
    columns = (learners.c.id, learners.c.sis_id, learners.c.name, learners.c.sort_name)
    for part in chunks(sorted(refs)):
        rows = connection.execute(
            select(learner_accounts.c.ref, *columns)
            .join(learners, learners.c.id == learner_accounts.c.learner_id)
            .where(learner_accounts.c.platform_id == platform, learner_accounts.c.ref.in_(part))
        )
        for ref, learner, sis_id, name, sort_name in rows:
            found[LearnerRef(ref)] = Known(
                learner=LearnerId(learner), sis_id=sis_id, name=name, sort_name=sort_name
            )
    return found


def learners_by_sis_id(
    connection: Connection, tenant: TenantId, sis_ids: Collection[str]
) -> dict[str, LearnerId]:
    """The tenant's learners who have some SIS ids."""
    found: dict[str, LearnerId] = {}
    for part in chunks(sorted(sis_ids)):
        rows = connection.execute(
            select(learners.c.sis_id, learners.c.id).where(
                learners.c.tenant_id == tenant, learners.c.sis_id.in_(part)
            )
        )
        found |= {row[0]: LearnerId(row[1]) for row in rows}
    return found


def is_settled(known: Mapping[LearnerRef, Known], people: Sequence[Person]) -> bool:
    """Whether everybody has a learner of their name, and of their SIS id where they have one."""
    return all(
        (one := known.get(person.ref)) is not None
        and (one.name, one.sort_name) == (person.name, person.sort_name)
        and (not person.sis_id or person.sis_id == one.sis_id)
        for person in people
    )


def new_learner(connection: Connection, tenant: TenantId, person: Person) -> LearnerId:
    """Make a learner of a person whom nobody knows."""
    return _new_learners(connection, tenant, [person])[person.ref]


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
        connection: A writing transaction.
        platform: Whose accounts.
        people: Each once.
        tenant: Whose learners.

    Returns:
        The learner behind each of them.
    """
    refs = [person.ref for person in people]
    known = known_people(connection, platform, refs)
    if is_settled(known, people):
        return {ref: one.learner for ref, one in known.items()}
    lock_learners(connection, tenant)
    known = known_people(connection, platform, refs)
    behind = {ref: one.learner for ref, one in known.items()}
    strangers = [person for person in people if person.ref not in known]
    behind |= _met(connection, platform, strangers, tenant=tenant)
    _rename(connection, {behind[person.ref]: person for person in people})
    return behind


def _met(
    connection: Connection, platform: PlatformId, strangers: Sequence[Person], *, tenant: TenantId
) -> dict[LearnerRef, LearnerId]:
    """Accounts for people nobody knows on a platform, and learners for those nobody knows."""
    sis_ids = {person.sis_id for person in strangers if person.sis_id}
    by_sis = learners_by_sis_id(connection, tenant, sis_ids)
    # Two accounts of one person are one learner.
    nobody = {
        _who(person): person
        for person in reversed(strangers)
        if not person.sis_id or person.sis_id not in by_sis
    }
    made = _new_learners(connection, tenant, list(reversed(nobody.values())))
    behind: dict[LearnerRef, LearnerId] = {}
    for person in strangers:
        known = by_sis.get(person.sis_id) if person.sis_id else None
        behind[person.ref] = made[nobody[_who(person)].ref] if known is None else known
    save_accounts(connection, platform, behind)
    return behind


def _who(person: Person) -> tuple[str, str]:
    return ("sis", person.sis_id) if person.sis_id else ("account", person.ref)


def _new_learners(
    connection: Connection, tenant: TenantId, people: Sequence[Person]
) -> dict[LearnerRef, LearnerId]:
    if not people:
        return {}
    rows = [
        {
            "tenant_id": tenant,
            "sis_id": person.sis_id,
            "name": person.name,
            "sort_name": person.sort_name,
        }
        for person in people
    ]
    made = connection.execute(
        insert(learners).returning(learners.c.id, sort_by_parameter_order=True), rows
    )
    ids = [LearnerId(one) for one in made.scalars()]
    return {person.ref: one for person, one in zip(people, ids, strict=True)}


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
