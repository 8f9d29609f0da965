"""Which marks of which courses may be out of date, so that a night asks no course without news.

A mark is put down in the transaction of its cause, as a standing that changes, and taken away
when the course's gradebook was brought up to date; what is put down again meanwhile stays.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    delete,
    literal,
    select,
    union,
)
from sqlalchemy.dialects import postgresql, sqlite

from mapping.records import CourseId, EnrolmentState, LearnerId, TenantId
from store.columns import one_of
from store.session import chunks, write_rows
from store.tables import courses, enrolments, passback_due, passback_due_courses, to_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What may be out of date in a course's gradebook, with the tokens it was read with.

    Attributes:
        learners: Whose marks.
        whole: The token of the course itself: any mark may be; None where only the learners'.
    """

    learners: Mapping[LearnerId, int] = field(default_factory=dict)
    whole: int | None = None


def put_down_learners(
    connection: Connection, learner_ids: Collection[LearnerId], *, now: datetime
) -> None:
    """Put down the marks of learners in every course that they are active in.

    Args:
        connection: The writing transaction that changed where they stand.
        learner_ids: Whose marks.
        now: When.
    """
    for part in chunks(sorted(learner_ids)):
        _put_down(connection, one_of(connection, enrolments.c.learner_id, part), now=now)


def put_down_learners_in(
    connection: Connection,
    course_id: CourseId,
    learner_ids: Collection[LearnerId],
    *,
    now: datetime,
) -> None:
    """Put down the marks of some active learners of one course."""
    for part in chunks(sorted(learner_ids)):
        is_meant = and_(
            enrolments.c.course_id == course_id, one_of(connection, enrolments.c.learner_id, part)
        )
        _put_down(connection, is_meant, now=now)


def _put_down(connection: Connection, is_meant: ColumnElement[bool], *, now: datetime) -> None:
    """Put down active enrolments within the database: there may be a million."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    found = select(
        enrolments.c.course_id, enrolments.c.learner_id, literal(to_micros(now), BigInteger())
    ).where(is_meant, enrolments.c.state == EnrolmentState.ACTIVE.value)
    # In one order everywhere, or two who put down the same learners wait for each other.
    ordered = found.order_by(enrolments.c.course_id, enrolments.c.learner_id)
    statement = insert(passback_due).from_select(("course_id", "learner_id", "token"), ordered)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["course_id", "learner_id"], set_={"token": statement.excluded.token}
        )
    )


def put_down_courses(
    connection: Connection, course_ids: Iterable[CourseId], *, now: datetime
) -> None:
    """Put down every mark of some courses: their columns, people, way or mode changed."""
    token = to_micros(now)
    write_rows(
        connection,
        passback_due_courses,
        [(course, token) for course in sorted(set(course_ids))],
        columns=("course_id", "token"),
        keys=("course_id",),
    )


def put_down_tenant(connection: Connection, tenant: TenantId, *, now: datetime) -> None:
    """Put down every mark of a tenant: its mapping, framework or rules say something else now."""
    rows = connection.execute(select(courses.c.id).where(courses.c.tenant_id == tenant))
    put_down_courses(connection, (CourseId(row[0]) for row in rows), now=now)


def courses_due(connection: Connection, tenant: TenantId) -> frozenset[CourseId]:
    """The courses of a tenant in which any mark may be out of date."""
    both = union(
        select(passback_due.c.course_id), select(passback_due_courses.c.course_id)
    ).subquery()
    rows = connection.execute(
        select(courses.c.id)
        .join(both, both.c.course_id == courses.c.id)
        .where(courses.c.tenant_id == tenant)
    )
    return frozenset(CourseId(row[0]) for row in rows)


def due_in(connection: Connection, course_id: CourseId) -> Due:
    """What may be out of date in a course."""
    rows = connection.execute(
        select(passback_due.c.learner_id, passback_due.c.token).where(
            passback_due.c.course_id == course_id
        )
    )
    whole = connection.execute(
        select(passback_due_courses.c.token).where(passback_due_courses.c.course_id == course_id)
    ).scalar()
    return Due(learners={LearnerId(row[0]): row[1] for row in rows}, whole=whole)


def settle(connection: Connection, course_id: CourseId, done: Due) -> None:
    """Take away what was brought up to date, but for what was put down again since."""
    if done.whole is not None:
        connection.execute(
            delete(passback_due_courses).where(
                passback_due_courses.c.course_id == course_id,
                passback_due_courses.c.token == done.whole,
            )
        )
    by_token: dict[int, list[LearnerId]] = {}
    for learner, token in done.learners.items():
        by_token.setdefault(token, []).append(learner)
    for token, learners in by_token.items():
        for part in chunks(learners):
            connection.execute(
                delete(passback_due).where(
                    passback_due.c.course_id == course_id,
                    one_of(connection, passback_due.c.learner_id, part),
                    passback_due.c.token == token,
                )
            )
