"""Rules of mastery: every version that a scope ever had, and what scopes made together."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select

from mapping.records import CompetencyId, CourseId, LearnerId, TenantId
from mapping.rules.mastery_rule import MasteryRule, parse_rule
from mapping.rules.scopes import Scope, ScopedRule
from store.columns import one_of
from store.session import upsert
from store.tables import (
    competencies,
    effective_rules,
    enrolments,
    learners,
    mastery_rules,
    standings,
    to_micros,
)
from store.waiting import Pair, mark_everybody, mark_learners, mark_pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePlace:
    """Where a rule is set; ``target`` as ``mapping.rules.rulebook.ScopedRule`` has it."""

    scope: Scope = Scope.DISTRICT
    target: int = 0


DISTRICT = RulePlace()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleNote:
    """Who set a rule, why, and from when it holds, past or to come; None for at once.

    ``is_agreed`` where no second person is asked any more: one said yes, it held before, or it is
    a file's, which the operator answers for.
    """

    author: str = ""
    reason: str = ""
    effective_from: datetime | None = None
    is_agreed: bool = False


_UNSAID = RuleNote()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRule:
    """One version of what a scope says; an empty definition says nothing any more.

    ``version`` counts up through a tenant, whatever the scope. ``recorded_at`` is None for
    versions older than this knowledge.
    """

    id: int
    version: int
    place: RulePlace
    definition: Mapping[str, Any]
    effective_from: datetime
    author: str
    reason: str
    recorded_at: datetime | None = None


def save_rule(
    connection: Connection,
    tenant: TenantId,
    definition: Mapping[str, Any],
    *,
    now: datetime,
    place: RulePlace = DISTRICT,
    note: RuleNote = _UNSAID,
) -> StoredRule:
    """Have a scope say something from a moment on; what it says already changes nothing.

    A district's first word is kept even if it is empty: changes of standings are kept with it.
    Whoever the rule may concern is put down for recomputation, unless it is still to come: then
    that happens when it begins to hold.

    Args:
        connection: A writing transaction.
        tenant: Whose rule it is.
        definition: Keys of ``mapping.rules.mastery_rule.MasteryRule.definition``.
        now: When it is said.
        place: Where.
        note: Who says so, why, and from when on.

    Returns:
        The version in force from then on.
    """
    begins = note.effective_from or now
    said = [one for one in rule_versions(connection, tenant) if one.place == place]
    current = in_force(said, begins)
    if current is not None and dict(current.definition) == dict(definition):
        return current
    if current is None and not definition and place != DISTRICT:
        return _nothing(place, begins)
    text = json.dumps(definition, sort_keys=True)
    latest = connection.execute(
        select(func.max(mastery_rules.c.version)).where(mastery_rules.c.tenant_id == tenant)
    ).scalar()
    key = connection.execute(
        insert(mastery_rules).values(
            tenant_id=tenant,
            version=(latest or 0) + 1,
            digest=hashlib.sha256(text.encode()).hexdigest(),
            definition=text,
            effective_from=begins,
            scope=place.scope.name.lower(),
            target_id=place.target,
            author=note.author,
            reason=note.reason,
            recorded_at=now,
        )
    ).inserted_primary_key
    assert key is not None  # noqa: S101 - an insert of one row has one
    if begins <= now:
        _mark_concerned(connection, tenant, [place], now=now)
    row = connection.execute(select(mastery_rules).where(mastery_rules.c.id == key[0])).one()
    return _stored_rule(row)


def is_news(
    connection: Connection,
    tenant: TenantId,
    definition: Mapping[str, Any],
    *,
    place: RulePlace,
    begins: datetime,
) -> bool:
    """Whether a place would say something else from a moment on; as ``save_rule`` sees it."""
    said = [one for one in rule_versions(connection, tenant) if one.place == place]
    current = in_force(said, begins)
    if current is None:
        return bool(definition) or place == DISTRICT
    return dict(current.definition) != dict(definition)


def overtaking(
    versions: Sequence[StoredRule], *, begins: datetime, now: datetime
) -> StoredRule | None:
    """The version of a place that holds now though another begins on a past day.

    What is said for a day that has been never holds where something was said for a later day.

    Args:
        versions: All of one place.
        begins: From when on the other would hold.
        now: The moment.

    Returns:
        That version, None where the other would hold.
    """
    current = in_force(versions, now)
    if current is None or current.effective_from <= begins:
        return None
    return current


def withdraw_rule(
    connection: Connection,
    tenant: TenantId,
    *,
    now: datetime,
    place: RulePlace,
    note: RuleNote = _UNSAID,
) -> None:
    """Have a scope say nothing any more: what it is part of settles everything there."""
    save_rule(connection, tenant, {}, now=now, place=place, note=note)


def rule_versions(connection: Connection, tenant: TenantId) -> tuple[StoredRule, ...]:
    """Every version of every scope's rule, in the order in which they were saved."""
    rows = connection.execute(
        select(mastery_rules)
        .where(mastery_rules.c.tenant_id == tenant)
        .order_by(mastery_rules.c.version)
    )
    return tuple(_stored_rule(row) for row in rows)


def scoped_rules(
    connection: Connection, tenant: TenantId, *, known_by: datetime | None = None
) -> tuple[ScopedRule, ...]:
    """Every version as ``mapping.rules.rulebook`` takes them, numbered in each scope.

    Args:
        connection: A transaction.
        tenant: Whose rules.
        known_by: Versions recorded later are left out; None for all.
    """
    counted: dict[RulePlace, int] = {}
    found = []
    for one in rule_versions(connection, tenant):
        counted[one.place] = counted.get(one.place, 0) + 1
        if known_by is None or one.recorded_at is None or one.recorded_at <= known_by:
            found.append(
                ScopedRule(
                    id=one.id,
                    scope=one.place.scope,
                    target=one.place.target,
                    version=counted[one.place],
                    effective_from=to_micros(one.effective_from),
                    definition=one.definition,
                )
            )
    return tuple(found)


def in_force(versions: Sequence[StoredRule], moment: datetime) -> StoredRule | None:
    """What one scope says at a moment: the version effective last, then the newest."""
    begun = [one for one in versions if one.effective_from <= moment]
    return max(begun, key=lambda one: (one.effective_from, one.id), default=None)


def district_rule(connection: Connection, tenant: TenantId, *, now: datetime) -> StoredRule | None:
    """What the district says at a moment, None where it never said anything."""
    versions = rule_versions(connection, tenant)
    return in_force([one for one in versions if one.place == DISTRICT], now)


def said_by_place(
    connection: Connection, tenant: TenantId, *, now: datetime
) -> dict[RulePlace, StoredRule]:
    """What each scope says at a moment, as far as it ever said anything until then."""
    versions: dict[RulePlace, list[StoredRule]] = {}
    for one in rule_versions(connection, tenant):
        versions.setdefault(one.place, []).append(one)
    return {
        place: said
        for place, found in versions.items()
        if (said := in_force(found, now)) is not None
    }


def has_own_rule(connection: Connection, tenant: TenantId, course: CourseId) -> bool:
    """Whether a rule of its own was ever set for a course."""
    found = select(mastery_rules.c.id).where(
        mastery_rules.c.tenant_id == tenant,
        mastery_rules.c.scope == Scope.COURSE.name.lower(),
        mastery_rules.c.target_id == course,
    )
    return connection.execute(found.limit(1)).first() is not None


def mark_begun(connection: Connection, tenant: TenantId, *, since: datetime, now: datetime) -> None:
    """Put down for recomputation whom rules may concern that began to hold meanwhile.

    Args:
        connection: A writing transaction.
        tenant: Whose rules.
        since: After which moment they began.
        now: Until which.
    """
    begun = [
        one.place for one in rule_versions(connection, tenant) if since < one.effective_from <= now
    ]
    _mark_concerned(connection, tenant, begun, now=now)


def effective_rule(connection: Connection, tenant: TenantId, rule: MasteryRule) -> int:
    """The id of a rule as scopes made it together; the same rule has one id for ever.

    Args:
        connection: A writing transaction.
        tenant: Whose rule.
        rule: The rule.
    """
    text = json.dumps(rule.definition(), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    found = select(effective_rules.c.id).where(
        effective_rules.c.tenant_id == tenant, effective_rules.c.digest == digest
    )
    known = connection.execute(found).scalar()
    if known is None:
        upsert(
            connection,
            effective_rules,
            [{"tenant_id": tenant, "digest": digest, "definition": text}],
            keys=("tenant_id", "digest"),
        )
        known = connection.execute(found).scalar_one()
    return int(known)


def rules_by_id(connection: Connection, ids: Collection[int]) -> dict[int, MasteryRule]:
    """Rules that standings were judged by: old results keep their scale.

    Args:
        connection: A transaction.
        ids: As ``effective_rule`` gave them.
    """
    rows = connection.execute(
        select(effective_rules.c.id, effective_rules.c.definition).where(
            one_of(connection, effective_rules.c.id, sorted(ids))
        )
    )
    return {row.id: parse_rule(json.loads(row.definition)) for row in rows}


def _mark_concerned(
    connection: Connection, tenant: TenantId, places: Collection[RulePlace], *, now: datetime
) -> None:
    """Put down whom rules of some places may concern, as far as they stand anywhere."""
    for scope in {place.scope for place in places}:
        targets = sorted({place.target for place in places if place.scope is scope})
        if scope in (Scope.SYSTEM, Scope.DISTRICT):
            mark_everybody(connection, tenant, now=now)
        elif scope is Scope.COURSE:
            there = connection.execute(
                select(enrolments.c.learner_id).where(enrolments.c.course_id.in_(targets))
            )
            mark_learners(connection, (LearnerId(row[0]) for row in there), now=now)
        else:
            column = competencies.c.framework_id if scope is Scope.FRAMEWORK else competencies.c.id
            found = _standing_in(connection, tenant, column.in_(targets))
            mark_pairs(connection, found, now=now)


def _standing_in(
    connection: Connection, tenant: TenantId, is_meant: ColumnElement[bool]
) -> list[Pair]:
    rows = connection.execute(
        select(standings.c.learner_id, standings.c.competency_id)
        .distinct()
        .join(competencies, competencies.c.id == standings.c.competency_id)
        .join(learners, learners.c.id == standings.c.learner_id)
        .where(learners.c.tenant_id == tenant, is_meant)
    )
    return [(LearnerId(row[0]), CompetencyId(row[1])) for row in rows]


def _nothing(place: RulePlace, moment: datetime) -> StoredRule:
    return StoredRule(
        id=0, version=0, place=place, definition={}, effective_from=moment, author="", reason=""
    )


def _stored_rule(row: "Row[Any]") -> StoredRule:
    return StoredRule(
        id=row.id,
        version=row.version,
        place=RulePlace(scope=Scope[row.scope.upper()], target=row.target_id),
        definition=json.loads(row.definition),
        effective_from=row.effective_from,
        author=row.author,
        reason=row.reason,
        recorded_at=row.recorded_at,
    )
