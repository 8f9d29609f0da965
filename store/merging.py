"""One person, one learner: when an LMS or the SIS says who somebody really is.

An account's SIS id may come late, be corrected, or turn out to be another learner's. The account
then follows its SIS id, and in each course what was kept of the account follows it: every
enrolment names the account it came from, so nothing of another person goes along. Never by name,
never across tenants. What was computed of the learner left behind goes the way of everything
computed: with no evidence left, its statuses say so, and its history stays.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, update

from mapping.records import (
    CourseId,
    Enrolment,
    LearnerId,
    LearnerRef,
    Person,
    PlatformId,
    Role,
    TenantId,
)
from store.courses import StoredCourse
from store.due import put_down_courses
from store.merged_rows import Moves, move_judgements, move_rows
from store.people import (
    Known,
    is_settled,
    known_people,
    learners_by_sis_id,
    lock_learners,
    new_learner,
    save_accounts,
    save_people,
)
from store.readings import forget_cursor
from store.tables import courses, enrolments, learner_accounts, learners
from store.waiting import mark_learners

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Register:
    """Who is who in a tenant and on one platform of it, brought up to date account by account."""

    tenant: TenantId
    platform: PlatformId
    behind: dict[LearnerRef, LearnerId]
    by_sis: dict[str, LearnerId]
    sis_ids: dict[LearnerId, str]


def follow_sis_ids(
    connection: Connection, course: StoredCourse, found: Sequence[Enrolment]
) -> None:
    """Let known accounts follow the SIS ids that their LMS gives them now.

    - A learner without a SIS id gets it, or is one with the learner who has it already.
    - An account whose SIS id is another learner's now is that learner's.
    - One whose SIS id nobody has is still the same learner where it is their only account; else
      it was taken for somebody it is not, and is a learner of its own.
    - An LMS that tells no SIS id any more changes nothing.

    Args:
        connection: A writing transaction.
        course: Whose people they are.
        found: Everybody in it.
    """
    people = _pupils(found)
    if not _strays(people, known_people(connection, course.platform, people)):
        return
    lock_learners(connection, course.tenant)
    known = known_people(connection, course.platform, people)
    strays = _strays(people, known)
    register = _register(connection, course, known, strays=strays)
    # Who has an owner goes first, by the ids as they were: two may have been taken for each other.
    owned = {one.ref: register.by_sis.get(one.sis_id or "") for one in strays}
    for person in sorted(strays, key=lambda one: owned[one.ref] is None):
        _settle(connection, register, person, owner=owned[person.ref])


def has_news(connection: Connection, course: StoredCourse, found: Sequence[Enrolment]) -> bool:
    """Whether a course's people are not all known as they are now.

    Args:
        connection: A transaction.
        course: Whose people they are.
        found: Everybody in it.
    """
    people = _pupils(found)
    return not is_settled(known_people(connection, course.platform, people), list(people.values()))


def meet(connection: Connection, course: StoredCourse, found: Sequence[Enrolment]) -> None:
    """Make everybody in a course known as they are now.

    Best in a transaction of its own: others wait for its end who meet somebody, too.

    Args:
        connection: A writing transaction.
        course: Whose people they are.
        found: Everybody in it.
    """
    follow_sis_ids(connection, course, found)
    people = list(_pupils(found).values())
    save_people(connection, course.platform, people, tenant=course.tenant)


def _pupils(found: Sequence[Enrolment]) -> dict[LearnerRef, Person]:
    return {one.person.ref: one.person for one in found if one.role is Role.LEARNER}


def follow_accounts(connection: Connection, course_id: CourseId, *, now: datetime) -> None:
    """Move what was kept of accounts in a course to the learners who are behind them now.

    Only for whoever holds the course, or while nobody reads it.

    Args:
        connection: A writing transaction.
        course_id: The course.
        now: When.
    """
    rows = connection.execute(
        _out_of_step(enrolments.c.learner_id, learner_accounts.c.learner_id.label("behind")).where(
            enrolments.c.course_id == course_id
        )
    )
    moves: Moves = {LearnerId(row[0]): LearnerId(row[1]) for row in rows}
    if not moves:
        return
    if move_rows(connection, course_id, moves, now=now):
        # Two accounts of one person in one course: what the gradebook says now is read again.
        forget_cursor(connection, course_id)
    _follow_judgements(connection, moves)
    mark_learners(connection, {*moves.keys(), *moves.values()}, now=now)
    put_down_courses(connection, [course_id], now=now)
    log.info(
        "course %s: what was kept of %s learners follows their accounts", course_id, len(moves)
    )


def _follow_judgements(connection: Connection, moves: Moves) -> None:
    """What was said of a learner goes along once no account is theirs any more.

    While one is, nobody can tell whom of the two it was said of, and it stays.
    """
    rows = connection.execute(
        select(learner_accounts.c.learner_id).where(learner_accounts.c.learner_id.in_(moves))
    )
    still_there = set(rows.scalars())
    gone = {learner: to for learner, to in moves.items() if learner not in still_there}
    if gone:
        move_judgements(connection, gone)


def follow_everywhere(connection: Connection, tenant: TenantId, *, now: datetime) -> None:
    """Move what was kept of accounts in all courses, while nobody reads any.

    Args:
        connection: A writing transaction.
        tenant: Whose courses.
        now: When.
    """
    rows = connection.execute(
        _out_of_step(enrolments.c.course_id).distinct().where(courses.c.tenant_id == tenant)
    )
    for course_id in sorted(row[0] for row in rows):
        follow_accounts(connection, CourseId(course_id), now=now)


def _strays(people: Mapping[LearnerRef, Person], known: Mapping[LearnerRef, Known]) -> list[Person]:
    """Those with an account whose SIS id is not its learner's."""
    return [
        person
        for ref, person in people.items()
        if person.sis_id and ref in known and known[ref].sis_id != person.sis_id
    ]


def _register(
    connection: Connection,
    course: StoredCourse,
    known: Mapping[LearnerRef, Known],
    *,
    strays: Sequence[Person],
) -> _Register:
    wanted = {person.sis_id for person in strays if person.sis_id}
    return _Register(
        tenant=course.tenant,
        platform=course.platform,
        behind={ref: one.learner for ref, one in known.items()},
        by_sis=learners_by_sis_id(connection, course.tenant, wanted),
        sis_ids={one.learner: one.sis_id for one in known.values() if one.sis_id},
    )


def _settle(
    connection: Connection, register: _Register, person: Person, *, owner: LearnerId | None
) -> None:
    """Find who is behind an account whose SIS id is not its learner's."""
    learner = register.behind[person.ref]
    if owner is None:
        owner = register.by_sis.get(person.sis_id or "")
    if owner is None and _is_only_account(connection, learner):
        _give_sis_id(connection, register, learner, sis_id=person.sis_id or "")
        return
    if owner is None:
        owner = new_learner(connection, register.tenant, person)
        register.by_sis[person.sis_id or ""] = owner
    register.behind[person.ref] = owner
    save_accounts(connection, register.platform, {person.ref: owner})
    log.info(
        "platform %s: account %s is learner %s by its SIS id now, no longer %s",
        *(register.platform, person.ref, owner, learner),
    )


def _give_sis_id(
    connection: Connection, register: _Register, learner: LearnerId, *, sis_id: str
) -> None:
    former = register.sis_ids.get(learner)
    if former is not None:
        register.by_sis.pop(former, None)
    register.by_sis[sis_id] = learner
    register.sis_ids[learner] = sis_id
    connection.execute(update(learners).where(learners.c.id == learner).values(sis_id=sis_id))


def _is_only_account(connection: Connection, learner: LearnerId) -> bool:
    count = connection.execute(
        select(func.count())
        .select_from(learner_accounts)
        .where(learner_accounts.c.learner_id == learner)
    ).scalar_one()
    return count == 1


def _out_of_step(*columns: ColumnElement[Any]) -> Select[Any]:
    """Enrolments whose account is another learner's by now."""
    query: Select[Any] = select(*columns)
    return (
        query.select_from(enrolments)
        .join(courses, courses.c.id == enrolments.c.course_id)
        .join(
            learner_accounts,
            and_(
                learner_accounts.c.platform_id == courses.c.platform_id,
                learner_accounts.c.ref == enrolments.c.account_ref,
            ),
        )
        .where(learner_accounts.c.learner_id != enrolments.c.learner_id)
    )
